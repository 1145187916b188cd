package term_test

import (
	"testing"

	"github.com/leeward-ctem/leeward/discover/term"
)

func TestAside(t *testing.T) {
	t.Parallel()
	for file, want := range map[string]bool{
		"src/app.ini": false, "contest/app.ini": false, "latest.go": false, "etc/ssh/sshd_config": false,
		"vendor/x/app.ini": true, "a/Testdata/app.ini": true, "api_test.go": true, "api.spec.ts": true, ".env.example": true, "test_app.py": true,
	} {
		if got := term.Aside(file); got != want {
			t.Errorf("%s: %v", file, got)
		}
	}
}
