package cli

import (
	"testing"
	"time"

	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"github.com/leeward-ctem/leeward/internal/testkit/live"
)

// A day's work with the keyboard alone: filter, open, assign, ask for an
// exception, take both back, and the same on the list.
func TestJourneyByKeyboard(t *testing.T) {
	t.Parallel()
	s, admin := busy(t, 300)
	b := live.Browser(t)
	b.Do("sign in",
		chromedp.Navigate(s.url+"/sign-in?next=/findings"), chromedp.WaitVisible(css("input[name=name]")),
		chromedp.SendKeys(css("input[name=name]"), "ada"), chromedp.SendKeys(css("input[name=password]"), password+kb.Enter),
		chromedp.WaitVisible(css("#rows tr")))
	// The script names the theme when it is ready for keys.
	ready := chromedp.WaitVisible(css("[data-theme-toggle][aria-label^='Colour theme:']"))
	write := func(what, keys string) {
		t.Helper()
		b.Do(what, ready, chromedp.KeyEvent(keys))
	}
	// A key that the page takes writes no character, which the protocol sends by
	// itself; with Ctrl it would not.
	press := func(what, keys string) {
		t.Helper()
		b.Do(what, ready, chromedp.KeyEvent(keys, func(k *input.DispatchKeyEventParams) {
			if k.Type == kb.KeyChar {
				k.Modifiers = int64(chromedp.ModifierCtrl)
			}
		}))
	}
	press("go to the filter", "/")
	write("filter", "sev:critical"+kb.Enter)
	text(t, b, "#results .result-count", "75 findings")
	press("walk to the first", "j")
	write("open it", kb.Enter)
	text(t, b, "main", "Timeline")

	press("assign", "a")
	write("name the owner", "Night Shift"+kb.Tab+"they run it"+kb.Enter)
	text(t, b, "#flash", "1 asset now belongs to Night Shift.")
	text(t, b, "ol.timeline", "to Night Shift: they run it")
	picture(t, "keyboard-assigned", b)
	press("ask for an exception", "e")
	write("say why and until when", "legacy"+kb.Tab+time.Now().AddDate(0, 0, 20).Format("01022006")+kb.Enter)
	text(t, b, "#flash", "The exception waits for somebody else's approval.")
	text(t, b, "main", "Exception waits for approval")
	press("undo", "u")
	text(t, b, "#flash", "The request for an exception is withdrawn.")
	text(t, b, "main", "Exception ended")
	text(t, b, "ol.timeline", "undo of asking for an exception")

	// The owner goes back as well, from the list.
	press("go to the list", "gp")
	text(t, b, "main h1", "Findings")
	press("filter", "/")
	write("by the owner", `team:"night shift"`+kb.Enter)
	text(t, b, "#results .chips", "night shift")
	press("select the first and the second", "jxjx")
	text(t, b, "[data-picked]", "2 selected")
	press("assign", "a")
	text(t, b, "[data-picked-assets]", "1 asset")
	picture(t, "keyboard-menu", b)
	write("to the programme again", kb.Enter)
	text(t, b, "#flash", "1 asset now belongs to whom the programme says.")
	if n := admin.total(`team:"night shift"`); n != 0 {
		t.Errorf("%d are still the night shift's", n)
	}
	press("undo", "u")
	text(t, b, "#flash", "Undone: 1 asset as before.")
	if n := admin.total(`team:"night shift"`); n == 0 {
		t.Error("the undo gave nothing back")
	}
	for _, p := range b.Problems() {
		t.Error(p)
	}
}
