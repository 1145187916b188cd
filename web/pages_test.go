package web

import (
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/a-h/templ"
	"github.com/google/go-cmp/cmp"
	"golang.org/x/net/html"
)

var update = flag.Bool("update", false, "write the golden files")

func render(t testing.TB, c templ.Component) string {
	t.Helper()
	var b strings.Builder
	if err := c.Render(t.Context(), &b); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// inspect parses a page and calls f for every element.
func inspect(t *testing.T, page string, f func(n *html.Node, attr map[string]string)) {
	t.Helper()
	root, err := html.Parse(strings.NewReader(page))
	if err != nil {
		t.Fatal(err)
	}
	for n := range root.Descendants() {
		if n.Type != html.ElementNode {
			continue
		}
		attr := make(map[string]string, len(n.Attr))
		for _, a := range n.Attr {
			attr[a.Key] = a.Val
		}
		f(n, attr)
	}
}

// checkPage holds every page to the policy and to what assistive technology needs.
func checkPage(t *testing.T, page string) {
	t.Helper()
	ids := map[string]bool{}
	headings, level := 0, 0
	inspect(t, page, func(n *html.Node, attr map[string]string) {
		for k, v := range attr {
			switch {
			case k == "style" || strings.HasPrefix(k, "on") || strings.HasPrefix(k, "hx-on"):
				t.Errorf("<%s> has the attribute %s, which the policy forbids", n.Data, k)
			case (k == "href" || k == "src" || k == "action" || k == "formaction" || k == "hx-get" || k == "hx-post") && strings.HasPrefix(strings.ToLower(strings.TrimSpace(v)), "javascript:"):
				t.Errorf("<%s %s=%q> leads to a script", n.Data, k, v)
			}
		}
		if id := attr["id"]; id != "" {
			if ids[id] {
				t.Errorf("the id %q is there twice", id)
			}
			ids[id] = true
		}
		switch n.Data {
		case "script":
			if !strings.HasPrefix(attr["src"], staticPrefix) || n.FirstChild != nil {
				t.Errorf("a script that is not a file of ours: %v", attr)
			}
		case "style", "iframe", "object", "embed", "img":
			t.Errorf("<%s> has no place on a page", n.Data)
		case "input":
			if attr["type"] != "hidden" && attr["aria-label"] == "" && attr["id"] == "" && !inside(n, "label") && attr["aria-hidden"] == "" {
				t.Errorf("an input without a label: %v", attr)
			}
		case "h1", "h2", "h3":
			now := int(n.Data[1] - '0')
			if n.Data == "h1" {
				headings++
			}
			if !inside(n, "dialog") && !inside(n, "aside") {
				if now > level+1 {
					t.Errorf("<%s> follows a heading of level %d", n.Data, level)
				}
				level = now
			}
		case "table":
			if c := first(n); (c == nil || c.Data != "caption") && !strings.Contains(attr["class"], "data") {
				t.Errorf("a table without a caption: %v", attr)
			}
		}
	})
	inspect(t, page, func(n *html.Node, attr map[string]string) {
		for _, k := range []string{"aria-labelledby", "aria-describedby", "aria-controls", "for"} {
			if id := attr[k]; id != "" && !ids[id] {
				t.Errorf("<%s %s=%q> points at nothing", n.Data, k, id)
			}
		}
	})
	if strings.HasPrefix(page, "<!doctype html>") && headings != 1 {
		t.Errorf("%d main headings, want one", headings)
	}
}

func inside(n *html.Node, tag string) bool {
	for p := n.Parent; p != nil; p = p.Parent {
		if p.Data == tag {
			return true
		}
	}
	return false
}

func first(n *html.Node) *html.Node {
	for c := range n.ChildNodes() {
		if c.Type == html.ElementNode {
			return c
		}
	}
	return nil
}

func TestPages(t *testing.T) {
	t.Parallel()
	static := sampleStatic(t)
	for _, s := range append(samplePages(static), emptyPages(static)...) {
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			checkPage(t, render(t, s.page))
		})
	}
}

func TestHostileText(t *testing.T) {
	t.Parallel()
	static := sampleStatic(t)
	for name, text := range map[string]string{
		"script":    `<script>alert("leeward-x")</script>`,
		"attribute": `" autofocus onfocus="alert(1)" x="`,
		"single":    `' onmouseover='alert(1)`,
		"comment":   `--><svg onload=alert(1)>]]>`,
		"url":       `javascript:alert(document.cookie)`,
		"rtl":       "\u202eمرحبا بالعالم\u202c",
		"long":      strings.Repeat("Wörter ohne Ende ", 625),
		"unbroken":  strings.Repeat("x", 10_000),
		"broken":    "\xff\xfe\x00\x01",
		"template":  "{{.}} ${7*7} {% raw %}",
	} {
		for _, s := range hostilePages(static, text) {
			t.Run(name+"/"+s.name, func(t *testing.T) {
				t.Parallel()
				page := render(t, s.page)
				checkPage(t, page)
				if strings.Contains(page, "<script>alert") || strings.Contains(page, "<svg onload") {
					t.Error("markup of a stranger came through")
				}
				// A long text is shown a bounded number of times, and only
				// texts that are read in full are given in full.
				if len(page) > 800_000 {
					t.Errorf("the page has %d bytes", len(page))
				}
			})
		}
	}
}

