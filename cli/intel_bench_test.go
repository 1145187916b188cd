package cli

import (
	"bufio"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/leeward-ctem/leeward/index"
	"github.com/leeward-ctem/leeward/prioritize"
	"github.com/leeward-ctem/leeward/scope"
	"github.com/leeward-ctem/leeward/server"
)

// BenchmarkEPSSDay measures the way of a new EPSS edition into the ranking: a
// file of 300,000 scores read, kept, and brought to the 20,000 advisories of
// which it speaks, with their history; and beside it 10 million findings of as
// many advisories scored anew. Both together are what a day of EPSS takes.
func BenchmarkEPSSDay(b *testing.B) {
	b.Run("applied", func(b *testing.B) {
		h, ctx := openHouse(b, ""), b.Context()
		lines := []string{runLine("alpha", 5)}
		for n := range 20_000 {
			lines = append(lines, weak("alpha", fmt.Sprintf("host%d.example", n%2000), epssCVE(n*15)))
		}
		h.report("one", lines...)
		day := 0
		for b.Loop() {
			b.StopTimer()
			day++
			h.now = h.now.AddDate(0, 0, 1)
			file := epssEdition(b, h.now, day)
			b.StartTimer()
			states, err := h.UpdateFeeds(ctx, server.FeedsRequest{Names: []string{"epss"}, Locations: map[string][]string{"epss": {file}}})
			if err != nil || states[0].Error != "" || states[0].Records != 300_000 {
				b.Fatal(states, err)
			}
		}
	})
	b.Run("10M rescored", func(b *testing.B) {
		model, err := prioritize.New(prioritize.Config{}, time.Now())
		if err != nil {
			b.Fatal(err)
		}
		src := estate{n: 10_000_000, assets: 200_000, advisories: 20_000, model: "v4"}
		ix := index.New(model, &scope.Programme{})
		if err := ix.CatchUp(b.Context(), src); err != nil {
			b.Fatal(err)
		}
		for b.Loop() {
			src.day++
			if err := ix.CatchUp(b.Context(), src); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func epssCVE(n int) string { return fmt.Sprintf("CVE-%d-%d", 2002+n/13_000, 1000+n%13_000) }

// epssEdition writes the scores of a day, a tenth of which moved.
func epssEdition(b *testing.B, at time.Time, day int) string {
	path := filepath.Join(b.TempDir(), "epss.csv")
	f, err := os.Create(path)
	if err != nil {
		b.Fatal(err)
	}
	defer f.Close()
	w := bufio.NewWriter(f)
	fmt.Fprintf(w, "#model_version:v2026.06.15,score_date:%sT00:00:00+0000\ncve,epss,percentile\n", at.Format(time.DateOnly))
	still, moves := rand.New(rand.NewPCG(1, 1)), rand.New(rand.NewPCG(uint64(day), 1))
	for n := range 300_000 {
		p := still.Float64() * still.Float64()
		if moves.IntN(10) == 0 {
			p *= moves.Float64()
		}
		fmt.Fprintf(w, "%s,%.5f,%.5f\n", epssCVE(n), p, p)
	}
	if err := w.Flush(); err != nil {
		b.Fatal(err)
	}
	return path
}
