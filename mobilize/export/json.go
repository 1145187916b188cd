package export

import (
	"bufio"
	"encoding/json"
)

// lines writes JSON Lines.
type lines struct{ w *bufio.Writer }

func (l *lines) begin() {}

func (l *lines) row(r *Row) error {
	if err := object(l.w, r); err != nil {
		return err
	}
	return l.w.WriteByte('\n')
}

func (l *lines) end() error { return nil }

// cut leaves an object open.
func (l *lines) cut() { l.w.WriteString(`{"error":"` + incomplete + `"`) }

// array writes JSON.
type array struct {
	w    *bufio.Writer
	some bool
}

func (a *array) begin() { a.w.WriteByte('[') }

func (a *array) row(r *Row) error {
	if a.some {
		a.w.WriteByte(',')
	}
	a.some = true
	a.w.WriteByte('\n')
	return object(a.w, r)
}

func (a *array) end() error {
	if a.some {
		a.w.WriteByte('\n')
	}
	_, err := a.w.WriteString("]\n")
	return err
}

// cut leaves the array open.
func (a *array) cut() {}

// object writes a row.
func object(w *bufio.Writer, r *Row) error {
	c := *r
	if c.CVEs == nil {
		c.CVEs = []string{}
	}
	if c.Tools == nil {
		c.Tools = []string{}
	}
	return value(w, &c)
}

func value(w *bufio.Writer, v any) error {
	b, err := json.Marshal(v)
	if err != nil {
		return err
	}
	_, err = w.Write(b)
	return err
}
