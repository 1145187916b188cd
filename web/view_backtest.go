package web

import (
	"context"
	"io"

	"github.com/a-h/templ"

	"github.com/leeward-ctem/leeward/web/chart"
)

// BacktestPage says how several orders of CVEs did from a day on.
type BacktestPage struct {
	At       string
	Line     string // what was looked at
	Orders   []chart.Order
	Models   [][]string // a row an order: name, AUC, interval, PR-AUC, four coverages, expected, seen
	Groups   [][]string // part of the order, expected, seen, interval
	Ablation [][]string // without, AUC, found by 5 %
	Notes    []string
}

// styles are the style sheet in the page itself.
func styles() templ.Component {
	return templ.ComponentFunc(func(_ context.Context, w io.Writer) error {
		css, err := builtin.ReadFile("static/app.css")
		if err != nil {
			return err
		}
		_, err = io.WriteString(w, "<style>"+string(css)+"\n  body.wide main { grid-template-columns: minmax(0, 1100px); }</style>")
		return err
	})
}
