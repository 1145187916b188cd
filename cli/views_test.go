package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
	"github.com/google/go-cmp/cmp"

	"github.com/leeward-ctem/leeward/internal/testkit"
	"github.com/leeward-ctem/leeward/internal/testkit/live"
)

// member makes an account by its administrator and signs it in.
func (s *site) member(admin *visitor, name, role string) *visitor {
	s.t.Helper()
	if code, text := admin.do("POST", "/api/v1/accounts", fmt.Sprintf(`{"name":%q,"password":%q,"role":%q}`, name, password, role)); code != http.StatusOK {
		s.t.Fatalf("account: %d %s", code, text)
	}
	v := s.visitor()
	if code, text := v.do("POST", "/sign-in", fmt.Sprintf(`{"name":%q,"password":%q}`, name, password)); code != http.StatusNoContent {
		s.t.Fatalf("%s cannot sign in: %d %s", name, code, text)
	}
	return v
}

// viewsOf are the names of the views that somebody sees.
func viewsOf(v *visitor) string {
	v.t.Helper()
	_, text := v.do("GET", "/api/v1/views", "")
	var l struct {
		Rows []struct{ Name, Owner string }
	}
	if err := json.Unmarshal([]byte(text), &l); err != nil {
		v.t.Fatalf("%v: %s", err, text)
	}
	var names []string
	for _, r := range l.Rows {
		names = append(names, r.Owner+":"+r.Name)
	}
	return strings.Join(names, " ")
}

