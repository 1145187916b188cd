package index

import (
	"fmt"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/leeward-ctem/leeward/exposure"
)

// The counts by advisory and name are those of the rows and lists.
func TestByAdvisory(t *testing.T) {
	t.Parallel()
	m := synthetic(70_000)
	// A rule that covers two weaknesses, and one with another name.
	m.advisories[9].Key, m.advisories[9].CVEs = "nessus:10", []string{"CVE-2024-1000", "CVE-2024-1001"}
	m.advisories[4].Aliases = []string{"GHSA-aaaa-bbbb-cccc", "CVE-2024-1000"}
	v := load(t, m).View()
	t.Run("everything", func(t *testing.T) { byAdvisory(t, v, "") })
	t.Run("one team", func(t *testing.T) { byAdvisory(t, v, "team:team3") })
	t.Run("and more", func(t *testing.T) { byAdvisory(t, v, "tier<=2 sev:high") })
	for name, want := range map[string]exposure.AdvisoryID{"nessus:10": 10, "cve-2024-1001": 2, "ghsa-AAAA-bbbb-cccc": 5, "CVE-2024-1000": 1, "": 0, "x": 0} {
		if got := v.AdvisoryNamed(name); got != want {
			t.Errorf("%q is advisory %d, want %d", name, got, want)
		}
	}
	if !v.AdvisoryMatches(10, "nessus:10") || v.AdvisoryMatches(10, "ghsa") {
		t.Error("a search does not look at the names")
	}
}

func byAdvisory(t *testing.T, v *View, filter string) {
	f, err := exposure.ParseFilter(filter)
	if err != nil {
		t.Fatal(err)
	}
	on, err := v.assetsOf(f)
	if err != nil {
		t.Fatal(err)
	}
	want := map[exposure.AdvisoryID]*AdvisoryGroup{}
	first := map[exposure.AdvisoryID]uint16{}
	for id := range v.n {
		r, _ := v.Row(exposure.FindingID(id + 1))
		if d, seen := first[r.Advisory]; (!seen || r.FirstSeen < d) && (on == nil || on.has(uint32(r.Asset))) {
			first[r.Advisory] = r.FirstSeen
		}
		if !accepts(v, f, r) {
			continue
		}
		g := want[r.Advisory]
		if g == nil {
			g = &AdvisoryGroup{ID: r.Advisory}
			want[r.Advisory] = g
		}
		g.Count++
		g.Loss += float64(v.scorer.loss[r.Risk])
		g.Worst = max(g.Worst, r.Risk)
		g.KEV += bit(v.Advisory(r.Advisory).Threat.KEV())
		g.Overdue += bit(r.Due < today)
	}
	got, err := v.ByAdvisory(f, today)
	if err != nil || len(got) != len(want) || len(got) == 0 {
		t.Fatalf("%d advisories, %v, want %d", len(got), err, len(want))
	}
	for _, g := range got {
		w := want[g.ID]
		w.FirstSeen = first[g.ID]
		if g.Loss < w.Loss*0.999999 || g.Loss > w.Loss*1.000001 {
			t.Errorf("advisory %d loses %v, want %v", g.ID, g.Loss, w.Loss)
		}
		w.Loss = g.Loss
		if diff := gocmp.Diff(*w, g); diff != "" {
			t.Errorf("advisory %d (-want +got):\n%s", g.ID, diff)
		}
	}
	names := []string{"CVE-2024-1000", "cve-2024-1001", "nessus:10", "GHSA-aaaa-bbbb-cccc", "CVE-2024-1002", "CVE-1999-1"}
	spreads, err := v.Spreads(f, names, today)
	if err != nil {
		t.Fatal(err)
	}
	for i, name := range names {
		f, err := exposure.ParseFilter("cve:" + name + " " + filter)
		if err != nil {
			t.Fatal(err)
		}
		p, err := v.Page(Query{Filter: f, Today: today, Limit: 1})
		if want := (Spread{p.Total, len(v.ByAsset(f, today))}); spreads[i] != want || err != nil {
			t.Errorf("%s is spread %+v, %v, want %+v", name, spreads[i], err, want)
		}
	}
}

func BenchmarkByAdvisory(b *testing.B) {
	for _, n := range []int{300_000, 1_000_000} {
		v := load(b, synthetic(n)).View()
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			for b.Loop() {
				if _, err := v.ByAdvisory(exposure.Filter{}, today); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
