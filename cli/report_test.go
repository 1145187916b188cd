package cli

import (
	"bytes"
	"compress/zlib"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"

	"github.com/leeward-ctem/leeward/internal/testkit/live"
)

// The report of the demo on paper: two sheets of A4 at most, in light colours
// also in a dark browser, with its words and without the navigation.
func TestReportOnPaper(t *testing.T) {
	t.Parallel()
	s := startSite(t, "--demo")
	b := live.Browser(t)
	firstRun(b, s)
	yes := true
	for _, scheme := range []string{"light", "dark"} {
		b.Scheme(scheme)
		b.Do("open the report", chromedp.Navigate(s.url+"/report?days=90"), chromedp.WaitVisible(css("main h1")))
		pdf, err := chromedp.Run(b.Ctx, chromedp.PrintToPDF(func(p *page.PrintToPDFParams) { p.PreferCSSPageSize, p.PrintBackground = &yes, &yes }))
		if err != nil {
			t.Fatal(err)
		}
		if dir := os.Getenv("LEEWARD_PICTURES"); dir != "" {
			if err := os.WriteFile(filepath.Join(dir, "report-"+scheme+".pdf"), pdf, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		sheets, text := readPDF(t, pdf)
		if sheets < 1 || sheets > 2 {
			t.Errorf("%s: the report has %d sheets, want one or two", scheme, sheets)
		}
		// Letters may be drawn one by one, so spaces say nothing.
		text = strings.ReplaceAll(text, " ", "")
		for _, want := range []string{"Exposure report · Harbelmoor Supply", "The fixes that remove the most risk", "Crown jewel", "Expected loss over 90 days", "What we ask for", "What changed in 90 days", "EUR"} {
			if !strings.Contains(text, strings.ReplaceAll(want, " ", "")) {
				t.Errorf("%s: the report does not say %q:\n%s", scheme, want, text)
			}
		}
		for _, not := range []string{"Print or save as PDF", "Prioritize", "Search or jump", "demo data", "Show as table"} {
			if strings.Contains(text, strings.ReplaceAll(not, " ", "")) {
				t.Errorf("%s: %q stands on paper", scheme, not)
			}
		}
	}
}

// Numbers that cannot be measured are null over the wire, and a period that no
// report is over is refused.
func TestReportOfNothing(t *testing.T) {
	t.Parallel()
	s := startSite(t, "--offline")
	admin := s.admin()
	code, text := admin.do("GET", "/api/v1/report", "")
	if code != 200 || !strings.Contains(text, `"days":30`) || !strings.Contains(text, `"half_life_days":null`) || !strings.Contains(text, `"before":null`) {
		t.Errorf("%d %s", code, text)
	}
	code, text = admin.do("GET", "/api/v1/measures", "")
	if code != 200 || !strings.Contains(text, `"net":null`) || !strings.Contains(text, `"open_after_30_days":null`) || !strings.Contains(text, `"rate":null`) {
		t.Errorf("%d %s", code, text)
	}
	if code, text = admin.do("GET", "/api/v1/report?days=31", ""); code != 400 || !strings.Contains(text, "7, 30 or 90 days") {
		t.Errorf("%d %s", code, text)
	}
}

var (
	pdfObject  = regexp.MustCompile(`(?s)(\d+) 0 obj\n(.*?)\nendobj`)
	pdfSheet   = regexp.MustCompile(`/Type /Page\b`)
	pdfBox     = regexp.MustCompile(`/MediaBox \[0 0 ([\d.]+) ([\d.]+)\]`)
	pdfFont    = regexp.MustCompile(`/(F\d+) (\d+) 0 R`)
	pdfUnicode = regexp.MustCompile(`/ToUnicode (\d+) 0 R`)
	pdfChars   = regexp.MustCompile(`(?s)beginbfchar\n(.*?)endbfchar`)
	pdfRanges  = regexp.MustCompile(`(?s)beginbfrange\n(.*?)endbfrange`)
	pdfWord    = regexp.MustCompile(`/(F\d+) [\d.]+ Tf|<([0-9A-F]+)>`)
)

// readPDF counts the sheets of a document that Chromium made, all A4, and reads
// what stands on them by the tables that its fonts bring for that.
func readPDF(t *testing.T, doc []byte) (sheets int, text string) {
	t.Helper()
	objects := map[string]string{}
	for _, m := range pdfObject.FindAllSubmatch(doc, -1) {
		body := m[2]
		if head, rest, ok := bytes.Cut(body, []byte("stream\n")); ok && bytes.Contains(head, []byte("FlateDecode")) {
			z, err := zlib.NewReader(bytes.NewReader(rest))
			if err != nil {
				t.Fatal(err)
			}
			plain, _ := io.ReadAll(z) // the end of the stream is not cut exactly
			body = append(head, plain...)
		}
		objects[string(m[1])] = string(body)
	}
	fonts := map[string]map[string]string{}
	for _, o := range objects {
		if pdfSheet.MatchString(o) {
			sheets++
			box := pdfBox.FindStringSubmatch(o)
			if box == nil || !near(box[1], 595) || !near(box[2], 842) {
				t.Errorf("a sheet is not A4: %q", box)
			}
		}
		for _, f := range pdfFont.FindAllStringSubmatch(o, -1) {
			if table := pdfUnicode.FindStringSubmatch(objects[f[2]]); table != nil {
				fonts[f[1]] = letters(objects[table[1]])
			}
		}
	}
	var out strings.Builder
	for _, o := range objects {
		if !strings.Contains(o, " Tf\n") {
			continue
		}
		font := ""
		for _, w := range pdfWord.FindAllStringSubmatch(o, -1) {
			if w[1] != "" {
				font = w[1]
				continue
			}
			for i := 0; i+4 <= len(w[2]); i += 4 {
				out.WriteString(fonts[font][w[2][i:i+4]])
			}
		}
	}
	return sheets, out.String()
}

func near(text string, want float64) bool {
	x, err := strconv.ParseFloat(text, 64)
	return err == nil && x > want-2 && x < want+2
}

// letters reads which glyph is which letter.
func letters(table string) map[string]string {
	of := map[string]string{}
	letter := func(hex string) rune {
		n, _ := strconv.ParseUint(hex, 16, 32)
		return rune(n)
	}
	for _, block := range pdfChars.FindAllStringSubmatch(table, -1) {
		for line := range strings.Lines(block[1]) {
			if f := strings.FieldsFunc(line, func(r rune) bool { return strings.ContainsRune("<> \n", r) }); len(f) == 2 {
				of[f[0]] = string(letter(f[1]))
			}
		}
	}
	for _, block := range pdfRanges.FindAllStringSubmatch(table, -1) {
		for line := range strings.Lines(block[1]) {
			if f := strings.FieldsFunc(line, func(r rune) bool { return strings.ContainsRune("<> \n", r) }); len(f) == 3 {
				for glyph, r := letter(f[0]), letter(f[2]); glyph <= letter(f[1]); glyph, r = glyph+1, r+1 {
					of[strings.ToUpper(strconv.FormatUint(uint64(glyph)+1<<16, 16))[1:]] = string(r)
				}
			}
		}
	}
	return of
}
