package builtin_test

import (
	"path/filepath"
	"testing"

	"github.com/leeward-ctem/leeward/builtin"
	"github.com/leeward-ctem/leeward/discover/report/reporttest"
)

// FuzzReports gives every reader what no scanner writes.
func FuzzReports(f *testing.F) {
	reporttest.FuzzAll(f, builtin.Reports(), filepath.Join("..", "discover", "report"))
}
