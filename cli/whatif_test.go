package cli

import (
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
	"golang.org/x/net/html"

	"github.com/leeward-ctem/leeward/internal/demo"
	"github.com/leeward-ctem/leeward/internal/testkit/live"
	"github.com/leeward-ctem/leeward/server"
)

// otherDemo is the programme of the demo with a stricter SLA, another owner of
// the databases and without the exclusion of the laboratory.
func otherDemo(t *testing.T) string {
	t.Helper()
	body := string(demo.Programme())
	for _, edit := range [][2]string{
		{"sla: [180, 120, 60, 21]", "sla: [120, 60, 14, 3]\n  targeted: 0.1"},
		{"    owner: platform\n    tags: [database]", "    owner: payments\n    tags: [database]"},
		{"  - match: {cidr: 10.66.0.0/16}\n    reason: laboratory, cut off from all other networks and wiped every week\n", ""},
	} {
		if !strings.Contains(body, edit[0]) {
			t.Fatalf("the programme of the demo has no %q", edit[0])
		}
		body = strings.Replace(body, edit[0], edit[1], 1)
	}
	return body
}

// The editor answers to a plain form, also to one that was made from an older
// text; the API answers the same, narrowed when asked to; and nothing is applied.
func TestWhatIfByFormAndAPI(t *testing.T) {
	t.Parallel()
	s := startSite(t, "--demo", "--offline")
	v := s.admin()
	body := otherDemo(t)
	in := func(body, filter string) string {
		text, err := json.Marshal(server.WhatIfRequest{Body: body, Filter: filter})
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	post := func(path, body, filter string) (w server.WhatIf) {
		t.Helper()
		code, text := v.do("POST", path, in(body, filter))
		if err := json.Unmarshal([]byte(text), &w); code != 200 || err != nil {
			t.Fatalf("%s: %d %s", path, code, text)
		}
		return w
	}
	was := ask[server.Programme](v, "/api/v1/programme")
	whole := post("/api/v1/whatif", body, "")
	if whole.Moved == 0 || whole.Entered == 0 || whole.HandedOver == 0 || len(whole.Top) != 50 {
		t.Fatalf("%+v", whole)
	}
	code, page := v.post("/scope/programme", url.Values{"do": {"whatif"}, "version": {"1"}, "body": {strings.ReplaceAll(body, "\n", "\r\n")}})
	text := html.UnescapeString(page)
	if code != 200 || !strings.Contains(text, whole.Summary[1:]) || !strings.Contains(text, "this text was made from version 1") || !strings.Contains(text, `href="/findings/`+whole.Top[0].ID+`"`) || !strings.Contains(text, body) {
		t.Errorf("the form gave %d %.2000s", code, page)
	}
	if of := post("/api/v1/whatif?scope=team:payments", body, ""); of.Moved == 0 || of.Moved >= whole.Moved || of.Filter != "team:payments" || of.Left != 0 || of.Entered != whole.HandedOver {
		t.Errorf("of payments: %+v", of)
	}
	if of := post("/api/v1/whatif", body, "scan:1 -team:shop"); of.Moved == 0 || of.Moved >= whole.Moved {
		t.Errorf("of one report: %s", of.Summary)
	}
	for name, c := range map[string]struct{ body, filter, want string }{
		"a wrong key":    {"name: x\nservces: []\n", "", "programme:2: "},
		"a wrong filter": {body, "teem:x", "did you mean team"},
		"a wrong weight": {"risk:\n  weights: {intercept: -60, horizon_days: 90, signals: {epss_rank: 1}}", "", "programme:2: weights: intercept is -60"},
	} {
		if code, text := v.do("POST", "/api/v1/whatif", in(c.body, c.filter)); code != 400 || !strings.Contains(text, c.want) {
			t.Errorf("%s gave %d %s", name, code, text)
		}
	}
	code, page = v.post("/scope/programme", url.Values{"do": {"whatif"}, "version": {"2"}, "body": {"name: x\nrisk:\n  targeted: 5\n  weights: {intercept: 1}\n"}})
	if code != 400 || !strings.Contains(page, "Line 4") || !strings.Contains(page, "weights has no signals") || strings.Contains(page, `id="movement"`) {
		t.Errorf("a wrong text gave %d %.2000s", code, page)
	}
	// As large as a file may be.
	large := body + "#" + strings.Repeat("x", maxProgramme-len(body)-1)
	if w := post("/api/v1/whatif", large, ""); w.Moved != whole.Moved {
		t.Errorf("a file of %d bytes moves %d", len(large), w.Moved)
	}
	if is := ask[server.Programme](v, "/api/v1/programme"); is != was {
		t.Errorf("asking applied something: version %d, then %d", was.Version, is.Version)
	}
	if code, _ := s.member(v, "vera", "viewer").do("POST", "/api/v1/whatif", in(body, "")); code != 403 {
		t.Errorf("a viewer gets %d", code)
	}
}

// A person changes a number, looks at what it would move, follows a finding and
// comes back, by mouse and by keyboard, without applying anything.
func TestWhatIfInTheBrowser(t *testing.T) {
	t.Parallel()
	s := startSite(t, "--demo")
	b := live.Browser(t)
	firstRun(b, s)
	body := otherDemo(t)
	for _, scheme := range []string{"light", "dark"} {
		b.Scheme(scheme)
		for _, width := range []int64{1440, 390} {
			b.Do("ask what would move", chromedp.EmulateViewport(width, 900), chromedp.Navigate(s.url+"/scope/programme?edit=true"), chromedp.SetValue(css("#body"), body),
				chromedp.Click(css("button[value=whatif]")), chromedp.WaitVisible(css("#movement table.moves")))
			text(t, b, "#movement", "riskiest afterwards")
			text(t, b, "section[aria-labelledby=h-outcome]", "open findings move")
			picture(t, fmt.Sprintf("whatif-%s-%d", scheme, width), b)
			wide, err := chromedp.Run(b.Ctx, chromedp.Evaluate[float64]("document.documentElement.scrollWidth"))
			if err != nil || int64(wide) > width {
				t.Errorf("the page is %v wide on a screen of %d (%v)", wide, width, err)
			}
			for _, p := range b.Problems() {
				t.Errorf("%s, %d wide: %s", scheme, width, p)
			}
		}
		b.Accessible("what would move")
	}
	b.Do("back to a wide screen", chromedp.EmulateViewport(1440, 900))
	text(t, b, "#movement", "platform")
	if kept, err := chromedp.Run(b.Ctx, chromedp.Evaluate[string]("document.getElementById('body').value")); err != nil || kept != body {
		t.Errorf("the text was not kept: %d bytes of %d (%v)", len(kept), len(body), err)
	}
	b.Do("follow a finding", chromedp.Click(css("section[aria-labelledby=h-moves-top] a.title")), chromedp.WaitVisible(css("#h-act")))
	b.Do("ask about what is in force, by the keyboard", chromedp.Navigate(s.url+"/scope/programme?edit=true"), chromedp.WaitVisible(css("#body")),
		chromedp.Focus(css("button[value=whatif]")), chromedp.KeyEvent(kb.Enter), chromedp.WaitVisible(css("#movement .empty")))
	text(t, b, "#movement", "Nothing moves")
	b.Accessible("nothing moves")
	picture(t, "whatif-nothing", b)
	for _, p := range b.Problems() {
		t.Error(p)
	}
}
