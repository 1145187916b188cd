package harbor_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/leeward-ctem/leeward/discover/report/harbor"
	"github.com/leeward-ctem/leeward/discover/report/reporttest"
	"github.com/leeward-ctem/leeward/exposure"
)

func TestReader(t *testing.T) { reporttest.Run(t, harbor.Reader{}) }
func TestCorpus(t *testing.T) { reporttest.Conform(t, harbor.Reader{}, "harbor_vulnerability") }
func FuzzReader(f *testing.F) { reporttest.Fuzz(f, harbor.Reader{}) }

// The last column of the export is a list.
func TestLastColumn(t *testing.T) {
	t.Parallel()
	const in = "Repository,Artifact Digest,CVE,Package,Current Version,CWE Ids\nlibrary/shop,sha256:05,CVE-2099-0003,libshop,1.0,\"CWE-79,CWE-80\"\n"
	for o, err := range (harbor.Reader{}).Read(t.Context(), strings.NewReader(in)) {
		if err != nil {
			t.Fatal(err)
		}
		if o.Kind != exposure.ObservedWeakness {
			continue
		}
		if diff := cmp.Diff([]int{79, 80}, o.CWEs); diff != "" {
			t.Errorf("-want +got:\n%s", diff)
		}
	}
}
