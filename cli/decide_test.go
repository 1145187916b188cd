package cli

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/leeward-ctem/leeward/discover"
	"github.com/leeward-ctem/leeward/exposure"
	"github.com/leeward-ctem/leeward/internal/testkit"
	"github.com/leeward-ctem/leeward/server"
	"github.com/leeward-ctem/leeward/store"
)

// busy is a site with findings of a generated image report.
func busy(t *testing.T, findings int) (*site, *visitor) {
	t.Helper()
	s := startSite(t, "--offline")
	admin := s.admin()
	var report bytes.Buffer
	if err := testkit.Trivy(&report, testkit.Estate{Findings: findings, Seed: 4}); err != nil {
		t.Fatal(err)
	}
	if code, text := admin.do("POST", "/api/v1/scans?name=r.json", report.String(), "Content-Type", "application/octet-stream"); code != http.StatusOK {
		t.Fatalf("%d %s", code, text)
	}
	return s, admin
}

// as signs in with an account of a role, named after it unless a name is given.
func (v *visitor) as(role string, name ...string) *visitor {
	v.t.Helper()
	who := append(name, role)[0]
	if code, text := v.do("POST", "/api/v1/accounts", fmt.Sprintf(`{"name":%q,"password":%q,"role":%q}`, who, password, role)); code != http.StatusOK {
		v.t.Fatalf("account: %d %s", code, text)
	}
	other := v.site.visitor()
	if code, text := other.do("POST", "/sign-in", fmt.Sprintf(`{"name":%q,"password":%q}`, who, password)); code != http.StatusNoContent {
		v.t.Fatalf("sign in: %d %s", code, text)
	}
	return other
}

// call sends JSON and reads JSON, and returns the status of the answer.
func call[T any](v *visitor, method, path, body string) (code int, out T) {
	v.t.Helper()
	code, text := v.do(method, path, body)
	if code == http.StatusOK {
		if err := json.Unmarshal([]byte(text), &out); err != nil {
			v.t.Fatalf("%s: %v: %s", path, err, text)
		}
	}
	return code, out
}

func (v *visitor) total(filter string) int {
	v.t.Helper()
	_, p := call[server.FindingPage](v, "GET", "/api/v1/findings?limit=1&q="+url.QueryEscape(filter), "")
	return p.Total
}

func (v *visitor) measures() server.Measures {
	v.t.Helper()
	_, m := call[server.Measures](v, "GET", "/api/v1/measures", "")
	return m
}

func TestUndo(t *testing.T) {
	t.Parallel()
	_, admin := busy(t, 10_000)
	ada, bob, ann := admin.as("owner", "olga"), admin.as("owner", "bob"), admin.as("analyst")
	_, fixes := call[struct{ Rows []exposure.Remediation }](admin, "GET", "/api/v1/remediations?q=is:open", "")
	before := admin.measures()

	_, moved := call[server.Moved](ada, "POST", "/api/v1/findings/move", `{"filter":"is:open","cause":"claim"}`)
	if moved.Moved != 10_000 || moved.Undo == 0 || admin.total("status:fix_claimed") != 10_000 {
		t.Fatalf("claimed: %+v", moved)
	}
	undo := fmt.Sprintf(`{"undo":%d}`, moved.Undo)
	if code, _ := call[server.Undone](bob, "POST", "/api/v1/undo", undo); code != http.StatusForbidden {
		t.Errorf("somebody else's claim is taken back: %d", code)
	}
	if code, _ := call[server.Undone](ann, "POST", "/api/v1/undo", undo); code != http.StatusForbidden {
		t.Errorf("an analyst takes a claim back: %d", code)
	}
	if code, u := call[server.Undone](ada, "POST", "/api/v1/undo", undo); code != http.StatusOK || u.Back != 10_000 || u.Of != 10_000 {
		t.Errorf("undo: %d %+v", code, u)
	}
	if n := admin.total("status:open"); n != 10_000 {
		t.Errorf("%d are open again", n)
	}
	if code, _ := call[server.Undone](ada, "POST", "/api/v1/undo", undo); code != http.StatusConflict {
		t.Errorf("undo twice: %d", code)
	}
	if code, _ := call[server.Undone](ada, "POST", "/api/v1/undo", `{"undo":999}`); code != http.StatusNotFound {
		t.Errorf("what was never decided is taken back: %d", code)
	}

	// What was done and taken back leaves lists and figures as they were.
	_, again := call[struct{ Rows []exposure.Remediation }](admin, "GET", "/api/v1/remediations?q=is:open", "")
	if len(again.Rows) != len(fixes.Rows) || again.Rows[0].Findings != fixes.Rows[0].Findings {
		t.Errorf("%d fixes, before %d", len(again.Rows), len(fixes.Rows))
	}
	after := admin.measures()
	last := func(m server.Measures) string {
		return fmt.Sprint(m.Days[len(m.Days)-1], m.Repair.Curve.Fixed, m.Regressed)
	}
	if last(before) != last(after) {
		t.Errorf("the figures say %s, before %s", last(after), last(before))
	}
	if code, text := ada.do("GET", "/api/v1/findings/F-1", ""); code != http.StatusOK || !strings.Contains(text, "undo of a claimed fix") || !strings.Contains(text, `"cause":"undo"`) {
		t.Errorf("the history of the finding: %d %s", code, text)
	}

	// What somebody moved since stays where it is.
	_, moved = call[server.Moved](ann, "POST", "/api/v1/findings/move", `{"ids":["F-1","F-2","F-3"],"cause":"triage"}`)
	call[server.Moved](bob, "POST", "/api/v1/findings/move", `{"ids":["F-2"],"cause":"claim"}`)
	if code, u := call[server.Undone](ann, "POST", "/api/v1/undo", fmt.Sprintf(`{"undo":%d}`, moved.Undo)); code != http.StatusOK || u.Back != 2 || u.Of != 3 {
		t.Errorf("undo of a triage: %d %+v", code, u)
	}
	if open, claimed := admin.total("status:open"), admin.total("status:fix_claimed"); open != 9_999 || claimed != 1 {
		t.Errorf("%d open, %d claimed", open, claimed)
	}
}

