package web

import (
	"fmt"

	"github.com/leeward-ctem/leeward/web/chart"
)

// looksHeat is what nobody looked at, by team and kind of asset.
func looksHeat(l Looks) chart.Heat {
	h := chart.Heat{Title: fmt.Sprintf("Assets in scope that nobody looked at within %d days, by team and kind", l.Days), Corner: "Team", Shares: true}
	for _, k := range l.Kinds {
		h.Columns = append(h.Columns, chart.HeatColumn{Name: cut(words(k), 20), Class: "blind"})
	}
	for _, t := range l.Teams {
		team := orNone(t.Team, "none")
		row := chart.HeatRow{Name: cut(orNone(t.Team, "No owner"), 28), Link: Unseen("", team)}
		for i, c := range t.Cells[:min(len(t.Cells), len(l.Kinds))] {
			row.Cells = append(row.Cells, chart.HeatCell{Count: c.Unseen, Of: c.Assets, Link: Unseen(l.Kinds[i], team)})
		}
		h.Rows = append(h.Rows, row)
	}
	return h
}

// byToday says how a history is narrowed.
const byToday = "Its past is that of the findings on the assets that belong to it today, wherever these belonged then."

// unseenOf says which assets a list is of.
func unseenOf(p UnseenPage) string {
	text := "In scope, and no complete look at them within " + plural(p.Days, "day", "days")
	if p.Kind != "" {
		text += " · " + words(cut(p.Kind, 40))
	}
	switch p.Team {
	case "":
	case "none":
		text += " · nobody's"
	default:
		text += " · " + cut(p.Team, 60)
	}
	return text
}

// unseenCount says how many there are, and how many of them are listed.
func unseenCount(p UnseenPage) string {
	text := plural(p.Total, "asset", "assets")
	if p.Total > len(p.Rows) {
		text += ", the " + number(len(p.Rows)) + " with the most expected loss"
	}
	return text
}

func byName(by string) string {
	switch by {
	case "band":
		return "by risk"
	case "team":
		return "by team"
	}
	return "of all findings"
}
