package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/leeward-ctem/leeward/discover"
	"github.com/leeward-ctem/leeward/exposure"
	"github.com/leeward-ctem/leeward/index"
	"github.com/leeward-ctem/leeward/measure"
	"github.com/leeward-ctem/leeward/server"
)

// houseOver is the whole house over the database of a world, with its clock.
func houseOver(w *world) *app {
	w.t.Helper()
	a := &app{db: w.db, now: func() time.Time { return w.now }, env: func(string) string { return "" }, log: slog.New(slog.DiscardHandler)}
	if err := a.start(w.t.Context()); err != nil {
		w.t.Fatal(err)
	}
	return a
}

// Three findings of which two are fixed after 30 days, by hand.
func TestMeasuresOfAFewFindings(t *testing.T) {
	t.Parallel()
	onBoth(t, func(w *world) {
		t, ctx := w.t, w.t.Context()
		a := houseOver(w)
		begin := w.now
		report := func(day int, lines ...string) {
			t.Helper()
			w.now = begin.AddDate(0, 0, day)
			lines = append([]string{fmt.Sprintf(`{"kind":"run","run":{"tool":"scan","finished":%q}}`, w.now.Format(time.RFC3339))}, lines...)
			for _, host := range []string{"a", "b"} {
				lines = append(lines, fmt.Sprintf(`{"kind":"coverage","tool":"scan","class":"vuln","asset":{"kind":"host","name":%q,"identifiers":[{"kind":"hostname","value":%q}]},"coverage":{"class":"vuln"}}`, host, host))
			}
			if _, err := a.Import(ctx, discover.Request{Name: "r", Format: "observations", At: w.now}, strings.NewReader(strings.Join(lines, "\n"))); err != nil {
				t.Fatal(err)
			}
		}
		report(0, seen("a", "CVE-2026-1"), seen("a", "CVE-2026-2"), seen("b", "CVE-2026-1"))
		report(30, seen("a", "CVE-2026-2"))
		report(35, seen("a", "CVE-2026-2"), seen("b", "CVE-2026-3"))
		report(40, seen("a", "CVE-2026-2"), seen("b", "CVE-2026-3"), seen("b", "CVE-2026-1")) // it came back
		w.now = begin.AddDate(0, 0, 44)

		m, err := a.Measures(ctx, "")
		if err != nil {
			t.Fatal(err)
		}
		thirty := 30.0
		// Of four, one was fixed at 30 days, when three were watched: the one
		// that came back is open since it was first seen.
		if m.Repair.HalfLife != nil || m.Repair.Mean == nil || *m.Repair.Mean != thirty || m.Repair.After90 != nil || m.Repair.Limited != nil {
			t.Errorf("repair %+v", m.Repair)
		}
		if s := m.Repair.After30; s == nil || math.Abs(s.Value-2.0/3) > 1e-12 || !(s.Low < s.Value && s.Value < s.High) {
			t.Errorf("after 30 days %+v", s)
		}
		if m.Regressed == nil || *m.Regressed != 0.5 {
			t.Errorf("regression rate %v, want 0.5", m.Regressed)
		}
		week := m.Periods[1]
		if week.Days != 7 || week.New.Count != 0 || week.Back.Count != 1 || week.Closed.Count != 0 || week.Opened != 1 {
			t.Errorf("the last week: %+v", week)
		}
		month := m.Periods[2]
		if month.New.Count != 1 || month.Closed.Count != 1 || month.Left != 2 || month.Verified != 2 || month.Before != nil {
			t.Errorf("the last month: %+v", month)
		}
		// 43 days after the first import are six weeks: no change, no change, no
		// change, two closed and one new after that, one back.
		if m.Pace.Needs != 0 || m.Pace.Weeks != 6 || m.Pace.Open != 3 {
			t.Errorf("pace %+v", m.Pace)
		}
		want := server.Looks{Days: 30, Assets: 2, Seen: 2, Cells: []server.LookCell{{Kind: "host", Team: "none", Assets: 2, Seen: 2}}}
		if diff := cmp.Diff(want, m.Looks); diff != "" {
			t.Errorf("looks (-want +got):\n%s", diff)
		}

		narrowedByHand(t, a)

		w.now = begin.AddDate(0, 0, 71)
		for q, want := range map[server.UnseenQuery]int{{}: 2, {Kind: "host"}: 2, {Team: "none"}: 2, {Kind: "image"}: 0, {Team: "shop"}: 0, {Filter: "asset:a"}: 1, {Filter: "team:shop"}: 0} {
			if page, err := a.Unseen(ctx, q); err != nil || page.Total != want {
				t.Errorf("%+v: %d unseen, %v, want %d", q, page.Total, err, want)
			}
		}
		if m, err = a.Measures(ctx, ""); err != nil || m.Looks.Seen != 0 { // the day ended what was kept
			t.Errorf("looks a month later %+v, %v", m.Looks, err)
		}
		if _, err := a.Report(ctx, "", 31); exposure.KindOf(err) != exposure.Invalid {
			t.Errorf("a report over 31 days: %v", err)
		}
	})
}