func TestAssign(t *testing.T) {
	t.Parallel()
	_, admin := busy(t, 300)
	olga, ann, vic := admin.as("owner", "olga"), admin.as("analyst"), admin.as("viewer")
	_, f := call[server.FindingDetail](admin, "GET", "/api/v1/findings/F-1", "")
	all := admin.total("")

	code, done := call[server.Assigned](ann, "POST", "/api/v1/assign", `{"ids":["F-1","F-1"],"owner":"  Night   Shift ","reason":"they run it"}`)
	if code != http.StatusOK || done.Assets != 1 || done.Owner != "Night Shift" || done.Undo == 0 {
		t.Fatalf("%d %+v", code, done)
	}
	on := admin.total(`team:"night shift"`)
	if on == 0 {
		t.Error("the index did not follow")
	}
	_, asset := call[server.AssetDetail](admin, "GET", fmt.Sprintf("/api/v1/assets/%d", f.AssetID), "")
	if asset.Assigned != "Night Shift" || asset.Context.Owner != "Night Shift" {
		t.Errorf("the asset belongs to %q, assigned %q", asset.Context.Owner, asset.Assigned)
	}
	// A name is the one that is known, whatever its case.
	if _, same := call[server.Assigned](olga, "POST", "/api/v1/assign", `{"filter":"is:open","owner":"NIGHT SHIFT"}`); same.Owner != "Night Shift" {
		t.Errorf("assigned to %q", same.Owner)
	}
	if n := admin.total(`team:"night shift"`); n != all {
		t.Errorf("%d of %d are theirs", n, all)
	}
	if _, owners := call[struct{ Rows []string }](vic, "GET", "/api/v1/owners", ""); len(owners.Rows) != 1 || owners.Rows[0] != "Night Shift" {
		t.Errorf("known owners: %q", owners.Rows)
	}
	if _, c := call[server.Concerned](vic, "GET", "/api/v1/concerned?q=is:open", ""); c.Findings != all || c.Assets == 0 || c.Teams != 1 {
		t.Errorf("concerned: %+v", c)
	}
	for _, bad := range []string{`{"ids":["F-1"],"owner":"a\u202Eb"}`, `{"ids":["F-1"],"owner":"none"}`, `{"ids":["F-1"],"owner":"   "}`, `{"owner":"x"}`} {
		if code, _ := call[server.Assigned](ann, "POST", "/api/v1/assign", bad); code != http.StatusBadRequest {
			t.Errorf("%s: %d", bad, code)
		}
	}
	if code, _ := call[server.Assigned](ann, "POST", "/api/v1/assign", `{"assets":[999],"owner":"x"}`); code != http.StatusNotFound {
		t.Errorf("an asset that is not there: %d", code)
	}

	// A programme does not take it away, and the undo does.
	if code, text := admin.do("PUT", "/api/v1/programme", `{"body":"assets:\n  - {match: {name: \"*\"}, owner: Platform}\n"}`); code != http.StatusOK {
		t.Fatalf("%d %s", code, text)
	}
	if n := admin.total("team:platform"); n != 0 {
		t.Errorf("the programme took %d", n)
	}
	call[server.Assigned](ann, "POST", "/api/v1/assign", fmt.Sprintf(`{"assets":[%d],"owner":""}`, f.AssetID))
	if n := admin.total("team:platform"); n != on {
		t.Errorf("%d went back to the programme, want %d", n, on)
	}
	if code, u := call[server.Undone](ann, "POST", "/api/v1/undo", fmt.Sprintf(`{"undo":%d}`, done.Undo)); code != http.StatusOK || u.Back != 0 || u.Of != 1 {
		t.Errorf("undo of what was assigned since: %d %+v", code, u)
	}
	_, d := call[server.FindingDetail](admin, "GET", "/api/v1/findings/F-1", "")
	var told []string
	for _, e := range d.Timeline {
		if e.Kind == exposure.EventAssigned {
			told = append(told, e.Actor+" "+e.Reason)
		}
	}
	if want := []string{"analyst to Night Shift: they run it", "analyst back to the programme"}; fmt.Sprint(told) != fmt.Sprint(want) {
		t.Errorf("the history says %q, want %q", told, want)
	}
	if text := pageOf(t, vic, "/findings"); strings.Contains(text, "Assign…") {
		t.Error("a viewer sees what he may not do")
	}
}

