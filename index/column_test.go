package index

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/leeward-ctem/leeward/exposure"
)

// An estate with more assets than two bytes can number: its columns grow wide
// on the way, and a view from before stays as it was.
func TestWideColumns(t *testing.T) {
	t.Parallel()
	const n = 70_000
	m := synthetic(20)
	for len(m.assets) < n {
		a := m.assets[0]
		a.ID, a.Name = exposure.AssetID(len(m.assets)+1), fmt.Sprintf("host-%d.example", len(m.assets))
		m.assets = append(m.assets, a)
	}
	more := func(f exposure.Finding, asset int) {
		f.ID, f.Asset, f.Status = exposure.FindingID(len(m.findings)+1), exposure.AssetID(asset), exposure.StatusOpen
		f.Fingerprint = exposure.NewFingerprint("a", fmt.Sprint(len(m.findings)), "")
		m.findings = append(m.findings, f)
	}
	for len(m.findings) < 1000 {
		more(m.findings[0], 1+len(m.findings))
	}
	m.events[0].Last = uint32(len(m.findings))
	ix := load(t, m)
	before := ix.View()
	for len(m.findings) < n {
		more(m.findings[0], len(m.findings)+1)
	}
	m.findings[3].Asset = n - 1
	m.events = append(m.events, exposure.Event{Seq: 2, Kind: exposure.EventOpened, First: 1001, Last: n}, exposure.Event{Seq: 3, Kind: exposure.EventSource, First: 4, Last: 4, IDs: []uint32{4}})
	if err := ix.CatchUp(t.Context(), m); err != nil {
		t.Fatal(err)
	}
	if r, _ := before.Row(4); r.Asset == n-1 || before.Len() != 1000 {
		t.Errorf("the view from before changed: %d findings, %+v", before.Len(), r)
	}
	file := t.TempDir() + "/index.snapshot"
	if err := ix.Save(file, "db"); err != nil {
		t.Fatal(err)
	}
	back := New(testModel{}, testContexts{})
	if ok, err := back.Restore(t.Context(), file, "db", m); err != nil || !ok {
		t.Fatalf("restore: %v, %v", ok, err)
	}
	same(t, ix, back, m)
	everything, err := exposure.ParseFilter("is:any")
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range []*View{ix.View(), back.View()} {
		for i := range m.findings {
			f := &m.findings[i]
			if r, ok := v.Row(f.ID); !ok || r.Asset != f.Asset || r.Advisory != f.Advisory || r.Location != f.Location {
				t.Fatalf("%+v became %+v", f, r)
			}
		}
		for _, by := range []string{"asset", "team"} {
			page, err := v.Page(Query{Filter: everything, Sort: Sort{By: by}, Limit: 1000, Today: today})
			if err != nil || page.Total < n-20 || len(page.Rows) != 1000 {
				t.Errorf("sorted by %s: %d rows of %d (%v)", by, len(page.Rows), page.Total, err)
			}
			if by == "asset" && !slices.IsSortedFunc(page.Rows, func(a, b Row) int { return exactly(v.Asset(a.Asset).Name, v.Asset(b.Asset).Name) }) {
				t.Error("the rows are not in the order of their assets")
			}
		}
	}
}

func exactly(a, b string) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

// Whatever is added, removed and added again, the table says what a map says.
func TestFingerprintsMap(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(3, 4))
	for round := range 20 {
		var table fingerprints
		want := map[exposure.Fingerprint]exposure.FindingID{}
		var all []exposure.Fingerprint
		for range 3000 {
			switch {
			case r.IntN(20) == 0:
				table.skip()
			case r.IntN(500) == 0:
				gone := map[uint32]bool{}
				for fp, id := range want {
					if r.IntN(3) == 0 {
						gone[uint32(id)] = true
						delete(want, fp)
					}
				}
				table.forget(gone)
			default:
				var fp exposure.Fingerprint
				for i := range fp {
					fp[i] = byte(r.Uint32())
				}
				// Few shards, and keys that crowd at one end, in the middle or
				// at zero.
				fp[0], fp[1] = byte(r.IntN(2)), 0
				switch round % 4 {
				case 1:
					fp[12], fp[11] = 255, 255
				case 2:
					fp[12], fp[11] = 128, 0
				case 3:
					fp[12], fp[11], fp[10], fp[9] = 0, 0, 0, 0
				}
				if len(all) > 0 && r.IntN(4) == 0 {
					fp = all[r.IntN(len(all))]
				}
				if want[fp] != 0 {
					continue // known
				}
				table.add(&fp)
				want[fp] = exposure.FindingID(table.n)
				all = append(all, fp)
			}
		}
		for _, fp := range all {
			if got := table.get(&fp); got != want[fp] {
				t.Fatalf("round %d: %v, want %v", round, got, want[fp])
			}
		}
		for i := range table.shards {
			s := &table.shards[i]
			last := uint64(0)
			for j := range s.entries {
				if key := s.entries[j].key(); key != 0 {
					if key <= last {
						t.Fatalf("round %d: the keys are not in order", round)
					}
					last = key
				}
			}
		}
	}
}
