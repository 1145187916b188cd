package index

import (
	"cmp"
	"slices"
	"testing"

	"github.com/leeward-ctem/leeward/exposure"
)

var facets = []string{"band", "severity", "status", "kev", "team", "tool", "type", "reach"}

// Counted in one walk or one after another, it is the same.
func TestFacetsAgainstGroups(t *testing.T) {
	t.Parallel()
	v := load(t, synthetic(70_000)).View()
	for _, text := range []string{"", "sev:critical,high kev:true", "is:any openssl", "team:team3 -tag:t1", `"no such thing"`} {
		f, err := exposure.ParseFilter(text)
		if err != nil {
			t.Fatal(err)
		}
		all, err := v.Facets(f, today, facets...)
		if err != nil {
			t.Fatal(err)
		}
		for i, by := range facets {
			want, err := v.Group(f, today, by)
			if err != nil {
				t.Fatal(err)
			}
			byKey := func(a, b Group) int { return cmp.Compare(a.Keys[0], b.Keys[0]) }
			slices.SortFunc(want, byKey)
			slices.SortFunc(all[i], byKey)
			if !slices.EqualFunc(all[i], want, func(a, b Group) bool {
				return a.Keys[0] == b.Keys[0] && a.Count == b.Count && a.Loss-b.Loss < 1e-6*b.Loss+1e-6
			}) {
				t.Errorf("%q by %s: %v, want %v", text, by, all[i], want)
			}
		}
		total := 0
		for id, g := range v.ByAsset(f, today) {
			total += g.Count
			if v.Asset(id) == nil || g.Count == 0 {
				t.Errorf("%q: asset %d with %d", text, id, g.Count)
			}
		}
		page, err := v.Page(Query{Filter: f, Limit: 1, Today: today})
		if err != nil || page.Total != total {
			t.Errorf("%q: %d on assets, want %d (%v)", text, total, page.Total, err)
		}
	}
	if _, err := v.Facets(exposure.Filter{}, today, "colour"); err == nil {
		t.Error("facets by colour")
	}
}

func BenchmarkFacets(b *testing.B) {
	v := load(b, synthetic(1_000_000)).View()
	for b.Loop() {
		if _, err := v.Facets(exposure.Filter{}, today, facets...); err != nil {
			b.Fatal(err)
		}
	}
}
