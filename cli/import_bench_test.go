package cli

import (
	"bytes"
	"io"
	"testing"
	"time"

	"github.com/leeward-ctem/leeward/builtin"
	"github.com/leeward-ctem/leeward/discover"
	"github.com/leeward-ctem/leeward/index"
	"github.com/leeward-ctem/leeward/internal/testkit"
	"github.com/leeward-ctem/leeward/store"
)

// BenchmarkImport measures the whole way of new findings, and of known ones.
func BenchmarkImport(b *testing.B) {
	const n = 100_000
	reports := map[string]func(w io.Writer, e testkit.Estate) error{"nuclei": testkit.Nuclei, "trivy": testkit.Trivy}
	for name, write := range reports {
		var report bytes.Buffer
		if err := write(&report, testkit.Estate{Findings: n, Seed: 1}); err != nil {
			b.Fatal(err)
		}
		run := func(b *testing.B, im *discover.Importer) {
			if _, err := im.Import(b.Context(), discover.Request{Name: "r"}, bytes.NewReader(report.Bytes())); err != nil {
				b.Fatal(err)
			}
		}
		open := func(b *testing.B) (*discover.Importer, *store.DB) {
			db, err := store.Open(b.Context(), b.TempDir())
			if err != nil {
				b.Fatal(err)
			}
			ix := index.New(flatModel{}, noContexts{})
			return &discover.Importer{Readers: builtin.Reports(), Store: importStore{db}, Index: importIndex{ix, db}, Intel: noIntel{}, Redact: func(s string) string { return s }, Now: time.Now}, db
		}
		b.Run(name+"/new", func(b *testing.B) {
			for b.Loop() {
				im, db := open(b)
				run(b, im)
				db.Close()
			}
			b.ReportMetric(float64(b.N*n)/b.Elapsed().Seconds(), "findings/s")
		})
		b.Run(name+"/again", func(b *testing.B) {
			im, db := open(b)
			defer db.Close()
			run(b, im)
			for b.Loop() {
				run(b, im)
			}
			b.ReportMetric(float64(b.N*n)/b.Elapsed().Seconds(), "findings/s")
		})
	}
}
