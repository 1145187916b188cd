package server

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"net/http"
	"slices"
	"time"

	"github.com/a-h/templ"

	"github.com/leeward-ctem/leeward/exposure"
	"github.com/leeward-ctem/leeward/web"
	"github.com/leeward-ctem/leeward/web/chart"
)

// trendOf is the expected loss and the flow of findings, day by day. A day
// without a recorded figure is a gap in the line, not a zero.
func trendOf(m *Measures) web.Trend {
	t := web.Trend{Title: "Expected loss and flow", Unit: "Expected loss"}
	loss := map[int]float64{}
	for _, h := range m.History {
		loss[h.Day] = h.Loss
	}
	days := m.Days[max(0, len(m.Days)-trendDays):]
	for _, d := range days {
		t.Labels = append(t.Labels, dayName(d.Day))
		l, ok := loss[d.Day]
		if !ok {
			l = math.NaN()
		}
		t.Line = append(t.Line, l)
		t.Opened = append(t.Opened, float64(d.Opened+d.Reopened))
		t.Closed = append(t.Closed, float64(d.Closed))
	}
	return t
}

func dayName(day int) string { return time.Unix(int64(day)*86400, 0).UTC().Format("2 Jan") }

func (s *Server) measurePage(_ http.ResponseWriter, r *http.Request) (templ.Component, error) {
	ctx := r.Context()
	m, err := s.Backend.Measures(ctx)
	if err != nil {
		return nil, err
	}
	p := web.MeasurePage{Shell: s.shell(ctx, "Measure", web.StageMeasure)}
	if m.Repair.Total == 0 {
		return web.Measure(p), nil
	}
	p.Period = fmt.Sprintf("Last %d days", len(m.Days))
	p.Figures = figures(&m)
	p.Flow = backlog(&m)
	p.Forecast = m.Forecast
	p.Survival = []chart.Curve{curveOf("All findings", &m)}
	for b := exposure.BandCritical; b > exposure.BandNone; b-- {
		c := m.SLA[b.String()]
		p.SLA = append(p.SLA, web.BandSLA{Band: b, Due: c.Met + c.Missed + c.Overdue, OnTime: c.Met, Late: c.Overdue})
	}
	p.TeamsBy = "Half-life in days"
	for _, team := range slices.Sorted(maps.Keys(m.Teams)) {
		bar := chart.Bar{Label: team, Value: math.NaN(), Text: "not reached", Link: web.FindTerm("team", team)}
		if days := m.Teams[team]; days != nil {
			bar.Value, bar.Text = *days, fmt.Sprintf("%.0f days", *days)
		}
		p.Teams = append(p.Teams, bar)
	}
	// The slowest first; who has not fixed half yet is slower than all.
	slices.SortStableFunc(p.Teams, func(a, b chart.Bar) int {
		return cmp.Compare(slowness(b.Value), slowness(a.Value))
	})
	return web.Measure(p), nil
}

func slowness(v float64) float64 {
	if math.IsNaN(v) {
		return math.Inf(1)
	}
	return v
}

// figures are the measures of the page. Each says how it is made.
func figures(m *Measures) []web.Figure {
	days := func(v *float64) string {
		if v == nil {
			return ""
		}
		return fmt.Sprintf("%.0f days", *v)
	}
	all := []web.Figure{
		{Label: "Half-life", Value: days(m.HalfLife), Note: "Half of all findings are verified as fixed by then; open ones count."},
		{Label: "Days open of the first 90", Value: days(m.Limited), Note: "The mean over all findings, open ones too."},
		{Label: "Mean of closed ones", Value: days(m.Mean), Note: "What others call MTTR. It leaves out what is still open, so it flatters."},
	}
	if m.HalfLife == nil {
		all[0].Note = "Fewer than half of all findings are fixed yet."
	}
	back := web.Figure{Label: "Fixes that came back", Note: "Of all verified fixes, those seen again later."}
	if m.Regressed != nil {
		back.Value = fmt.Sprintf("%.1f %%", 100**m.Regressed)
	} else {
		back.Note = "No fix was verified yet."
	}
	return append(all, back)
}

// backlog is the number of open findings and their flow.
func backlog(m *Measures) web.Trend {
	t := web.Trend{Title: "Backlog and flow", Unit: "Open findings"}
	for _, d := range m.Days {
		t.Labels = append(t.Labels, dayName(d.Day))
		t.Line = append(t.Line, float64(d.Open))
		t.Opened = append(t.Opened, float64(d.Opened+d.Reopened))
		t.Closed = append(t.Closed, float64(d.Closed))
	}
	return t
}

func curveOf(name string, m *Measures) chart.Curve {
	c := chart.Curve{Name: name}
	for _, p := range m.Repair.Points {
		c.Steps = append(c.Steps, chart.SurvivalStep{Day: float64(p.Day), Share: p.Survival, Low: p.Lower, High: p.Upper})
	}
	if n := len(c.Steps); n > 0 && float64(m.Repair.Followed) > c.Steps[n-1].Day {
		last := c.Steps[n-1]
		last.Day = float64(m.Repair.Followed)
		c.Steps = append(c.Steps, last)
	}
	return c
}
