package tls

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"encoding/asn1"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/leeward-ctem/leeward/exposure"
)

// expiring is how long before its end a certificate is to be renewed.
const expiring = 30 * 24 * time.Hour

// certificates looks at the certificates that are shown.
func (l *look) certificates(roots *x509.CertPool) {
	raw := l.shown()
	if len(raw) == 0 {
		l.unsure = l.unsure || !l.onlyAnonymous()
		return
	}
	if weakCurve(raw[0]) {
		l.shows("weak-key", "an elliptic curve of less than 224 bits", exposure.SeverityUnknown)
		l.unsure = true // the rest of it is not read
		return
	}
	var chain []*x509.Certificate
	for _, der := range raw {
		cert, err := x509.ParseCertificate(der)
		if err != nil {
			l.unsure = true
			break
		}
		chain = append(chain, cert)
	}
	if len(chain) == 0 {
		return
	}
	now := l.job.Now()
	l.dates(chain, now)
	l.names(chain[0])
	l.strength(chain)
	l.trust(chain, roots, now)
}

// onlyAnonymous reports whether no version was agreed to in which a
// certificate is shown.
func (l *look) onlyAnonymous() bool {
	for v, a := range l.answers {
		if v != versionSSL2 && !slices.Contains(of(anonymous), a.suite) {
			return false
		}
	}
	return true
}

// shown are the certificates as the newest version that does not encrypt them
// shows them, or else at the end of a whole handshake.
func (l *look) shown() [][]byte {
	for _, v := range l.agreed() {
		if chain := l.answers[v].chain; len(chain) > 0 {
			return chain
		}
	}
	if !l.has(versionTLS13) {
		return nil
	}
	c, ok := l.dial("certificates")
	if !ok {
		return nil
	}
	defer c.Close()
	var chain [][]byte
	client := tls.Client(c, &tls.Config{
		InsecureSkipVerify: true, ServerName: l.name(),
		VerifyPeerCertificate: func(raw [][]byte, _ [][]*x509.Certificate) error { chain = raw; return nil },
	})
	// Who wants a certificate of the client ends it after showing its own.
	if err := client.HandshakeContext(l.ctx); err != nil && chain == nil {
		return nil
	}
	return chain[:min(len(chain), maxChain)]
}

func about(c *x509.Certificate) string {
	return fmt.Sprintf("subject: %s\nissuer: %s\nvalid: %s to %s", c.Subject, c.Issuer, c.NotBefore.UTC().Format(time.DateOnly), c.NotAfter.UTC().Format(time.DateOnly))
}

func (l *look) dates(chain []*x509.Certificate, now time.Time) {
	for _, c := range chain {
		switch {
		case now.After(c.NotAfter):
			l.shows("expired-certificate", about(c), exposure.SeverityUnknown)
			return
		case now.Before(c.NotBefore):
			l.shows("certificate-not-yet-valid", about(c), exposure.SeverityUnknown)
			return
		}
	}
	// Certificates that live for days are renewed shortly before their end.
	leaf := chain[0]
	if soon := min(expiring, leaf.NotAfter.Sub(leaf.NotBefore)/3); leaf.NotAfter.Sub(now) < soon {
		l.shows("expiring-certificate", about(leaf), exposure.SeverityUnknown)
	}
}

// names compares the certificate with the name by which the host was given.
// Of an address nobody knows by which name clients reach it.
func (l *look) names(leaf *x509.Certificate) {
	host := l.name()
	if host == "" || leaf.VerifyHostname(host) == nil {
		return
	}
	names := slices.Clone(leaf.DNSNames)
	for _, ip := range leaf.IPAddresses {
		names = append(names, ip.String())
	}
	l.shows("name-mismatch", "reached as "+host+"\nthe certificate names: "+strings.Join(names[:min(len(names), 20)], ", "), exposure.SeverityUnknown)
}

func (l *look) strength(chain []*x509.Certificate) {
	for i, c := range chain {
		if why := weakKey(c); why != "" {
			l.shows("weak-key", why+"\n"+about(c), exposure.SeverityUnknown)
			break
		}
		if i > 0 && selfSigned(c) {
			break // nobody looks at the signature of a root
		}
	}
	for i, c := range chain {
		if i > 0 && selfSigned(c) {
			break
		}
		switch c.SignatureAlgorithm {
		case x509.MD2WithRSA, x509.MD5WithRSA, x509.SHA1WithRSA, x509.ECDSAWithSHA1, x509.DSAWithSHA1:
			l.shows("weak-signature", c.SignatureAlgorithm.String()+"\n"+about(c), exposure.SeverityUnknown)
			return
		}
	}
}

func weakKey(c *x509.Certificate) string {
	switch k := c.PublicKey.(type) {
	case *rsa.PublicKey:
		if bits := k.N.BitLen(); bits < 2048 {
			return fmt.Sprintf("RSA with %d bits", bits)
		}
	case *ecdsa.PublicKey:
		if bits := k.Curve.Params().BitSize; bits < 224 {
			return fmt.Sprintf("an elliptic curve of %d bits", bits)
		}
	}
	if c.PublicKeyAlgorithm == x509.DSA {
		return "DSA"
	}
	return ""
}

