package cli

import (
	"strconv"
	"testing"

	"github.com/leeward-ctem/leeward/exposure"
	"github.com/leeward-ctem/leeward/internal/testkit/live"
	"github.com/leeward-ctem/leeward/server"
)

// The pages of scanning in a real browser, with nothing and with something on
// them, light and dark, wide and narrow.
func TestScanningInTheBrowser(t *testing.T) {
	t.Parallel()
	s := startSite(t, "--offline")
	b := live.Browser(t)
	firstRun(b, s)
	lookAt(t, b, s, "empty ", []string{"/engagements", "/plans", "/scan-jobs", "/agents", "/audit"})
	c := s.local(t)
	port, _ := ftpHere(t, 0)
	id := engage(t, s, onLoopback())
	plan := localCall[exposure.ScanPlan](t, c, "POST", "/api/v1/scan-plans", exposure.ScanPlan{Name: "files, nightly", Engagement: id, Targets: []string{"127.0.0.1"}, Engines: []string{"ports"}, Level: exposure.LevelObserve, Ports: strconv.Itoa(port), Cron: "0 3 * * *", On: []string{"deploy"}})
	job := localCall[exposure.ScanJob](t, c, "POST", "/api/v1/scan-jobs", server.StartScan{Plan: plan.ID})
	scanEnded(t, c, job.ID)
	localCall[server.Invitation](t, c, "POST", "/api/v1/agents", server.InviteAgent{Labels: []string{"dmz"}})
	lookAt(t, b, s, "full ", []string{"/engagements", "/engagements/1", "/plans", "/scan-jobs", "/scan-jobs/1", "/agents", "/audit"})
}
