package record

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/leeward-ctem/leeward/discover/decode"
	"github.com/leeward-ctem/leeward/exposure"
)

// maxPreamble is how many rows may stand above the header of a table: some
// exports list all hosts there.
const maxPreamble = 20_000

// maxSame is how many rows may be one record.
const maxSame = 10_000

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
	wanted := r.spec.headers()
	rows.Separate(separators(head, wanted))
	var header []string
	for range maxPreamble {
		err := rows.Next()
		if decode.Lost(err) {
			err = rows.SkipLine()
		} else if err == nil {
			if names := cells(rows); hasOne(names, wanted) {
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
		return exposure.Errorf(exposure.Invalid, "not a table of %s: it has no row with the columns %s", r.spec.Tool, strings.Join(wanted[0], ", "))
	}
	if len(header) > decode.MaxColumns {
		return exposure.Errorf(exposure.Invalid, "the table has more than %d columns", decode.MaxColumns)
	}
	r.met = true
	r.fault.columns = &columns{header, map[string]int{}}
	err := r.rows(rows, header, handle)
	if same := r.same(handle); same != nil {
		return same
	}
	r.closed = err == nil
	return err
}

// rows reads the rows below the header.
func (r *Report) rows(rows *decode.Rows, header []string, handle Handler) error {
	for {
		err := rows.Next()
		switch {
		case err == io.EOF:
			return nil
		case decode.Lost(err):
			if errors.Is(err, decode.ErrOpen) {
				r.alike = held{} // of which the row may be a part
			} else if err := r.same(handle); err != nil {
				return err
			}
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
		if fault == errShort {
			r.alike = held{} // of which the row that is cut off may be a part
		} else if err := r.same(handle); err != nil {
			return err
		}
		r.number++
		return r.Lose(&exposure.RecordError{Record: r.number, Offset: rows.Offset(), Err: fmt.Errorf("line %d: %w", rows.Line(), fault)})
	}
	v := Value{kind: '{', names: header, kids: make([]Value, len(header)), fault: &r.fault}
	says := false
	for i := range header {
		v.kids[i].fault = &r.fault
		if i < n && !rows.Empty(i) {
			v.kids[i].kind, v.kids[i].text = '"', rows.Text(i, "")
			says = says || !rows.Blank(i)
		}
	}
	if !says {
		return nil // spreadsheets leave rows of separators alone behind
	}
	if r.spec.Vary == nil {
		return r.take(held{handle: handle, value: v, offset: rows.Offset()})
	}
	if n := len(r.alike.value.kids); n > 0 && n < maxSame && r.agrees(v) {
		r.alike.value.kids = append(r.alike.value.kids, v)
		return nil
	}
	if err := r.same(handle); err != nil {
		return err
	}
	r.alike = held{value: Value{kind: '[', kids: []Value{v}, fault: &r.fault}, offset: rows.Offset()}
	return nil
}

// agrees reports whether a row belongs to those that came before it.
func (r *Report) agrees(v Value) bool {
	first := &r.alike.value.kids[0]
	for i, name := range v.names {
		if v.kids[i].text != first.kids[i].text && !slices.ContainsFunc(r.spec.Vary, func(s string) bool { return strings.EqualFold(s, name) }) {
			return false
		}
	}
	return true
}

// same takes the rows that are one record.
func (r *Report) same(handle Handler) error {
	h := r.alike
	if r.alike = (held{}); len(h.value.kids) == 0 {
		return nil
	}
	h.handle = handle
	return r.take(h)
}

// headers are the columns by which a table is known.
func (s *Spec) headers() (all [][]string) {
	if s.Header != nil {
		all = append(all, s.Header)
	}
	return append(all, s.Headers...)
}

func hasOne(names []string, wanted [][]string) bool {
	for _, w := range wanted {
		if hasAll(names, w) {
			return true
		}
	}
	return false
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
func separators(head []byte, wanted [][]string) (delimiter, newline byte) {
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
			} else if err == nil && hasOne(cells(rows), wanted) {
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
