package cli

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"github.com/leeward-ctem/leeward/internal/testkit"
	"github.com/leeward-ctem/leeward/internal/testkit/live"
)

func css(s string) chromedp.CSS { return chromedp.CSS(s) }

// firstRun makes the first account in the browser by the printed link.
func firstRun(b *live.Tab, s *site) {
	b.Do("make the first account",
		chromedp.Navigate(s.url+"/setup?link="+s.link),
		chromedp.SendKeys(css("input[name=name]"), "ada"),
		chromedp.SendKeys(css("input[name=password]"), password),
		chromedp.Click(css("form.form button[type=submit]")),
		chromedp.WaitVisible(css("nav")))
}

// text waits until the first element that a selector finds holds a text.
func text(t *testing.T, b *live.Tab, selector, want string) {
	t.Helper()
	var got string
	for end := time.Now().Add(15 * time.Second); time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		// The page may be replaced while it is read.
		if got, _ = chromedp.Run(b.Ctx, chromedp.Text(css(selector), chromedp.AtLeast(0))); strings.Contains(got, want) {
			return
		}
	}
	t.Fatalf("%s says %q, want %q", selector, got, want)
}

// A person who has never seen it: first account, a report dropped in, the
// list, a filter, one finding and why, triage, and a claim.
func TestJourney(t *testing.T) {
	t.Parallel()
	s := startSite(t, "--offline")
	b := live.Browser(t)
	firstRun(b, s)
	text(t, b, "main", "Nothing was imported yet")

	report := filepath.Join(t.TempDir(), "shop.json")
	f, err := os.Create(report)
	if err != nil {
		t.Fatal(err)
	}
	if err := testkit.Trivy(f, testkit.Estate{Findings: 300, Seed: 2}); err != nil {
		t.Fatal(err)
	}
	f.Close()
	b.Do("upload a report",
		chromedp.Navigate(s.url+"/import"),
		chromedp.SetUploadFiles(css("#file"), []string{report}),
		chromedp.Submit(css("#upload")),
		chromedp.WaitVisible(css("#import-results table")))
	text(t, b, "#import-results", "shop.json")
	text(t, b, "#import-results", "300")

	b.Do("open the list", chromedp.Navigate(s.url+"/findings"), chromedp.WaitVisible(css("#rows tr")))
	text(t, b, "#results", "300 findings")
	b.Do("filter", chromedp.SetValue(css("#filter"), "sev:critical"), chromedp.Submit(css("#filter")))
	text(t, b, "#results", "75 findings")
	where, err := chromedp.Run(b.Ctx, chromedp.Location())
	if err != nil || !strings.Contains(where, "q=sev%3Acritical") {
		t.Errorf("the filter is not in the address: %s (%v)", where, err)
	}
	b.Do("open the first", chromedp.Click(css("#rows tr a.title")), chromedp.WaitVisible(css("#h-act")))
	text(t, b, "main", "Why ")
	text(t, b, "main", "Timeline")
	b.Do("triage", chromedp.Click(css("button[name=cause][value=triage]")), chromedp.WaitVisible(css("#flash .flash")))
	text(t, b, "#flash", "1 finding moved")
	text(t, b, "main", "Triaged")
	b.Do("claim", chromedp.Click(css("button[name=cause][value=claim]")))
	text(t, b, "main", "Fix claimed")
	b.Do("see what waits", chromedp.Navigate(s.url+"/validate"), chromedp.WaitVisible(css("table")))
	text(t, b, "main", "ada")
	text(t, b, "main", "a complete trivy scan of this image")

	// A filter that means nothing says what is wrong and shows nothing.
	b.Do("a wrong filter", chromedp.Navigate(s.url+"/findings?q=sevv:critical"), chromedp.WaitVisible(css("main")))
	text(t, b, "main", "did you mean sev?")

	// A file that is no report is refused with a sentence.
	letter := filepath.Join(t.TempDir(), "letter.txt")
	if err := os.WriteFile(letter, []byte("Dear aunt, <script>alert(1)</script>"), 0o600); err != nil {
		t.Fatal(err)
	}
	b.Do("upload a letter",
		chromedp.Navigate(s.url+"/import"),
		chromedp.SetUploadFiles(css("#file"), []string{letter}),
		chromedp.Submit(css("#upload")),
		chromedp.WaitVisible(css("#import-results > *")))
	text(t, b, "#import-results", "no report that Leeward knows")
}