// narrowedByHand checks the measures of one of two hosts, and that they follow
// an asset that changes hands.
func narrowedByHand(t *testing.T, a *app) {
	t.Helper()
	ctx := t.Context()
	of := func(filter string) server.Measures {
		t.Helper()
		m, err := a.Measures(ctx, filter)
		if err != nil || m.Filter != filter {
			t.Fatalf("%q: %q, %v", filter, m.Filter, err)
		}
		return m
	}
	// Of a, one of two was fixed after 30 days. What b had came back, and one more is new.
	m := of("asset:a")
	if m.Repair.Curve.Total != 2 || m.Repair.Curve.Fixed != 1 || m.Regressed == nil || *m.Regressed != 0 || m.Pace.Open != 1 || m.Looks.Assets != 1 {
		t.Errorf("a: %d of %d fixed, %v came back, %d open", m.Repair.Curve.Fixed, m.Repair.Curve.Total, m.Regressed, m.Pace.Open)
	}
	if p := m.Periods[2]; p.New.Count != 0 || p.Closed.Count != 1 || p.Verified != 1 || p.Back.Count != 0 || p.Before != nil {
		t.Errorf("the last month of a: %+v", p)
	}
	m = of("asset:b")
	if m.Repair.Curve.Total != 2 || m.Repair.Curve.Fixed != 0 || m.Regressed == nil || *m.Regressed != 1 || m.Pace.Open != 2 || m.Looks.Assets != 1 {
		t.Errorf("b: %d of %d fixed, %v came back, %d open", m.Repair.Curve.Fixed, m.Repair.Curve.Total, m.Regressed, m.Pace.Open)
	}
	if p := m.Periods[2]; p.New.Count != 1 || p.New.Filter != "id>=4 asset:b" || p.Closed.Count != 0 || p.Verified != 1 || p.Back.Count != 1 {
		t.Errorf("the last month of b: %+v", p)
	}
	if _, err := a.Measures(ctx, "sev:high"); exposure.KindOf(err) != exposure.Invalid {
		t.Errorf("measures by a condition on findings: %v", err)
	}
	// Membership is today's: with the asset its whole past changes hands.
	if m := of("team:shop"); m.Repair.Curve.Total != 0 || m.Regressed != nil {
		t.Errorf("nobody's assets have %+v", m.Repair)
	}
	for _, c := range []struct {
		owner string
		want  int
	}{{"shop", 2}, {"", 0}} {
		if _, err := a.Assign(ctx, server.AssignRequest{Assets: []exposure.AssetID{1}, Owner: c.owner, Actor: "ada"}); err != nil {
			t.Fatal(err)
		}
		f, err := exposure.ParseFilter("team:shop")
		if err != nil {
			t.Fatal(err)
		}
		a.measured.of(f).took = 0 // however slow the machine is: see TestLasting
		if m := of("team:shop"); m.Repair.Curve.Total != c.want {
			t.Errorf("given to %q, the team has %d findings, want %d", c.owner, m.Repair.Curve.Total, c.want)
		}
	}
}

// What is kept for the filters that were asked for last is bounded, and never
// another's.
func TestNarrowing(t *testing.T) {
	t.Parallel()
	var n narrowing[string]
	filter := func(text string) exposure.Filter {
		f, err := exposure.ParseFilter(text)
		if err != nil {
			t.Fatal(err)
		}
		return f
	}
	*n.of(exposure.Filter{}) = "everything"
	for i := range 3 * maxNarrowed {
		*n.of(filter(fmt.Sprint("team:t", i))) = fmt.Sprint(i)
		if *n.of(filter("team:t0")) == "" {
			t.Fatalf("what is asked for all the time is let go after %d others", i)
		}
	}
	if len(n.parts) != maxNarrowed || *n.of(filter("TEAM:T23")) != "23" || *n.of(filter("team:t3")) != "" || *n.of(exposure.Filter{}) != "everything" {
		t.Errorf("%d filters are kept: %v", len(n.parts), n.parts)
	}
	if *n.forget() != "everything" || *n.of(filter("team:t23")) != "" {
		t.Error("what was to be forgotten is kept")
	}
}

