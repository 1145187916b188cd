package export_test

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"iter"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/leeward-ctem/leeward/exposure"
	"github.com/leeward-ctem/leeward/mobilize/export"
)

var update = flag.Bool("update", false, "rewrite golden files")

var tool = export.Tool{Name: "Leeward", Version: "1.2.3", URI: "https://leeward.example"}

func epss(p float64) *float64 { return &p }

func sample() []export.Row {
	return []export.Row{
		{
			ID: "F-1", Title: "PAN-OS: command injection in GlobalProtect", Severity: "critical", Risk: 912, Band: "critical", Due: "2026-03-04", KEV: true, EPSS: epss(0.94357),
			CVEs: []string{"CVE-2024-3400"}, Asset: "vpn-1.example", Location: "443/tcp", Status: "open", Tools: []string{"nessus", "nuclei"}, FirstSeen: "2026-02-11",
			Rule: "CVE-2024-3400", Fingerprint: "0123456789abcdef0123456789abcdef",
		},
		{
			ID: "F-2", Title: "SQL injection", Severity: "high", Risk: 604, Band: "high", Asset: "git.example/shop", Location: "src/a b/login.go", Status: "triaged",
			Tools: []string{"semgrep oss"}, FirstSeen: "2026-01-01", Rule: "semgrep:go.sqli", File: "src/a b/login.go", Fingerprint: "1123456789abcdef0123456789abcdef",
		},
		{
			ID: "F-3", Title: "openssl: overflow", Severity: "medium", Risk: 300, Band: "medium", EPSS: epss(0), CVEs: []string{"CVE-2022-3602", "CVE-2022-3786"}, Asset: "registry.example/app:1.0",
			Location: "openssl 3.0.1", Status: "excepted", Tools: []string{"trivy"}, FirstSeen: "2026-01-01", Rule: "CVE-2022-3602", File: "/usr/lib/libssl.so.3",
		},
		{
			ID: "F-4", Title: "Cross-site scripting", Severity: "low", Risk: 120, Band: "low", Asset: "shop.example", Location: "443/tcp /search?q [q]", Status: "fix_claimed",
			Tools: []string{"zap"}, FirstSeen: "2025-12-24", Rule: "zap:40012", URI: "/search?q",
		},
		{ID: "F-5", Title: "Open port", Severity: "info", Band: "none", Asset: "fe80::1%eth0", Location: "22/tcp", Status: "verified", Tools: []string{"nmap"}, FirstSeen: "2025-12-24", Rule: "nmap:open"},
		{ID: "F-6", Title: `=HYPERLINK("https://evil.example","click")`, Severity: "odd", Band: "none", Asset: "-2+3", Location: "a,b\r\n\"c\"; @SUM(1)", Status: "not_affected", FirstSeen: "2025-12-24", CVEs: []string{"CVE-2020-1"}},
	}
}

func all(rows []export.Row) iter.Seq2[export.Row, error] {
	return func(yield func(export.Row, error) bool) {
		for _, r := range rows {
			if !yield(r, nil) {
				return
			}
		}
	}
}

func written(t testing.TB, f export.Format, rows []export.Row) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := export.Write(&b, f, tool, all(rows)); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestGolden(t *testing.T) {
	t.Parallel()
	for _, f := range export.Formats() {
		for name, rows := range map[string][]export.Row{"sample": sample(), "empty": nil} {
			got := written(t, f, rows)
			path := filepath.Join("testdata", name+"."+string(f))
			if *update {
				if err := os.WriteFile(path, got, 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), string(got)); diff != "" {
				t.Errorf("%s differs (-want +got):\n%s", path, diff)
			}
		}
	}
}

func TestFormats(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for _, f := range export.Formats() {
		if c := f.ContentType(); c == "application/octet-stream" || seen[c] {
			t.Errorf("%s has the content type %s", f, c)
		}
		seen[f.ContentType()] = true
	}
	err := export.Write(&bytes.Buffer{}, "xls", tool, all(nil))
	if exposure.KindOf(err) != exposure.Invalid {
		t.Errorf("an unknown format: %v, want an error of kind invalid", err)
	}
	if c := export.Format("xls").ContentType(); c != "application/octet-stream" {
		t.Errorf("an unknown format has the content type %s", c)
	}
}

// complete reports whether a reader would take the file for whole.
func complete(f export.Format, file []byte) bool {
	switch f {
	case export.CSV:
		_, err := csv.NewReader(bytes.NewReader(file)).ReadAll()
		return err == nil
	case export.JSONL:
		for line := range bytes.Lines(file) {
			if !json.Valid(line) {
				return false
			}
		}
		return true
	}
	return json.Valid(file)
}

