package cli

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/leeward-ctem/leeward/internal/testkit/live"
	"github.com/leeward-ctem/leeward/server"
)

// Of daily editions one a week is kept, and the first of another model; an
// advisory that comes later has the past of its CVE all the same.
func TestPastScores(t *testing.T) {
	t.Parallel()
	t.Run("sqlite", func(t *testing.T) { t.Parallel(); pastScores(t, "") })
	t.Run("postgres", func(t *testing.T) {
		t.Parallel()
		if cluster == nil {
			live.Missing(t, noCluster.Error())
		}
		pastScores(t, cluster.Database(t))
	})
}

func pastScores(t *testing.T, database string) {
	h, ctx := openHouse(t, database), t.Context()
	begin := h.now
	edition := func(day int, model string, score float64) {
		t.Helper()
		h.now = begin.AddDate(0, 0, day)
		file := filepath.Join(t.TempDir(), "epss.csv")
		text := fmt.Sprintf("#model_version:%s,score_date:%sT00:00:00+0000\ncve,epss,percentile\nCVE-2021-1001,%.5f,0.9\nCVE-2020-1001,0.1,0.5\n", model, h.now.Format(time.DateOnly), score)
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		states, err := h.UpdateFeeds(ctx, server.FeedsRequest{Names: []string{"epss"}, Locations: map[string][]string{"epss": {file}}})
		if err != nil || states[0].Error != "" {
			t.Fatal(states, err)
		}
	}
	for day := range 16 {
		edition(day, "v2025.03.14", 0.1+float64(day)/100)
	}
	edition(16, "v2026.06.15", 0.5)
	edition(17, "v2026.06.15", 0.6)
	h.report("one", runLine("alpha", 5), weak("alpha", "a.example", "CVE-2021-1001"), weak("alpha", "a.example", "CVE-2021-9999"))
	d, err := h.Advisory(ctx, "CVE-2021-1001", "")
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, p := range d.EPSS {
		got = append(got, fmt.Sprintf("%s %.1f %.1f %s", p.Date, p.EPSS, p.Percentile, p.Model))
	}
	on := func(day int) string { return begin.AddDate(0, 0, day).Format(time.DateOnly) }
	want := []string{on(0) + " 0.1 0.9 v2025.03.14", on(7) + " 0.2 0.9 v2025.03.14", on(14) + " 0.2 0.9 v2025.03.14", on(16) + " 0.5 0.9 v2026.06.15"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if d, err := h.Advisory(ctx, "CVE-2021-9999", ""); err != nil || len(d.EPSS) != 0 {
		t.Errorf("one without a score has the past %v, %v", d.EPSS, err)
	}
}
