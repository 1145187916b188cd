package cli

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
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
	text(t, b, "main", "What do you start with?")
	b.Do("do it later", chromedp.Click(css(".head .actions a")))
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
	pages := []string{"/", "/scope", "/scope/choose", "/scope/programme", "/scope/programme?edit=true", "/scope/service?name=payments", "/assets", "/assets?kind=host&owner=none&unseen=30", "/assets/1", "/scans", "/scans/1", "/sources", "/import", "/feeds", "/advisories", "/advisories?days=30", "/advisories/1", "/findings", "/findings/F-1", "/findings?q=kev:true+-team:shop&sort=due", "/findings?q=sev:critical&cols=asset,tools", "/validate", "/remediations", "/remediations/board", "/exceptions", "/exceptions?all=true", "/outbox", "/measure", "/measure?by=team", "/measure?by=band", "/measure/unseen", "/report", "/jobs", "/account", "/account/accounts"}
	lookAt(t, b, s, "", pages)
	for _, page := range append(pages, "/sign-in", "/nowhere") {
		b.Do("open "+page, chromedp.Navigate(s.url+page), chromedp.WaitVisible(css("main h1")))
		b.Problems() // of /nowhere, which is not found
		b.Accessible(page)
	}
	for _, dialog := range []string{"palette", "keys"} {
		b.Do("open the "+dialog, chromedp.Navigate(s.url+"/jobs"), chromedp.Evaluate[chromedp.Void](`document.getElementById("`+dialog+`").showModal()`))
		b.Accessible("the " + dialog)
	}
	b.Do("resize", chromedp.EmulateViewport(1440, 900))
	b.Do("remove the demo", chromedp.Navigate(s.url+"/"), chromedp.Click(css("form[action='/demo/remove'] button")), chromedp.WaitVisible(css("#flash .flash")))
	text(t, b, "#flash", "The demo is gone")
	text(t, b, "main", "Nothing was imported yet")

	// What is left are empty pages, and they are pages as well.
	for _, scheme := range []string{"light", "dark"} {
		b.Scheme(scheme)
		for _, page := range []string{"/", "/welcome", "/scope", "/assets", "/scans", "/sources", "/advisories", "/advisories?days=7", "/findings", "/validate", "/remediations", "/measure", "/measure/unseen", "/report"} {
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

// lookAt opens pages in light and dark, wide and narrow, and fails for whatever
// the browser complains of and for what is wider than the screen.
func lookAt(t *testing.T, b *live.Tab, s *site, of string, pages []string) {
	t.Helper()
	widths := map[string][]int64{"light": {1440, 390}, "dark": {1440, 390}}
	if !live.All() && os.Getenv("LEEWARD_PICTURES") == "" { // the gate looks at all of them
		widths = map[string][]int64{"light": {1440}, "dark": {390}}
	}
	for _, scheme := range []string{"light", "dark"} {
		b.Scheme(scheme)
		for _, width := range widths[scheme] {
			b.Do("resize", chromedp.EmulateViewport(width, 900))
			for _, page := range pages {
				b.Do("open "+page, chromedp.Navigate(s.url+page), chromedp.WaitVisible(css("main h1")))
				for _, p := range b.Problems() {
					t.Errorf("%s%s, %s, %d wide: %s", page, of, scheme, width, p)
				}
				wide, err := chromedp.Run(b.Ctx, chromedp.Evaluate[float64]("document.documentElement.scrollWidth"))
				if err != nil {
					t.Fatal(err)
				}
				if int64(wide) > width {
					t.Errorf("%s%s is %v wide on a screen of %d", page, of, wide, width)
				}
				picture(t, fmt.Sprintf("%s%s-%d-%s", of, scheme, width, strings.Trim(strings.NewReplacer("/", "-", "?", "-", "=", "-", ":", "-", "&", "-", "+", "-").Replace(page), "-")), b)
			}
		}
	}
}

// Every page with one finding, and with ten thousand.
func TestFewAndManyInTheBrowser(t *testing.T) {
	t.Parallel()
	if !live.All() {
		t.Skip("LEEWARD_TEST_ALL=1 opens every page with one row and with 10,000")
	}
	for _, n := range []int{1, 10_000} {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			t.Parallel()
			s := startSite(t, "--offline")
			admin := s.visitor()
			if code, text := admin.do("POST", "/setup", fmt.Sprintf(`{"link":%q,"name":"ada","password":%q}`, s.link, password)); code != http.StatusNoContent {
				t.Fatalf("%d %s", code, text)
			}
			if code, text := admin.do("POST", "/sign-in", fmt.Sprintf(`{"name":"ada","password":%q}`, password)); code != http.StatusNoContent {
				t.Fatalf("%d %s", code, text)
			}
			var report strings.Builder
			if err := testkit.Nuclei(&report, testkit.Estate{Findings: n, Seed: 4}); err != nil {
				t.Fatal(err)
			}
			if code, text := admin.do("POST", "/api/v1/scans?name=estate.jsonl", report.String(), "Content-Type", "application/octet-stream"); code != http.StatusOK || !strings.Contains(text, fmt.Sprintf(`"new":%d`, n)) {
				t.Fatalf("%d %s", code, text)
			}
			admin.do("POST", "/api/v1/findings/move", `{"filter":"is:open","cause":"claim"}`)
			b := live.Browser(t)
			b.Do("sign in", chromedp.Navigate(s.url+"/sign-in"), chromedp.SendKeys(css("input[name=name]"), "ada"), chromedp.SendKeys(css("input[name=password]"), password), chromedp.Click(css("form.form button[type=submit]")), chromedp.WaitVisible(css("nav")))
			lookAt(t, b, s, fmt.Sprintf(" of %d ", n), []string{"/", "/scope", "/assets", "/assets/1", "/scans", "/scans/1", "/sources", "/feeds", "/advisories", "/advisories/1", "/findings", "/findings?q=is:any&sort=title", "/findings/F-1", "/validate", "/remediations", "/remediations/board", "/measure", "/report"})
		})
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
	texts := [][2]string{
		{"markup", `<img src=x onerror=document.title='owned'>\u202Eevil</script><script>document.title='owned'</script>`},
		{"script", `<script>document.title='owned'</script>`},
		{"attribute", `\" autofocus onfocus=\"document.title='owned'\" x=\"' onmouseover='document.title=1`},
		{"svg", `--><svg onload=document.title='owned'>]]>`},
		{"long", strings.Repeat("W", 10_000)},
		{"words", strings.Repeat("words without end ", 556)},
		{"rtl", `\u202E\u2066مرحبا بالعالم\u2067 abc \u202Dexe.fdp`},
		{"terminal", `\u001b[31mred\u001b]0;owned\u0007\u001b[2J\u009b31m\r\u0000`},
	}
	for i, text := range texts {
		name, evil, n := text[0], text[1], i+1
		report := fmt.Sprintf(`{"template-id":"%[1]s","info":{"name":"%[1]s","severity":"high","description":"%[1]s","remediation":"%[1]s","tags":["%[1]s"],"reference":["javascript:document.title='owned'"]},"type":"http","host":"https://%[2]s.example","matched-at":"https://%[2]s.example/%[1]s","request":"%[1]s","response":"%[1]s","extracted-results":["%[1]s"],"timestamp":"2025-09-01T10:00:00Z","matcher-status":true}`, evil, name)
		if code, text := admin.do("POST", "/api/v1/scans?name="+url.QueryEscape("<script>alert(1)</script>\u202e"+name+"\x1b[31m"), report, "Content-Type", "application/octet-stream"); code != 200 || !strings.Contains(text, `"new":1`) {
			t.Fatalf("%s: %d %.300s", name, code, text)
		}
		if name == "words" || name == "rtl" { // and what people say about it
			if code, text := admin.do("POST", "/api/v1/findings/move", fmt.Sprintf(`{"ids":["F-%d"],"cause":"claim","reason":"%.1500s"}`, n, evil)); code != 200 {
				t.Fatalf("%s: %d %.300s", name, code, text)
			}
			if code, text := admin.do("POST", "/api/v1/verdicts", fmt.Sprintf(`{"ids":["F-%d"],"kind":"exploitable","evidence":"%s"}`, n, evil)); code != 200 {
				t.Fatalf("%s: %d %.300s", name, code, text)
			}
			if code, text := admin.do("POST", "/api/v1/exceptions", fmt.Sprintf(`{"ids":["F-%d"],"reason":"%.1500s","expires":%q}`, n, evil, time.Now().AddDate(0, 1, 0).Format(time.DateOnly))); code != 200 {
				t.Fatalf("%s: %d %.300s", name, code, text)
			}
		}
	}
	pages := []string{"/", "/findings", "/findings?q=is:any", "/assets", "/scans", "/scans/1", "/sources", "/advisories", "/advisories/1", "/validate", "/remediations", "/import", "/scope", "/measure", "/jobs", "/findings?q=%3Cscript%3E", "/findings?q=%E2%80%AE" + strings.Repeat("W", 3000), "/assets?q=%3Cscript%3E" + strings.Repeat("W", 400), "/palette?q=evil"}
	for i := range texts {
		pages = append(pages, fmt.Sprintf("/findings/F-%d", i+1), fmt.Sprintf("/assets/%d", i+1))
	}
	_, answer := admin.do("GET", "/api/v1/remediations?q=is:open", "")
	var fixes struct {
		Rows []struct {
			Key string `json:"id"`
		}
	}
	if err := json.Unmarshal([]byte(answer), &fixes); err != nil || len(fixes.Rows) == 0 {
		t.Fatalf("nothing to fix: %v", err)
	}
	for _, f := range fixes.Rows[:min(len(fixes.Rows), 8)] {
		pages = append(pages, "/remediations/"+url.PathEscape(f.Key))
	}
	for i, page := range pages {
		width := []int64{390, 1440}[i%2]
		b.Do("open "+page, chromedp.EmulateViewport(width, 900), chromedp.Navigate(s.url+page), chromedp.WaitReady(css("body")))
		for _, p := range b.Problems() {
			t.Errorf("%s: %s", page, p)
		}
		// Nothing of the report lives, turns its surroundings round or is a
		// control character, and the page is no wider than the screen.
		faults, err := chromedp.Run(b.Ctx, chromedp.Evaluate[[]string](`(() => {
			const out = [];
			if (document.title === "owned" || document.title === "1") out.push("it runs what a report says: " + document.title);
			if (/[\u202a-\u202e\u2066-\u2069\u0000-\u001f]/.test(document.title)) out.push("its title holds controls");
			for (const el of document.querySelectorAll("a[href^='javascript:'], [onerror], [onfocus], [onload], [onmouseover], main script, main img, main iframe")) out.push("it has a live element: " + el.outerHTML.slice(0, 200));
			const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
			for (let n; (n = walk.nextNode()); ) {
				if (/[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/.test(n.data)) out.push("a control character in " + n.parentElement.outerHTML.slice(0, 200));
				if (/[\u202a-\u202e\u2066-\u2069]/.test(n.data) && !n.parentElement.closest("[dir], bdi")) out.push("text that turns round in " + n.parentElement.outerHTML.slice(0, 200));
			}
			if (document.documentElement.scrollWidth > innerWidth && document.querySelector("main")) {
				const wide = [...document.querySelectorAll("main *")].filter((e) => e.getBoundingClientRect().right > innerWidth && !e.closest(".scroll, .chart-scroll, pre code, table"));
				out.push("it is " + document.documentElement.scrollWidth + " wide on a screen of " + innerWidth + ": " + wide.map((e) => e.outerHTML.slice(0, 150)).slice(-3).join(" | "));
			}
			return out;
		})()`))
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range faults {
			t.Errorf("%s: %s", page, f)
		}
	}
}
