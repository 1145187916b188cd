package snyk_test

import (
	"strings"
	"testing"

	"github.com/leeward-ctem/leeward/discover/report/reporttest"
	"github.com/leeward-ctem/leeward/discover/report/snyk"
)

func TestReader(t *testing.T) { reporttest.Run(t, snyk.Reader{}) }
func TestCorpus(t *testing.T) {
	reporttest.Conform(t, snyk.Reader{}, "snyk", "-snyk/snykcode_issue_9270.json") // which is SARIF
}
func FuzzReader(f *testing.F) { reporttest.Fuzz(f, snyk.Reader{}) }

func TestImages(t *testing.T) {
	t.Parallel()
	const digest = "sha256:0000000000000000000000000000000000000000000000000000000000000001"
	for in, want := range map[string]string{
		`"projectName":"docker-image|nginx","path":"docker-image|nginx"`:             "image:nginx:latest",
		`"projectName":"docker-image|nginx","path":"nginx:1.27"`:                     "image:nginx:1.27",
		`"projectName":"x","docker":{},"path":"registry.example.com:5000/shop"`:      "image:registry.example.com:5000/shop:latest",
		`"projectName":"docker-image|shop","path":"shop:1@` + digest + `"`:           "image:shop:1 digest:" + digest,
		`"projectName":"docker-image|shop","path":"example.com/shop@` + digest + `"`: "digest:" + digest,
		`"projectName":"docker-image|shop.tar","path":"/src/shop.tar","docker":{}`:   "path:/src/shop.tar",
		`"projectName":"shop","path":"/src/shop","displayTargetFile":"package.json"`: "name:shop",
		`"path":"/src/shop"`: "",
	} {
		in = `{"dependencyCount":1,"vulnerabilities":[{"id":"SNYK-X-1","title":"x","packageName":"p"}],` + in + `}`
		var got []string
		for o, err := range (snyk.Reader{}).Read(t.Context(), strings.NewReader(in)) {
			if err != nil {
				t.Fatal(err)
			}
			for _, id := range o.Asset.Identifiers {
				got = append(got, id.String())
			}
		}
		if got := strings.Join(got, " "); got != want {
			t.Errorf("%s: %q, want %q", in, got, want)
		}
	}
}
