package guard_test

import (
	"net"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/net/dns/dnsmessage"

	"github.com/leeward-ctem/leeward/exposure"
	"github.com/leeward-ctem/leeward/guard"
	"github.com/leeward-ctem/leeward/guard/guardtest"
)

func TestDecide(t *testing.T) {
	t.Parallel()
	base := exposure.Engagement{
		Name: "n", Owner: "o", Level: exposure.LevelProbe, Expires: time.Now().Add(time.Hour),
		Targets:    []string{"10.1.0.0/16", "*.example.com", "example.org", "203.0.113.0/24", "https://app.example.net/shop"},
		Exclusions: []string{"10.1.9.0/24", "db.example.com", "https://www.example.com/admin"},
		Proofs:     []exposure.Proved{{Target: "example.com", At: time.Now()}, {Target: "203.0.113.5", At: time.Now()}},
	}
	public, inside := netip.MustParseAddr("198.51.100.1"), netip.MustParseAddr("10.1.2.3")
	for name, tt := range map[string]struct {
		a    guard.Action
		addr netip.Addr
		why  string // empty: allowed
	}{
		"in the network":                 {guard.Action{Host: "10.1.2.3", Port: 22}, netip.Addr{}, ""},
		"mapped into IPv6":               {guard.Action{Host: "::ffff:10.1.2.3", Port: 22}, netip.Addr{}, ""},
		"mapped, excluded":               {guard.Action{Host: "::ffff:10.1.9.3", Port: 22}, netip.Addr{}, "excluded by 10.1.9.0/24"},
		"beside it":                      {guard.Action{Host: "10.2.0.1", Port: 22}, netip.Addr{}, "no target holds 10.2.0.1"},
		"below the name":                 {guard.Action{Host: "WWW.Example.com.", Port: 22}, public, ""},
		"the name itself":                {guard.Action{Host: "example.com", Port: 22}, public, "no target is named example.com"},
		"a name that ends alike":         {guard.Action{Host: "notexample.com", Port: 22}, public, "no target is named"},
		"an excluded name":               {guard.Action{Host: "db.example.com", Port: 22}, public, "excluded by db.example.com"},
		"a name that points inside":      {guard.Action{Host: "www.example.com", Port: 22}, inside, ""},
		"a name that points to loopback": {guard.Action{Host: "www.example.com", Port: 22}, netip.MustParseAddr("127.0.0.1"), "private or loopback"},
		"a name that points to metadata": {guard.Action{Host: "www.example.com", Port: 80}, netip.MustParseAddr("169.254.169.254"), "never touched"},
		"a port of an excluded URL":      {guard.Action{Host: "www.example.com", Port: 443}, public, "excluded by https://www.example.com/admin"},
		"a part of an origin":            {guard.Action{Host: "app.example.net", Port: 443}, public, "no target is named app.example.net"},
		"a probe, proved":                {guard.Action{Host: "www.example.com", Port: 22, Level: exposure.LevelProbe}, public, ""},
		"a probe, not proved":            {guard.Action{Host: "example.org", Port: 22, Level: exposure.LevelProbe}, public, "nobody proved to own it"},
		"a probe of a proved address":    {guard.Action{Host: "203.0.113.5", Port: 22, Level: exposure.LevelProbe}, netip.Addr{}, ""},
		"a probe of the one beside":      {guard.Action{Host: "203.0.113.6", Port: 22, Level: exposure.LevelProbe}, netip.Addr{}, "nobody proved"},
		"a probe inside":                 {guard.Action{Host: "10.1.2.3", Port: 22, Level: exposure.LevelProbe}, netip.Addr{}, ""},
		"more than agreed":               {guard.Action{Host: "10.1.2.3", Port: 22, Level: exposure.LevelAuthenticated}, netip.Addr{}, "the level is authenticated"},
		"credentials":                    {guard.Action{Host: "10.1.2.3", Port: 22, Credentials: true}, netip.Addr{}, "does not allow to try credentials"},
		"no port":                        {guard.Action{Host: "10.1.2.3"}, netip.Addr{}, "port 0 is none"},
		"a number":                       {guard.Action{Host: "167837955", Port: 22}, netip.Addr{}, "no address in its plain form"},
		"another protocol":               {guard.Action{Host: "10.1.2.3", Port: 22, Protocol: "ip4:icmp"}, netip.Addr{}, "tcp or udp"},
		"a zone":                         {guard.Action{Host: "fe80::1%eth0", Port: 22}, netip.Addr{}, "of one link only"},
	} {
		against := strings.Join(guard.Decide(&base, &tt.a, tt.addr, time.Now()), "; ")
		if (tt.why == "") != (against == "") || !strings.Contains(against, tt.why) {
			t.Errorf("%s: %q, want %q", name, against, tt.why)
		}
	}
}

