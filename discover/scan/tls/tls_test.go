package tls_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/binary"
	"encoding/pem"
	"io"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/leeward-ctem/leeward/discover/scan"
	"github.com/leeward-ctem/leeward/discover/scan/scantest"
	scantls "github.com/leeward-ctem/leeward/discover/scan/tls"
	"github.com/leeward-ctem/leeward/exposure"
	"github.com/leeward-ctem/leeward/guard/guardtest"
)

const host = "www.example.test"

// resolver says that every name is an address of loopback, so that certificates
// of names can be shown.
func resolver(t testing.TB) string {
	return scantest.DNS(t, scantest.Zone{Records: "* A 127.0.0.1"})
}

// now is when the tests run, whenever that is.
func now() time.Time { return time.Date(2026, 6, 1, 0, 0, 0, 0, time.UTC) }

// authority is a root and an intermediate certificate.
type authority struct {
	root, between       *x509.Certificate
	rootKey, betweenKey crypto.Signer
	pool                *x509.CertPool
}

func ecKey(t testing.TB) crypto.Signer {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func issue(t testing.TB, template, parent *x509.Certificate, key, parentKey crypto.Signer) *x509.Certificate {
	t.Helper()
	template.SerialNumber = big.NewInt(time.Now().UnixNano())
	der, err := x509.CreateCertificate(rand.Reader, template, parent, key.Public(), parentKey)
	if err != nil {
		t.Fatal(err)
	}
	c, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func newAuthority(t testing.TB) *authority {
	t.Helper()
	a := &authority{rootKey: ecKey(t), betweenKey: ecKey(t), pool: x509.NewCertPool()}
	ca := func(name string) *x509.Certificate {
		return &x509.Certificate{Subject: pkix.Name{CommonName: name}, NotBefore: now().AddDate(-2, 0, 0), NotAfter: now().AddDate(8, 0, 0), IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign}
	}
	root := ca("Root of the test")
	a.root = issue(t, root, root, a.rootKey, a.rootKey)
	a.between = issue(t, ca("Intermediate of the test"), a.root, a.betweenKey, a.rootKey)
	a.pool.AddCert(a.root)
	return a
}

// leaf is a certificate as it should be, with changes.
func (a *authority) leaf(t testing.TB, key crypto.Signer, change func(*x509.Certificate)) tls.Certificate {
	t.Helper()
	c := &x509.Certificate{
		Subject: pkix.Name{CommonName: host}, DNSNames: []string{host}, NotBefore: now().AddDate(0, 0, -10), NotAfter: now().AddDate(0, 0, 80),
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageKeyEncipherment, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	if change != nil {
		change(c)
	}
	return tls.Certificate{Certificate: [][]byte{issue(t, c, a.between, key, a.betweenKey).Raw, a.between.Raw}, PrivateKey: key}
}

func serve(t testing.TB, handle func(net.Conn)) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				c.SetDeadline(time.Now().Add(20 * time.Second))
				handle(c)
			}()
		}
	}()
	return l.Addr().(*net.TCPAddr).Port
}

// shakes ends the handshake and then the connection.
func shakes(cfg *tls.Config) func(net.Conn) {
	return func(c net.Conn) {
		s := tls.Server(c, cfg)
		if s.Handshake() == nil {
			io.Copy(io.Discard, s)
		}
	}
}

func look(t testing.TB, e scan.Engine, target scan.Target) (all []exposure.Observation, errs []error) {
	t.Helper()
	target.Kind = scan.Service
	return scantest.Run(t, e, scan.Job{Target: target, Level: exposure.LevelObserve, Network: guardtest.LoopbackWithResolver(t, resolver(t)), Now: now})
}

func expect(t *testing.T, all []exposure.Observation, port int, rules ...string) {
	t.Helper()
	want := []string{}
	for _, r := range rules {
		want = append(want, "tls/"+r)
	}
	slices.Sort(want)
	if diff := cmp.Diff(want, scantest.Rules(all)); diff != "" {
		t.Errorf("rules (-want +got):\n%s", diff)
	}
	if !scantest.Covered(all, "tls", "tls/ssl-3", exposure.Location{Port: port}) {
		t.Error("the port is not covered")
	}
}

