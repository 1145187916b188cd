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
		for _, s := range d.find(text, file, now) {
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
