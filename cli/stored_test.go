package cli

import (
	"bytes"
	"encoding/json"
	"fmt"
	"html"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/leeward-ctem/leeward/exposure"
	"github.com/leeward-ctem/leeward/internal/testkit/live"
	"github.com/leeward-ctem/leeward/server"
)

// Every number on the pages of scans and sources has the list that it counts.
func TestStoredTerms(t *testing.T) {
	t.Parallel()
	t.Run("sqlite", func(t *testing.T) { t.Parallel(); storedTerms(t, "") })
	t.Run("postgres", func(t *testing.T) {
		t.Parallel()
		if cluster == nil {
			live.Missing(t, noCluster.Error())
		}
		storedTerms(t, cluster.Database(t))
	})
}

// listed are the findings of a filter, as the host and the last digit of the CVE.
func (h *testHouse) listed(filter string) (all []string) {
	h.t.Helper()
	p, err := h.Findings(h.t.Context(), server.FindingQuery{Filter: filter, Limit: 1000})
	if err != nil || p.Total != len(p.Rows) {
		h.t.Fatalf("%s: %d of %d, %v", filter, len(p.Rows), p.Total, err)
	}
	for _, r := range p.Rows {
		all = append(all, r.Asset+" "+r.Advisory[len(r.Advisory)-1:])
	}
	slices.Sort(all)
	return all
}