func TestSavedViews(t *testing.T) {
	t.Parallel()
	s := startSite(t)
	admin := s.admin()
	lind, ruiz := s.member(admin, "lind", "analyst"), s.member(admin, "ruiz", "viewer")

	code, text := lind.do("POST", "/api/v1/views", `{"name":" Shop ","q":"team:shop -tag:lab","sort":"due","reverse":true,"columns":["tools","bogus","asset"],"shared":true}`)
	var made struct {
		ID      int64    `json:"id"`
		Name    string   `json:"name"`
		Owner   string   `json:"owner"`
		Columns []string `json:"columns"`
		Created int64    `json:"created"`
	}
	if err := json.Unmarshal([]byte(text), &made); err != nil || code != http.StatusOK {
		t.Fatalf("%d %v %s", code, err, text)
	}
	if made.Created == 0 {
		t.Error("nobody knows when it was made")
	}
	made.Created = 0
	want := made
	want.ID, want.Name, want.Owner, want.Columns = 1, "Shop", "lind", []string{"asset", "tools"}
	if diff := cmp.Diff(want, made); diff != "" {
		t.Errorf("saved (-want +got):\n%s", diff)
	}
	for _, c := range []struct {
		who  *visitor
		body string
		code int
	}{
		{lind, `{"name":"Mine","q":"kev:true"}`, 200},
		{lind, `{"name":"Mine","q":"is:overdue","sort":"risk"}`, 200}, // replaced
		{ruiz, `{"name":"Shop","q":""}`, 200},
		{ruiz, `{"name":"For all","shared":true}`, 403},
		{ruiz, `{"name":"` + strings.Repeat("ö", 60) + `"}`, 200},
		{lind, `{"name":"` + strings.Repeat("ö", 61) + `"}`, 422},
		{lind, `{"name":""}`, 422},
		{lind, `{"name":"  "}`, 400},
		{lind, `{"name":"a\u0000b"}`, 400},
		{lind, `{"name":"x","q":"sevv:critical"}`, 400},
		{lind, `{"name":"x","sort":"shoe size"}`, 400},
		{s.visitor(), `{"name":"x"}`, 401},
	} {
		if code, text := c.who.do("POST", "/api/v1/views", c.body); code != c.code {
			t.Errorf("%.60s: %d %s, want %d", c.body, code, text, c.code)
		}
	}
	if got, want := viewsOf(lind), "lind:Mine lind:Shop"; got != want {
		t.Errorf("lind sees %q, want %q", got, want)
	}
	if got, want := viewsOf(ruiz), "ruiz:Shop ruiz:"+strings.Repeat("ö", 60)+" lind:Shop"; got != want {
		t.Errorf("ruiz sees %q, want %q", got, want)
	}
	if got := viewsOf(admin); got != "lind:Shop" {
		t.Errorf("the administrator sees %q", got)
	}
	if code, text := s.visitor().do("GET", "/api/v1/views", ""); code != http.StatusUnauthorized {
		t.Errorf("a stranger sees %d %s", code, text)
	}
	for _, c := range []struct {
		who  *visitor
		id   int
		code int
	}{
		{ruiz, 1, 403},  // shared by another
		{ruiz, 2, 404},  // of another, and not shared
		{admin, 2, 404}, // nor is it an administrator's business
		{s.visitor(), 1, 401},
		{lind, 99, 404},
		{lind, 2, 200},
		{admin, 1, 200},
		{lind, 1, 404},
	} {
		if code, text := c.who.do("DELETE", fmt.Sprintf("/api/v1/views/%d", c.id), ""); code != c.code {
			t.Errorf("removal of %d: %d %s, want %d", c.id, code, text, c.code)
		}
	}

	// The page's forms obey the same rules.
	form := []string{"Content-Type", "application/x-www-form-urlencoded"}
	if code, text := ruiz.do("POST", "/findings/views", "name=For+all&shared=true", form...); code != http.StatusForbidden {
		t.Errorf("%d %.300s", code, text)
	}
	if code, text := lind.do("POST", "/findings/views", "name=x&q=sevv:x", form...); code != http.StatusBadRequest || !strings.Contains(text, "did you mean sev?") {
		t.Errorf("%d %.300s", code, text)
	}
	evil := `<script>alert(1)</script>"'`
	if code, text := lind.do("POST", "/findings/views", url.Values{"name": {evil}, "q": {`title:"` + `<img src=x>"`}, "cols": {"asset", "due"}, "shared": {"true"}}.Encode(), form...); code != http.StatusSeeOther {
		t.Fatalf("%d %.300s", code, text)
	}
	if _, page := ruiz.do("GET", "/findings?q=kev:true", ""); strings.Contains(page, "<script>alert") || !strings.Contains(page, "&lt;script&gt;alert(1)") || strings.Contains(page, "Share with everybody") {
		t.Error("the name of a view is not shown as the text that it is, or a viewer is offered to share")
	}
	if code, _ := ruiz.do("POST", "/findings/views/5/remove", "", form...); code != http.StatusForbidden {
		t.Errorf("a viewer removes what another shares: %d", code)
	}
}

func TestCompleteOverHTTP(t *testing.T) {
	t.Parallel()
	s := startSite(t)
	admin := s.admin()
	var report bytes.Buffer
	if err := testkit.Trivy(&report, testkit.Estate{Findings: 60, Seed: 4}); err != nil {
		t.Fatal(err)
	}
	if code, text := admin.do("POST", "/api/v1/scans?name=r.json", report.String(), "Content-Type", "application/octet-stream"); code != http.StatusOK {
		t.Fatalf("%d %s", code, text)
	}
	type answer struct {
		From, To int
		Rows     []struct{ Label, Text, Help string }
	}
	for _, c := range []struct {
		q    string
		at   int
		want string
	}{
		{"sev:cr", 6, `4-6 critical`},
		{`"😀" sev:cr`, 11, `9-11 critical`}, // counted as browsers count
		{`"😀" sev:cr`, 2, `2-2 `},           // in the midst of a character
		{"tool:", 5, `5-5 trivy (60 findings)`},
		{"tool:TRI", 8, `5-8 trivy (60 findings)`},
		{"tool:trivy,", 11, `11-11 `},
		{"team:", 5, `5-5 none (1 asset)`},
		{"tag:x", 5, `4-5 `},
		{"sev:cr", 99, `99-99 `},
	} {
		code, text := admin.do("GET", fmt.Sprintf("/api/v1/complete?q=%s&at=%d", url.QueryEscape(c.q), c.at), "")
		var a answer
		if err := json.Unmarshal([]byte(text), &a); err != nil || code != http.StatusOK {
			t.Fatalf("%d %v %s", code, err, text)
		}
		var got []string
		for _, r := range a.Rows {
			if r.Help != "" {
				r.Label += " (" + r.Help + ")"
			}
			got = append(got, r.Label)
		}
		if line := fmt.Sprintf("%d-%d %s", a.From, a.To, strings.Join(got, " ")); line != c.want {
			t.Errorf("%s at %d: %q, want %q", c.q, c.at, line, c.want)
		}
	}
	code, text := admin.do("GET", "/findings/complete?q=sev:h&at=5", "", "HX-Request", "true")
	if code != http.StatusOK || !strings.HasPrefix(text, "<div id=\"filter-list\"") || !strings.Contains(text, `role="option"`) {
		t.Errorf("%d %s", code, text)
	}
	if code, text := s.visitor().do("GET", "/findings/complete?q=&at=0", "", "HX-Request", "true"); code != http.StatusUnauthorized {
		t.Errorf("a stranger gets %d %s", code, text)
	}
}

