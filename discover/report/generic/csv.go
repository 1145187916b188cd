package generic

import (
	"bytes"
	"errors"
	"fmt"
	"io"

	"github.com/leeward-ctem/leeward/discover/decode"
	"github.com/leeward-ctem/leeward/exposure"
)

var (
	errColumns = errors.New("the row has more cells than the header has columns")
	errOneCell = errors.New("the row has a single cell")
	errCutOff  = errors.New("the report is cut off in this row: export it again")
)

// table is the walk over a report that is a table.
type table struct {
	*document
	rows    *decode.Rows
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
	t := table{document: d, rows: decode.NewRows(r)}
	d.tool = tool
	if err := t.header(); err != nil {
		return err
	}
	for {
		err := t.rows.Next()
		switch {
		case err == io.EOF:
			return nil
		case err == nil:
			t.row++
			err = t.finding()
		case decode.Lost(err):
			t.row++
			err = t.recover(err)
		}
		if err != nil {
			return broken(err)
		}
		if err := t.Alive(t.rows.Offset()); err != nil {
			return err
		}
	}
}

// header finds the delimiter by the first row, and what its columns mean.
func (t *table) header() error {
	s := t.rows
	whole := s.Head(64 << 10)
	head := bytes.TrimPrefix(whole, bom)
	s.Discard(len(whole) - len(head))
	newline, delimiter := separators(head, t.names)
	s.Separate(delimiter, newline)
	if _, ok := declared(head); ok {
		if err := s.SkipLine(); err != nil {
			return broken(err)
		}
	}
	if err := s.Next(); err != nil {
		if decode.Lost(err) || err == io.EOF {
			return exposure.Errorf(exposure.Invalid, "not a table of findings: it has no header row, see docs/formats.md for its columns")
		}
		return err
	}
	if s.Cells() > decode.MaxColumns {
		return exposure.Errorf(exposure.Invalid, "the table has more than %d columns: this is no list of findings", decode.MaxColumns)
	}
	t.columns, t.known, t.last = make([]meaning, s.Cells()), make([]bool, s.Cells()), make([]string, s.Cells())
	named := false
	for i := range s.Cells() {
		t.columns[i], t.known[i] = t.names.lookup(s.Text(i, ""))
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
	s := decode.NewRows(bytes.NewReader(head))
	s.Separate(delimiter, newline)
	if s.Next() != nil {
		return nil
	}
	names := make([]string, s.Cells())
	for i := range names {
		names[i] = s.Text(i, "")
	}
	return names
}

// finding states the row at hand.
func (t *table) finding() error {
	s := t.rows
	n := len(t.columns)
	for i := min(n, s.Cells()); i < s.Cells(); i++ {
		if !s.Blank(i) {
			if s.Breaks() > 1 {
				return t.recover(errColumns) // a quotation mark too many
			}
			return t.lose(errColumns)
		}
	}
	switch {
	case s.Cells() < n && !s.Ended():
		return t.lose(errCutOff)
	case s.Cells() == 1 && n > 2:
		return t.lose(errOneCell) // a remark below the table, or the rest of a text
	}
	r := &t.record
	r.reset(t.columns)
	for i := range min(n, s.Cells()) {
		if !t.known[i] || s.Empty(i) || t.columns[i].field == fieldIgnored {
			continue
		}
		t.last[i] = s.Text(i, t.last[i])
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
func (t *table) lose(why error) error { return t.loseAt(t.rows.Line(), t.rows.Offset(), why) }

func (t *table) loseAt(line int, offset int64, why error) error {
	return t.Lose(&exposure.RecordError{Record: t.row, Offset: offset, Err: fmt.Errorf("line %d: %w", line, why)})
}

// recover passes over the lines of a row that cannot be read, up to the next
// one that has as many cells as the header: what lies between may be the rest
// of a text.
func (t *table) recover(why error) error {
	s := t.rows
	line, offset := s.Line(), s.Offset()
	for {
		if err := s.SkipLine(); err != nil {
			return err
		}
		if err := t.Alive(s.Offset()); err != nil {
			return err
		}
		err := s.Next()
		whole := err == nil && s.Cells() == len(t.columns)
		if err != nil && err != io.EOF && !decode.Lost(err) {
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

// broken is the error for a report that ends here.
func broken(err error) error {
	if err == io.EOF || err == io.ErrUnexpectedEOF {
		return exposure.Errorf(exposure.Invalid, "the report is cut off: export it again")
	}
	return err
}
