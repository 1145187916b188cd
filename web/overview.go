package web

import (
	"strings"

	"github.com/leeward-ctem/leeward/exposure"
	"github.com/leeward-ctem/leeward/web/chart"
)

func overviewLine(p OverviewPage) string {
	parts := []string{orNone(p.Scope, "All scopes"), day(p.Shell.Now)}
	if !p.LastImport.IsZero() {
		parts = append(parts, "last import "+ago(p.Shell.Now, p.LastImport))
	}
	return strings.Join(parts, " · ")
}

// heatOf makes the heat map of teams and risk bands, each number a list.
func heatOf(teams []TeamRisk) chart.Heat {
	h := chart.Heat{Title: "Open findings by team and risk band", Corner: "Team"}
	for _, b := range bandsDown() {
		h.Columns = append(h.Columns, chart.HeatColumn{Name: words(b.String()), Class: b.String()})
	}
	for _, t := range teams {
		team := orNone(t.Team, "none")
		row := chart.HeatRow{Name: cut(orNone(t.Team, "No owner"), 28), Link: FindTerm("team", team)}
		for _, b := range bandsDown() {
			row.Cells = append(row.Cells, chart.HeatCell{Count: t.Counts[b], Link: bandLink("team", team, b)})
		}
		h.Rows = append(h.Rows, row)
	}
	return h
}

// bandLink is the list of findings with a value in a field and a risk band.
func bandLink(field, value string, b exposure.Band) string {
	var f exposure.Filter
	for _, pair := range [][2]string{{field, value}, {"band", b.String()}} {
		if t, ok := term(pair[0], pair[1]); ok {
			f = f.With(t)
		}
	}
	return Find(f.String())
}

// lateOf is the list of overdue findings with a value in a field.
func lateOf(field, value string) string {
	f, err := exposure.ParseFilter("is:overdue")
	if err != nil {
		return Find("is:overdue")
	}
	return With(f, field, value)
}
