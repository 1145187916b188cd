package cli

import (
	"bytes"
	"encoding/json"
	"fmt"
	"html"
	"io"
	"mime/multipart"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/google/go-cmp/cmp"

	"github.com/leeward-ctem/leeward/exposure"
	"github.com/leeward-ctem/leeward/internal/testkit/live"
	"github.com/leeward-ctem/leeward/measure"
	"github.com/leeward-ctem/leeward/server"
	"github.com/leeward-ctem/leeward/web"
)

// ask reads a JSON answer.
func ask[T any](v *visitor, path string) (out T) {
	v.t.Helper()
	code, text := v.do("GET", path, "")
	if code != 200 {
		v.t.Fatalf("%s: %d %s", path, code, text)
	}
	if err := json.Unmarshal([]byte(text), &out); err != nil {
		v.t.Fatalf("%s: %v", path, err)
	}
	return out
}

type rowsOf[T any] struct {
	Rows []T `json:"rows"`
}

// Whatever a scope is, it narrows lists, counts and exports to exactly what the
// same term in the filter selects, in the pages by the session and in the API by
// the request.
func TestScopeNarrowsEverything(t *testing.T) {
	t.Parallel()
	s := startSite(t, "--demo")
	v := s.admin()
	choices := ask[rowsOf[server.ScopeChoice]](v, "/api/v1/scope/choices").Rows
	kinds := map[string]server.ScopeChoice{}
	for _, c := range choices {
		if c.Assets > 0 {
			kinds[c.Kind] = c
		}
	}
	if len(kinds) != 3 {
		t.Fatalf("the demo has choices of the kinds %v", kinds)
	}
	everything := ask[server.Summary](v, "/api/v1/summary")
	for _, c := range kinds {
		q := url.QueryEscape(c.Term)
		want := ask[server.FindingPage](v, "/api/v1/findings?q="+q).Total
		if want == 0 || want == everything.Counts.Findings {
			t.Errorf("%s selects %d of %d findings, which tests nothing", c.Term, want, everything.Counts.Findings)
		}
		if got := ask[server.FindingPage](v, "/api/v1/findings?scope="+q).Total; got != want {
			t.Errorf("%s: %d findings, want %d", c.Term, got, want)
		}
		sum := ask[server.Summary](v, "/api/v1/summary?scope="+q)
		if sum.Counts.Findings != want || sum.Counts.Assets != c.Assets {
			t.Errorf("%s: the summary says %+v, want %d findings on %d assets", c.Term, sum.Counts, want, c.Assets)
		}
		if got := ask[server.AssetPage](v, "/api/v1/assets?scope="+q).Total; got != c.Assets {
			t.Errorf("%s: %d assets, want %d", c.Term, got, c.Assets)
		}
		grouped := 0
		for _, g := range ask[rowsOf[server.GroupRow]](v, "/api/v1/groups?by=band&scope="+q).Rows {
			grouped += g.Count
		}
		if grouped != want {
			t.Errorf("%s: %d findings in groups, want %d", c.Term, grouped, want)
		}
		if a, b := len(ask[rowsOf[any]](v, "/api/v1/remediations?q="+q).Rows), len(ask[rowsOf[any]](v, "/api/v1/remediations?scope="+q).Rows); a != b || b != sum.Counts.Remediations {
			t.Errorf("%s: %d fixes by filter, %d by scope, %d in the summary", c.Term, a, b, sum.Counts.Remediations)
		}
		// A fix is of the scope what the list says of it.
		for _, fix := range ask[rowsOf[exposure.Remediation]](v, "/api/v1/remediations?scope="+q).Rows {
			d := ask[server.RemediationDetail](v, "/api/v1/remediations/"+fix.Key+"?scope="+q)
			if d.Findings != fix.Findings || d.Assets != fix.Assets || len(d.On) != min(fix.Assets, 200) {
				t.Errorf("%s: %s has %d findings on %d assets, and %d on %d in the list", c.Term, fix.Key, d.Findings, d.Assets, fix.Findings, fix.Assets)
			}
		}
		// The pages: a deep link chooses, is shown without the parameter, and stays.
		if code, _ := v.do("GET", "/findings?q=kev%3Afalse&scope="+q, ""); code != 303 {
			t.Errorf("%s: the deep link gave %d", c.Term, code)
		}
		_, page := v.do("GET", "/findings", "")
		if !strings.Contains(page, fmt.Sprintf("%s findings", thousands(want))) {
			t.Errorf("%s: the page does not say %d findings", c.Term, want)
		}
		_, csv := v.do("GET", "/api/v1/findings.csv", "")
		if got := strings.Count(csv, "\n\"F-"); got != want {
			t.Errorf("%s: the export has %d findings, want %d", c.Term, got, want)
		}
		// What the session chose is nobody's business in the API.
		if got := ask[server.FindingPage](v, "/api/v1/findings").Total; got != everything.Counts.Findings {
			t.Errorf("the API is narrowed by the session: %d", got)
		}
	}
	// A backslash or an open quote at the end of the filter does not swallow the scope.
	c := kinds["service"]
	v.do("GET", "/?scope="+url.QueryEscape(c.Term), "")
	for _, q := range []string{`\`, `"`, `sev:critical,`, `a\`, "-"} {
		code, page := v.do("GET", "/findings?q="+url.QueryEscape(q), "")
		if code != 200 || strings.Contains(page, thousands(everything.Counts.Findings)+" findings") {
			t.Errorf("the filter %q escapes the scope (%d)", q, code)
		}
	}
	// All that match are no more than all that are shown.
	want := ask[server.FindingPage](v, "/api/v1/findings?limit=1&q="+url.QueryEscape("status:open "+c.Term)).Total
	code, page := v.do("POST", "/findings/move", url.Values{"all": {"true"}, "q": {"status:open"}, "cause": {"triage"}}.Encode(), "Content-Type", "application/x-www-form-urlencoded")
	if code != 200 || !strings.Contains(page, fmt.Sprintf("Triage %d findings?", want)) || !strings.Contains(page, c.Term) {
		t.Errorf("the question does not speak of %d findings (%d)", want, code)
	}
	v.do("GET", "/?scope=", "")
	v.do("POST", "/findings/move", url.Values{"all": {"true"}, "q": {"status:open " + c.Term}, "cause": {"triage"}, "confirmed": {"true"}}.Encode(), "Content-Type", "application/x-www-form-urlencoded")
	if got := ask[server.FindingPage](v, "/api/v1/findings?limit=1&q=status:triaged").Total; got < want || got >= everything.Counts.Findings {
		t.Errorf("%d findings are triaged, want %d and what was before", got, want)
	}
	for _, bad := range []string{"sev:critical", "-service:x", "service:a,b", "service:a service:b", "text", "service:", strings.Repeat("x", 5000)} {
		if code, _ := v.do("GET", "/findings?scope="+url.QueryEscape(bad), ""); code != 400 {
			t.Errorf("the scope %.20q gave %d", bad, code)
		}
		if code, _ := v.do("GET", "/api/v1/summary?scope="+url.QueryEscape(bad), ""); code != 400 {
			t.Errorf("the scope %.20q gave %d in the API", bad, code)
		}
	}
	// Strangers choose nothing, and come to what they asked for after sign-in.
	stranger := s.visitor()
	if code, _ := stranger.do("GET", "/findings?scope="+url.QueryEscape(c.Term), ""); code != 303 {
		t.Errorf("a stranger gets %d", code)
	}
}

