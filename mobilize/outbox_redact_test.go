package mobilize

import (
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"unicode"
	"unicode/utf8"

	"github.com/leeward-ctem/leeward/exposure"
)

func TestRedact(t *testing.T) {
	t.Parallel()
	to := Receiver{Name: "ops", URL: "https://bot:p4ss%2Fword@hooks.example:8443/T0K3N/in?token=q-s3cr3t&v=1#fragm3nt", Secret: `si"gn key` + "\n"}
	for in, want := range map[string]string{
		"connection refused": "connection refused",
		`Post "https://bot:p4ss%2Fword@hooks.example:8443/T0K3N/in?token=q-s3cr3t&v=1#fragm3nt": timeout`: `Post "https://hooks.example:8443/…": timeout`,
		"Post https://bot:***@hooks.example:8443/T0K3N/in?token=q-s3cr3t&v=1: timeout":                    "Post https://hooks.example:8443/…: timeout",
		"redirected to https://other.example/login?next=/T0K3N":                                           "redirected to https://other.example/…",
		"dial https://other.example: no route":                                                            "dial https://other.example: no route",
		"user bot, password p4ss/word":                                                                    "user bot, password …",
		"token=q-s3cr3t&v=1 was wrong":                                                                    "… was wrong",
		"q-s3cr3t is wrong":                                                                               "… is wrong",
		"fragm3nt":                                                                                        "…",
		`key "si\"gn key\n" and si"gn key`:                                                                `key "…" and …`,
		"two\r\nlines\x1b[31m\x00":                                                                        "two lines [31m",
		"not \xff UTF-8":                                                                                  "not \uFFFD UTF-8",
		"":                                                                                                "",
	} {
		if got := redact(in, to); got != want {
			t.Errorf("%q\nbecame %q\nwant   %q", in, got, want)
		}
	}
	if got := redact(strings.Repeat("ä", 1000), to); len(got) > maxError || !strings.HasSuffix(got, "…") || !utf8.ValidString(got) {
		t.Errorf("a long error has %d bytes: %q", len(got), got)
	}
	if got := redact("cannot reach :p@ss/", Receiver{URL: ":p@ss/"}); strings.Contains(got, "p@ss") {
		t.Errorf("what is no address shows: %q", got)
	}
}

// What connectors let slip does not reach the database.
func TestErrorsAreRedacted(t *testing.T) {
	t.Parallel()
	const secret, token = "s1gning-s3cr3t", "t0k3n-in-path"
	leak := errors.New("POST https://u:pw@hooks.example/" + token + " with " + secret + ":\nrefused")
	for name, err := range map[string]error{"again": leak, "permanent": Permanent(leak), "asked": &RetryError{After: 1, Err: leak}} {
		synctest.Test(t, func(t *testing.T) {
			b, s := &memory{}, &sender{send: fails(err)}
			b.post("a/1")
			d := deliverer(b, s)
			d.Receivers = func(string, string) (Receiver, bool) {
				return Receiver{Name: "a", URL: "https://u:pw@hooks.example/" + token, Secret: secret}, true
			}
			tries := 1
			if name == "again" {
				tries = defaultTry // and once more when it is given up
			}
			for range tries {
				d.Deliver(t.Context())
				const want = "POST https://hooks.example/… with …: refused"
				if m := b.message(0); !strings.HasSuffix(m.LastError, want) {
					t.Errorf("%s: %q, want %q", name, m.LastError, want)
				}
				b.mu.Lock()
				b.all[0].NextAt = 0
				b.mu.Unlock()
			}
			if m := b.message(0); name == "again" && m.State != exposure.OutboxFailed {
				t.Errorf("%+v", m)
			}
		})
	}
}

// No text lets a secret through, wherever it stands.
func FuzzRedact(f *testing.F) {
	f.Add("before ", " after", "s3cr3t-key", "tok3n-value")
	f.Add("Post \"https://", "\": x", "a\"b\nc-secret", "%zz&;token")
	f.Add("https://x.example/?", "%", "s3cr3t-key", "\xffbinary\x00token")
	f.Fuzz(func(t *testing.T, before, after, secret, token string) {
		if len(oneLine(secret)) < 8 || len(token) < 8 || strings.ContainsAny(token, "#/?@") || strings.ContainsFunc(token, func(r rune) bool { return r <= ' ' || r == utf8.RuneError || !unicode.IsPrint(r) }) {
			t.Skip()
		}
		to := Receiver{URL: "https://hooks.example/in?token=" + token, Secret: secret}
		for _, s := range []string{secret, "token=" + token, to.URL} {
			got := redact(before+s+after, to)
			if len(got) > maxError || !utf8.ValidString(got) || strings.ContainsFunc(got, unicode.IsControl) {
				t.Errorf("%q cannot be shown", got)
			}
			for _, hiding := range []string{oneLine(secret), token} {
				// A secret of dots or of words of the sentence is no test.
				if strings.Contains(got, hiding) && !strings.Contains(oneLine(before+after), hiding) && !strings.Contains("https://hooks.example/……", hiding) {
					t.Errorf("%q lets %q through: %q", before+s+after, hiding, got)
				}
			}
		}
	})
}
