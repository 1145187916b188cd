package index

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/leeward-ctem/leeward/exposure"
)

// What is in use is counted from what is open, the most frequent first.
func TestTechnologies(t *testing.T) {
	t.Parallel()
	m := synthetic(2000)
	for i := range m.assets {
		m.assets[i].OS = []string{"Ubuntu 22.04", "Ubuntu 22.04", "Windows Server 2019", ""}[i%4]
	}
	for i := range m.places {
		if i%4 == 0 {
			m.places[i].Component.Purl = "pkg:npm/left-pad@1"
		} else if i%4 == 1 {
			m.places[i].Component = exposure.Component{Name: "nginx", Version: "1"}
		}
	}
	v := load(t, m).View()
	for text, some := range map[string]bool{"": true, "asset:host-2.*": true, `"no such thing"`: false} {
		f, err := exposure.ParseFilter(text)
		if err != nil {
			t.Fatal(err)
		}
		all, err := v.Technologies(f, today, 5)
		if err != nil {
			t.Fatal(err)
		}
		systems, packages, want := map[string]int{}, map[string]int{}, map[string]int{}
		for id := range v.ByAsset(f, today) {
			if os := v.Asset(id).OS; os != "" {
				want[os]++
			}
		}
		if (len(all) > 0) != some {
			t.Errorf("%q: %+v", text, all)
		}
		for _, x := range all {
			if x.Package {
				packages[x.Name] = x.Count
			} else {
				systems[x.Name] = x.Count
			}
		}
		if diff := cmp.Diff(want, systems); diff != "" {
			t.Errorf("%q (-want +got):\n%s", text, diff)
		}
		counted := map[string]int{}
		for kind, filter := range map[string]string{"npm": "pkg:pkg:npm/*", "deb": "pkg:pkg:deb/*"} {
			g, err := exposure.ParseFilter(text + " " + filter)
			if err != nil {
				t.Fatal(err)
			}
			page, err := v.Page(Query{Filter: g, Sort: Sort{By: "risk"}, Limit: 1, Today: today})
			if err != nil {
				t.Fatal(err)
			}
			if page.Total > 0 {
				counted[kind] = page.Total
			}
		}
		if diff := cmp.Diff(counted, packages); diff != "" {
			t.Errorf("%q: packages differ from their lists (-list +counted):\n%s", text, diff)
		}
	}
	if all, err := v.Technologies(exposure.Filter{}, today, 1); err != nil || len(all) != 2 {
		t.Errorf("at most one of each: %+v, %v", all, err)
	}
}