func TestCertificates(t *testing.T) {
	t.Parallel()
	a := newAuthority(t)
	ec := ecKey(t)
	small, err := rsa.GenerateKey(rand.Reader, 1024)
	if err != nil {
		t.Fatal(err)
	}
	receipts := pkix.Extension{Id: asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 11129, 2, 4, 2}, Value: []byte{4, 2, 0, 0}}
	self := func(change func(*x509.Certificate)) tls.Certificate {
		c := &x509.Certificate{Subject: pkix.Name{CommonName: "self"}, DNSNames: []string{host}, NotBefore: now().AddDate(0, 0, -1), NotAfter: now().AddDate(1, 0, 0)}
		if change != nil {
			change(c)
		}
		return tls.Certificate{Certificate: [][]byte{issue(t, c, c, ec, ec).Raw}, PrivateKey: ec}
	}
	alone := func(c tls.Certificate) tls.Certificate { c.Certificate = c.Certificate[:1]; return c }
	other := newAuthority(t)
	old := a.leaf(t, ec, nil)
	signed := issue(t, &x509.Certificate{Subject: pkix.Name{CommonName: host}, DNSNames: []string{host}, NotBefore: now().AddDate(0, 0, -1), NotAfter: now().AddDate(0, 3, 0), SignatureAlgorithm: x509.ECDSAWithSHA1}, a.between, ec, a.betweenKey)
	old.Certificate = [][]byte{signed.Raw, a.between.Raw}

	for _, c := range []struct {
		name  string
		cert  tls.Certificate
		host  string
		rules []string
	}{
		{"clean", a.leaf(t, ec, nil), host, nil},
		{"clean, by its address", a.leaf(t, ec, nil), "127.0.0.1", nil},
		{"clean, for six days", a.leaf(t, ec, func(c *x509.Certificate) {
			c.NotBefore, c.NotAfter = now().AddDate(0, 0, -2), now().AddDate(0, 0, 4)
		}), host, nil},
		{"expired", a.leaf(t, ec, func(c *x509.Certificate) { c.NotAfter = now().Add(-time.Hour) }), host, []string{"expired-certificate"}},
		{"soon", a.leaf(t, ec, func(c *x509.Certificate) { c.NotAfter = now().AddDate(0, 0, 2) }), host, []string{"expiring-certificate"}},
		{"too early", a.leaf(t, ec, func(c *x509.Certificate) { c.NotBefore = now().AddDate(0, 0, 1) }), host, []string{"certificate-not-yet-valid"}},
		{"another name", a.leaf(t, ec, nil), "api.example.test", []string{"name-mismatch"}},
		{"a name below", a.leaf(t, ec, func(c *x509.Certificate) { c.DNSNames = []string{"*.example.test"} }), "api.example.test", nil},
		{"self-signed", self(nil), host, []string{"self-signed"}},
		{"expired and self-signed", self(func(c *x509.Certificate) { c.NotBefore, c.NotAfter = now().AddDate(-2, 0, 0), now().AddDate(-1, 0, 0) }), host, []string{"expired-certificate", "self-signed"}},
		{"another authority", other.leaf(t, ec, nil), host, []string{"unknown-issuer"}},
		{"without the intermediate", alone(a.leaf(t, ec, func(c *x509.Certificate) { c.ExtraExtensions = []pkix.Extension{receipts} })), host, []string{"missing-intermediate"}},
		{"small key", a.leaf(t, small, nil), host, []string{"weak-key"}},
		{"sha-1", old, host, []string{"weak-signature"}},
		{"for two years", a.leaf(t, ec, func(c *x509.Certificate) {
			c.NotAfter, c.ExtraExtensions = now().AddDate(2, 0, 0), []pkix.Extension{receipts}
		}), host, []string{"long-validity"}},
		{"for two years, of a house", a.leaf(t, ec, func(c *x509.Certificate) { c.NotAfter = now().AddDate(2, 0, 0) }), host, nil},
	} {
		for version, versions := range map[string][2]uint16{"both": {tls.VersionTLS12, tls.VersionTLS13}, "1.3": {tls.VersionTLS13, tls.VersionTLS13}} {
			t.Run(c.name+" "+version, func(t *testing.T) {
				t.Parallel()
				port := serve(t, shakes(&tls.Config{Certificates: []tls.Certificate{c.cert}, MinVersion: versions[0], MaxVersion: versions[1]}))
				all, errs := look(t, scantls.Engine{Roots: a.pool}, scan.Target{Host: c.host, Port: port, TLS: true})
				if len(errs) > 0 {
					t.Fatal(errs)
				}
				expect(t, all, port, c.rules...)
			})
		}
	}
}