func thousands(n int) string {
	if n < 1000 {
		return fmt.Sprint(n)
	}
	return fmt.Sprintf("%d,%03d", n/1000, n%1000)
}

// parts are all teams of the demo and what nobody owns: every asset is in
// exactly one of them.
func parts(v *visitor) (terms []string) {
	for _, c := range ask[rowsOf[server.ScopeChoice]](v, "/api/v1/scope/choices").Rows {
		if c.Kind == "team" {
			terms = append(terms, c.Term)
		}
	}
	if len(terms) < 3 {
		v.t.Fatalf("the demo has the teams %v", terms)
	}
	return append(terms, "team:none")
}

// What tells where findings come from is of the scope: over the teams it adds up
// to what it is of everything, and each number is that of the list behind it.
func TestScopeNarrowsWhereFindingsComeFrom(t *testing.T) {
	t.Parallel()
	s := startSite(t, "--demo")
	v := s.admin()
	type counts map[string]int // by what is counted
	tally := func(scope string) counts {
		n := counts{}
		advisories := ask[server.AdvisoryPage](v, "/api/v1/advisories?limit=1000"+scope)
		for _, r := range advisories.Rows {
			n["findings of "+r.Key] += r.Findings
			n["assets of "+r.Key] += r.Assets
			n["overdue of "+r.Key] += r.Overdue
			if r.Findings == 0 {
				t.Errorf("%s: %s is listed without findings", scope, r.Key)
			}
		}
		if len(advisories.Rows) != advisories.Total {
			t.Fatalf("%s: %d of %d advisories", scope, len(advisories.Rows), advisories.Total)
		}
		for _, r := range ask[rowsOf[server.SourceStatus]](v, "/api/v1/sources?"+scope).Rows {
			n["assets by "+r.Tool+" "+r.Class] += r.Assets
			n["alone by "+r.Tool+" "+r.Class] += r.Alone
			n["shared by "+r.Tool+" "+r.Class] += r.Shared
		}
		for _, scan := range ask[rowsOf[exposure.Scan]](v, "/api/v1/scans?limit=4"+scope).Rows {
			d := ask[server.ScanDetail](v, fmt.Sprintf("/api/v1/scans/%d?%s", scan.ID, scope))
			n["covered by "+scan.Name] += d.Covered
			n["seen first by "+scan.Name] += d.Opened
			for _, c := range d.Classes {
				n["covered by "+scan.Name+" "+c.Class] += c.Assets
			}
			if len(d.Assets) != min(d.Covered, maxCovered) || len(d.Findings) != min(d.Opened, 50) {
				t.Errorf("%s: scan %d names %d of %d assets and %d of %d findings", scope, scan.ID, len(d.Assets), d.Covered, len(d.Findings), d.Opened)
			}
		}
		n["verdicts"] += len(ask[rowsOf[server.VerdictRow]](v, "/api/v1/verdicts?limit=1000"+scope).Rows)
		n["unseen"] += ask[server.AssetPage](v, "/api/v1/measures/unseen?limit=1000"+scope).Total
		return n
	}
	whole, sum := tally(""), counts{}
	if n := whole["verdicts"]; n == 0 || n == 1000 {
		t.Errorf("%d verdicts test nothing", n)
	}
	for _, term := range parts(v) {
		scope := "&scope=" + url.QueryEscape(term)
		part := tally(scope)
		if part["verdicts"] == whole["verdicts"] {
			t.Errorf("%s has all verdicts", term)
		}
		for what, n := range part {
			sum[what] += n
		}
		// The parameter is no more than a filter that is given.
		for _, path := range []string{"/api/v1/advisories?limit=1000", "/api/v1/advisories?limit=1000&days=30", "/api/v1/measures/unseen?limit=1000"} {
			if diff := cmp.Diff(ask[any](v, path+"&filter="+url.QueryEscape(term)), ask[any](v, path+scope)); diff != "" {
				t.Errorf("%s by filter and by scope differ:\n%s", path, diff)
			}
		}
		for _, r := range ask[rowsOf[server.VerdictRow]](v, "/api/v1/verdicts?limit=1000"+scope).Rows {
			if n := ask[server.FindingPage](v, "/api/v1/findings?q="+url.QueryEscape("is:any id:"+strings.TrimPrefix(r.Finding, "F-")+" "+term)).Total; n != 1 {
				t.Errorf("%s: the verdict on %s is of another's finding", term, r.Finding)
			}
		}
	}
	if diff := cmp.Diff(whole, sum); diff != "" {
		t.Errorf("the parts do not add up (-want +got):\n%s", diff)
	}
	// The list and the page of an advisory say the same, and so does the list of
	// findings that they lead to.
	choices := ask[rowsOf[server.ScopeChoice]](v, "/api/v1/scope/choices").Rows
	for _, c := range []server.ScopeChoice{choices[0], choices[len(choices)-1]} {
		scope := "scope=" + url.QueryEscape(c.Term)
		here := map[string]bool{}
		for _, r := range ask[server.AdvisoryPage](v, "/api/v1/advisories?limit=12&"+scope).Rows {
			here[r.Key] = true
			d := ask[server.AdvisoryDetail](v, fmt.Sprintf("/api/v1/advisories/%d?%s", r.ID, scope))
			n := ask[server.FindingPage](v, "/api/v1/findings?"+scope+"&q="+url.QueryEscape(exposure.Term{Field: exposure.FieldAdvisory, Values: []string{r.Key}}.String())).Total
			if d.Findings != r.Findings || n != r.Findings || d.Assets != r.Assets || len(d.On) != min(d.Assets, 50) || d.Loss != r.Loss || d.FirstSeen != r.FirstSeen {
				t.Errorf("%s: %s has %d findings on %d assets, its page %d on %d, the list of findings %d", c.Term, r.Key, r.Findings, r.Assets, d.Findings, d.Assets, n)
			}
		}
		for _, r := range ask[server.AdvisoryPage](v, "/api/v1/advisories?limit=1000").Rows {
			in := ask[server.AdvisoryPage](v, "/api/v1/advisories?limit=50&q="+url.QueryEscape(r.Key)+"&"+scope)
			if len(in.Rows) > 0 {
				continue
			}
			d := ask[server.AdvisoryDetail](v, fmt.Sprintf("/api/v1/advisories/%d?%s", r.ID, scope))
			if d.Findings != 0 || d.Assets != 0 || len(d.On) != 0 || len(d.Fixes) != 0 || d.Loss != 0 || d.Info.Key != r.Key {
				t.Errorf("%s: %s is not listed, and has %d findings on %d assets", c.Term, r.Key, d.Findings, d.Assets)
			}
			break
		}
	}
	if code, text := v.do("GET", "/api/v1/advisories?filter=sev:high", ""); code != 400 || !strings.Contains(text, "assets cannot be filtered by") {
		t.Errorf("a condition on findings gave %d %s", code, text)
	}
}

