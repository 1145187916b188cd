package tls

import (
	"bytes"
	"crypto/x509"
)

// Heard reads what came back to a ClientHello and all that comes of it, and
// returns how many bytes of certificates were kept.
func Heard(words []byte, ssl2 bool) (kept int) {
	a := read(bytes.NewReader(words), ssl2)
	for _, der := range a.chain {
		kept += len(der)
		weakCurve(der)
		if c, err := x509.ParseCertificate(der); err == nil {
			about(c)
			weakKey(c)
			selfSigned(c)
			isLogged(c)
		}
	}
	suiteOf(a)
	versionName(a.version)
	return kept
}

// Rules are the names of all rules.
func Rules() (ids []string) {
	for _, r := range rules() {
		ids = append(ids, r.id)
	}
	return ids
}
