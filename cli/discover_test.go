package cli

import (
	"fmt"
	"html"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/leeward-ctem/leeward/discover"
	"github.com/leeward-ctem/leeward/exposure"
	"github.com/leeward-ctem/leeward/internal/testkit"
	"github.com/leeward-ctem/leeward/internal/testkit/live"
	"github.com/leeward-ctem/leeward/server"
	"github.com/leeward-ctem/leeward/store"
)

// testHouse is an application on a database of its own, with a clock.
type testHouse struct {
	*app
	t   testing.TB
	now time.Time
}

func openHouse(t testing.TB, database string) *testHouse {
	t.Helper()
	h := &testHouse{t: t, now: time.Date(2026, 1, 5, 12, 0, 0, 0, time.UTC)}
	r := &run{IO: IO{Err: io.Discard, Env: func(string) string { return "" }, Now: func() time.Time { return h.now }}, commands: &commands{Data: t.TempDir(), Database: database}}
	a, err := r.openApp(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { a.db.Close() })
	h.app = a
	return h
}

// report imports observations, one a line.
func (h *testHouse) report(name string, lines ...string) discover.Result {
	h.t.Helper()
	res, err := h.Import(h.t.Context(), discover.Request{Name: name}, strings.NewReader(strings.Join(lines, "\n")))
	if err != nil || len(res) != 1 {
		h.t.Fatalf("%s: %d documents, %v", name, len(res), err)
	}
	return res[0]
}

func runLine(tool string, day int) string {
	return fmt.Sprintf(`{"kind":"run","tool":%q,"run":{"tool":%q,"version":"1.2","finished":"2026-01-%02dT04:00:00Z"}}`, tool, tool, day)
}

func hostLine(kind, tool, host, rest string) string {
	return fmt.Sprintf(`{"kind":%q,"tool":%q,"asset":{"kind":"host","name":%q,"identifiers":[{"kind":"hostname","value":%q}]},%s}`, kind, tool, host, host, rest)
}

func weak(tool, host, cve string) string {
	return hostLine("weakness", tool, host, fmt.Sprintf(`"class":"vuln","advisories":[%q],"title":"Weakness %s","severity":"high","component":{"name":"openssl","version":"3.0.1","fixed":"3.0.2"}`, cve, cve))
}

func covers(tool, host string) string {
	return hostLine("coverage", tool, host, `"coverage":{"class":"vuln"}`)
}

// An estate of three hosts that two tools look at, day after day.
func TestScansSourcesAndAdvisories(t *testing.T) {
	t.Parallel()
	t.Run("sqlite", func(t *testing.T) { t.Parallel(); scansSourcesAndAdvisories(t, "") })
	t.Run("postgres", func(t *testing.T) {
		t.Parallel()
		if cluster == nil {
			live.Missing(t, noCluster.Error())
		}
		scansSourcesAndAdvisories(t, cluster.Database(t))
	})
}