// Measures of a scope are those of what belongs to it today: over the teams they
// add up, and the row of a team in the measures of everything says the same.
func TestScopeNarrowsMeasures(t *testing.T) {
	t.Parallel()
	s := startSite(t, "--demo")
	v := s.admin()
	measures := func(scope string) server.Measures {
		return ask[server.Measures](v, "/api/v1/measures?scope="+url.QueryEscape(scope))
	}
	whole := measures("")
	if whole.Filter != "" || len(whole.History) == 0 || whole.Periods[2].Before == nil {
		t.Fatalf("measures of everything: narrowed to %q, %d days recorded", whole.Filter, len(whole.History))
	}
	total := func(filter string) int {
		return ask[server.FindingPage](v, "/api/v1/findings?limit=1&q="+url.QueryEscape(filter)).Total
	}
	tally := func(n map[string]int, m *server.Measures) {
		for i, d := range m.Days {
			at := fmt.Sprint("day ", i, " ")
			n[at+"opened"] += d.Opened
			n[at+"reopened"] += d.Reopened
			n[at+"closed"] += d.Closed
			n[at+"verified"] += d.Verified
			n[at+"open"] += d.Open
		}
		kept := func(at string, c measure.Compliance) {
			n[at+"met"] += c.Met
			n[at+"ahead"] += c.Ahead
			n[at+"missed"] += c.Missed
			n[at+"running"] += c.Running
			n[at+"overdue"] += c.Overdue
		}
		for band, c := range m.SLA {
			kept(band+" ", c)
		}
		for _, p := range m.Periods {
			at := fmt.Sprint("period ", p.Days, " ")
			kept(at, p.SLA)
			for band, c := range p.ByBand {
				kept(at+band+" ", c)
			}
			for what, c := range map[string]server.Change{"new": p.New, "gone": p.Closed, "exploited": p.Exploited, "late": p.Overdue, "back": p.Back} {
				n[at+what] += c.Count
				if c.Filter != "" && total(c.Filter) != c.Count {
					t.Errorf("%s: %s%s are %d, and the list %q has %d", m.Filter, at, what, c.Count, c.Filter, total(c.Filter))
				}
			}
			n[at+"opened"] += p.Opened
			n[at+"left"] += p.Left
			n[at+"verified"] += p.Verified
		}
		for _, r := range append([]server.Repair{m.Repair}, m.ByBand...) {
			n["known "+r.Name] += r.Curve.Total
			n["fixed "+r.Name] += r.Curve.Fixed
		}
		n["open"] += m.Now.Open
		n["kev"] += m.Now.KEV
		n["late"] += m.Now.Late
		n["assets"] += m.Looks.Assets
		n["seen"] += m.Looks.Seen
	}
	want, got := map[string]int{}, map[string]int{}
	tally(want, &whole)
	terms := parts(v)
	first := measures(terms[0])
	for _, term := range terms {
		m := measures(term)
		tally(got, &m)
		if m.Filter != term || len(m.History) != 0 || m.Periods[2].Before != nil {
			t.Errorf("%s: narrowed to %q, with %d days that were recorded of everything", term, m.Filter, len(m.History))
		}
		if n := total(term); m.Now.Open != n || m.Days[len(m.Days)-1].Open != n || m.Pace.Open != n {
			t.Errorf("%s: %d, %d and %d open, and the list has %d", term, m.Now.Open, m.Days[len(m.Days)-1].Open, m.Pace.Open, n)
		}
		name := strings.Trim(strings.TrimPrefix(term, "team:"), `"`)
		at := slices.IndexFunc(whole.ByTeam, func(r server.Repair) bool { return strings.EqualFold(r.Name, name) })
		if at < 0 {
			if m.Repair.Curve.Total > 0 {
				t.Errorf("%s is in no row of everything", term)
			}
			continue
		}
		row := m.Repair
		row.Name = whole.ByTeam[at].Name
		if diff := cmp.Diff(whole.ByTeam[at], row); diff != "" {
			t.Errorf("%s: the row of everything and the measures of the team differ:\n%s", term, diff)
		}
		if diff := cmp.Diff(whole.TeamSLA[row.Name], m.TeamSLA[row.Name]); diff != "" || len(m.TeamSLA) != 1 {
			t.Errorf("%s: deadlines of %d teams:\n%s", term, len(m.TeamSLA), diff)
		}
		report(t, v, term, &m)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("the teams do not add up (-want +got):\n%s", diff)
	}
	// Nothing of one scope is left in another, also of one that was let go.
	if len(terms) <= maxNarrowed {
		for i := range maxNarrowed {
			measures(fmt.Sprint("team:nobody-", i))
		}
	}
	again := measures(terms[0])
	if first.At, again.At = 0, 0; first.Filter != terms[0] {
		t.Errorf("%q for %s", first.Filter, terms[0])
	}
	if diff := cmp.Diff(first, again); diff != "" {
		t.Errorf("%s is another after other scopes:\n%s", terms[0], diff)
	}
	if m := measures("team:nobody-is-called-so"); m.Now.Open+m.Repair.Curve.Total+m.Looks.Assets != 0 || m.Regressed != nil || len(m.Days) == 0 {
		t.Errorf("a team that there is not has %+v", m.Now)
	}
	for _, path := range []string{"/api/v1/measures", "/api/v1/report", "/api/v1/measures/unseen", "/api/v1/sources", "/api/v1/advisories", "/api/v1/advisories/1", "/api/v1/scans/1", "/api/v1/verdicts"} {
		if code, _ := v.do("GET", path+"?scope=sev:high", ""); code != 400 {
			t.Errorf("%s of no scope gave %d", path, code)
		}
	}
}

