package generic

import (
	"bytes"
	"errors"
	"unicode/utf8"

	"github.com/leeward-ctem/leeward/discover/decode"
)

// Sniff implements discover.Reader. Columns and members that could be anyone's
// do not make a report ours: it takes a title, something that says how bad it
// is or what it is known by, and more documented names than others.
func (Reader) Sniff(h *decode.Head) bool {
	head := h.Bytes()
	names := newDictionary()
	switch start(head) {
	case '{', '[':
		return sniffJSON(head, names)
	case '<', 0:
		return false
	}
	return sniffCSV(bytes.TrimPrefix(head, bom), names)
}

// shape counts what the names in a report are.
type shape struct {
	names       dictionary
	title, word bool
	ours, other int
}

func (s *shape) see(name string) {
	m, ok := s.names.lookup(name)
	if !ok || !m.documented {
		s.other++
		return
	}
	s.ours++
	switch m.field {
	case fieldTitle:
		s.title = true
	case fieldSeverity, fieldCVE, fieldAdvisories, fieldCWE, fieldCVSS:
		s.word = true
	}
}

func (s *shape) generic() bool { return s.title && s.word && s.ours > s.other }

func sniffCSV(head []byte, names dictionary) bool {
	newline, delimiter := separators(head, names)
	if _, ok := declared(head); ok {
		head = head[bytes.IndexByte(head, newline)+1:]
	}
	line := head
	if i := bytes.IndexByte(line, newline); i >= 0 {
		line = line[:i]
	}
	if bytes.IndexByte(line, delimiter) < 0 || line[0] == '#' || !utf8.Valid(line) {
		return false
	}
	s := shape{names: names}
	for _, name := range headerCells(head, newline, delimiter) {
		s.see(name)
	}
	return s.generic()
}

// errSeen ends the walk of Sniff.
var errSeen = errors.New("seen")

// sniffJSON looks at the first finding: the first element of an array, or of
// the member findings, else the first object, as in JSON Lines.
func sniffJSON(head []byte, names dictionary) bool {
	j := decode.NewJSON(bytes.NewReader(head))
	first := shape{names: names}
	finding := func() error {
		_ = j.Object(func(name string) error {
			first.see(name)
			return j.Skip()
		})
		return errSeen // the head may end anywhere
	}
	if j.Kind() == '[' {
		_ = j.Array(finding)
		return first.generic()
	}
	empty, strange := false, false
	outer := shape{names: names}
	_ = j.Object(func(name string) error {
		if name == "findings" && (j.Kind() == '[' || j.Kind() == 'n') {
			empty = true
			return j.Array(func() error {
				empty = false
				return finding()
			})
		}
		outer.see(name)
		strange = strange || !about(name)
		return j.Skip()
	})
	switch {
	case first.ours+first.other > 0:
		return first.generic()
	case empty:
		return !strange // it is a list, and nothing in it says whose
	}
	return outer.generic()
}

// about reports whether a member speaks of a report as a whole.
func about(name string) bool {
	switch name {
	case "name", "type", "version", "description", "title", "tool", "date", "coverage", "dynamic_tool", "static_tool", "soc":
		return true
	}
	return false
}