// evaluate returns what an expression is in the page.
func evaluate(t *testing.T, b *live.Tab, expression string) string {
	t.Helper()
	got, err := chromedp.Run(b.Ctx, chromedp.Evaluate[string]("String("+expression+")"))
	if err != nil {
		t.Fatalf("%s: %v", expression, err)
	}
	return got
}

// until waits for an expression to become what it should.
func until(t *testing.T, b *live.Tab, expression, want string) {
	t.Helper()
	var got string
	for end := time.Now().Add(15 * time.Second); time.Now().Before(end); time.Sleep(30 * time.Millisecond) {
		if got = evaluate(t, b, expression); got == want {
			return
		}
	}
	t.Fatalf("%s is %q, want %q", expression, got, want)
}

// enter presses Enter as a keyboard does: what the key writes follows from the
// key, unless the page took it.
func enter() chromedp.Action[chromedp.Void] {
	return chromedp.Func(func(ctx context.Context, tab *chromedp.Target) error {
		for _, kind := range []input.DispatchKeyEventType{kb.KeyDown, kb.KeyUp} {
			k := *kb.Encode('\r')[0]
			if k.Type = kind; kind == kb.KeyDown {
				k.Text = "\r"
			}
			if _, err := chromedp.Call(ctx, input.DispatchKeyEvent, k); err != nil {
				return err
			}
		}
		return nil
	})
}