// weak is a server of TLS up to 1.2 that answers to the first message, as
// badly as it is told, and never ends a handshake.
type weak struct {
	versions   []uint16
	suites     []uint16
	compresses bool
	old        bool // no secure renegotiation
	fallsBack  bool
	group      int // bits
	chain      [][]byte
}

func (w weak) serve(c net.Conn) {
	var head [5]byte
	if _, err := io.ReadFull(c, head[:]); err != nil {
		return
	}
	if head[0]&0x80 != 0 {
		if slices.Contains(w.versions, 2) {
			io.WriteString(c, "\x80\x0b\x04\x00\x01\x00\x02\x00\x00\x00\x00\x00\x00")
		}
		return
	}
	b := make([]byte, binary.BigEndian.Uint16(head[3:]))
	if _, err := io.ReadFull(c, b); err != nil {
		return
	}
	b = b[4:]
	version := binary.BigEndian.Uint16(b)
	b = b[35+int(b[34]):]
	var offered []uint16
	n := int(binary.BigEndian.Uint16(b))
	for i := 2; i < 2+n; i += 2 {
		offered = append(offered, binary.BigEndian.Uint16(b[i:]))
	}
	b = b[2+n:]
	deflate := slices.Contains(b[1:1+b[0]], 1)
	best := uint16(0)
	for _, v := range w.versions {
		if v <= version && v > best && v > 2 {
			best = v
		}
	}
	alert := func(code byte) { c.Write([]byte{0x15, 3, 1, 0, 2, 2, code}) }
	i := slices.IndexFunc(w.suites, func(s uint16) bool { return slices.Contains(offered, s) })
	switch {
	case best == 0:
		alert(70)
		return
	case i < 0:
		alert(40)
		return
	case slices.Contains(offered, 0x5600) && !w.fallsBack && best < slices.Max(w.versions):
		alert(86)
		return
	}
	message := func(kind byte, body []byte) []byte {
		return append([]byte{kind, byte(len(body) >> 16), byte(len(body) >> 8), byte(len(body))}, body...)
	}
	hello := append(binary.BigEndian.AppendUint16(nil, best), make([]byte, 33)...)
	hello = binary.BigEndian.AppendUint16(hello, w.suites[i])
	hello = append(hello, 0)
	if w.compresses && deflate {
		hello[len(hello)-1] = 1
	}
	if !w.old {
		hello = append(hello, 0, 5, 0xff, 1, 0, 1, 0)
	}
	out := message(2, hello)
	var list []byte
	for _, der := range w.chain {
		list = append(append(list, 0, byte(len(der)>>8), byte(len(der))), der...)
	}
	out = append(out, message(11, append([]byte{0, byte(len(list) >> 8), byte(len(list))}, list...))...)
	if w.group > 0 {
		p := append([]byte{0xff}, make([]byte, w.group/8-1)...)
		out = append(out, message(12, append(binary.BigEndian.AppendUint16(nil, uint16(len(p))), p...))...)
	}
	out = append(out, message(14, nil)...)
	for len(out) > 0 { // records that end anywhere
		n := min(len(out), 100)
		c.Write(append([]byte{0x16, byte(best >> 8), byte(best), 0, byte(n)}, out[:n]...))
		out = out[n:]
	}
	io.Copy(io.Discard, c)
}

