package reporttest

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"regexp"
	"runtime"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/leeward-ctem/leeward/discover"
	"github.com/leeward-ctem/leeward/discover/decode"
	"github.com/leeward-ctem/leeward/exposure"
)

// Most places of a sample that are changed, one at a time.
const mostPlaces = 100

// wrongValues puts other values into a sample, one at a time. A value that is
// wrong may cost its record, which is said, but never the report.
func wrongValues(t *testing.T, r discover.Reader, data []byte) {
	whole := readAll(t.Context(), r, bytes.NewReader(data))
	for _, s := range some(scalarsOf(data), mostPlaces) {
		others := []string{`""`, `" "`, `"\u0000 \\u0000"`, "\"\xff\"", `"\ud800"`, `-1`, `99999999999999999999`, `1.5`, `1e999`, `true`, `null`, `{}`, `[]`, `[[]]`, `{"a":"b"}`, `["a",7]`}
		if isXML(data) {
			others = []string{"", " ", "-1", "99999999999999999999", "NaN", "\xff\xfe", "&#0;&#x1b;", "\x00\x1b", "]]&gt;&lt;!--"}
		}
		for _, other := range others {
			in := s.in(data, other)
			got := readAll(t.Context(), r, bytes.NewReader(in))
			for _, o := range got.obs {
				valid(t, o)
			}
			got.placed(t, in)
			where := fmt.Sprintf("%s instead of %s at byte %d", other, data[s.start:s.end], s.start)
			if got.fatal != nil && whole.fatal == nil {
				t.Errorf("%s ends the report: %v", where, got.fatal)
			}
			if strings.HasPrefix(other, "[") || strings.HasPrefix(other, "{") {
				if has, had := len(weakness(got.obs)), len(weakness(whole.obs)); has < had && len(got.bad) <= len(whole.bad) {
					t.Errorf("%s costs %d findings, and nothing says so", where, had-has)
				}
			}
		}
	}
}

// numbers writes numbers as texts, as spreadsheets and dynamic languages do. It
// makes no difference.
func numbers(t *testing.T, r discover.Reader, data []byte) {
	if r.Name() == "observations" {
		return // our own form has one writer, and means what it says
	}
	whole := readAll(t.Context(), r, bytes.NewReader(data))
	for _, s := range some(scalarsOf(data), mostPlaces) {
		if s.kind != '0' {
			continue
		}
		other := `"` + string(data[s.start:s.end]) + `"`
		got := readAll(t.Context(), r, bytes.NewReader(s.in(data, other)))
		if diff := cmp.Diff(weakness(whole.obs), weakness(got.obs)); diff != "" || got.fatal != nil && whole.fatal == nil || len(got.bad) > len(whole.bad) {
			t.Errorf("%s for a number at byte %d: lost %q, ends %v (-number +text):\n%s", other, s.start, got.bad, got.fatal, diff)
		}
	}
}

// twice writes a member twice. The last one counts, and it says the same.
func twice(t *testing.T, r discover.Reader, data []byte) {
	whole := readAll(t.Context(), r, bytes.NewReader(data))
	for _, s := range some(scalarsOf(data), mostPlaces) {
		if s.member < 0 {
			continue
		}
		pair := string(data[s.member:s.end])
		got := readAll(t.Context(), r, bytes.NewReader(s.in(data, string(data[s.start:s.end])+","+pair)))
		if diff := cmp.Diff(weakness(whole.obs), weakness(got.obs)); diff != "" && whole.fatal == nil {
			t.Errorf("%s twice, at byte %d (-once +twice):\n%s", pair, s.member, diff)
		}
	}
}

// deep is far more than any report nests.
const deep = 100_000