func TestCheck(t *testing.T) {
	t.Parallel()
	now := time.Now()
	good := guardtest.Engagement()
	if err := guard.Check(&good, now); err != nil {
		t.Fatal(err)
	}
	for why, change := range map[string]func(*exposure.Engagement){
		"need a name":         func(e *exposure.Engagement) { e.Name = " " },
		"who answers":         func(e *exposure.Engagement) { e.Owner = "" },
		"no target":           func(e *exposure.Engagement) { e.Targets = nil },
		"emulation":           func(e *exposure.Engagement) { e.Level = exposure.LevelEmulation },
		"until when":          func(e *exposure.Engagement) { e.Expires = time.Time{} },
		"before they begin":   func(e *exposure.Engagement) { e.Expires = now.Add(-time.Hour) },
		"more than 90 days":   func(e *exposure.Engagement) { e.Expires = now.Add(91 * 24 * time.Hour) },
		"beyond what":         func(e *exposure.Engagement) { e.Limits.Rate = 1e9 },
		"zone":                func(e *exposure.Engagement) { e.Zone = "Mars/Base" },
		"no date":             func(e *exposure.Engagement) { e.Blackouts = []string{"24.12."} },
		"day":                 func(e *exposure.Engagement) { e.Windows = []exposure.Window{{Days: []string{"someday"}}} },
		"write it as 15:04":   func(e *exposure.Engagement) { e.Windows = []exposure.Window{{From: "8", Until: "9"}} },
		"no network":          func(e *exposure.Engagement) { e.Targets = []string{"10.0.0.0/99"} },
		"all of IPv4":         func(e *exposure.Engagement) { e.Targets = []string{"::ffff:0:0/80"} },
		"top-level":           func(e *exposure.Engagement) { e.Targets = []string{"*.com"} },
		"only http and https": func(e *exposure.Engagement) { e.Targets = []string{"ftp://example.com/"} },
		"holds credentials":   func(e *exposure.Engagement) { e.Targets = []string{"https://u:p@example.com/"} },
		"has no query":        func(e *exposure.Engagement) { e.Targets = []string{"https://example.com/?a=b"} },
		"plain form":          func(e *exposure.Engagement) { e.Exclusions = []string{"https://example.com/a/../b"} },
		"an address has no":   func(e *exposure.Engagement) { e.Targets = []string{"*.10.0.0.1"} },
		"no host":             func(e *exposure.Engagement) { e.Targets = []string{"exa mple.com"} },
		"empty or too long":   func(e *exposure.Engagement) { e.Targets = []string{""} },
		"no account":          func(e *exposure.Engagement) { e.Targets = []string{"cloud:"} },
		"10000 targets":       func(e *exposure.Engagement) { e.Targets = make([]string, 10_001) },
	} {
		e := guardtest.Engagement()
		change(&e)
		if err := guard.Check(&e, now); err == nil || !strings.Contains(err.Error(), strings.Replace(why, "an address has no", "an address has nothing", 1)) {
			t.Errorf("want %q: %v", why, err)
		}
	}
}

// Names of targets may be asked about, what tells of them, and what answers led
// to; nothing else.
func TestLookup(t *testing.T) {
	t.Parallel()
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	var asked []string
	var mu sync.Mutex
	go func() {
		buf := make([]byte, 1500)
		for {
			n, from, err := conn.ReadFrom(buf)
			if err != nil {
				return
			}
			var m dnsmessage.Message
			if m.Unpack(buf[:n]) != nil {
				continue
			}
			q := m.Questions[0]
			mu.Lock()
			asked = append(asked, q.Name.String())
			mu.Unlock()
			m.Response = true
			h := dnsmessage.ResourceHeader{Name: q.Name, Type: q.Type, Class: q.Class, TTL: 60}
			switch {
			case q.Name.String() == "gone.example.test.":
				m.RCode = dnsmessage.RCodeNameError
			case q.Type == dnsmessage.TypeCNAME:
				m.Answers = []dnsmessage.Resource{{Header: h, Body: &dnsmessage.CNAMEResource{CNAME: dnsmessage.MustNewName("bucket.elsewhere.test.")}}}
			case q.Type == dnsmessage.TypeTXT:
				m.Answers = []dnsmessage.Resource{{Header: h, Body: &dnsmessage.TXTResource{TXT: []string{"v=spf1 ", "-all"}}}}
			case q.Type == 257:
				m.Answers = []dnsmessage.Resource{{Header: h, Body: &dnsmessage.UnknownResource{Type: 257, Data: append([]byte{0, 5}, "issueca.example"...)}}}
			}
			out, _ := m.Pack()
			conn.WriteTo(out, from)
		}
	}()
	s := guardtest.LoopbackWithResolver(t, conn.LocalAddr().String())
	for _, tt := range []struct{ name, kind, want string }{
		{"bucket.elsewhere.test", "A", "refused"},
		{"www.example.test", "CNAME", "NOERROR bucket.elsewhere.test"},
		{"bucket.elsewhere.test", "TXT", "NOERROR v=spf1 -all"},
		{"other.elsewhere.test", "A", "refused"},
		{"_dmarc.example.test", "TXT", "NOERROR v=spf1 -all"},
		{"a._domainkey.example.test", "TXT", "NOERROR v=spf1 -all"},
		{"_dmarc.elsewhere.test", "TXT", "refused"},
		{"example.test", "CAA", `NOERROR 0 issue "ca.example"`},
		{"gone.example.test", "A", "NXDOMAIN"},
		{"1.0.0.127.in-addr.arpa", "PTR", "NOERROR"},
		{"1.0.0.10.in-addr.arpa", "PTR", "refused"},
		{"example.test", "AXFR", "record type"},
		{"", "A", "no name"},
	} {
		got := ""
		a, err := s.Lookup(t.Context(), tt.name, tt.kind)
		switch {
		case refused(err):
			got = "refused"
		case err != nil:
			got = err.Error()
		default:
			got = a.Code
			for _, r := range a.Records {
				got += " " + r.Data
			}
		}
		if !strings.HasPrefix(got, tt.want) && !strings.Contains(got, tt.want) {
			t.Errorf("%s %s: %s, want %s", tt.kind, tt.name, got, tt.want)
		}
	}
	mu.Lock()
	defer mu.Unlock()
	for _, name := range asked {
		if strings.Contains(name, "other.") || strings.Contains(name, "_dmarc.elsewhere") {
			t.Errorf("%s was asked about", name)
		}
	}
}
