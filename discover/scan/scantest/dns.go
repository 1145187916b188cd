package scantest

import (
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"golang.org/x/net/dns/dnsmessage"
)

// Zone is what a DNS server of a test answers: records as lines "name TYPE
// data", with names without the last dot. A name "*" is every other name.
type Zone struct {
	Records string
	// Transfer is the name of a zone that is given to anybody as a whole.
	Transfer string
	// Failing are names about which it says SERVFAIL.
	Failing []string
}

// DNS starts a server for a zone on loopback, by UDP and TCP at the same port,
// and returns its address.
func DNS(t testing.TB, z Zone) string {
	t.Helper()
	s := &server{zone: z, names: map[string]bool{}}
	for line := range strings.Lines(z.Records) {
		name, rest, _ := strings.Cut(strings.TrimSpace(line), " ")
		kind, data, ok := strings.Cut(rest, " ")
		if name == "" {
			continue
		}
		body := resource(kind, data)
		if !ok || body == nil {
			t.Fatalf("no record: %q", line)
		}
		s.records = append(s.records, record{strings.ToLower(name), body})
		for n := strings.ToLower(name); n != ""; _, n, _ = strings.Cut(n, ".") {
			s.names[n] = true
		}
	}
	for range 20 {
		tcp, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		udp, err := net.ListenPacket("udp", tcp.Addr().String())
		if err != nil {
			tcp.Close() // that port of UDP is taken
			continue
		}
		t.Cleanup(func() { tcp.Close(); udp.Close() })
		go s.packets(udp)
		go s.streams(tcp)
		return tcp.Addr().String()
	}
	t.Fatal("no port is free for both UDP and TCP")
	return ""
}

type record struct {
	name string
	body dnsmessage.ResourceBody
}

type server struct {
	zone    Zone
	records []record
	names   map[string]bool // those that exist, if only above others
}

func name(s string) dnsmessage.Name {
	n, err := dnsmessage.NewName(strings.TrimSuffix(s, ".") + ".")
	if err != nil {
		return dnsmessage.MustNewName("broken.invalid.")
	}
	return n
}

func resource(kind, data string) dnsmessage.ResourceBody {
	var a, b uint16
	var rest string
	switch kind {
	case "A", "AAAA":
		addr, err := netip.ParseAddr(data)
		switch {
		case err != nil:
			return nil
		case addr.Is4():
			return &dnsmessage.AResource{A: addr.As4()}
		}
		return &dnsmessage.AAAAResource{AAAA: addr.As16()}
	case "CNAME":
		return &dnsmessage.CNAMEResource{CNAME: name(data)}
	case "NS":
		return &dnsmessage.NSResource{NS: name(data)}
	case "MX":
		fmt.Sscanf(data, "%d %s", &a, &rest)
		return &dnsmessage.MXResource{Pref: a, MX: name(rest)}
	case "TXT":
		parts := []string{}
		for chunk := range slices.Chunk([]byte(data), 255) {
			parts = append(parts, string(chunk))
		}
		return &dnsmessage.TXTResource{TXT: parts}
	case "SOA":
		return &dnsmessage.SOAResource{NS: name(data), MBox: name("hostmaster." + data), Serial: 1, Refresh: 2, Retry: 3, Expire: 4, MinTTL: 5}
	case "SRV":
		fmt.Sscanf(data, "%d %d %s", &a, &b, &rest)
		return &dnsmessage.SRVResource{Priority: a, Port: b, Target: name(rest)}
	case "CAA":
		tag, value, _ := strings.Cut(data, " ")
		return &dnsmessage.UnknownResource{Type: 257, Data: append([]byte{0, byte(len(tag))}, tag+value...)}
	}
	return nil
}

func typeOf(b dnsmessage.ResourceBody) dnsmessage.Type {
	switch b := b.(type) {
	case *dnsmessage.AResource:
		return dnsmessage.TypeA
	case *dnsmessage.AAAAResource:
		return dnsmessage.TypeAAAA
	case *dnsmessage.CNAMEResource:
		return dnsmessage.TypeCNAME
	case *dnsmessage.NSResource:
		return dnsmessage.TypeNS
	case *dnsmessage.MXResource:
		return dnsmessage.TypeMX
	case *dnsmessage.TXTResource:
		return dnsmessage.TypeTXT
	case *dnsmessage.SOAResource:
		return dnsmessage.TypeSOA
	case *dnsmessage.SRVResource:
		return dnsmessage.TypeSRV
	case *dnsmessage.UnknownResource:
		return b.Type
	}
	return 0
}