func pageOf(t *testing.T, v *visitor, path string) string {
	t.Helper()
	code, text := v.do("GET", path, "")
	if code != http.StatusOK {
		t.Fatalf("%s: %d %s", path, code, text)
	}
	return text
}

// form posts a form from the list of findings and returns the page after it.
func form(t *testing.T, v *visitor, path string, values url.Values) string {
	t.Helper()
	code, text := v.do("POST", path, values.Encode(), "Content-Type", "application/x-www-form-urlencoded", "Referer", v.url+"/findings?q=sev:critical")
	if code == http.StatusSeeOther {
		return pageOf(t, v, "/findings")
	}
	if code != http.StatusOK {
		t.Fatalf("%s: %d %s", path, code, text)
	}
	return text
}

// Every form that decides offers to take it back, and those on all that match
// ask first and say how much that is.
func TestDecideByForms(t *testing.T) {
	t.Parallel()
	_, admin := busy(t, 300)
	number := regexp.MustCompile(`action="/undo"><input type="hidden" name="undo" value="(\d+)">`)
	undo := func(text string) url.Values {
		t.Helper()
		m := number.FindStringSubmatch(text)
		if m == nil {
			t.Fatal("there is no undo")
		}
		return url.Values{"undo": {m[1]}}
	}
	expires := time.Now().AddDate(0, 1, 0).Format(time.DateOnly)
	for _, test := range []struct {
		path   string
		fields url.Values
		asks   string
		says   string
		after  string
	}{
		{"/findings/move", url.Values{"cause": {"triage"}}, "Triage 75 findings?", "75 findings moved.", "Undone: 75 findings as before."},
		{"/findings/move", url.Values{"cause": {"claim"}}, "Claim fixed: 75 findings?", "75 findings moved.", "Undone: 75 findings as before."},
		{"/assets/assign", url.Values{"owner": {"Night Shift"}, "note": {"by rota"}}, "to Night Shift?", "to Night Shift.", "as before."},
		{"/findings/except", url.Values{"reason": {"legacy"}, "expires": {expires}}, "Ask for an exception for 75 findings?", "somebody else&#39;s approval", "withdrawn"},
	} {
		test.fields.Set("all", "true")
		test.fields.Set("q", "sev:critical")
		asked := form(t, admin, test.path, test.fields)
		for _, want := range []string{test.asks, "Assets", "Teams", `name="confirmed" value="true"`} {
			if !strings.Contains(asked, want) {
				t.Errorf("%s %v: the question does not say %q", test.path, test.fields, want)
			}
		}
		if strings.Contains(pageOf(t, admin, "/findings"), `action="/undo"`) {
			t.Errorf("%s: it was done before it was confirmed", test.path)
		}
		test.fields.Set("confirmed", "true")
		code, text := admin.do("POST", test.path, test.fields.Encode(), "Content-Type", "application/x-www-form-urlencoded", "Referer", admin.url+test.path)
		if code != http.StatusSeeOther {
			t.Fatalf("%s: %d %s", test.path, code, text)
		}
		done := pageOf(t, admin, "/findings?q=sev:critical")
		if !strings.Contains(done, test.says) {
			t.Errorf("%s: the page does not say %q", test.path, test.says)
		}
		if text := form(t, admin, "/undo", undo(done)); !strings.Contains(text, test.after) {
			t.Errorf("%s: after the undo the page does not say %q", test.path, test.after)
		}
		if strings.Contains(pageOf(t, admin, "/findings"), `id="flash" role="status"><div`) {
			t.Errorf("%s: the message comes again", test.path)
		}
	}
	// An exception that is in force and ends.
	_, e := call[server.Requested](admin, "POST", "/api/v1/exceptions", fmt.Sprintf(`{"ids":["F-1"],"reason":"legacy","expires":%q}`, expires))
	boss := admin.as("operator")
	if code, text := boss.do("POST", fmt.Sprintf("/api/v1/exceptions/%d/approve", e.ID), ""); code >= 300 {
		t.Fatalf("%d %s", code, text)
	}
	if code, _ := call[server.Undone](admin, "POST", "/api/v1/undo", fmt.Sprintf(`{"undo":%d}`, e.Undo)); code != http.StatusConflict {
		t.Errorf("a request is withdrawn after it was approved: %d", code)
	}
	done := form(t, boss, fmt.Sprintf("/exceptions/%d/end", e.ID), url.Values{})
	if n := admin.total("status:excepted"); n != 0 {
		t.Errorf("%d are still excepted", n)
	}
	form(t, boss, "/undo", undo(done))
	if n := admin.total("status:excepted"); n != 1 {
		t.Errorf("%d are excepted again", n)
	}
}