// nesting puts deep nesting into a sample. It ends the report or costs a
// record, and never the program.
func nesting(t *testing.T, r discover.Reader, data []byte) {
	var at int
	var inserts []string
	if isXML(data) {
		root := regexp.MustCompile(`<[A-Za-z][^>]*[^>/]>`).FindIndex(data)
		if root == nil {
			return
		}
		at, inserts = root[1], []string{nested("<a>", "</a>", deep), strings.Repeat("<a>", deep), "<a " + strings.Repeat(`a="" `, deep) + "/>"}
	} else {
		at = bytes.IndexByte(data, '{') + 1
		if at == 0 || !isJSON(data) {
			return
		}
		inserts = []string{`"deep":` + nested("[", "]", deep) + ",", `"deep":` + strings.Repeat(`{"a":`, deep), `"deep":` + nested(`{"a":`, "}", deep) + ",", strings.Repeat(`"a":[],`, deep)}
	}
	for _, insert := range inserts {
		in := string(data[:at]) + insert + string(data[at:])
		r.Sniff(decode.NewHead([]byte(in[:min(len(in), 64<<10)])))
		got := readAll(t.Context(), r, strings.NewReader(in))
		got.placed(t, []byte(in))
		if got.fatal != nil && exposure.KindOf(got.fatal) != exposure.Invalid {
			t.Errorf("%.20s… ends the report with %v, which is not the fault of the input", insert, got.fatal)
		}
	}
}

// entities defines entities in a sample: a bomb, a file and an address. None is
// ever expanded, and nothing but the bytes of the report is read.
func entities(t *testing.T, r discover.Reader, data []byte) {
	if !isXML(data) {
		return
	}
	secret := t.TempDir() + "/secret"
	if err := os.WriteFile(secret, []byte("EXPANDED"), 0o600); err != nil {
		t.Fatal(err)
	}
	root := regexp.MustCompile(`<[A-Za-z]`).FindIndex(data)[0]
	for _, used := range append(some(scalarsOf(data), 20), scalar{start: -1}) {
		if used.start >= 0 && bytes.LastIndex(data[:used.start], []byte("<![CDATA[")) > bytes.LastIndex(data[:used.start], []byte("]]>")) {
			continue // there it is no entity
		}
		var bomb strings.Builder
		bomb.WriteString(`<!ENTITY e0 "EXPANDED">`)
		for i := range 30 {
			fmt.Fprintf(&bomb, `<!ENTITY e%d "%s">`, i+1, strings.Repeat(fmt.Sprintf("&e%d;", i), 10))
		}
		for entity, definition := range map[string]string{
			"&e30;": bomb.String(), "&f;": `<!ENTITY f SYSTEM "file://` + secret + `">`, "&u;": `<!ENTITY u PUBLIC "x" "https://127.0.0.1:1/x">`,
			"&g;": `<!ENTITY % p SYSTEM "file://` + secret + `"> %p; <!ENTITY g "EXPANDED">`,
		} {
			text := data
			if used.start >= 0 {
				text = used.in(data, entity)
			}
			in := string(text[:root]) + "<!DOCTYPE x [" + definition + "]>" + string(text[root:])
			got := readAll(t.Context(), r, strings.NewReader(in))
			if all := strings.Join(got.lines, "") + strings.Join(got.bad, "") + fmt.Sprint(got.fatal); strings.Contains(all, "EXPANDED") {
				t.Errorf("the entity %s was expanded: %.300s", entity, all)
			}
			if used.start >= 0 && got.fatal == nil && len(got.bad) == 0 {
				t.Errorf("an unknown entity %s at byte %d passes without an error", entity, used.start)
			}
		}
	}
}

// noUTF8 puts bytes that are no UTF-8 into every text, all at once.
func noUTF8(t *testing.T, r discover.Reader, data []byte) {
	var in []byte
	from := 0
	for _, s := range scalarsOf(data) {
		if s.kind == '"' || s.kind == 'x' || s.kind == 'a' {
			if s.start < from {
				continue
			}
			end := s.end
			if s.kind == '"' {
				end--
			}
			in = append(append(in, data[from:end]...), "\xc3\x28\xff"...)
			from = end
		}
	}
	in = append(in, data[from:]...)
	got := readAll(t.Context(), r, bytes.NewReader(in))
	for _, o := range got.obs {
		valid(t, o)
	}
	if got.fatal != nil && exposure.KindOf(got.fatal) != exposure.Invalid {
		t.Errorf("ends with %v", got.fatal)
	}
}

