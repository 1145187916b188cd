package cycle_test

import (
	"strings"
	"testing"
	"time"

	"github.com/leeward-ctem/leeward/cycle"
	"github.com/leeward-ctem/leeward/exposure"
)

func TestNextRun(t *testing.T) {
	t.Parallel()
	at := func(s string) time.Time {
		v, err := time.Parse(time.RFC3339, s)
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	for name, tt := range map[string]struct {
		plan  exposure.ScanPlan
		after string
		tier  int
		want  string // empty: never
	}{
		"nightly":                      {exposure.ScanPlan{Cron: "0 3 * * *"}, "2026-03-01T03:00:00Z", 0, "2026-03-02T03:00:00Z"},
		"nightly in Berlin":            {exposure.ScanPlan{Cron: "0 3 * * *", Zone: "Europe/Berlin"}, "2026-03-01T03:00:00Z", 0, "2026-03-02T02:00:00Z"},
		"nightly in Berlin, in summer": {exposure.ScanPlan{Cron: "0 3 * * *", Zone: "Europe/Berlin"}, "2026-07-01T03:00:00Z", 0, "2026-07-02T01:00:00Z"},
		// 02:30 does not exist on 2026-03-29 in Berlin.
		"in the hour that is left out": {exposure.ScanPlan{Cron: "30 2 * * *", Zone: "Europe/Berlin"}, "2026-03-28T12:00:00Z", 0, "2026-03-30T00:30:00Z"},
		"on Mondays":                   {exposure.ScanPlan{Cron: "@weekly"}, "2026-03-02T00:00:00Z", 0, "2026-03-08T00:00:00Z"},
		"paused":                       {exposure.ScanPlan{Cron: "0 3 * * *", Paused: true}, "2026-03-01T03:00:00Z", 0, ""},
		"not by the clock":             {exposure.ScanPlan{On: []string{"deploy"}}, "2026-03-01T03:00:00Z", 0, ""},
		"adaptive, new":                {exposure.ScanPlan{Adaptive: true}, "2026-03-01T03:00:00Z", 1, "2026-03-01T03:00:00Z"},
		"adaptive, crown jewels":       {exposure.ScanPlan{Adaptive: true, Last: at("2026-03-01T00:00:00Z").UnixMilli()}, "2026-03-01T03:00:00Z", 1, "2026-03-02T00:00:00Z"},
		"adaptive, least":              {exposure.ScanPlan{Adaptive: true, Last: at("2026-03-01T00:00:00Z").UnixMilli()}, "2026-03-01T03:00:00Z", 4, "2026-03-15T00:00:00Z"},
	} {
		got := cycle.NextRun(&tt.plan, at(tt.after), tt.tier)
		if tt.want == "" && !got.IsZero() || tt.want != "" && !got.Equal(at(tt.want)) {
			t.Errorf("%s: %v, want %s", name, got, tt.want)
		}
	}
}

func TestCheckPlan(t *testing.T) {
	t.Parallel()
	for why, p := range map[string]exposure.ScanPlan{
		"":                        {Cron: "0 3 * * 1-5", Zone: "Europe/Berlin", On: []string{"asset", "deploy"}},
		"is none":                 {Zone: "Mars/Base"},
		"not on":                  {On: []string{"whim"}},
		"not by both":             {Cron: "@daily", Adaptive: true},
		"five fields":             {Cron: "nightly"},
		"the zone is named":       {Cron: "TZ=UTC 0 3 * * *"},
		"never comes":             {Cron: "0 0 30 2 *"},
		"more often than every 5": {Cron: "* * * * *"},
	} {
		if err := cycle.CheckPlan(&p); (why == "") != (err == nil) || err != nil && !strings.Contains(err.Error(), why) {
			t.Errorf("want %q: %v", why, err)
		}
	}
}