// An assignment survives that a report shows two assets to be one.
func TestAssignmentSurvivesMerge(t *testing.T) {
	t.Parallel()
	onBoth(t, func(w *world) {
		w.report("mon", ran(1), named("scan", "CVE-1", "", "a"))
		w.report("tue", ran(2), named("other", "CVE-3", "", "b"))
		err := w.db.Write(w.t.Context(), func(tx *store.Tx) error {
			_, err := tx.Assign(w.t.Context(), &exposure.Decision{At: 1, Actor: "ada", Kind: exposure.DecisionAssign, Owner: "Payments"}, []exposure.AssetID{2}, "")
			return err
		})
		if err != nil {
			w.t.Fatal(err)
		}
		w.report("wed", ran(3), named("scan", "CVE-1", "", "a", "b"))
		w.report("thu", ran(4), named("scan", "CVE-1", "", "a"), named("scan", "CVE-4", "", "c"))
		if err := w.ix.CatchUp(w.t.Context(), w.db); err != nil {
			w.t.Fatal(err)
		}
		if a := w.ix.View().Asset(1); a.Assigned != "Payments" {
			w.t.Errorf("the asset that is left belongs to %q", a.Assigned)
		}
	})
}

// What people say of a decision is kept without the secrets in it.
func TestReasonsAreRedacted(t *testing.T) {
	t.Parallel()
	onBoth(t, func(w *world) {
		t, ctx, a := w.t, w.t.Context(), houseOver(w)
		if _, err := a.Import(ctx, discover.Request{Name: "r", Format: "observations", At: w.now}, strings.NewReader(ran(1)+"\n"+seen("a", "CVE-2026-1"))); err != nil {
			t.Fatal(err)
		}
		const secret = "s3cr3tW0rd"
		reason := func(what string) string { return what + " with password=" + secret }
		ids := []string{"F-1"}
		e, err := a.RequestException(ctx, server.ExceptionRequest{IDs: ids, Reason: reason("asked"), Expires: w.now.AddDate(0, 1, 0).Format(time.DateOnly), Actor: "lind"})
		if err != nil {
			t.Fatal(err)
		}
		_, ended := a.EndException(ctx, e.ID, "lind", reason("ended"))
		_, moved := a.Move(ctx, server.MoveRequest{IDs: ids, Cause: "triage", Reason: reason("moved"), Actor: "lind"})
		_, assigned := a.Assign(ctx, server.AssignRequest{IDs: ids, Owner: "ops", Reason: reason("assigned"), Actor: "lind"})
		_, judged := a.RecordVerdict(ctx, server.VerdictRequest{IDs: ids, Kind: "blocked", Evidence: reason("judged"), Actor: "lind"})
		d, err := a.Finding(ctx, 1)
		if err := errors.Join(ended, moved, assigned, judged, err); err != nil {
			t.Fatal(err)
		}
		verdicts, err := a.Verdicts(ctx, "", 10)
		if err != nil {
			t.Fatal(err)
		}
		text := fmt.Sprint(d.Timeline, d.Exceptions, verdicts)
		for _, e := range d.Timeline {
			text += e.Reason + "\n"
		}
		for _, what := range []string{"asked", "ended", "moved", "assigned", "judged"} {
			if !strings.Contains(text, what+" with password=[redacted") {
				t.Errorf("%s is nowhere: %s", what, text)
			}
		}
		if strings.Contains(text, secret) {
			t.Errorf("the secret is kept: %s", text)
		}
	})
}

