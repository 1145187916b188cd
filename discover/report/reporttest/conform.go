package reporttest

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/leeward-ctem/leeward/builtin"
	"github.com/leeward-ctem/leeward/discover"
	"github.com/leeward-ctem/leeward/discover/decode"
	"github.com/leeward-ctem/leeward/exposure"
)

// Conform compares what r makes of the real reports of some tools, by their
// names in the corpus, with how many records there are and with what another
// platform makes of them. Where they differ on purpose, a line of the file
// differences.txt beside the test says why:
//
//	burp/many.xml: it merges the hosts, we keep one finding for each
//	burp/many.xml severity: its words for severities are …
//
// What is compared of the findings is what both name: severities, advisories,
// CWEs, components with their versions, hosts and files; of each, 99 % must be
// in what r states. A line that nothing needs is an error.
//
// A name with - before it is that of a file to leave out, because it is of a
// format that another reader takes and its test compares.
func Conform(t *testing.T, r discover.Reader, parsers ...string) {
	t.Helper()
	dir := Corpus(t)
	notes := Differences(t, "differences.txt")
	used := map[string]bool{}
	seen := 0
	for _, ref := range References(t, dir) {
		if !slices.Contains(parsers, ref.Parser) || slices.Contains(parsers, "-"+ref.File) {
			continue
		}
		seen++
		t.Run(ref.File, func(t *testing.T) {
			data, err := os.ReadFile(filepath.Join(dir, "reports", ref.File))
			if err != nil {
				t.Fatal(err)
			}
			c := Compare(t, r, ref, data)
			for what, miss := range c.Misses {
				key := ref.File
				if what != "" {
					key += " " + what
				}
				used[key] = true
				if notes[key] == "" {
					t.Errorf("%s (explain it in differences.txt under %q if it is meant)", miss, key)
				}
			}
		})
	}
	if seen == 0 {
		t.Errorf("the corpus has no reports of %q", parsers)
	}
	for key := range notes {
		if parser, _, _ := strings.Cut(key, "/"); slices.Contains(parsers, parser) && !used[key] {
			t.Errorf("differences.txt explains %q, and there is no difference", key)
		}
	}
}

// Differences reads the explanations of a reader: by file, and by file and field
// with a space between.
func Differences(t testing.TB, path string) map[string]string {
	t.Helper()
	notes := map[string]string{}
	data, err := os.ReadFile(path)
	if os.IsNotExist(err) {
		return notes
	}
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(data)) {
		if line = strings.TrimSpace(line); line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		key, why, ok := strings.Cut(line, ": ")
		if !ok || strings.TrimSpace(why) == "" {
			t.Errorf("%s: write %q as FILE: why", path, line)
		}
		notes[strings.TrimSpace(key)] = strings.TrimSpace(why)
	}
	return notes
}

// Reference is a real report with what is known of it.
type Reference struct {
	Parser   string `json:"parser"`
	File     string `json:"file"`
	Expected *int   `json:"expected_count"` // findings that the other platform makes of it
	Naive    *int   `json:"naive_count"`    // raw records
	Findings []struct {
		Title      string   `json:"title"`
		Severity   string   `json:"severity"`
		CWE        any      `json:"cwe"` // a number, or as a text
		Advisories []string `json:"vulnerability_ids"`
		Component  string   `json:"component_name"`
		Version    string   `json:"component_version"`
		Endpoints  []string `json:"endpoints"`
		File       string   `json:"file_path"`
	} `json:"-"`
}