// Pages that rank by feeds name those that are stale; the others do not.
func TestStaleFeedsAreNamed(t *testing.T) {
	t.Parallel()
	static := sampleStatic(t)
	shell := func(stage Stage) Shell {
		s := sampleShell(static, "Page", stage)
		s.Stale = []StaleFeed{{"EPSS", before(9)}, {"KEV", time.Time{}}}
		return s
	}
	demo := shell(StagePrioritize)
	demo.Demo = true
	for _, c := range []struct {
		name string
		page templ.Component
		want bool
	}{
		{"overview", Overview(OverviewPage{Shell: shell(StageOverview), LastImport: before(1)}), true},
		{"findings", Findings(FindingsPage{Shell: shell(StagePrioritize)}), true},
		{"remediations", Remediations(RemediationsPage{Shell: shell(StageMobilize)}), true},
		{"advisories", Advisories(AdvisoriesPage{Shell: shell(StageIntel)}), true},
		{"scans", Scans(ScansPage{Shell: shell(StageDiscover)}), false},
		{"findings of the demo", Findings(FindingsPage{Shell: demo}), false},
	} {
		page := render(t, c.page)
		if got := strings.Contains(page, "EPSS is of 14 Nov 2026, 9 days ago") && strings.Contains(page, "Never fetched: KEV."); got != c.want {
			t.Errorf("%s names the stale feeds: %v", c.name, got)
		}
	}
}

func TestManyRows(t *testing.T) {
	t.Parallel()
	static := sampleStatic(t)
	for _, n := range []int{1, 10_000} {
		p := FindingsPage{Shell: sampleShell(static, "Findings", StagePrioritize), Rows: manyFindings(n), Total: n, CanMove: true}
		page := render(t, Findings(p))
		if got := strings.Count(page, "<tr data-row"); got != n {
			t.Errorf("%d rows, want %d", got, n)
		}
	}
}

// What was chosen is shown, whatever else the address asks for, and every link
// of the list keeps it.
func TestColumns(t *testing.T) {
	t.Parallel()
	for in, want := range map[string][]string{
		"":                              nil,
		"bogus,<script>, ,":             nil,
		"due,asset,due,Asset,x":         {"asset", "due"},
		"tools":                         {"tools"},
		strings.Repeat("status,", 1000): {"status"},
	} {
		if diff := cmp.Diff(want, ChosenColumns([]string{in, "nothing"})); diff != "" {
			t.Errorf("%.40q (-want +got):\n%s", in, diff)
		}
	}
	heads := func(p FindingsPage) (all []string) {
		inspect(t, render(t, Findings(p)), func(n *html.Node, attr map[string]string) {
			if n.Data == "th" && attr["scope"] == "col" && inside(n, "form") && !inside(n, "details") {
				var text strings.Builder
				for c := range n.Descendants() {
					if c.Type == html.TextNode {
						text.WriteString(strings.TrimSpace(c.Data))
					}
				}
				all = append(all, text.String())
			}
		})
		return all
	}
	p := FindingsPage{Shell: sampleShell(sampleStatic(t), "Findings", StagePrioritize), Query: "kev:true", Sort: "due", Reverse: true, Rows: sampleFindings(), Total: 99, Next: "x",
		Facets: []Facet{{"band", "Risk", []Count{{"high", 3}}}}}
	if diff := cmp.Diff([]string{"Risk", "Finding", "Severity", "Asset", "Owner", "EPSS", "Status", "Due", "First seen"}, heads(p)); diff != "" {
		t.Errorf("the usual columns (-want +got):\n%s", diff)
	}
	p.Columns = ChosenColumns([]string{"tools", "epss"})
	if diff := cmp.Diff([]string{"Risk", "Finding", "EPSS", "Tools"}, heads(p)); diff != "" {
		t.Errorf("chosen columns (-want +got):\n%s", diff)
	}
	links := 0
	inspect(t, render(t, Findings(p)), func(n *html.Node, attr map[string]string) {
		if link := attr["hx-get"]; strings.HasPrefix(link, FindingsURL+"?") && link != usualColumns(p) {
			if links++; !strings.Contains(link, "cols=epss%2Ctools") {
				t.Errorf("%s forgets the columns", link)
			}
		}
	})
	if links < 10 {
		t.Errorf("only %d links were looked at", links)
	}
}

func BenchmarkFindings(b *testing.B) {
	static := sampleStatic(b)
	for _, c := range []struct {
		name string
		rows int
	}{{"50", 50}, {"10000", 10_000}} {
		b.Run(c.name, func(b *testing.B) {
			p := FindingsPage{Shell: sampleShell(static, "Findings", StagePrioritize), Rows: manyFindings(c.rows), Total: c.rows}
			for b.Loop() {
				b.SetBytes(int64(len(render(b, Findings(p)))))
			}
		})
	}
}

// TestGolden keeps the markup of a few pages; go test -update writes it anew.
func TestGolden(t *testing.T) {
	t.Parallel()
	static := sampleStatic(t)
	hashed := regexp.MustCompile(`/static/([a-z.]+)\.[A-Za-z0-9_-]{12}\.`)
	for _, s := range samplePages(static) {
		if s.name != "finding" && s.name != "actors" && s.name != "engagement" && s.name != "plans" && s.name != "plan-edit" && s.name != "scan-jobs" && s.name != "scan-job" && s.name != "agents" && s.name != "agents-invited" && s.name != "engagements-stopped" && s.name != "audit" && s.name != "alerts" && s.name != "programme-moves" && s.name != "error-404" && s.name != "signin" && s.name != "policy" && s.name != "policies" {
			continue
		}
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			// One element a line, and no hashes, so that differences can be read.
			got := strings.ReplaceAll(hashed.ReplaceAllString(render(t, s.page), "/static/$1.HASH."), "><", ">\n<") + "\n"
			path := filepath.Join("testdata", s.name+".html")
			if *update {
				if err := os.MkdirAll("testdata", 0o755); err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), got); diff != "" {
				t.Errorf("%s differs (-want +got); run with -update if it should:\n%s", path, diff)
			}
		})
	}
}
