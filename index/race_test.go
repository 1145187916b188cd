package index

import (
	"context"
	"testing"

	"github.com/leeward-ctem/leeward/exposure"
)

// busy is a database to which another transaction commits between what an index
// reads of it.
type busy struct {
	*memory
	commit func()
}

func (b *busy) Sources(ctx context.Context) ([]exposure.Source, error) {
	all, err := b.memory.Sources(ctx)
	if b.commit != nil { // the dictionaries were read, the findings were not
		b.commit()
		b.commit = nil
	}
	return all, err
}

// What commits while an index catches up is left to the next time, and what it
// already shows in rows that are read again does no harm.
func TestCommitWhileCatchingUp(t *testing.T) {
	t.Parallel()
	m := synthetic(3000)
	ix := load(t, m)
	seq := m.events[len(m.events)-1].Seq
	open := func() {
		n := len(m.findings)
		m.assets = append(m.assets, exposure.Asset{ID: exposure.AssetID(len(m.assets) + 1), Name: "late", Key: "late"})
		m.advisories = append(m.advisories, exposure.Advisory{ID: exposure.AdvisoryID(len(m.advisories) + 1), Key: "CVE-2026-99999"})
		f := m.findings[n-1]
		f.ID, f.Asset, f.Advisory = exposure.FindingID(n+1), exposure.AssetID(len(m.assets)), exposure.AdvisoryID(len(m.advisories))
		f.Fingerprint[0] ^= 0xff
		f.Fingerprint[5] ^= byte(n)
		m.findings = append(m.findings, f)
		seq++
		m.events = append(m.events, exposure.Event{Seq: seq, Kind: exposure.EventOpened, First: uint32(n + 1), Last: uint32(n + 1)})
	}
	b := &busy{memory: m}
	for range 3 {
		open()
		moved := m.findings[7].ID
		seq++
		m.events = append(m.events, exposure.Event{Seq: seq, Kind: exposure.EventMoved, IDs: []uint32{uint32(moved)}, First: uint32(moved), Last: uint32(moved)})
		b.commit = func() {
			open()
			m.findings[7].Asset = exposure.AssetID(len(m.assets)) // its asset became part of the new one
		}
		if err := ix.CatchUp(t.Context(), b); err != nil {
			t.Fatal(err)
		}
		if v := ix.View(); v.Len() != len(m.findings)-1 {
			t.Errorf("%d findings, want all but the one that is yet to be told of, %d", v.Len(), len(m.findings)-1)
		}
		if err := ix.CatchUp(t.Context(), b); err != nil {
			t.Fatal(err)
		}
	}
	fresh, got := load(t, m).View(), ix.View()
	for i := range m.findings {
		want, _ := fresh.Row(exposure.FindingID(i + 1))
		if row, _ := got.Row(exposure.FindingID(i + 1)); row != want {
			t.Fatalf("finding %d is %+v, in a fresh index %+v", i+1, row, want)
		}
	}
}
