package webhook_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/leeward-ctem/leeward/mobilize/connector/webhook"
)

// example returns the only block of code in a language from docs/webhooks.md.
func example(t *testing.T, language string) string {
	t.Helper()
	page, err := os.ReadFile(filepath.Join("..", "..", "..", "docs", "webhooks.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, rest, ok := strings.Cut(string(page), "```"+language+"\n")
	code, more, closed := strings.Cut(rest, "```")
	if !ok || !closed || strings.Contains(more, "```"+language+"\n") {
		t.Fatalf("docs/webhooks.md has not one example in %s", language)
	}
	return code
}

// The examples for receivers in other languages run where these are, and agree
// with Verify.
func TestExamples(t *testing.T) {
	t.Parallel()
	for language, c := range map[string]struct{ program, after string }{
		"python": {"python3", `
import sys
secret, header, path, now = sys.argv[1:]
sys.exit(0 if verify(secret, header, open(path, "rb").read(), now=float(now)) else 1)
`},
		"sh": {"sh", `
NOW=$4 verify "$1" "$2" "$3"
`},
	} {
		t.Run(language, func(t *testing.T) {
			t.Parallel()
			program, err := exec.LookPath(c.program)
			if err == nil && language == "sh" {
				_, err = exec.LookPath("openssl")
			}
			if err != nil {
				t.Skipf("not installed here: %v", err)
			}
			script := filepath.Join(t.TempDir(), "verify")
			if err := os.WriteFile(script, []byte(example(t, language)+c.after), 0o600); err != nil {
				t.Fatal(err)
			}
			good := webhook.Sign(vectorSecret, []byte(vectorBody), sentAt)
			stamp, v1, _ := strings.Cut(good, ",")
			zeros := "v1=" + strings.Repeat("0", 64)
			for name, tt := range map[string]struct {
				secret, header, body string
				late                 int64
				ok                   bool
			}{
				"good":            {vectorSecret, good, vectorBody, 0, true},
				"second of two":   {vectorSecret, stamp + "," + zeros + "," + v1, vectorBody, 0, true},
				"spaces, others":  {vectorSecret, stamp + ", v2=x, " + v1, vectorBody, 300, true},
				"upper case":      {vectorSecret, stamp + ",v1=" + strings.ToUpper(v1[3:]), vectorBody, -300, true},
				"empty body":      {vectorSecret, webhook.Sign(vectorSecret, nil, sentAt), "", 0, true},
				"late":            {vectorSecret, good, vectorBody, 301, false},
				"early":           {vectorSecret, good, vectorBody, -301, false},
				"other secret":    {"x", good, vectorBody, 0, false},
				"other body":      {vectorSecret, good, vectorBody + "\n", 0, false},
				"other time":      {vectorSecret, "t=1772366401," + v1, vectorBody, 0, false},
				"no signature":    {vectorSecret, stamp, vectorBody, 0, false},
				"empty signature": {vectorSecret, stamp + ",v1=", vectorBody, 0, false},
				"no time":         {vectorSecret, v1, vectorBody, 0, false},
				"no header":       {vectorSecret, "", vectorBody, 0, false},
			} {
				body := filepath.Join(t.TempDir(), "body")
				if err := os.WriteFile(body, []byte(tt.body), 0o600); err != nil {
					t.Fatal(err)
				}
				out, err := exec.CommandContext(t.Context(), program, script, tt.secret, tt.header, body, fmt.Sprint(sentAt.Unix()+tt.late)).CombinedOutput()
				if (err == nil) != tt.ok || len(out) > 0 { // a program that breaks says so
					t.Errorf("%s: %v, want ok %t\n%s", name, err, tt.ok, out)
				}
			}
		})
	}
}