// A view is saved, opened, shared, seen by another who cannot remove it, and
// removed and had back; and a filter is written by the keyboard.
func TestViewsInTheBrowser(t *testing.T) {
	t.Parallel()
	s := startSite(t, "--demo")
	b := live.Browser(t)
	firstRun(b, s)
	admin := s.visitor()
	if code, text := admin.do("POST", "/sign-in", fmt.Sprintf(`{"name":"ada","password":%q}`, password)); code != http.StatusNoContent {
		t.Fatalf("%d %s", code, text)
	}
	s.member(admin, "bob", "viewer")

	b.Do("open the list", chromedp.Navigate(s.url+"/findings?sort=due"), chromedp.WaitVisible(css("#rows tr")))
	b.Do("type a part of a field", chromedp.Focus(css("#filter")), chromedp.KeyEvent("se"))
	until(t, b, `[...document.querySelectorAll("#filter-list:not([hidden]) [role=option] code")].map((o) => o.textContent)`, "sev,service")
	until(t, b, `document.querySelector("#filter").getAttribute("aria-expanded")`, "true")
	b.Do("go to the first", chromedp.KeyEvent(kb.ArrowDown))
	until(t, b, `document.getElementById(document.querySelector("#filter").getAttribute("aria-activedescendant")).innerText.split(/\s/)[0]`, "sev")
	picture(t, "complete-field", b)
	b.Do("choose the first by Tab", chromedp.KeyEvent(kb.Tab))
	until(t, b, `document.querySelector("#filter").value`, "sev:")
	until(t, b, `document.querySelectorAll("#filter-list:not([hidden]) [role=option]").length`, "6") // its values follow by themselves
	b.Do("close it", chromedp.KeyEvent(kb.Escape))
	until(t, b, `document.querySelector("#filter-list").hidden + document.querySelector("#filter").value`, "truesev:")
	b.Do("type a part of a value", chromedp.KeyEvent("cr"))
	until(t, b, `[...document.querySelectorAll("#filter-list:not([hidden]) [role=option] code")].map((o) => o.textContent)`, "critical")
	b.Do("choose it by Enter", chromedp.KeyEvent(kb.ArrowDown), enter())
	until(t, b, `document.querySelector("#filter").value`, "sev:critical ")
	until(t, b, `document.querySelector("#filter-list").hidden + location.search`, "true?sort=due") // nothing was sent yet
	b.Do("and a team, that exists", chromedp.KeyEvent("-team:"))
	until(t, b, `document.querySelectorAll("#filter-list:not([hidden]) [role=option]").length > 1`, "true")
	picture(t, "complete-team", b)
	b.Do("go back by the keys", chromedp.KeyEvent(kb.Escape))
	for range len("-team:") {
		b.Do("go back by the keys", chromedp.KeyEvent(kb.Backspace))
	}
	b.Do("ask by the arrow, choose by the mouse", chromedp.KeyEvent(kb.ArrowDown), chromedp.WaitVisible(css("#filter-list [role=option]")),
		chromedp.Click(css("#filter-list [role=option]:nth-child(5)")))
	until(t, b, `document.querySelector("#filter").value + document.activeElement.id`, "sev:critical kev:filter")
	until(t, b, `[...document.querySelectorAll("#filter-list:not([hidden]) [role=option] code")].map((o) => o.textContent)`, "true,false")
	b.Do("and take it back", chromedp.KeyEvent(kb.Escape), chromedp.KeyEvent(strings.Repeat(kb.Backspace, 4)))
	b.Do("filter", enter())
	until(t, b, `String(new URLSearchParams(location.search).get("q")).trim() + " " + new URLSearchParams(location.search).get("sort")`, "sev:critical due")
	text(t, b, ".chips", "sev:critical")

	b.Do("choose columns",
		chromedp.Evaluate[chromedp.Void](`document.querySelectorAll("input[name=cols][type=checkbox]").forEach((c) => (c.checked = ["asset", "tools"].includes(c.value)))`),
		chromedp.Click(css(".filters > .menu > summary")), chromedp.WaitVisible(css(".filters .menu-body fieldset")))
	picture(t, "columns", b)
	b.Do("show them", chromedp.Click(css(".filters .menu-body fieldset ~ .actions button")))
	heads := `[...document.querySelectorAll(".findings th")].map((h) => h.innerText.trim()).filter(Boolean)`
	until(t, b, heads, "Risk,Finding,Asset,Tools")
	b.Do("save it", chromedp.Click(css(".views .menu > summary")), chromedp.WaitVisible(css(".views input[name=name]")),
		chromedp.SendKeys(css(".views input[name=name]"), "My <b>week</b>"), chromedp.Click(css(".views button.primary")), chromedp.WaitVisible(css("#flash .flash")))
	text(t, b, "#flash", "“My <b>week</b>” is saved")
	text(t, b, ".tabs a.saved[aria-current]", "My <b>week</b>")
	until(t, b, heads, "Risk,Finding,Asset,Tools")

	b.Do("open it from elsewhere", chromedp.Navigate(s.url+"/findings"), chromedp.Click(css(".tabs a.saved")), chromedp.WaitVisible(css(".tabs a.saved[aria-current]")))
	until(t, b, heads, "Risk,Finding,Asset,Tools")
	until(t, b, `document.querySelector("#filter").value + " " + new URLSearchParams(location.search).get("sort")`, "sev:critical due")
	b.Do("sort it", chromedp.Click(css(".findings th:nth-child(4) a")))
	until(t, b, `new URLSearchParams(location.search).get("sort")`, "asset")
	until(t, b, heads, "Risk,Finding,Asset,Tools")
	b.Do("share it", chromedp.Navigate(s.url+"/findings"), chromedp.Click(css(".tabs a.saved")), chromedp.WaitVisible(css(".tabs a.saved[aria-current]")),
		chromedp.Click(css(".views .menu > summary")), chromedp.WaitVisible(css(".views input[name=shared]")),
		chromedp.Click(css(".views input[name=shared]")))
	picture(t, "save-view", b)
	b.Do("share it", chromedp.Click(css(".views button.primary")), chromedp.WaitVisible(css("#flash .flash")))
	text(t, b, "#flash", "everybody sees it")

	for _, scheme := range []string{"light", "dark"} {
		b.Scheme(scheme)
		for _, width := range []int64{1440, 390} {
			b.Do("resize", chromedp.EmulateViewport(width, 900), chromedp.Navigate(s.url+"/findings?cols=asset,tools,status,severity,owner,epss,due,first_seen"), chromedp.WaitVisible(css("#rows tr")),
				chromedp.Click(css(".views .menu > summary")))
			if wide := evaluate(t, b, "document.documentElement.scrollWidth"); wide != fmt.Sprint(width) {
				t.Errorf("the list is %s wide on a screen of %d", wide, width)
			}
			picture(t, fmt.Sprintf("views-%s-%d", scheme, width), b)
			b.Do("open the columns", chromedp.Click(css(".views .menu > summary")), chromedp.Click(css(".filters > .menu > summary")), chromedp.WaitVisible(css(".filters > .menu[open] fieldset")))
			picture(t, fmt.Sprintf("columns-%s-%d", scheme, width), b)
			b.Do("close the columns", chromedp.Click(css(".filters > .menu > summary")))
			// A menu that leaves the screen cannot be used.
			until(t, b, `[...document.querySelectorAll("main .menu-body")].filter((m) => {
				m.parentElement.open = true;
				const at = m.getBoundingClientRect();
				m.parentElement.open = false;
				return at.width && (at.left < 0 || at.right > innerWidth);
			}).map((m) => m.previousElementSibling.innerText)`, "")
		}
	}
	b.Scheme("light")
	b.Do("resize", chromedp.EmulateViewport(1440, 900))

	other := live.Browser(t)
	other.Do("sign in as another", chromedp.Navigate(s.url+"/sign-in"), chromedp.SendKeys(css("input[name=name]"), "bob"), chromedp.SendKeys(css("input[name=password]"), password),
		chromedp.Click(css("form.form button[type=submit]")), chromedp.WaitVisible(css("nav.rail")),
		chromedp.Navigate(s.url+"/findings"), chromedp.Click(css(".tabs a.saved")), chromedp.WaitVisible(css(".tabs a.saved[aria-current]")))
	until(t, other, heads, "Risk,Finding,Asset,Tools")
	until(t, other, `document.querySelector(".tabs a.saved .shared").title + document.querySelectorAll(".saved-views button, .views input[name=shared]").length`, "Shared by ada0")
	picture(t, "views-other", other)

	b.Do("remove it", chromedp.Navigate(s.url+"/findings"), chromedp.Click(css(".views .menu > summary")), chromedp.Click(css(".saved-views button")), chromedp.WaitVisible(css("#flash .flash form")))
	text(t, b, "#flash", "is removed")
	until(t, b, `document.querySelectorAll(".tabs a.saved").length`, "0")
	b.Do("have it back", chromedp.Click(css("#flash form button")), chromedp.WaitVisible(css(".tabs a.saved[aria-current]")))
	until(t, b, heads, "Risk,Finding,Asset,Tools")
	if got, want := viewsOf(admin), "ada:My <b>week</b>"; got != want {
		t.Errorf("ada sees %q, want %q", got, want)
	}
}
