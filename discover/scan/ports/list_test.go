package ports_test

import (
	"testing"

	"github.com/leeward-ctem/leeward/discover/scan/ports"
)

func TestTop(t *testing.T) {
	t.Parallel()
	ranges, err := ports.Top()
	if err != nil {
		t.Fatal(err)
	}
	n, last := 0, 0
	for _, r := range ranges {
		if r.First <= last+1 && last > 0 || r.Last < r.First {
			t.Errorf("%d-%d is not in order after %d", r.First, r.Last, last)
		}
		n, last = n+r.Last-r.First+1, r.Last
	}
	if n < 900 || n > 1200 {
		t.Errorf("%d ports are not about a thousand", n)
	}
	for _, port := range []int{22, 80, 443, 3306, 6379, 8080, 27017} {
		found := false
		for _, r := range ranges {
			found = found || r.First <= port && port <= r.Last
		}
		if !found {
			t.Errorf("port %d is missing", port)
		}
	}
}
