package xray_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/leeward-ctem/leeward/discover/report/reporttest"
	"github.com/leeward-ctem/leeward/discover/report/xray"
	"github.com/leeward-ctem/leeward/exposure"
)

func TestReader(t *testing.T) {
	reporttest.Run(t, xray.Reader{},
		reporttest.Open("its members are the components, by their names", "components"),
	)
}
func TestCorpus(t *testing.T) {
	reporttest.Conform(t, xray.Reader{}, "jfrog_xray_unified", "jfrogxray")
}
func FuzzReader(f *testing.F) { reporttest.Fuzz(f, xray.Reader{}) }

func TestComponents(t *testing.T) {
	t.Parallel()
	for id, want := range map[string]exposure.Component{
		"npm://@shop/left:1.0":             {Purl: "pkg:npm/%40shop/left@1.0", Name: "@shop/left", Version: "1.0"},
		"gav://com.example:shop:2.0":       {Purl: "pkg:maven/com.example/shop@2.0", Name: "com.example:shop", Version: "2.0"},
		"deb://debian:bookworm:libc6:2.36": {Purl: "pkg:deb/debian/libc6@2.36", Name: "libc6", Version: "2.36"},
		"deb://ubuntu:jammy:shop:1:2.0-1":  {Purl: "pkg:deb/ubuntu/shop@1:2.0-1", Name: "shop", Version: "1:2.0-1"},
		"alpine://3.19:musl:1.2.4-r2":      {Purl: "pkg:apk/alpine/musl@1.2.4-r2", Name: "musl", Version: "1.2.4-r2"},
		"rpm://9:bash:0:5.1.8-6.el9":       {Name: "bash", Version: "5.1.8-6.el9"},
		"rpm://9:shop:1:5.1.8-6.el9":       {Name: "shop", Version: "5.1.8-6.el9"},
		"rpm://bash:5.1.8-6.el9":           {Name: "bash", Version: "5.1.8-6.el9"},
		"go://github.com/example/shop:1.2": {Purl: "pkg:golang/github.com/example/shop@1.2", Name: "github.com/example/shop", Version: "1.2"},
		"generic://sha256:00/shop-1.0.tgz": {Name: "shop-1.0.tgz"},
		"left:1.0":                         {Name: "left", Version: "1.0"},
		"left":                             {Name: "left"},
		"pypi://shop:1.0":                  {Purl: "pkg:pypi/shop@1.0", Name: "shop", Version: "1.0"},
	} {
		in := `{"total_rows": 1, "rows": [{"issue_id": "XRAY-1", "vulnerable_component": "` + id + `"}]}`
		for o, err := range (xray.Reader{}).Read(t.Context(), strings.NewReader(in)) {
			if err != nil {
				t.Fatal(err)
			}
			if o.Kind != exposure.ObservedWeakness {
				continue
			}
			if diff := cmp.Diff(want, o.Component); diff != "" {
				t.Errorf("%s (-want +got):\n%s", id, diff)
			}
		}
	}
}
