package decode

import (
	"bytes"
	"io"
	"strings"
	"testing"
	"testing/iotest"
)

// FuzzRows: the texts of cells are the same whether they are parts of a text or
// made one by one, and however the report is read.
func FuzzRows(f *testing.F) {
	for _, in := range []string{
		"a,b\nc,d\n", "a, \"b\"\"c\" ,d \r\n\n1,,3", "a\n\xff,b\nc,\xe9t\xe9\n", "x,\x00\ny,z", "\"a\nb\",c\n\"open,d\ne,f", "a,\"b\"c\nd,e\n",
		"é,ü\n" + strings.Repeat("a long row of cells,ö,\n", 700), strings.Repeat("x", maxShared) + ",y\nz\n",
	} {
		f.Add([]byte(in))
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		whole, parts := NewRows(bytes.NewReader(in)), NewRows(iotest.HalfReader(bytes.NewReader(in)))
		for n := 0; ; n++ {
			err, same := whole.Next(), parts.Next()
			if err != same {
				t.Fatalf("row %d: %v, read in parts %v", n, err, same)
			}
			if Lost(err) {
				err, same = whole.SkipLine(), parts.SkipLine()
			} else if err == nil {
				for i := range whole.Cells() {
					c := whole.cells[i]
					b := bytes.TrimRight(whole.buf[c.start:c.end], " \t\r\n")
					want := cell(b, c.doubled, whole.lines > 1)
					if got := whole.Text(i, ""); got != want || parts.Text(i, "") != want {
						t.Errorf("cell %d of row %d is %q, read in parts %q, want %q", i, n, got, parts.Text(i, ""), want)
					}
				}
				if n%3 == 2 { // a row that turns out to be none
					err, same = whole.SkipLine(), parts.SkipLine()
				}
			}
			if err != same {
				t.Fatalf("row %d: %v, read in parts %v", n, err, same)
			}
			if err == io.EOF {
				return
			}
		}
	})
}
