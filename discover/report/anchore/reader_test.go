package anchore_test

import (
	"strings"
	"testing"

	"github.com/leeward-ctem/leeward/discover/report/anchore"
	"github.com/leeward-ctem/leeward/discover/report/reporttest"
	"github.com/leeward-ctem/leeward/exposure"
)

func TestReader(t *testing.T) { reporttest.Run(t, anchore.Reader{}) }
func TestCorpus(t *testing.T) {
	reporttest.Conform(t, anchore.Reader{}, "anchore_engine", "anchorectl_vulns")
}
func FuzzReader(f *testing.F) { reporttest.Fuzz(f, anchore.Reader{}) }

// The version never becomes part of the name of a component, which is identity.
func TestNames(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ pkg, kind, name, version string }{
		{"java-1.8.0-openjdk-1.8.0.432-1.el9", "RPM", "java-1.8.0-openjdk", "1.8.0.432-1.el9"},
		{"shop-el-api-9.0.97", "Java", "shop-el-api", "9.0.97"},
		{"shop", "RPM", "shop", ""},
		{"shop", "Java", "shop", ""},
		{"libshop1.1-1:1.2-3", "DPKG", "libshop1.1", "1:1.2-3"},
	} {
		in := `{"metadata": {"imageDigest": "sha256:1"}, "securityEvaluation": [{"vulnerabilityId": "CVE-2099-1000", "package": "` + c.pkg + `", "packageType": "` + c.kind + `"}]}`
		for o, err := range (anchore.Reader{}).Read(t.Context(), strings.NewReader(in)) {
			if err != nil {
				t.Fatal(err)
			}
			if o.Kind == exposure.ObservedWeakness && (o.Component.Name != c.name || o.Component.Version != c.version) {
				t.Errorf("%s: %q and %q, want %q and %q", c.pkg, o.Component.Name, o.Component.Version, c.name, c.version)
			}
		}
	}
}