// report checks that a report of a scope says what its measures and lists do.
func report(t *testing.T, v *visitor, term string, m *server.Measures) {
	t.Helper()
	q := url.QueryEscape(term)
	r := ask[server.Report](v, "/api/v1/report?days=30&scope="+q)
	if r.Filter != term || r.Now.Open != m.Now.Open || len(r.History) != 0 || len(r.Flow) != 31 || r.Looks.Assets != m.Looks.Assets {
		t.Errorf("%s: the report is of %q, has %d open and %d days", term, r.Filter, r.Now.Open, len(r.Flow))
	}
	fixes := map[string]float64{}
	for _, f := range ask[rowsOf[exposure.Remediation]](v, "/api/v1/remediations?q="+q).Rows {
		fixes[f.Key] = f.Loss
	}
	if len(r.Fixes) != min(len(fixes), reportFixes) {
		t.Errorf("%s: %d fixes of %d", term, len(r.Fixes), len(fixes))
	}
	for _, f := range r.Fixes {
		if loss, ok := fixes[f.Key]; !ok || loss != f.Loss {
			t.Errorf("%s: the fix %s removes %v, in the list %v", term, f.Key, f.Loss, loss)
		}
	}
	for _, s := range r.Services {
		if n := ask[server.FindingPage](v, "/api/v1/findings?limit=1&scope="+q+"&q="+url.QueryEscape(`service:"`+s.Name+`"`)).Total; n != s.Open {
			t.Errorf("%s: %s has %d open, the list %d", term, s.Name, s.Open, n)
		}
	}
	late := 0
	for _, o := range r.Asks.Overdue {
		late += o.Overdue
	}
	if late != m.Now.Late {
		t.Errorf("%s: asked for %d overdue findings, there are %d", term, late, m.Now.Late)
	}
}

