package cli

import (
	"bytes"
	"encoding/json"
	"fmt"
	"html"
	"io"
	"mime/multipart"
	"net/url"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/leeward-ctem/leeward/exposure"
	"github.com/leeward-ctem/leeward/internal/testkit/live"
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
	for _, page := range []string{"/", "/scope", "/scope/programme", "/assets", "/assets/1", "/import", "/feeds", "/findings", "/findings?q=kev:true", "/validate", "/remediations", "/measure", "/jobs", "/account"} {
		b.Do("open "+page, chromedp.Navigate(s.url+page), chromedp.WaitVisible(css("main h1")))
		text(t, b, ".scope-switch.on .scope-name", name)
	}
	b.Do("walk by the navigation", chromedp.Click(css(".stage[data-key=p]")), chromedp.WaitVisible(css("#results")))
	text(t, b, ".scope-switch.on .scope-name", name)
	picture(t, "scoped-findings", b)
	for _, page := range []string{"/", "/scope"} {
		b.Do("open "+page, chromedp.Navigate(s.url+page), chromedp.WaitVisible(css("main h1")))
		picture(t, "scoped-"+strings.Trim(page, "/"), b)
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
