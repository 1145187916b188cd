package secret_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/leeward-ctem/leeward/internal/secret"
)

// pieces are what secrets and their surroundings are made of, good and bad.
func pieces() []string {
	all := []string{
		"password", "token", "Authorization", "Cookie", "Set-Cookie", "x-api-key", "value", "name", "session", "sig", "key", "secret", "pass", "pwd",
		"=", ":", ": ", " = ", "=>", ":=", "==", "://", "//", "@", "/", "?", "&", ";", ",", ".", "-", "--", "_", "$", "$6$", "$2b$", "|", "#", "%", "+",
		`"`, "'", "`", `\"`, `\\\"`, `\n`, `\r\n`, "&quot;", "&#34;", "&amp;", "%22", "%5D", "[", "]", "{", "}", "(", ")", "<", ">", "</", "/>", "<![CDATA[", "]]>",
		" ", "\n", "\t", "\r\n", "\r", "…", "é", "漢", "\u202e", "\u2066", "\u0085", "\u009b", "\x1b[31m", "\x1b]8;;x\x07", "\x1b", "\x00", "\x7f", "\xff", "\xc3",
		"[redacted:password]", "[redacted:token]", "[redacted:", "redacted:x]", "eyJ", "eyJ[redacted:jwt]", "AKIA", "AIza", "ghp_", "glpat-", "sk-", "xoxb-", "SG.",
		"-----BEGIN RSA PRIV" + "ATE KEY-----", "-----END RSA PRIV" + "ATE KEY-----", "-----BEGIN ", "-----", "Bearer ", "Basic ", "Digest ", "https", "admin", "hunter2", "bob",
		"YWRtaW46aHVudGVyMg==", "9f8a7b6c5d4e3f2a1b0c9d8e7f6a5b4c", "0123456789", "true", "null", "process.env.", "define('", "<password>", "</password>", "@tcp(", "thin:", "-u ", "--password ",
		"MIIEowIBAAKCAQEA7bcdefgh", "x", "Z9", "tokenizer", "CVE-2024-3400", "sha256:9f86d081884c7d659a2feaa0c55ad015",
	}
	for _, test := range redactions() {
		all = append(all, test[0])
	}
	return all
}

// checkText holds the promises of Text for one input.
func checkText(s string, limit int) error {
	got := secret.Text(s, limit)
	if !utf8.ValidString(got) {
		return fmt.Errorf("not valid UTF-8: %q", got)
	}
	if limit > 0 && len(got) > limit {
		return fmt.Errorf("%d bytes, more than %d: %q", len(got), limit, got)
	}
	for _, r := range got {
		if r < ' ' && r != '\n' && r != '\t' || r >= 0x7f && r <= 0x9f || r >= 0x202a && r <= 0x202e || r >= 0x2066 && r <= 0x2069 {
			return fmt.Errorf("%U is left: %q", r, got)
		}
	}
	if again := secret.Text(got, limit); again != got {
		return fmt.Errorf("not idempotent:\n  first  %q\n  second %q", got, again)
	}
	return nil
}

func TestPromises(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(1, 2))
	all := pieces()
	gone, changed := 0, 0
	for range 20_000 {
		var b strings.Builder
		for range 1 + r.IntN(14) {
			b.WriteString(all[r.IntN(len(all))])
		}
		limit := 0
		if r.IntN(2) == 0 {
			limit = 1 + r.IntN(b.Len()+10)
		}
		s := b.String()
		if err := checkText(s, limit); err != nil {
			t.Fatalf("limit %d, text %q:\n%v", limit, s, err)
		}
		switch got := secret.Text(s, 0); {
		case strings.Contains(got, "[redacted:text]"):
			gone++
			t.Logf("does not settle: %q", s)
		case got != s:
			changed++
		}
	}
	if changed < 5_000 || gone > 2 {
		t.Errorf("%d texts changed and %d did not settle: the test or the redaction is wrong", changed, gone)
	}
}

func FuzzText(f *testing.F) {
	for _, test := range redactions() {
		f.Add(test[0], 0)
		f.Add(test[0], 40)
	}
	for _, s := range ordinary() {
		f.Add(s, 30)
	}
	for _, s := range pieces() {
		f.Add(s, 5)
	}
	f.Fuzz(func(t *testing.T, s string, limit int) {
		if err := checkText(s, limit); err != nil {
			t.Fatalf("limit %d, text %q:\n%v", limit, s, err)
		}
	})
}