func storedTerms(t *testing.T, database string) {
	h, ctx := openHouse(t, database), t.Context()
	want := func(filter string, list ...string) {
		t.Helper()
		if diff := cmp.Diff(list, h.listed(filter)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", filter, diff)
		}
	}
	agree := func() { // the numbers of the pages and the lists they link to
		t.Helper()
		scans, err := h.Scans(ctx, server.ScanQuery{Limit: 100})
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range scans.Rows {
			for term, n := range map[string]int{"opened_by": s.New, "closed_by": s.Closed, "reopened_by": s.Reopened} {
				if got := h.listed(fmt.Sprintf("is:any %s:%d", term, s.ID)); len(got) != n {
					t.Errorf("%s says %d, and %s lists %q", s.Name, n, term, got)
				}
			}
			if d, err := h.Scan(ctx, s.ID, ""); err != nil || d.Opened != s.New || len(d.Findings) != s.New {
				t.Errorf("the page of %s opens with %d of %d, %v, and the report says %d", s.Name, len(d.Findings), d.Opened, err, s.New)
			}
		}
		sources, err := h.Sources(ctx, "")
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range sources {
			if got := h.listed(fmt.Sprintf("only:%q", s.Tool+"/"+s.Class)); len(got) != s.Alone {
				t.Errorf("%s asserts %d alone, listed are %q", s.Tool, s.Alone, got)
			}
			if got := h.listed(fmt.Sprintf("shared:%q", s.Tool+"/"+s.Class)); len(got) != s.Shared {
				t.Errorf("%s shares %d, listed are %q", s.Tool, s.Shared, got)
			}
		}
	}
	one, two, three := "CVE-2024-1001", "CVE-2024-1002", "CVE-2024-1003"
	h.report("1.jsonl", runLine("alpha", 1), weak("alpha", "a.example", one), weak("alpha", "a.example", two), weak("alpha", "b.example", one), covers("alpha", "a.example"), covers("alpha", "b.example"))
	want("scan:2")
	want("scan:1", "a.example 1", "a.example 2", "b.example 1")
	h.report("2.jsonl", runLine("alpha", 2), weak("alpha", "b.example", one), weak("alpha", "b.example", three), covers("alpha", "a.example"), covers("alpha", "b.example"))
	h.report("3.jsonl", runLine("beta", 3), weak("beta", "b.example", one), weak("beta", "a.example", two))
	agree()
	want("scan:1", "a.example 2", "b.example 1") // closed, and open again by beta
	want("is:any scan:1", "a.example 1", "a.example 2", "b.example 1")
	want("is:any -scan:1", "b.example 3")
	want("scan:2,3", "a.example 2", "b.example 1", "b.example 3")
	want("scan:2 scan:3", "b.example 1")
	want("is:any opened_by:1", "a.example 1", "a.example 2", "b.example 1")
	want("opened_by:2 sev:high", "b.example 3")
	want("is:any closed_by:2", "a.example 1", "a.example 2")
	want("closed_by:2 -reopened_by:3")
	want("reopened_by:3", "a.example 2")
	want("only:alpha", "b.example 3")
	want("is:any only:alpha", "b.example 3") // of what is gone nobody asserts anything
	want("-only:alpha", "a.example 2", "b.example 1")
	want("only:beta", "a.example 2")
	want("shared:beta", "b.example 1")
	want("only:alpha/vuln,beta/vuln", "a.example 2", "b.example 3")
	want("only:gamma")
	want("scan:99")
	want("is:any -scan:99 asset:a.example", "a.example 1", "a.example 2")

	// Whatever takes a filter takes these terms.
	if moved, err := h.Move(ctx, server.MoveRequest{Filter: "scan:3 only:beta", Cause: "triage", Actor: "ada"}); err != nil || moved.Moved != 1 {
		t.Errorf("moved %d, %v", moved.Moved, err)
	}
	want("status:triaged", "a.example 2")
	if c, err := h.Concerned(ctx, "-scan:2"); err != nil || c.Findings != 1 || c.Assets != 1 {
		t.Errorf("concerned: %+v, %v", c, err)
	}
	fixes, err := h.Remediations(ctx, "shared:alpha")
	if err != nil || len(fixes) != 1 || fixes[0].Findings != 1 {
		t.Errorf("fixes: %+v, %v", fixes, err)
	}
	if d, err := h.RemediationOf(ctx, fixes[0].Key, "shared:alpha"); err != nil || len(d.Rows) != 1 {
		t.Errorf("one fix: %d, %v", len(d.Rows), err)
	}
	groups, err := h.Groups(ctx, "is:any closed_by:2", []string{"status"})
	if err != nil || len(groups) != 2 {
		t.Errorf("groups: %+v, %v", groups, err)
	}
	for range 2 {
		facets, err := h.Facets(ctx, "opened_by:1,2", []string{"tool", "severity"})
		if err != nil || len(facets) != 2 || facets[0][0].Count+len(facets[0]) != 4 {
			t.Errorf("facets: %+v, %v", facets, err)
		}
	}
	var file bytes.Buffer
	if err := h.Export(ctx, "jsonl", "is:any scan:1", &file); err != nil || strings.Count(file.String(), "\n") != 3 {
		t.Errorf("exported %q, %v", file.String(), err)
	}
	if e, err := h.RequestException(ctx, server.ExceptionRequest{Filter: "only:alpha", Reason: "for a while", Expires: "2026-02-01", Actor: "ada"}); err != nil || len(e.Findings) != 1 {
		t.Errorf("an exception from %d findings, %v", len(e.Findings), err)
	}
	if _, err := h.Assets(ctx, server.AssetQuery{Filter: "scan:1", Limit: 5}); exposure.KindOf(err) != exposure.Invalid {
		t.Errorf("assets of a scan: %v", err)
	}

	// A claim that a scan does not believe counts with what it reopened.
	if _, err := h.Move(ctx, server.MoveRequest{Filter: "cve:" + three, Cause: "claim", Actor: "ada"}); err != nil {
		t.Fatal(err)
	}
	h.now = h.now.AddDate(0, 0, 5)
	h.report("4.jsonl", runLine("alpha", 8), weak("alpha", "b.example", three))
	want("reopened_by:4", "b.example 3")
	agree()

	// Two hosts turn out to be one: what reports saw of the younger they saw of
	// what it became.
	both := strings.Replace(weak("alpha", "a.example", two), `"value":"a.example"}`, `"value":"a.example"},{"kind":"hostname","value":"b.example"}`, 1)
	h.report("5.jsonl", runLine("alpha", 9), both)
	want("is:any scan:1", "a.example 1", "a.example 2")
	want("is:any scan:2", "a.example 1", "a.example 3")
	want("scan:3", "a.example 1", "a.example 2")
	want("is:any opened_by:1", "a.example 1", "a.example 2")
	want("is:any opened_by:2", "a.example 3")
	if d, err := h.Scan(ctx, 1, ""); err != nil || d.Opened != 2 || d.New != 3 {
		t.Errorf("of three findings two are left: %d, %v", d.Opened, err)
	}
	sources, err := h.Sources(ctx, "")
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range sources {
		if got := h.listed("only:" + s.Tool + "/" + s.Class); len(got) != s.Alone {
			t.Errorf("after the merge %s asserts %d alone, listed are %q", s.Tool, s.Alone, got)
		}
	}
}