// Before anything was imported nothing is measurable, and nothing fails.
func TestMeasuresOfNothing(t *testing.T) {
	t.Parallel()
	onBoth(t, func(w *world) {
		a := houseOver(w)
		m, err := a.Measures(w.t.Context(), "")
		if err != nil || m.Repair.HalfLife != nil || m.Repair.Mean != nil || m.Regressed != nil || m.Pace.Net != nil || m.Repair.After30 != nil {
			w.t.Errorf("%+v, %v", m, err)
		}
		if !strings.Contains(m.Forecast, "not measurable yet: it needs 4 whole weeks") {
			w.t.Errorf("forecast %q", m.Forecast)
		}
		r, err := a.Report(w.t.Context(), "", 30)
		if err != nil || r.Period.Before != nil || r.HalfLife != nil || len(r.Fixes) != 0 {
			w.t.Errorf("%+v, %v", r, err)
		}
	})
}

// Every number of the demo's measures is what the list behind it holds.
func TestMeasuresAgreeWithTheirLists(t *testing.T) {
	t.Parallel()
	onBoth(t, func(w *world) {
		t, ctx := w.t, w.t.Context()
		a := houseOver(w)
		if err := a.LoadDemo(ctx); err != nil {
			t.Fatal(err)
		}
		if err := a.follow(ctx); err != nil {
			t.Fatal(err)
		}
		m, err := a.Measures(ctx, "")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := json.Marshal(m); err != nil { // no number is NaN or infinite
			t.Error(err)
		}
		total := func(filter string) int {
			t.Helper()
			page, err := a.Findings(ctx, server.FindingQuery{Filter: filter, Limit: 1})
			if err != nil {
				t.Errorf("%s: %v", filter, err)
			}
			return page.Total
		}
		for _, p := range m.Periods {
			for name, c := range map[string]server.Change{"new": p.New, "closed": p.Closed, "exploited": p.Exploited, "overdue": p.Overdue, "back": p.Back} {
				if c.Filter == "" && c.Count == 0 || c.Filter == "" && c.Count > 400 {
					continue
				}
				if n := total(c.Filter); n != c.Count {
					t.Errorf("%s within %d days: %d, and its list %q has %d", name, p.Days, c.Count, c.Filter, n)
				}
			}
			if p.Days > 1 && (p.Before == nil || p.Before.Open+p.Opened-p.Left != m.Now.Open) {
				t.Errorf("%d days: open before %+v + %d opened − %d closed is not the %d of now", p.Days, p.Before, p.Opened, p.Left, m.Now.Open)
			}
		}
		if n := total(""); m.Now.Open != n || m.Days[len(m.Days)-1].Open != n || m.Pace.Open != n {
			t.Errorf("%d, %d and %d open, and the list has %d", m.Now.Open, m.Days[len(m.Days)-1].Open, m.Pace.Open, n)
		}
		sum := func(by map[string]measure.Compliance) (overdue int) {
			for _, c := range by {
				overdue += c.Overdue
			}
			return overdue
		}
		if n := total("is:overdue"); m.Now.Late != n || sum(m.SLA) != n || sum(m.TeamSLA) != n {
			t.Errorf("%d overdue, by band %d, by team %d, and the list has %d", m.Now.Late, sum(m.SLA), sum(m.TeamSLA), n)
		}
		bands, teams := 0, 0
		for _, r := range m.ByBand {
			bands += r.Curve.Total
		}
		for _, r := range m.ByTeam {
			teams += r.Curve.Total
		}
		if bands > m.Repair.Curve.Total || teams != m.Repair.Curve.Total { // no risk at all is in no band
			t.Errorf("curves of %d findings by band, %d by team, %d in all", bands, teams, m.Repair.Curve.Total)
		}
		seen, assets := 0, 0
		for _, c := range m.Looks.Cells {
			seen, assets = seen+c.Seen, assets+c.Assets
			if page, err := a.Unseen(ctx, server.UnseenQuery{Kind: c.Kind, Team: c.Team, Limit: 1000}); err != nil || page.Total != c.Assets-c.Seen || len(page.Rows) != page.Total {
				t.Errorf("%+v: %d in the list, %v", c, page.Total, err)
			}
		}
		if seen != m.Looks.Seen || assets != m.Looks.Assets || assets == 0 {
			t.Errorf("cells of %d assets, %d seen, in all %d and %d", assets, seen, m.Looks.Assets, m.Looks.Seen)
		}
		sum2, err := a.Summary(ctx)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(m.Now, sum2.Figures, cmpopts.EquateApprox(1e-12, 0)); diff != "" {
			t.Errorf("figures of the measures and of the summary differ:\n%s", diff)
		}
		agreeReport(ctx, t, a, &m)
	})
}

