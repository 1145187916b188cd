package web

import (
	"testing"

	"github.com/leeward-ctem/leeward/exposure"
)

func TestPlanWhen(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		plan exposure.ScanPlan
		want string
	}{
		{exposure.ScanPlan{}, "Never by itself"},
		{exposure.ScanPlan{Cron: "@daily"}, "Every day at 00:00, UTC"},
		{exposure.ScanPlan{Cron: "5 3 * * *", Zone: "Europe/Berlin"}, "Every day at 03:05, Europe/Berlin"},
		{exposure.ScanPlan{Cron: "0 22 * * 1-5"}, "Every Mon to Fri at 22:00, UTC"},
		{exposure.ScanPlan{Cron: "0 22 * * sat,7"}, "Every Sat, Sun at 22:00, UTC"},
		{exposure.ScanPlan{Cron: "0 4 15 * *"}, "On day 15 of each month at 04:00, UTC"},
		{exposure.ScanPlan{Cron: "30 * * * *"}, "Every hour at minute 30, UTC"},
		{exposure.ScanPlan{Cron: "0 4 15 * 1"}, "By the cron line 0 4 15 * 1, UTC"}, // the day or the weekday: no word is short for it
		{exposure.ScanPlan{Cron: "0 */6 * * *"}, "By the cron line 0 */6 * * *, UTC"},
		{exposure.ScanPlan{Cron: "0 4 * 2 *"}, "By the cron line 0 4 * 2 *, UTC"},
		{exposure.ScanPlan{Cron: "0 4 * * 1-"}, "By the cron line 0 4 * * 1-, UTC"},
		{exposure.ScanPlan{Adaptive: true, On: []string{"asset", "deploy"}}, "As often as the tier of its assets asks for; on new assets; after deployments"},
		{exposure.ScanPlan{On: []string{"deploy"}}, "After deployments"},
	} {
		if got := planWhen(&c.plan); got != c.want {
			t.Errorf("%+v runs %q, want %q", c.plan, got, c.want)
		}
	}
}
