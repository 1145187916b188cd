package builtin_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/leeward-ctem/leeward/builtin"
	"github.com/leeward-ctem/leeward/discover"
	"github.com/leeward-ctem/leeward/discover/report/reporttest"
)

// tool is what comes of the real reports of one tool.
type tool struct {
	name                  string
	files                 int
	records, ours, theirs int
	noRecords             bool // of some file nobody counted them
	readers               []string
	differences           []string
}

// explain adds a difference with its reason.
func (x *tool) explain(key, why string) {
	_, file, _ := strings.Cut(key, "/")
	x.differences = append(x.differences, fmt.Sprintf("`%s`: %s", file, why))
}

// TestConformance reads every real report and keeps docs/conformance.md true.
// `go test ./builtin -update` rewrites it.
func TestConformance(t *testing.T) {
	t.Parallel()
	dir := reporttest.Corpus(t)
	notes := map[string]string{}
	files, err := filepath.Glob(filepath.Join("..", "discover", "report", "*", "differences.txt"))
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range files {
		for key, why := range reporttest.Differences(t, path) {
			notes[key] = why
		}
	}
	var tools []*tool
	used := map[string]bool{}
	for _, ref := range reporttest.References(t, dir) {
		if len(tools) == 0 || tools[len(tools)-1].name != ref.Parser {
			i := slices.IndexFunc(tools, func(x *tool) bool { return x.name == ref.Parser })
			if i < 0 {
				tools = append(tools, &tool{name: ref.Parser})
			} else { // the last is the one at hand
				tools = append(slices.Delete(tools, i, i+1), tools[i])
			}
		}
		one := tools[len(tools)-1]
		one.files++
		data, err := os.ReadFile(filepath.Join(dir, "reports", ref.File))
		if err != nil {
			t.Fatal(err)
		}
		r := recognise(t, ref.File, data)
		if r == nil {
			key := ref.File + " recognised"
			if used[key] = true; notes[key] == "" {
				t.Errorf("%s is recognised by nobody", ref.File)
			}
			one.explain(key, notes[key])
			continue
		}
		if !slices.Contains(one.readers, r.Name()) {
			one.readers = append(one.readers, r.Name())
		}
		c := reporttest.Compare(t, r, ref, data)
		one.ours += c.Found
		if ref.Expected != nil {
			one.theirs += *ref.Expected
		}
		if ref.Naive != nil {
			one.records += *ref.Naive
		} else {
			one.noRecords = true
		}
		for what, miss := range c.Misses {
			key := strings.TrimSpace(ref.File + " " + what)
			why := notes[key]
			used[key] = true
			if why == "" {
				t.Errorf("%s: %s, and no differences.txt says why", key, miss)
			}
			one.explain(key, why)
		}
	}
	for key := range notes {
		if !used[key] {
			t.Errorf("a differences.txt explains %q, and there is no difference", key)
		}
	}
	slices.SortFunc(tools, func(a, b *tool) int { return strings.Compare(a.name, b.name) })
	page := conformancePage(tools)
	file := filepath.Join("..", "docs", "conformance.md")
	if update() {
		if err := os.WriteFile(file, []byte(page), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	have, err := os.ReadFile(file)
	if err != nil {
		t.Fatalf("%v: run `go test ./builtin -update`", err)
	}
	if diff := cmp.Diff(strings.Split(page, "\n"), strings.Split(string(have), "\n")); diff != "" {
		t.Errorf("docs/conformance.md is not what comes of the reports, run `go test ./builtin -update` (-want +have):\n%s", diff)
	}
}

// recognise returns the reader of the first document in a file.
func recognise(t *testing.T, name string, data []byte) discover.Reader {
	t.Helper()
	im := &discover.Importer{Readers: builtin.Reports()}
	for part, err := range im.Open("", name, bytes.NewReader(data)) {
		if err != nil {
			continue
		}
		if r, err := im.Recognise("", &part); err == nil {
			return r
		}
	}
	return nil
}

func conformancePage(tools []*tool) string {
	var b strings.Builder
	files, exact := 0, 0
	for _, x := range tools {
		files += x.files
		if len(x.differences) == 0 {
			exact++
		}
	}
	fmt.Fprintf(&b, `<!-- Written by "go test ./builtin -update" from the readers and their differences.txt. -->

# What comes of real reports

%d reports of %d tools, from the unit tests of [DefectDojo](https://github.com/DefectDojo/django-DefectDojo) 3.2.0 (BSD-3-Clause), which are no part of this project. For each the findings that our
reader makes are compared with the number of raw records, and their severities, advisories, CWEs, components, versions, hosts and files with what DefectDojo makes of
the same report. For %d tools nothing differs. Every other difference has its reason here; a reader that makes one without a reason fails its test.

We keep one finding for each asset and place, so of tools whose hosts DefectDojo merges we make more.

| tool | read by | reports | raw records | our findings | DefectDojo's |
|---|---|---|---|---|---|
`, files, len(tools), exact)
	for _, x := range tools {
		records := fmt.Sprint(x.records)
		if x.noRecords {
			records = "not all counted"
		}
		fmt.Fprintf(&b, "| %s | %s | %d | %s | %d | %d |\n", x.name, strings.Join(x.readers, ", "), x.files, records, x.ours, x.theirs)
	}
	b.WriteString("\n## Differences\n")
	for _, x := range tools {
		if len(x.differences) == 0 {
			continue
		}
		fmt.Fprintf(&b, "\n### %s\n\n", x.name)
		slices.Sort(x.differences)
		for _, d := range x.differences {
			b.WriteString("- " + d + "\n")
		}
	}
	return b.String()
}
