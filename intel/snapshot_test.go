package intel

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/leeward-ctem/leeward/exposure"
)

// snapshotOf merges facts as kept copies are.
func snapshotOf(t testing.TB, all ...Fact) *Snapshot {
	t.Helper()
	b := newBuilder()
	if err := decode(encoded(t, all...), b); err != nil {
		t.Fatal(err)
	}
	return b.snapshot()
}

// same says that names are of one weakness.
func same(id string, aliases ...string) Fact { return Fact{ID: id, Aliases: aliases} }

const (
	g1, g2 = "GHSA-1111-1111-1111", "GHSA-2222-2222-2222"
	c1, c2 = "CVE-2025-0001", "CVE-2025-0002"
)

func TestCanonical(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		facts []Fact
		want  map[string]string
	}{
		"nothing known":  {nil, map[string]string{g1: g1, c1: c1, "": ""}},
		"GHSA to CVE":    {[]Fact{same(g1, c1)}, map[string]string{g1: c1, c1: c1}},
		"said by CVE":    {[]Fact{same(c1, g1)}, map[string]string{g1: c1, c1: c1}},
		"three names":    {[]Fact{same("GO-1", c1, g1)}, map[string]string{"GO-1": c1, g1: c1, c1: c1}},
		"by way of GHSA": {[]Fact{same("PYSEC-1", g1), same(g1, c1)}, map[string]string{"PYSEC-1": c1, g1: c1}},
		"by way of two":  {[]Fact{same("OSV-1", "PYSEC-1"), same("PYSEC-1", g1), same(g1, c1)}, map[string]string{"OSV-1": c1, "PYSEC-1": c1}},
		"without a CVE":  {[]Fact{same("GO-1", g1), same("PYSEC-1", g1)}, map[string]string{"GO-1": g1, "PYSEC-1": g1, g1: g1}},
		"without GHSA":   {[]Fact{same("GO-1", "PYSEC-1")}, map[string]string{"GO-1": "GO-1", "PYSEC-1": "PYSEC-1"}},
		"several CVEs stay apart": {
			[]Fact{same("GO-1", c1, c2)},
			map[string]string{"GO-1": "GO-1", c1: c1, c2: c2},
		},
		"several CVEs, and each has a GHSA": {
			[]Fact{same("RUSTSEC-1", c1, c2, g1, g2), same(g1, c1), same(g2, c2)},
			map[string]string{"RUSTSEC-1": "RUSTSEC-1", g1: c1, g2: c2, c1: c1, c2: c2},
		},
		"several CVEs, and nobody says which GHSA is which": {
			[]Fact{same("RUSTSEC-1", c1, c2, g1, g2)},
			map[string]string{"RUSTSEC-1": "RUSTSEC-1", g1: g1, g2: g2},
		},
		"several GHSA": {
			[]Fact{same("GO-1", g1, g2)},
			map[string]string{"GO-1": "GO-1", g1: g1, g2: g2},
		},
		"a GHSA of two": {
			[]Fact{same("GO-1", c1, g1), same("GO-2", c2, g1)},
			map[string]string{"GO-1": c1, "GO-2": c2, g1: g1},
		},
		"to itself":             {[]Fact{same(g1, g1, c1, c1)}, map[string]string{g1: c1}},
		"two CVEs say the same": {[]Fact{same(c1, c2)}, map[string]string{c1: c1, c2: c2}},
	} {
		s := snapshotOf(t, tt.facts...)
		slices.Reverse(tt.facts)
		other := snapshotOf(t, tt.facts...)
		for id, want := range tt.want {
			if got := s.Canonical(id); got != want {
				t.Errorf("%s: Canonical(%s) = %s, want %s", name, id, got, want)
			}
			if got := other.Canonical(id); got != want {
				t.Errorf("%s, told in another order: Canonical(%s) = %s, want %s", name, id, got, want)
			}
		}
	}
}

// An id that hundreds of advisories call their alias must not cost their
// number squared, nor tie them together.
func TestCanonicalHub(t *testing.T) {
	t.Parallel()
	var all []Fact
	for i := range 20_000 {
		all = append(all, same(fmt.Sprintf("MAL-%d", i), g1))
	}
	all = append(all, same(g1, c1))
	s := snapshotOf(t, all...)
	if got := s.Canonical("MAL-7"); got != c1 && got != g1 {
		t.Errorf("Canonical = %s", got)
	}
	for i := range all {
		all[i].Aliases = append(all[i].Aliases, fmt.Sprintf("CVE-2025-%04d", i))
	}
	s = snapshotOf(t, all...)
	if got := s.Canonical("MAL-7"); got != "CVE-2025-0007" {
		t.Errorf("Canonical = %s", got)
	}
	if got := s.Canonical(g1); got != g1 {
		t.Errorf("Canonical of the hub = %s", got)
	}
	s.Threat([]string{g1})
}

