package guard_test

import (
	"bufio"
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"os"
	"path"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/net/dns/dnsmessage"

	"github.com/leeward-ctem/leeward/exposure"
	"github.com/leeward-ctem/leeward/guard"
	"github.com/leeward-ctem/leeward/guard/guardtest"
)

// world is a network in memory in which everything answers, and every name has
// another address each time one asks. It notes who was reached.
type world struct {
	dns string

	mu      sync.Mutex
	rng     *rand.Rand
	answers map[string][]netip.Addr // all that were ever given
	fixed   map[string]netip.Addr   // names that keep their address
	dialled []netip.AddrPort
	aims    []string // hosts of targets, so that enough is in scope
	asked   []string // addr:port host path, of requests that arrived
}

var pool = func() (all []netip.Addr) {
	for _, s := range []string{
		"10.0.0.1", "10.0.0.2", "10.0.1.1", "10.1.0.1", "192.168.0.7", "172.16.5.5", "127.0.0.1", "127.0.0.2", "169.254.169.254", "100.100.100.200",
		"198.51.100.1", "198.51.100.2", "198.51.101.1", "203.0.113.9", "8.8.8.8", "224.0.0.1", "255.255.255.255", "0.0.0.0", "0.1.2.3", "240.0.0.1",
		"::1", "::", "fe80::1", "fd00:ec2::254", "fd12::1", "2001:db8::1", "2001:db8::2", "2001:db8:1::1", "ff02::1", "64:ff9b::a9fe:a9fe", "64:ff9b::a00:1", "2002:a00:1::", "::10.0.0.1",
	} {
		all = append(all, netip.MustParseAddr(s))
	}
	return all
}()

var hostNames = []string{"a.example", "www.a.example", "db.a.example", "x.y.a.example", "b.example", "www.b.example", "aa.example", "localhost", "internal"}
var paths = []string{"/", "/app", "/app/", "/app/x", "/apps", "/app/../admin", "/app/%2e%2e/admin", "/admin", "/admin/x", "/ADMIN/", "//admin", "/app//x", "/app/..;/admin", "/a%2fb", "/app\\..\\admin", "/app/%61dmin", "/%61dmin"}

func pick[T any](r *rand.Rand, all []T) T { return all[r.IntN(len(all))] }

func (w *world) connect(_ context.Context, network, address string) (net.Conn, error) {
	to := netip.MustParseAddrPort(address)
	w.mu.Lock()
	w.dialled = append(w.dialled, to)
	w.mu.Unlock()
	client, server := net.Pipe()
	go w.serve(server, to)
	return client, nil
}

