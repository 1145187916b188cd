package gosec_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/leeward-ctem/leeward/discover/report/gosec"
	"github.com/leeward-ctem/leeward/discover/report/reporttest"
)

func TestReader(t *testing.T) { reporttest.Run(t, gosec.Reader{}) }
func TestCorpus(t *testing.T) { reporttest.Conform(t, gosec.Reader{}, "gosec") }
func FuzzReader(f *testing.F) { reporttest.Fuzz(f, gosec.Reader{}) }

// TestSnippet keeps the code alone, in whatever way a version writes it.
func TestSnippet(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct{ code, line, want string }{
		"the code alone":     {"f(x)", "3", "f(x)"},
		"with its context":   {"2: if x {\n3: \tf(x)\n4: }\n", "3", "f(x)"},
		"several lines":      {"3: f(\n4: \tx)\n5: }\n", "3-4", "f(\nx)"},
		"another line":       {"3: f(x)\n", "9", "f(x)"},
		"a label, no number": {"loop: f(x)", "3", "loop: f(x)"},
	} {
		in := fmt.Sprintf(`{"Issues":[{"rule_id":"G1","details":"d","file":"a.go","line":%q,"code":%q}]}`, tt.line, tt.code)
		for o, err := range (gosec.Reader{}).Read(t.Context(), strings.NewReader(in)) {
			if err != nil {
				t.Fatal(err)
			}
			if o.Rule != "" && o.Location.Snippet != tt.want {
				t.Errorf("%s: %q, want %q", name, o.Location.Snippet, tt.want)
			}
		}
	}
}
