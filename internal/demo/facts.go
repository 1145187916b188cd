package demo

import (
	"strings"
	"time"

	"github.com/leeward-ctem/leeward/exposure"
)

// epssModel is the model version of the scores of 2025-09-28.
const epssModel = "v2025.03.14"

// date is a day written as a number: 20250928. 0 is unknown or never.
type date int

func (d date) time() time.Time {
	return time.Date(int(d)/10000, time.Month(d/100%100), int(d)%100, 0, 0, 0, 0, time.UTC)
}

// fact is one row of what is known of weaknesses.
type fact struct {
	cve              string
	epss, percentile float64
	published        date
	kev, kevDue      date
	ransomware       bool
	automatable      string // SSVC: yes, no
	impact           string // SSVC: total, partial
}

// Facts returns what public intelligence says of the weaknesses used, by CVE,
// for when no feed was fetched: EPSS, KEV and SSVC as of 2025-09-28. What
// happened after today is left out.
func Facts(today time.Time) map[string]exposure.Threat {
	day := func(d date) int {
		if d == 0 || d.time().After(today) {
			return 0
		}
		return int(d.time().Unix() / 86400)
	}
	all := map[string]exposure.Threat{}
	for _, f := range known() {
		t := exposure.Threat{
			EPSS: f.epss, Percentile: f.percentile, EPSSModel: epssModel,
			PublishedDay: day(f.published),
			// The records spell the words both ways.
			Automatable: strings.ToLower(f.automatable), Impact: strings.ToLower(f.impact),
		}
		if listed := day(f.kev); listed != 0 {
			t.KEVDay, t.KEVDueDay, t.Ransomware = listed, day(f.kevDue), f.ransomware
		}
		all[f.cve] = t
	}
	return all
}
