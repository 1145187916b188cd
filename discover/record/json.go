package record

import (
	"bytes"
	"errors"
	"io"

	"github.com/leeward-ctem/leeward/discover/decode"
	"github.com/leeward-ctem/leeward/exposure"
)

// maxLine bounds a line of JSON, in bytes.
const maxLine = 32 << 20

// walk is the walk over JSON.
type walk struct {
	*Report
	j    *decode.JSON
	base int64 // where j's input begins in the report
}

func (r *Report) readJSON(in io.Reader, head []byte) error {
	tree := r.spec.tree()
	if r.spec.Lines && lines(head) {
		return r.readLines(in, tree)
	}
	w := &walk{Report: r, j: decode.NewJSON(in)}
	if w.j.Kind() == 0 {
		return w.j.End() // empty, or broken
	}
	if w.j.Kind() == 'n' && tree.each != nil && tree.each.handle != nil {
		w.met = true // Go writes a list without elements so
	}
	documents := 0
	for w.j.Kind() != 0 {
		if documents++; documents > 1 && tree.handle == nil && tree.each == nil {
			break // a second document is not of this report
		}
		if err := w.value(tree, nil, ""); err != nil {
			return err
		}
	}
	return w.j.End()
}

// lines reports whether the first line is a document of its own.
func lines(head []byte) bool {
	head = bytes.TrimLeft(bytes.TrimPrefix(head, []byte("\xef\xbb\xbf")), " \t\r\n")
	line, _, more := bytes.Cut(head, []byte("\n"))
	if len(line) == 0 || line[0] != '{' {
		return false
	}
	var any any
	return !more || decode.Unmarshal(line, &any) == nil
}

// readLines reads one document a line.
func (r *Report) readLines(in io.Reader, tree *place) error {
	return decode.Lines(in, maxLine, func(line []byte, number int, offset int64, err error) error {
		if err := r.Alive(offset); err != nil {
			return err
		}
		var doc any
		if err == nil && tree.handle == nil {
			w := &walk{Report: r, j: decode.NewJSON(bytes.NewReader(line)), base: offset}
			if err = w.value(tree, nil, ""); err == nil {
				err = w.j.End()
			}
			var known *exposure.Error
			if err == nil || !errors.As(err, &known) {
				return err
			}
			err = errors.New("not valid JSON")
		} else if err == nil {
			if err = decode.Unmarshal(line, &doc); err == nil {
				r.met = true
				return r.take(held{handle: tree.handle, raw: line, offset: offset})
			}
		}
		r.number++
		return r.Lose(&exposure.RecordError{Record: r.number, Offset: offset, Err: err})
	})
}

// value reads the next value, which is at a place. key is the name it has in an
// object of records.
func (w *walk) value(at *place, up *Value, key string) error {
	kind := w.j.Kind()
	switch {
	case kind == '[' && at.each != nil:
		w.met = w.met || at.each.handle != nil
		return w.j.Array(func() error {
			if err := w.Alive(w.base + w.j.Offset()); err != nil {
				return err
			}
			return w.value(at.each, nil, "")
		})
	case at.handle != nil:
		w.met = true
		return w.record(at, key)
	case kind == '{' && at.each != nil && at.names == nil && at.member == nil:
		w.met = w.met || at.each.handle != nil
		return w.value(at.each, nil, key) // one object stands for an array of one
	case kind != '{':
		return w.j.Skip()
	}
	holder := &Value{Key: key, kind: '{', fault: &w.fault}
	if len(w.up) == 0 {
		w.top = holder // each of several documents has its own
	}
	w.up = append(w.up, holder)
	defer func() { w.up = w.up[:len(w.up)-1] }()
	if at.member != nil {
		w.met = w.met || at.member.handle != nil
	}
	return w.j.Object(func(name string) error {
		next := at.names[name]
		if next == nil {
			next = at.member
		}
		if k := w.j.Kind(); next != nil && (k == '{' || k == '[') {
			return w.value(next, nil, name)
		} else if next != nil && next.handle != nil && next == at.member {
			return w.record(next, name) // which says what is wrong with it
		} else if next != nil && (k == 'n') {
			w.met = true // nothing was found
			return w.j.Skip()
		}
		return w.member(holder, name)
	})
}

// member keeps what leads to records, within a bound.
func (w *walk) member(holder *Value, name string) error {
	if err := w.Alive(w.base + w.j.Offset()); err != nil {
		return err
	}
	raw, err := w.j.Raw()
	if err != nil {
		return err
	}
	if len(raw) > maxMember || len(holder.kids) > maxMembers {
		return nil
	}
	v, err := parse(raw, &w.fault)
	if err != nil {
		return nil // it cannot be: it was read
	}
	holder.add(name, v, false)
	return nil
}

// maxMembers bounds the members of what leads to records.
const maxMembers = 2000

func (w *walk) record(at *place, key string) error {
	offset := w.base + w.j.Offset()
	raw, err := w.j.Raw()
	if err != nil {
		return err
	}
	if err := w.Alive(offset); err != nil {
		return err
	}
	return w.take(held{handle: at.handle, raw: raw, key: key, offset: offset})
}
