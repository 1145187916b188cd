package cli

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/leeward-ctem/leeward/exposure"
	"github.com/leeward-ctem/leeward/prioritize"
	"github.com/leeward-ctem/leeward/server"
)

// A house with 60 weaknesses of which the old ones were used: the share that is
// hit and the weights follow, and what could not be learned from is named.
func TestRefit(t *testing.T) {
	t.Parallel()
	h, ctx := openHouse(t, ""), t.Context()
	lines := []string{runLine("alpha", 5)}
	for n := range 60 {
		lines = append(lines, weak("alpha", fmt.Sprintf("host%d.example", n), fmt.Sprintf("CVE-%d-%d", 2019+n%8, 1000+n)))
	}
	h.report("one", lines...)
	seen := h.now
	h.now = seen.AddDate(0, 0, 400)
	if err := h.rescore(ctx); err != nil {
		t.Fatal(err)
	}
	on := func(days int) string { return seen.AddDate(0, 0, days).Format(time.DateOnly) }

	nothing, err := h.Refit(ctx, server.RefitRequest{})
	if err != nil {
		t.Fatal(err)
	}
	if nothing.Targeted >= nothing.Before || nothing.Weights != nil || nothing.Used != 0 || nothing.Expected <= 0 {
		t.Errorf("nothing ever happened: %+v", nothing)
	}
	var incidents []server.Incident
	for n := range 60 {
		if n%8 < 2 { // of 2019 and 2020
			incidents = append(incidents, server.Incident{CVE: fmt.Sprintf("CVE-%d-%d", 2019+n%8, 1000+n), Date: on(200 + n)})
		}
	}
	incidents = append(incidents, server.Incident{CVE: "CVE-1999-0001", Date: on(100)})
	got, err := h.Refit(ctx, server.RefitRequest{Incidents: incidents})
	if err != nil {
		t.Fatal(err)
	}
	if got.Used != len(incidents)-1 || len(got.Unmatched) != 1 || got.Targeted <= got.Before || got.Expected != nothing.Expected {
		t.Errorf("%+v", got)
	}
	shipped, err := prioritize.ShippedWeights()
	if err != nil {
		t.Fatal(err)
	}
	if got.Weights == nil || got.Weights.Fit.Exploited == 0 || got.Weights.Signals["old"] >= shipped.Signals["old"] || got.Weights.Intercept != shipped.Intercept {
		t.Errorf("here old CVEs are used, and the weights are %+v", got.Weights)
	}
	again, err := h.Refit(ctx, server.RefitRequest{Incidents: incidents})
	if err != nil || fmt.Sprint(again.Targeted, again.Weights) != fmt.Sprint(got.Targeted, got.Weights) {
		t.Errorf("asked again it says %+v, %v", again, err)
	}
	text, err := riskSection(got)
	if err != nil || !strings.Contains(string(text), "targeted: ") || !strings.Contains(string(text), "horizon_days: 90") {
		t.Errorf("%s, %v", text, err)
	}
	for _, bad := range []server.Incident{{CVE: "GHSA-1", Date: on(1)}, {CVE: "CVE-2024-1000", Date: "yesterday"}, {CVE: "CVE-2024-1000", Date: "0001-01-01"}} {
		if _, err := h.Refit(ctx, server.RefitRequest{Incidents: []server.Incident{bad}}); exposure.KindOf(err) != exposure.Invalid {
			t.Errorf("%+v: %v", bad, err)
		}
	}
}

func TestReadIncidents(t *testing.T) {
	t.Parallel()
	got, err := readIncidents(strings.NewReader("\ufeffCase,Date,CVE\n1,2026-03-14,cve-2024-3400\n2,2026-03-15, CVE-2021-44228\n"))
	if want := []server.Incident{{CVE: "CVE-2024-3400", Date: "2026-03-14"}, {CVE: "CVE-2021-44228", Date: "2026-03-15"}}; err != nil || fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("%v, %v", got, err)
	}
	for text, want := range map[string]string{
		"": "first line", "a,b\n1,2\n": "must name the columns cve and date", "cve,date\nCVE-2024-3400\n": "line 2 has 1 columns", "cve,date\nCVE-2024-3400,soon\n": "line 2: \"soon\" is no date",
		"cve,date\n\x1b[31m,2026-01-01\n": "is no CVE id", "cve,date\n\"open,2026\n": "quote",
	} {
		if _, err := readIncidents(strings.NewReader(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", text, err, want)
		}
	}
}
