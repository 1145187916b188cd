package cli

import (
	"fmt"
	"html"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/leeward-ctem/leeward/server"
)

// join makes an account and signs in to it.
func (v *visitor) join(name, role string) *visitor {
	v.t.Helper()
	if code, text := v.do("POST", "/api/v1/accounts", fmt.Sprintf(`{"name":%q,"password":%q,"role":%q}`, name, password, role)); code != http.StatusOK {
		v.t.Fatalf("account: %d %s", code, text)
	}
	return v.site.enter(name, password)
}

func (s *site) enter(name, password string) *visitor {
	s.t.Helper()
	v := s.visitor()
	if code, text := v.do("POST", "/sign-in", fmt.Sprintf(`{"name":%q,"password":%q}`, name, password)); code != http.StatusNoContent {
		s.t.Fatalf("sign-in: %d %s", code, text)
	}
	return v
}

func (v *visitor) post(path string, form url.Values) (int, string) {
	v.t.Helper()
	return v.do("POST", path, form.Encode(), "Content-Type", "application/x-www-form-urlencoded")
}

func (v *visitor) may() bool {
	code, _ := v.do("GET", "/api/v1/findings", "")
	return code == http.StatusOK
}

// account is the row of an account as the administrator sees it.
func (v *visitor) account(name string) server.AccountRow {
	v.t.Helper()
	for _, row := range ask[rowsOf[server.AccountRow]](v, "/api/v1/accounts").Rows {
		if row.Name == name {
			return row
		}
	}
	v.t.Fatalf("there is no account %q", name)
	return server.AccountRow{}
}

// Roles, locks and tokens of others are an administrator's, and one
// administrator can always sign in.
func TestAccess(t *testing.T) {
	t.Parallel()
	s := startSite(t)
	ada := s.admin()
	bob := ada.join("bob", "viewer")
	if code, text := bob.do("POST", "/api/v1/tokens", `{"name":"ci","scopes":["read"],"days":30}`); code != http.StatusOK {
		t.Fatalf("%d %s", code, text)
	}
	row := ada.account("bob")
	if row.Seen == 0 || len(row.Tokens) != 1 || row.Role != "viewer" {
		t.Errorf("bob is %+v", row)
	}
	path := fmt.Sprintf("/api/v1/accounts/%d", row.ID)
	if code, _ := bob.do("PATCH", path, `{"role":"admin"}`); code != http.StatusForbidden {
		t.Errorf("a viewer makes himself administrator: %d", code)
	}
	if code, _ := bob.do("GET", "/account/accounts", ""); code != http.StatusForbidden {
		t.Errorf("a viewer sees who may sign in: %d", code)
	}
	if code, _ := ada.do("PATCH", path, `{"role":"emperor"}`); code != http.StatusBadRequest {
		t.Errorf("a role that is none gave %d", code)
	}
	if code, _ := ada.do("PATCH", "/api/v1/accounts/999", `{"role":"viewer"}`); code != http.StatusNotFound {
		t.Errorf("nobody's role gave %d", code)
	}
	own := fmt.Sprintf("/api/v1/accounts/%d", ada.account("ada").ID)
	for _, body := range []string{`{"role":"viewer"}`, `{"disabled":true}`} {
		if code, text := ada.do("PATCH", own, body); code != http.StatusConflict || !strings.Contains(text, "last admin") {
			t.Errorf("the last administrator: %s gave %d %s", body, code, text)
		}
	}
	// By the pages: another role, locked, unlocked.
	form := fmt.Sprintf("/account/accounts/%d", row.ID)
	if code, _ := ada.post(form+"/access", url.Values{"role": {"analyst"}}); code != http.StatusSeeOther || ada.account("bob").Role != "analyst" {
		t.Errorf("another role gave %d", code)
	}
	if code, _ := ada.post(form+"/access", url.Values{"disabled": {"true"}}); code != http.StatusSeeOther || bob.may() {
		t.Errorf("locking gave %d", code)
	}
	if _, page := ada.do("GET", "/account/accounts", ""); !strings.Contains(page, "Locked") || !strings.Contains(page, "bob is locked out") {
		t.Error("the page does not show the lock")
	}
	if code, _ := s.visitor().do("POST", "/sign-in", fmt.Sprintf(`{"name":"bob","password":%q}`, password)); code != http.StatusForbidden {
		t.Errorf("who is locked out signs in: %d", code)
	}
	if code, _ := ada.post(form+"/access", url.Values{"disabled": {"false"}}); code != http.StatusSeeOther || bob.may() {
		t.Errorf("unlocking gave %d, and must not bring old sessions back", code)
	}
	bob = s.enter("bob", password)
	if code, page := ada.post(fmt.Sprintf("/account/accounts/%d/access", ada.account("ada").ID), url.Values{"disabled": {"true"}}); code != http.StatusConflict || !strings.Contains(page, "last admin") {
		t.Errorf("locking oneself out gave %d", code)
	}
	if code, _ := ada.post(fmt.Sprintf("%s/tokens/%d/remove", form, row.Tokens[0].ID), nil); code != http.StatusSeeOther || len(ada.account("bob").Tokens) != 0 {
		t.Errorf("removing a token gave %d", code)
	}
	for _, path := range []string{"/access", "/reset", "/tokens/1/remove"} {
		if code, _ := bob.post(form+path, url.Values{"role": {"admin"}}); code != http.StatusForbidden {
			t.Errorf("%s of an analyst gave %d", path, code)
		}
	}
	// With a second administrator the first may step down.
	if code, _ := ada.do("PATCH", path, `{"role":"admin"}`); code != http.StatusOK {
		t.Errorf("a second administrator: %d", code)
	}
	if code, _ := ada.do("PATCH", own, `{"role":"viewer"}`); code != http.StatusOK {
		t.Errorf("stepping down: %d", code)
	}
	if code, _ := ada.do("GET", "/api/v1/accounts", ""); code != http.StatusForbidden {
		t.Errorf("who stepped down still manages accounts: %d", code)
	}
}

