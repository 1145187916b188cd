package dns_test

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"net"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/leeward-ctem/leeward/discover/scan"
	"github.com/leeward-ctem/leeward/discover/scan/dns"
	"github.com/leeward-ctem/leeward/discover/scan/scantest"
	"github.com/leeward-ctem/leeward/exposure"
	"github.com/leeward-ctem/leeward/guard"
	"github.com/leeward-ctem/leeward/guard/guardtest"
)

// look asks the DNS server of a test. Connections to a name server reach it as
// well, though it is not at port 53; served is nil for one that refuses.
func look(t *testing.T, z scantest.Zone, domain string, targets ...string) (all []exposure.Observation, errs []error) {
	t.Helper()
	server := scantest.DNS(t, z)
	e := guardtest.Engagement()
	if len(targets) > 0 {
		e.Targets = targets
	}
	cfg := guard.Config{Resolver: server, Connect: func(ctx context.Context, network, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, network, server)
	}}
	return scantest.Run(t, dns.Engine{}, scan.Job{Target: scan.Target{Kind: scan.Domain, Name: domain, Host: domain}, Level: exposure.LevelObserve, Network: guardtest.Open(t, cfg, e)})
}

// zone is a domain as it should be, with some lines replaced: those that begin
// like a change are left out.
func zone(changes ...string) string {
	lines := strings.Split(strings.TrimSpace(`
example.test SOA ns1.example.test
example.test NS ns1.example.test
example.test NS ns2.example.test
ns1.example.test A 127.0.0.1
ns2.example.test A 127.0.0.2
example.test A 127.0.0.3
www.example.test CNAME cdn.provider.test
cdn.provider.test A 203.0.113.9
example.test MX 10 mx.example.test
mx.example.test A 127.0.0.4
example.test TXT v=spf1 mx ip4:192.0.2.0/24 include:_spf.example.test -all
_spf.example.test TXT v=spf1 ip6:2001:db8::/32 ~all
_dmarc.example.test TXT v=DMARC1; p=reject; rua=mailto:dmarc@example.test
example.test CAA issue ca.test`), "\n")
	for _, c := range changes {
		begins, line, _ := strings.Cut(c, "|")
		kept := lines[:0]
		for _, l := range lines {
			if !strings.HasPrefix(l, begins) || begins == "" {
				kept = append(kept, l)
			}
		}
		if lines = kept; line != "" {
			lines = append(lines, line)
		}
	}
	return strings.Join(lines, "\n")
}

func dkim(t *testing.T, bits int) string {
	t.Helper()
	t.Setenv("GODEBUG", "rsa1024min=0") // the weakness that is planted
	key, err := rsa.GenerateKey(rand.Reader, bits)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKIXPublicKey(&key.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	return "selector1._domainkey.example.test TXT v=DKIM1; k=rsa; p=" + base64.StdEncoding.EncodeToString(der)
}

func TestDomain(t *testing.T) {
	weakKey, goodKey := dkim(t, 512), dkim(t, 2048)
	for _, c := range []struct {
		name    string
		zone    scantest.Zone
		rules   string
		unknown string // rules that are not covered
	}{
		{"clean", scantest.Zone{Records: zone()}, "", ""},
		{"takeover", scantest.Zone{Records: zone("www.|www.example.test CNAME gone.azurewebsites.net")}, "takeover", ""},
		{"takeover by a chain", scantest.Zone{Records: zone("cdn.|cdn.provider.test CNAME gone.trafficmanager.net")}, "takeover", ""},
		{"dangling", scantest.Zone{Records: zone("cdn.")}, "dangling-alias", ""},
		{"provider's name exists", scantest.Zone{Records: zone("www.|www.example.test CNAME here.azurewebsites.net", "|here.azurewebsites.net A 203.0.113.1")}, "", ""},
		{"failing alias", scantest.Zone{Records: zone("cdn."), Failing: []string{"cdn.provider.test"}}, "", "takeover dangling-alias"},
		{"name server", scantest.Zone{Records: zone("ns2.")}, "dangling-name-server", "zone-transfer"},
		{"one server", scantest.Zone{Records: zone("example.test NS ns2")}, "single-name-server", ""},
		{"mail exchanger", scantest.Zone{Records: zone("mx.")}, "dangling-mail-exchanger", ""},
		{"no mail", scantest.Zone{Records: zone("example.test MX|example.test MX 0 .", "example.test TXT", "_dmarc")}, "", ""},
		{"private", scantest.Zone{Records: zone("ns1.|ns1.example.test A 203.0.113.53", "ns2.|ns2.example.test A 203.0.113.54", "example.test A|example.test A 10.1.2.3", "mx.|mx.example.test A 203.0.113.4")}, "private-address", ""},
		{"transfer", scantest.Zone{Records: zone(), Transfer: "example.test"}, "zone-transfer", ""},
		{"wildcard", scantest.Zone{Records: zone() + "\n* A 127.0.0.9"}, "wildcard", ""},
		{"no caa", scantest.Zone{Records: zone("example.test CAA")}, "no-caa", ""},
		{"no spf", scantest.Zone{Records: zone("example.test TXT")}, "spf-missing", ""},
		{"two spf", scantest.Zone{Records: zone("|example.test TXT v=spf1 -all")}, "spf-invalid", ""},
		{"broken spf", scantest.Zone{Records: zone("example.test TXT|example.test TXT v=spf1 ip4:192.0.2.0/33 -all")}, "spf-invalid", ""},
		{"broken word of spf", scantest.Zone{Records: zone("example.test TXT|example.test TXT v=spf1 ipv4:192.0.2.1 -all")}, "spf-invalid", ""},
		{"spf for all", scantest.Zone{Records: zone("example.test TXT|example.test TXT v=spf1 mx +all")}, "spf-allows-all", ""},
		{"spf for all, unsaid", scantest.Zone{Records: zone("example.test TXT|example.test TXT v=spf1 all")}, "spf-allows-all", ""},
		{"spf with a modifier", scantest.Zone{Records: zone("example.test TXT|example.test TXT v=spf1 mx/24 a:www.example.test exp=e.example.test -all")}, "", ""},
		{"spf with eleven", scantest.Zone{Records: zone("example.test TXT|example.test TXT v=spf1 a mx ptr exists:a.test a:b.test a:c.test a:d.test include:_spf.example.test -all", "_spf|_spf.example.test TXT v=spf1 a:e.test a:f.test a:g.test ?all")}, "spf-too-many-lookups", ""},
		{"spf elsewhere", scantest.Zone{Records: zone("example.test TXT|example.test TXT v=spf1 include:_spf.elsewhere.net -all")}, "", "spf-too-many-lookups"},
		{"spf that includes itself", scantest.Zone{Records: zone("_spf|_spf.example.test TXT v=spf1 include:example.test include:_spf.example.test -all")}, "", ""},
		{"weak dkim", scantest.Zone{Records: zone("|" + weakKey)}, "dkim-weak-key", ""},
		{"dkim", scantest.Zone{Records: zone("|"+goodKey, "|google._domainkey.example.test TXT v=DKIM1; p=")}, "", ""},
		{"no dmarc", scantest.Zone{Records: zone("_dmarc")}, "dmarc-missing", ""},
		{"dmarc none", scantest.Zone{Records: zone("_dmarc|_dmarc.example.test TXT v=DMARC1; p=none")}, "dmarc-none", ""},
		{"broken dmarc", scantest.Zone{Records: zone("_dmarc|_dmarc.example.test TXT v=DMARC1; policy=reject")}, "dmarc-invalid", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			all, errs := look(t, c.zone, "example.test")
			if len(errs) > 0 {
				t.Fatal(errs)
			}
			want := []string{}
			for _, r := range strings.Fields(c.rules) {
				want = append(want, "dns/"+r)
			}
			if diff := cmp.Diff(want, scantest.Rules(all)); diff != "" {
				t.Errorf("rules (-want +got):\n%s", diff)
			}
			for _, r := range []string{"takeover", "dangling-alias", "zone-transfer", "spf-too-many-lookups", "no-caa"} {
				want := !strings.Contains(" "+c.unknown+" ", " "+r+" ")
				if got := scantest.Covered(all, "dns", "dns/"+r, exposure.Location{Resource: "example.test"}); got != want {
					t.Errorf("%s is covered: %v", r, got)
				}
			}
		})
	}
}

