package cli

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/leeward-ctem/leeward/exposure"
	"github.com/leeward-ctem/leeward/server"
)

// By pages and forms: an engagement, a plan on it, a scan that waits for an
// agent, its stop, and the invitation of the agent.
func TestScanningPages(t *testing.T) {
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
	send := func(v *visitor, path string, form url.Values) {
		t.Helper()
		if code, text := v.post(path, form); code != http.StatusSeeOther {
			t.Fatalf("%s: %d %.600s", path, code, text)
		}
	}
	page(olga, "/plans", "First an engagement, then a plan")
	page(olga, "/plans/new", "First an engagement, then a plan")
	page(olga, "/scan-jobs", "Nothing was scanned yet")
	page(olga, "/agents", "leeward agents invite --from dmz")

	send(olga, "/engagements", url.Values{"name": {"Office"}, "owner": {"Dora"}, "targets": {"10.20.0.0/16"}, "level": {"observe"}, "expires": {time.Now().AddDate(0, 0, 30).Format(time.DateOnly)}})
	send(otto, "/engagements/1/approve", url.Values{"digest": {ask[server.EngagementDetail](otto, "/api/v1/engagements/1").Digest}})
	page(olga, "/plans", "Make the first plan")
	page(olga, "/plans/new", "1 · Office, up to observe")

	// The vantage is an agent's that there is none of: nothing is sent.
	form := url.Values{
		"name": {"Nightly"}, "engagement": {"1"}, "targets": {"10.20.0.1\r\n\r\n 10.20.0.2\r\n"}, "when": {"cron"}, "cron": {"0 3 * * *"}, "zone": {"Europe/Berlin"}, "deploy": {"true"},
		"level": {"observe"}, "engines": {"ports, tls"}, "ports": {"22,443"}, "vantage": {"dmz"},
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
		{"name", " ", "needs a name"}, {"engagement", "", "choose the engagement"}, {"engagement", "x", "choose the engagement"}, {"targets", "10.0.0.0/99", "10.0.0.0/99"}, {"targets", "", "between one and 10,000 targets"},
		{"cron", "", "write when the plan runs"}, {"cron", "at night", "write five fields"}, {"zone", "Berlin", "Berlin"}, {"level", "probe", "goes to the level probe"}, {"level", "9", "level"},
		{"engines", "nosuch", "nosuch"}, {"ports", "0-x", "0-x"}, {"vantage", "D M Z", "lower case letters"},
	} {
		code, text := olga.post("/plans", with(bad[0], bad[1]))
		if code != http.StatusBadRequest || !strings.Contains(text, bad[2]) || !strings.Contains(text, `action="/plans"`) {
			t.Errorf("%s %q: %d, without %q or the form", bad[0], bad[1], code, bad[2])
		}
	}
	page(olga, "/plans", "Make the first plan")
	send(olga, "/plans", form)
	page(olga, "/plans", "Nightly", "Every day at 03:00, Europe/Berlin; after deployments", "Run now", `href="/engagements/1"`)
	page(olga, "/plans/1/edit", "10.20.0.1\n10.20.0.2</textarea>", `value="ports tls"`, `<option value="dmz" selected>`)
	if text := page(vic, "/plans", "Nightly"); strings.Contains(text, "Run now") || strings.Contains(text, "/edit") {
		t.Error("a viewer is offered what he may not do")
	}

	// A pause outlives a change, and ends by a word of its own.
	send(olga, "/plans/1/pause", url.Values{"paused": {"true"}})
	send(otto, "/plans/1", with("name", "Each night"))
	page(olga, "/plans", "Each night", "Paused", "Resume")
	send(olga, "/plans/1/pause", url.Values{"paused": {"false"}})
	if text := page(olga, "/plans", "Each night"); strings.Contains(text, ">Paused<") {
		t.Error("the plan is still paused")
	}
	if code, _ := olga.post("/plans/9", form); code != http.StatusNotFound {
		t.Errorf("a plan that is not there is changed: %d", code)
	}

	send(olga, "/plans/1/run", nil)
	page(vic, "/scan-jobs", "Each night", "Waiting", "0 of 1 part", "Asked for by olga")
	if text := page(vic, "/scan-jobs/1", "nobody yet", "10.20.0.1, 10.20.0.2"); strings.Contains(text, "/scan-jobs/1/stop") {
		t.Error("a viewer is offered to stop")
	}
	page(ann, "/scan-jobs/1", "/scan-jobs/1/stop")
	if code, _ := ann.post("/scan-jobs/1/stop", url.Values{"reason": {" "}}); code != http.StatusBadRequest {
		t.Errorf("stopped without a reason: %d", code)
	}
	send(ann, "/scan-jobs/1/stop", url.Values{"reason": {"the office called"}})
	page(vic, "/scan-jobs", "Stopped", "the office called")
	send(olga, "/plans/1/remove", nil)
	page(vic, "/scan-jobs/1", "Each night")

	if code, text := admin.post("/agents", url.Values{"labels": {"here"}}); code != http.StatusBadRequest || !strings.Contains(text, "server&#39;s own") {
		t.Errorf("the server's own vantage is given away: %d", code)
	}
	if code, _ := admin.post("/agents", url.Values{"labels": {" , "}}); code != http.StatusBadRequest {
		t.Errorf("an agent without a vantage: %d", code)
	}
	code, text := admin.post("/agents", url.Values{"labels": {"dmz, office"}, "name": {"dmz-1"}})
	if code != http.StatusOK || !strings.Contains(text, "leeward agent --server "+s.url+" --token lwi_") {
		t.Errorf("invited: %d", code)
	}
	if text := page(admin, "/agents"); strings.Contains(text, "lwi_") {
		t.Error("the token is shown twice")
	}
}

func TestAgentState(t *testing.T) {
	t.Parallel()
	now := time.UnixMilli(10_000_000)
	for _, c := range []struct {
		agent exposure.Agent
		want  string
	}{
		{exposure.Agent{Seen: now.Add(-time.Minute).UnixMilli()}, "online"},
		{exposure.Agent{Seen: now.Add(-4 * time.Minute).UnixMilli()}, "silent"},
		{exposure.Agent{}, "silent"},
		{exposure.Agent{Seen: now.UnixMilli(), Disabled: true}, "shut out"},
	} {
		if got := server.AgentState(&c.agent, now); got != c.want {
			t.Errorf("%+v is %s, want %s", c.agent, got, c.want)
		}
	}
}
