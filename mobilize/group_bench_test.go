package mobilize

import (
	"fmt"
	"iter"
	"math/rand/v2"
	"testing"

	"github.com/leeward-ctem/leeward/exposure"
)

// estate makes n findings as a large organisation has them: most are packages
// on hosts, few packages are on most of them, and most places are shared. With
// lonely set, each finding has a place, package version and owner of its own.
func estate(n int, lonely bool) []Item {
	r := rand.New(rand.NewPCG(1, 2))
	advisories := make([]*exposure.Advisory, 4000)
	for i := range advisories {
		advisories[i] = &exposure.Advisory{Key: fmt.Sprintf("CVE-2024-%d", 10000+i), CVEs: []string{"x"}, Title: "a weakness"}
		if i%20 == 0 {
			advisories[i] = &exposure.Advisory{Key: fmt.Sprintf("tool:rule-%d", i), Type: exposure.Type(1 + i/20%9), Title: "a rule"}
		}
	}
	often := rand.NewZipf(r, 1.1, 10, 399)
	at := make([]*exposure.Place, 20_000)
	if lonely {
		at = make([]*exposure.Place, n)
	}
	for i := range at {
		p, minor := often.Uint64(), r.IntN(5)
		if lonely {
			minor = i
		}
		at[i] = &exposure.Place{Component: exposure.Component{
			Purl: fmt.Sprintf("pkg:deb/debian/lib%d@%d.%d.1-1?distro=debian-1%d", p, 1+p%4, minor, 1+i%2), Name: fmt.Sprintf("lib%d", p),
			Version: fmt.Sprintf("%d.%d.1-1", 1+p%4, minor), Fixed: fmt.Sprintf("%d.%d.%d-1", 1+int(p%4)+r.IntN(10)/9, 1+minor, r.IntN(10)),
		}, Location: exposure.Location{Resource: "aws_s3_bucket.x"}}
	}
	items := make([]Item, n)
	for i := range items {
		asset := r.IntN(20_000)
		items[i] = Item{
			Finding: exposure.FindingID(i + 1), Asset: exposure.AssetID(asset + 1), Advisory: advisories[r.IntN(len(advisories))], Place: at[r.IntN(len(at))],
			Risk: exposure.Risk(r.IntN(1 << 16)), Loss: r.ExpFloat64() * 1000, DueDay: 20000 + r.IntN(90), Owner: fmt.Sprintf("team %d", asset%60),
		}
		if lonely {
			items[i].Place, items[i].Owner = at[i], fmt.Sprintf("owner %d", i)
		}
	}
	return items
}

// each yields items.
func each(items []Item) iter.Seq[Item] {
	return func(yield func(Item) bool) {
		for _, it := range items {
			if !yield(it) {
				return
			}
		}
	}
}

// The aim is a million findings of an estate in a second and a half.
func BenchmarkGroup(b *testing.B) {
	for name, items := range map[string][]Item{"estate": estate(1_000_000, false), "lonely": estate(100_000, true)} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			made := 0
			for b.Loop() {
				made = len(Group(each(items)))
			}
			b.ReportMetric(float64(made), "remediations")
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*len(items)), "ns/finding")
		})
	}
}
