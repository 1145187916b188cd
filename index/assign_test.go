package index

import (
	"context"
	"slices"
	"testing"

	"github.com/leeward-ctem/leeward/exposure"
)

// assignedContexts says of an asset whom a person gave it to.
type assignedContexts struct{}

func (assignedContexts) Context(a *exposure.Asset) exposure.Context {
	return exposure.Context{Owner: a.Assigned}
}

// counting counts the assets that are read again.
type counting struct {
	*memory
	assets int
}

func (c *counting) Assets(ctx context.Context, a, b exposure.AssetID, f func(*exposure.Asset) error) error {
	return c.memory.Assets(ctx, a, b, func(x *exposure.Asset) error { c.assets++; return f(x) })
}

// An assignment is followed without reading the assets between those that it
// speaks of, however far apart they are.
func TestAssigned(t *testing.T) {
	t.Parallel()
	m := synthetic(60_000)
	ix := New(testModel{}, assignedContexts{})
	if err := ix.CatchUp(t.Context(), m); err != nil {
		t.Fatal(err)
	}
	last := uint32(len(m.assets))
	ids := []uint32{1, 2, 5, last / 2, last}
	if last < 6*assetGap {
		t.Fatalf("only %d assets", last)
	}
	for _, id := range ids {
		m.assets[id-1].Assigned = "night shift"
	}
	seq := m.events[len(m.events)-1].Seq
	m.events = append(m.events, exposure.Event{Seq: seq + 1, Kind: exposure.EventAssigned, IDs: ids, First: 1, Last: last})
	src := &counting{memory: m}
	if err := ix.CatchUp(t.Context(), src); err != nil {
		t.Fatal(err)
	}
	if src.assets > 2*len(ids) {
		t.Errorf("%d assets were read again for %d", src.assets, len(ids))
	}
	v := ix.View()
	for id := uint32(1); id <= last; id++ {
		if got, want := v.Asset(exposure.AssetID(id)).Context.Owner == "night shift", slices.Contains(ids, id); got != want {
			t.Errorf("asset %d is the night shift's: %v", id, got)
		}
	}
	want := 0
	for _, f := range m.findings {
		if slices.Contains(ids, uint32(f.Asset)) && f.Status.Open() {
			want++
		}
	}
	f, err := exposure.ParseFilter(`team:"night shift"`)
	if err != nil {
		t.Fatal(err)
	}
	page, err := v.Page(Query{Filter: f, Limit: 1})
	if err != nil || page.Total != want || want == 0 {
		t.Errorf("%d findings are the night shift's, want %d (%v)", page.Total, want, err)
	}
}
