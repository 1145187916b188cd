package ports

import (
	"bytes"
	"context"
	"io"
	"time"

	"github.com/leeward-ctem/leeward/discover/scan"
	"github.com/leeward-ctem/leeward/exposure"
	"github.com/leeward-ctem/leeward/guard"
)

// heardAll is a connection at which everything was said already.
type heardAll struct {
	guard.Conn
	r io.Reader
}

func (h heardAll) Read(b []byte) (int, error)    { return h.r.Read(b) }
func (heardAll) Write(b []byte) (int, error)     { return len(b), nil }
func (heardAll) Close() error                    { return nil }
func (heardAll) SetReadDeadline(time.Time) error { return nil }
func (heardAll) SetDeadline(time.Time) error     { return nil }

// replay is a network in which every connection says the same.
type replay struct {
	guard.Network
	words []byte
}

func (r replay) Dial(context.Context, guard.Action) (guard.Conn, error) {
	return heardAll{r: bytes.NewReader(r.words)}, nil
}

// Hear lets every protocol take up the same answer, and returns what was made
// of it.
func Hear(ctx context.Context, port int, words []byte) (all []exposure.Observation) {
	j := &scan.Job{Target: scan.Target{Kind: scan.Host, Host: "127.0.0.1"}, Level: exposure.LevelProbe, Network: replay{words: words}, Now: time.Now}
	t := &target{job: j, port: port, rules: rules(), timeout: time.Millisecond}
	take := func(f *found) {
		f.state(func(o exposure.Observation, _ error) bool { all = append(all, o); return true })
	}
	take(identify(ctx, t))
	for _, p := range probes() {
		v := &visit{target: t, ctx: ctx, until: time.Now().Add(time.Minute), out: &found{port: port}}
		v.ask(&p)
		take(v.out)
	}
	for _, a := range applications() {
		v := &visit{target: t, ctx: ctx, until: time.Now().Add(time.Minute), out: &found{port: port}}
		if p, ok := parsePage(words); ok {
			a.look(&dialog{talk: newTalk(heardAll{r: bytes.NewReader(words)}), visit: v}, &p)
		}
		take(v.out)
	}
	return all
}

// Rules are the names of all rules.
func Rules() (ids []string) {
	for id := range rules() {
		ids = append(ids, id)
	}
	return ids
}
