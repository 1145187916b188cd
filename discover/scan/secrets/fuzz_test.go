package secrets

import (
	"strings"
	"testing"
	"time"
)

// Whatever a text holds, looking ends, and nothing that is told holds a secret.
func FuzzFind(f *testing.F) {
	for _, seed := range []string{
		"password = tr0ub4dor3", "postgres://app:tr0ub4dor3@db.internal/app", `{"auths":{"r":{"auth":"Ym9iOnRyMHViNGRvcjM="}}}`, "machine a login b password c0rrecthorse", "h:1:d:u:passw0rd",
		"-----BEGIN RSA PRIV" + "ATE KEY-----\nMIIEow\n-----END RSA PRIV" + "ATE KEY-----", "PuTTY-User-Key-File-3: ssh-ed25519\nEncryption: none\nPrivate-Lines: 1\nAAAAIGq8Zp3Lm7Rt2Wx9Kv4Bn6Ys1Df5Gh0Jc8Lr2E\nPrivate-MAC: x",
		"a:\n  b:\n    - token: glpat-" + "x7Kq2mPz9RtW4vBn8LsD glpat-" + "y7Kq2mPz9RtW4vBn8LsD", "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJ4In0.c2lnbmF0dXJlc2lnbmF0dXJl", "AKIA" + "QYLPMN5HHHTPJ7SK\t" + "kW9rT3vX7zB1nM5q" + "P8sL2dF6gH0jC4yRuEwZaQoT",
	} {
		for _, file := range []string{"a.ini", ".netrc", ".pgpass", "a.go"} {
			f.Add(file, []byte(seed))
		}
	}
	d := shared()
	now := time.Unix(1_790_000_000, 0)
	f.Fuzz(func(t *testing.T, file string, text []byte) {
		last := 0
		all, _ := d.find(text, file, now)
		for _, s := range all {
			if s.from < last || s.to < s.from || s.to > len(text) || s.line < 1 || s.rule == nil {
				t.Fatalf("%+v after %d of %d", s, last, len(text))
			}
			last = s.from
			if len(s.value) < 8 {
				continue // it may be a word of its own line
			}
			for what, told := range map[string]string{"evidence": s.evidence, "symbol": s.symbol} {
				if strings.Contains(told, s.value) {
					t.Errorf("%s %q holds %q", what, told, s.value)
				}
			}
		}
	})
}

// Each piece, over and over, must cost some nanoseconds a byte and no more.
func BenchmarkHostile(b *testing.B) {
	for name, piece := range map[string]string{
		"passwords": "password=", "tokens": "token: 'a1b2c3d4e5'\n", "lines": "telegram\n", "words": "telegram discord vapid azure ", "jwt": ".eyJ", "dashes": "-eyJ", "keys": "-----BEGIN PRIVATE KEY-----\n",
		"putty": "PuTTY-User-Key-File-\n", "addresses": "x://a:b@", "auth": "\"auth\":\"", "captcha": "captcha secret\n", "spaces": " ", "json": "{\"auth_provider_x509_cert_url\":", "found": "api_token = 'q8Zp3Lm7Rt2Wx9Kv4Bn6Ys1D'\n",
	} {
		text := []byte(strings.Repeat(piece, (1<<20)/len(piece)))
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(text)))
			for b.Loop() {
				shared().find(text, "a.ini", time.Unix(0, 0))
			}
		})
	}
}
