package cli

import (
	"context"
	"math"
	"runtime"
	"runtime/debug"
	"testing"
	"time"
)

// The limit follows what is in use, and what the user set stays.
func TestMemoryLimit(t *testing.T) {
	before := debug.SetMemoryLimit(-1)
	t.Cleanup(func() { debug.SetMemoryLimit(before) })
	debug.SetMemoryLimit(math.MaxInt64)
	limitMemory(t.Context(), func(name string) string { return map[string]string{"GOMEMLIMIT": "1GiB"}[name] })
	if got := debug.SetMemoryLimit(-1); got != math.MaxInt64 {
		t.Errorf("the user's limit became %d", got)
	}
	ctx, stop := context.WithCancel(t.Context())
	limitMemory(ctx, func(string) string { return "" })
	if got := debug.SetMemoryLimit(-1); got < roomy || got == math.MaxInt64 {
		t.Errorf("the limit is %d", got)
	}
	large := make([]byte, 400<<20)
	defer runtime.KeepAlive(large)
	for start := time.Now(); debug.SetMemoryLimit(-1) < int64(len(large)); {
		runtime.GC()
		if time.Since(start) > 20*time.Second {
			t.Fatal("the limit stays below what is in use")
		}
	}
	stop()
	for start := time.Now(); ; { // a round that began before may still set it
		debug.SetMemoryLimit(math.MaxInt64)
		runtime.GC()
		time.Sleep(5 * time.Millisecond)
		if debug.SetMemoryLimit(-1) == math.MaxInt64 {
			break
		}
		if time.Since(start) > 20*time.Second {
			t.Fatal("the limit is set after the end")
		}
	}
}
