package intel_test

import (
	"archive/zip"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"runtime"
	"strings"
	"testing"

	"github.com/leeward-ctem/leeward/intel"
	"github.com/leeward-ctem/leeward/intel/match"
)

// npm is a keeper of 230,000 advisories, of which 220,000 are malicious
// packages.
func npm(b *testing.B) (k *intel.Keeper, names []string) {
	b.Helper()
	r := rand.New(rand.NewPCG(5, 6))
	var docs []string
	for i := range 220_000 {
		docs = append(docs, fmt.Sprintf(`{"id":"MAL-2025-%d","modified":"2025-09-01T00:00:00Z","affected":[{"package":{"ecosystem":"npm","name":"evil-package-%d"},"ranges":[{"type":"SEMVER","events":[{"introduced":"0"}]}],"versions":["1.0.0"]}]}`, i, i*7))
	}
	for i := range 10_000 {
		name := fmt.Sprintf("package-%d", i%6000)
		names = append(names, name)
		docs = append(docs, fmt.Sprintf(`{"id":"GHSA-%04d-%04d-0000","modified":"2025-09-01T00:00:00Z","aliases":["CVE-2025-%d"],"affected":[{"package":{"ecosystem":"npm","name":%q},"ranges":[{"type":"SEMVER","events":[{"introduced":"0"},{"fixed":"1.%d.0"}]}]},{"package":{"ecosystem":"npm","name":%q},"ranges":[{"type":"SEMVER","events":[{"introduced":"2.0.0"},{"fixed":"2.%d.1"}]}]}]}`,
			i/100, i%100, 1000+i, name, r.IntN(20), name, r.IntN(20)))
	}
	k, _ = keeperOf(b, archived(b, "npm.zip", docs...))
	return k, names
}

// lookups is the limit of this machine: how long it takes to find each name in
// a map once.
func lookups(b *testing.B, names []string) {
	in := map[string]int{}
	for i, name := range names {
		in[name] = i
	}
	b.Run("map lookups", func(b *testing.B) {
		for b.Loop() {
			n := 0
			for _, name := range names {
				n += in[strings.ToLower(name)]
			}
			if n == 0 {
				b.Fatal(n)
			}
		}
	})
}

// BenchmarkMatch looks 10,000 packages up.
func BenchmarkMatch(b *testing.B) {
	b.Run("npm", func(b *testing.B) {
		k, names := npm(b)
		benchmarkMatch(b, k, "npm", names)
	})
	b.Run("Go", func(b *testing.B) {
		path := corpus(b, "osv/Go/all.zip")
		k, _ := keeperOf(b, path)
		benchmarkMatch(b, k, "Go", affectedNames(b, path))
	})
	b.Run("PyPI", func(b *testing.B) {
		_, path := pypa(b)
		k, _ := keeperOf(b, path)
		benchmarkMatch(b, k, "PyPI", affectedNames(b, path))
	})
}

func benchmarkMatch(b *testing.B, k *intel.Keeper, ecosystem string, affected []string) {
	names := make([]string, 10_000)
	for i := range names {
		if names[i] = affected[i%len(affected)]; i%4 == 3 {
			names[i] += "-unheard-of"
		}
	}
	b.Run("make", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			k.Release()
			matcher(b, k, ecosystem)
		}
		var before, after runtime.MemStats
		k.Release()
		runtime.GC()
		runtime.ReadMemStats(&before)
		m := matcher(b, k, ecosystem)
		runtime.GC()
		runtime.ReadMemStats(&after)
		b.ReportMetric(float64(after.HeapAlloc)-float64(before.HeapAlloc), "held-B")
		b.ReportMetric(float64(m.Records()), "records")
	})
	lookups(b, names)
	b.Run("match", func(b *testing.B) {
		m := matcher(b, k, ecosystem)
		b.ReportAllocs()
		hits := 0
		for b.Loop() {
			hits = 0
			for i, name := range names {
				hits += len(m.Match(name, fmt.Sprintf("1.%d.3", i%30)))
			}
		}
		if hits < 1000 {
			b.Fatal(hits)
		}
		b.ReportMetric(float64(hits), "hits")
	})
}

// affectedNames are the names of the packages that advisories are about, each
// once.
func affectedNames(b *testing.B, archive string) (names []string) {
	b.Helper()
	z, err := zip.OpenReader(archive)
	if err != nil {
		b.Fatal(err)
	}
	defer z.Close()
	seen := map[string]bool{}
	for _, f := range z.File {
		r, err := f.Open()
		if err != nil {
			b.Fatal(err)
		}
		var a published
		if err := json.NewDecoder(r).Decode(&a); err != nil {
			b.Fatal(err)
		}
		for _, p := range a.Affected {
			if key := match.Key(p.Package.Ecosystem, p.Package.Name); !seen[key] {
				seen[key] = true
				names = append(names, key)
			}
		}
	}
	r := rand.New(rand.NewPCG(7, 8))
	r.Shuffle(len(names), func(i, j int) { names[i], names[j] = names[j], names[i] })
	return names
}