// serve answers requests, mostly by sending the client elsewhere.
func (w *world) serve(c net.Conn, at netip.AddrPort) {
	defer c.Close()
	r := bufio.NewReader(c)
	for {
		req, err := http.ReadRequest(r)
		if err != nil {
			return
		}
		w.mu.Lock()
		w.asked = append(w.asked, fmt.Sprintf("%s %s %s", at, req.Host, req.RequestURI))
		to := w.address(w.rng)
		away := w.rng.IntN(3) > 0
		w.mu.Unlock()
		if away {
			fmt.Fprintf(c, "HTTP/1.1 302 Found\r\nLocation: %s\r\nContent-Length: 0\r\n\r\n", to)
			continue
		}
		fmt.Fprint(c, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
	}
}

func host(r *rand.Rand) string {
	if r.IntN(2) == 0 {
		return pick(r, hostNames)
	}
	a := pick(r, pool)
	if a.Is4() && r.IntN(4) == 0 {
		a = netip.AddrFrom16(a.As16()) // ::ffff:10.0.0.1
	}
	return a.String()
}

// odd are ways to write a host that somebody may read as an address.
var odd = []string{"2130706433", "0x7f.1", "127.1", "0177.0.0.1", "10.0.0.1.", "A.Example.", "a.example%00.b.example", "[::1]", "a。example", "10.0.0.1@a.example"}

func (w *world) address(r *rand.Rand) string {
	h := host(r)
	if r.IntN(2) == 0 && len(w.aims) > 0 {
		h = pick(r, w.aims)
	}
	if r.IntN(10) == 0 {
		h = pick(r, odd)
	}
	if strings.Contains(h, ":") && !strings.HasPrefix(h, "[") {
		h = "[" + h + "]"
	}
	return fmt.Sprintf("http://%s:%d%s", h, pick(r, []int{80, 8080}), pick(r, paths))
}

// serveDNS gives each question another answer.
func (w *world) serveDNS(conn net.PacketConn) {
	buf := make([]byte, 1500)
	for {
		n, from, err := conn.ReadFrom(buf)
		if err != nil {
			return
		}
		var m dnsmessage.Message
		if m.Unpack(buf[:n]) != nil || len(m.Questions) != 1 {
			continue
		}
		q := m.Questions[0]
		name := strings.TrimSuffix(strings.ToLower(q.Name.String()), ".")
		w.mu.Lock()
		a, ok := w.fixed[name]
		if !ok {
			a = pick(w.rng, pool)
		}
		m.Response, m.Additionals = true, nil
		h := dnsmessage.ResourceHeader{Name: q.Name, Type: q.Type, Class: q.Class}
		switch {
		case q.Type == dnsmessage.TypeA && a.Is4():
			m.Answers = []dnsmessage.Resource{{Header: h, Body: &dnsmessage.AResource{A: a.As4()}}}
		case q.Type == dnsmessage.TypeAAAA && a.Is6():
			m.Answers = []dnsmessage.Resource{{Header: h, Body: &dnsmessage.AAAAResource{AAAA: a.As16()}}}
		}
		if m.Answers != nil {
			w.answers[name] = append(w.answers[name], a)
		}
		w.mu.Unlock()
		out, err := m.Pack()
		if err != nil {
			continue
		}
		conn.WriteTo(out, from)
	}
}

// scopeOf makes rules at random.
func scopeOf(r *rand.Rand) exposure.Engagement {
	e := guardtest.Engagement()
	e.Level = pick(r, []exposure.Level{exposure.LevelObserve, exposure.LevelProbe})
	one := func() string {
		a := pick(r, pool)
		switch r.IntN(6) {
		case 0:
			return a.String()
		case 1:
			return netip.PrefixFrom(a, pick(r, []int{8, 16, 24, 30, 32})).Masked().String()
		case 2:
			return pick(r, hostNames)
		case 3:
			return "*." + pick(r, []string{"a.example", "b.example", "y.a.example"})
		case 4:
			return fmt.Sprintf("http://%s:%d%s", pick(r, hostNames), pick(r, []int{80, 8080}), pick(r, []string{"/", "/app", "/app/", "/admin"}))
		default:
			return fmt.Sprintf("http://%s/%s", netip.AddrPortFrom(a, uint16(pick(r, []int{80, 8080}))), pick(r, []string{"", "app", "admin"}))
		}
	}
	e.Targets, e.Exclusions = nil, nil
	for range 1 + r.IntN(4) {
		e.Targets = append(e.Targets, one())
	}
	for range r.IntN(3) {
		e.Exclusions = append(e.Exclusions, one())
	}
	return e
}

// within is what the rules say, written as plainly as can be: whether a request
// that arrived somewhere was allowed to. line is "addr:port host path".
func (w *world) within(e *exposure.Engagement, at netip.AddrPort, hostHeader, uri string) string {
	a := at.Addr().Unmap()
	if never(a) {
		return "it is never to be touched"
	}
	name, _, _ := strings.Cut(hostHeader, ":")
	if _, err := netip.ParseAddr(strings.Trim(hostHeader, "[]")); err == nil || strings.HasPrefix(hostHeader, "[") {
		name = ""
	}
	if _, err := netip.ParseAddr(name); err == nil {
		name = ""
	}
	if u, err := url.Parse(uri); err == nil && u.IsAbs() {
		uri = strings.TrimPrefix(uri, "http://"+u.Host)
	}
	raw, _, _ := strings.Cut(uri, "?")
	plain, err := url.PathUnescape(raw)
	if err != nil {
		plain = raw
	}
	odd := strings.ContainsAny(raw, ";\\%") || strings.Contains(raw, "//") || strings.Contains(raw, "..")
	clean := path.Clean("/" + strings.ReplaceAll(plain, "\\", "/"))
	about := func(pattern string, exclusion bool) (byAddr, byName bool) {
		if u, err := url.Parse(pattern); err == nil && strings.Contains(pattern, "://") {
			p := u.Port()
			if p == "" {
				p = "80"
			}
			if fmt.Sprint(at.Port()) != p {
				return false, false
			}
			under := strings.TrimSuffix(u.Path, "/")
			in := clean == under || strings.HasPrefix(clean, under+"/")
			if exclusion {
				in = in || strings.HasPrefix(strings.ToLower(clean)+"/", strings.ToLower(under)+"/")
			} else if under != "" && odd && strings.Contains(raw, "..") {
				in = false
			}
			if !in {
				return false, false
			}
			pattern = u.Hostname()
		}
		if n, err := netip.ParsePrefix(pattern); err == nil {
			return n.Contains(a), false
		}
		if x, err := netip.ParseAddr(pattern); err == nil {
			return x.Unmap() == a, false
		}
		if below, ok := strings.CutPrefix(pattern, "*."); ok {
			return false, name != "" && strings.HasSuffix(name, "."+below)
		}
		return false, name != "" && name == pattern
	}
	for _, x := range e.Exclusions {
		if byAddr, byName := about(x, true); byAddr || byName {
			return "it is excluded by " + x
		}
		if w.fixed[x] == a {
			return "it is the address of " + x + ", which is excluded"
		}
	}
	addr, named := false, false
	for _, x := range e.Targets {
		byAddr, byName := about(x, false)
		addr, named = addr || byAddr, named || byName
	}
	switch {
	case name == "" && !addr:
		return "no target holds the address"
	case name != "" && !named:
		return "no target holds the name"
	case (a.IsPrivate() || a.IsLoopback()) && !addr:
		return "it is private and not named"
	}
	return ""
}

func never(a netip.Addr) bool {
	if a.IsMulticast() || a.IsLinkLocalUnicast() || a.IsUnspecified() || a == netip.MustParseAddr("fd00:ec2::254") || a == netip.MustParseAddr("100.100.100.200") {
		return true
	}
	if a.Is4() {
		b := a.As4()
		return b[0] == 0 || b[0] >= 224
	}
	for _, p := range []string{"64:ff9b::/96", "2002::/16", "::/96"} {
		if netip.MustParsePrefix(p).Contains(a) && a != netip.IPv6Loopback() {
			return true
		}
	}
	return false
}

// Whatever the rules, the redirects, and what the DNS says from one moment to
// the next: nothing arrives outside the scope.
func TestNothingLeavesTheScope(t *testing.T) {
	t.Parallel()
	cases := 10_000
	if os.Getenv("LEEWARD_TEST_ALL") != "" {
		cases = 100_000
	}
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	seed := uint64(time.Now().UnixNano())
	r := rand.New(rand.NewPCG(seed, 1))
	w := &world{dns: conn.LocalAddr().String(), rng: rand.New(rand.NewPCG(seed, 2)), answers: map[string][]netip.Addr{}, fixed: map[string]netip.Addr{}}
	go w.serveDNS(conn)
	arrived, refusals := 0, 0
	for n := range cases {
		e := scopeOf(r)
		w.mu.Lock()
		w.answers, w.fixed, w.dialled, w.asked = map[string][]netip.Addr{}, map[string]netip.Addr{}, nil, nil
		for _, x := range e.Exclusions {
			for _, name := range hostNames {
				if x == name {
					w.fixed[x] = pick(w.rng, pool)
				}
			}
		}
		w.aims = nil
		for _, x := range e.Targets {
			if u, err := url.Parse(x); err == nil && strings.Contains(x, "://") {
				x = u.Hostname()
			}
			x, _, _ = strings.Cut(x, "/")
			w.aims = append(w.aims, strings.Replace(x, "*", "w", 1))
		}
		w.mu.Unlock()
		if _, ok := w.fixed["localhost"]; ok {
			continue // the system's file of hosts answers that
		}
		log := &guardtest.Log{}
		g := guard.New(guard.Config{Auditor: log, Now: time.Now, Resolver: w.dns, Connect: w.connect})
		if err := g.Grant(guard.Grant{Engagements: []exposure.Engagement{e}}); err != nil {
			t.Fatalf("%v: %v", e.Targets, err)
		}
		s := g.Session(0, "property")
		for range 1 + r.IntN(3) {
			req := &guard.Request{URL: w.address(r), Redirects: 4, Fresh: true}
			if r.IntN(4) == 0 {
				req.Path = pick(r, paths)
				if strings.ContainsAny(req.Path, "\\") {
					req.Path = ""
				}
			}
			if r.IntN(4) == 0 {
				req.Method, req.Body = "POST", []byte("x")
			}
			if _, err := s.Do(t.Context(), req); refused(err) {
				refusals++
			}
		}
		s.Close()
		w.mu.Lock()
		arrived += len(w.asked)
		where := map[string]netip.Addr{}
		for _, line := range w.asked {
			f := strings.SplitN(line, " ", 3)
			at := netip.MustParseAddrPort(f[0])
			if why := w.within(&e, at, f[1], f[2]); why != "" {
				t.Errorf("case %d of seed %d: targets %q, exclusions %q: %s was reached: %s", n, seed, e.Targets, e.Exclusions, line, why)
			}
			name, _, _ := strings.Cut(f[1], ":")
			if before, ok := where[name]; ok && before != at.Addr() && !strings.HasPrefix(f[1], "[") {
				t.Errorf("case %d of seed %d: %s was reached at %s and at %s", n, seed, name, before, at.Addr())
			}
			where[name] = at.Addr()
		}
		decided := 0
		for _, entry := range log.Entries() {
			if entry.Kind == guard.Decided && entry.Allowed {
				decided++
			}
		}
		if len(w.dialled) > 0 && decided == 0 {
			t.Errorf("case %d of seed %d: connections without a decision", n, seed)
		}
		w.mu.Unlock()
		if t.Failed() {
			return
		}
	}
	if arrived < cases/10 || refusals < cases/10 {
		t.Errorf("of %d cases only %d requests arrived and %d were refused: the test tests little", cases, arrived, refusals)
	}
	t.Logf("%d cases, %d requests arrived, %d refused", cases, arrived, refusals)
}
