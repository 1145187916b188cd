package generic

import (
	"bytes"
	"errors"
	"fmt"
	"io"

	"github.com/leeward-ctem/leeward/exposure"
)

// table is the walk over a report that is a table.
type table struct {
	*document
	rows    *rows
	columns []meaning
	known   []bool
	last    []string // the last text in each column: many repeat
	row     int      // rows below the header so far
	record  record
}

// delimiters are those that are recognised.
const delimiters = ",;\t|"

// readCSV reads a table: one finding a row.
func (d *document) readCSV(r io.Reader) error {
	t := table{document: d, rows: newRows(r)}
	d.tool = tool
	if err := t.header(); err != nil {
		return err
	}
	for {
		err := t.rows.next()
		switch {
		case err == io.EOF:
			return nil
		case err == nil:
			t.row++
			err = t.finding()
		case lost(err):
			t.row++
			err = t.recover(err)
		}
		if err != nil {
			return broken(err)
		}
		if err := t.Alive(t.rows.offset); err != nil {
			return err
		}
	}
}

// lost reports whether err concerns a row rather than the report.
func lost(err error) bool {
	return errors.Is(err, errQuote) || errors.Is(err, errOpen) || errors.Is(err, errLong)
}

// header finds the delimiter by the first row, and what its columns mean.
func (t *table) header() error {
	s := t.rows
	head := bytes.TrimPrefix(s.head(64<<10), bom)
	skipped := s.end - s.start - len(head)
	s.start, s.offset = s.start+skipped, s.offset+int64(skipped)
	s.newline, s.delimiter = separators(head, t.names)
	if _, ok := declared(head); ok {
		if err := s.skipLine(); err != nil {
			return broken(err)
		}
	}
	if err := s.next(); err != nil {
		if lost(err) || err == io.EOF {
			return exposure.Errorf(exposure.Invalid, "not a table of findings: it has no header row, see docs/formats.md for its columns")
		}
		return err
	}
	if len(s.cells) > maxColumns {
		return exposure.Errorf(exposure.Invalid, "the table has more than %d columns: this is no list of findings", maxColumns)
	}
	t.columns, t.known, t.last = make([]meaning, len(s.cells)), make([]bool, len(s.cells)), make([]string, len(s.cells))
	named := false
	for i, c := range s.cells {
		t.columns[i], t.known[i] = t.names.lookup(s.text(c, ""))
		switch t.columns[i].field {
		case fieldTitle, fieldCVE, fieldAdvisories, fieldRule:
			named = named || t.known[i]
		}
	}
	if !named {
		return exposure.Errorf(exposure.Invalid, "not a table of findings: no column is named title, cve or rule, see docs/formats.md for the columns")
	}
	t.found = true
	return nil
}

var bom = []byte("\xef\xbb\xbf")

// declared returns the delimiter that the first line states for Excel.
func declared(head []byte) (delimiter byte, ok bool) {
	if len(head) > 5 && bytes.EqualFold(head[:4], []byte("sep=")) && (head[5] == '\r' || head[5] == '\n') && bytes.IndexByte([]byte(delimiters), head[4]) >= 0 {
		return head[4], true
	}
	return 0, false
}

// separators returns what ends the lines of a table and parts its cells: the
// delimiter that makes most columns known.
func separators(head []byte, names dictionary) (newline, delimiter byte) {
	newline = '\n'
	if bytes.IndexByte(head, '\n') < 0 && bytes.IndexByte(head, '\r') >= 0 {
		newline = '\r'
	}
	if d, ok := declared(head); ok {
		return newline, d
	}
	best := -1
	for i := range len(delimiters) {
		cells := headerCells(head, newline, delimiters[i])
		n := 0
		for _, c := range cells {
			if _, ok := names.lookup(c); ok {
				n++
			}
		}
		if n > best {
			best, delimiter = n, delimiters[i]
		}
	}
	return newline, delimiter
}

// headerCells returns the first row of a table that may end anywhere.
func headerCells(head []byte, newline, delimiter byte) []string {
	s := rows{buf: head, end: len(head), readErr: io.EOF, newline: newline, delimiter: delimiter, line: 1}
	if s.next() != nil {
		return nil
	}
	names := make([]string, len(s.cells))
	for i, c := range s.cells {
		names[i] = s.text(c, "")
	}
	return names
}

// finding states the row at hand.
func (t *table) finding() error {
	s := t.rows
	n := len(t.columns)
	for _, c := range s.cells[min(n, len(s.cells)):] {
		if !blank(s.buf[c.start:c.end]) {
			if s.lines > 1 {
				return t.recover(errColumns) // a quotation mark too many
			}
			return t.lose(errColumns)
		}
	}
	switch {
	case len(s.cells) < n && !s.ended:
		return t.lose(errCutOff)
	case len(s.cells) == 1 && n > 2:
		return t.lose(errOneCell) // a remark below the table, or the rest of a text
	}
	r := &t.record
	*r = record{endpoints: r.endpoints[:0], days: r.days}
	for i, c := range s.cells[:min(n, len(s.cells))] {
		if !t.known[i] || c.start == c.end || t.columns[i].field == fieldIgnored {
			continue
		}
		t.last[i] = s.text(c, t.last[i])
		r.set(t.columns[i], t.last[i])
	}
	why, err := t.state(r)
	if err != nil {
		return err
	}
	if why != nil {
		return t.lose(why)
	}
	return nil
}

// lose says that the row at hand is lost.
func (t *table) lose(why error) error { return t.loseAt(t.rows.line, t.rows.offset, why) }

func (t *table) loseAt(line int, offset int64, why error) error {
	return t.Lose(&exposure.RecordError{Record: t.row, Offset: offset, Err: fmt.Errorf("line %d: %w", line, why)})
}

// recover passes over the lines of a row that cannot be read, up to the next
// one that has as many cells as the header: what lies between may be the rest
// of a text.
func (t *table) recover(why error) error {
	s := t.rows
	line, offset := s.line, s.offset
	for {
		if err := s.skipLine(); err != nil {
			return err
		}
		if err := t.Alive(s.offset); err != nil {
			return err
		}
		err := s.next()
		whole := err == nil && len(s.cells) == len(t.columns)
		if err != nil && err != io.EOF && !lost(err) {
			return err
		}
		if !whole && err != io.EOF {
			continue
		}
		if err := t.loseAt(line, offset, why); err != nil || !whole {
			return err
		}
		t.row++
		return t.finding()
	}
}