// The invariants of names: resolving twice is resolving once, a CVE id is its
// own, and only names that somebody linked become one.
func TestCanonicalProperties(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(7, 8))
	for range 100 {
		var all []Fact
		for range r.IntN(60) {
			f := anyFact(r)
			f.Threat.Withdrawn = false
			all = append(all, f)
		}
		s := snapshotOf(t, all...)
		parent := map[string]string{}
		var root func(string) string
		root = func(id string) string {
			if p, ok := parent[id]; ok && p != id {
				return root(p)
			}
			return id
		}
		for _, f := range all {
			for _, a := range f.Aliases {
				parent[root(f.ID)] = root(a)
			}
		}
		for _, f := range all {
			for _, id := range append(f.Aliases, f.ID) {
				to := s.Canonical(id)
				if s.Canonical(to) != to {
					t.Fatalf("%s becomes %s and then %s", id, to, s.Canonical(to))
				}
				if strings.HasPrefix(id, "CVE-") && to != id {
					t.Fatalf("the CVE id %s becomes %s", id, to)
				}
				if root(id) != root(to) {
					t.Fatalf("%s becomes %s, and nobody said that they are the same", id, to)
				}
				// What is known under the one name is known under the other.
				covered(t, s.Threat([]string{id}), s.Threat([]string{to}))
			}
			covered(t, s.Threat([]string{f.ID}), f.Threat)
			covered(t, s.Threat([]string{s.Canonical(f.ID)}), f.Threat)
		}
	}
}

func TestThreat(t *testing.T) {
	t.Parallel()
	s := snapshotOf(t,
		Fact{ID: c1, Threat: exposure.Threat{EPSS: 0.5, Percentile: 0.9, EPSSModel: "v1"}},
		Fact{ID: c2, Threat: exposure.Threat{EPSS: 0.25, Percentile: 0.8, EPSSModel: "v1"}},
		Fact{ID: c2, Threat: exposure.Threat{KEVDay: 100, ObservedDay: 100, KEVDueDay: 121}},
		Fact{ID: g1, Aliases: []string{c1}, Threat: exposure.Threat{PublishedDay: 90}},
		Fact{ID: "GO-1", Aliases: []string{c1, c2}, Threat: exposure.Threat{PublishedDay: 80}},
		Fact{ID: "GO-2", Aliases: []string{c1}, Threat: exposure.Threat{PublishedDay: 70, Withdrawn: true}},
		Fact{ID: "GO-3", Threat: exposure.Threat{PublishedDay: 60, Withdrawn: true}},
		Fact{ID: "CVE-2025-0003", Threat: exposure.Threat{EPSSModel: "v1"}},
		Fact{ID: "CVE-2025-0004", Threat: exposure.Threat{Withdrawn: true}},
		Fact{ID: "CVE-2025-0005", Threat: exposure.Threat{Withdrawn: true, KEVDay: 10}},
	)
	first := exposure.Threat{EPSS: 0.5, Percentile: 0.9, EPSSModel: "v1", PublishedDay: 90}
	both := exposure.Threat{EPSS: 0.5, Percentile: 0.9, EPSSModel: "v1", PublishedDay: 80, KEVDay: 100, ObservedDay: 100, KEVDueDay: 121}
	for name, tt := range map[string]struct {
		ids  []string
		want exposure.Threat
	}{
		"nothing":                           {nil, exposure.Threat{}},
		"unknown":                           {[]string{"CVE-2025-9999", "X"}, exposure.Threat{}},
		"a CVE, with what its alias says":   {[]string{c1}, first},
		"an alias":                          {[]string{g1}, first},
		"both names":                        {[]string{c1, g1}, first},
		"the same twice":                    {[]string{c1, c1}, first},
		"an advisory that covers two":       {[]string{"GO-1"}, both},
		"a CVE does not get the other's":    {[]string{c2}, exposure.Threat{EPSS: 0.25, Percentile: 0.8, EPSSModel: "v1", KEVDay: 100, ObservedDay: 100, KEVDueDay: 121}},
		"a withdrawn alias of a living CVE": {[]string{"GO-2", c1}, exposure.Threat{EPSS: 0.5, Percentile: 0.9, EPSSModel: "v1", PublishedDay: 70}},
		"withdrawn":                         {[]string{"GO-3"}, exposure.Threat{PublishedDay: 60, Withdrawn: true}},
		"withdrawn, by two names":           {[]string{"GO-3", "CVE-2025-0004"}, exposure.Threat{PublishedDay: 60, Withdrawn: true}},
		"one of two is withdrawn":           {[]string{"CVE-2025-0003", "CVE-2025-0004"}, exposure.Threat{EPSSModel: "v1"}},
		"withdrawn and unknown":             {[]string{"CVE-2025-0004", "nessus:1"}, exposure.Threat{}},
		"withdrawn, but used in attacks":    {[]string{"CVE-2025-0005"}, exposure.Threat{KEVDay: 10}},
		"a score of zero":                   {[]string{"CVE-2025-0003"}, exposure.Threat{EPSSModel: "v1"}},
	} {
		if diff := cmp.Diff(tt.want, s.Threat(tt.ids)); diff != "" {
			t.Errorf("%s: Threat(%v) differs (-want +got):\n%s", name, tt.ids, diff)
		}
	}
	if s.Scores() != 3 {
		t.Errorf("%d scores, want 3", s.Scores())
	}
}

