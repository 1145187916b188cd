package policy

import (
	"fmt"
	"os"
	"strings"
	"testing"
)

// The table of the documentation is that of the code.
func TestDocumentationOfVariables(t *testing.T) {
	t.Parallel()
	body, err := os.ReadFile("../../docs/policies.md")
	if err != nil {
		t.Fatal(err)
	}
	var rows []string
	for _, v := range Variables() {
		kind := v.Type
		if len(v.Words) > 0 {
			kind = "`" + strings.Join(v.Words, "` `") + "`"
		}
		rows = append(rows, fmt.Sprintf("| `%s` | %s | %s | %s |", v.Name, kind, v.Meaning, orDash(v.Unknown)))
	}
	// A table for each of the three sides, in order.
	for _, row := range rows {
		if !strings.Contains(string(body), "\n"+row+"\n") {
			t.Errorf("docs/policies.md lacks the row\n%s", row)
		}
	}
	for _, c := range []struct {
		what string
		n    int
	}{{"conditions", maxParts}, {"conditions about weaknesses", maxWeakness}, {"about assets", maxAsset}, {"policies", maxPolicies}} {
		if !strings.Contains(string(body), fmt.Sprint(c.n)) {
			t.Errorf("docs/policies.md does not say how many %s are allowed: %d", c.what, c.n)
		}
	}
}

func orDash(s string) string {
	if s == "" {
		return "–"
	}
	return s
}