// A verdict may hold for 90 days also where a day of them has 25 hours.
func TestVerdictOverTheEndOfSummerTime(t *testing.T) {
	t.Parallel()
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Skip(err)
	}
	onBoth(t, func(w *world) {
		a := houseOver(w)
		w.now = time.Date(2026, 9, 20, 12, 0, 0, 0, berlin)
		if _, err := a.Import(w.t.Context(), discover.Request{Name: "r", Format: "observations", At: w.now}, strings.NewReader(ran(1)+"\n"+seen("a", "CVE-2026-1"))); err != nil {
			w.t.Fatal(err)
		}
		if _, err := a.RecordVerdict(w.t.Context(), server.VerdictRequest{IDs: []string{"F-1"}, Kind: "blocked", Evidence: "403 by the gateway", Days: 90}); err != nil {
			w.t.Error(err)
		}
	})
}

// What commands decide and keep is the command line's, and what people do is
// theirs.
func TestCommandsBesidePeople(t *testing.T) {
	t.Parallel()
	s, admin := busy(t, 100)
	lind, ruiz := admin.as("analyst", "lind"), admin.as("analyst", "ruiz")
	says := func(code int, want string, args ...string) {
		t.Helper()
		if got, text := s.command(args...); got != code || !strings.Contains(text, want) {
			t.Errorf("leeward %s: %d %s, want %d and %q", strings.Join(args, " "), got, text, code, want)
		}
	}
	save := func(v *visitor, body string) int64 {
		t.Helper()
		code, view := call[exposure.SavedView](v, "POST", "/api/v1/views", body)
		if code != http.StatusOK {
			t.Fatalf("%s: %d", body, code)
		}
		return view.ID
	}

	_, his := call[server.Assigned](lind, "POST", "/api/v1/assign", `{"filter":"is:any","owner":"lind"}`)
	says(exitFailed, "only lind can take this back", "undo", fmt.Sprint(his.Undo))
	says(exitDone, "leeward undo 2", "assign", "--owner", "ops", "is:any")
	if code, text := admin.do("POST", "/api/v1/undo", `{"undo":2}`); code != http.StatusForbidden || !strings.Contains(text, "only command line can take this back") {
		t.Errorf("an administrator takes back what a command did: %d %s", code, text)
	}
	says(exitDone, "as before", "undo", "2")
	if code, text := admin.do("POST", "/api/v1/accounts", fmt.Sprintf(`{"name":"Command Line","password":%q,"role":"viewer"}`, password)); code != http.StatusBadRequest {
		t.Errorf("an account by the name of the command line: %d %s", code, text)
	}

	shop := save(lind, `{"name":"Shop","q":"team:lind","shared":true}`)
	save(lind, `{"name":"Mine"}`)
	says(exitDone, "lind", "views")
	says(exitDone, "100 findings", "findings", "--view", "Shop")
	save(ruiz, `{"name":"Shop","q":"team:ruiz","shared":true}`)
	for _, args := range [][]string{{"findings", "--view", "Shop"}, {"views", "remove", "Shop"}} {
		says(exitFailed, `2 people share a view "Shop": give the number`, args...)
	}
	says(exitDone, "of 100 findings", "findings", "--view", fmt.Sprint(shop))
	says(exitFailed, "no saved view", "views", "remove", "Mine")
	says(exitDone, "is saved", "views", "save", "Shop", "team:nobody") // one's own comes first
	says(exitDone, "Nothing matches", "findings", "--view", "Shop")
	says(exitDone, "which lind shared", "views", "remove", fmt.Sprint(shop))
	says(exitDone, "everybody sees it", "views", "save", "For all", "--shared")
	if got, want := viewsOf(lind), "lind:Mine command line:For all ruiz:Shop"; got != want {
		t.Errorf("lind sees %q, want %q", got, want)
	}
	if code, text := lind.do("DELETE", "/api/v1/views/5", ""); code != http.StatusForbidden {
		t.Errorf("an analyst removes a view of the command line: %d %s", code, text)
	}
	if code, text := admin.do("DELETE", "/api/v1/views/5", ""); code != http.StatusOK || !strings.Contains(text, `"name":"For all"`) {
		t.Errorf("an administrator cannot remove a view of the command line: %d %s", code, text)
	}
}

