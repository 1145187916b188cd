package store_test

import (
	"fmt"
	"testing"

	"github.com/leeward-ctem/leeward/exposure"
	"github.com/leeward-ctem/leeward/store"
)

// BenchmarkPutThreats is an edition of EPSS in which every advisory moves enough
// to be kept.
func BenchmarkPutThreats(b *testing.B) {
	const n = 20_000
	for engine, open := range map[string]func() (*store.DB, error){
		"sqlite":   func() (*store.DB, error) { return store.Open(b.Context(), b.TempDir()) },
		"postgres": func() (*store.DB, error) { return store.OpenPostgres(b.Context(), emptyPostgres(b)) },
	} {
		b.Run(engine, func(b *testing.B) {
			db, err := open()
			if err != nil {
				b.Fatal(err)
			}
			defer db.Close()
			put := func(f func(tx *store.Tx) error) {
				if err := db.Write(b.Context(), f); err != nil {
					b.Fatal(err)
				}
			}
			all := make([]exposure.Advisory, n)
			for i := range all {
				all[i].Key = fmt.Sprintf("CVE-2020-%d", 10_000+i)
			}
			put(func(tx *store.Tx) error { _, err := tx.AddAdvisories(b.Context(), all); return err })
			changes := make([]store.ThreatChange, n)
			edition := 0
			for b.Loop() {
				edition++
				for i := range changes {
					c := &changes[i]
					c.Advisory, c.Was, c.Is = exposure.AdvisoryID(i+1), c.Is, exposure.Threat{EPSS: 0.01 * float64(1+edition%50), EPSSModel: "v1"}
				}
				put(func(tx *store.Tx) error { return putThreats(b.Context(), tx, int64(edition), changes...) })
			}
			b.ReportMetric(float64(b.Elapsed().Milliseconds())/float64(b.N), "ms/edition")
		})
	}
}