func TestWeak(t *testing.T) {
	t.Parallel()
	a := newAuthority(t)
	chain := a.leaf(t, ecKey(t), nil).Certificate
	const good = 0xc02f
	v := func(versions ...uint16) []uint16 { return versions }
	for name, c := range map[string]struct {
		server weak
		rules  string
	}{
		"clean":              {weak{versions: v(0x303), suites: v(good)}, ""},
		"ssl 2":              {weak{versions: v(2, 0x303), suites: v(good)}, "ssl-2"},
		"ssl 3":              {weak{versions: v(0x300, 0x303), suites: v(good, 0xc013)}, "ssl-3 poodle"},
		"ssl 3 with streams": {weak{versions: v(0x300, 0x303), suites: v(5)}, "ssl-3 rc4"},
		"tls 1.0":            {weak{versions: v(0x301, 0x303), suites: v(good, 0xc013)}, "tls-1.0"},
		"tls 1.1":            {weak{versions: v(0x302, 0x303), suites: v(good, 0xc013)}, "tls-1.1"},
		"old only":           {weak{versions: v(0x301, 0x302), suites: v(0xc013)}, "tls-1.0 tls-1.1 no-modern-version"},
		"fallback":           {weak{versions: v(0x302, 0x303), suites: v(good, 0xc013), fallsBack: true}, "tls-1.1 no-fallback-protection"},
		"null":               {weak{versions: v(0x303), suites: v(good, 0x3b)}, "null-cipher"},
		"anonymous":          {weak{versions: v(0x303), suites: v(good, 0xc018)}, "anonymous"},
		"freak":              {weak{versions: v(0x303), suites: v(good, 3)}, "freak"},
		"logjam":             {weak{versions: v(0x303), suites: v(good, 0x14)}, "logjam"},
		"des":                {weak{versions: v(0x303), suites: v(good, 9)}, "weak-cipher"},
		"rc4":                {weak{versions: v(0x303), suites: v(good, 4)}, "rc4"},
		"3des":               {weak{versions: v(0x303), suites: v(good, 10)}, "sweet32"},
		"static rsa":         {weak{versions: v(0x303), suites: v(good, 0x9c)}, "static-rsa"},
		"large group":        {weak{versions: v(0x303), suites: v(good, 0x9e), group: 2048}, ""},
		"small group":        {weak{versions: v(0x303), suites: v(good, 0x9e), group: 1024}, "weak-dh"},
		"compression":        {weak{versions: v(0x303), suites: v(good), compresses: true}, "compression"},
		"renegotiation":      {weak{versions: v(0x303), suites: v(good), old: true}, "insecure-renegotiation"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c.server.chain = chain
			port := serve(t, c.server.serve)
			all, errs := look(t, scantls.Engine{Roots: a.pool}, scan.Target{Host: host, Port: port, Service: "https"})
			if len(errs) > 0 {
				t.Fatal(errs)
			}
			expect(t, all, port, strings.Fields(c.rules)...)
		})
	}
}

// Package x509 does not read certificates on small curves: what can be said of
// one is said, and nothing is covered.
func TestSmallCurve(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile(filepath.Join("testdata", "p192.pem"))
	if err != nil {
		t.Fatal(err)
	}
	block, _ := pem.Decode(text)
	a := newAuthority(t)
	port := serve(t, weak{versions: []uint16{0x303}, suites: []uint16{0xc02b}, chain: [][]byte{block.Bytes}}.serve)
	all, errs := look(t, scantls.Engine{Roots: a.pool}, scan.Target{Host: host, Port: port, TLS: true})
	if diff := cmp.Diff([]string{"tls/weak-key"}, scantest.Rules(all)); diff != "" || len(errs) > 0 {
		t.Errorf("rules (-want +got), %v:\n%s", errs, diff)
	}
	if scantest.Covered(all, "tls", "tls/expired-certificate", exposure.Location{Port: port}) {
		t.Error("the rest of the certificate is covered")
	}
}

// begins says lines and waits for lines, in turns, and then speaks TLS.
func begins(cfg *tls.Config, turns ...string) func(net.Conn) {
	return func(c net.Conn) {
		buf := make([]byte, 1024)
		for i, turn := range turns {
			if i%2 == 0 {
				io.WriteString(c, turn)
				continue
			}
			whole := buf
			if turn[0] == '\x20' { // the client goes on without waiting
				whole = buf[:36]
			}
			if n, err := c.Read(whole); err != nil || !strings.HasPrefix(string(whole[:n]), turn) {
				return
			}
		}
		if cfg != nil {
			shakes(cfg)(c)
		}
	}
}