// Of exceptions one side asks and the other approves: people and commands, with
// a server and without.
func TestExceptionsBesidePeople(t *testing.T) {
	t.Parallel()
	s, admin := busy(t, 600)
	lind, boss := admin.as("owner", "lind"), admin.as("operator", "boss")
	says := func(code int, want string, args ...string) {
		t.Helper()
		if got, text := s.command(args...); got != code || !strings.Contains(text, want) {
			t.Errorf("leeward %s: %d %s, want %d and %q", strings.Join(args, " "), got, text, code, want)
		}
	}
	until := time.Now().AddDate(0, 1, 0).Format(time.DateOnly)
	for id := 1; id <= 3; id++ {
		if code, e := call[server.Requested](lind, "POST", "/api/v1/exceptions", fmt.Sprintf(`{"ids":["F-%d","F-9"],"reason":"gone\nin spring","expires":%q}`, id, until)); code != http.StatusOK || e.Count != 2 {
			t.Fatalf("%d %+v", code, e)
		}
	}
	says(exitDone, "waits for the approval", "exceptions", "request", "F-4", "--reason", "legacy", "--until", until)
	says(exitFailed, "somebody else must approve it", "exceptions", "approve", "4")
	if code, text := boss.do("POST", "/api/v1/exceptions/4/approve", ""); code >= 300 {
		t.Errorf("an operator does not approve what a command asked for: %d %s", code, text)
	}
	says(exitFailed, "exception 4 was approved by boss since: end it instead", "undo", "4")

	says(exitDone, "This concerns exception 1 of lind, for 2 findings until "+until+": gone in spring\nException 1 is in force until "+until+".\nEnd it with `leeward exceptions end 1`.", "exceptions", "approve", "1")
	says(exitFailed, "exception 1 is decided already", "exceptions", "approve", "1")
	if n := admin.total("status:excepted"); n != 3 {
		t.Errorf("%d are excepted", n)
	}
	says(exitDone, "in force", "exceptions")
	says(exitDone, "Exception 3 is refused.", "exceptions", "end", "3")

	// More findings by number than a filter holds.
	args := []string{"claim"}
	for id := 10; id <= 600; id++ {
		args = append(args, fmt.Sprintf("F-%d", id))
	}
	says(exitDone, "591 findings are claimed fixed.", args...)
	says(exitFailed, "there is no finding F-601", append(args, "F-601")...)

	s.stop()
	says(exitDone, `"approver":"command line"`, "--json", "exceptions", "approve", "2")
	says(exitFailed, "somebody else must approve it", func() []string {
		says(exitDone, "Exception 5", "exceptions", "request", "F-5", "--reason", "legacy", "--until", until)
		return []string{"exceptions", "approve", "5"}
	}()...)
	// F-9 is in another exception that is in force.
	says(exitDone, "Exception 1 has ended: 1 finding is open again.\nTake it back with `leeward undo 8`.", "exceptions", "end", "1", "--reason", "it is spring")
	says(exitDone, "Undone: 1 finding as before.", "undo", "8")
}
