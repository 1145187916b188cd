package index

import (
	"testing"

	"github.com/leeward-ctem/leeward/exposure"
)

// threatModel makes what is listed worse.
type threatModel struct{ testModel }

func (m threatModel) Advisory(a *exposure.Advisory) exposure.AdvisoryFactor {
	f := m.testModel.Advisory(a)
	if a.Threat.KEV() {
		f.Log += 20000
	}
	return f
}

// A view that knows more is what the index becomes when it is true, and the
// view it was made of stays as it was.
func TestKnowing(t *testing.T) {
	t.Parallel()
	m := synthetic(5000)
	load := func() *View {
		ix := New(threatModel{}, testContexts{})
		if err := ix.CatchUp(t.Context(), m); err != nil {
			t.Fatal(err)
		}
		return ix.View()
	}
	before, untouched := load(), load()
	known := map[exposure.AdvisoryID]exposure.Threat{1 << 30: {}}
	for id := exposure.AdvisoryID(1); id < before.Advisories(); id += 3 {
		known[id] = exposure.Threat{KEVDay: 20000}
		m.advisories[id-1].Threat = known[id]
	}
	got, want := before.Knowing(known), load()
	moved := 0
	for id := exposure.FindingID(1); id <= 5000; id++ {
		a, _ := got.Row(id)
		b, _ := want.Row(id)
		was, _ := before.Row(id)
		old, _ := untouched.Row(id)
		if a != b || was != old {
			t.Fatalf("%v: knowing gives %+v, want %+v; before %+v, and now %+v", id, a, b, old, was)
		}
		if was.Status.Open() && was.Band != a.Band {
			moved++
		}
	}
	if n := before.Moved(got); n != moved || n == 0 {
		t.Errorf("%d findings moved to another band, counted %d", moved, n)
	}
	if n := before.Moved(before); n != 0 {
		t.Errorf("%d moved by nothing", n)
	}
	if before.Component(1<<30) != "" || before.Advisory(1).Threat != untouched.Advisory(1).Threat {
		t.Error("what is not there is something")
	}
}
