package demo_test

import (
	"bytes"
	"cmp"
	"context"
	"slices"
	"testing"
	"time"

	"github.com/leeward-ctem/leeward/discover"
	"github.com/leeward-ctem/leeward/discover/report/observations"
	"github.com/leeward-ctem/leeward/exposure"
	"github.com/leeward-ctem/leeward/index"
	"github.com/leeward-ctem/leeward/internal/demo"
	"github.com/leeward-ctem/leeward/measure"
	"github.com/leeward-ctem/leeward/prioritize"
	"github.com/leeward-ctem/leeward/scope"
	"github.com/leeward-ctem/leeward/store"
)

// house is what the demo is loaded into: a real database, the index and the
// import, bound together as the command line does.
type house struct {
	db *store.DB
	ix *index.Index
	im *discover.Importer
}

type (
	importStore struct{ *store.DB }
	importIndex struct {
		*index.Index
		db *store.DB
	}
	facts map[string]exposure.Threat
)

func (s importStore) Write(ctx context.Context, f func(discover.Tx) error) error {
	return s.DB.Write(ctx, func(tx *store.Tx) error { return f(tx) })
}
func (ix importIndex) Follow(ctx context.Context, tx discover.Tx) error {
	return ix.CatchUp(ctx, tx.(*store.Tx))
}
func (ix importIndex) Publish(ctx context.Context, _ []exposure.Finding) error {
	return ix.CatchUp(ctx, ix.db)
}
func (ix importIndex) Finding(id exposure.FindingID) discover.Known {
	r, _ := ix.View().Row(id)
	return discover.Known{Source: r.Source, Status: r.Status, Severity: r.Severity, Detection: r.Detection, Shared: r.Shared, Day: r.FirstSeen}
}
func (ix importIndex) OnAssets(want func(exposure.AssetID) bool, f func(exposure.FindingID, exposure.AssetID)) {
	ix.View().OnAssets(want, f)
}
func (ix importIndex) Rule(id exposure.FindingID) string {
	r, _ := ix.View().Row(id)
	return ix.View().Advisory(r.Advisory).Key
}
func (k facts) Canonical(id string) string { return id }
func (k facts) Threat(ids []string, _ []int) exposure.Threat {
	for _, id := range ids {
		if t, ok := k[id]; ok {
			return t
		}
	}
	return exposure.Threat{}
}

