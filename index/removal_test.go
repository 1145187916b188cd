package index

import (
	"context"
	"testing"

	"github.com/leeward-ctem/leeward/exposure"
)

// shrunk is a database from which assets and findings were removed.
type shrunk struct {
	*memory
	assets   map[exposure.AssetID]bool
	findings map[exposure.FindingID]bool
}

func (s *shrunk) Assets(ctx context.Context, a, b exposure.AssetID, f func(*exposure.Asset) error) error {
	return s.memory.Assets(ctx, a, b, func(x *exposure.Asset) error {
		if s.assets[x.ID] {
			return nil
		}
		return f(x)
	})
}

func (s *shrunk) Findings(ctx context.Context, a, b exposure.FindingID, f func(*exposure.Finding) error) error {
	return s.memory.Findings(ctx, a, b, func(x *exposure.Finding) error {
		if s.findings[x.ID] {
			return nil
		}
		return f(x)
	})
}

// oneContext says the same of every asset, so that the contexts of a programme
// are fewer than those of the one before.
type oneContext struct{}

func (oneContext) Context(*exposure.Asset) exposure.Context { return exposure.Context{} }

// Assets and findings can go, also together with the programme that spoke of
// them, and an index that was there agrees with a fresh one.
func TestRemoval(t *testing.T) {
	t.Parallel()
	m := synthetic(3000)
	ix := load(t, m)
	gone := &shrunk{m, map[exposure.AssetID]bool{}, map[exposure.FindingID]bool{}}
	var ids []uint32
	for _, f := range m.findings {
		if f.Asset%2 == 0 {
			gone.assets[f.Asset], gone.findings[f.ID] = true, true
			ids = append(ids, uint32(f.ID))
		}
	}
	seq := m.events[len(m.events)-1].Seq
	m.events = append(m.events,
		exposure.Event{Seq: seq + 1, Kind: exposure.EventAsset, First: 1, Last: uint32(len(m.assets))},
		exposure.Event{Seq: seq + 2, Kind: exposure.EventRemoved, IDs: ids, First: ids[0], Last: ids[len(ids)-1]})
	ix.SetContexts(oneContext{})
	if err := ix.CatchUp(t.Context(), gone); err != nil {
		t.Fatal(err)
	}
	ix.SetModel(testModel{shift: 100}) // scores every row, the removed ones too
	fresh := New(testModel{shift: 100}, oneContext{})
	if err := fresh.CatchUp(t.Context(), gone); err != nil {
		t.Fatal(err)
	}
	left := 0
	for id := exposure.FindingID(1); id <= 3000; id++ {
		a, okA := ix.View().Row(id)
		b, okB := fresh.View().Row(id)
		if a != b || okA != okB {
			t.Fatalf("%v: %+v %v, fresh %+v %v", id, a, okA, b, okB)
		}
		if okA == gone.findings[id] {
			t.Fatalf("%v is there: %v", id, okA)
		}
		if okA {
			left++
		}
	}
	if left == 0 || left == 3000 {
		t.Errorf("%d findings are left", left)
	}
	var print [1]exposure.FindingID
	ix.Known([]exposure.Fingerprint{m.findings[ids[0]-1].Fingerprint}, print[:])
	if print[0] != 0 {
		t.Errorf("a removed finding is still known as %v", print[0])
	}
	page, err := ix.View().Page(Query{Limit: 1000})
	if err != nil || page.Total > left {
		t.Errorf("%d rows are listed, %d are there (%v)", page.Total, left, err)
	}
}
