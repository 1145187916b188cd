package cli

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"github.com/leeward-ctem/leeward/exposure"
	"github.com/leeward-ctem/leeward/internal/testkit/live"
)

// catalogue writes a catalogue as CISA publishes it.
func catalogue(t *testing.T, listed ...string) string {
	t.Helper()
	var entries []string
	now := time.Now().UTC()
	for _, cve := range listed {
		entries = append(entries, fmt.Sprintf(`{"cveID":%q,"vendorProject":"Example","product":"P","vulnerabilityName":"V","dateAdded":%q,"shortDescription":"d","requiredAction":"a","dueDate":%q,"knownRansomwareCampaignUse":"Known","notes":""}`,
			cve, now.AddDate(0, 0, -1).Format(time.DateOnly), now.AddDate(0, 0, 20).Format(time.DateOnly)))
	}
	file := filepath.Join(t.TempDir(), "kev.json")
	body := fmt.Sprintf(`{"title":"t","catalogVersion":"1","dateReleased":%q,"count":%d,"vulnerabilities":[%s]}`, now.Format(time.RFC3339Nano), len(entries), strings.Join(entries, ","))
	if err := os.WriteFile(file, []byte(body), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// Somebody watches the list of alerts: it teaches while it is empty, and shows
// what a feed brings without being loaded again; then he takes note of it.
func TestAlertsInTheBrowser(t *testing.T) {
	t.Parallel()
	s := startSite(t, "--offline")
	b := live.Browser(t)
	firstRun(b, s)
	run := func(args ...string) string {
		t.Helper()
		code, text := s.command(args...)
		if code != exitDone {
			t.Fatalf("%q: %d %s", args, code, text)
		}
		return text
	}
	report := filepath.Join(t.TempDir(), "report.jsonl")
	hostile := strings.Replace(weak("alpha", "<b>b.example", "CVE-2024-90001"), "Weakness", `<script>document.title='owned'</script>`, 1)
	if err := os.WriteFile(report, []byte(strings.Join([]string{runLine("alpha", 5), weak("alpha", "a.example", "CVE-2024-90001"), hostile, weak("alpha", "a.example", "CVE-2024-90002")}, "\n")), 0o600); err != nil {
		t.Fatal(err)
	}
	run("import", "--format", "observations", report)
	b.Do("look before there are feeds", chromedp.Navigate(s.url+"/alerts"), chromedp.WaitVisible(css("main h1")))
	text(t, b, "main", "Alerts come from the feeds")
	run("feeds", "update", "kev="+catalogue(t, "CVE-2020-0001"))
	text(t, b, "#alerts", "From now on you hear of what changes.")
	run("feeds", "update", "kev="+catalogue(t, "CVE-2020-0001", "CVE-2024-90001", "CVE-2024-90002"))
	text(t, b, "#alerts", "CISA lists CVE-2024-90001 as exploited since")
	text(t, b, "#alerts", "3.0.2")
	text(t, b, "nav.tabs", "Alerts (3)")
	lookAt(t, b, s, " alerts", []string{"/alerts", "/alerts?kind=kev&days=7", "/alerts?kind=observed", "/advisories/1"})
	b.Accessible("alerts")
	b.Do("take note", chromedp.Navigate(s.url+"/alerts?kind=kev"), chromedp.WaitVisible(css("#rows tr")), chromedp.Click(css("#rows tr button[type=submit]")), chromedp.WaitVisible(css("#flash .flash")))
	text(t, b, "#flash", "1 alert noted.")
	text(t, b, "#rows", "Noted by ada")
	text(t, b, "nav.tabs", "Alerts (2)")
	b.Do("the next page without others", chromedp.Navigate(s.url+"/alerts?unseen=true"), chromedp.WaitVisible(css("#rows tr")))
	text(t, b, "#alerts .result-count", "2 alerts")

	if out := run("alerts", "--days", "1", "--kind", "kev"); !strings.Contains(out, "CVE-2024-90002") || strings.Contains(out, "feed") {
		t.Error(out)
	}
	for i, line := range strings.Split(strings.TrimSpace(run("alerts", "--json")), "\n") {
		var a exposure.Alert
		if err := json.Unmarshal([]byte(line), &a); err != nil || a.Key == "" || i == 3 {
			t.Errorf("%d %v: %s", i, err, line)
		}
	}
	if code, out := s.command("alerts", "--kind", "bogus"); code == exitDone || !strings.Contains(out, `there is no kind of alert "bogus"`) {
		t.Errorf("%d %s", code, out)
	}
}
