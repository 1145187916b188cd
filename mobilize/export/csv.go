package export

import (
	"bufio"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// table writes CSV.
type table struct {
	w    *bufio.Writer
	line []byte
}

var columns = [...]string{
	"id", "title", "severity", "risk", "band", "due", "kev", "epss", "cves", "asset", "location", "status", "tools", "first_seen",
	"rule", "file", "uri", "fingerprint",
}

func (t *table) begin() {
	t.w.WriteString(strings.Join(columns[:], ","))
	t.w.WriteString("\r\n")
}

func (t *table) row(r *Row) error {
	t.line = t.line[:0]
	t.text(r.ID)
	t.text(r.Title)
	t.text(r.Severity)
	t.plain(strconv.Itoa(r.Risk))
	t.text(r.Band)
	t.text(r.Due)
	t.plain(strconv.FormatBool(r.KEV))
	epss := ""
	if r.EPSS != nil {
		epss = strconv.FormatFloat(*r.EPSS, 'f', -1, 64)
	}
	t.plain(epss)
	t.text(strings.Join(r.CVEs, ", "))
	t.text(r.Asset)
	t.text(r.Location)
	t.text(r.Status)
	t.text(strings.Join(r.Tools, ", "))
	t.text(r.FirstSeen)
	t.text(r.Rule)
	t.text(r.File)
	t.text(r.URI)
	t.text(r.Fingerprint)
	t.line = append(t.line[:len(t.line)-1], '\r', '\n')
	_, err := t.w.Write(t.line)
	return err
}

func (t *table) end() error { return nil }

// cut leaves a quotation mark open.
func (t *table) cut() { t.w.WriteString(`"` + incomplete) }

func (t *table) plain(s string) {
	t.line = append(t.line, s...)
	t.line = append(t.line, ',')
}

// text writes a cell of others' words.
func (t *table) text(s string) {
	t.line = append(t.line, '"')
	// What follows begins a cell: for a spreadsheet here, and where ; is its
	// list separator behind each. Blanks and quotation marks before a formula
	// do not keep all spreadsheets from running it.
	begins := true
	for _, r := range s {
		if unicode.IsControl(r) {
			r = ' '
		}
		switch {
		case begins && formula(r):
			t.line = append(t.line, '\'')
			begins = false
		case r == ';':
			begins = true
		case r != '"' && r != '\uFEFF' && !unicode.IsSpace(r):
			begins = false
		}
		if r == '"' {
			t.line = append(t.line, '"')
		}
		t.line = utf8.AppendRune(t.line, r)
	}
	t.line = append(t.line, '"', ',')
}

// formula reports whether a cell that begins with r is run as one: = + - @, and
// their wide forms of East Asia.
func formula(r rune) bool {
	switch r {
	case '=', '+', '-', '@', '＝', '＋', '－', '＠', '−':
		return true
	}
	return false
}
