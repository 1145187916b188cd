package guard

import (
	"cmp"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/netip"
	"os"
	"slices"
	"strings"
	"time"

	"golang.org/x/net/dns/dnsmessage"

	"github.com/leeward-ctem/leeward/exposure"
)

const (
	lookupTimeout = 3 * time.Second
	lookupTries   = 3
	maxRecords    = 1000
	typeCAA       = dnsmessage.Type(257)
)

var recordTypes = map[string]dnsmessage.Type{
	"A": dnsmessage.TypeA, "AAAA": dnsmessage.TypeAAAA, "CNAME": dnsmessage.TypeCNAME, "MX": dnsmessage.TypeMX, "NS": dnsmessage.TypeNS,
	"TXT": dnsmessage.TypeTXT, "SOA": dnsmessage.TypeSOA, "SRV": dnsmessage.TypeSRV, "PTR": dnsmessage.TypePTR, "CAA": typeCAA,
}

// resolver asks one DNS server.
type resolver struct {
	server string
	net    *net.Resolver
}

// newResolver makes one that asks server, or whom the system is set up to ask.
func newResolver(server string) *resolver {
	r := &resolver{server: server, net: &net.Resolver{PreferGo: true}}
	if server == "" {
		r.server = systemResolver()
		return r
	}
	r.net.Dial = func(ctx context.Context, network, _ string) (net.Conn, error) {
		return (&net.Dialer{Timeout: lookupTimeout}).DialContext(ctx, network, server)
	}
	return r
}

// systemResolver is the first name server of resolv.conf(5), or the one that
// the manual says is asked without.
func systemResolver() string {
	conf, _ := os.ReadFile("/etc/resolv.conf")
	for line := range strings.Lines(string(conf)) {
		if f := strings.Fields(line); len(f) > 1 && f[0] == "nameserver" {
			return net.JoinHostPort(f[1], "53")
		}
	}
	return "127.0.0.1:53"
}

func notFound(err error) bool {
	var dns *net.DNSError
	return errors.As(err, &dns) && dns.IsNotFound
}

// addresses returns the addresses of a name, those of IPv4 first.
func (r *resolver) addresses(ctx context.Context, name string) ([]netip.Addr, error) {
	ctx, cancel := context.WithTimeout(ctx, lookupTries*lookupTimeout)
	defer cancel()
	ask := name
	if strings.Contains(name, ".") {
		ask += "." // as it stands, without the search domains
	}
	all, err := r.net.LookupNetIP(ctx, "ip", ask)
	for i := range all {
		all[i] = all[i].Unmap()
	}
	slices.SortFunc(all, func(a, b netip.Addr) int { return cmp.Or(cmp.Compare(a.BitLen(), b.BitLen()), a.Compare(b)) })
	return all, err
}

func (r *resolver) address(ctx context.Context, name string) (netip.Addr, error) {
	all, err := r.addresses(ctx, name)
	if err != nil {
		return netip.Addr{}, err
	}
	if len(all) == 0 {
		return netip.Addr{}, &net.DNSError{Err: "no address", Name: name, IsNotFound: true}
	}
	return all[0], nil
}

// Lookup implements [Network].
func (s *Session) Lookup(ctx context.Context, name, kind string) (*Answer, error) {
	t, ok := recordTypes[strings.ToUpper(kind)]
	if !ok {
		return nil, exposure.Errorf(exposure.Invalid, "record type %q: one of A, AAAA, CNAME, MX, NS, TXT, SOA, SRV, PTR, CAA", cut(kind))
	}
	plain := strings.TrimSuffix(strings.ToLower(name), ".")
	host, _, err := canonicalHost(plain)
	if err != nil || host == "" {
		host = ""
		if t == dnsmessage.TypePTR {
			host = plain
		}
	}
	if host == "" {
		return nil, exposure.Errorf(exposure.Invalid, "%q is no name to look up", cut(name))
	}
	q := &ask{where: where{name: host}, level: exposure.LevelObserve, lookup: true}
	if _, err := s.judgeLookup(ctx, q, "DNS "+strings.ToUpper(kind)+" of "+host); err != nil {
		return nil, err
	}
	s.sent.Add(1)
	live, end := s.alive(ctx)
	defer end()
	answer, err := s.dns.exchange(live, host, t)
	if err != nil {
		return nil, err
	}
	s.lead(answer)
	return answer, nil
}

// lead remembers the names that an answer led to.
func (s *Session) lead(a *Answer) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, r := range a.Records {
		to := r.Data
		switch r.Kind {
		case "MX", "SRV":
			to = to[strings.LastIndexByte(to, ' ')+1:]
		case "CNAME", "NS", "PTR":
		default:
			continue
		}
		if len(s.led) < maxLed {
			s.led[strings.ToLower(to)] = struct{}{}
		}
	}
}

