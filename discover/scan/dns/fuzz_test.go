package dns_test

import (
	"testing"

	"golang.org/x/net/dns/dnsmessage"

	"github.com/leeward-ctem/leeward/discover/scan/dns"
)

// FuzzRecords reads records and zones that nobody publishes.
func FuzzRecords(f *testing.F) {
	name := dnsmessage.MustNewName("a.example.test.")
	h := dnsmessage.ResourceHeader{Name: name, Type: dnsmessage.TypeA, Class: dnsmessage.ClassINET}
	m := dnsmessage.Message{Header: dnsmessage.Header{Response: true}, Answers: []dnsmessage.Resource{{Header: h, Body: &dnsmessage.AResource{A: [4]byte{192, 0, 2, 1}}}}}
	b, err := m.Pack()
	if err != nil {
		f.Fatal(err)
	}
	for _, s := range []string{"v=spf1 +all", "v=spf1 include:a ~ip4:1.2.3.4/24 redirect=_spf.%{d} -mx/24", "v=DKIM1; k=rsa; p=MIGf", "v=DMARC1; p=none"} {
		f.Add(s, append([]byte{byte(len(b) >> 8), byte(len(b))}, b...))
	}
	f.Fuzz(func(t *testing.T, record string, transfer []byte) {
		lookups, names := dns.Read(record, transfer)
		if lookups > len(record) || names > len(transfer) {
			t.Errorf("%d lookups of %d bytes, %d names of %d", lookups, len(record), names, len(transfer))
		}
	})
}
