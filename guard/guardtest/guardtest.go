// Package guardtest gives tests of engines and checks a real guard whose rules
// reach the servers that the tests start on loopback, and nothing else.
package guardtest

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/leeward-ctem/leeward/exposure"
	"github.com/leeward-ctem/leeward/guard"
)

// Engagement is one that allows everything on loopback, and the names of tests:
// example.test and all below it.
func Engagement() exposure.Engagement {
	return exposure.Engagement{
		Name: "tests", Owner: "tests", Targets: []string{"127.0.0.0/8", "::1", "localhost", "example.test", "*.example.test"},
		Level: exposure.LevelAuthenticated, Credentials: true, Test: true, Expires: time.Now().Add(24 * time.Hour),
		Limits: exposure.Limits{Rate: 1_000_000, Concurrency: 1024, Total: 10_000_000},
	}
}

// Log is an auditor that keeps entries in memory.
type Log struct {
	mu      sync.Mutex
	entries []guard.Entry
}

// Append implements guard.Auditor.
func (l *Log) Append(_ context.Context, entries ...guard.Entry) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, e := range entries {
		seq, prev := int64(0), ""
		if n := len(l.entries); n > 0 {
			seq, prev = l.entries[n-1].Seq, l.entries[n-1].Hash
		}
		e.Link(seq, prev)
		l.entries = append(l.entries, e)
	}
	return nil
}

// Entries returns what was written down.
func (l *Log) Entries() []guard.Entry {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.entries[:len(l.entries):len(l.entries)]
}

// Loopback returns the way out to servers on loopback, until the test ends.
func Loopback(t testing.TB) *guard.Session { return LoopbackWithResolver(t, "") }

// LoopbackWithResolver is [Loopback] with a DNS server of the test, host:port.
func LoopbackWithResolver(t testing.TB, resolver string) *guard.Session {
	t.Helper()
	return Open(t, guard.Config{Resolver: resolver}, Engagement())
}

// Open returns the way out under an engagement of number 0.
func Open(t testing.TB, cfg guard.Config, e exposure.Engagement) *guard.Session {
	t.Helper()
	if cfg.Auditor == nil {
		cfg.Auditor = &Log{}
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	g := guard.New(cfg)
	if err := guard.Check(&e, cfg.Now()); err != nil {
		t.Fatal(err)
	}
	if err := g.Grant(guard.Grant{Engagements: []exposure.Engagement{e}}); err != nil {
		t.Fatal(err)
	}
	s := g.Session(e.ID, "test")
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

var _ guard.Network = (*guard.Session)(nil)