// Every page says what it is narrowed to and what it could not narrow, and shows
// the numbers of the scope.
func TestPagesSayWhatTheyAreNarrowedTo(t *testing.T) {
	t.Parallel()
	s := startSite(t, "--demo")
	v := s.admin()
	term := parts(v)[0]
	q := url.QueryEscape(term)
	m := ask[server.Measures](v, "/api/v1/measures?scope="+q)
	sources := ask[rowsOf[server.SourceStatus]](v, "/api/v1/sources?scope="+q).Rows
	advisories := ask[server.AdvisoryPage](v, "/api/v1/advisories?scope="+q)
	verdicts := ask[rowsOf[server.VerdictRow]](v, "/api/v1/verdicts?limit=50&scope="+q).Rows
	_, scans := v.do("GET", "/api/v1/scans?limit=2", "")
	_, name, _ := strings.Cut(term, ":")
	only := "Only team <bdi>" + name + "</bdi>."
	if code, _ := v.do("GET", "/measure?scope="+q, ""); code != 303 {
		t.Fatalf("the deep link gave %d", code)
	}
	day := m.Periods[0]
	for path, texts := range map[string][]string{
		"/":                {only, "belong to it today", "before: not measurable in a scope", "Expected loss over time is not measurable in a scope", "of everything</span>", fmt.Sprintf(">%s</strong> <span class=\"muted\">New</span>", thousands(day.New.Count)), "Open findings and flow"},
		"/measure":         {only, "belong to it today", fmt.Sprintf(`<td class="num">%s</td><td class="num">%s</td>`, thousands(m.Repair.Curve.Total), thousands(m.Repair.Curve.Fixed))},
		"/measure?by=team": {only, fmt.Sprintf(`<td class="num">%s</td><td class="num">%s</td>`, thousands(m.Repair.Curve.Total), thousands(m.Repair.Curve.Fixed))},
		"/measure/unseen":  {only},
		"/report":          {only, "before: not measurable in a scope", "not measurable in a scope: it is recorded of everything", "Open findings over 30 days"},
		"/advisories":      {only, fmt.Sprintf("%s advisories", thousands(advisories.Total))},
		"/sources":         {only, "those of the source as a whole"},
		"/scans":           {"A report is of no scope", scansFirst(t, scans)},
		"/scans/1":         {only, "those are of the whole report"},
		"/validate":        {only},
		fmt.Sprintf("/advisories/%d", advisories.Rows[0].ID): {only, "what the feeds say is the same for all"},
	} {
		code, page := v.do("GET", path, "")
		if code != 200 {
			t.Errorf("%s: %d", path, code)
		}
		page = strings.Join(strings.Fields(page), " ")
		for _, want := range texts {
			if !strings.Contains(page, want) {
				t.Errorf("%s does not say %q", path, want)
			}
		}
	}
	_, page := v.do("GET", "/sources", "")
	if got := strings.Count(page, "<tr data-row"); got != len(sources) {
		t.Errorf("%d sources on the page, want %d", got, len(sources))
	}
	_, page = v.do("GET", "/validate", "")
	_, page, _ = strings.Cut(page, "h-verdicts")
	if got := strings.Count(page, "<tr data-row"); got != len(verdicts) {
		t.Errorf("%d verdicts on the page, want %d", got, len(verdicts))
	}
	// A scope in which nothing ever was is said to be one.
	v.do("GET", "/measure?scope=team:nobody", "")
	for path, want := range map[string]string{"/measure": "Not measurable for team nobody", "/advisories/1": "Not open in team nobody", "/": "No finding is open", "/report": "none known before"} {
		if code, page := v.do("GET", path, ""); code != 200 || !strings.Contains(page, want) {
			t.Errorf("%s of an empty scope does not say %q (%d)", path, want, code)
		}
	}
	v.do("GET", "/measure?scope=", "")
	for _, path := range []string{"/", "/measure", "/report", "/sources", "/scans", "/advisories", "/validate"} {
		if _, page := v.do("GET", path, ""); strings.Contains(page, "only-of") || strings.Contains(page, "in a scope") {
			t.Errorf("%s of everything speaks of a scope", path)
		}
	}
}

