package dependencycheck_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/leeward-ctem/leeward/discover/report/dependencycheck"
	"github.com/leeward-ctem/leeward/discover/report/reporttest"
	"github.com/leeward-ctem/leeward/exposure"
)

func TestReader(t *testing.T) { reporttest.Run(t, dependencycheck.Reader{}) }
func TestCorpus(t *testing.T) { reporttest.Conform(t, dependencycheck.Reader{}, "dependency_check") }
func FuzzReader(f *testing.F) { reporttest.Fuzz(f, dependencycheck.Reader{}) }

// The name of software that no package is known for outlives its versions.
func TestNames(t *testing.T) {
	t.Parallel()
	for file, want := range map[string]string{
		"shop-core-1.2.0.jar": "shop-core.jar", "component1.dll": "component1.dll", "jquery-3.1.1.min.js": "jquery.min.js", "tool_2.0": "tool", "app.ear: words-1.0-SNAPSHOT.jar": "app.ear: words.jar",
		"/src/lib/words-1.0.jar": "words.jar", "lib-2d.js": "lib.js", "-1.jar": "-1.jar",
	} {
		in := fmt.Sprintf(`{"reportSchema":"1.1","scanInfo":{},"dependencies":[{"fileName":%q,"vulnerabilities":[{"name":"CVE-2099-70001"}]}]}`, file)
		for o, err := range (dependencycheck.Reader{}).Read(t.Context(), strings.NewReader(in)) {
			if err != nil {
				t.Fatal(err)
			}
			if o.Kind == exposure.ObservedWeakness && o.Component.Name != want {
				t.Errorf("%s: %q, want %q", file, o.Component.Name, want)
			}
		}
	}
}
