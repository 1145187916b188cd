package ports_test

import (
	"context"
	"io"
	"net"
	"os"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/leeward-ctem/leeward/discover/scan"
	"github.com/leeward-ctem/leeward/discover/scan/ports"
	"github.com/leeward-ctem/leeward/discover/scan/scantest"
	"github.com/leeward-ctem/leeward/exposure"
	"github.com/leeward-ctem/leeward/guard"
	"github.com/leeward-ctem/leeward/guard/guardtest"
)

func repeat(s string) func(net.Conn) {
	return func(c net.Conn) {
		for {
			if _, err := io.WriteString(c, s); err != nil {
				return
			}
		}
	}
}

// Whatever answers, it gives no weakness, and ends in time. Who never says a
// word is not covered: it may be a service that hangs.
func TestHostile(t *testing.T) {
	t.Parallel()
	var wg sync.WaitGroup
	defer wg.Wait()
	for name, c := range map[string]struct {
		handle  func(net.Conn)
		covered bool
	}{
		"tarpit":          {func(c net.Conn) { io.Copy(io.Discard, c) }, false},
		"resets":          {func(c net.Conn) { c.Read(make([]byte, 1)); c.(*net.TCPConn).SetLinger(0) }, true},
		"closes":          {func(net.Conn) {}, true},
		"endless banner":  {repeat(strings.Repeat("x", 4096)), true},
		"endless lines":   {repeat("220-more\r\n"), true},
		"endless telnet":  {repeat("200 hello\r\n"), true},
		"drips":           {drips, false},
		"broken tls":      {says("", "\x16\x03", "\x16\x03\x03\x00\x05\x02\xff\xff\xff\x00"), true},
		"endless records": {repeat("\x16\x03\x03\x00\x04\x0b\x00\x00\x00"), true},
		"endless headers": {says("", "GET", "HTTP/1.1 200 OK\r\n"+strings.Repeat("X: y\r\n", 20_000)), true},
		"long chunks":     {says("", "GET", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffffffff\r\nx\r\n0\r\n\r\n"), true},
		"broken kexinit":  {says("SSH-2.0-x_1\r\n", "SSH-", "\x00\x00\x00\x20\x04\x14"+strings.Repeat("\xff", 40)), false},
		"huge kexinit":    {says("SSH-2.0-x_1\r\n", "SSH-", "\xff\xff\xff\xff\x04\x14"), false},
	} {
		port := serve(t, c.handle)
		wg.Go(func() {
			began := time.Now()
			all, errs := look(t, exposure.LevelProbe, port)
			for _, err := range errs {
				t.Errorf("%s: %v", name, err)
			}
			if got := scantest.Rules(all); len(got) > 0 {
				t.Errorf("%s: %v", name, got)
			}
			if got := scantest.Covered(all, "ports", "ports/telnet", exposure.Location{Port: port}); got != c.covered {
				t.Errorf("%s: covered is %v", name, got)
			}
			if took := time.Since(began); took > 12*time.Second {
				t.Errorf("%s: it took %v", name, took)
			}
		})
	}
}

// drips says a letter now and then and never ends a line.
func drips(c net.Conn) {
	for {
		if _, err := io.WriteString(c, "S"); err != nil {
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
}

// far is a host that is reached by the answers of a table: each port, and each
// try.
type far struct {
	mu    sync.Mutex
	tries map[int]int
	at    func(port, try int) error
}

func (f *far) connect(_ context.Context, _, address string) (net.Conn, error) {
	_, text, _ := net.SplitHostPort(address)
	port, _ := strconv.Atoi(text)
	f.mu.Lock()
	f.tries[port]++
	try := f.tries[port]
	f.mu.Unlock()
	if err := f.at(port, try); err != nil {
		return nil, err
	}
	near, other := net.Pipe()
	go func() { defer other.Close(); io.WriteString(other, "RFB 003.008\n"); io.Copy(io.Discard, other) }()
	return near, nil
}

func (f *far) look(t *testing.T, ctx context.Context, e exposure.Engagement, last int) (all []exposure.Observation, errs []error) {
	t.Helper()
	f.tries = map[int]int{}
	n := guardtest.Open(t, guard.Config{Connect: f.connect}, e)
	j := scan.Job{Target: scan.Target{Kind: scan.Host, Host: "127.0.0.1"}, Level: exposure.LevelObserve, Network: n, Ports: []exposure.PortRange{{First: 1, Last: last}}}
	return scantest.RunContext(t, ctx, ports.Engine{}, j)
}

func coverage(all []exposure.Observation) []exposure.PortRange {
	for i := range all {
		if all[i].Kind == exposure.ObservedCoverage {
			return all[i].Coverage.Ports
		}
	}
	return nil
}

func TestStates(t *testing.T) {
	t.Parallel()
	refused := error(&net.OpError{Op: "dial", Err: os.NewSyscallError("connect", syscall.ECONNREFUSED)})
	late := error(&net.OpError{Op: "dial", Err: os.ErrDeadlineExceeded})
	none := error(&net.OpError{Op: "dial", Err: os.NewSyscallError("socket", syscall.EMFILE)})
	for name, c := range map[string]struct {
		at      func(port, try int) error
		covered []exposure.PortRange
		tries   map[int]int
	}{
		"closed":            {func(int, int) error { return refused }, []exposure.PortRange{{Protocol: "tcp", First: 1, Last: 50}}, map[int]int{1: 1, 50: 1}},
		"away":              {func(int, int) error { return late }, nil, map[int]int{1: 2, 50: 2}},
		"a filter":          {func(port, _ int) error { return map[bool]error{true: late, false: refused}[port > 10] }, []exposure.PortRange{{Protocol: "tcp", First: 1, Last: 50}}, map[int]int{10: 1, 11: 2}},
		"lost the first":    {func(_, try int) error { return map[bool]error{true: late, false: refused}[try == 1] }, []exposure.PortRange{{Protocol: "tcp", First: 1, Last: 50}}, map[int]int{1: 2, 50: 2}},
		"no sockets":        {func(port, _ int) error { return map[bool]error{true: none, false: refused}[port == 7] }, []exposure.PortRange{{Protocol: "tcp", First: 1, Last: 6}, {Protocol: "tcp", First: 8, Last: 50}}, map[int]int{7: 2}},
		"no sockets before": {func(_, try int) error { return map[bool]error{true: none, false: refused}[try == 1] }, []exposure.PortRange{{Protocol: "tcp", First: 1, Last: 50}}, map[int]int{7: 2}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := &far{at: c.at}
			all, errs := f.look(t, t.Context(), guardtest.Engagement(), 50)
			if len(errs) > 0 {
				t.Fatal(errs)
			}
			if diff := cmp.Diff(c.covered, coverage(all)); diff != "" {
				t.Errorf("coverage (-want +got):\n%s", diff)
			}
			for port, want := range c.tries {
				if f.tries[port] != want {
					t.Errorf("port %d was tried %d times, want %d", port, f.tries[port], want)
				}
			}
		})
	}
}

// A refusal ends the look, with an error and without coverage, and nothing is
// sent after it.
func TestRefused(t *testing.T) {
	t.Parallel()
	f := &far{at: func(int, int) error { return os.ErrDeadlineExceeded }}
	e := guardtest.Engagement()
	e.Exclusions = []string{"127.0.0.1"}
	all, errs := f.look(t, t.Context(), e, 50)
	if len(errs) != 1 || len(all) > 0 || len(f.tries) > 0 {
		t.Errorf("an excluded host gives %v, %v after %d tries", all, errs, len(f.tries))
	}

	e = guardtest.Engagement()
	e.Limits.Total = 20 // used up on the way
	f = &far{at: func(int, int) error {
		return &net.OpError{Op: "dial", Err: os.NewSyscallError("connect", syscall.ECONNREFUSED)}
	}}
	all, errs = f.look(t, t.Context(), e, 50)
	if len(errs) != 1 || coverage(all) != nil || len(f.tries) > 20 {
		t.Errorf("a total of 20 gives %v, %v after %d tries", all, errs, len(f.tries))
	}

	ctx, cancel := context.WithCancel(t.Context())
	f = &far{at: func(port, _ int) error {
		if port == 30 {
			cancel()
		}
		return os.ErrDeadlineExceeded
	}}
	if all, errs = f.look(t, ctx, guardtest.Engagement(), 50); len(errs) != 1 || coverage(all) != nil {
		t.Errorf("a look that was cancelled gives %v, %v", all, errs)
	}
}

func TestPortsAreWrong(t *testing.T) {
	t.Parallel()
	for _, r := range []exposure.PortRange{{First: 0, Last: 5}, {First: 5, Last: 1}, {First: 1, Last: 65536}} {
		j := scan.Job{Target: scan.Target{Kind: scan.Host, Host: "127.0.0.1"}, Network: network(t), Ports: []exposure.PortRange{r}}
		if all, errs := scantest.Run(t, ports.Engine{}, j); len(errs) != 1 || len(all) > 0 {
			t.Errorf("%v gives %v, %v", r, all, errs)
		}
	}
}
