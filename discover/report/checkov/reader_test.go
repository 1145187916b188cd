package checkov_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/leeward-ctem/leeward/discover/report/checkov"
	"github.com/leeward-ctem/leeward/discover/report/reporttest"
)

func TestReader(t *testing.T) {
	reporttest.Run(t, checkov.Reader{},
		reporttest.Open("its members are the benchmarks", "benchmarks"),
	)
}
func TestCorpus(t *testing.T) { reporttest.Conform(t, checkov.Reader{}, "checkov") }
func FuzzReader(f *testing.F) { reporttest.Fuzz(f, checkov.Reader{}) }

// TestCoverage covers nothing: no report says of which directory it is.
func TestCoverage(t *testing.T) {
	t.Parallel()
	report := func(kind, passed, failed, unread string) string {
		return `{"check_type":"` + kind + `","results":{"failed_checks":[` + failed + `],"passed_checks":[` + passed + `],"parsing_errors":[` + unread + `]}}`
	}
	const (
		a = `{"check_id":"CKV_A","check_name":"a","file_path":"/a.tf","resource":"x.y"}`
		b = `{"check_id":"CKV_B","check_name":"b","file_path":"/a.tf","resource":"x.y"}`
		p = `{"check_id":"BC_CVE_1","vulnerability_details":{"id":"CVE-2024-0000","package_name":"p"}}`
	)
	for name, tt := range map[string]struct{ in, want string }{
		"quiet":                    {report("terraform", "", a, ""), "[]"},
		"passed and failed":        {report("terraform", a, b+","+a, ""), "[]"},
		"a file that was not read": {report("terraform", a, b, `"/b.tf"`), "[]"},
		"packages":                 {report("sca_package", p, "", ""), "[]"},
		"several reports":          {"[" + report("terraform", a, "", "") + "," + report("dockerfile", "", b, "") + "," + report("secrets", "", a, "") + "]", "[]"},
	} {
		var rules []string
		for o, err := range (checkov.Reader{}).Read(t.Context(), strings.NewReader(tt.in)) {
			if err != nil {
				t.Fatal(err)
			}
			if o.Coverage != nil {
				rules = append(rules, o.Coverage.Rules...)
			}
		}
		if got := fmt.Sprint(rules); got != tt.want {
			t.Errorf("%s: covers %s, want %s", name, got, tt.want)
		}
	}
}
