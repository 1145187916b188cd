package cli

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/RoaringBitmap/roaring/v2"

	"github.com/leeward-ctem/leeward/exposure"
	"github.com/leeward-ctem/leeward/store"
)

// BenchmarkRematch measures from a new advisory to the findings among a million
// packages on 10,000 assets, and how many times the insertion of these findings
// alone that is.
func BenchmarkRematch(b *testing.B) {
	const assets, each, distinct, versions = 10_000, 100, 50_000, 50
	for _, engine := range []string{"sqlite", "postgres"} {
		b.Run(engine, func(b *testing.B) {
			database := ""
			if engine == "postgres" {
				if cluster == nil {
					b.Skip(noCluster)
				}
				database = cluster.Database(b)
			}
			h, ctx := openHouse(b, database), b.Context()
			err := h.db.Write(ctx, func(tx *store.Tx) error {
				var hosts []exposure.Asset
				var stocks []exposure.Inventory
				purls := make([]string, distinct)
				for i := range purls {
					purls[i] = fmt.Sprintf("pkg:npm/package%d@1.%d.0", i/versions, i%versions)
				}
				ids, err := tx.AddComponents(ctx, purls)
				if err != nil {
					return err
				}
				source, err := tx.AddSource(ctx, "syft", "inventory")
				if err != nil {
					return err
				}
				for i := range assets {
					ref := onHost(fmt.Sprintf("h%d.example", i))
					hosts = append(hosts, exposure.Asset{ID: exposure.AssetID(i + 1), Kind: ref.Kind, Key: ref.Key(), Name: ref.Name, Identifiers: ref.Identifiers, FirstSeen: 1e12})
					bits := roaring.New()
					for j := range each {
						bits.Add(uint32(ids[(i*each+j*499)%distinct]))
					}
					bits.RunOptimize()
					body, err := bits.ToBytes()
					if err != nil {
						return err
					}
					stocks = append(stocks, exposure.Inventory{Asset: exposure.AssetID(i + 1), Source: source, Scan: 1, At: 1e12, Complete: 1e12, Packages: body})
				}
				if err := tx.InsertAssets(ctx, hosts); err != nil {
					return err
				}
				if err := tx.Append(ctx, &exposure.Event{Kind: exposure.EventAsset, First: 1, Last: assets, Actor: "import"}); err != nil {
					return err
				}
				return tx.PutInventories(ctx, stocks)
			})
			if err != nil {
				b.Fatal(err)
			}
			var facts []string
			news := func(i int) {
				facts = append(facts, before(fmt.Sprintf("CVE-2025-%d", 1000+i), "npm", fmt.Sprint("package", i), "2.0.0", ""))
				h.now = h.now.Add(time.Minute)
				h.saying("lines", facts...)
				if _, err := h.feeds.Matcher(ctx, "npm"); err != nil { // reading a feed is measured elsewhere
					b.Fatal(err)
				}
			}
			i := 0
			for b.Loop() {
				b.StopTimer()
				news(i)
				i++
				b.StartTimer()
				if err := h.rematch(ctx); err != nil {
					b.Fatal(err)
				}
			}
			found := h.ix.View().Len()
			if found == 0 {
				b.Fatal("nothing was found")
			}
			per := b.Elapsed().Seconds() / float64(i)
			b.ReportMetric(float64(found)/float64(i), "findings/op")
			fs := make([]exposure.Finding, found/i)
			for n := range fs {
				fs[n] = exposure.Finding{Fingerprint: exposure.NewFingerprint("bare", fmt.Sprint(n), ""), Asset: 1, Advisory: 1, Location: 1, Source: 1, Scan: 1, FirstSeen: 1e12, Since: 1e12}
			}
			began := time.Now()
			if err := h.db.Write(ctx, func(tx *store.Tx) error { return tx.InsertFindings(context.WithoutCancel(ctx), fs) }); err != nil {
				b.Fatal(err)
			}
			b.ReportMetric(per/time.Since(began).Seconds(), "×insert")
		})
	}
}
