package server

import (
	"cmp"
	"fmt"
	"math"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/a-h/templ"

	"github.com/leeward-ctem/leeward/exposure"
	"github.com/leeward-ctem/leeward/measure"
	"github.com/leeward-ctem/leeward/web"
	"github.com/leeward-ctem/leeward/web/chart"
)

// trendOf is the expected loss and the flow of findings, day by day. A day
// without a recorded figure is a gap in the line, not a zero. Of a part no
// figures are recorded, and the line is what was open.
func trendOf(m *Measures, currency string) web.Trend {
	if m.Filter != "" {
		return flowOf("Open findings and flow", m.Days[max(0, len(m.Days)-trendDays):])
	}
	t := web.Trend{Title: "Expected loss and flow", Unit: lossIn(currency)}
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

// lossIn is what a line of expected loss is called.
func lossIn(currency string) string {
	if currency == "" {
		return "Expected loss"
	}
	return "Expected loss in " + currency
}

func dayName(day int) string { return time.Unix(int64(day)*86400, 0).UTC().Format("2 Jan") }

func (s *Server) measurePage(_ http.ResponseWriter, r *http.Request) (templ.Component, error) {
	ctx := r.Context()
	m, err := s.Backend.Measures(ctx, "")
	if err != nil {
		return nil, err
	}
	p := web.MeasurePage{Shell: s.shell(ctx, "Measure", web.StageMeasure)}
	if m.Repair.Curve.Total == 0 {
		return web.Measure(p), nil
	}
	p.Period = fmt.Sprintf("Last %d days", len(m.Days))
	p.Figures = figures(&m)
	p.Flow = flowOf("Backlog and flow", m.Days)
	p.Forecast = m.Forecast
	rows := []Repair{m.Repair}
	switch p.By = r.URL.Query().Get("by"); p.By {
	case "band":
		rows = m.ByBand
	case "team":
		rows = m.ByTeam
	default:
		p.By = ""
	}
	for i := range rows {
		row := repairOf(p.By, &rows[i])
		p.Repair = append(p.Repair, row)
		if rows[i].Curve.Total > 0 {
			p.Survival = append(p.Survival, curveOf(row.Name, &rows[i].Curve))
		}
	}
	p.SLA = bandSLA(m.SLA)
	for _, t := range m.ByTeam {
		c := m.TeamSLA[t.Name]
		p.TeamSLA = append(p.TeamSLA, web.TeamSLA{Team: teamName(t.Name), Due: fellDue(&c), OnTime: c.Met - c.Ahead, Late: c.Overdue})
	}
	slices.SortStableFunc(p.TeamSLA, func(a, b web.TeamSLA) int {
		return cmp.Or(cmp.Compare(b.Late, a.Late), cmp.Compare(a.Team, b.Team))
	})
	p.TeamSLA = p.TeamSLA[:min(len(p.TeamSLA), 8)]
	p.Looks = looksOf(&m.Looks)
	return web.Measure(p), nil
}

// teamName is a team as the pages know it: empty when nobody owns the assets.
func teamName(name string) string {
	if name == "none" {
		return ""
	}
	return name
}

// fellDue is how many due days are over.
func fellDue(c *measure.Compliance) int { return c.Met - c.Ahead + c.Missed + c.Overdue }

func bandSLA(by map[string]measure.Compliance) []web.BandSLA {
	var all []web.BandSLA
	for b := exposure.BandCritical; b > exposure.BandNone; b-- {
		c := by[b.String()]
		all = append(all, web.BandSLA{Band: b, Due: fellDue(&c), OnTime: c.Met - c.Ahead, Late: c.Overdue})
	}
	return all
}

// repairOf is one row of the time to repair.
func repairOf(by string, r *Repair) web.Repair {
	row := web.Repair{Name: "All findings", Link: web.FindingsURL, Findings: r.Curve.Total, Fixed: r.Curve.Fixed, Limited: days(r.Limited), Mean: days(r.Mean)}
	switch by {
	case "band":
		row.Name, row.Link = strings.ToUpper(r.Name[:1])+r.Name[1:], web.FindTerm("band", r.Name)
	case "team":
		row.Name, row.Link = r.Name, web.FindTerm("team", r.Name)
		if r.Name == "none" {
			row.Name = "No owner"
		}
	}
	row.HalfLife = web.Measured{Value: days(r.HalfLife), Interval: halfLifeInterval(r)}
	row.After30, row.After90 = openShare(r.After30), openShare(r.After90)
	return row
}

func days(v *float64) string {
	if v == nil {
		return ""
	}
	return fmt.Sprintf("%.0f days", *v)
}

// halfLifeInterval is empty when even its lower limit is not reached.
func halfLifeInterval(r *Repair) string {
	switch {
	case r.HalfLifeLow == nil:
		return ""
	case r.HalfLifeHigh == nil:
		return fmt.Sprintf("%.0f or more", *r.HalfLifeLow)
	}
	return fmt.Sprintf("%.0f – %.0f", *r.HalfLifeLow, *r.HalfLifeHigh)
}

func openShare(s *Estimate) web.Measured {
	if s == nil {
		return web.Measured{}
	}
	return web.Measured{Value: fmt.Sprintf("%.0f %%", 100*s.Value), Interval: fmt.Sprintf("%.0f – %.0f", 100*s.Low, 100*s.High)}
}

// figures are the measures of the page. Each says how it is made.
func figures(m *Measures) []web.Figure {
	half := web.Figure{Label: "Half-life", Value: days(m.Repair.HalfLife), Note: "Half of all findings are verified as fixed by then; open ones count."}
	if in := halfLifeInterval(&m.Repair); in != "" {
		half.Note += " 95 % interval: " + in + "."
	}
	if m.Repair.HalfLife == nil {
		half.Note = "Fewer than half of all findings are fixed yet."
	}
	open := func(day int, s *Estimate) web.Figure {
		f := web.Figure{Label: fmt.Sprintf("Still open after %d days", day), Value: openShare(s).Value}
		if s == nil {
			f.Note = fmt.Sprintf("Needs a finding that was watched for %d days.", day)
		} else {
			f.Note = "95 % interval: " + openShare(s).Interval + " %."
		}
		return f
	}
	mean := web.Figure{Label: "Mean of closed ones", Value: days(m.Repair.Mean), Note: "Flatters: it leaves out what is still open. Others call it MTTR."}
	if m.Repair.Mean == nil {
		mean.Note = "Nothing was verified as fixed yet."
	}
	back := web.Figure{Label: "Fixes that came back", Note: "Of all verified fixes, those seen again later."}
	if m.Regressed != nil {
		back.Value = fmt.Sprintf("%.1f %%", 100**m.Regressed)
		if p := m.Periods[len(m.Periods)-1]; p.Back.Count > 0 {
			back.Note = fmt.Sprintf("Of all verified fixes, those seen again later; %d within %d days.", p.Back.Count, p.Days)
			back.Link = listOf(p.Back)
		}
	} else {
		back.Note = "No fix was verified yet."
	}
	return []web.Figure{half, open(30, m.Repair.After30), open(90, m.Repair.After90), mean, back}
}

// looksOf lays what was looked at out by team and kind, the blindest first.
func looksOf(l *Looks) web.Looks {
	out := web.Looks{Days: l.Days, Assets: l.Assets, Seen: l.Seen}
	kinds, teams := map[string]int{}, map[string]int{}
	for _, c := range l.Cells { // most unseen first
		if _, ok := kinds[c.Kind]; !ok && len(kinds) < maxLookKinds {
			kinds[c.Kind] = len(out.Kinds)
			out.Kinds = append(out.Kinds, c.Kind)
		}
	}
	for _, c := range l.Cells {
		k, ok := kinds[c.Kind]
		if !ok {
			continue
		}
		t, ok := teams[c.Team]
		if !ok {
			if len(out.Teams) == maxLookTeams {
				continue
			}
			t = len(out.Teams)
			teams[c.Team] = t
			out.Teams = append(out.Teams, web.LookRow{Team: teamName(c.Team), Cells: make([]web.LookCell, len(out.Kinds))})
		}
		out.Teams[t].Cells[k] = web.LookCell{Assets: c.Assets, Unseen: c.Assets - c.Seen}
	}
	return out
}

// What a heat map holds at most; the list behind it has the rest.
const (
	maxLookKinds = 8
	maxLookTeams = 20
)

func (s *Server) unseenPage(_ http.ResponseWriter, r *http.Request) (templ.Component, error) {
	ctx, q := r.Context(), r.URL.Query()
	list, err := s.Backend.Unseen(ctx, UnseenQuery{Kind: q.Get("kind"), Team: q.Get("team"), Limit: 200})
	if err != nil {
		return nil, err
	}
	m, err := s.Backend.Measures(ctx, "")
	if err != nil {
		return nil, err
	}
	return web.UnseenAssets(web.UnseenPage{
		Shell: s.shell(ctx, "What we do not see", web.StageMeasure), Days: m.Looks.Days, Kind: q.Get("kind"), Team: q.Get("team"), Rows: s.assetRows(list.Rows), Total: list.Total,
	}), nil
}

// flowOf is the number of open findings and their flow.
func flowOf(title string, days []measure.Day) web.Trend {
	t := web.Trend{Title: title, Unit: "Open findings"}
	for _, d := range days {
		t.Labels = append(t.Labels, dayName(d.Day))
		t.Line = append(t.Line, float64(d.Open))
		t.Opened = append(t.Opened, float64(d.Opened+d.Reopened))
		t.Closed = append(t.Closed, float64(d.Closed))
	}
	return t
}

func curveOf(name string, of *measure.Curve) chart.Curve {
	c := chart.Curve{Name: name}
	for _, p := range of.Points {
		c.Steps = append(c.Steps, chart.SurvivalStep{Day: float64(p.Day), Share: p.Survival, Low: p.Lower, High: p.Upper})
	}
	if n := len(c.Steps); n > 0 && float64(of.Followed) > c.Steps[n-1].Day {
		last := c.Steps[n-1]
		last.Day = float64(of.Followed)
		c.Steps = append(c.Steps, last)
	}
	return c
}