// agreeReport checks what a report takes from elsewhere.
func agreeReport(ctx context.Context, t *testing.T, a *app, m *server.Measures) {
	t.Helper()
	r, err := a.Report(ctx, "", 90)
	if err != nil {
		t.Fatal(err)
	}
	all, err := a.Remediations(ctx, "")
	if err != nil {
		t.Fatal(err)
	}
	sorted := slices.Clone(all)
	slices.SortStableFunc(sorted, func(x, y exposure.Remediation) int {
		switch {
		case x.Loss > y.Loss:
			return -1
		case x.Loss < y.Loss:
			return 1
		}
		return 0
	})
	if diff := cmp.Diff(sorted[:reportFixes], r.Fixes); diff != "" {
		t.Errorf("the fixes that remove most (-want +got):\n%s", diff)
	}
	if r.Name == "" || r.Currency != "EUR" || len(r.History) < 80 || r.FixesLoss <= 0 || r.FixesLoss > m.Now.Loss {
		t.Errorf("%q, %q, %d days, fixes of %v", r.Name, r.Currency, len(r.History), r.FixesLoss)
	}
	for i, s := range r.Services {
		if i > 0 && s.Tier == 1 && r.Services[i-1].Tier != 1 {
			t.Errorf("the crown jewel %s comes after %s", s.Name, r.Services[i-1].Name)
		}
		if n, err := a.Findings(ctx, server.FindingQuery{Filter: "service:" + s.Name, Limit: 1}); err != nil || n.Total != s.Open {
			t.Errorf("%s has %d open, its list %d (%v)", s.Name, s.Open, n.Total, err)
		}
	}
	late := 0
	for _, o := range r.Asks.Overdue {
		late += o.Overdue
	}
	if late != m.Now.Late {
		t.Errorf("teams are asked for %d overdue findings, there are %d", late, m.Now.Late)
	}
}

// The fixes that remove most, without sorting all of them.
func TestMostLoss(t *testing.T) {
	t.Parallel()
	fix := func(key string, loss float64) exposure.Remediation { return exposure.Remediation{Key: key, Loss: loss} }
	all := []exposure.Remediation{fix("a", 1), fix("b", 3), fix("c", 3), fix("d", 9), fix("e", 2), fix("f", 3)}
	var got []string
	for _, r := range mostLoss(all, 3) {
		got = append(got, r.Key)
	}
	if diff := cmp.Diff([]string{"d", "b", "c"}, got); diff != "" {
		t.Error(diff)
	}
	if got := mostLoss(all[:2], 3); len(got) != 2 {
		t.Errorf("%v", got)
	}
}

// What is kept is made again when the day ends, and not before the index moves.
func TestLasting(t *testing.T) {
	t.Parallel()
	onBoth(t, func(w *world) {
		a := houseOver(w)
		two := seen("a", "CVE-2026-1") + "\n" + seen("a", "CVE-2026-2")
		if _, err := a.Import(w.t.Context(), discover.Request{Name: "r", Format: "observations", At: w.now}, strings.NewReader(two)); err != nil {
			w.t.Fatal(err)
		}
		var c lasting[int]
		var made int // guarded by the answer being made once at a time
		get := func() int {
			n, err := c.get(w.t.Context(), a, func(context.Context, *index.View, int) (int, error) { made++; return made, nil })
			if err != nil {
				w.t.Error(err)
			}
			return n
		}
		get()
		if n := get(); n != 1 {
			w.t.Errorf("made %d times without a reason", n)
		}
		w.now = w.now.AddDate(0, 0, 1)
		if n := get(); n != 2 {
			w.t.Errorf("made %d times over two days", n)
		}
		c.forget()
		if n := get(); n != 3 {
			w.t.Errorf("made %d times after it was forgotten", n)
		}
		// Of few findings an answer is new however long it took; of many one that
		// takes long is made behind the scenes once the index moved.
		c.took, c.seq = time.Second, -1
		if n := get(); n != 4 {
			w.t.Errorf("made %d times, of few findings", n)
		}
		a.few, c.took, c.seq = 1, time.Second, -1
		if n := get(); n != 4 || c.making != nil {
			w.t.Errorf("made %d times, right after the last", n)
		}
		w.now = w.now.Add(10 * time.Second)
		if n := get(); n != 4 {
			w.t.Errorf("somebody waited for the answer %d", n)
		}
		for end := time.Now().Add(10 * time.Second); get() != 5; time.Sleep(time.Millisecond) {
			if time.Now().After(end) {
				w.t.Fatal("no new answer came")
			}
		}
		// The last was quick, so the next is waited for, and one that does not come
		// is an error for who has nothing else.
		broken := errors.New("the disk is full")
		c.forget()
		if _, err := c.get(w.t.Context(), a, func(context.Context, *index.View, int) (int, error) { return 0, broken }); !errors.Is(err, broken) {
			w.t.Errorf("what cannot be made is %v", err)
		}
		if n := get(); n != 6 {
			w.t.Errorf("made %d times after one that failed", n)
		}
	})
}
