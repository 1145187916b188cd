package cli

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/leeward-ctem/leeward/exposure"
	"github.com/leeward-ctem/leeward/server"
)

// By pages and forms: one writes rules, another approves what he read, a third
// stops everything.
func TestEngagementPages(t *testing.T) {
	t.Parallel()
	s := startSite(t, "--offline")
	admin := s.admin()
	olga, otto, ann, vic := admin.as("operator", "olga"), admin.as("operator", "otto"), admin.as("analyst"), admin.as("viewer")
	page := func(v *visitor, path string, want ...string) string {
		t.Helper()
		code, text := v.do("GET", path, "")
		if code != http.StatusOK {
			t.Fatalf("%s: %d", path, code)
		}
		for _, w := range want {
			if !strings.Contains(text, w) {
				t.Errorf("%s does not say %q", path, w)
			}
		}
		return text
	}
	page(olga, "/engagements", "Nothing may be sent yet", "Write the first rules")
	page(olga, "/audit", "Nothing was decided or sent yet")
	form := url.Values{
		"name": {"Office"}, "owner": {"Dora"}, "targets": {"10.20.0.0/16\r\n\r\n  203.0.113.5\r\n"}, "exclusions": {"10.20.9.0/24"}, "level": {"probe"}, "windows": {"mon, tue 00:00-24:00\nwed thu fri sat sun 00:00-24:00"},
		"zone": {"Europe/Berlin"}, "blackouts": {"2099-12-24, 2099-12-25"}, "expires": {time.Now().AddDate(0, 0, 30).Format(time.DateOnly)}, "rate": {"12.5"}, "concurrency": {"4"}, "total": {"1000"},
	}
	with := func(name, value string) url.Values {
		f := url.Values{}
		for k, v := range form {
			f[k] = v
		}
		f.Set(name, value)
		return f
	}
	for _, bad := range [][3]string{
		{"targets", "10.0.0.0/99", "no network"}, {"level", "emulation", "emulation is planned"}, {"level", "9", "level"}, {"windows", "at night", "write it as in"}, {"windows", "xyz 10:00-11:00", "write mon, tue"},
		{"zone", "Berlin", "is none"}, {"expires", "soon", "the end: write a day"}, {"expires", "2030-01-01", "more than 90 days"}, {"rate", "NaN", "give a number above 0"}, {"concurrency", "1.5", "whole numbers"}, {"concurrency", "1e300", "give a number"},
	} {
		code, text := olga.post("/engagements", with(bad[0], bad[1]))
		if code != http.StatusBadRequest || !strings.Contains(text, bad[2]) || !strings.Contains(text, "10.20.9.0/24</textarea>") {
			t.Errorf("%s %q: %d, without %q or what was typed", bad[0], bad[1], code, bad[2])
		}
	}
	page(olga, "/engagements", "Nothing may be sent yet")
	if code, _ := olga.post("/engagements", form); code != http.StatusSeeOther {
		t.Fatalf("add: %d", code)
	}
	d := ask[server.EngagementDetail](olga, "/api/v1/engagements/1")
	if d.Author != "olga" || d.State != "waiting" || len(d.Targets) != 2 || len(d.Windows) != 2 || d.Limits != (exposure.Limits{Rate: 12.5, Concurrency: 4, Total: 1000}) || len(d.Blackouts) != 2 {
		t.Errorf("kept: %+v", d)
	}
	page(olga, "/engagements/1", "Waits for approval", "You wrote these rules, so somebody else approves them.", "leeward-", "Probe: beside that", "Mon, tue from 00:00 to 24:00")
	seen := page(otto, "/engagements/1", "Approve these rules", d.Digest)
	if !strings.Contains(seen, `href="/engagements/1/edit"`) {
		t.Error("no way to change it")
	}
	for who, v := range map[string]*visitor{"an analyst": ann, "a viewer": vic} {
		if text := page(v, "/engagements/1", "Nobody approved"); strings.Contains(text, "Approve these rules") || strings.Contains(text, "/edit") {
			t.Errorf("%s is offered what he may not do", who)
		}
	}

	// Otto approves what he read, and not what Olga made of it meanwhile.
	edited := page(olga, "/engagements/1/edit", "mon tue 00:00-24:00", "12.5")
	if !strings.Contains(edited, `name="version" value="1"`) {
		t.Error("the form does not say which version it changes")
	}
	wider := with("targets", "10.0.0.0/8")
	wider.Set("version", "1")
	if code, _ := olga.post("/engagements/1", wider); code != http.StatusSeeOther {
		t.Fatalf("change: %d", code)
	}
	if code, text := otto.post("/engagements/1/approve", url.Values{"digest": {d.Digest}}); code != http.StatusConflict || !strings.Contains(text, "read them again") {
		t.Errorf("approved what nobody showed him: %d", code)
	}
	if code, text := olga.post("/engagements/1", wider); code != http.StatusConflict || !strings.Contains(text, "changed meanwhile") {
		t.Errorf("changed over a change: %d", code)
	}
	d = ask[server.EngagementDetail](otto, "/api/v1/engagements/1")
	if code, text := olga.post("/engagements/1/approve", url.Values{"digest": {d.Digest}}); code != http.StatusForbidden || !strings.Contains(text, "somebody else must approve") {
		t.Errorf("approved her own: %d", code)
	}
	if code, _ := otto.post("/engagements/1/approve", url.Values{"digest": {d.Digest}}); code != http.StatusSeeOther {
		t.Fatal("not approved")
	}
	page(vic, "/engagements/1?host=10.1.2.3:22", "In force", "10.1.2.3:22</span> would be touched now")
	page(vic, "/engagements/1?host=10.20.9.1&level=probe", "would not be touched", "It is excluded by 10.20.9.0/24.")
	page(vic, "/engagements/1?host=a+b", "is no host")

	// Anybody who may act stops everything; every page says so; who may approve
	// lets it go on.
	if code, _ := vic.post("/halt", nil); code != http.StatusForbidden {
		t.Errorf("a viewer stops: %d", code)
	}
	if code, _ := ann.post("/halt", url.Values{"reason": {"odd"}}); code != http.StatusSeeOther {
		t.Fatalf("an analyst cannot stop: %d", code)
	}
	for _, path := range []string{"/", "/findings", "/engagements", "/audit", "/account"} {
		page(vic, path, "Nothing is sent: everything was stopped", "by analyst: odd")
	}
	if text := page(ann, "/engagements", "Stopped"); strings.Contains(text, "/resume") || strings.Contains(text, "Stop everything") {
		t.Error("an analyst is offered to resume, or to stop once more")
	}
	if code, _ := ann.post("/resume", nil); code != http.StatusForbidden {
		t.Errorf("an analyst resumes: %d", code)
	}
	if code, _ := otto.post("/resume", url.Values{"engagement": {"0"}}); code != http.StatusSeeOther {
		t.Errorf("an operator cannot resume: %d", code)
	}
	if text := page(vic, "/engagements"); strings.Contains(text, "everything was stopped") {
		t.Error("the banner stays")
	}
	page(ann, "/audit", "stopped by analyst: odd", "resumed by otto", "written by olga", "approved by otto")
	if code, _ := ann.post("/halt", url.Values{"engagement": {"-1"}}); code != http.StatusBadRequest {
		t.Errorf("engagement -1: %d", code)
	}
	for path, want := range map[string]int{"/engagements/999": http.StatusNotFound, "/engagements/x": http.StatusNotFound, "/audit?after=x&engagement=y": http.StatusOK} {
		if code, _ := ann.do("GET", path, ""); code != want {
			t.Errorf("%s: %d", path, code)
		}
	}

	// By the API, with the same rules; what is not written is left out.
	body := fmt.Sprintf(`{"version":%d,"rules":{"name":"API","owner":"Dora","targets":["10.0.0.0/8"],"level":"observe","expires":%q,"approvals":[{"by":"otto","at":"2026-01-01T00:00:00Z","digest":"x"}],"withdrawn":"2026-01-01T00:00:00Z"}}`, d.Version+1, time.Now().AddDate(0, 0, 5).UTC().Format(time.RFC3339))
	code, changed := call[server.EngagementDetail](olga, "PUT", "/api/v1/engagements/1", body)
	if code != http.StatusOK || changed.Name != "API" || len(changed.Approvals) > 0 || changed.State != "waiting" {
		t.Errorf("changed by the API: %d %+v", code, changed)
	}
	if code, _ := olga.do("PUT", "/api/v1/engagements/1", strings.Replace(body, `"targets"`, `"target"`, 1)); code != http.StatusUnprocessableEntity {
		t.Errorf("an unknown key: %d", code)
	}
	if code, _ := olga.do("GET", "/api/v1/engagements/1/decide?host=10.0.0.1&level=nonsense", ""); code != http.StatusBadRequest {
		t.Errorf("a level that is none: %d", code)
	}
	chains := ask[rowsOf[server.AuditChain]](otto, "/api/v1/audit/verify").Rows
	if len(chains) != 1 || chains[0].Error != "" {
		t.Errorf("the audit log: %+v", chains)
	}
	first := ask[server.AuditPage](vic, "/api/v1/audit?limit=2")
	next := ask[server.AuditPage](vic, fmt.Sprintf("/api/v1/audit?limit=2&after=%d", first.Next))
	if len(first.Rows) != 2 || len(next.Rows) != 2 || first.Rows[1].ID != next.Rows[0].ID+1 {
		t.Errorf("pages of the log: %+v, %+v", first, next)
	}
}
