package index

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/leeward-ctem/leeward/exposure"
)

// Values are what a count row by row, asset by asset, comes to.
func TestValues(t *testing.T) {
	t.Parallel()
	m := synthetic(5000)
	v := load(t, m).View()
	assets, tools, classes := map[string]int{}, map[string]int{}, map[string]int{}
	techniques, actors := map[string]int{}, map[string]int{}
	for _, f := range m.findings {
		known := m.advisories[f.Advisory-1].Threat
		count(techniques, strings.Fields(known.Techniques), 1)
		if known.Actors != "" {
			count(actors, strings.Split(known.Actors, "; "), 1)
		}
		assets[m.assets[f.Asset-1].Name]++
		tools[m.sources[f.Source-1].Tool]++
		classes[m.sources[f.Source-1].Class]++
	}
	teams, tags, services, scopes := map[string]int{}, map[string]int{}, map[string]int{}, map[string]int{}
	for i := range m.assets {
		c := v.Asset(exposure.AssetID(i + 1)).Context
		if c.Owner == "" {
			teams["none"]++
		} else {
			teams[c.Owner]++
		}
		count(tags, c.Tags, 1)
		count(services, c.Services, 1)
		count(scopes, c.Scopes, 1)
	}
	for field, all := range map[exposure.Field]map[string]int{
		exposure.FieldAsset: assets, exposure.FieldTool: tools, exposure.FieldClass: classes, exposure.FieldTechnique: techniques, exposure.FieldActor: actors,
		exposure.FieldOwner: teams, exposure.FieldTag: tags, exposure.FieldService: services, exposure.FieldScope: scopes,
		exposure.FieldTitle: nil,
	} {
		for _, part := range []string{"", "t", "1", "host-3", "one", "\x00"} {
			for _, limit := range []int{1, 12} {
				var counts, want []int
				for _, got := range v.Values(field, part, limit) {
					if all[got.Text] != got.Count || !strings.Contains(strings.ToLower(got.Text), part) {
						t.Errorf("field %d, part %q: %+v, want %d", field, part, got, all[got.Text])
					}
					counts = append(counts, got.Count)
				}
				for text, n := range all {
					if strings.Contains(strings.ToLower(text), part) {
						want = append(want, n)
					}
				}
				slices.Sort(want)
				slices.Reverse(want)
				if diff := cmp.Diff(want[:min(len(want), limit)], counts); diff != "" && len(want)+len(counts) > 0 {
					t.Errorf("field %d, part %q, limit %d (-want +got):\n%s", field, part, limit, diff)
				}
			}
		}
	}
}

// Several assets may have one name; what was removed has none.
func TestValuesOfGaps(t *testing.T) {
	t.Parallel()
	m := synthetic(2000)
	for i := range m.assets {
		m.assets[i].Name, m.assets[i].Identifiers = fmt.Sprintf("Twin %d", i%3), nil
	}
	got := load(t, m).View().Values(exposure.FieldAsset, "twin", 12)
	if len(got) != 3 {
		t.Errorf("names of twins: %+v", got)
	}
	if got := New(testModel{}, testContexts{}).View().Values(exposure.FieldAsset, "", 12); len(got) != 0 {
		t.Errorf("an empty index has %+v", got)
	}
}

func BenchmarkValues(b *testing.B) {
	m := synthetic(1_000_000)
	// As many assets as an estate of a million findings ever has.
	for i := len(m.assets); i < 250_000; i++ {
		m.assets = append(m.assets, exposure.Asset{ID: exposure.AssetID(i + 1), Name: fmt.Sprintf("host-%d.example", i)})
	}
	for i := range m.findings {
		m.findings[i].Asset = exposure.AssetID(1 + i*7919%len(m.assets))
	}
	v := load(b, m).View()
	for _, c := range []struct {
		name  string
		field exposure.Field
		part  string
	}{{"team", exposure.FieldOwner, ""}, {"tag", exposure.FieldTag, "t"}, {"tool", exposure.FieldTool, ""}, {"asset", exposure.FieldAsset, ""}, {"asset part", exposure.FieldAsset, "host-1"}, {"asset not there", exposure.FieldAsset, "zzz"}} {
		b.Run(c.name, func(b *testing.B) {
			for b.Loop() {
				v.Values(c.field, c.part, 12)
			}
		})
	}
}
