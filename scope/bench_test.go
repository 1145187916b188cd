package scope

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/leeward-ctem/leeward/exposure"
)

// large is a programme of 10,000 rules of the sorts that organisations write.
func large() string {
	var b strings.Builder
	b.WriteString("services:\n")
	for i := range 200 {
		fmt.Fprintf(&b, "- {name: service-%d, tier: %d, owner: team-%d, criticality: {availability: %d}}\n", i, i%4+1, i%40, i%5+1)
	}
	b.WriteString("assets:\n")
	for i := range 7500 {
		switch i % 5 {
		case 0, 1:
			fmt.Fprintf(&b, "- {match: {name: app%d-*}, services: service-%d}\n", i, i%200)
		case 2:
			fmt.Fprintf(&b, "- {match: {name: host-%d}, owner: team-%d, tags: [t%d]}\n", i, i%40, i/5%300)
		case 3:
			fmt.Fprintf(&b, "- {match: {cidr: 10.%d.%d.0/24}, reach: internal, tags: [t%d]}\n", i/250, i%250, i/5%300)
		case 4:
			fmt.Fprintf(&b, "- {match: {name: '*.zone%d.example.com'}, reach: internet}\n", i)
		}
	}
	for i := range 2500 {
		if i%2 == 0 {
			fmt.Fprintf(&b, "- {match: {service: service-%d, kind: host}, tier: %d}\n", i%10/2*5, i%4+1)
		} else {
			fmt.Fprintf(&b, "- {match: {tag: t%d, not: {kind: image}}, owner: team-%d}\n", i%300, i%40)
		}
	}
	b.WriteString("exclusions:\n")
	for i := range 500 {
		fmt.Fprintf(&b, "- match: {cidr: 10.200.%d.%d}\n", i/250, i%250)
	}
	b.WriteString("scopes:\n- {name: all, in: {name: '*'}}\n- {name: edge, in: {reach: internet}}\n")
	return b.String()
}

func fleet(n int) []*exposure.Asset {
	assets := make([]*exposure.Asset, n)
	for i := range assets {
		name := [...]string{"app%d-1", "host-%d", "www.zone%d.example.com", "other-%d"}[i%4]
		name = fmt.Sprintf(name, i%10_000)
		assets[i] = &exposure.Asset{Kind: exposure.AssetKind(i%3 + 1), Name: name, OS: "Debian 12", Identifiers: []exposure.Identifier{
			{Kind: exposure.IDHostname, Value: name}, {Kind: exposure.IDIP, Value: fmt.Sprintf("10.%d.%d.%d", i%40, i/7%250, i%250)}}}
	}
	return assets
}

// 10,000 rules for each of 100,000 assets.
func BenchmarkContext(b *testing.B) {
	p := parse(b, large())
	assets := fleet(100_000)
	b.ReportAllocs()
	i := 0
	for b.Loop() {
		p.Context(assets[i%len(assets)])
		i++
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)*100_000/1e9, "s/100k-assets")
}

// 10,000 rules whose patterns have literals in the middle only.
func BenchmarkContextInner(b *testing.B) { benchmarkRules(b, "name: '*x%d*'") }

// 10,000 rules that no index helps with: each is looked at for each asset.
func BenchmarkContextWorst(b *testing.B) { benchmarkRules(b, "not: {os: '?%d'}") }

func benchmarkRules(b *testing.B, match string) {
	var text strings.Builder
	text.WriteString("assets:\n")
	for i := range 10_000 {
		fmt.Fprintf(&text, "- {match: {"+match+"}, tier: %d}\n", i, i%4+1)
	}
	p := parse(b, text.String())
	assets := fleet(1000)
	i := 0
	for b.Loop() {
		p.Context(assets[i%len(assets)])
		i++
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)*100_000/1e9, "s/100k-assets")
}

func BenchmarkParse(b *testing.B) {
	body := []byte(large())
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Parse("p.yaml", body); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkCompare(b *testing.B) {
	old, next := parse(b, large()), parse(b, large()+"- {name: last, in: {tier: 1}}\n")
	assets := fleet(100_000)
	for b.Loop() {
		Compare(old, next, slices.Values(assets))
	}
}
