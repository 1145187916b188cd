package gitleaks_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/leeward-ctem/leeward/discover/report/gitleaks"
	"github.com/leeward-ctem/leeward/discover/report/reporttest"
)

func TestReader(t *testing.T) { reporttest.Run(t, gitleaks.Reader{}) }
func TestCorpus(t *testing.T) { reporttest.Conform(t, gitleaks.Reader{}, "gitleaks") }
func FuzzReader(f *testing.F) { reporttest.Fuzz(f, gitleaks.Reader{}) }

// TestSymbol tells secrets apart, and takes the same one for the same.
func TestSymbol(t *testing.T) {
	t.Parallel()
	symbol := func(members string) string {
		in := `[{"RuleID":"r","File":"a.txt",` + members + `}]`
		for o, err := range (gitleaks.Reader{}).Read(t.Context(), strings.NewReader(in)) {
			if err != nil {
				t.Fatal(err)
			}
			if o.Rule != "" {
				return o.Location.Symbol
			}
		}
		t.Fatalf("%s states nothing", in)
		return ""
	}
	one := symbol(`"Secret":"invented-one","Match":"k = invented-one","Commit":"1"`)
	for name, tt := range map[string]struct {
		members string
		same    bool
	}{
		"another commit":             {`"Secret":"invented-one","Match":"key: invented-one","Commit":"2"`, true},
		"another secret":             {`"Secret":"invented-two","Match":"k = invented-two","Commit":"1"`, false},
		"a secret written over":      {`"Secret":"REDACTED","Match":"k = REDACTED"`, false},
		"no secret, no match at all": {`"Secret":""`, false},
	} {
		if got := symbol(tt.members); (got == one) != tt.same {
			t.Errorf("%s: %q beside %q", name, got, one)
		}
	}
	if a, b := symbol(`"Secret":"REDACTED","Match":"a = REDACTED"`), symbol(`"Secret":"REDACTED","Match":"b = REDACTED"`); a == b {
		t.Error("what is around two secrets does not tell them apart")
	}
}

// TestNoSecret looks for the secrets of the samples in what is read of them.
func TestNoSecret(t *testing.T) {
	t.Parallel()
	samples, err := filepath.Glob("testdata/*.golden")
	if err != nil || len(samples) == 0 {
		t.Fatal(samples, err)
	}
	for _, path := range samples {
		out, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(out), "invented-") {
			t.Errorf("%s holds a secret", path)
		}
	}
}
