package intel

import (
	"math/rand/v2"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/leeward-ctem/leeward/exposure"
)

func merged(all ...exposure.Threat) (t exposure.Threat) {
	for _, u := range all {
		Merge(&t, &u)
	}
	return t
}

// The order of merging does not matter, merging again changes nothing, and no
// evidence is lost.
func TestMerge(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(5, 6))
	for range 4_000 {
		a, b, c := anyThreat(r), anyThreat(r), anyThreat(r)
		a.Withdrawn, b.Withdrawn, c.Withdrawn = false, false, false // not merged
		all := merged(a, b, c)
		for _, other := range []exposure.Threat{merged(b, a, c), merged(c, b, a), merged(a, merged(b, c)), merged(all, a), merged(all, all, b)} {
			if diff := cmp.Diff(all, other); diff != "" {
				t.Fatalf("the order of %+v, %+v, %+v matters:\n%s", a, b, c, diff)
			}
		}
		if diff := cmp.Diff(a, merged(a)); diff != "" {
			t.Fatalf("merging alone changes (-alone +merged):\n%s", diff)
		}
		for _, one := range []exposure.Threat{a, b, c} {
			covered(t, all, one)
		}
	}
}

// covered fails if t says less than u.
func covered(t *testing.T, m, u exposure.Threat) {
	t.Helper()
	if u.Scored() && (!m.Scored() || m.EPSS < u.EPSS) {
		t.Fatalf("the score of %+v is lost in %+v", u, m)
	}
	for _, d := range [][2]int{
		{m.KEVDay, u.KEVDay}, {m.KEVDueDay, u.KEVDueDay}, {m.MetasploitDay, u.MetasploitDay}, {m.NucleiDay, u.NucleiDay},
		{m.ArchiveDay, u.ArchiveDay}, {m.PoCDay, u.PoCDay}, {m.PublishedDay, u.PublishedDay},
	} {
		if d[1] != 0 && d[0] == 0 || d[1] > UnknownDay && (d[0] == UnknownDay || d[0] > d[1]) {
			t.Fatalf("a day of %+v is lost in %+v", u, m)
		}
	}
	if m.ObservedDay < u.ObservedDay || m.Sightings < u.Sightings || u.Ransomware && !m.Ransomware ||
		u.Automatable == "yes" && m.Automatable != "yes" || u.Impact == "total" && m.Impact != "total" ||
		u.Vector != "" && m.Vector == "" || m.Vector < u.Vector ||
		u.Automatable != "" && m.Automatable == "" || u.Impact != "" && m.Impact == "" {
		t.Fatalf("evidence of %+v is lost in %+v", u, m)
	}
}

// A day that is stated says more than one that is not, and both more than none.
func TestMergeUnknownDay(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ a, b, want int }{
		{UnknownDay, 0, UnknownDay}, {UnknownDay, UnknownDay, UnknownDay}, {UnknownDay, 19_000, 19_000}, {19_000, 18_000, 18_000},
	} {
		for _, days := range [][2]int{{tt.a, tt.b}, {tt.b, tt.a}} {
			got := merged(exposure.Threat{MetasploitDay: days[0]}, exposure.Threat{MetasploitDay: days[1]})
			if got.MetasploitDay != tt.want {
				t.Errorf("%v gives %d, want %d", days, got.MetasploitDay, tt.want)
			}
		}
	}
}

// No score is not a low score: it never replaces one, and a score of zero
// counts as said.
func TestMergeNoScore(t *testing.T) {
	t.Parallel()
	zero := exposure.Threat{EPSSModel: "v1"}
	if got := merged(exposure.Threat{}, zero); !got.Scored() {
		t.Errorf("a score of zero is lost: %+v", got)
	}
	low := exposure.Threat{EPSS: 0.1, Percentile: 0.2, EPSSModel: "v1"}
	if got := merged(low, exposure.Threat{KEVDay: 5}); got.EPSS != 0.1 || got.KEVDay != 5 {
		t.Errorf("%+v", got)
	}
}

// The newest version of CVSS counts, then the later text.
func TestMergeVector(t *testing.T) {
	t.Parallel()
	order := []string{
		"", "AV:N/AC:L/Au:N/C:C/I:C/A:C", "CVSS:3.0/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H", "CVSS:3.1/AV:L/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H",
		"CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:L/I:L/A:L", "CVSS:4.0/AV:L/AC:L/AT:N/PR:N/UI:N/VC:N/VI:N/VA:N/SC:N/SI:N/SA:N",
	}
	for i, later := range order {
		for _, earlier := range order[:i] {
			x, y := exposure.Threat{Vector: later}, exposure.Threat{Vector: earlier}
			if got := merged(x, y); got != x || merged(y, x) != x {
				t.Errorf("of %q and %q counts %q", later, earlier, got.Vector)
			}
		}
	}
}

func TestMergeLeavesWithdrawn(t *testing.T) {
	t.Parallel()
	got := exposure.Threat{Withdrawn: true}
	Merge(&got, &exposure.Threat{KEVDay: 1})
	if !got.Withdrawn {
		t.Error("Merge took the withdrawal away")
	}
	if got = merged(exposure.Threat{Withdrawn: true}); got.Withdrawn {
		t.Error("Merge took the withdrawal over")
	}
}
