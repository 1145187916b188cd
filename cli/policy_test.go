package cli

import (
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/leeward-ctem/leeward/exposure"
	"github.com/leeward-ctem/leeward/prioritize"
	"github.com/leeward-ctem/leeward/prioritize/policy"
	"github.com/leeward-ctem/leeward/scope"
)

// The shipped policies are in exactly the language that people write: the
// strict reader of the programme reads them as what they are.
func TestShippedPoliciesAreWhatPeopleWrite(t *testing.T) {
	t.Parallel()
	all, err := policy.Presets()
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range all {
		text, err := policy.Text(p.Document())
		if err != nil {
			t.Fatal(err)
		}
		for _, form := range []string{text, policy.InProgramme(text)} {
			read, err := scope.ParsePolicies("p.yaml", []byte(form))
			if err != nil {
				t.Errorf("%s: %v", p.Name(), err)
				continue
			}
			places := []cmp.Option{
				cmpopts.IgnoreFields(exposure.Policy{}, "File", "Line", "AppliesLine"), cmpopts.IgnoreFields(exposure.PolicyRule{}, "Line"),
				cmpopts.IgnoreFields(exposure.PolicyInput{}, "Line"), cmpopts.IgnoreFields(exposure.PolicyValue{}, "Line"), cmpopts.IgnoreFields(exposure.PolicyRow{}, "Line"),
			}
			if diff := cmp.Diff([]exposure.Policy{p.Document()}, read, places...); diff != "" {
				t.Errorf("%s: %s", p.Name(), diff)
			}
			if _, err := policy.Compile(read[0]); err != nil {
				t.Error(err)
			}
		}
	}
}

// The example of the documentation is complete: it is read and in force.
func TestDocumentationOfPolicies(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../docs/policies.md")
	if err != nil {
		t.Fatal(err)
	}
	_, example, _ := strings.Cut(string(text), "```yaml\n")
	example, _, _ = strings.Cut(example, "```")
	p, err := scope.Parse("example.yaml", []byte(example))
	if err != nil {
		t.Fatal(err)
	}
	m, err := prioritize.New(riskConfig(p), time.Now(), p.Policies...)
	if err != nil {
		t.Fatal(err)
	}
	known, err := m.Policies()
	if err != nil || len(known.Force) != 5 {
		t.Errorf("%d policies in force, %v", len(known.Force), err)
	}
}