// Scores of a second model are kept beside those of the first, and of a
// weakness that is scored twice the higher counts, in any order.
func TestScores(t *testing.T) {
	t.Parallel()
	all := []Fact{
		{ID: c2, Threat: exposure.Threat{EPSS: 0.1, Percentile: 0.5, EPSSModel: "v1"}},
		{ID: c1, Threat: exposure.Threat{EPSS: 0.2, Percentile: 0.6, EPSSModel: "v1"}},
		{ID: c1, Threat: exposure.Threat{EPSS: 0.3, Percentile: 0.7, EPSSModel: "v2"}},
		{ID: c2, Threat: exposure.Threat{EPSS: 0.05, Percentile: 0.9, EPSSModel: "v2"}},
		{ID: c2, Threat: exposure.Threat{EPSS: 0.15, Percentile: 0.55, EPSSModel: "v1"}},
		{ID: "CVE-2025-00003", Threat: exposure.Threat{EPSS: 0.4, Percentile: 0.8, EPSSModel: "v1"}}, // not to be packed
	}
	for range len(all) {
		all = append(all[1:], all[0])
		s := snapshotOf(t, all...)
		for id, want := range map[string]exposure.Threat{
			c1:               {EPSS: 0.3, Percentile: 0.7, EPSSModel: "v2"},
			c2:               {EPSS: 0.15, Percentile: 0.55, EPSSModel: "v1"},
			"CVE-2025-00003": {EPSS: 0.4, Percentile: 0.8, EPSSModel: "v1"},
			"CVE-2025-0003":  {},
		} {
			if got := s.Threat([]string{id}); got != want {
				t.Errorf("Threat(%s) = %+v, want %+v", id, got, want)
			}
		}
	}
}

func TestZeroSnapshot(t *testing.T) {
	t.Parallel()
	var s Snapshot
	if s.Canonical(g1) != g1 || s.Canonical(c1) != c1 || s.Threat([]string{c1, g1}) != (exposure.Threat{}) || s.Scores() != 0 {
		t.Error("the zero Snapshot knows something")
	}
	empty := snapshotOf(t)
	if empty.Canonical(g1) != g1 || empty.Threat([]string{c1}) != (exposure.Threat{}) {
		t.Error("a snapshot of nothing knows something")
	}
}

// Asking does not allocate: the import asks for every observation.
func TestAskingIsFree(t *testing.T) {
	s := snapshotOf(t, same(g1, c1), Fact{ID: c1, Threat: exposure.Threat{EPSS: 0.5, EPSSModel: "v1"}}, Fact{ID: c1, Threat: exposure.Threat{KEVDay: 5}})
	ids := []string{g1, c1}
	if n := testing.AllocsPerRun(100, func() {
		if s.Canonical(g1) != c1 || s.Canonical("GHSA-none") != "GHSA-none" || s.Threat(ids).KEVDay != 5 {
			t.Error("wrong answer")
		}
	}); n > 1 { // the score that is merged may be one
		t.Errorf("%v allocations", n)
	}
}

func TestNames(t *testing.T) {
	t.Parallel()
	var n names
	if _, ok := n.find("A"); ok {
		t.Error("the zero value holds a name")
	}
	for i := range 10_000 {
		for range 2 {
			got, err := n.add(fmt.Sprint("N", i))
			if err != nil || got != uint32(i) {
				t.Fatalf("add(N%d) = %d, %v", i, got, err)
			}
		}
	}
	for i := range 10_000 {
		if got, ok := n.find(fmt.Sprint("N", i)); !ok || got != uint32(i) || n.at(got) != fmt.Sprint("N", i) {
			t.Fatalf("find(N%d) = %d, %v, which is %s", i, got, ok, n.at(got))
		}
	}
	if _, ok := n.find("N10000"); ok || n.len() != 10_000 {
		t.Errorf("%d names, and one that nobody added", n.len())
	}
}
