package record

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/leeward-ctem/leeward/discover/decode"
	"github.com/leeward-ctem/leeward/exposure"
)

// maxPreamble is how many rows may stand above the header of a table.
const maxPreamble = 50

// readTable reads a table: one record a row.
func (r *Report) readTable(in io.Reader) error {
	handle := r.spec.Records["row"]
	if handle == nil {
		return exposure.Errorf(exposure.Invalid, "not a report of %s: it is a table", r.spec.Tool)
	}
	rows := decode.NewRows(in)
	whole := rows.Head(32 << 10)
	head := bytes.TrimPrefix(whole, []byte("\xef\xbb\xbf"))
	rows.Discard(len(whole) - len(head))
	rows.Separate(separators(head, r.spec.Header))
	var header []string
	for range maxPreamble {
		err := rows.Next()
		if decode.Lost(err) {
			err = rows.SkipLine()
		} else if err == nil {
			if names := cells(rows); hasAll(names, r.spec.Header) {
				header = names
				break
			}
		}
		if err != nil && err != io.EOF {
			return broken(err)
		}
		if err == io.EOF {
			break
		}
	}
	if header == nil {
		return exposure.Errorf(exposure.Invalid, "not a table of %s: it has no row with the columns %s", r.spec.Tool, strings.Join(r.spec.Header, ", "))
	}
	if len(header) > decode.MaxColumns {
		return exposure.Errorf(exposure.Invalid, "the table has more than %d columns", decode.MaxColumns)
	}
	r.met = true
	for {
		err := rows.Next()
		switch {
		case err == io.EOF:
			return nil
		case decode.Lost(err):
			r.number++
			lost := &exposure.RecordError{Record: r.number, Offset: rows.Offset(), Err: fmt.Errorf("line %d: %w", rows.Line(), err)}
			if err := rows.SkipLine(); err != nil {
				return broken(err)
			}
			if err := r.Lose(lost); err != nil {
				return err
			}
			continue
		case err != nil:
			return broken(err)
		}
		if err := r.Alive(rows.Offset()); err != nil {
			return err
		}
		if err := r.row(rows, header, handle); err != nil {
			return err
		}
	}
}

var (
	errWide  = errors.New("the row has more cells than the header has columns")
	errShort = errors.New("the report is cut off in this row: export it again")
)

func (r *Report) row(rows *decode.Rows, header []string, handle Handler) error {
	n := rows.Cells()
	var fault error
	for i := len(header); i < n; i++ {
		if !rows.Blank(i) {
			fault = errWide
		}
	}
	if n < len(header) && !rows.Ended() {
		fault = errShort
	}
	if fault != nil {
		r.number++
		return r.Lose(&exposure.RecordError{Record: r.number, Offset: rows.Offset(), Err: fmt.Errorf("line %d: %w", rows.Line(), fault)})
	}
	v := Value{kind: '{', names: header, kids: make([]Value, len(header)), fault: &r.fault}
	for i := range header {
		v.kids[i].fault = &r.fault
		if i < n && !rows.Empty(i) {
			v.kids[i].kind, v.kids[i].text = '"', rows.Text(i, "")
		}
	}
	return r.take(held{handle: handle, value: v, offset: rows.Offset()})
}

func cells(rows *decode.Rows) []string {
	names := make([]string, min(rows.Cells(), decode.MaxColumns+1))
	for i := range names {
		names[i] = strings.Join(strings.Fields(rows.Text(i, "")), " ")
	}
	return names
}

func hasAll(names, want []string) bool {
	for _, w := range want {
		found := false
		for _, n := range names {
			found = found || strings.EqualFold(n, w)
		}
		if !found {
			return false
		}
	}
	return true
}

// separators tells what parts the cells of a table: what makes the header's
// columns known.
func separators(head []byte, want []string) (delimiter, newline byte) {
	newline = '\n'
	if bytes.IndexByte(head, '\n') < 0 && bytes.IndexByte(head, '\r') >= 0 {
		newline = '\r'
	}
	for _, d := range []byte(",;\t|") {
		rows := decode.NewRows(bytes.NewReader(head))
		rows.Separate(d, newline)
		for range maxPreamble {
			err := rows.Next()
			if decode.Lost(err) {
				err = rows.SkipLine()
			} else if err == nil && hasAll(cells(rows), want) {
				return d, newline
			}
			if err != nil {
				break
			}
		}
	}
	return ',', newline
}

func broken(err error) error {
	if err == io.EOF || err == io.ErrUnexpectedEOF {
		return exposure.Errorf(exposure.Invalid, "the report is cut off: export it again")
	}
	return err
}
