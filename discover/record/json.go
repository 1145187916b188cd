package record

import (
	"bytes"
	"errors"
	"fmt"
	"io"

	"github.com/go-json-experiment/json/jsontext"

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
	r.fault.json = true
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
	documents, kind := 0, w.j.Kind()
	for w.j.Kind() != 0 {
		if documents++; documents > 1 && tree.handle == nil && tree.each == nil {
			break // a second document is not of this report
		}
		if documents > 1 { // nor does it say anything of the records of the first
			if err := w.flush(); err != nil {
				return err
			}
			r.closed = false
		}
		at := tree
		if documents > 1 && kind != '{' && w.j.Kind() == '{' && tree.each != nil && tree.each.handle != nil {
			at = tree.each // the first was broken, and the rest are records
		}
		if err := w.value(at, nil, "", ""); err != nil {
			return err
		}
		r.closed = true
	}
	return w.j.End()
}

// lines reports whether each line is a document of its own. The first may be
// broken, or no object, if all that are seen behind it look like objects.
func lines(head []byte) bool {
	head = bytes.TrimLeft(bytes.TrimPrefix(head, []byte("\xef\xbb\xbf")), " \t\r\n")
	first, rest, more := bytes.Cut(head, []byte("\n"))
	if len(first) > 0 && first[0] == '{' && (!more || document(first)) {
		return true
	}
	objects := 0
	for line := range bytes.Lines(rest) {
		if line = bytes.TrimSpace(line); len(line) == 0 {
			continue
		}
		if line[0] != '{' {
			return false
		}
		if document(line) {
			objects++
		}
	}
	return objects > 0
}

// document reports whether a line is a JSON value, whatever its numbers are.
func document(line []byte) bool {
	return jsontext.Value(line).IsValid(jsontext.AllowInvalidUTF8(true), jsontext.AllowDuplicateNames(true))
}

// readLines reads one document a line.
func (r *Report) readLines(in io.Reader, tree *place) error {
	return decode.Lines(in, maxLine, func(line []byte, number int, offset int64, err error) error {
		if err := r.Alive(offset); err != nil {
			return err
		}
		if err == nil && tree.handle == nil {
			w := &walk{Report: r, j: decode.NewJSON(bytes.NewReader(line)), base: offset}
			if err = w.value(tree, nil, "", ""); err == nil {
				err = w.j.End()
			}
			var known *exposure.Error
			if err == nil || !errors.As(err, &known) {
				return err
			}
			err = errors.New("not valid JSON")
		} else if err == nil {
			if document(line) {
				r.met = true
				return r.take(held{handle: tree.handle, first: tree.first, raw: line, offset: offset})
			}
			err = errors.New("not valid JSON")
		}
		r.number++
		return r.Lose(&exposure.RecordError{Record: r.number, Offset: offset, Err: err})
	})
}

// value reads the next value, which is at a place. key is the name it has in an
// object of records; in is the object that keeps, as its member name, what the
// value holds beside records, or nil.
func (w *walk) value(at *place, in *Value, name, key string) error {
	kind := w.j.Kind()
	switch {
	case kind == '[' && at.each != nil:
		w.met = true
		return w.j.Array(func() error {
			if err := w.Alive(w.base + w.j.Offset()); err != nil {
				return err
			}
			if err := w.value(at.each, nil, "", ""); err != nil || !w.spec.Apart || len(w.up) > 1 || at.each.handle != nil {
				return err
			}
			return w.flush() // what follows is of others
		})
	case at.handle != nil:
		w.met = true
		return w.record(at, key)
	case kind == '{' && at.each != nil && at.names == nil && at.member == nil:
		return w.value(at.each, in, name, key) // one object stands for an array of one
	case kind != '{':
		return w.nothing("it", "object")
	}
	holder := &Value{Key: key, kind: '{', fault: &w.fault}
	if len(w.up) == 0 && !w.topped {
		*w.top, w.topped = *holder, true // what follows the first document says nothing of it
		holder = w.top
	}
	w.up = append(w.up, holder)
	defer func() {
		w.up = w.up[:len(w.up)-1]
		if in != nil && len(in.kids) <= maxMembers {
			in.add(name, *holder, false)
		}
	}()
	return w.j.Object(func(name string) error {
		next, key := at.names[name], ""
		if next == nil {
			next, key = at.member, name
		}
		if next == nil {
			return w.member(holder, name)
		}
		switch k := w.j.Kind(); {
		case key != "" && k == '[' && next.handle == nil && next.each == nil:
			// beside what leads to records
		case k == '{' || k == '[':
			w.met = true // even when nothing is in it
			if key != "" {
				return w.value(next, nil, "", key)
			}
			return w.value(next, holder, name, "")
		case next.handle != nil && key != "":
			return w.record(next, key) // which says what is wrong with it
		case k == 'n':
			w.met = true // nothing was found
			return w.j.Skip()
		case key == "" && next.each != nil:
			w.met = true
			return w.nothing(name, "list")
		case key == "":
			return w.nothing(name, "object")
		}
		return w.member(holder, name)
	})
}

// nothing passes over a value that stands where records, or what leads to them,
// should. A blank one says that there are none.
func (w *walk) nothing(name, wanted string) error {
	offset := w.base + w.j.Offset()
	raw, err := w.j.Raw()
	if err != nil {
		return err
	}
	if v, err := w.parse(raw); err == nil && v.blank() {
		return nil
	}
	w.number++
	return w.Lose(&exposure.RecordError{Record: w.number, Offset: offset, Err: fmt.Errorf("%s is no %s", name, wanted)})
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
	v, err := w.parse(raw)
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
	return w.take(held{handle: at.handle, first: at.first, raw: raw, key: key, offset: offset})
}
