package scope

import (
	"math/rand/v2"
	"net/netip"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/leeward-ctem/leeward/exposure"
)

func TestParseNetwork(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"10.66.0.0/16": "10.66.0.0/16", "10.1.2.3": "10.1.2.3/32", "0.0.0.0/0": "0.0.0.0/0", "2001:db8::/32": "2001:db8::/32", "2001:db8::1": "2001:db8::1/128",
		"::ffff:10.1.0.0/112": "10.1.0.0/16", "::ffff:10.1.2.3": "10.1.2.3/32", "::/0": "::/0",
	} {
		if p, reason := parseNetwork(text); p.String() != want || reason != "" {
			t.Errorf("%s: %v %s", text, p, reason)
		}
	}
	for text, want := range map[string]string{
		"10.66.1.5/16": "10.66.0.0/16, or 10.66.1.5", "2001:db8::1/32": "2001:db8::/32, or", "10.66.0.0/33": "no network", "10.66.*": "no network", "": "no network",
		"fe80::1%eth0": "zone", "10.66.0.0/016": "no network", "web-1": "no network",
	} {
		if _, reason := parseNetwork(text); !strings.Contains(reason, want) {
			t.Errorf("%s: %q", text, reason)
		}
	}
}

// An exclusion of a network holds for whatever an asset in it is known by.
func TestAddresses(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		asset exposure.Asset
		want  []string
	}{
		{exposure.Asset{Name: "web-1"}, nil},
		{exposure.Asset{Name: "cafe"}, nil},
		{exposure.Asset{Name: "10.0.0.5"}, []string{"10.0.0.5"}},
		{exposure.Asset{Name: "10.0.0.5:443"}, []string{"10.0.0.5"}},
		{exposure.Asset{Name: "[2001:db8::1]:443"}, []string{"2001:db8::1"}},
		{exposure.Asset{Name: "2001:db8::1"}, []string{"2001:db8::1"}},
		{exposure.Asset{Name: "https://10.0.0.5/login"}, []string{"10.0.0.5"}},
		{exposure.Asset{Name: "10.0.0.5.example.com"}, nil},
		{exposure.Asset{Identifiers: []exposure.Identifier{{Kind: exposure.IDIP, Value: "10.0.0.5"}, {Kind: exposure.IDIP, Value: "10.0.0.6"}}}, []string{"10.0.0.5", "10.0.0.6"}},
		{exposure.Asset{Name: "10.0.0.5", Identifiers: []exposure.Identifier{{Kind: exposure.IDIP, Value: "10.0.0.5"}}}, []string{"10.0.0.5"}},
		{exposure.Asset{Identifiers: []exposure.Identifier{{Kind: exposure.IDURL, Value: "http://user@10.0.0.5:8080/a?b=http://10.9.9.9/"}}}, []string{"10.0.0.5"}},
		{exposure.Asset{Identifiers: []exposure.Identifier{{Kind: exposure.IDURL, Value: "http://[2001:DB8::1]:8080"}}}, []string{"2001:db8::1"}},
		{exposure.Asset{Identifiers: []exposure.Identifier{{Kind: exposure.IDIP, Value: "fe80::1%eth0"}}}, []string{"fe80::1"}},
		{exposure.Asset{Identifiers: []exposure.Identifier{{Kind: exposure.IDIP, Value: "::ffff:10.0.0.5"}}}, []string{"10.0.0.5"}},
		{exposure.Asset{Identifiers: []exposure.Identifier{{Kind: exposure.IDImage, Value: "10.0.0.5:5000/app:1"}}}, nil}, // the registry's address
	} {
		var got []string
		for _, a := range addresses(nil, &c.asset) {
			got = append(got, a.String())
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%+v: %s", c.asset, diff)
		}
	}
}

func TestNetworksAgainstContains(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(3, 3))
	address := func() netip.Addr {
		b := [16]byte{0x20, 0x01, byte(r.IntN(2)), byte(r.IntN(4))}
		if r.IntN(2) == 0 {
			return netip.AddrFrom4([4]byte{10, byte(r.IntN(2)), byte(r.IntN(4)), byte(r.IntN(4))})
		}
		return netip.AddrFrom16(b)
	}
	hits := 0
	for range 2000 {
		var n networks
		var all []netip.Prefix
		for i := range r.IntN(10) {
			a := address()
			p := netip.PrefixFrom(a, r.IntN(a.BitLen()+1)).Masked()
			all = append(all, p)
			n.add(p, int32(i))
		}
		a := address()
		want, got := map[int32]bool{}, map[int32]bool{}
		for i, p := range all {
			if p.Contains(a) {
				want[int32(i)] = true
				hits++
			}
		}
		n.each(a, func(i int32) bool { got[i] = true; return true })
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatalf("%v in %v: %s", a, all, diff)
		}
	}
	if hits < 500 {
		t.Errorf("only %d hits", hits)
	}
}