// References reads the corpus, in the order of its manifest.
func References(t testing.TB, dir string) []*Reference {
	t.Helper()
	var all []*Reference
	manifest, err := os.ReadFile(filepath.Join(dir, "manifest.json"))
	if err == nil {
		err = json.Unmarshal(manifest, &all)
	}
	if err != nil {
		t.Fatal(err)
	}
	byFile := map[string]*Reference{}
	var first []*Reference
	for _, r := range all {
		if byFile[r.File] == nil { // a file may stand there once for each way to read it
			byFile[r.File] = r
			first = append(first, r)
		} else if byFile[r.File].Naive == nil {
			byFile[r.File].Naive = r.Naive
		}
	}
	list, err := os.Open(filepath.Join(dir, "observed.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	defer list.Close()
	lines := bufio.NewScanner(list)
	lines.Buffer(nil, 64<<20)
	for lines.Scan() {
		var o struct {
			File     string
			Findings json.RawMessage
		}
		if err := json.Unmarshal(lines.Bytes(), &o); err != nil {
			t.Fatal(err)
		}
		if r := byFile[o.File]; r != nil && r.Findings == nil {
			if err := json.Unmarshal(o.Findings, &r.Findings); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := lines.Err(); err != nil {
		t.Fatal(err)
	}
	return first
}

// Comparison is how a report was read beside its reference.
type Comparison struct {
	Found  int               // weaknesses
	Misses map[string]string // what differs: "" for the count, else the field
}

// Compare reads a real report and compares it with its reference.
func Compare(t testing.TB, r discover.Reader, ref *Reference, data []byte) Comparison {
	t.Helper()
	c := Comparison{Misses: map[string]string{}}
	var obs []exposure.Observation
	im := &discover.Importer{Readers: builtin.Reports()}
	for part, err := range im.Open("", ref.File, bytes.NewReader(data)) {
		if err != nil {
			c.Misses["open"] = err.Error()
			continue
		}
		head := decode.NewHead(part.Head)
		if i := slices.IndexFunc(builtin.Reports(), func(o discover.Reader) bool { return o.Sniff(head) }); i < 0 || builtin.Reports()[i].Name() != r.Name() {
			who := "nobody"
			if i >= 0 {
				who = builtin.Reports()[i].Name()
			}
			c.Misses["recognised"] = fmt.Sprintf("%s is recognised by %s", part.Name, who)
		}
		res := collect(part.Read(t.Context(), r))
		obs = append(obs, weakness(res.obs)...)
		if res.fatal != nil {
			c.Misses["ends"] = "it ends: " + res.fatal.Error()
		}
		if len(res.bad) > 0 {
			c.Misses["records"] = fmt.Sprintf("%d records are lost, the first: %s", len(res.bad), res.bad[0])
		}
	}
	c.Found = len(obs)
	want := ref.Naive
	if want == nil {
		want = ref.Expected
	}
	if want != nil && c.Found != *want {
		c.Misses[""] = fmt.Sprintf("%d findings, the report has %s records and the reference makes %s", c.Found, number(ref.Naive), number(ref.Expected))
	}
	ours, theirs := fieldsOf(obs), ref.fields()
	for field, values := range theirs {
		have := 0
		var missing []string
		for v := range values {
			if ours[field][v] {
				have++
			} else if len(missing) < 5 {
				missing = append(missing, v)
			}
		}
		if n := len(values); n > 0 && float64(have) < 0.99*float64(n) {
			slices.Sort(missing)
			c.Misses[field] = fmt.Sprintf("of %d values of %s %d are missing, such as %q", n, field, n-have, missing)
		}
	}
	return c
}

func number(n *int) string {
	if n == nil {
		return "an unknown number of"
	}
	return fmt.Sprint(*n)
}

type fields map[string]map[string]bool

func (f fields) add(field, value string) {
	if value = strings.TrimSpace(value); value == "" {
		return
	}
	if f[field] == nil {
		f[field] = map[string]bool{}
	}
	f[field][value] = true
}

func fieldsOf(obs []exposure.Observation) fields {
	f := fields{}
	for i := range obs {
		o := &obs[i]
		f.add("severity", o.Severity.String())
		for _, id := range append(slices.Clone(o.Advisories), o.Rule) {
			f.add("advisory", strings.ToUpper(id))
		}
		for _, n := range o.CWEs {
			f.add("cwe", fmt.Sprint(n))
		}
		f.add("component", strings.ToLower(o.Component.Name))
		f.add("version", strings.ToLower(o.Component.Version))
		for _, id := range o.Asset.Identifiers {
			f.add("host", strings.ToLower(id.Value))
		}
		f.add("file", base(o.Location.File))
		f.add("file", base(o.Component.Path))
		f.add("file", base(o.Location.Resource))
	}
	return f
}

// base is the last part of a path: platforms cut paths in different places.
func base(path string) string {
	path = strings.ReplaceAll(path, `\`, "/")
	return path[strings.LastIndexByte(path, '/')+1:]
}

func (r *Reference) fields() fields {
	f := fields{}
	for i := range r.Findings {
		o := &r.Findings[i]
		f.add("severity", strings.ToLower(o.Severity))
		for _, id := range o.Advisories {
			f.add("advisory", strings.ToUpper(id))
		}
		if cwe := strings.TrimPrefix(fmt.Sprint(o.CWE), "CWE-"); o.CWE != nil && cwe != "0" {
			f.add("cwe", cwe)
		}
		f.add("component", strings.ToLower(o.Component))
		if o.Component != "" {
			f.add("version", strings.ToLower(o.Version))
		}
		for _, e := range o.Endpoints {
			f.add("host", hostOf(e))
		}
		f.add("file", base(o.File))
	}
	return f
}

func hostOf(endpoint string) string {
	if _, rest, ok := strings.Cut(endpoint, "://"); ok {
		endpoint = rest
	}
	if i := strings.IndexAny(endpoint, "/?#"); i >= 0 {
		endpoint = endpoint[:i]
	}
	if i := strings.LastIndexByte(endpoint, '@'); i >= 0 {
		endpoint = endpoint[i+1:]
	}
	if i := strings.LastIndexByte(endpoint, ':'); i > strings.LastIndexByte(endpoint, ']') && strings.Count(endpoint, ":") == 1 {
		endpoint = endpoint[:i]
	}
	return strings.ToLower(strings.Trim(endpoint, "[]"))
}
