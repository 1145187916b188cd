package cli

import (
	"fmt"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"github.com/leeward-ctem/leeward/internal/demo"
	"github.com/leeward-ctem/leeward/internal/testkit/live"
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
