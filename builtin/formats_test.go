package builtin_test

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/leeward-ctem/leeward/builtin"
	"github.com/leeward-ctem/leeward/discover"
)

// update reports whether the pages under docs are written again. The flag is
// that of package reporttest.
func update() bool { return flag.Lookup("update").Value.String() == "true" }

// TestFormatsPage keeps docs/formats.md true: the registry tells the table,
// and the format that is ours to define has its page beside its reader.
// `go test ./builtin -update` rewrites it.
func TestFormatsPage(t *testing.T) {
	t.Parallel()
	var page strings.Builder
	page.WriteString(`<!-- Written by "go test ./builtin -update" from the registry and discover/report/generic/format.md. -->

# Report formats

A report is recognised by its content, never by its name; ` + "`--format`" + ` names the format where that is not wanted. Reports may be
compressed with gzip or zstd, or packed in a zip archive with others. The first format that recognises a report reads it.

| format | reports of | described at |
|---|---|---|
`)
	for _, r := range builtin.Reports() {
		title, docs := r.Name(), ""
		if d, ok := r.(discover.Described); ok {
			title, docs = d.Describe()
		}
		host, _, _ := strings.Cut(strings.TrimPrefix(docs, "https://"), "/")
		link := fmt.Sprintf("[%s](%s)", host, docs)
		if _, place, ours := strings.Cut(docs, "/leeward/blob/main/docs/"); ours {
			name, anchor, _ := strings.Cut(place, "#")
			link = fmt.Sprintf("[%s](%s)", name, name)
			if anchor != "" {
				link = fmt.Sprintf("[below](#%s)", anchor)
			}
		}
		fmt.Fprintf(&page, "| `%s` | %s | %s |\n", r.Name(), strings.ReplaceAll(title, "|", `\|`), link)
	}
	page.WriteString(`
What each reader takes from a report, and what it leaves, stands in the comment of its package under ` + "`discover/report/`" + `. ` +
		"`leeward inspect FILE`" + ` shows what is
read of a file, without importing it.

`)
	own, err := os.ReadFile(filepath.Join("..", "discover", "report", "generic", "format.md"))
	if err != nil {
		t.Fatal(err)
	}
	page.Write(own)
	file := filepath.Join("..", "docs", "formats.md")
	if update() {
		if err := os.WriteFile(file, []byte(page.String()), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	have, err := os.ReadFile(file)
	if err != nil {
		t.Fatalf("%v: run `go test ./builtin -update`", err)
	}
	if diff := cmp.Diff(strings.Split(page.String(), "\n"), strings.Split(string(have), "\n")); diff != "" {
		t.Errorf("docs/formats.md is not what the registry says, run `go test ./builtin -update` (-want +have):\n%s", diff)
	}
}