const axfr = dnsmessage.Type(252)

// answer is what it says to a question, in one message.
func (s *server) answer(query []byte) []byte {
	var m dnsmessage.Message
	if m.Unpack(query) != nil || len(m.Questions) != 1 {
		return nil
	}
	q := m.Questions[0]
	asked := strings.ToLower(strings.TrimSuffix(q.Name.String(), "."))
	m.Header = dnsmessage.Header{ID: m.ID, Response: true, RecursionDesired: m.RecursionDesired, RecursionAvailable: true}
	m.Additionals = nil
	add := func(r record, as string) {
		h := dnsmessage.ResourceHeader{Name: name(as), Type: typeOf(r.body), Class: dnsmessage.ClassINET, TTL: 60}
		m.Answers = append(m.Answers, dnsmessage.Resource{Header: h, Body: r.body})
	}
	switch {
	case slices.Contains(s.zone.Failing, asked):
		m.RCode = dnsmessage.RCodeServerFailure
	case q.Type == axfr && asked == s.zone.Transfer:
		soa := record{asked, resource("SOA", "ns."+asked)}
		add(soa, asked)
		for _, r := range s.records {
			if r.name == asked || strings.HasSuffix(r.name, "."+asked) {
				add(r, r.name)
			}
		}
		add(soa, asked)
	case q.Type == axfr:
		m.RCode = dnsmessage.RCodeRefused
	default:
		at := asked
		for range 8 { // along a chain of CNAME, as resolvers go
			next := s.at(at, q.Type, add)
			if next == "" {
				break
			}
			at = next
		}
		if !s.names[at] && !s.names["*"] {
			m.RCode = dnsmessage.RCodeNameError
		}
	}
	b, err := m.Pack()
	if err != nil {
		return nil
	}
	return b
}

// at adds what is at a name, and returns where its CNAME leads.
func (s *server) at(at string, t dnsmessage.Type, add func(record, string)) (next string) {
	as := at
	if !s.names[at] {
		at = "*"
	}
	for _, r := range s.records {
		if r.name != at {
			continue
		}
		c, alias := r.body.(*dnsmessage.CNAMEResource)
		if typeOf(r.body) == t || alias {
			add(r, as)
		}
		if alias && t != dnsmessage.TypeCNAME {
			next = strings.ToLower(strings.TrimSuffix(c.CNAME.String(), "."))
		}
	}
	return next
}

func (s *server) packets(c net.PacketConn) {
	buf := make([]byte, 4096)
	for {
		n, from, err := c.ReadFrom(buf)
		if err != nil {
			return
		}
		b := s.answer(buf[:n])
		if len(b) > 512 {
			b = b[:12:12]
			b[2] |= 2 // cut off: ask by TCP
			q, _ := question(buf[:n])
			binary.BigEndian.PutUint16(b[4:], 1)
			copy(b[6:12], make([]byte, 6))
			b = append(b, q...)
		}
		c.WriteTo(b, from)
	}
}

// question is the question of a query, as it stands.
func question(query []byte) ([]byte, bool) {
	at := 12
	for at < len(query) && query[at] != 0 {
		at += 1 + int(query[at])
	}
	if at+5 > len(query) {
		return nil, false
	}
	return query[12 : at+5], true
}

func (s *server) streams(l net.Listener) {
	for {
		c, err := l.Accept()
		if err != nil {
			return
		}
		go func() {
			defer c.Close()
			for {
				var size [2]byte
				if _, err := io.ReadFull(c, size[:]); err != nil {
					return
				}
				query := make([]byte, binary.BigEndian.Uint16(size[:]))
				if _, err := io.ReadFull(c, query); err != nil {
					return
				}
				b := s.answer(query)
				if _, err := c.Write(append(binary.BigEndian.AppendUint16(nil, uint16(len(b))), b...)); err != nil {
					return
				}
			}
		}()
	}
}
