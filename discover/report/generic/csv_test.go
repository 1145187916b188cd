package generic_test

import (
	"fmt"
	"io"
	"runtime"
	"strings"
	"testing"
	"testing/iotest"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/leeward-ctem/leeward/exposure"
)

// must returns what a report states that has no fault.
func must(t *testing.T, report string) []exposure.Observation {
	t.Helper()
	found, lost, end := read(t, strings.NewReader(report))
	if len(found) == 0 || lost != nil || end != nil {
		t.Fatalf("%d findings, lost %q, ends %v:\n%s", len(found), lost, end, report)
	}
	return found
}

// TestRows writes one table in many ways.
func TestRows(t *testing.T) {
	t.Parallel()
	plain := "title,severity,description\nOne,low,first\nTwo,high,second\n"
	replace := strings.NewReplacer
	for name, in := range map[string]string{
		"plain":             plain,
		"CRLF":              strings.ReplaceAll(plain, "\n", "\r\n"),
		"CR":                strings.ReplaceAll(plain, "\n", "\r"),
		"BOM":               "\ufeff" + plain,
		"no end":            strings.TrimSuffix(plain, "\n"),
		"semicolons":        strings.ReplaceAll(plain, ",", ";"),
		"tabs":              strings.ReplaceAll(plain, ",", "\t"),
		"bars":              strings.ReplaceAll(plain, ",", "|"),
		"spaces":            strings.ReplaceAll(plain, ",", "  , "),
		"quoted":            `"` + strings.TrimSuffix(replace(",", `","`, "\n", "\"\n\"").Replace(plain), `"`),
		"quoted and spaces": `"` + strings.TrimSuffix(replace(",", `" , "`, "\n", "\"\n\"").Replace(plain), `"`),
		"declared":          "sep=;\r\n" + strings.ReplaceAll(plain, ",", ";"),
		"blank lines":       "\n\r\n" + strings.ReplaceAll(plain, "\n", "\n\n  \n"),
		"trailing cells":    strings.ReplaceAll(plain, "\n", ",,\n"),
		"other columns":     replace("title,", "Owner,Title,", "One,", "x,One,", "Two,", "y,Two,").Replace(plain),
	} {
		var got []string
		for _, o := range must(t, in) {
			got = append(got, fmt.Sprint(o.Title, " ", o.Severity, " ", o.Description))
		}
		if diff := cmp.Diff([]string{"One low first", "Two high second"}, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

// TestBrokenRows: a broken row costs itself, and is named by its line.
func TestBrokenRows(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		rows string // below the header in line 1
		want string // titles
		lost string // start of the error, a line each
	}{
		"too many cells":        {"A,1,x,y\nB,1,x\n", "B", "record 1 (byte 14): line 2: the row has more cells"},
		"too few":               {"A,1\nB,1,x\n", "A B", ""},
		"a single one":          {"A\nB,1,x\n", "B", "record 1 (byte 14): line 2: the row has a single cell"},
		"text behind a mark":    {"\"A\"x,1,x\nB,1,x\n", "B", "record 1 (byte 14): line 2: text follows"},
		"mark in a text":        {"A\"x\",1,5\"\nB,1,x\n", `A"x" B`, ""},
		"never closed":          {"A,1,x\nB,1,\"x\nC,1,x\nD,1,x\n", "A C D", "record 2 (byte 20): line 3: a quotation mark is never closed"},
		"closed much later":     {"A,1,\"x\nB,1,x\nC,1,\"x\ny\"\n", "B C", "record 1 (byte 14): line 2: text follows"},
		"in a text of lines":    {"A,1,\"x\ny \"z\" and\nso on\"\nB,1,x\n", "B", "record 1 (byte 14): line 2: text follows"},
		"escaped by a slash":    {"A,1,\"x \\\" y\"\nB,1,x\n", "B", "record 1 (byte 14): line 2: text follows"},
		"one after the other":   {"\"A\"x,1,x\n\"B\"x,1,x\nC,1,x\n", "C", "record 1 (byte 14): line 2: text follows"},
		"at the end":            {"A,1,x\n\"B\"x,1,x\n", "A", "record 2 (byte 20): line 3: text follows"},
		"cut off":               {"A,1,x\nB,1", "A", "record 2 (byte 20): line 3: the report is cut off"},
		"cut off in a text":     {"A,1,x\nB,1,\"x\ny", "A", "record 2 (byte 20): line 3: a quotation mark is never closed"},
		"nothing to know it by": {"A,1,x\n,1,x\nB,1,x\n", "A B", "record 2 (byte 20): line 3: it has neither"},
		"lines in texts count":  {"A,1,\"x\r\ny\r\n\"\r\n,1,x\r\nB,1,x\r\n", "A B", "record 2 (byte 28): line 5: it has neither"},
	} {
		found, lost, end := read(t, strings.NewReader("title,class,x\n"+tt.rows))
		var got []string
		for _, o := range found {
			got = append(got, o.Title)
		}
		if strings.Join(got, " ") != tt.want || end != nil || !strings.HasPrefix(strings.Join(lost, "\n"), tt.lost) || (tt.lost == "") != (lost == nil) || len(lost) > 1 {
			t.Errorf("%s: found %q, lost %q, ends %v", name, got, lost, end)
		}
	}
}

// TestHostileCells: what a cell holds never changes what the others say, and
// does no harm.
func TestHostileCells(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("a", 3<<20)
	for name, cell := range map[string]string{
		"formula":         `=cmd|' /C calc'!A0`,
		"script":          `<script>alert(1)</script>`,
		"template":        `{{.}} ${jndi:ldap://x}`,
		"control":         "a\x00\x01\x1b[31mb",
		"direction":       "a\u202eb\u2066",
		"not UTF-8":       "caf\xe9 \xff\xfe",
		"a cut character": "caf\xc3",
		"long":            long,
		"separators":      "a,b;c\td|e",
		"lines":           "a\nb\r\nc\rd",
		"a number":        "12345678901234567890123456789",
		"JSON":            `{"title": "x"}`,
	} {
		for _, column := range []string{"title", "severity", "cve", "cwe", "cvss", "component", "purl", "file", "line", "url", "host", "ip", "port", "references", "rule", "unique_id", "status", "first_seen", "tool", "class", "active", "asset", "image", "parameter", "tags", "evidence"} {
			in := "name,host," + column + ",x\n" + "Before,a.example,,\n" + `It,b.example,"` + strings.ReplaceAll(cell, `"`, `""`) + `",` + "\nAfter,c.example,,\n"
			found, lost, end := read(t, strings.NewReader(in))
			if end != nil || len(lost) > 0 {
				t.Fatalf("%s in %s: lost %.200q, ends %v", name, column, lost, end)
			}
			if len(found) < 3 || found[0].Title != "Before" || found[len(found)-1].Title != "After" {
				t.Errorf("%s in %s: found %.300v", name, column, found)
			}
			for _, o := range found {
				if s := fmt.Sprintf("%+v", o); !utf8.ValidString(s) || strings.Contains(s, "\x00") {
					t.Errorf("%s in %s: a text that no database takes: %.200q", name, column, s)
				}
				if n := len(o.Rule) + len(o.Location.File) + len(o.Location.Path) + len(o.Location.Parameter) + len(o.Tool); n > 10_000 {
					t.Errorf("%s in %s: an identity of %d bytes", name, column, n)
				}
			}
		}
	}
}

// TestCodePage: Excel writes tables in the code page of its machine.
func TestCodePage(t *testing.T) {
	t.Parallel()
	if o := one(t, "title,severity\nL\xfccke f\xfcr \x80,low\n"); o.Title != "Lücke für €" {
		t.Errorf("title %q", o.Title)
	}
}

// TestLongTitles: what is too long to be kept stays different.
func TestLongTitles(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", 5000)
	found := must(t, "title,severity\n"+long+"1,low\n"+long+"2,low\n")
	if a, b := found[0].Rule, found[1].Rule; a == b || len(a) > 400 {
		t.Errorf("rules %q and %q", a, b)
	}
}

// endless gives part n times, and then tail.
func endless(head, part string, n int, tail string) io.Reader {
	chunk := strings.Repeat(part, max(1, (64<<10)/len(part)))
	n = n * len(part) / len(chunk)
	parts := []io.Reader{strings.NewReader(head)}
	for range n {
		parts = append(parts, strings.NewReader(chunk))
	}
	return io.MultiReader(append(parts, strings.NewReader(tail))...)
}

// TestBounds reads tables that are made to be slow or large to read. What is
// after the trouble is still found.
func TestBounds(t *testing.T) {
	const size = 17 << 20 // more than a row may have
	for name, in := range map[string]io.Reader{
		"a cell without end":  endless("title,x\nA,\"", "a", size, "\nLast,x\n"),
		"a line without end":  endless("title,x\nA,", "a", size, "\nLast,x\n"),
		"a row of commas":     endless("title,x\nA", ",", size, "\nLast,x\n"),
		"doubled marks":       endless("title,x\nA,\"", `""`, size/2, "\nLast,x\n"),
		"lines of marks":      endless("title,x\n", "\"\n", size/2, "\nLast,x\n"),
		"rows without a name": endless("title,x\n", ",x\n", 1<<17, "\nLast,x\n"),
		"blank lines":         endless("title,x\n", "\n", size, "\nLast,x\n"),
	} {
		t.Run(name, func(t *testing.T) {
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			var last exposure.Observation
			var end error
			found, lost, end := read(t, in)
			runtime.ReadMemStats(&after)
			if len(found) > 0 {
				last = found[len(found)-1]
			}
			if end != nil || last.Title != "Last" {
				t.Errorf("%d found, %d lost, the last is %.100q, ends %v", len(found), len(lost), last.Title, end)
			}
			if n := int64(after.HeapSys) - int64(before.HeapSys); n > 600<<20 {
				t.Errorf("it took %d MiB", n>>20)
			}
		})
	}
}

// TestRescans reads a table in which every line seems to open a text that goes
// on to the end. Each could be read to the end in vain; a few are.
func TestRescans(t *testing.T) {
	t.Parallel()
	found, lost, end := read(t, endless("title,x\nFirst,x\n", "a\",\"\"\",\n", 3<<20, ""))
	if len(found) != 1 || len(lost) == 0 || end != nil {
		t.Errorf("%d found, %d lost, ends %v", len(found), len(lost), end)
	}
}

// TestReadErrors: the error of the disk is not taken for the end of a table.
func TestReadErrors(t *testing.T) {
	t.Parallel()
	for _, in := range []string{"", "title,sev", "title,severity\n", "title,severity\nA,low\n", "title,severity\nA,\"lo", "title,severity\n\"A\"x,low\n"} {
		found, _, end := read(t, io.MultiReader(strings.NewReader(in), iotest.ErrReader(io.ErrClosedPipe)))
		if end == nil {
			t.Errorf("%q: found %d, and no error", in, len(found))
		}
	}
}
