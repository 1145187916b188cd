package cli

import (
	"encoding/json"
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/leeward-ctem/leeward/internal/testkit/live"
	"github.com/leeward-ctem/leeward/server"
)

// Pages that were shown old figures are renewed in place when the new ones are
// there, and what is in them still leads where it says.
func TestPagesAreRenewed(t *testing.T) {
	t.Parallel()
	s := startSite(t, "--demo", "--offline")
	b := live.Browser(t)
	firstRun(b, s)
	for page, part := range map[string]string{"/": "overview", "/remediations": "remediations"} {
		b.Do("renew "+page, chromedp.Navigate(s.url+page), chromedp.WaitVisible(css("#"+part)),
			chromedp.Evaluate[chromedp.Void](`{ const old = document.getElementById("`+part+`"); old.dataset.old = "1"; htmx.trigger(old, "refresh"); }`))
		until(t, b, `document.querySelectorAll("#`+part+`").length + (document.getElementById("`+part+`")?.dataset.old ?? " new")`, "1 new")
		b.Do("follow a link in "+page, chromedp.Click(css("#"+part+` a[href^="/remediations/R-"]`)), chromedp.WaitVisible(css("#h-closes")))
		b.Problems()
	}
}

// The page of a finding tells how its score came to be.
func TestHistoryInTheBrowser(t *testing.T) {
	t.Parallel()
	s := startSite(t, "--demo", "--offline")
	b := live.Browser(t)
	firstRun(b, s)
	admin := s.visitor()
	if code, answer := admin.do("POST", "/sign-in", `{"name":"ada","password":"`+password+`"}`); code != 204 {
		t.Fatalf("%d %s", code, answer)
	}
	_, list := admin.do("GET", "/api/v1/findings?limit=200&q=is:open+class:web", "")
	var page server.FindingPage
	if err := json.Unmarshal([]byte(list), &page); err != nil {
		t.Fatal(err)
	}
	for _, row := range page.Rows {
		var d server.FindingDetail
		_, answer := admin.do("GET", "/api/v1/findings/"+row.ID, "")
		if err := json.Unmarshal([]byte(answer), &d); err != nil {
			t.Fatal(err)
		}
		if len(d.History.Changes) == 0 {
			continue
		}
		for _, scheme := range []string{"light", "dark"} {
			b.Scheme(scheme)
			b.Do("open it", chromedp.EmulateViewport(1440, 900), chromedp.Navigate(s.url+"/findings/"+row.ID), chromedp.WaitVisible(css(".timeline")))
			text(t, b, ".timeline", "What validated controls let through")
			text(t, b, "main", "What moved it is below")
			picture(t, scheme+"-history", b)
			b.Do("open the tables", chromedp.EmulateViewport(390, 900), chromedp.Evaluate[chromedp.Void](`document.querySelectorAll("details.chart-data").forEach((d) => d.open = true)`))
			picture(t, scheme+"-history-390", b)
			b.Accessible("a finding with a history")
		}
		return
	}
	t.Error("the firewall of the demo moved no score")
}
