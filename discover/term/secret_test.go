package term_test

import (
	"strings"
	"testing"

	"github.com/leeward-ctem/leeward/discover/term"
	"github.com/leeward-ctem/leeward/exposure"
)

func TestMark(t *testing.T) {
	t.Parallel()
	a, b := term.Mark("correct horse"), term.Mark("battery staple")
	if a == b || a != term.Mark(" correct horse\n") || term.Mark(" ") != "" {
		t.Errorf("marks %q and %q", a, b)
	}
	if strings.Contains(a, "horse") || len(a) > 20 {
		t.Errorf("the mark %q says too much", a)
	}
}

func TestRedacted(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]bool{"REDACTED": true, "[redacted]": true, "****": true, "": true, "AKIA****": false, "REDACTEDJ": false} {
		if got := term.Redacted(in); got != want {
			t.Errorf("Redacted(%q) = %v", in, got)
		}
	}
	if got := term.Masked(`key = "s3cr3t" # s3cr3t`, "s3cr3t", "REDACTED", ""); got != `key = "***" # ***` {
		t.Errorf("Masked: %q", got)
	}
}

func TestLevel(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]exposure.Severity{"ERROR": exposure.SeverityHigh, "warning": exposure.SeverityMedium, "style": exposure.SeverityInfo, "low": exposure.SeverityLow, "ignore": exposure.SeverityUnknown} {
		if got := term.Level(in); got != want {
			t.Errorf("Level(%q) = %v", in, got)
		}
	}
}

func TestRepository(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"https://github.com/acme/shop/blob/0123abc/app.go#L3":    "repository:github.com/acme/shop",
		"https://gitlab.example.com/a/b/c/-/blob/main/app.go":    "repository:gitlab.example.com/a/b/c",
		"https://u:p@git.example.com/acme/shop.git":              "repository:git.example.com/acme/shop",
		"git@github.com:acme/shop.git":                           "repository:github.com/acme/shop",
		"https://github.com/acme/shop/security/code-scanning/14": "repository:github.com/acme/shop",
		"https://example.com":                                    "",
		"file:///tmp/shop":                                       "",
		"shop":                                                   "",
		"":                                                       "",
	} {
		if got := term.Repository(in); got.Key() != want {
			t.Errorf("Repository(%q) = %q, want %q", in, got.Key(), want)
		}
	}
}

func TestFacts(t *testing.T) {
	t.Parallel()
	if got := term.Facts("Commit", "1", "Author", " ", "Date", "today "); got != "Commit: 1\nDate: today" {
		t.Errorf("Facts: %q", got)
	}
}
