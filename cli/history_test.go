package cli

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/leeward-ctem/leeward/exposure"
	"github.com/leeward-ctem/leeward/index"
	"github.com/leeward-ctem/leeward/internal/testkit/live"
	"github.com/leeward-ctem/leeward/server"
)

// The score of a finding over half a year, moved by reports, feeds, a programme
// and verdicts, is told afterwards with what moved it.
func TestHistoryOfAScore(t *testing.T) {
	t.Parallel()
	t.Run("sqlite", func(t *testing.T) { t.Parallel(); historyOfAScore(t, "") })
	t.Run("postgres", func(t *testing.T) {
		t.Parallel()
		if cluster == nil {
			live.Missing(t, noCluster.Error())
		}
		historyOfAScore(t, cluster.Database(t))
	})
}

func historyOfAScore(t *testing.T, database string) {
	h, ctx := openHouse(t, database), t.Context()
	begin := h.now
	scores := map[int]int{} // what the page showed on each day
	on := func(day int) {
		h.now = begin.AddDate(0, 0, day)
		if err := h.rescore(ctx); err != nil {
			t.Fatal(err)
		}
	}
	look := func() server.FindingDetail {
		t.Helper()
		d, err := h.Finding(ctx, 1)
		if err != nil {
			t.Fatal(err)
		}
		scores[int(index.DayOf(h.now.UnixMilli()))] = d.Risk
		if last := d.History.Points[len(d.History.Points)-1]; last.Points != d.Risk || last.Band.String() != d.Band {
			t.Errorf("on %s the history ends with %+v, the score is %d", h.now.Format(time.DateOnly), last, d.Risk)
		}
		return d
	}
	edition := func(version, scores string) {
		t.Helper()
		file := filepath.Join(t.TempDir(), "epss.csv")
		text := fmt.Sprintf("#model_version:%s,score_date:%sT00:00:00+0000\ncve,epss,percentile\n%s\n", version, h.now.Format(time.DateOnly), scores)
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := h.UpdateFeeds(ctx, server.FeedsRequest{Names: []string{"epss"}, Locations: map[string][]string{"epss": {file}}}); err != nil {
			t.Fatal(err)
		}
	}
	apply := func(reach string) {
		t.Helper()
		body := fmt.Sprintf("name: house\nassets:\n  - match: {name: \"a.*\"}\n    reach: %s\n", reach)
		if _, err := h.Apply(ctx, server.ApplyRequest{Body: body}); err != nil {
			t.Fatal(err)
		}
	}
	h.report("one", runLine("alpha", 5), weak("alpha", "a.example", "CVE-2021-1001"))
	first := look().History
	if len(first.Points) != 1 || len(first.Changes) != 0 {
		t.Errorf("on the first day %+v", first)
	}
	on(10)
	edition("v2025.03.14", "CVE-2021-1001,0.02,0.5")
	look()
	on(20)
	edition("v2025.03.14", "CVE-2021-1001,0.0201,0.5") // no news
	look()
	on(30)
	edition("v2025.03.14", "CVE-2021-1001,0.7,0.99")
	look()
	on(40)
	apply("internet")
	look()
	on(50)
	if _, err := h.RecordVerdict(ctx, server.VerdictRequest{IDs: []string{"F-1"}, Kind: "not_exploitable", Evidence: "the module is not loaded", Days: 20, Actor: "ada"}); err != nil {
		t.Fatal(err)
	}
	look()
	on(71) // the verdict has run out
	if err := h.expireVerdicts(ctx); err != nil {
		t.Fatal(err)
	}
	look()
	on(100)
	apply("isolated")
	d := look()

	day0 := int(index.DayOf(begin.UnixMilli()))
	var got []string
	for _, c := range d.History.Changes {
		got = append(got, fmt.Sprintf("%d %s %t", c.Day-day0, c.Factor, c.To > c.From))
	}
	want := []string{"10 threat false", "30 threat true", "40 reach true", "50 validation false", "70 validation true", "100 reach false"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("what moved it (-want +got):\n%s\n%+v", diff, d.History.Changes)
	}
	// The score of each day is what was shown on it, though it was not kept.
	for day, shown := range scores {
		var then exposure.ScorePoint
		for _, p := range d.History.Points {
			if p.Day <= day {
				then = p
			}
		}
		if then.Points != shown {
			t.Errorf("the page of day %d showed %d, now it is said to have been %d", day-day0, shown, then.Points)
		}
	}
}