func TestErrorInTheMiddle(t *testing.T) {
	t.Parallel()
	broken := errors.New("the database is gone")
	for _, f := range export.Formats() {
		if !complete(f, written(t, f, sample())) {
			t.Errorf("%s: a whole file does not look so", f)
		}
		for after := range len(sample()) + 1 {
			var b bytes.Buffer
			asked := 0
			err := export.Write(&b, f, tool, func(yield func(export.Row, error) bool) {
				for _, r := range sample()[:after] {
					asked++
					if !yield(r, nil) {
						t.Errorf("%s: stopped at row %d", f, asked)
						return
					}
				}
				if yield(export.Row{ID: "F-9"}, broken) {
					t.Errorf("%s: goes on after an error", f)
				}
			})
			if !errors.Is(err, broken) {
				t.Errorf("%s after %d rows: %v, want %v", f, after, err, broken)
			}
			if complete(f, b.Bytes()) {
				t.Errorf("%s: after an error at row %d the file looks complete:\n%s", f, after, &b)
			}
			if n := strings.Count(b.String(), "F-"); n < after || strings.Contains(b.String(), "F-9") {
				t.Errorf("%s: the file has %d ids, want the %d rows before the error", f, n, after)
			}
		}
	}
}

// full is a disk that is.
type full struct{ left int }

var errFull = errors.New("no space left")

func (w *full) Write(p []byte) (int, error) {
	if w.left -= len(p); w.left < 0 {
		return 0, errFull
	}
	return len(p), nil
}

func TestWriterFails(t *testing.T) {
	t.Parallel()
	var many []export.Row
	for range 1000 {
		many = append(many, sample()...)
	}
	for _, f := range export.Formats() {
		for _, left := range []int{0, 70_000} {
			if err := export.Write(&full{left}, f, tool, all(many)); !errors.Is(err, errFull) {
				t.Errorf("%s with room for %d bytes: %v, want %v", f, left, err, errFull)
			}
		}
	}
}

func TestJSON(t *testing.T) {
	t.Parallel()
	rows := sample()
	rows[0].EPSS = epss(math.NaN())
	rows[1].EPSS = epss(math.Inf(1))
	var got []map[string]any
	if err := json.Unmarshal(written(t, export.JSON, rows), &got); err != nil {
		t.Fatal(err)
	}
	for i, r := range got {
		// The contract of docs/cli.md.
		for _, name := range []string{"id", "title", "severity", "risk", "band", "due", "kev", "epss", "cves", "asset", "location", "status", "tools", "first_seen"} {
			v, ok := r[name]
			if !ok || v == nil && name != "epss" {
				t.Errorf("row %d: %s is %v", i, name, v)
			}
		}
	}
	if got[0]["epss"] != nil || got[1]["epss"] != nil || got[2]["epss"] != 0.0 {
		t.Errorf("epss of no number: %v, %v; of 0: %v", got[0]["epss"], got[1]["epss"], got[2]["epss"])
	}
}

func TestTable(t *testing.T) {
	t.Parallel()
	file := written(t, export.CSV, sample())
	if bytes.Count(file, []byte("\r\n")) != len(sample())+1 || bytes.Count(file, []byte("\n")) != len(sample())+1 {
		t.Error("a row is not one line")
	}
	records, err := csv.NewReader(bytes.NewReader(file)).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	at := map[string]int{}
	for i, name := range records[0] {
		at[name] = i
	}
	for i, want := range []map[string]string{
		{"id": "F-1", "risk": "912", "kev": "true", "epss": "0.94357", "cves": "CVE-2024-3400", "tools": "nessus, nuclei"},
		{"epss": "", "due": "", "kev": "false"},
		{"epss": "0", "cves": "CVE-2022-3602, CVE-2022-3786"},
		{}, {},
		{"title": `'=HYPERLINK("https://evil.example","click")`, "asset": "'-2+3", "location": `a,b  "c"; '@SUM(1)`},
	} {
		for name, w := range want {
			if got := records[i+1][at[name]]; got != w {
				t.Errorf("row %d: %s is %q, want %q", i, name, got, w)
			}
		}
	}
}

