package web

import (
	"fmt"

	"github.com/leeward-ctem/leeward/web/chart"
)

// epssChart draws what EPSS said over time, in percent.
func epssChart(past []PastEPSS) chart.Trend {
	t := chart.Trend{Title: "EPSS week by week, in percent", Line: chart.Series{Name: "EPSS"}, Zero: true}
	for _, p := range past {
		t.Labels = append(t.Labels, p.Day.Format("2 Jan 2006"))
		t.Line.Values = append(t.Line.Values, 100*p.EPSS)
	}
	return t
}

// epssModels says when another version of the model took over: a step on that
// day says nothing of the weakness.
func epssModels(past []PastEPSS) string {
	text := ""
	for i := 1; i < len(past); i++ {
		if past[i].Model != past[i-1].Model {
			text = fmt.Sprintf("EPSS %s is another model than %s before %s: scores of the two do not compare.", cut(past[i].Model, 40), cut(past[i-1].Model, 40), day(past[i].Day))
		}
	}
	return text
}
