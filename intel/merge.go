package intel

import (
	"cmp"

	"github.com/leeward-ctem/leeward/exposure"
)

// Merge adds what u knows to t, the worse of the two where both speak: the
// higher score, the earliest day of an exploit, the latest of an observation;
// of two vectors the one of the newer version of CVSS, or else the later text.
// The order of merging does not matter, and merging twice changes nothing.
// Withdrawn is not merged: one name may be withdrawn and another not. What is
// tailored is not either: no feed says it.
func Merge(t, u *exposure.Threat) {
	if u.EPSSModel != "" && (t.EPSSModel == "" || scoreOrder(t, u) < 0) {
		t.EPSS, t.Percentile, t.EPSSModel = u.EPSS, u.Percentile, u.EPSSModel
	}
	t.KEVDay = earlier(t.KEVDay, u.KEVDay)
	t.KEVDueDay = earlier(t.KEVDueDay, u.KEVDueDay)
	t.MetasploitDay = earlier(t.MetasploitDay, u.MetasploitDay)
	t.NucleiDay = earlier(t.NucleiDay, u.NucleiDay)
	t.ArchiveDay = earlier(t.ArchiveDay, u.ArchiveDay)
	t.PoCDay = earlier(t.PoCDay, u.PoCDay)
	t.PublishedDay = earlier(t.PublishedDay, u.PublishedDay)
	t.ObservedDay = max(t.ObservedDay, u.ObservedDay)
	t.Sightings = max(t.Sightings, u.Sightings)
	t.Ransomware = t.Ransomware || u.Ransomware
	t.Automatable = worse(t.Automatable, u.Automatable, "yes")
	t.Impact = worse(t.Impact, u.Impact, "total")
	t.Vector = max(t.Vector, u.Vector) // "AV:", "CVSS:3.0/", "CVSS:3.1/", "CVSS:4.0/" are in this order as texts
}

// scoreOrder compares scores; equal ones are told apart by what else is said
// of them, so that the order of merging cannot matter.
func scoreOrder(t, u *exposure.Threat) int {
	return cmp.Or(cmp.Compare(t.EPSS, u.EPSS), cmp.Compare(t.Percentile, u.Percentile), cmp.Compare(t.EPSSModel, u.EPSSModel))
}

// earlier is the earlier of two days, where 0 is never. A day that is stated
// says more than one that is not.
func earlier(a, b int) int {
	switch {
	case a == 0, a == UnknownDay && b != 0, b > UnknownDay && b < a:
		return b
	}
	return a
}

func worse(a, b, worst string) string {
	if a == "" || b == worst {
		return b
	}
	return a
}