// Names in JSON and in the first line of CSV are the same.
func TestColumns(t *testing.T) {
	t.Parallel()
	row := export.Row{Rule: "r", File: "f", URI: "u", Fingerprint: "p"}
	d := json.NewDecoder(bytes.NewReader(written(t, export.JSONL, []export.Row{row})))
	var names []string
	for depth, key := 0, true; ; {
		token, err := d.Token()
		if err != nil {
			break
		}
		switch v := token.(type) {
		case json.Delim:
			if v == '[' || v == '{' {
				depth++
			} else {
				depth--
			}
			key = true
		default:
			if depth == 1 && key {
				names = append(names, fmt.Sprint(v))
			}
			key = depth != 1 || !key
		}
	}
	first, _, _ := strings.Cut(string(written(t, export.CSV, nil)), "\r\n")
	if got := strings.Join(names, ","); got != first {
		t.Errorf("JSON has %s\nCSV has  %s", got, first)
	}
}

// A cell is the text it was given, on one line, and never a formula.
func FuzzCell(f *testing.F) {
	for _, s := range []string{"", "plain", "=1+1", "+1", "-1", "@a", "\t=1", "\r=1", " =1", "\u00a0=1", "\ufeff=1", `"=1"`, "a;=1", `a;"=1`, "a; \t@x", "a,b", "a\"b", "a\nb", "\xff=", "＝1", "'=1", "a;b;c", "=cmd|' /C calc'!A0"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		file := written(t, export.CSV, []export.Row{{ID: "F-1", Title: s, Fingerprint: "end"}})
		records, err := csv.NewReader(bytes.NewReader(file)).ReadAll()
		if err != nil || len(records) != 2 || records[1][17] != "end" {
			t.Fatalf("%q makes the table\n%s\n%v", s, file, err)
		}
		got := records[1][1]
		if !utf8.ValidString(got) || strings.ContainsFunc(got, unicode.IsControl) {
			t.Errorf("%q became %q", s, got)
		}
		want := strings.Map(func(r rune) rune {
			if unicode.IsControl(r) {
				return ' '
			}
			return r
		}, s)
		if strings.ReplaceAll(got, "'", "") != strings.ReplaceAll(want, "'", "") {
			t.Errorf("%q became %q", s, got)
		}
		if quotes := strings.Count(got, "'") - strings.Count(want, "'"); quotes < 0 || quotes > 1+strings.Count(want, ";") {
			t.Errorf("%q became %q with %d more apostrophes", s, got, quotes)
		}
		for cell := range strings.SplitSeq(got, ";") { // as in a country of semicolons
			bare := strings.TrimLeft(cell, "\" \u00a0\ufeff\u3000\u2003\u2028\u2029\u0085")
			if bare != "" && strings.ContainsRune("=+-@＝＋－＠", []rune(bare)[0]) {
				t.Errorf("%q became %q, in which a spreadsheet sees the formula %q", s, got, bare)
			}
		}
	})
}

// What is written as JSON reads back the same.
func FuzzJSON(f *testing.F) {
	f.Add("F-1", "title", "a,b", 100, true, 0.5, true)
	f.Add("", "\xff\x00\u2028</script>", "\"\\", -1, false, math.NaN(), false)
	f.Fuzz(func(t *testing.T, id, title, list string, risk int, kev bool, p float64, scored bool) {
		row := export.Row{ID: id, Title: title, Risk: risk, KEV: kev, CVEs: strings.Split(list, ","), Tools: []string{}, File: title, URI: list}
		if scored {
			row.EPSS = &p
		}
		var got []export.Row
		if err := json.Unmarshal(written(t, export.JSON, []export.Row{row, row}), &got); err != nil {
			t.Fatal(err)
		}
		want := row
		valid := func(s string) string { return strings.ToValidUTF8(string([]rune(s)), "\uFFFD") }
		want.ID, want.Title, want.File, want.URI, want.CVEs = valid(id), valid(title), valid(title), valid(list), strings.Split(valid(list), ",")
		if math.IsNaN(p) || math.IsInf(p, 0) {
			want.EPSS = nil
		}
		if diff := cmp.Diff([]export.Row{want, want}, got); diff != "" {
			t.Errorf("differs (-want +got):\n%s", diff)
		}
	})
}

func BenchmarkWrite(b *testing.B) {
	for _, f := range export.Formats() {
		b.Run(string(f), func(b *testing.B) {
			row := sample()[0]
			b.ReportAllocs()
			for b.Loop() {
				n := 0
				err := export.Write(discard{}, f, tool, func(yield func(export.Row, error) bool) {
					for n < 10_000 && yield(row, nil) {
						n++
					}
				})
				if err != nil || n != 10_000 {
					b.Fatal(n, err)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/10_000, "ns/row")
		})
	}
}

type discard struct{}

func (discard) Write(p []byte) (int, error) { return len(p), nil }
