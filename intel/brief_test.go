package intel

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/leeward-ctem/leeward/exposure"
)

// A brief and what has no place in it say what merging the same facts does.
func TestBrief(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(7, 8))
	for _, full := range []bool{false, true} {
		for range 4_000 {
			var v vectors
			if full { // the others have no number
				v.number("AV:N")
				v.all = append(v.all, make([]string, maxVectors)...)
			}
			var b brief
			var want, rest exposure.Threat
			for range 1 + r.IntN(4) {
				u := anyThreat(r)
				if r.IntN(4) == 0 {
					u.Vector = "AV:N"
				}
				Merge(&want, &u)
				over := b.add(&u, &v)
				Merge(&rest, &over)
			}
			got := rest
			b.to(&got, v.all)
			if diff := cmp.Diff(want, got); diff != "" {
				t.Fatalf("differs (-merged +brief):\n%s", diff)
			}
			if rest.PublishedDay+rest.PoCDay != 0 || rest.Automatable+rest.Impact != "" || !full && rest.Vector != "" {
				t.Fatalf("stands beside the brief: %+v", rest)
			}
		}
	}
}

func TestBriefWithdrawn(t *testing.T) {
	t.Parallel()
	b := withdrawnBit
	b.add(&exposure.Threat{PublishedDay: maxDay, PoCDay: maxDay, Automatable: "yes", Impact: "total"}, &vectors{})
	if !b.withdrawn() || b.published() != maxDay || b.poc() != maxDay {
		t.Errorf("%b", b)
	}
	var got exposure.Threat
	b.to(&got, nil)
	if want := (exposure.Threat{PublishedDay: maxDay, PoCDay: maxDay, Automatable: "yes", Impact: "total"}); got != want {
		t.Errorf("%+v, want %+v: the withdrawal of one name is not that of all", got, want)
	}
}

// More different vectors than are numbered are kept all the same.
func TestManyVectors(t *testing.T) {
	t.Parallel()
	vector := func(i int) string { return fmt.Sprintf("CVSS:3.1/AV:%d", i) }
	const n = maxVectors + 100
	var all []Fact
	for i := range n {
		all = append(all, Fact{ID: fmt.Sprintf("CVE-2025-%d", 1000+i), Threat: exposure.Threat{PublishedDay: 1, Vector: vector(i)}})
	}
	s := snapshotOf(t, all...)
	for i := range n {
		if got := s.Threat([]string{all[i].ID}); got != all[i].Threat {
			t.Fatalf("%s is known as %+v", all[i].ID, got)
		}
	}
	if len(s.vectors) > maxVectors {
		t.Errorf("%d vectors are numbered", len(s.vectors))
	}
}