// The numbers on the pages lead to as many findings.
func TestNumbersLeadToLists(t *testing.T) {
	t.Parallel()
	s := startSite(t, "--offline")
	admin := s.admin()
	for i, lines := range [][]string{
		{runLine("alpha", 1), weak("alpha", "a.example", "CVE-2024-1001"), weak("alpha", "a.example", "CVE-2024-1002"), covers("alpha", "a.example")},
		{runLine("alpha", 2), weak("alpha", "a.example", "CVE-2024-1001"), covers("alpha", "a.example")},
		{runLine("in house, new", 3), weak("in house, new", "a.example", "CVE-2024-1001"), weak("in house, new", "a.example", "CVE-2024-1002"), weak("in house, new", "a.example", "CVE-2024-1003")},
	} {
		if code, text := admin.do("POST", fmt.Sprintf("/api/v1/scans?name=%d.jsonl", i), strings.Join(lines, "\n"), "Content-Type", "application/octet-stream"); code != 200 {
			t.Fatalf("%d %s", code, text)
		}
	}
	total := func(query string) (n int) {
		t.Helper()
		code, text := admin.do("GET", "/api/v1/findings?"+query, "")
		var p struct{ Total int }
		if err := json.Unmarshal([]byte(text), &p); err != nil || code != 200 {
			t.Fatalf("%s: %d %v %s", query, code, err, text)
		}
		return p.Total
	}
	number := regexp.MustCompile(`<a class="(?:num|card tile flat)" href="/findings\?([^"]+)">(?:<span class="label">[^<]*</span><strong>)?(\d+)<`)
	for page, want := range map[string]int{"/scans": 6, "/scans/1": 2, "/scans/2": 2, "/scans/3": 3, "/sources": 3} {
		code, text := admin.do("GET", page, "")
		found := number.FindAllStringSubmatch(text, -1)
		if code != 200 || len(found) != want {
			t.Errorf("%s: %d, with %d numbers that lead to a list, want %d: %q", page, code, len(found), want, found)
		}
		for _, m := range found {
			query := html.UnescapeString(m[1])
			if got := fmt.Sprint(total(query)); got != m[2] {
				t.Errorf("%s says %s and leads to %s findings by %s", page, m[2], got, query)
			}
			if code, text := admin.do("GET", "/findings?"+query, ""); code != 200 || strings.Contains(text, "There is something wrong") {
				t.Errorf("/findings?%s: %d", query, code)
			}
		}
	}
	for filter, want := range map[string]string{"scan:abc": "write scan:12", "scan:99999999999": "write scan:12", "only>x": "write only:trivy"} {
		if code, text := admin.do("GET", "/api/v1/findings?q="+url.QueryEscape(filter), ""); code != 422 && code != 400 || !strings.Contains(text, want) {
			t.Errorf("%s: %d %s", filter, code, text)
		}
	}
	if n := total("q=" + url.QueryEscape("is:any scan:4711,4294967295")); n != 0 {
		t.Errorf("reports that are not known saw %d findings", n)
	}
	for at, want := range map[string]string{"only:": `"in house, new"`, "only:alpha/": `alpha/vuln`, "shared:alp": `alpha`} {
		_, text := admin.do("GET", fmt.Sprintf("/api/v1/complete?q=%s&at=%d", url.QueryEscape(at), len(at)), "")
		var c struct{ Rows []exposure.Choice }
		if err := json.Unmarshal([]byte(text), &c); err != nil || len(c.Rows) == 0 || !strings.Contains(text, strings.ReplaceAll(want, `"`, `\"`)) || !strings.HasSuffix(c.Rows[0].Help, "1 source") {
			t.Errorf("%s suggests %s, %v", at, text, err)
		}
	}
}