func build(t *testing.T, now time.Time) *house {
	t.Helper()
	programme, err := scope.Parse("programme.yaml", demo.Programme())
	if err != nil {
		t.Fatal(err)
	}
	config := prioritize.Config{}
	if r := programme.Risk; r != nil { // which states no weights
		config = prioritize.Config{Targeted: r.Targeted, Actors: r.Actors, LossMin: r.LossMin, LossMax: r.LossMax, Loss: r.Loss, Bands: r.Bands, SLA: r.SLA, Policies: r.Policies}
	}
	model, err := prioritize.New(config, now, programme.Policies...)
	if err != nil {
		t.Fatal(err)
	}
	db, err := store.Open(t.Context(), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	h := &house{db: db, ix: index.New(model, programme)}
	h.im = &discover.Importer{
		Readers: []discover.Reader{observations.Reader{}}, Store: importStore{db}, Index: importIndex{h.ix, db},
		Intel: facts(demo.Facts(now)), Redact: func(s string) string { return s },
	}
	return h
}

// replay does everything that happened, in its order. look is called at the
// end of each day.
func (h *house) replay(t *testing.T, now time.Time, look func(day time.Time)) {
	t.Helper()
	type step struct {
		at time.Time
		do func()
	}
	var steps []step
	for _, r := range demo.Reports(now) {
		steps = append(steps, step{r.At, func() { h.take(t, r) }})
	}
	for _, s := range demo.Steps(now) {
		steps = append(steps, step{s.At, func() { h.move(t, s) }})
	}
	slices.SortStableFunc(steps, func(a, b step) int { return cmp.Compare(a.at.UnixNano(), b.at.UnixNano()) })
	for i, s := range steps {
		s.do()
		if day := s.at.Truncate(24 * time.Hour); i+1 == len(steps) || !steps[i+1].at.Truncate(24*time.Hour).Equal(day) {
			look(day)
		}
	}
}

func (h *house) take(t *testing.T, r demo.Report) {
	t.Helper()
	im := *h.im
	im.Now = func() time.Time { return r.At }
	results, err := im.Import(t.Context(), discover.Request{Name: r.Name, Format: "observations", Demo: true, At: r.At}, bytes.NewReader(r.Data))
	if err != nil || len(results) != 1 || results[0].Errors != 0 {
		t.Fatalf("%s: %v, %+v", r.Name, err, results)
	}
}

func (h *house) move(t *testing.T, s demo.Step) {
	t.Helper()
	f, err := exposure.ParseFilter(s.Filter)
	if err != nil {
		t.Fatalf("%s: %v", s.Filter, err)
	}
	var cause exposure.Cause
	if err := cause.UnmarshalText([]byte(s.Cause)); err != nil {
		t.Fatal(err)
	}
	var ids []exposure.FindingID
	if err := h.ix.View().All(f, index.DayOf(s.At.UnixMilli()), func(r index.Row) bool { ids = append(ids, r.ID); return true }); err != nil {
		t.Fatal(err)
	}
	moved := 0
	err = h.db.Write(t.Context(), func(tx *store.Tx) error {
		moved, err = tx.Move(t.Context(), ids, cause, s.Actor, s.Reason, s.At.UnixMilli())
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if moved == 0 {
		t.Errorf("%s: %s %q moves nothing of %d", s.At.Format(time.DateOnly), s.Cause, s.Filter, len(ids))
	}
	if err := h.ix.CatchUp(t.Context(), h.db); err != nil {
		t.Fatal(err)
	}
}

// The whole story, replayed through the import: every step moves something,
// and what is left is what the pages need to show.
func TestReplay(t *testing.T) {
	if testing.Short() {
		t.Skip("the replay takes seconds")
	}
	t.Parallel()
	now := today()
	h := build(t, now)
	var open []int // at the end of each day
	h.replay(t, now, func(day time.Time) {
		groups, err := h.ix.View().Group(exposure.Filter{}, index.DayOf(day.UnixMilli()), "band")
		if err != nil {
			t.Fatal(err)
		}
		open = append(open, 0)
		for _, g := range groups {
			open[len(open)-1] += g.Count
		}
	})
	// The backlog rises while the company learns what it has, and then falls.
	last := open[len(open)-1]
	if most := slices.Max(open); slices.Index(open, most) > 60 || last > most*9/10 || open[0] > most/2 {
		t.Errorf("open findings by day: %v", open)
	}
	if last < 400 || last > 900 {
		t.Errorf("%d findings are open at the end", last)
	}
	want := map[string][]string{
		"band":     {"none", "low", "medium", "high", "critical"},
		"severity": {"info", "low", "medium", "high", "critical"},
		"type":     {"vulnerability", "misconfiguration", "secret", "credential", "code", "web", "license", "service"},
		"kind":     {"host", "image", "repository", "web_app", "data_store", "workload", "cloud_resource"},
		"status":   {"open", "triaged", "fix_claimed", "verified", "not_affected", "suppressed"},
		"tool":     {"nessus", "nmap", "nuclei", "trivy", "grype", "osv-scanner", "semgrep", "gitleaks", "checkov", "zap", "prowler"},
		"team":     {"", "shop", "payments", "accounts", "delivery", "warehouse", "data", "workplace", "network", "platform"},
	}
	for by, values := range want {
		filter := ""
		if by == "status" {
			filter = "is:any"
		}
		got := h.count(t, filter, by, now)
		for _, v := range values {
			if got[v] == 0 {
				t.Errorf("no finding by %s is %q: %v", by, v, got)
			}
		}
	}
	bands := h.count(t, "", "band", now)
	if bands["critical"] < 5 || bands["critical"] > 30 || bands["high"] <= bands["critical"] || bands["medium"]+bands["low"] <= bands["high"] {
		t.Errorf("bands %v", bands)
	}
	for filter, least := range map[string]int{"kev:true": 30, "ransomware:true": 10, "is:overdue": 30, "due>=0 due<14d": 5, "is:new": 5, "team:none": 5, "scope:cardholder-data": 10} {
		n := 0
		for _, count := range h.count(t, filter, "band", now) {
			n += count
		}
		if n < least {
			t.Errorf("%d findings are %s, want %d", n, filter, least)
		}
	}
	h.history(t, now)
}

func (h *house) count(t *testing.T, filter, by string, now time.Time) map[string]int {
	t.Helper()
	f, err := exposure.ParseFilter(filter)
	if err != nil {
		t.Fatal(err)
	}
	groups, err := h.ix.View().Group(f, index.DayOf(now.UnixMilli()), by)
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]int{}
	for _, g := range groups {
		all[g.Keys[0]] += g.Count
	}
	return all
}

// history checks what measures are made of.
func (h *house) history(t *testing.T, now time.Time) {
	t.Helper()
	moved := map[exposure.Cause]int{}
	back := 0
	err := h.db.Events(t.Context(), 0, func(e *exposure.Event) error {
		if e.Kind == exposure.EventMoved {
			moved[e.Cause] += len(e.IDs)
			if e.From == exposure.StatusVerified {
				back += len(e.IDs)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for cause, least := range map[exposure.Cause]int{
		exposure.CauseTriage: 50, exposure.CauseClaim: 50, exposure.CauseAbsent: 300,
		exposure.CauseRetestFailed: 5, exposure.CauseNotAffected: 1, exposure.CauseSuppressed: 1,
	} {
		if moved[cause] < least {
			t.Errorf("%d moves by %s, want %d", moved[cause], cause, least)
		}
	}
	if back < 5 {
		t.Errorf("%d findings came back after they were verified", back)
	}
	var spans []measure.History
	var ids []exposure.FindingID
	err = h.db.Findings(t.Context(), 1, exposure.FindingID(h.ix.View().Len()), func(f *exposure.Finding) error {
		x := measure.History{First: int(index.DayOf(f.FirstSeen))}
		if !f.Status.Open() {
			x.Ended, x.End = int(index.DayOf(f.Since)), f.Status
		}
		spans, ids = append(spans, x), append(ids, f.ID)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	curve := measure.KaplanMeier(measure.Spans(slices.Values(spans), int(index.DayOf(now.UnixMilli()))))
	if days, ok := curve.HalfLife(); !ok || days < 14 {
		t.Errorf("half of the findings are repaired after %v days, measurable: %t", days, ok)
	}
	agreed := 0 // findings that several tools reported
	err = h.db.Write(t.Context(), func(tx *store.Tx) error {
		states, err := tx.SourceStates(t.Context(), ids)
		tools := map[exposure.FindingID]int{}
		for _, s := range states {
			if tools[s.Finding]++; tools[s.Finding] == 2 {
				agreed++
			}
		}
		return err
	})
	if err != nil || agreed < 100 {
		t.Errorf("several tools agree on %d findings: %v", agreed, err)
	}
}