// scansFirst is the name of the first scan of a list.
func scansFirst(t *testing.T, text string) string {
	var p server.ScanPage
	if err := json.Unmarshal([]byte(text), &p); err != nil || len(p.Rows) == 0 {
		t.Fatalf("%s: %v", text, err)
	}
	return p.Rows[0].Name
}

// Every count of a gap leads to a list of as many assets.
func TestCoverageGaps(t *testing.T) {
	t.Parallel()
	s := startSite(t, "--demo")
	v := s.admin()
	total := func(query string) int { return ask[server.AssetPage](v, "/api/v1/assets?limit=1&"+query).Total }
	for _, scope := range []string{"", "&scope=" + url.QueryEscape(ask[rowsOf[server.ScopeChoice]](v, "/api/v1/scope/choices").Rows[0].Term)} {
		r := ask[server.ScopeReport](v, "/api/v1/scope?"+scope)
		for query, want := range map[string]int{
			"unspoken=true": r.Coverage.Unspoken, "unseen=30": r.Unseen, "filter=team:none": r.NoOwner, "filter=tier:0": r.NoTier, "filter=reach:unknown": r.NoReach, "": r.Coverage.Total,
		} {
			if got := total(query + scope); got != want {
				t.Errorf("%s%s: %d assets, but the report counts %d", query, scope, got, want)
			}
		}
		for _, row := range r.Services {
			if got := total("filter=" + url.QueryEscape(`service:"`+row.Name+`"`) + scope); got != row.Assets {
				t.Errorf("%s: %d assets, but the report counts %d", row.Name, got, row.Assets)
			}
		}
	}
	all, hosts := total(""), total("filter=kind:host")
	if hosts == 0 || hosts == all || total("filter=-kind:host") != all-hosts {
		t.Errorf("%d of %d assets are hosts", hosts, all)
	}
	if _, page := v.do("GET", "/assets?kind=host&owner=none&unseen=30&unspoken=true", ""); !strings.Contains(page, "Without owner") || !strings.Contains(page, "Not looked at for 30 days") {
		t.Error("the page does not show its conditions")
	}
	if _, page := v.do("GET", "/assets?filter=kev:true", ""); !strings.Contains(page, "assets cannot be filtered by kev:true") {
		t.Error("a condition on findings is not refused with a sentence")
	}
}

