package secret_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/leeward-ctem/leeward/internal/secret"
)

func TestFind(t *testing.T) {
	t.Parallel()
	for text, want := range map[string][]string{
		"a word":                                nil,
		`db_password = "hunter2!"`:              {"password hunter2!"},
		"GET /?token=s3cr3t HTTP/1.1":           {"token s3cr3t"},
		"postgres://app:pa55word@db/x token=a1": {"password pa55word", "token a1"},
		"\x1b[31mpassword=x":                    nil,
	} {
		var got []string
		for _, m := range secret.Find(text) {
			got = append(got, m.Kind+" "+text[m.From:m.To])
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%q (-want +got):\n%s", text, diff)
		}
	}
}

// What Find finds is what Text replaces at its first look, in any text.
func TestFindAgreesWithText(t *testing.T) {
	t.Parallel()
	for _, test := range redactions() {
		s := secret.Plain(test[0])
		if len(s) != len(test[0]) {
			t.Fatalf("Plain changed the length of %q to %q", test[0], s)
		}
		found := secret.Find(s)
		if got := secret.Text(s, 0); (len(found) > 0) != (got != s) {
			t.Errorf("%q: found %v, but Text gives %q", s, found, got)
		}
		last := 0
		for _, m := range found {
			if m.From < last || m.To <= m.From || m.To > len(s) || m.Kind == "" {
				t.Errorf("%q: %+v after %d", s, m, last)
			}
			last = m.To
		}
	}
}