// Every page with the demo behind it, light and dark, wide and narrow, without
// a complaint of the browser; and the demo goes away by one click.
func TestDemoInTheBrowser(t *testing.T) {
	t.Parallel()
	s := startSite(t, "--demo")
	b := live.Browser(t)
	firstRun(b, s)
	pages := []string{"/", "/scope", "/assets", "/assets/1", "/import", "/feeds", "/findings", "/findings/F-1", "/findings?q=kev:true+-team:shop&sort=due", "/validate", "/remediations", "/measure", "/measure?by=team", "/measure?by=band", "/measure/unseen", "/report", "/jobs", "/account"}
	for _, scheme := range []string{"light", "dark"} {
		b.Scheme(scheme)
		for _, width := range []int64{1440, 390} {
			b.Do("resize", chromedp.EmulateViewport(width, 900))
			for _, page := range pages {
				b.Do("open "+page, chromedp.Navigate(s.url+page), chromedp.WaitVisible(css("main h1")))
				for _, p := range b.Problems() {
					t.Errorf("%s, %s, %d wide: %s", page, scheme, width, p)
				}
				wide, err := chromedp.Run(b.Ctx, chromedp.Evaluate[float64]("document.documentElement.scrollWidth"))
				if err != nil {
					t.Fatal(err)
				}
				if int64(wide) > width {
					t.Errorf("%s is %v wide on a screen of %d", page, wide, width)
				}
				picture(t, fmt.Sprintf("%s-%d-%s", scheme, width, strings.Trim(strings.NewReplacer("/", "-", "?", "-", "=", "-", ":", "-", "&", "-", "+", "-").Replace(page), "-")), b)
			}
		}
	}
	b.Do("resize", chromedp.EmulateViewport(1440, 900))
	b.Do("remove the demo", chromedp.Navigate(s.url+"/"), chromedp.Click(css("form[action='/demo/remove'] button")), chromedp.WaitVisible(css("#flash .flash")))
	text(t, b, "#flash", "The demo is gone")
	text(t, b, "main", "Nothing was imported yet")

	// What is left are empty pages, and they are pages as well.
	for _, scheme := range []string{"light", "dark"} {
		b.Scheme(scheme)
		for _, page := range []string{"/", "/scope", "/assets", "/findings", "/validate", "/remediations", "/measure", "/measure/unseen", "/report"} {
			b.Do("open the empty "+page, chromedp.Navigate(s.url+page), chromedp.WaitVisible(css("main h1")))
			for _, p := range b.Problems() {
				t.Errorf("%s, %s, empty: %s", page, scheme, p)
			}
			rows, err := chromedp.Run(b.Ctx, chromedp.Evaluate[int]("document.querySelectorAll('main tbody tr').length"))
			if err != nil || rows != 0 {
				t.Errorf("%s shows %d rows of what was removed (%v)", page, rows, err)
			}
			picture(t, "empty-"+scheme+"-"+strings.ReplaceAll(strings.Trim(page, "/"), "/", "-"), b)
		}
	}
}

// picture keeps a screenshot when LEEWARD_PICTURES names a folder for them.
func picture(t *testing.T, name string, b *live.Tab) {
	t.Helper()
	dir := os.Getenv("LEEWARD_PICTURES")
	if dir == "" {
		return
	}
	if err := os.WriteFile(filepath.Join(dir, name+".png"), b.Picture(), 0o600); err != nil {
		t.Fatal(err)
	}
}

// What a report brings is shown as text, whatever it looks like.
func TestHostileReportInTheBrowser(t *testing.T) {
	t.Parallel()
	s := startSite(t, "--offline")
	b := live.Browser(t)
	firstRun(b, s)
	admin := s.visitor()
	if code, text := admin.do("POST", "/sign-in", fmt.Sprintf(`{"name":"ada","password":%q}`, password)); code != 204 {
		t.Fatalf("%d %s", code, text)
	}
	evil := `<img src=x onerror=document.title='owned'>\u202Eevil</script><script>document.title='owned'</script>`
	report := fmt.Sprintf(`{"template-id":"%[1]s","info":{"name":"%[1]s","severity":"high","description":"%[1]s","reference":["javascript:document.title='owned'"]},"type":"http","host":"https://evil.example","matched-at":"https://evil.example/%[1]s","request":"%[1]s","timestamp":"2025-09-01T10:00:00Z","matcher-status":true}`, evil)
	if code, text := admin.do("POST", "/api/v1/scans?name="+"%3Cscript%3Ealert(1)%3C/script%3E", report, "Content-Type", "application/octet-stream"); code != 200 || !strings.Contains(text, `"new":1`) {
		t.Fatalf("%d %s", code, text)
	}
	for _, page := range []string{"/", "/findings", "/findings/F-1", "/assets", "/assets/1", "/remediations", "/import", "/findings?q=%3Cscript%3E", "/palette?q=evil"} {
		b.Do("open "+page, chromedp.Navigate(s.url+page), chromedp.WaitReady(css("body")))
		title, err := chromedp.Run(b.Ctx, chromedp.Title())
		if err != nil || title == "owned" {
			t.Errorf("%s runs what a report says: %q, %v", page, title, err)
		}
		links, err := chromedp.Run(b.Ctx, chromedp.Evaluate[float64](`document.querySelectorAll("a[href^='javascript:'], [onerror]").length`))
		if err != nil || links != 0 {
			t.Errorf("%s has %v live elements of the report (%v)", page, links, err)
		}
		for _, p := range b.Problems() {
			t.Errorf("%s: %s", page, p)
		}
	}
}