// The programme is changed by its text and by the form for a service; both say
// first what would change, and nobody overwrites what somebody else applied.
func TestProgrammeEditor(t *testing.T) {
	t.Parallel()
	s := startSite(t, "--offline")
	v := s.admin()
	post := func(path string, form url.Values) (int, string) {
		return v.do("POST", path, form.Encode(), "Content-Type", "application/x-www-form-urlencoded")
	}
	code, page := post("/scope/programme", url.Values{"do": {"check"}, "body": {"name: x\r\nservces: []\r\n"}})
	if code != 400 || !strings.Contains(page, "Line 2") || !strings.Contains(page, "no key &#34;servces&#34;") {
		t.Errorf("a wrong key gave %d without its line", code)
	}
	service := url.Values{"name": {"shop"}, "tier": {"1"}, "owner": {"payments"}, "confidentiality": {"2 000 000"}, "assets": {"web-*\r\n10.0.0.0/8\r\n"}}
	code, page = post("/scope/service", service)
	if code != 200 || !strings.Contains(page, "1 service added") || !strings.Contains(page, "10.0.0.0/8") {
		t.Fatalf("the form gave %d %s", code, page)
	}
	if p := ask[server.Programme](v, "/api/v1/programme"); p.Version != 0 {
		t.Error("looking changed something")
	}
	body := "services:\n  - name: shop\n    tier: 1\nassets:\n  - match: {name: [web-*]}\n    services: [shop]\n"
	if code, _ := post("/scope/programme", url.Values{"do": {"apply"}, "version": {"0"}, "body": {strings.ReplaceAll(body, "\n", "\r\n")}}); code != 303 {
		t.Errorf("applying gave %d", code)
	}
	if p := ask[server.Programme](v, "/api/v1/programme"); p.Version != 1 || p.Body != body || p.Actor != "ada" {
		t.Errorf("in force is %+v", p)
	}
	if _, page := v.do("GET", "/scope/service?name=shop", ""); !strings.Contains(page, ">web-*</textarea>") {
		t.Error("the form does not know the assets of the service")
	}
	if code, _ := post("/scope/programme", url.Values{"do": {"apply"}, "version": {"1"}, "body": {body + "name: second\n"}}); code != 303 {
		t.Errorf("applying gave %d", code)
	}
	code, page = post("/scope/programme", url.Values{"do": {"apply"}, "version": {"1"}, "body": {body + "name: late\n"}})
	if code != 409 || !strings.Contains(page, "somebody applied version 2") || !strings.Contains(page, "name: late") {
		t.Errorf("an old text gave %d", code)
	}
	for name, form := range map[string]url.Values{
		"no name":       {"tier": {"1"}},
		"a wrong tier":  {"name": {"x"}, "tier": {"9"}},
		"a wrong sum":   {"name": {"x"}, "tier": {"1"}, "integrity": {"much"}},
		"a taken name":  {"name": {"SHOP"}, "tier": {"1"}},
		"a gone one":    {"was": {"gone"}, "name": {"x"}, "tier": {"1"}},
		"a wild name":   {"name": {"sh*"}, "tier": {"0"}},
		"a broken cidr": {"name": {"y"}, "tier": {"0"}, "owner": {"*"}},
	} {
		if code, page := post("/scope/service", form); code != 400 && code != 409 {
			t.Errorf("%s gave %d %s", name, code, page)
		}
	}
	if code, _ := v.do("GET", "/scope/service?name=gone", ""); code != 404 {
		t.Errorf("a service that is not there gave %d", code)
	}
	var upload bytes.Buffer
	w := multipart.NewWriter(&upload)
	part, _ := w.CreateFormFile("file", "programme.yaml")
	io.WriteString(part, body+"name: uploaded\n")
	w.Close()
	code, page = v.do("POST", "/scope/programme/file", upload.String(), "Content-Type", w.FormDataContentType())
	if code != 200 || !strings.Contains(page, "Another name") || !strings.Contains(page, "name: uploaded") {
		t.Errorf("an uploaded file gave %d", code)
	}
	if p := ask[server.Programme](v, "/api/v1/programme"); p.Version != 2 {
		t.Errorf("checking a file applied it: version %d", p.Version)
	}
	// Who may only read sees no way to change it, and has none.
	viewer := v.join("bob", "viewer")
	for _, path := range []string{"/scope", "/scope/programme", "/scope/programme?edit=true", "/scope/service?name=shop"} {
		if code, page := viewer.do("GET", path, ""); code != 200 || strings.Contains(page, "Add a service") || strings.Contains(page, "<textarea") || strings.Contains(page, ">Change<") || strings.Contains(page, `action="/scope/service"`) {
			t.Errorf("a viewer is shown how to change %s (%d)", path, code)
		}
	}
	if code, _ := viewer.do("GET", "/scope/service", ""); code != 403 {
		t.Errorf("the form for a viewer gave %d", code)
	}
	for _, path := range []string{"/scope/programme", "/scope/programme/file", "/scope/service"} {
		if code, _ := viewer.post(path, url.Values{"do": {"apply"}, "body": {"name: mine\n"}, "name": {"x"}}); code != 403 {
			t.Errorf("%s by a viewer gave %d", path, code)
		}
	}
}

// The picture of how a service could be reached shows what the API answers, to
// everybody who may read.
func TestServicePictureAgreesWithTheAPI(t *testing.T) {
	t.Parallel()
	s := startSite(t, "--demo", "--offline")
	v := s.member(s.admin(), "vera", "viewer")
	report := ask[server.ScopeReport](v, "/api/v1/scope")
	if len(report.Services) == 0 {
		t.Fatal("the demo has no service")
	}
	for _, service := range report.Services {
		code, page := v.do("GET", "/scope/service?name="+url.QueryEscape(service.Name), "")
		if code != 200 || strings.Contains(page, "See what it changes") {
			t.Fatalf("%s for a viewer: %d", service.Name, code)
		}
		has := func(text string) {
			t.Helper()
			if !strings.Contains(html.UnescapeString(page), text) {
				t.Errorf("%s does not say %q", service.Name, text)
			}
		}
		term := url.QueryEscape("service:" + service.Name)
		loss, open := 0.0, 0
		for _, g := range ask[rowsOf[server.GroupRow]](v, "/api/v1/groups?by=reach&q="+term).Rows {
			has(fmt.Sprintf(": %s · %d open", web.Money(g.Loss, ""), g.Count))
			loss, open = loss+g.Loss, open+g.Count
		}
		has(fmt.Sprintf("%s: %s · %d open", service.Name, web.Money(loss, ""), open))
		if open != service.Open {
			t.Errorf("%s has %d open by reach and %d in all", service.Name, open, service.Open)
		}
		assets := ask[server.AssetPage](v, "/api/v1/assets?limit=8&filter="+term)
		for _, a := range assets.Rows {
			if a.Open > 0 {
				has(fmt.Sprintf("%s: %s · %d open", a.Name, web.Money(a.Loss, ""), a.Open))
				has(fmt.Sprintf(`href="/assets/%d"`, a.ID))
			}
		}
		if more := ask[server.Concerned](v, "/api/v1/concerned?q="+term).Assets - 8; more > 0 {
			has(web.Plural(more, "further asset", "further assets"))
		}
	}
	if code, page := v.do("GET", "/scope/service?name=none", ""); code != 404 {
		t.Errorf("a service that is not there gave %d %s", code, page)
	}
}

