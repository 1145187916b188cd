package guard_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/leeward-ctem/leeward/exposure"
	"github.com/leeward-ctem/leeward/guard"
	"github.com/leeward-ctem/leeward/guard/guardtest"
)

// quiet is a network in memory: who is dialled accepts and says nothing.
func quiet(context.Context, string, string) (net.Conn, error) {
	client, server := net.Pipe()
	go func() {
		server.Read(make([]byte, 1))
		server.Close()
	}()
	return client, nil
}

func opened(t *testing.T, e exposure.Engagement, connect func(context.Context, string, string) (net.Conn, error)) (*guard.Guard, *guard.Session) {
	t.Helper()
	g := guard.New(guard.Config{Auditor: &guardtest.Log{}, Now: time.Now, Connect: connect})
	if err := g.Grant(guard.Grant{Engagements: []exposure.Engagement{e}}); err != nil {
		t.Fatal(err)
	}
	s := g.Session(e.ID, "test")
	t.Cleanup(func() { s.Close() })
	return g, s
}

func knock(s *guard.Session, host string) error {
	c, err := s.Dial(context.Background(), guard.Action{Host: host, Port: 80})
	if err != nil {
		return err
	}
	return c.Close()
}

// A target gets as many connections a second as is agreed, whoever dials.
func TestRate(t *testing.T) {
	for _, perSecond := range []float64{1, 7.5, 100, 1000, 20000} {
		t.Run(fmt.Sprint(perSecond), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				e := guardtest.Engagement()
				e.Limits.Rate = perSecond
				_, s := opened(t, e, quiet)
				n := int(max(perSecond*3, 40))
				var sent atomic.Int64
				began := time.Now()
				done := make(chan error)
				for range 8 {
					go func() {
						var err error
						for err == nil && sent.Add(1) <= int64(n) {
							err = knock(s, "127.0.0.1")
						}
						done <- err
					}()
				}
				for range 8 {
					if err := <-done; err != nil {
						t.Error(err)
					}
				}
				got := float64(n) / time.Since(began).Seconds()
				if off := got/perSecond - 1; off > 0.05 || off < -0.05 {
					t.Errorf("%.2f a second, want %.2f: %.1f %% off", got, perSecond, off*100)
				}
			})
		})
	}
}

func TestTotal(t *testing.T) {
	t.Parallel()
	e := guardtest.Engagement()
	e.Limits.Total = 5
	_, s := opened(t, e, quiet)
	for i := range 7 {
		if err := knock(s, "127.0.0.1"); (err == nil) != (i < 5) {
			t.Errorf("connection %d: %v", i, err)
		}
	}
	if err := knock(s, "127.0.0.2"); err != nil {
		t.Errorf("another target: %v", err)
	}
}

