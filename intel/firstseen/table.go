package firstseen

import (
	"bytes"
	"context"
	"errors"
	"io"
	"slices"
	"strings"

	"github.com/leeward-ctem/leeward/discover/decode"
	"github.com/leeward-ctem/leeward/exposure"
	"github.com/leeward-ctem/leeward/intel"
)

// Table is a table of RFC 4180 with a row of names above it.
type Table struct {
	title string
	text  *Tail
	rows  *decode.Rows
	names []string
}

// Open reads the names of a table that should be what title says.
func Open(text io.Reader, title string) (*Table, error) {
	t := &Table{title: title, text: &Tail{R: text}}
	t.rows = decode.NewRows(t.text)
	if err := t.rows.Next(); err != nil {
		if decode.Lost(err) || err == io.EOF {
			return nil, intel.Refused("this is not %s: it does not begin as a table", title)
		}
		return nil, t.broken(err)
	}
	for i := range t.rows.Cells() {
		name := strings.TrimPrefix(t.rows.Text(i, ""), "\ufeff")
		t.names = append(t.names, strings.ToLower(strings.TrimSpace(name)))
	}
	return t, nil
}

// Has reports whether the table has all of the columns.
func (t *Table) Has(columns ...string) bool {
	return !slices.ContainsFunc(columns, func(c string) bool { return !slices.Contains(t.names, c) })
}

// Rows calls do with the named cells of each row; ok is false if they cannot be
// read. It returns do's error as it is, and how many rows were skipped. Half a
// table is an error, as far as that can be told, and one of which more than one
// row in a hundred cannot be read.
func (t *Table) Rows(ctx context.Context, columns []string, do func(cells []string) (ok bool, err error)) (skipped int, err error) {
	at := make([]int, len(columns))
	for i, c := range columns {
		if at[i] = slices.Index(t.names, c); at[i] < 0 {
			return 0, intel.Refused("this is not %s: there is no column %q", t.title, c)
		}
	}
	cells := make([]string, len(columns))
	for records := 0; ; records++ {
		if records%1024 == 0 {
			if err := ctx.Err(); err != nil {
				return skipped, err
			}
		}
		err := t.rows.Next()
		switch {
		case err == io.EOF && t.text.Cut():
			return skipped, intel.Refused("the file of %s ends in the middle of a line: fetch it again", t.title)
		case err == io.EOF:
			return skipped, intel.Tolerable(t.title, skipped, records)
		case err != nil && decode.Lost(err):
			skipped++
			if err := t.rows.SkipLine(); err != nil && err != io.EOF && !decode.Lost(err) {
				return skipped, t.broken(err)
			}
			continue
		case err != nil:
			return skipped, t.broken(err)
		case !t.rows.Ended():
			continue // the end of the file comes next, and refuses it
		}
		if t.rows.Cells() <= slices.Max(at) {
			skipped++
			continue
		}
		for i, j := range at {
			cells[i] = t.rows.Text(j, "")
		}
		ok, err := do(cells)
		if err != nil {
			return skipped, err
		}
		if !ok {
			skipped++
		}
	}
}

// broken is the error of a text that cannot be read on.
func (t *Table) broken(err error) error {
	var known *exposure.Error
	if errors.As(err, &known) {
		return known
	}
	return intel.Refused("the file of %s ends early or is damaged: fetch it again", t.title)
}

// Begins is the first byte of a text that is neither space nor a byte order
// mark, 0 if there is none.
func Begins(head []byte) byte {
	head = bytes.TrimSpace(bytes.TrimPrefix(head, []byte("\ufeff")))
	if len(head) == 0 {
		return 0
	}
	return head[0]
}

// Tail reads from R and remembers the last byte: a file of lines that does not
// end with one was cut.
type Tail struct {
	R    io.Reader
	last byte
}

// Read implements io.Reader.
func (t *Tail) Read(p []byte) (int, error) {
	n, err := t.R.Read(p)
	if n > 0 {
		t.last = p[n-1]
	}
	return n, err
}

// Cut reports whether what was read ends in the middle of a line.
func (t *Tail) Cut() bool { return t.last != '\n' }