func TestStartTLS(t *testing.T) {
	t.Parallel()
	a := newAuthority(t)
	cfg := &tls.Config{Certificates: []tls.Certificate{a.leaf(t, ecKey(t), nil)}, MinVersion: tls.VersionTLS12}
	greeting := "\x34\x00\x00\x00\x0a8.0.36\x00\x01\x00\x00\x00abcdefgh\x00\xff\xff" + strings.Repeat("x", 29)
	for service, turns := range map[string][]string{
		"smtp":       {"220 mx\r\n", "EHLO", "250-mx\r\n250 STARTTLS\r\n", "STARTTLS", "220 go\r\n"},
		"imap":       {"* OK\r\n", "a1 STARTTLS", "a1 OK go\r\n"},
		"pop3":       {"+OK\r\n", "STLS", "+OK\r\n"},
		"ftp":        {"220-a\r\n220 b\r\n", "AUTH TLS", "234 go\r\n"},
		"nntp":       {"200 hi\r\n", "STARTTLS", "382 go\r\n"},
		"ldap":       {"", "\x30\x1d", "\x30\x0c\x02\x01\x01\x78\x07\x0a\x01\x00\x04\x00\x04\x00"},
		"postgresql": {"", "\x00\x00\x00\x08", "S"},
		"mysql":      {greeting, "\x20\x00\x00\x01"},
		"xmpp":       {"", "<?xml", "<stream:stream><stream:features><starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/></stream:features>", "<starttls", "<proceed/>"},
		"rdp":        {"", "\x03\x00", "\x03\x00\x00\x13\x0e\xd0\x00\x00\x00\x00\x00\x02\x00\x08\x00\x02\x00\x00\x00"},
	} {
		t.Run(service, func(t *testing.T) {
			t.Parallel()
			port := serve(t, begins(cfg, turns...))
			all, errs := look(t, scantls.Engine{Roots: a.pool}, scan.Target{Host: "other.example.test", Port: port, Service: service})
			if len(errs) > 0 {
				t.Fatal(errs)
			}
			expect(t, all, port, "name-mismatch")
		})
	}
	for service, turns := range map[string][]string{
		"smtp":       {"220 mx\r\n", "EHLO", "250 mx\r\n"},
		"imap":       {"* OK\r\n", "a1 STARTTLS", "a1 BAD no\r\n"},
		"pop3":       {"+OK\r\n", "STLS", "-ERR\r\n"},
		"ftp":        {"220 b\r\n", "AUTH TLS", "500 no\r\n"},
		"postgresql": {"", "\x00\x00\x00\x08", "N"},
		"http":       {"HTTP/1.1 200 OK\r\n\r\n"},
	} {
		t.Run(service+" without", func(t *testing.T) {
			t.Parallel()
			port := serve(t, begins(nil, turns...))
			all, errs := look(t, scantls.Engine{Roots: a.pool}, scan.Target{Host: host, Port: port, Service: service})
			if len(all)+len(errs) > 0 {
				t.Errorf("a service without TLS gives %v, %v", all, errs)
			}
		})
	}
}

// What does not answer as it should gives no weakness, no coverage and no
// panic, within its time.
func TestHostile(t *testing.T) {
	t.Parallel()
	var wg sync.WaitGroup
	defer wg.Wait()
	for name, handle := range map[string]func(net.Conn){
		"closes":  func(net.Conn) {},
		"resets":  func(c net.Conn) { c.(*net.TCPConn).SetLinger(0) },
		"http":    func(c net.Conn) { io.WriteString(c, "HTTP/1.1 400 Bad Request\r\n\r\n") },
		"floods":  func(c net.Conn) { flood(c, strings.Repeat("x", 4096)) },
		"records": func(c net.Conn) { flood(c, "\x16\x03\x03\x00\x04\x00\x00\x00\x00") },
		"warns":   func(c net.Conn) { flood(c, "\x15\x03\x03\x00\x02\x01\x70") },
		"large":   func(c net.Conn) { flood(c, "\x16\x03\x03\x40\x00\x02\xff\xff\xff"+strings.Repeat("\x00", 0x4000-4)) },
		"refuses": func(c net.Conn) { io.WriteString(c, "\x15\x03\x03\x00\x02\x02\x28") },
		"half":    func(c net.Conn) { io.WriteString(c, "\x16\x03\x03\x00\x50\x02\x00") },
	} {
		wg.Go(func() {
			port := serve(t, handle)
			began := time.Now()
			all, _ := look(t, scantls.Engine{}, scan.Target{Host: host, Port: port, TLS: true})
			if len(all) > 0 {
				t.Errorf("%s: %v", name, all)
			}
			if took := time.Since(began); took > 30*time.Second {
				t.Errorf("%s: it took %v", name, took)
			}
		})
	}
}

func flood(c net.Conn, s string) {
	for {
		if _, err := io.WriteString(c, s); err != nil {
			return
		}
	}
}

func TestPage(t *testing.T) {
	t.Parallel()
	scantest.Page(t, "../../../docs/scanning-network.md", "tls", scantls.Rules())
}
