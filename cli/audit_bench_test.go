package cli

import (
	"testing"

	"github.com/leeward-ctem/leeward/exposure"
	"github.com/leeward-ctem/leeward/guard"
)

// BenchmarkAudit writes decisions down as scans do, 64 at a time.
func BenchmarkAudit(b *testing.B) {
	h := openHouse(b, "")
	log := newAuditLog(h.db, serverChain)
	e := guard.Entry{Kind: guard.Decided, Engagement: 1, Scan: "job 1.1", Action: "tcp 1-1024 (ports)", Host: "10.1.2.3", Addr: "10.1.2.3", Level: exposure.LevelObserve.String(), Allowed: true, At: h.now}
	b.SetParallelism(64)
	b.RunParallel(func(p *testing.PB) {
		for p.Next() {
			if err := log.Append(b.Context(), e); err != nil {
				b.Error(err)
				return
			}
		}
	})
}

// BenchmarkLeave asks whether leave has changed, as every process does twice a
// second.
func BenchmarkLeave(b *testing.B) {
	h := openHouse(b, "")
	for range 50 {
		e := h.rules("10.0.0.0/8")
		h.engage(e)
	}
	for b.Loop() {
		if _, err := h.db.LeaveState(b.Context()); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkVerify reads a chain of 10,000 entries.
func BenchmarkVerify(b *testing.B) {
	h := openHouse(b, "")
	log := newAuditLog(h.db, serverChain)
	if err := log.Append(b.Context(), make([]guard.Entry, 10_000)...); err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		chains, err := h.VerifyAudit(b.Context())
		if err != nil || chains[0].Entries != 10_000 {
			b.Fatal(chains, err)
		}
	}
}
