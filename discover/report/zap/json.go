package zap

import (
	"errors"
	"io"

	"github.com/leeward-ctem/leeward/discover/decode"
	"github.com/leeward-ctem/leeward/exposure"
)

// jsonWalk is the walk over a JSON report.
type jsonWalk struct {
	*document
	j      *decode.JSON
	record int
}

func (d *document) readJSON(r io.Reader) error {
	w := jsonWalk{document: d, j: decode.NewJSON(r)}
	w.j.Lost = d.Lose
	if k := w.j.Kind(); k != '{' && k != 0 {
		return exposure.Errorf(exposure.Invalid, "not a ZAP report: it is no JSON object")
	}
	var version, generated, created string
	facts := map[string]*string{"@version": &version, "@generated": &generated, "created": &created}
	sites := false
	err := w.j.Object(func(name string) error {
		if to := facts[name]; to != nil {
			return w.Lose(w.text(to))
		}
		if name != "site" {
			return w.pass()
		}
		sites = true
		w.about(version, generated, created)
		if err := w.Run(w.run); err != nil {
			return err
		}
		return w.list(w.site)
	})
	if err != nil {
		return err
	}
	if !sites {
		return exposure.Errorf(exposure.Invalid, "not a ZAP report: it has no member \"site\"")
	}
	if w.about(version, generated, created) {
		if err := w.Run(w.run); err != nil {
			return err
		}
	}
	return w.j.End()
}

// list calls f with each element of an array, or with the one value that some
// converters leave of it.
func (w *jsonWalk) list(f func() error) error {
	if w.j.Kind() == '[' {
		return w.j.Array(f)
	}
	return f()
}

// text reads a text, or what is written like one: a number, a boolean, null.
// The error for anything else is an *[exposure.RecordError].
func (w *jsonWalk) text(to *string) error {
	switch w.j.Kind() {
	case '"':
		return w.j.Value(to)
	case '{', '[':
		at := w.j.Offset()
		if err := w.j.Skip(); err != nil {
			return err
		}
		return &exposure.RecordError{Record: max(w.record, 1), Offset: at, Err: errors.New("a list or an object where a text is expected")}
	}
	raw, err := w.j.Raw()
	if err != nil {
		return err
	}
	if s := string(raw); s != "null" {
		*to = s
	}
	return nil
}

// pass goes over a value that may be long.
func (w *jsonWalk) pass() error {
	alive := func() error {
		if err := w.Alive(w.j.Offset()); err != nil {
			return err
		}
		return w.j.Skip()
	}
	switch w.j.Kind() {
	case '{':
		return w.j.Object(func(string) error { return alive() })
	case '[':
		return w.j.Array(alive)
	}
	return w.j.Skip()
}

// site reads one site. Its own members come before its alerts.
func (w *jsonWalk) site() error {
	var s site
	facts := map[string]*string{"@name": &s.name, "@host": &s.host, "@port": &s.port, "@ssl": &s.ssl}
	begun := false
	err := w.j.Object(func(name string) error {
		if to := facts[name]; to != nil {
			return w.Lose(w.text(to))
		}
		if name != "alerts" {
			return w.pass()
		}
		w.begin(s)
		begun = true
		return w.list(w.alert)
	})
	if err != nil {
		return err
	}
	if !begun {
		w.begin(s)
	}
	return w.end()
}

func (w *jsonWalk) alert() error {
	w.record++
	at := w.j.Offset()
	var a alert
	var bad error // the first fault costs this alert
	err := w.j.Object(func(name string) error {
		if name == "instances" {
			return w.list(func() error { return w.instance(&a, &bad) })
		}
		if to := a.field(name); to != nil {
			return keep(w.text(to), &bad)
		}
		return w.pass()
	})
	if err != nil {
		return err
	}
	if bad != nil {
		return w.Lose(bad)
	}
	return w.state(&a, w.record, at)
}

func (w *jsonWalk) instance(a *alert, bad *error) error {
	if err := w.Alive(w.j.Offset()); err != nil {
		return err
	}
	if a.full() {
		a.found++
		return w.j.Skip()
	}
	var i instance
	err := w.j.Object(func(name string) error {
		if to := i.field(name); to != nil {
			return keep(w.text(to), bad)
		}
		return w.pass()
	})
	a.add(i)
	return err
}

// keep sets an *[exposure.RecordError] aside, so that the walk goes on to the
// end of the record. It returns any other error.
func keep(err error, bad *error) error {
	var rec *exposure.RecordError
	if errors.As(err, &rec) {
		if *bad == nil {
			*bad = rec
		}
		return nil
	}
	return err
}