// A link for a new password is good once and signs the old sessions out.
func TestPasswordLink(t *testing.T) {
	t.Parallel()
	s := startSite(t)
	ada := s.admin()
	bob := ada.join("bob", "viewer")
	code, page := ada.post(fmt.Sprintf("/account/accounts/%d/reset", ada.account("bob").ID), nil)
	m := regexp.MustCompile(`<code id="secret"[^>]*>http://[^/<]+(/reset\?link=([^<]+))</code>`).FindStringSubmatch(page)
	if code != http.StatusOK || m == nil {
		t.Fatalf("%d: the page shows no link", code)
	}
	link := html.UnescapeString(m[2])
	if !bob.may() {
		t.Error("the old password ended before the new one is there")
	}
	stranger := s.visitor()
	if _, page := stranger.do("GET", m[1], ""); !strings.Contains(page, "Set the password") {
		t.Error("the link asks for no password")
	}
	if code, page := stranger.post("/reset", url.Values{"link": {link}, "password": {"short"}}); code != http.StatusBadRequest || !strings.Contains(page, "too short") || !strings.Contains(page, link) {
		t.Errorf("a short password gave %d", code)
	}
	if code, _ := stranger.post("/reset", url.Values{"link": {"guess"}, "password": {"another long password"}}); code != http.StatusForbidden {
		t.Errorf("a guessed link gave %d", code)
	}
	if code, _ := stranger.post("/reset", url.Values{"link": {link}, "password": {"another long password"}}); code != http.StatusSeeOther || !stranger.may() {
		t.Errorf("the link gave %d", code)
	}
	if bob.may() {
		t.Error("a session with the old password goes on")
	}
	if code, page := s.visitor().post("/reset", url.Values{"link": {link}, "password": {"a third long password"}}); code != http.StatusForbidden || !strings.Contains(page, "was used") {
		t.Errorf("the link worked twice: %d", code)
	}
	if _, page := s.visitor().do("GET", m[1], ""); strings.Contains(page, "Set the password") {
		t.Error("a link that was used asks again")
	}
	s.enter("bob", "another long password")
}

// Everybody sees where he is signed in, and can end it elsewhere; the sessions
// of others are none of his.
func TestOwnSessions(t *testing.T) {
	t.Parallel()
	s := startSite(t)
	ada := s.admin()
	here := ada.join("bob", "viewer")
	there := s.enter("bob", password)
	rows := ask[rowsOf[server.SessionRow]](here, "/api/v1/sessions").Rows
	current := 0
	for _, r := range rows {
		if r.Current {
			current++
		}
		if r.Since == 0 || !strings.Contains(r.Agent, "Go-http-client") {
			t.Errorf("a session is %+v", r)
		}
	}
	if len(rows) != 2 || current != 1 {
		t.Errorf("bob has %d sessions, %d of them this one", len(rows), current)
	}
	if _, page := here.do("GET", "/account", ""); !strings.Contains(page, "This one") || !strings.Contains(page, "End the others") {
		t.Error("the page does not show the sessions")
	}
	if code, _ := here.post("/account/sessions/end", nil); code != http.StatusSeeOther {
		t.Errorf("ending the others gave %d", code)
	}
	if there.may() || !here.may() || !ada.may() {
		t.Errorf("signed in are there %v, here %v, somebody else %v", there.may(), here.may(), ada.may())
	}
	if rows := ask[rowsOf[server.SessionRow]](here, "/api/v1/sessions").Rows; len(rows) != 1 || !rows[0].Current {
		t.Errorf("left are %+v", rows)
	}
	// A session that was written back by a request on its way is worth nothing.
	if code, text := ada.do("DELETE", "/api/v1/sessions", ""); code != http.StatusOK || text == "" {
		t.Errorf("%d %s", code, text)
	}
	if !here.may() || !ada.may() {
		t.Error("ending one's own other sessions ended more")
	}
}
