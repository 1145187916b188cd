package intel

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"runtime"
	"testing"
	"time"

	"github.com/leeward-ctem/leeward/exposure"
	"github.com/leeward-ctem/leeward/intel/match"
)

// world returns kept copies of about the size of the public ones: 300,000
// scores, 1,500 listed, 280,000 advisories of which most are malicious
// packages without another name, 300,000 CVEs described by 3,500 vectors. With
// packages advisories also say where they are and of what class.
func world(b *testing.B, packages bool) map[string][]byte {
	b.Helper()
	r := rand.New(rand.NewPCG(9, 10))
	cve := func(i int) string { return fmt.Sprintf("CVE-%d-%d", 1999+i/12_000, 1000+i%12_000) }
	var scores, listed, advisories, described []Fact
	for i := range 300_000 {
		t := exposure.Threat{PublishedDay: 12_000 + i/40, Automatable: automatableWords[i%3], Impact: impactWords[i/3%3], Vector: fmt.Sprintf("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:%d", 1000+i%3500)}
		if i%6 == 0 {
			t.PoCDay = 19_500 + i%500
		}
		described = append(described, Fact{ID: cve(i), Threat: t})
		scores = append(scores, Fact{ID: cve(i), Threat: exposure.Threat{EPSS: float64(r.IntN(100_000)) / 100_000, Percentile: float64(r.IntN(100_000)) / 100_000, EPSSModel: "v2025.03.14"}})
		if i%200 == 0 {
			listed = append(listed, Fact{ID: cve(i), Threat: exposure.Threat{KEVDay: 19000 + i%1000, KEVDueDay: 19021 + i%1000, ObservedDay: 19000 + i%1000}})
		}
		if i%6 == 0 {
			ghsa := Fact{ID: fmt.Sprintf("GHSA-%04d-%04d-%04d", i/100, i%100, i%97), Aliases: []string{cve(i)}, Threat: exposure.Threat{PublishedDay: 18000 + i%2000}}
			if packages {
				ghsa.Threat.Vector = t.Vector
				ghsa.Links = []Link{{OfClass, fmt.Sprintf("CWE-%d", 20+i%700)}}
				ghsa.Affected = []match.Affected{{Ecosystem: []string{"Maven", "npm", "PyPI"}[i%3], Name: fmt.Sprintf("org.example:package-%d", i/3), Ranges: []match.Range{{Events: []match.Event{{Kind: match.Introduced, Version: "0"}, {Kind: match.Fixed, Version: fmt.Sprintf("1.%d.%d", i%20, i%7)}}}}}}
			}
			advisories = append(advisories, ghsa)
		}
	}
	for i := range 230_000 {
		evil := Fact{ID: fmt.Sprintf("MAL-2025-%d", i), Threat: exposure.Threat{PublishedDay: 20_000 + i%300}}
		if packages {
			evil.Affected = []match.Affected{{Ecosystem: "npm", Name: fmt.Sprintf("evil-package-%d", i*7), Ranges: []match.Range{{Events: []match.Event{{Kind: match.Introduced, Version: "0"}}}}}}
		}
		advisories = append(advisories, evil)
	}
	return map[string][]byte{"kev": encoded(b, listed...), "epss": encoded(b, scores...), "osv": encoded(b, advisories...), "nvd": encoded(b, described...)}
}

// BenchmarkLoad makes the snapshot from kept copies. held-B is what stays in
// memory; B/op beside it is what the loading allocated in all.
func BenchmarkLoad(b *testing.B) {
	copies, bare := world(b, true), world(b, false)["osv"]
	copies["bare"] = bare
	counts := map[string]int{"epss": 300_000, "kev": 1_500, "osv": 280_000, "bare": 280_000}
	for _, tt := range []struct {
		what  string
		names []string
	}{{"scores", []string{"epss"}}, {"descriptions", []string{"nvd"}}, {"scores and names", []string{"epss", "kev", "osv"}}, {"everything", []string{"epss", "kev", "osv", "nvd"}}, {"without packages", []string{"epss", "kev", "bare", "nvd"}}} {
		load := func() *Snapshot {
			all := newBuilder()
			for _, name := range tt.names {
				all.expect(counts[name])
				if err := decode(copies[name], all); err != nil {
					b.Fatal(err)
				}
			}
			return all.snapshot()
		}
		b.Run(tt.what, func(b *testing.B) {
			var before, after runtime.MemStats
			runtime.GC()
			runtime.ReadMemStats(&before)
			s := load()
			runtime.GC()
			runtime.ReadMemStats(&after)
			b.ReportAllocs()
			for b.Loop() {
				load()
			}
			b.ReportMetric(float64(after.HeapAlloc)-float64(before.HeapAlloc), "held-B")
			size := 0
			for _, name := range tt.names {
				size += len(copies[name])
			}
			b.ReportMetric(float64(size), "kept-B")
			if id := []string{"CVE-2005-2000"}; s.Scores()+len(s.Threat(id).Vector) == 0 {
				b.Fatal("nothing is known")
			}
		})
	}
}

// still is a store that never changes.
type still struct{ states, bodies map[string][]byte }

func (s still) Feeds(context.Context) (map[string][]byte, error) { return s.states, nil }

func (s still) FeedBody(_ context.Context, name string) ([]byte, error) { return s.bodies[name], nil }

func (s still) PutFeed(context.Context, string, []byte, []byte) error { return nil }

// named is a feed that is only a name.
type named string

func (n named) Source() Source { return Source{Name: string(n)} }

func (n named) Read(context.Context, File, func(Fact) error) (Edition, error) { return Edition{}, nil }

// BenchmarkSnapshot asks for the snapshot as every observation of an import
// does, on all cores at once.
func BenchmarkSnapshot(b *testing.B) {
	body := encoded(b, Fact{ID: "CVE-2025-0001", Threat: exposure.Threat{KEVDay: 1}})
	state, err := json.Marshal(State{Parts: []Part{{Length: len(body), Edition: Edition{Facts: 1}}}})
	if err != nil {
		b.Fatal(err)
	}
	k := &Keeper{Registered: []Feed{named("kev")}, Store: still{map[string][]byte{"kev": state}, map[string][]byte{"kev": body}}, Now: time.Now}
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if s, err := k.Snapshot(context.Background()); err != nil || s == nil {
				b.Fatal(err)
			}
		}
	})
}

func BenchmarkAsk(b *testing.B) {
	all := newBuilder()
	for _, c := range world(b, true) {
		if err := decode(c, all); err != nil {
			b.Fatal(err)
		}
	}
	s := all.snapshot()
	var ids []string
	for i := range 1024 {
		ids = append(ids, fmt.Sprintf("GHSA-%04d-%04d-%04d", i*6/100, i*6%100, i*6%97))
	}
	b.Run("canonical", func(b *testing.B) {
		for i := 0; b.Loop(); i++ {
			if to := s.Canonical(ids[i%1024]); to[:4] != "CVE-" {
				b.Fatal(to)
			}
		}
	})
	b.Run("unknown", func(b *testing.B) {
		for b.Loop() {
			s.Canonical("GHSA-none-none-none")
		}
	})
	b.Run("threat", func(b *testing.B) {
		one := make([]string, 1)
		for i := 0; b.Loop(); i++ {
			one[0] = ids[i%1024]
			if t := s.Threat(one); !t.Scored() {
				b.Fatal(one)
			}
		}
	})
}
