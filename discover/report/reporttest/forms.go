package reporttest

import (
	"bytes"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/unicode"

	"github.com/leeward-ctem/leeward/builtin"
	"github.com/leeward-ctem/leeward/discover"
	"github.com/leeward-ctem/leeward/discover/decode"
	"github.com/leeward-ctem/leeward/exposure"
)

// encodings writes a sample as other programs save a text, and reads it the way
// an import does. It says the same.
func encodings(t *testing.T, r discover.Reader, data []byte) {
	text := bytes.TrimPrefix(data, []byte("\xef\xbb\xbf"))
	if !utf8.Valid(text) || regexp.MustCompile(`^<\?xml[^>]*encoding=["'](?i:iso|windows|us-ascii)`).Match(text) {
		return // whoever saves that in another encoding changes what it says of itself
	}
	encoded := func(e encoding.Encoding) []byte {
		out, err := e.NewEncoder().Bytes(text)
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	lines := bytes.ReplaceAll(bytes.ReplaceAll(text, []byte("\r\n"), []byte("\n")), []byte("\n"), []byte("\r\n"))
	plain := opened(t, r, text)
	for name, in := range map[string][]byte{
		"UTF-8 with a mark": append([]byte("\xef\xbb\xbf"), text...),
		"UTF-16LE":          encoded(unicode.UTF16(unicode.LittleEndian, unicode.UseBOM)),
		"UTF-16BE":          encoded(unicode.UTF16(unicode.BigEndian, unicode.UseBOM)),
		"CRLF":              lines,
		"CRLF with a mark":  append([]byte("\xef\xbb\xbf"), lines...),
	} {
		got := opened(t, r, in)
		if diff := cmp.Diff(plain.lines, got.lines); diff != "" || (got.fatal == nil) != (plain.fatal == nil) || len(got.bad) != len(plain.bad) {
			t.Errorf("%s makes a difference: lost %q, ends %v (-without +with):\n%s", name, got.bad, got.fatal, diff)
		}
	}
	if s := takeApart(text); s != nil && s.isTable() && len(plain.bad) == 0 {
		for _, comma := range []byte(",;\t") {
			in := s.with(change{comma: comma, cells: func(cells []string) []string { return cells }})
			got := opened(t, r, in)
			if diff := cmp.Diff(plain.lines, got.lines); diff != "" || (got.fatal == nil) != (plain.fatal == nil) {
				t.Errorf("cells parted by %q make a difference: lost %q, ends %v (-without +with):\n%s", comma, got.bad, got.fatal, diff)
			}
		}
	}
}

// opened reads a report the way an import does. The reader must recognise it.
func opened(t *testing.T, r discover.Reader, in []byte) (res result) {
	t.Helper()
	for part, err := range discover.Open("report", bytes.NewReader(in), discover.Limits{}) {
		if err != nil {
			t.Errorf("cannot open %.40q: %v", in, err)
			return res
		}
		head := decode.NewHead(part.Head)
		i := slices.IndexFunc(builtin.Reports(), func(o discover.Reader) bool { return o.Sniff(head) })
		if i < 0 || builtin.Reports()[i].Name() != r.Name() {
			t.Errorf("%s does not recognise %.40q", r.Name(), in)
		}
		res = readAll(t.Context(), r, part.Reader)
	}
	return res
}

var day = regexp.MustCompile(`^"?(\d{4}-\d\d-\d\d|\d\d/\d\d/\d{4}|1[4-9]\d{8}(\d{3})?"?$|(Mon|Tue|Wed|Thu|Fri|Sat|Sun)[a-z]*,? |(Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)[a-z]* \d)`)

// days are forms of a date without a time of day.
var days = []string{"2026-01-22", "Jan 22, 2026", "01/22/2026", "22.01.2026", "22-Jan-2026"}

// moments are forms in which programs write one point in time.
var moments = []string{"2026-01-22T03:04:05Z", "2026-01-22T05:04:05+02:00", "2026-01-22 03:04:05", "2026-01-22T03:04:05.000000Z", "Jan 22, 2026 03:04:05", "01/22/2026 03:04:05", "22.01.2026 03:04:05", "Thu, 22 Jan 2026 03:04:05 GMT", "1769051045", "1769051045000"}

// dates writes each date in other forms. None costs its record, and those that
// mean one point in time say the same.
func dates(t *testing.T, r discover.Reader, data []byte) {
	s := takeApart(data)
	if s == nil {
		return
	}
	whole := readAll(t.Context(), r, bytes.NewReader(data))
	var found []*node
	alone := map[*node]bool{} // without a time of day, which may stand elsewhere
	for _, n := range s.all {
		text := n.text
		switch n.kind {
		case '"', '0', attribute:
			text = string(data[n.start:n.end])
		case element:
			text = strings.TrimSpace(string(data[n.first:max(n.first, n.end-len("</>"+n.name))]))
		}
		if day.MatchString(text) {
			found = append(found, n)
			alone[n] = len(strings.Trim(text, `"`)) == len("2006-01-02")
		}
	}
	for _, n := range some(found, 8) {
		var first []string
		same, other := moments, days
		if alone[n] {
			same, other = days, moments
		}
		for i, form := range slices.Concat(same, other, []string{"02/01/2026", "", "soon", "0", "99999999999999999999"}) {
			in := s.with(change{instead: map[*node]string{n: s.dated(n, form)}})
			got := readAll(t.Context(), r, bytes.NewReader(in))
			if ids, had := keys(got.obs), keys(whole.obs); !slices.Equal(ids, had) || len(got.bad) > len(whole.bad) || got.fatal != nil && whole.fatal == nil {
				t.Errorf("%q for a date at byte %d costs a record: lost %q, ends %v\n%s", form, n.start, got.bad, got.fatal, cmp.Diff(had, ids))
			}
			times := times(got.obs)
			switch {
			case i == 0:
				first = times
			case i < len(same) && !slices.Equal(first, times):
				t.Errorf("%q for a date at byte %d (%s) is understood otherwise than %q:\n%s", form, n.start, n.name, same[0], cmp.Diff(first, times))
			}
		}
	}
}

// dated is a date as the text of a node. Digits alone are a number in JSON.
func (s *sample) dated(n *node, form string) string {
	switch n.kind {
	case element:
		return "<" + n.name + ">" + form + "</" + n.name + ">"
	case '"', '0':
		if strings.Trim(form, "0123456789") == "" && form != "" {
			return form
		}
		return fmt.Sprintf("%q", form)
	}
	return form
}

func keys(obs []exposure.Observation) (all []string) {
	for i := range obs {
		if obs[i].Kind == exposure.ObservedWeakness {
			all = append(all, identity(&obs[i]))
		}
	}
	slices.Sort(all)
	return all
}

// times are those that observations state.
func times(obs []exposure.Observation) (all []string) {
	for i := range obs {
		all = append(all, obs[i].Seen.Format(time.RFC3339))
		if run := obs[i].Run; run != nil {
			all = append(all, run.Started.Format(time.RFC3339), run.Finished.Format(time.RFC3339))
		}
	}
	return slices.Compact(all)
}
