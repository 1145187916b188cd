package guard

import (
	"net/netip"
	"testing"

	"golang.org/x/net/dns/dnsmessage"
)

// What is read as a target reads the same again, and an address is never taken
// for a name.
func FuzzPattern(f *testing.F) {
	for _, s := range []string{"10.0.0.0/8", "::ffff:10.0.0.1", "*.example.com", "https://example.com:8443/a/b", "cloud:aws:1", "EXAMPLE.com.", "xn--bcher-kva.example", "http://[::1]:80/", "127.1", "0x7f000001"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		p, err := parsePattern(s)
		if err != nil {
			return
		}
		if p.name == "" && !p.prefix.IsValid() && p.cloud == "" {
			t.Fatalf("%q holds nothing", s)
		}
		if p.name == "" || p.isURL() {
			return
		}
		if _, err := netip.ParseAddr(p.name); err == nil {
			t.Fatalf("%q is read as the name %q, which is an address", s, p.name)
		}
		again, addr, err := canonicalHost(p.name)
		if err != nil || addr.IsValid() || again != p.name {
			t.Fatalf("%q is read as %q, and that as %q, %v, %v", s, p.name, again, addr, err)
		}
	})
}

// A server of the DNS that lies is an error, never a crash.
func FuzzAnswer(f *testing.F) {
	name := dnsmessage.MustNewName("example.com.")
	m := dnsmessage.Message{Header: dnsmessage.Header{ID: 1, Response: true}, Questions: []dnsmessage.Question{{Name: name, Type: dnsmessage.TypeMX, Class: dnsmessage.ClassINET}},
		Answers: []dnsmessage.Resource{{Header: dnsmessage.ResourceHeader{Name: name, Class: dnsmessage.ClassINET}, Body: &dnsmessage.MXResource{Pref: 10, MX: name}}}}
	packed, err := m.Pack()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(packed)
	f.Fuzz(func(t *testing.T, b []byte) {
		if a, _, err := readAnswer(b, 1, name, dnsmessage.TypeMX); err == nil && a != nil && len(a.Records) > maxRecords {
			t.Fatal("more records than are kept")
		}
	})
}
