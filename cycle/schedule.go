package cycle

import (
	"strings"
	"time"

	"github.com/robfig/cron/v3"

	"github.com/leeward-ctem/leeward/exposure"
)

// shortest is how close together the clock may start scans of one plan.
const shortest = 5 * time.Minute

// Cadence is how often an asset of a tier is looked at when the plan leaves it
// to the tiers: the crown jewels each day. Tier 0 is not known.
func Cadence(tier int) time.Duration {
	const day = 24 * time.Hour
	switch tier {
	case 1:
		return day
	case 2:
		return 3 * day
	case 3:
		return 7 * day
	case 4:
		return 14 * day
	}
	return 7 * day
}

// CheckPlan says what is wrong with when a plan runs, nil when nothing is.
func CheckPlan(p *exposure.ScanPlan) error {
	if _, err := zone(p); err != nil {
		return err
	}
	for _, on := range p.On {
		if on != "asset" && on != "deploy" {
			return exposure.Errorf(exposure.Invalid, "a plan may run on asset and on deploy, not on %q", on)
		}
	}
	if p.Cron == "" {
		return nil
	}
	if p.Adaptive {
		return exposure.Errorf(exposure.Invalid, "a plan goes by its cron line or by the tiers, not by both")
	}
	s, err := parseCron(p.Cron)
	if err != nil {
		return err
	}
	at := time.Date(2024, 2, 28, 0, 0, 0, 0, time.UTC)
	for range 100 {
		next := s.Next(at)
		if next.IsZero() {
			return exposure.Errorf(exposure.Invalid, "the cron line %q never comes: there is no such day", p.Cron)
		}
		if next.Sub(at) < shortest && !at.Equal(time.Date(2024, 2, 28, 0, 0, 0, 0, time.UTC)) {
			return exposure.Errorf(exposure.Invalid, "the cron line %q comes more often than every %v", p.Cron, shortest)
		}
		at = next
	}
	return nil
}

func parseCron(line string) (cron.Schedule, error) {
	// The zone is a field of its own, and an interval is of no clock.
	if strings.HasPrefix(line, "TZ=") || strings.HasPrefix(line, "CRON_TZ=") || strings.HasPrefix(line, "@every") || len(line) > 200 {
		return nil, exposure.Errorf(exposure.Invalid, "cron line %q: write five fields (minute hour day month weekday), or @daily, @weekly, @monthly; the zone is named beside it", cutLine(line))
	}
	s, err := cron.ParseStandard(line)
	if err != nil {
		return nil, exposure.Errorf(exposure.Invalid, "cron line %q: %w: write five fields (minute hour day month weekday), or @daily, @weekly, @monthly", cutLine(line), err)
	}
	return s, nil
}

func cutLine(s string) string { return s[:min(len(s), 100)] }

func zone(p *exposure.ScanPlan) (*time.Location, error) {
	z, err := time.LoadLocation(p.Zone)
	if err != nil {
		return nil, exposure.Errorf(exposure.Invalid, "zone %q is none: give a name such as Europe/Berlin", cutLine(p.Zone))
	}
	return z, nil
}

// NextRun is when a plan is due after a time; zero: not by the clock. tier is the
// highest of what its targets hold. A time that was missed, because no server
// ran, is made up for once.
func NextRun(p *exposure.ScanPlan, after time.Time, tier int) time.Time {
	switch {
	case p.Paused:
		return time.Time{}
	case p.Adaptive && p.Last == 0:
		return after
	case p.Adaptive:
		return time.UnixMilli(p.Last).Add(Cadence(tier))
	case p.Cron == "":
		return time.Time{}
	}
	z, err := zone(p)
	if err != nil {
		return time.Time{}
	}
	s, err := parseCron(p.Cron)
	if err != nil {
		return time.Time{}
	}
	return s.Next(after.In(z))
}
