package cli

import (
	"bytes"
	"testing"
	"time"

	"github.com/leeward-ctem/leeward/builtin"
	"github.com/leeward-ctem/leeward/discover"
	"github.com/leeward-ctem/leeward/index"
	"github.com/leeward-ctem/leeward/internal/testkit"
	"github.com/leeward-ctem/leeward/store"
)

func BenchmarkImport(b *testing.B) {
	var report bytes.Buffer
	if err := testkit.Trivy(&report, testkit.Estate{Findings: 50_000, Seed: 1}); err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		db, err := store.Open(b.Context(), b.TempDir())
		if err != nil {
			b.Fatal(err)
		}
		ix := index.New(flatModel{}, noContexts{})
		im := &discover.Importer{Readers: builtin.Reports(), Store: importStore{db}, Index: importIndex{ix, db}, Intel: noIntel{}, Redact: func(s string) string { return s }, Now: time.Now}
		if _, err := im.Import(b.Context(), discover.Request{Name: "r"}, bytes.NewReader(report.Bytes())); err != nil {
			b.Fatal(err)
		}
		db.Close()
	}
	b.ReportMetric(float64(b.N*50_000)/b.Elapsed().Seconds(), "findings/s")
}