// A person chooses a scope and walks: it stays on every page until it is left.
func TestScopeInTheBrowser(t *testing.T) {
	t.Parallel()
	s := startSite(t, "--demo")
	b := live.Browser(t)
	firstRun(b, s)
	b.Do("open the switcher", chromedp.Click(css("#scope-switch > summary")), chromedp.WaitVisible(css("#choices a")))
	b.Do("look for one", chromedp.SendKeys(css("#scope-switch input[name=q]"), "pay"))
	text(t, b, "#choices li:first-child .grow", "pay")
	picture(t, "scope-menu", b)
	var name string
	name, err := chromedp.Run(b.Ctx, chromedp.Text(css("#choices a .grow")))
	if err != nil {
		t.Fatal(err)
	}
	b.Do("choose it", chromedp.Click(css("#choices a")), chromedp.WaitVisible(css(".scope-switch.on")))
	for _, page := range []string{"/", "/scope", "/scope/programme", "/assets", "/assets/1", "/import", "/feeds", "/findings", "/findings?q=kev:true", "/validate", "/remediations", "/measure", "/measure/unseen", "/report", "/advisories", "/advisories/1", "/sources", "/scans", "/scans/1", "/jobs", "/account"} {
		b.Do("open "+page, chromedp.Navigate(s.url+page), chromedp.WaitVisible(css("main h1")))
		text(t, b, ".scope-switch.on .scope-name", name)
	}
	b.Do("walk by the navigation", chromedp.Click(css(".stage[data-key=p]")), chromedp.WaitVisible(css("#results")))
	text(t, b, ".scope-switch.on .scope-name", name)
	picture(t, "scoped-findings", b)
	for _, page := range []string{"/", "/scope", "/measure", "/report", "/advisories", "/sources", "/scans", "/scans/1", "/validate"} {
		b.Do("open "+page, chromedp.Navigate(s.url+page), chromedp.WaitVisible(css("main h1")))
		picture(t, "scoped-"+strings.ReplaceAll(strings.Trim(page, "/"), "/", "-"), b)
	}
	b.Do("on a telephone", chromedp.EmulateViewport(390, 900), chromedp.Navigate(s.url+"/findings"), chromedp.WaitVisible(css(".scope-switch.on")))
	picture(t, "scoped-narrow", b)
	b.Do("back", chromedp.EmulateViewport(1440, 900))
	// A list that was filtered without a new page is still filtered afterwards.
	b.Do("filter", chromedp.SetValue(css("#filter"), "kev:false"), chromedp.Submit(css("#filter")), chromedp.WaitVisible(css(".chips a")))
	b.Do("leave it", chromedp.Click(css(".scope-switch .plain")), chromedp.WaitVisible(css(".scope-switch:not(.on)")))
	text(t, b, ".scope-name", "Everything")
	where, err := chromedp.Run(b.Ctx, chromedp.Location())
	if err != nil || !strings.Contains(where, "/findings?") || !strings.Contains(where, "q=kev%3Afalse") || strings.Contains(where, "scope") {
		t.Errorf("leaving the scope leaves the page: %s (%v)", where, err)
	}
	// What is wrong with a text is said beside it, by line.
	b.Do("write a wrong programme", chromedp.Navigate(s.url+"/scope/programme?edit=true"), chromedp.SetValue(css("#body"), "name: x\nservices:\n  - name: shop\n    teir: 1\n    owner: [a]\n"),
		chromedp.Click(css("button[value=check]")), chromedp.WaitVisible(css(".problems")))
	text(t, b, ".problems", "Line 4")
	text(t, b, ".numbered .line.bad", "teir: 1")
	picture(t, "programme-wrong", b)
	for _, p := range b.Problems() {
		if !strings.Contains(p, "400 (Bad Request)") { // which it is
			t.Error(p)
		}
	}
	// The copied text is the file, without the numbers.
	b.Do("read the programme", chromedp.Navigate(s.url+"/scope/programme"), chromedp.WaitVisible(css("#programme-text")))
	shown, err := chromedp.Run(b.Ctx, chromedp.Evaluate[string]("document.getElementById('programme-text').textContent"))
	v := s.visitor()
	v.do("POST", "/sign-in", fmt.Sprintf(`{"name":"ada","password":%q}`, password))
	if want := ask[server.Programme](v, "/api/v1/programme").Body; err != nil || shown != want {
		t.Errorf("the page shows %d bytes of %d (%v)", len(shown), len(want), err)
	}
}