// judgeLookup decides whether the resolver may be asked about a name: one of a
// target, an attribute of one (_dmarc), the name of an address in scope, or one
// that an answer led to.
func (s *Session) judgeLookup(ctx context.Context, q *ask, action string) (*rules, error) {
	r, against := s.guard.leave(s.engagement)
	if len(against) > 0 {
		return nil, s.refuse(ctx, q, action, against)
	}
	key := leaseKey{host: q.name, protocol: "dns"}
	s.mu.Lock()
	_, led := s.led[q.name]
	l := s.decided[key]
	s.mu.Unlock()
	if l != nil && l.rules == r {
		return r, nil
	}
	against = r.allows(q, nil)
	if len(against) > 0 && (led && r.excludes(q, nil) == "" || r.describes(q)) {
		against = nil
	}
	if len(against) > 0 {
		return nil, s.refuse(ctx, q, action, against)
	}
	if dry := s.guard.cfg.Dry; dry != nil {
		dry(Entry{Kind: Decided, Engagement: s.engagement, Scan: s.scan, Action: action, Host: q.name, Level: q.level.String(), Allowed: true, At: s.guard.cfg.Now()})
		return nil, &Refusal{Action: action, Reasons: []string{"this is a dry run"}}
	}
	if err := s.record(ctx, Entry{Kind: Decided, Action: action, Host: q.name, Level: q.level.String(), Allowed: true}); err != nil {
		return nil, fmt.Errorf("the decision could not be written down, so nothing is asked: %w", err)
	}
	s.mu.Lock()
	if len(s.decided) < maxPinned {
		s.decided[key] = &lease{rules: r}
	}
	s.mu.Unlock()
	return r, nil
}

// describes reports whether a name tells of a target: _dmarc.example.com of
// example.com, 4.3.2.1.in-addr.arpa of 1.2.3.4.
func (r *rules) describes(q *ask) bool {
	if a, ok := reverse(q.name); ok {
		back := &ask{where: where{addr: a, protocol: "tcp"}, level: q.level, lookup: true}
		return r.excludes(back, nil) == "" && slices.ContainsFunc(r.targets, func(p pattern) bool { return p.holdsAddr(a) })
	}
	last := -1
	labels := strings.Split(q.name, ".")
	for i, l := range labels {
		if strings.HasPrefix(l, "_") {
			last = i
		}
	}
	if last < 0 || last+1 >= len(labels) {
		return false
	}
	of := *q
	of.name = strings.Join(labels[last+1:], ".")
	return len(r.allows(&of, nil)) == 0
}

// reverse returns the address that a name of the reverse zones is of.
func reverse(name string) (netip.Addr, bool) {
	if four, ok := strings.CutSuffix(name, ".in-addr.arpa"); ok {
		labels := strings.Split(four, ".")
		slices.Reverse(labels)
		a, err := netip.ParseAddr(strings.Join(labels, "."))
		return a, err == nil && a.Is4()
	}
	six, ok := strings.CutSuffix(name, ".ip6.arpa")
	labels := strings.Split(six, ".")
	if !ok || len(labels) != 32 {
		return netip.Addr{}, false
	}
	slices.Reverse(labels)
	text := ""
	for i, l := range labels {
		if i > 0 && i%4 == 0 {
			text += ":"
		}
		text += l
	}
	a, err := netip.ParseAddr(text)
	return a, err == nil
}

// exchange asks the server by UDP, and by TCP when the answer is cut off.
func (r *resolver) exchange(ctx context.Context, name string, t dnsmessage.Type) (*Answer, error) {
	qname, err := dnsmessage.NewName(name + ".")
	if err != nil {
		return nil, exposure.Errorf(exposure.Invalid, "%q is no name to look up", cut(name))
	}
	var last error
	for range lookupTries {
		id := uint16(rand.Uint32())
		msg := dnsmessage.Message{Header: dnsmessage.Header{ID: id, RecursionDesired: true}, Questions: []dnsmessage.Question{{Name: qname, Type: t, Class: dnsmessage.ClassINET}}}
		query, err := msg.Pack()
		if err != nil {
			return nil, err
		}
		for _, network := range []string{"udp", "tcp"} {
			var reply []byte
			if reply, last = r.roundTrip(ctx, network, id, query); last != nil {
				break
			}
			a, cutOff, err := readAnswer(reply, id, qname, t)
			if last = err; err == nil && (!cutOff || network == "tcp") {
				return a, nil
			}
			if err != nil {
				break
			}
		}
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
	}
	return nil, fmt.Errorf("look up %s: %w", name, last)
}

