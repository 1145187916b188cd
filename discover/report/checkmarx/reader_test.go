package checkmarx_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/leeward-ctem/leeward/discover/report/checkmarx"
	"github.com/leeward-ctem/leeward/discover/report/reporttest"
	"github.com/leeward-ctem/leeward/exposure"
)

func TestReader(t *testing.T) {
	reporttest.Run(t, checkmarx.Reader{},
		reporttest.Ordered("a path leads from the source to the sink, which is the place", "nodes", "PathNode"),
		reporttest.Either("the members of scanResults that are no objects are facts about it", "sast"),
	)
}
func TestCorpus(t *testing.T) {
	reporttest.Conform(t, checkmarx.Reader{}, "checkmarx", "checkmarx_one")
}
func FuzzReader(f *testing.F) { reporttest.Fuzz(f, checkmarx.Reader{}) }

// TestPackages tries ids of packages, in which the name and the version are parted
// by a dash as their own parts are.
func TestPackages(t *testing.T) {
	t.Parallel()
	for id, want := range map[string]exposure.Component{
		"Npm-left-1.3.0":                 {Purl: "pkg:npm/left@1.3.0", Name: "left", Version: "1.3.0"},
		"Npm-@example/cart-2-1.3.0":      {Purl: "pkg:npm/%40example/cart-2@1.3.0", Name: "@example/cart-2", Version: "1.3.0"},
		"Maven-org.example:api-31.0-jre": {Purl: "pkg:maven/org.example/api@31.0-jre", Name: "org.example:api", Version: "31.0-jre"},
		"Ios-left":                       {Name: "left"},
		"left":                           {},
	} {
		in := fmt.Sprintf(`{"results": [{"type": "sca", "id": "CVE-2025-0001", "similarityId": "a", "data": {"packageIdentifier": %q}}]}`, id)
		if diff := cmp.Diff([]exposure.Component{want}, components(t, in)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", id, diff)
		}
	}
}

func components(t *testing.T, in string) (all []exposure.Component) {
	t.Helper()
	for o, err := range (checkmarx.Reader{}).Read(t.Context(), strings.NewReader(in)) {
		if err != nil {
			t.Fatal(err)
		}
		if o.Kind == exposure.ObservedWeakness {
			all = append(all, o.Component)
		}
	}
	return all
}