// Leave ends with its time: of the engagement, of the window, of the lease of
// an agent that lost its server, and by no clock of the agent's own.
func TestTime(t *testing.T) {
	in := func(d time.Duration) func(*exposure.Engagement) {
		return func(e *exposure.Engagement) { e.Expires = time.Now().Add(d) }
	}
	window := func(w ...exposure.Window) func(*exposure.Engagement) {
		return func(e *exposure.Engagement) { e.Windows, e.Zone = w, "Europe/Berlin" }
	}
	// The clock of synctest begins at midnight UTC of Saturday, 2000-01-01: 01:00 in Berlin.
	for name, tt := range map[string]struct {
		change func(*exposure.Engagement)
		after  time.Duration
		why    string // empty: allowed
	}{
		"before the end":          {in(time.Hour), 59 * time.Minute, ""},
		"at the end":              {in(time.Hour), time.Hour, "the engagement ended"},
		"before it begins":        {func(e *exposure.Engagement) { e.Starts = time.Now().Add(time.Hour) }, 59 * time.Minute, "begins at"},
		"when it began":           {func(e *exposure.Engagement) { e.Starts = time.Now().Add(time.Hour) }, time.Hour, ""},
		"withdrawn":               {func(e *exposure.Engagement) { e.Withdrawn = time.Now() }, 0, "withdrawn"},
		"before the window":       {window(exposure.Window{From: "02:00", Until: "04:00"}), 59 * time.Minute, "outside the agreed windows"},
		"in the window":           {window(exposure.Window{From: "02:00", Until: "04:00"}), time.Hour, ""},
		"after the window":        {window(exposure.Window{From: "02:00", Until: "04:00"}), 3 * time.Hour, "outside"},
		"over midnight":           {window(exposure.Window{Days: []string{"fri"}, From: "22:00", Until: "02:00"}), 59 * time.Minute, ""},
		"over midnight, too late": {window(exposure.Window{Days: []string{"fri"}, From: "22:00", Until: "02:00"}), time.Hour, "outside"},
		"of another day":          {window(exposure.Window{Days: []string{"mon", "sun"}, From: "00:00", Until: "24:00"}), 0, "outside"},
		"on that day":             {window(exposure.Window{Days: []string{"mon", "sun"}, From: "00:00", Until: "24:00"}), 23 * time.Hour, ""},
		"blackout":                {func(e *exposure.Engagement) { e.Blackouts, e.Zone = []string{"2000-01-02"}, "Europe/Berlin" }, 23 * time.Hour, "blackout"},
		"before the blackout":     {func(e *exposure.Engagement) { e.Blackouts, e.Zone = []string{"2000-01-02"}, "Europe/Berlin" }, 22 * time.Hour, ""},
		"nobody approved":         {func(e *exposure.Engagement) { e.ID = 7 }, 0, "nobody but its owner approved"},
		"approved by the owner": {func(e *exposure.Engagement) {
			e.ID = 7
			e.Approvals = []exposure.Approval{{By: e.Owner, Digest: guard.Digest(e)}}
		}, 0, "nobody but its owner approved"},
		"approved": {func(e *exposure.Engagement) {
			e.ID = 7
			e.Approvals = []exposure.Approval{{By: "somebody", Digest: guard.Digest(e)}}
		}, 0, ""},
		"approved as it was": {func(e *exposure.Engagement) {
			e.ID = 7
			e.Approvals = []exposure.Approval{{By: "somebody", Digest: guard.Digest(e)}}
			e.Targets = append(e.Targets, "10.0.0.0/8")
		}, 0, "nobody but its owner approved"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				e := guardtest.Engagement()
				tt.change(&e)
				_, s := opened(t, e, quiet)
				time.Sleep(tt.after)
				err := knock(s, "127.0.0.1")
				if (tt.why == "") != (err == nil) || err != nil && !strings.Contains(err.Error(), tt.why) {
					t.Errorf("%v, want %q", err, tt.why)
				}
			})
		})
	}
}

// What an agent runs ends within the lease when its server is not heard any
// more, and goes on when it is heard again.
func TestLease(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g, s := opened(t, guardtest.Engagement(), quiet)
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		go g.Watch(ctx)
		lease := guard.Grant{Engagements: []exposure.Engagement{guardtest.Engagement()}, For: guard.LeaseFor}
		if err := g.Grant(lease); err != nil {
			t.Fatal(err)
		}
		c, err := s.Dial(t.Context(), guard.Action{Host: "127.0.0.1", Port: 80})
		if err != nil {
			t.Fatal(err)
		}
		began := time.Now()
		if _, err := c.Read(make([]byte, 1)); err == nil {
			t.Fatal("it read")
		}
		if d := time.Since(began); d < 9*time.Second || d > 12*time.Second {
			t.Errorf("the connection was cut after %v", d)
		}
		if err := knock(s, "127.0.0.1"); !refused(err) || !strings.Contains(err.Error(), "leave ran out") {
			t.Errorf("without leave: %v", err)
		}
		if err := g.Grant(lease); err != nil {
			t.Fatal(err)
		}
		if err := knock(s, "127.0.0.1"); err != nil {
			t.Errorf("with leave again: %v", err)
		}
	})
}

// The clock of whoever grants leave counts, not the one of the machine.
func TestWrongClock(t *testing.T) {
	t.Parallel()
	e := guardtest.Engagement()
	wrong := func() time.Time { return time.Now().Add(-5 * 365 * 24 * time.Hour) }
	g := guard.New(guard.Config{Auditor: &guardtest.Log{}, Now: wrong, Connect: quiet})
	e.Expires = time.Now().Add(-time.Minute)
	if err := g.Grant(guard.Grant{Engagements: []exposure.Engagement{e}, Now: time.Now()}); err != nil {
		t.Fatal(err)
	}
	s := g.Session(0, "test")
	defer s.Close()
	if err := knock(s, "127.0.0.1"); !refused(err) {
		t.Errorf("an engagement that ended, by a clock that is years behind: %v", err)
	}
}