// trailing puts something behind a sample. What was found stays found, and
// what is no report is said to be none.
func trailing(t *testing.T, r discover.Reader, data []byte) {
	if len(scalarsOf(data)) == 0 {
		return
	}
	whole := readAll(t.Context(), r, bytes.NewReader(data))
	for _, tail := range []string{"garbage", "\n<html>502 Bad Gateway</html>\n", "]", "}", "\n{\"a\":", "\x00\x00\x00\x00"} {
		got := readAll(t.Context(), r, strings.NewReader(string(data)+tail))
		if diff := cmp.Diff(weakness(whole.obs), weakness(got.obs)); diff != "" {
			t.Errorf("%q behind the report changes what it says (-without +with):\n%s", tail, diff)
		}
		// Text behind a document in XML is passed over, as scanners that write
		// to their console leave it.
		if got.fatal == nil && len(got.bad) <= len(whole.bad) && (!isXML(data) || strings.Contains(tail, "<")) {
			t.Errorf("%q behind the report passes without an error", tail)
		}
	}
}

// nothing gives a reader what is no report. It finds nothing in it: no
// weakness, and above all no coverage, which would close findings.
func nothing(t *testing.T, r discover.Reader) {
	for _, in := range []string{
		"", " ", "\n", "\r\n\r\n", "\xef\xbb\xbf", "\x00", "\x00\x00\x00\x00", "\xff\xfe", "{", "}", "[", "]", "{}", "[]", "[[]]", "[{}]", "[null]", "null", "0", `""`, `"`, "{}\n{}\n",
		"<", "<a", "<a>", "<a/>", "</a>", "<?xml", "<?xml version=\"1.0\"?>", "<!DOCTYPE a", "<!DOCTYPE a><a/>", "<!--", "<a><![CDATA[", "<html><body>Sign in</body></html>",
		",", ";", "\"", ",,,\n,,,\n", "404 page not found\n", "Error: token expired\n",
		strings.Repeat("[", deep), strings.Repeat(`{"a":`, deep), strings.Repeat("<a>", deep), nested("[", "]", deep), nested("<a>", "</a>", deep), strings.Repeat("\"", deep), strings.Repeat("\n", deep),
	} {
		r.Sniff(decode.NewHead([]byte(in[:min(len(in), 64<<10)])))
		got := readAll(t.Context(), r, strings.NewReader(in))
		for _, o := range got.obs {
			if o.Kind != exposure.ObservedRun {
				t.Errorf("%.40q states %+v", in, o)
			}
		}
		if got.fatal != nil && exposure.KindOf(got.fatal) != exposure.Invalid {
			t.Errorf("%.40q ends with %v: that is the fault of the input, see exposure.Invalid", in, got.fatal)
		}
	}
}

// hugeValue is over what the import takes for one record.
const hugeValue = 80 << 20

// huge fills a value of a sample up, so that it is larger than any record. The
// report ends, or the record is lost or cut, with a bounded memory.
func huge(t *testing.T, r discover.Reader, data []byte) {
	all := scalarsOf(data)
	var s scalar
	for _, v := range all[len(all)/2:] {
		if v.kind == '"' || v.kind == 'a' || v.kind == 'x' {
			s = v
			break
		}
	}
	if s.end == 0 {
		return
	}
	before := footprint()
	got := result{}
	kept := 0
	for o, err := range discover.Guarded(t.Context(), r, long(data, s, hugeValue)) {
		var rec *exposure.RecordError
		switch {
		case errors.As(err, &rec):
			got.bad = append(got.bad, err.Error())
		case err != nil:
			got.fatal = err
		default:
			walkTexts(o, func(text string) { kept = max(kept, len(text)) })
		}
	}
	if kept > 64<<20 {
		t.Errorf("a text of %d MiB was read", kept>>20)
	}
	if got.fatal != nil && exposure.KindOf(got.fatal) != exposure.Invalid {
		t.Errorf("ends with %v", got.fatal)
	}
	if grown := footprint() - before; grown > 1<<30 {
		t.Errorf("took %d MiB of memory", grown>>20)
	}
}

// footprint is how much memory the program has of the system.
func footprint() int64 {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.Sys)
}

// placed checks that broken records say where they are.
func (res *result) placed(t *testing.T, in []byte) {
	t.Helper()
	for _, rec := range res.recs {
		if rec.Record < 1 || rec.Offset < 0 || rec.Offset > int64(len(in)) {
			t.Errorf("a broken record is nowhere: number %d, byte %d of %d: %v", rec.Record, rec.Offset, len(in), rec.Err)
		}
	}
}

// weakness returns the weaknesses among observations.
func weakness(obs []exposure.Observation) (found []exposure.Observation) {
	for _, o := range obs {
		if o.Kind == exposure.ObservedWeakness {
			found = append(found, o)
		}
	}
	return found
}