// What was found is inventory: the domain, and the hosts below it.
func TestInventory(t *testing.T) {
	t.Parallel()
	all, errs := look(t, scantest.Zone{Records: zone("|hidden.example.test A 192.0.2.77"), Transfer: "example.test"}, "example.test")
	if len(errs) > 0 {
		t.Fatal(errs)
	}
	got := map[string]string{}
	for i := range all {
		if o := &all[i]; o.Kind == exposure.ObservedInventory {
			text := o.Asset.Kind.String()
			for _, id := range o.Asset.Identifiers {
				text += " " + id.String()
			}
			got[o.Asset.Name] = text
		}
	}
	want := map[string]string{
		"example.test":        "domain hostname:example.test",
		"www.example.test":    "host hostname:www.example.test ip:203.0.113.9",
		"ns1.example.test":    "host hostname:ns1.example.test",
		"ns2.example.test":    "host hostname:ns2.example.test",
		"mx.example.test":     "host hostname:mx.example.test",
		"hidden.example.test": "host hostname:hidden.example.test ip:192.0.2.77",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// A host is no zone: what belongs to its zone is not said again.
func TestHost(t *testing.T) {
	t.Parallel()
	all, errs := look(t, scantest.Zone{Records: zone("example.test CAA")}, "mx.example.test")
	if len(errs) > 0 {
		t.Fatal(errs)
	}
	if got := scantest.Rules(all); len(got) > 0 {
		t.Errorf("a host gives %v", got)
	}
}

// What may not be asked, fails or is not there gives no coverage of it.
func TestUncovered(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		zone    scantest.Zone
		targets []string
		fails   bool
		covered map[string]bool
	}{
		"the domain alone": {scantest.Zone{Records: zone()}, []string{"example.test"}, false, map[string]bool{"takeover": false, "dmarc-missing": true, "zone-transfer": false, "dkim-weak-key": true}},
		"another domain":   {scantest.Zone{Records: zone()}, []string{"other.test"}, true, map[string]bool{"takeover": false, "spf-missing": false}},
		"servfail":         {scantest.Zone{Records: zone(), Failing: []string{"example.test"}}, nil, false, map[string]bool{"spf-missing": false, "single-name-server": false, "no-caa": false}},
		"it is not there":  {scantest.Zone{Records: "other.test A 127.0.0.1"}, nil, true, map[string]bool{"spf-missing": false}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			all, errs := look(t, c.zone, "example.test", c.targets...)
			if c.fails != (len(errs) > 0) {
				t.Errorf("errors: %v", errs)
			}
			if got := scantest.Rules(all); len(got) > 0 {
				t.Errorf("weaknesses: %v", got)
			}
			for r, want := range c.covered {
				if got := scantest.Covered(all, "dns", "dns/"+r, exposure.Location{}); got != want {
					t.Errorf("%s is covered: %v", r, got)
				}
			}
		})
	}
}

func TestPage(t *testing.T) {
	t.Parallel()
	scantest.Page(t, "../../../docs/scanning-network.md", "dns", dns.Rules())
}