// A target that answered and does no more is left alone for a while; one that
// never answered is what a scan is there to find.
func TestBreaker(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var down atomic.Bool
		dialled := 0
		_, s := opened(t, guardtest.Engagement(), func(ctx context.Context, network, address string) (net.Conn, error) {
			dialled++
			if down.Load() {
				return nil, errors.New("refused")
			}
			return quiet(ctx, network, address)
		})
		down.Store(true)
		for range 10 {
			if err := knock(s, "127.0.0.1"); refused(err) {
				t.Fatalf("a port that never answered: %v", err)
			}
		}
		down.Store(false)
		if err := knock(s, "127.0.0.1"); err != nil {
			t.Fatal(err)
		}
		down.Store(true)
		for range 3 {
			knock(s, "127.0.0.1")
		}
		before := dialled
		for range 10 {
			if err := knock(s, "127.0.0.1"); !refused(err) || !strings.Contains(err.Error(), "left alone") {
				t.Fatalf("a target that suffers: %v", err)
			}
		}
		if dialled != before {
			t.Errorf("it was touched %d times", dialled-before)
		}
		down.Store(false)
		time.Sleep(time.Minute)
		if err := knock(s, "127.0.0.1"); err != nil {
			t.Errorf("after a while: %v", err)
		}
	})
}

// A target that takes more than twice as long as before is left alone.
func TestLatency(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		slow := 100 * time.Millisecond
		_, s := opened(t, guardtest.Engagement(), func(ctx context.Context, network, address string) (net.Conn, error) {
			time.Sleep(slow)
			return quiet(ctx, network, address)
		})
		n := 0
		for ; n < 100; n++ {
			if n == 40 {
				slow = time.Second
			}
			if err := knock(s, "127.0.0.1"); err != nil {
				if !refused(err) || !strings.Contains(err.Error(), "connecting took 100ms and takes 1s now") {
					t.Fatal(err)
				}
				break
			}
		}
		if n < 41 || n > 70 {
			t.Errorf("it was left alone after %d connections", n)
		}
	})
}

// A dry run says what would be sent and sends nothing.
func TestDry(t *testing.T) {
	t.Parallel()
	var told []string
	g := guard.New(guard.Config{Auditor: &guardtest.Log{}, Now: time.Now, Dry: func(e guard.Entry) { told = append(told, e.Action) }, Connect: func(context.Context, string, string) (net.Conn, error) {
		t.Error("something was sent")
		return nil, errors.New("no")
	}})
	if err := g.Grant(guard.Grant{Engagements: []exposure.Engagement{guardtest.Engagement()}}); err != nil {
		t.Fatal(err)
	}
	s := g.Session(0, "test")
	defer s.Close()
	if _, err := s.Dial(t.Context(), guard.Action{Host: "127.0.0.1", Port: 443, What: "certificate"}); !refused(err) {
		t.Error(err)
	}
	if _, err := s.Do(t.Context(), &guard.Request{URL: "http://127.0.0.1/x"}); !refused(err) {
		t.Error(err)
	}
	if _, err := s.Do(t.Context(), &guard.Request{URL: "http://192.0.2.1/x"}); !refused(err) {
		t.Error(err)
	}
	if want := []string{"tcp 443 (certificate) on 127.0.0.1", "GET http://127.0.0.1/x"}; fmt.Sprint(told) != fmt.Sprint(want) {
		t.Errorf("told %q, want %q", told, want)
	}
}

// When the audit log cannot be written nothing is sent.
func TestNoAuditNoPacket(t *testing.T) {
	t.Parallel()
	g := guard.New(guard.Config{Auditor: full{}, Now: time.Now, Connect: func(context.Context, string, string) (net.Conn, error) {
		t.Error("something was sent")
		return nil, errors.New("no")
	}})
	if err := g.Grant(guard.Grant{Engagements: []exposure.Engagement{guardtest.Engagement()}}); err != nil {
		t.Fatal(err)
	}
	s := g.Session(0, "test")
	defer s.Close()
	if err := knock(s, "127.0.0.1"); err == nil || !strings.Contains(err.Error(), "nothing is sent") {
		t.Error(err)
	}
	if _, err := s.Do(t.Context(), &guard.Request{URL: "http://127.0.0.1/"}); err == nil || !strings.Contains(err.Error(), "nothing is sent") {
		t.Error(err)
	}
}

type full struct{}

func (full) Append(context.Context, ...guard.Entry) error { return errors.New("the disk is full") }