func scansSourcesAndAdvisories(t *testing.T, database string) {
	h, ctx := openHouse(t, database), t.Context()
	hosts := []string{"a.example", "b.example", "c.example"}
	for day := 1; day <= 5; day++ {
		lines := []string{runLine("alpha", day)}
		for _, host := range hosts {
			for _, cve := range []string{"CVE-2024-1001", "CVE-2024-1002", "CVE-2024-1003"} {
				if day < 5 || host != "a.example" || cve != "CVE-2024-1002" { // on the last day one is gone
					lines = append(lines, weak("alpha", host, cve))
				}
			}
			lines = append(lines, covers("alpha", host))
		}
		if day == 1 {
			lines = append(lines, "broken", `{"kind":"weakness","title":"nothing names this one"}`, "broken too")
		}
		h.report(fmt.Sprintf("alpha-%d.jsonl", day), lines...)
		if day == 3 {
			h.report("beta.jsonl", runLine("beta", 3), weak("beta", "a.example", "CVE-2024-1001"), weak("beta", "a.example", "CVE-2024-1002"), weak("beta", "a.example", "CVE-2024-1009"))
		}
	}

	// Pages of scans, newest first.
	var names []string
	q := server.ScanQuery{Limit: 4}
	for {
		p, err := h.Scans(ctx, q)
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range p.Rows {
			names = append(names, s.Name)
		}
		if q.After = p.Next; q.After == 0 {
			break
		}
	}
	if diff := cmp.Diff([]string{"alpha-5.jsonl", "alpha-4.jsonl", "beta.jsonl", "alpha-3.jsonl", "alpha-2.jsonl", "alpha-1.jsonl"}, names); diff != "" {
		t.Errorf("scans (-want +got):\n%s", diff)
	}
	if p, err := h.Scans(ctx, server.ScanQuery{Tool: "beta", Limit: 9}); err != nil || len(p.Rows) != 1 || p.Next != 0 || !slices.Equal(p.Tools, []string{"alpha", "beta"}) {
		t.Errorf("scans of one tool: %+v, %v", p, err)
	}

	// One scan.
	d, err := h.Scan(ctx, 1, "")
	if err != nil {
		t.Fatal(err)
	}
	if d.Opened != 9 || len(d.Findings) != 9 || d.New != 9 || d.Errors != 3 || d.Covered != 0 {
		t.Errorf("scan 1 opened %d (%d), says %d, has %d errors and covers %d", d.Opened, len(d.Findings), d.New, d.Errors, d.Covered)
	}
	if d, err = h.Scan(ctx, 2, ""); err != nil || d.Opened != 0 || d.Covered != 3 || len(d.Assets) != 3 {
		t.Errorf("scan 2 opened %d and covers %d (%d), %v", d.Opened, d.Covered, len(d.Assets), err)
	}
	if diff := cmp.Diff([]server.CoveredClass{{Tool: "alpha", Class: "vuln", Assets: 3}}, d.Classes); diff != "" {
		t.Errorf("classes (-want +got):\n%s", diff)
	}
	if d, err := h.Scan(ctx, 4, ""); err != nil || d.Name != "beta.jsonl" || d.Opened != 1 || len(d.Classes) != 0 {
		t.Errorf("a scan that proves nothing: %+v, %v", d, err)
	}
	first, err := h.ScanErrors(ctx, 1, server.BrokenQuery{Limit: 2})
	if err != nil || len(first.Rows) != 2 || first.Next == "" {
		t.Fatalf("broken records: %+v, %v", first, err)
	}
	rest, err := h.ScanErrors(ctx, 1, server.BrokenQuery{After: first.Next, Limit: 2})
	if err != nil || len(rest.Rows) != 1 || rest.Next != "" || rest.Rows[0].Record <= first.Rows[1].Record {
		t.Errorf("the rest of them: %+v, %v", rest, err)
	}
	for name, ask := range map[string]func() error{
		"a scan":            func() error { _, err := h.Scan(ctx, 99, ""); return err },
		"its errors":        func() error { _, err := h.ScanErrors(ctx, 99, server.BrokenQuery{}); return err },
		"an advisory":       func() error { _, err := h.Advisory(ctx, "CVE-1999-1", ""); return err },
		"an advisory by no": func() error { _, err := h.Advisory(ctx, "4711", ""); return err },
		"no advisory":       func() error { _, err := h.Advisory(ctx, "0", ""); return err },
	} {
		if err := ask(); exposure.KindOf(err) != exposure.NotFound {
			t.Errorf("%s that is not there: %v", name, err)
		}
	}
	if _, err := h.ScanErrors(ctx, 1, server.BrokenQuery{After: "x"}); exposure.KindOf(err) != exposure.Invalid {
		t.Errorf("a cursor of somebody else: %v", err)
	}
	if _, err := h.Advisories(ctx, server.AdvisoryQuery{After: "x"}); exposure.KindOf(err) != exposure.Invalid {
		t.Errorf("a cursor of somebody else: %v", err)
	}

	// What each source is good for. Alpha says on the last day that one of
	// the shared findings is gone; beta still asserts it.
	sources, err := h.Sources(ctx, "")
	if err != nil {
		t.Fatal(err)
	}
	day := func(n int) int64 { return time.Date(2026, 1, n, 4, 0, 0, 0, time.UTC).UnixMilli() }
	want := []server.SourceStatus{
		{Tool: "alpha", Class: "vuln", Last: day(5), Proved: true, Every: 1, Assets: 3, Alone: 7, Shared: 1, Reports: 5, Records: 45 - 1, Broken: 3},
		{Tool: "beta", Class: "vuln", Last: day(3), Alone: 2, Shared: 1, Reports: 1, Records: 3},
	}
	if diff := cmp.Diff(want, sources); diff != "" {
		t.Errorf("sources (-want +got):\n%s", diff)
	}
	// Of one host each tells what it has there; how often they run is the same.
	for filter, want := range map[string][]server.SourceStatus{
		"asset:a.example": {
			{Tool: "alpha", Class: "vuln", Last: day(5), Proved: true, Every: 1, Assets: 1, Alone: 1, Shared: 1, Reports: 5, Records: 45 - 1, Broken: 3},
			{Tool: "beta", Class: "vuln", Last: day(3), Alone: 2, Shared: 1, Reports: 1, Records: 3},
		},
		"-asset:a.example": {{Tool: "alpha", Class: "vuln", Last: day(5), Proved: true, Every: 1, Assets: 2, Alone: 6, Reports: 5, Records: 45 - 1, Broken: 3}},
		"team:nobody":      {},
	} {
		sources, err := h.Sources(ctx, filter)
		if diff := cmp.Diff(want, sources); diff != "" || err != nil {
			t.Errorf("sources of %s, %v (-want +got):\n%s", filter, err, diff)
		}
	}
	if d, err = h.Scan(ctx, 2, "asset:b.example"); err != nil || d.Covered != 1 || len(d.Assets) != 1 || d.Assets[0].Name != "b.example" || d.Classes[0].Assets != 1 {
		t.Errorf("scan 2 covers of one host %d (%+v), %v", d.Covered, d.Assets, err)
	}
	if d, err = h.Scan(ctx, 1, "asset:b.example"); err != nil || d.Opened != 3 || len(d.Findings) != 3 || d.New != 9 || len(d.Classes) != 0 {
		t.Errorf("scan 1 opened on one host %d (%d) of %d, %v", d.Opened, len(d.Findings), d.New, err)
	}
	for _, ask := range []func(filter string) error{
		func(filter string) error { _, err := h.Sources(ctx, filter); return err },
		func(filter string) error { _, err := h.Scan(ctx, 1, filter); return err },
		func(filter string) error { _, err := h.Verdicts(ctx, filter, 9); return err },
		func(filter string) error { _, err := h.Advisory(ctx, "CVE-2024-1001", filter); return err },
		func(filter string) error {
			_, err := h.Advisories(ctx, server.AdvisoryQuery{Filter: filter})
			return err
		},
		func(filter string) error { _, err := h.Unseen(ctx, server.UnseenQuery{Filter: filter}); return err },
		func(filter string) error { _, err := h.Report(ctx, filter, 30); return err },
	} {
		for _, filter := range []string{"sev:high", "nothing:x"} {
			if err := ask(filter); exposure.KindOf(err) != exposure.Invalid {
				t.Errorf("a filter that is none by assets: %v", err)
			}
		}
	}
	// Who saw a shared finding first has no word of his own recorded, and is named all the same.
	list, err := h.Findings(ctx, server.FindingQuery{Filter: "cve:CVE-2024-1001 asset:a.example", Limit: 1})
	if err != nil || len(list.Rows) != 1 {
		t.Fatalf("%+v, %v", list, err)
	}
	id, _ := exposure.ParseFindingID(list.Rows[0].ID)
	shared, err := h.Finding(ctx, id)
	if err != nil {
		t.Fatal(err)
	}
	var tools []string
	for _, s := range shared.Sources {
		tools = append(tools, s.Tool+" "+s.Class+" "+s.State)
	}
	slices.Sort(tools)
	if diff := cmp.Diff([]string{"alpha vuln ", "beta vuln "}, tools); diff != "" {
		t.Errorf("sources of a shared finding (-want +got):\n%s", diff)
	}
	h.now = h.now.AddDate(0, 0, 15)
	if sources, err = h.Sources(ctx, ""); err != nil || !sources[0].Quiet || sources[1].Quiet {
		t.Errorf("after two weeks of silence: %+v, %v", sources, err)
	}
	h.now = h.now.AddDate(0, 0, -15)

	// Advisories, by page; the asset and the versions that fix them.
	var keys []string
	aq := server.AdvisoryQuery{Limit: 3}
	for {
		p, err := h.Advisories(ctx, aq)
		if err != nil || p.Total != 4 {
			t.Fatalf("%d advisories, %v", p.Total, err)
		}
		for _, r := range p.Rows {
			keys = append(keys, fmt.Sprintf("%s %d/%d", r.Key, r.Findings, r.Assets))
		}
		if aq.After = p.Next; aq.After == "" {
			break
		}
	}
	slices.Sort(keys)
	if diff := cmp.Diff([]string{"CVE-2024-1001 3/3", "CVE-2024-1002 3/3", "CVE-2024-1003 3/3", "CVE-2024-1009 1/1"}, keys); diff != "" {
		t.Errorf("advisories (-want +got):\n%s", diff)
	}
	if p, err := h.Advisories(ctx, server.AdvisoryQuery{Text: "ness CVE-2024-1009", Limit: 5}); err != nil || p.Total != 1 || p.Rows[0].Key != "CVE-2024-1009" {
		t.Errorf("search: %+v, %v", p, err)
	}
	adv, err := h.Advisory(ctx, "cve-2024-1001", "")
	if err != nil || adv.Key != "CVE-2024-1001" || adv.Findings != 3 || len(adv.On) != 3 || adv.FirstSeen != "2026-01-01" || len(adv.News) != 1 {
		t.Errorf("an advisory: %+v, %v", adv, err)
	}
	if diff := cmp.Diff([]server.FixVersion{{Component: "openssl", Versions: "3.0.2", Findings: 3}}, adv.Fixes); diff != "" {
		t.Errorf("fixes (-want +got):\n%s", diff)
	}
	asset, err := h.Asset(ctx, 1)
	if err != nil || asset.Parts != 1 || asset.Components[0].Findings != 4 || asset.Components[0].Name != "openssl" {
		t.Errorf("the components of an asset: %+v, %v", asset.Components, err)
	}
}

