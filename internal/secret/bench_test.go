package secret_test

import (
	"strings"
	"testing"
	"time"

	"github.com/leeward-ctem/leeward/internal/secret"
)

// benchTexts are what reports are made of.
func benchTexts() map[string]string {
	prose := "A heap buffer overflow in the parser of the management interface allows remote attackers to run code by a crafted request. Versions before 4.2.1 are affected, see the advisory of the vendor; upgrade to 4.2.2 or later, or restrict access to trusted networks until then.\n"
	page := "HTTP/1.1 200 OK\nServer: nginx/1.25.3\nContent-Type: text/html; charset=utf-8\nCache-Control: no-store\n\n<!DOCTYPE html><html lang=\"en\"><head><meta charset=\"utf-8\"><title>Orders</title><link rel=\"stylesheet\" href=\"/static/app-3f2a.css\"></head><body class=\"light\"><table id=\"orders\"><tr><td class=\"n\">1</td><td>Widget, blue</td><td><a href=\"/orders/1?page=2&amp;sort=name\">open</a></td></tr></table></body></html>\n"
	secrets := "GET /login?user=bob&password=hunter2 HTTP/1.1\nHost: example.com\nAuthorization: Bearer 9f8a7b6c5d4e3f2a1b\nCookie: PHPSESSID=81f0c2; lang=en\nX-Api-Key: 9f8a7b6c5d\nAccept: text/html\nUser-Agent: scanner\n\n"
	text := map[string]string{"prose": prose, "page": page, "secrets": secrets}
	for name, s := range text {
		text[name] = strings.Repeat(s, 1+(16<<10)/len(s))
	}
	text["title"] = "OpenSSL 3.0.16 heap buffer overflow (CVE-2024-0001)"
	return text
}

// fastest is the shortest time that f takes: what the machine can do while
// nobody else uses it.
func fastest(f func()) time.Duration {
	best := time.Duration(1 << 62)
	for range 300 {
		start := time.Now()
		f()
		best = min(best, time.Since(start))
	}
	return best
}

// The limit is a search for one byte, which the standard library does with the
// widest instructions there are.
func BenchmarkText(b *testing.B) {
	for name, s := range benchTexts() {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(s)))
			b.ReportAllocs()
			for b.Loop() {
				secret.Text(s, 0)
			}
			limit := fastest(func() {
				if strings.IndexByte(s, 0) >= 0 {
					b.Fatal("a zero byte")
				}
			})
			took := fastest(func() { secret.Text(s, 0) })
			b.ReportMetric(float64(len(s))/1e6/took.Seconds(), "best_MB/s")
			b.ReportMetric(float64(limit)/float64(took), "of_limit")
		})
	}
}

// hostile are pieces of texts made to be slow.
func hostile() map[string]string {
	return map[string]string{
		"colons": ":", "equals": "=", "tags": "<", "dashes": "-", "dollars": "$", "dots": ".", "names": "token: ", "cookies": "Cookie:", "cookie pairs": "Cookie: a=b;",
		"authorizations": "Authorization: a b ", "addresses": "x://a:b/", "at": "x://a:b/@", "begins": "-----BEGIN PRIVATE KEY-----", "ends": "-----END PRIVATE KEY-----", "quotes": `sig="x y `,
		"escapes": `token=\"`, "opening quotes": `token='a" `, "elements": "<password>", "values": `value="`, "names and values": `name="token" value="x y`, "lists": `token=["`, "hashes": "$6$", "jwt": "eyJ-", "aws": "AKIA",
		"letters": "a", "entities": "token=&quot;", "brackets": "[redacted:", "flags": "--password a1b2c3 ", "escape sequences": "\x1b]", "commands": "\u009d", "high": "é", "invalid": "\xff", "parts": "name=\"token\"\n\n",
		"own lines": "token: a b\n", "key lines": "MIIEowIBAAKCAQEA7\n", "weak names": "sig:", "calls": "token:f(", "tokens": "SG.", "cdata": "<password><![CDATA[", "attributes": "Cookie: path=", "digests": "Authorization: Digest a=",
	}
}

// Each must stay linear, within some tens of megabytes a second.
func BenchmarkHostile(b *testing.B) {
	for name, piece := range hostile() {
		s := strings.Repeat(piece, (1<<20)/len(piece))
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(s)))
			for b.Loop() {
				secret.Text(s, 0)
			}
		})
	}
}