// weakCurve reports whether the key of a certificate is on a curve of less
// than 224 bits. Package x509 does not read those certificates.
func weakCurve(der []byte) bool {
	const ecPublicKey = "\x06\x07\x2a\x86\x48\xce\x3d\x02\x01"
	_, rest, ok := bytes.Cut(der, []byte(ecPublicKey))
	if !ok {
		return false
	}
	var curve asn1.ObjectIdentifier
	if _, err := asn1.Unmarshal(rest, &curve); err != nil {
		return false
	}
	return slices.Contains([]string{
		"1.2.840.10045.3.1.1", "1.2.840.10045.3.1.2", "1.2.840.10045.3.1.3", // prime192v1 to v3
		"1.3.132.0.1", "1.3.132.0.2", "1.3.132.0.15", // sect163
		"1.3.132.0.4", "1.3.132.0.5", "1.3.132.0.6", "1.3.132.0.7", // sect113, secp112
		"1.3.132.0.8", "1.3.132.0.9", "1.3.132.0.30", "1.3.132.0.31", // secp160, secp192k1
		"1.3.132.0.22", "1.3.132.0.23", "1.3.132.0.24", "1.3.132.0.25", "1.3.132.0.28", "1.3.132.0.29", // sect131, sect193, secp128
	}, curve.String())
}

// selfSigned reports whether a certificate is signed with its own key.
func selfSigned(c *x509.Certificate) bool {
	if !bytes.Equal(c.RawSubject, c.RawIssuer) {
		return false
	}
	err := c.CheckSignature(c.SignatureAlgorithm, c.RawTBSCertificate, c.Signature)
	var old x509.InsecureAlgorithmError
	return err == nil || errors.As(err, &old)
}

// logged is the extension with the receipts of public logs (RFC 6962, section
// 3.3), which certificates of authorities have that all clients know.
const logged = "1.3.6.1.4.1.11129.2.4.2"

func isLogged(c *x509.Certificate) bool {
	for _, e := range c.Extensions {
		if e.Id.String() == logged {
			return true
		}
	}
	return false
}

// trust asks whether clients trust the chain. When it is out of date, it is
// asked for a time at which it was not.
func (l *look) trust(chain []*x509.Certificate, roots *x509.CertPool, now time.Time) {
	if roots == nil {
		var err error
		if roots, err = x509.SystemCertPool(); err != nil || roots.Equal(x509.NewCertPool()) {
			l.blind = true // this machine knows no authorities
			return
		}
	}
	leaf := chain[0]
	if now.After(leaf.NotAfter) || now.Before(leaf.NotBefore) {
		now = leaf.NotAfter
	}
	between := x509.NewCertPool()
	for _, c := range chain[1:] {
		between.AddCert(c)
	}
	_, err := leaf.Verify(x509.VerifyOptions{Roots: roots, Intermediates: between, CurrentTime: now, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageAny}})
	var unknown x509.UnknownAuthorityError
	switch {
	case err == nil:
		if longest := longestValid(leaf.NotBefore); isLogged(leaf) && leaf.NotAfter.Sub(leaf.NotBefore) > longest+24*time.Hour {
			l.shows("long-validity", about(leaf), exposure.SeverityUnknown)
		}
	case !errors.As(err, &unknown) || l.said("weak-signature"):
		l.blind = true // what is wrong with it is not of this kind, or was said already
	case selfSigned(leaf):
		l.shows("self-signed", about(leaf), l.within())
	case isLogged(leaf) && !issuerIn(leaf, chain[1:]):
		l.shows("missing-intermediate", about(leaf), exposure.SeverityUnknown)
	default:
		l.shows("unknown-issuer", about(leaf), l.within())
	}
}

func issuerIn(leaf *x509.Certificate, chain []*x509.Certificate) bool {
	return slices.ContainsFunc(chain, func(c *x509.Certificate) bool { return bytes.Equal(c.RawSubject, leaf.RawIssuer) })
}

// within is the severity of what is usual within a house.
func (l *look) within() exposure.Severity {
	addr, err := l.job.Network.Resolve(l.ctx, l.job.Host)
	if err == nil && (addr.IsPrivate() || addr.IsLoopback() || addr.IsLinkLocalUnicast()) {
		return exposure.SeverityLow
	}
	return exposure.SeverityUnknown
}

// longestValid is how long a certificate may be valid that was made at a time:
// section 6.3.2 of the Baseline Requirements of the CA/Browser Forum.
func longestValid(made time.Time) time.Duration {
	const day = 24 * time.Hour
	for _, step := range []struct {
		from string
		days time.Duration
	}{{"2029-03-15", 47}, {"2027-03-15", 100}, {"2026-03-15", 200}, {"2020-09-01", 398}, {"2018-03-01", 825}} {
		if from, err := time.Parse(time.DateOnly, step.from); err == nil && !made.Before(from) {
			return step.days * day
		}
	}
	return 39 * 31 * day
}
