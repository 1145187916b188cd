package credentials

import (
	"os"
	"strings"
	"testing"
)

// The documentation names every product and rule.
func TestDocumented(t *testing.T) {
	t.Parallel()
	b, err := os.ReadFile("../../../docs/scanning-credentials.md")
	if err != nil {
		t.Fatal(err)
	}
	page := strings.Join(strings.Fields(string(b)), " ")
	for _, p := range defaults() {
		if !strings.Contains(page, " "+p.product+",") && !strings.Contains(page, " "+p.product+".") {
			t.Errorf("%s is not named", p.product)
		}
	}
	for _, rule := range fileRules() {
		if !strings.Contains(page, strings.TrimPrefix(rule, "credentials/")+"`") {
			t.Errorf("%s is not named", rule)
		}
	}
}
