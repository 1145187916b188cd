package builtin_test

import (
	"io"
	"os"
	"runtime"
	"strconv"
	"testing"
	"time"

	"github.com/leeward-ctem/leeward/builtin"
	"github.com/leeward-ctem/leeward/discover"
	"github.com/leeward-ctem/leeward/exposure"
	"github.com/leeward-ctem/leeward/internal/testkit"
	"github.com/leeward-ctem/leeward/internal/testkit/live"
)

// mostHeap is what reading may hold of a report of any size, in bytes. Of the
// formats below SARIF holds the most: 64 MiB of results, until it knows what
// they are about.
const mostHeap = 512 << 20

// TestSize reads reports of any size, of formats whose order lets them stream.
// The gate takes half a million records of each, LEEWARD_RECORDS=10000000 as
// many as anyone has.
func TestSize(t *testing.T) {
	records, err := strconv.Atoi(os.Getenv("LEEWARD_RECORDS"))
	switch {
	case err == nil:
	case live.All():
		records = 500_000
	default:
		t.Skip("LEEWARD_TEST_ALL=1 reads large reports, LEEWARD_RECORDS=N reports of so many records")
	}
	for _, format := range []string{"nuclei", "trivy", "sarif", "nessus", "nmap", "zap", "generic", "semgrep"} {
		t.Run(format, func(t *testing.T) {
			in, out := io.Pipe()
			go func() { out.CloseWithError(testkit.Reports()[format](out, testkit.Estate{Findings: records})) }()
			began, counted := time.Now(), &count{r: in}
			found, peak := 0, uint64(0)
			for o, err := range discover.Guarded(t.Context(), reader(t, format), counted) {
				if err != nil {
					t.Fatalf("record %d: %v", found, err)
				}
				if o.Kind == exposure.ObservedWeakness {
					if found++; found%20_000 == 0 {
						peak = max(peak, held())
					}
				}
			}
			if found != records {
				t.Errorf("%d of %d records were read", found, records)
			}
			if peak > mostHeap {
				t.Errorf("reading held %d MiB", peak>>20)
			}
			took := time.Since(began)
			t.Logf("%d records, %d MiB, in %.1f s: %.0f MiB a second, at most %d MiB of heap", found, counted.n>>20, took.Seconds(), float64(counted.n>>20)/took.Seconds(), peak>>20)
		})
	}
}

func reader(t *testing.T, format string) discover.Reader {
	t.Helper()
	for _, r := range builtin.Reports() {
		if r.Name() == format {
			return r
		}
	}
	t.Fatalf("there is no reader of %s", format)
	return nil
}

// held is how much of the heap is in use, with what is not collected yet.
func held() uint64 {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

type count struct {
	r io.Reader
	n int64
}

func (c *count) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n += int64(n)
	return n, err
}