// Verdicts on a part are found behind many on others, in order and once each.
func TestVerdictsOfAPart(t *testing.T) {
	t.Parallel()
	h, ctx := openHouse(t, ""), t.Context()
	h.report("r.jsonl", runLine("alpha", 1), weak("alpha", "a.example", "CVE-2024-1001"), weak("alpha", "b.example", "CVE-2024-1001"))
	say := func(host, evidence string, times int) {
		t.Helper()
		for i := range times {
			if _, err := h.RecordVerdict(ctx, server.VerdictRequest{Filter: "asset:" + host, Kind: "exploitable", Evidence: fmt.Sprintf("%s %d", evidence, i), Actor: "ada"}); err != nil {
				t.Fatal(err)
			}
		}
	}
	say("a.example", "ours", 2)
	say("b.example", "theirs", verdictsPart+3)
	say("a.example", "ours again", 1)
	rows, err := h.Verdicts(ctx, "asset:a.example", 50)
	var notes []string
	for _, r := range rows {
		notes = append(notes, r.Asset+" "+r.Note)
	}
	slices.Sort(notes) // all are of the same moment
	if diff := cmp.Diff([]string{"a.example ours 0", "a.example ours 1", "a.example ours again 0"}, notes); diff != "" || err != nil {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
	for filter, want := range map[string]int{"asset:b.example": 50, "": 50, "team:shop": 0} {
		if rows, err := h.Verdicts(ctx, filter, 50); err != nil || len(rows) != want {
			t.Errorf("%q: %d verdicts, %v", filter, len(rows), err)
		}
	}
}

// What is new is what the feeds and the reports said lately.
func TestNewAdvisories(t *testing.T) {
	t.Parallel()
	h, ctx := openHouse(t, ""), t.Context()
	h.now = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	h.report("old.jsonl", runLine("alpha", 2), weak("alpha", "a.example", "CVE-2024-1001"), weak("alpha", "a.example", "CVE-2024-1002"), weak("alpha", "a.example", "CVE-2024-1003"))
	edition := func(day int, scores string) {
		t.Helper()
		file := filepath.Join(t.TempDir(), "epss.csv")
		text := fmt.Sprintf("#model_version:v2025.03.14,score_date:2026-03-%02dT00:00:00+0000\ncve,epss,percentile\n%s", day, scores)
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := h.UpdateFeeds(ctx, server.FeedsRequest{Names: []string{"epss"}, Locations: map[string][]string{"epss": {file}}}); err != nil {
			t.Fatal(err)
		}
	}
	edition(1, "CVE-2024-1001,0.02,0.5\nCVE-2024-1002,0.02,0.5\n")
	fresh := func(days int) (out []string) {
		t.Helper()
		p, err := h.Advisories(ctx, server.AdvisoryQuery{Days: days, Limit: 50})
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range p.Rows {
			for _, n := range r.News {
				out = append(out, fmt.Sprintf("%s %s %s %.2f %.2f", r.Key, n.Kind, n.Day, n.Earlier, n.Later))
			}
		}
		slices.Sort(out)
		return out
	}
	if got := fresh(7); got != nil {
		t.Errorf("a first score is news: %v", got)
	}
	h.now = h.now.AddDate(0, 0, 1)
	edition(2, "CVE-2024-1001,0.62,0.98\nCVE-2024-1002,0.04,0.6\nCVE-2024-1003,0.9,0.99\n")
	if diff := cmp.Diff([]string{"CVE-2024-1001 epss 2026-03-02 0.02 0.62"}, fresh(7)); diff != "" {
		t.Errorf("a rise (-want +got):\n%s", diff)
	}
	h.now = h.now.AddDate(0, 0, 20)
	if got := fresh(7); got != nil {
		t.Errorf("it is still news after three weeks: %v", got)
	}
	if got := fresh(30); len(got) != 1 {
		t.Errorf("within 30 days: %v", got)
	}
	if got := fresh(365); len(got) != 4 {
		t.Errorf("within a year: %v", got)
	}
}

// Lists go on by the links on their pages: as fragments for the script, as
// pages without it. Each row comes once.
func TestFurtherRows(t *testing.T) {
	t.Parallel()
	s := startSite(t, "--offline")
	admin := s.admin()
	var report strings.Builder
	if err := testkit.Trivy(&report, testkit.Estate{Findings: 120, Seed: 2}); err != nil {
		t.Fatal(err)
	}
	broken := runLine("alpha", 1) + "\n" + weak("alpha", "a.example", "CVE-2024-1001") + strings.Repeat("\nbroken", 70)
	for name, text := range map[string]string{"trivy.json": report.String(), "alpha.jsonl": broken} {
		if code, answer := admin.do("POST", "/api/v1/scans?name="+name, text, "Content-Type", "application/octet-stream"); code != 200 {
			t.Fatalf("%s: %d %s", name, code, answer)
		}
	}
	_, text := admin.do("GET", "/api/v1/scans?tool=alpha", "")
	scan := regexp.MustCompile(`"id":(\d+)`).FindStringSubmatch(text)[1]
	more := regexp.MustCompile(`hx-get="([^"]+)" hx-target="closest tr"`)
	for _, c := range []struct {
		page string
		row  *regexp.Regexp
		want int
	}{
		{"/advisories", regexp.MustCompile(`href="(/advisories/\d+)"`), 121},
		{"/advisories?days=365&q=package", regexp.MustCompile(`href="(/advisories/\d+)"`), 0},
		{"/scans/" + scan, regexp.MustCompile(`>record (\d+)`), 70},
	} {
		for _, script := range []string{"", "true"} {
			seen := map[string]int{}
			for link, pages := c.page, 0; link != "" && pages < 9; pages++ {
				code, text := admin.do("GET", link, "", "HX-Request", script)
				if code != 200 || (pages > 0 && script != "") == strings.Contains(text, "<!doctype html>") {
					t.Fatalf("%s with script %q: %d, %.100s", link, script, code, text)
				}
				for _, m := range c.row.FindAllStringSubmatch(text, -1) {
					seen[m[1]]++
				}
				link = ""
				if m := more.FindStringSubmatch(text); m != nil {
					link = html.UnescapeString(m[1])
				}
			}
			for row, n := range seen {
				if n != 1 {
					t.Errorf("%s shows %s %d times", c.page, row, n)
				}
			}
			if len(seen) != c.want {
				t.Errorf("%s has %d rows, want %d", c.page, len(seen), c.want)
			}
		}
	}
	for _, page := range []string{"/scans/99", "/scans/x", "/advisories/99999", "/advisories/CVE-1999-1", "/api/v1/scans/99", "/api/v1/scans/99/errors", "/api/v1/advisories/nothing"} {
		if code, _ := admin.do("GET", page, ""); code != 404 {
			t.Errorf("%s: %d", page, code)
		}
	}
	stranger := s.visitor()
	for _, page := range []string{"/api/v1/scans/1", "/api/v1/scans/1/errors", "/api/v1/sources", "/api/v1/advisories", "/api/v1/advisories/1"} {
		if code, _ := stranger.do("GET", page, ""); code != 401 {
			t.Errorf("a stranger gets %d for %s", code, page)
		}
		if code, text := admin.do("GET", page, ""); code != 200 {
			t.Errorf("%s: %d %s", page, code, text)
		}
	}
}

// BenchmarkPagesOfOrigin measures what the pages of scans, sources and
// advisories ask, and the measures of everything and of a part, on 300,000
// findings of one tool of which another shares some.
func BenchmarkPagesOfOrigin(b *testing.B) {
	h, ctx := openHouse(b, ""), b.Context()
	r, w := io.Pipe()
	go func() { w.CloseWithError(testkit.Nuclei(w, testkit.Estate{Findings: 300_000, Seed: 1})) }()
	if _, err := h.Import(ctx, discover.Request{Name: "nuclei.jsonl"}, r); err != nil {
		b.Fatal(err)
	}
	// Another tool asserts a third of them too.
	h.report("beta.jsonl", runLine("beta", 3), weak("beta", "a.example", "CVE-2024-1001"))
	err := h.db.Write(ctx, func(tx *store.Tx) error {
		words := make([]exposure.SourceState, 100_000)
		for i := range words {
			words[i] = exposure.SourceState{Finding: exposure.FindingID(3*i + 1), Source: 2, Scan: 2, At: 1}
		}
		return tx.PutSourceStates(ctx, words)
	})
	if err != nil {
		b.Fatal(err)
	}
	forget := func() { h.heard.view, h.stored.heard, h.ranked.view = nil, nil, nil }
	const part = "asset:*17*"
	for _, c := range []struct {
		name string
		ask  func() error
	}{
		{"scans", func() error { _, err := h.Scans(ctx, server.ScanQuery{Limit: 50}); return err }},
		{"scan", func() error { _, err := h.Scan(ctx, 1, ""); return err }},
		{"sources", func() error { _, err := h.Sources(ctx, ""); return err }},
		{"sources-cold", func() error { forget(); _, err := h.Sources(ctx, ""); return err }},
		{"advisories", func() error { _, err := h.Advisories(ctx, server.AdvisoryQuery{Limit: 50}); return err }},
		{"advisories-cold", func() error { forget(); _, err := h.Advisories(ctx, server.AdvisoryQuery{Limit: 50}); return err }},
		{"sources-of-a-part-cold", func() error { forget(); _, err := h.Sources(ctx, part); return err }},
		{"advisories-of-a-part-cold", func() error {
			forget()
			_, err := h.Advisories(ctx, server.AdvisoryQuery{Filter: part, Limit: 50})
			return err
		}},
		{"verdicts-of-a-part", func() error { _, err := h.Verdicts(ctx, part, 50); return err }},
		{"measures-cold", func() error { h.measured.forget().forget(); _, err := h.Measures(ctx, ""); return err }},
		{"measures-of-a-part-cold", func() error { h.measured.forget(); _, err := h.Measures(ctx, part); return err }},
		{"measures-of-a-part", func() error { _, err := h.Measures(ctx, part); return err }},
		{"advisories-search", func() error {
			_, err := h.Advisories(ctx, server.AdvisoryQuery{Text: "product 39", Limit: 50})
			return err
		}},
		{"advisories-new", func() error { _, err := h.Advisories(ctx, server.AdvisoryQuery{Days: 30, Limit: 50}); return err }},
		{"advisory", func() error { _, err := h.Advisory(ctx, "1", ""); return err }},
		{"asset", func() error { _, err := h.Asset(ctx, 1); return err }},
	} {
		b.Run(c.name, func(b *testing.B) {
			for b.Loop() {
				if err := c.ask(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
