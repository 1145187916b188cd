package web

import (
	"math"
	"regexp"
	"strings"
	"testing"

	"github.com/leeward-ctem/leeward/web/chart"
)

// The page of a back-test is a file that asks nobody for anything.
func TestBacktestPage(t *testing.T) {
	t.Parallel()
	const hostile = `"><script>alert(1)</script>`
	var b strings.Builder
	err := Backtest(BacktestPage{
		At: "2025-03-30" + hostile, Line: hostile, Notes: []string{hostile},
		Orders:   []chart.Order{{Name: hostile, Points: []chart.EffortPoint{{Effort: 0.01, Found: 0.5}, {Effort: math.NaN(), Found: 2}}}},
		Models:   [][]string{{hostile, "0.896"}},
		Groups:   [][]string{{hostile}},
		Ablation: [][]string{{hostile, "0.8", "50 %"}},
	}).Render(t.Context(), &b)
	if err != nil {
		t.Fatal(err)
	}
	page := b.String()
	if strings.Contains(page, "<script") || regexp.MustCompile(`(src|href)="`).MatchString(page) || strings.Contains(page, "@import") || strings.Contains(page, "url(http") {
		t.Error("the page runs or fetches something")
	}
	for _, want := range []string{"<svg", "0.896", "What each signal adds", "--accent"} {
		if !strings.Contains(page, want) {
			t.Errorf("no %q in it", want)
		}
	}
}
