package ports_test

import (
	"context"
	"net"
	"runtime"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/leeward-ctem/leeward/discover/scan"
	"github.com/leeward-ctem/leeward/discover/scan/ports"
	"github.com/leeward-ctem/leeward/discover/scan/scantest"
	"github.com/leeward-ctem/leeward/exposure"
)

// BenchmarkLoopback looks at all ports of loopback, through a guard with a high
// rate. The ratio is to the bare dialling of the same ports by as many at once.
func BenchmarkLoopback(b *testing.B) {
	n := network(b)
	var peak atomic.Uint64
	stop := make(chan struct{})
	defer close(stop)
	go func() {
		for {
			select {
			case <-stop:
				return
			case <-time.After(20 * time.Millisecond):
				var m runtime.MemStats
				runtime.ReadMemStats(&m)
				peak.Store(max(peak.Load(), m.HeapInuse+m.StackInuse))
			}
		}
	}()
	var took time.Duration
	for b.Loop() {
		began := time.Now()
		all, errs := scantest.Run(b, ports.Engine{}, scan.Job{
			Target: scan.Target{Kind: scan.Host, Host: "127.0.0.1"}, Level: exposure.LevelObserve, Network: n,
			Ports: []exposure.PortRange{{Protocol: "tcp", First: 1, Last: 65535}},
		})
		took += time.Since(began)
		if len(errs) > 0 || !scantest.Covered(all, "ports", "ports/telnet", exposure.Location{Port: 65535}) {
			b.Fatalf("not all was looked at: %v", errs)
		}
	}
	bare := dialAll(b)
	each := took / time.Duration(b.N)
	b.ReportMetric(each.Seconds()/bare.Seconds(), "x_bare")
	b.ReportMetric(bare.Seconds(), "s_bare")
	b.ReportMetric(float64(peak.Load())/(1<<20), "MB_peak")
}

// dialAll dials every port without anything around it.
func dialAll(b *testing.B) time.Duration {
	b.Helper()
	began := time.Now()
	var next atomic.Int64
	var wg sync.WaitGroup
	for range 256 {
		wg.Go(func() {
			for port := next.Add(1); port <= 65535; port = next.Add(1) {
				ctx, cancel := context.WithTimeout(b.Context(), time.Second)
				var d net.Dialer
				if c, err := d.DialContext(ctx, "tcp", net.JoinHostPort("127.0.0.1", strconv.FormatInt(port, 10))); err == nil {
					c.Close()
				}
				cancel()
			}
		})
	}
	wg.Wait()
	return time.Since(began)
}
