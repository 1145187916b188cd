package index

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/leeward-ctem/leeward/exposure"
)

// What is open of sets of advisories is what counting row by row comes to.
func TestOpenOf(t *testing.T) {
	t.Parallel()
	m := synthetic(70_000) // more than a chunk
	v := load(t, m).View()
	of := func(a *exposure.Advisory) []int { // sets overlap, and some advisories are in none
		switch id := int(a.ID); {
		case id%7 == 0:
			return nil
		case id%2 == 0:
			return []int{0, 2}
		default:
			return []int{1, 2}
		}
	}
	for _, text := range []string{"", "team:team3", "sev:critical is:any", `"no such thing"`} {
		f, err := exposure.ParseFilter(text)
		if err != nil {
			t.Fatal(err)
		}
		want := make([]Open, 4)
		assets := make([]map[exposure.AssetID]bool, 4)
		for i := range assets {
			assets[i] = map[exposure.AssetID]bool{}
		}
		err = v.All(f, today, func(r Row) bool {
			for _, s := range of(v.Advisory(r.Advisory)) {
				want[s].Findings++
				want[s].Loss += v.Model().Curve().ExpectedLoss(r.Risk)
				want[s].Worst = max(want[s].Worst, r.Risk)
				assets[s][r.Asset] = true
			}
			return true
		})
		if err != nil {
			t.Fatal(err)
		}
		for i := range want {
			want[i].Assets = len(assets[i])
		}
		got, err := v.OpenOf(f, today, 4, of)
		if err != nil {
			t.Fatal(err)
		}
		near := cmp.Comparer(func(x, y float64) bool { return x-y <= 1e-6*max(x, y) && y-x <= 1e-6*max(x, y) })
		if diff := cmp.Diff(want, got, near); diff != "" {
			t.Errorf("%q (-want +got):\n%s", text, diff)
		}
	}
	if got, err := New(testModel{}, testContexts{}).View().OpenOf(exposure.Filter{}, today, 2, of); err != nil || !cmp.Equal(got, make([]Open, 2)) {
		t.Errorf("an empty index has %+v, %v", got, err)
	}
}
