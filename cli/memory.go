package cli

import (
	"context"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
)

// The heap may double between two collections until all memory is roomy, and
// grow by a half beyond: collecting is a tenth of an import, and a large index
// consists of columns that the collector does not look into.
const (
	roomy     = 200 << 20
	roomShare = 1.5 // of what is in use
)

// limitMemory keeps the memory limit of the process at roomy or a share of what
// is in use, whichever is more, until ctx is done. What the user sets by GOGC
// or GOMEMLIMIT stays.
func limitMemory(ctx context.Context, env func(string) string) {
	if env("GOGC") == "" && env("GOMEMLIMIT") == "" {
		followHeap(ctx)
	}
}

// followHeap sets the limit, and again after each collection.
func followHeap(ctx context.Context) {
	if ctx.Err() != nil {
		return
	}
	live := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
	metrics.Read(live)
	debug.SetMemoryLimit(max(roomy, int64(roomShare*float64(live[0].Value.Uint64()))))
	// The collector finds this unused, and lets us know.
	runtime.AddCleanup(new([64]byte), followHeap, ctx)
}