func (r *resolver) roundTrip(ctx context.Context, network string, id uint16, query []byte) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, lookupTimeout)
	defer cancel()
	c, err := (&net.Dialer{}).DialContext(ctx, network, r.server)
	if err != nil {
		return nil, err
	}
	defer c.Close()
	stop := context.AfterFunc(ctx, func() { c.Close() })
	defer stop()
	if network == "tcp" {
		if _, err := c.Write(append(binary.BigEndian.AppendUint16(nil, uint16(len(query))), query...)); err != nil {
			return nil, err
		}
		var size [2]byte
		if _, err := io.ReadFull(c, size[:]); err != nil {
			return nil, err
		}
		reply := make([]byte, binary.BigEndian.Uint16(size[:]))
		_, err := io.ReadFull(c, reply)
		return reply, err
	}
	if _, err := c.Write(query); err != nil {
		return nil, err
	}
	buf := make([]byte, 65535)
	for range 16 { // answers to others are not ours
		n, err := c.Read(buf)
		if err != nil {
			return nil, err
		}
		if n >= 2 && binary.BigEndian.Uint16(buf) == id {
			return buf[:n], nil
		}
	}
	return nil, errors.New("only answers to other questions came")
}

// readAnswer reads a reply to a question.
func readAnswer(reply []byte, id uint16, name dnsmessage.Name, t dnsmessage.Type) (a *Answer, cutOff bool, err error) {
	var p dnsmessage.Parser
	h, err := p.Start(reply)
	if err != nil {
		return nil, false, fmt.Errorf("a broken DNS answer: %w", err)
	}
	q, err := p.AllQuestions()
	if err != nil || h.ID != id || !h.Response || len(q) != 1 || q[0].Type != t || !strings.EqualFold(q[0].Name.String(), name.String()) {
		return nil, false, errors.New("a DNS answer to another question")
	}
	if h.Truncated {
		return nil, true, nil
	}
	a = &Answer{Code: codeText(h.RCode)}
	for len(a.Records) < maxRecords {
		rh, err := p.AnswerHeader()
		if errors.Is(err, dnsmessage.ErrSectionDone) {
			return a, false, nil
		}
		if err != nil {
			return nil, false, fmt.Errorf("a broken DNS answer: %w", err)
		}
		kind, data, err := recordData(&p, rh.Type)
		if err != nil {
			return nil, false, fmt.Errorf("a broken DNS answer: %w", err)
		}
		if kind != "" {
			a.Records = append(a.Records, Record{Name: dotless(rh.Name), Kind: kind, TTL: rh.TTL, Data: data})
		}
	}
	return a, false, nil
}

func codeText(c dnsmessage.RCode) string {
	switch c {
	case dnsmessage.RCodeSuccess:
		return "NOERROR"
	case dnsmessage.RCodeNameError:
		return "NXDOMAIN"
	case dnsmessage.RCodeServerFailure:
		return "SERVFAIL"
	case dnsmessage.RCodeRefused:
		return "REFUSED"
	case dnsmessage.RCodeFormatError:
		return "FORMERR"
	case dnsmessage.RCodeNotImplemented:
		return "NOTIMP"
	}
	return fmt.Sprintf("RCODE%d", uint16(c))
}

func dotless(n dnsmessage.Name) string { return strings.TrimSuffix(n.String(), ".") }

// recordData reads the record that comes next; kind is empty for one that is
// not read.
func recordData(p *dnsmessage.Parser, t dnsmessage.Type) (kind, data string, err error) {
	switch t {
	case dnsmessage.TypeA:
		r, err := p.AResource()
		return "A", netip.AddrFrom4(r.A).String(), err
	case dnsmessage.TypeAAAA:
		r, err := p.AAAAResource()
		return "AAAA", netip.AddrFrom16(r.AAAA).String(), err
	case dnsmessage.TypeCNAME:
		r, err := p.CNAMEResource()
		return "CNAME", dotless(r.CNAME), err
	case dnsmessage.TypeNS:
		r, err := p.NSResource()
		return "NS", dotless(r.NS), err
	case dnsmessage.TypePTR:
		r, err := p.PTRResource()
		return "PTR", dotless(r.PTR), err
	case dnsmessage.TypeMX:
		r, err := p.MXResource()
		return "MX", fmt.Sprintf("%d %s", r.Pref, dotless(r.MX)), err
	case dnsmessage.TypeTXT:
		r, err := p.TXTResource()
		return "TXT", strings.Join(r.TXT, ""), err
	case dnsmessage.TypeSRV:
		r, err := p.SRVResource()
		return "SRV", fmt.Sprintf("%d %d %d %s", r.Priority, r.Weight, r.Port, dotless(r.Target)), err
	case dnsmessage.TypeSOA:
		r, err := p.SOAResource()
		return "SOA", fmt.Sprintf("%s %s %d %d %d %d %d", dotless(r.NS), dotless(r.MBox), r.Serial, r.Refresh, r.Retry, r.Expire, r.MinTTL), err
	case typeCAA:
		r, err := p.UnknownResource()
		if err != nil {
			return "", "", err
		}
		return "CAA", caa(r.Data), nil
	}
	return "", "", p.SkipAnswer()
}

// caa is the data of a CAA record as a zone file has it, see RFC 8659 4.1.
func caa(b []byte) string {
	if len(b) < 2 || len(b) < 2+int(b[1]) {
		return ""
	}
	tag := int(b[1])
	return fmt.Sprintf("%d %s %q", b[0], b[2:2+tag], b[2+tag:])
}
