package blackduck_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/leeward-ctem/leeward/discover/report/blackduck"
	"github.com/leeward-ctem/leeward/discover/report/reporttest"
	"github.com/leeward-ctem/leeward/exposure"
)

func TestReader(t *testing.T) { reporttest.Run(t, blackduck.Reader{}) }
func TestCorpus(t *testing.T) { reporttest.Conform(t, blackduck.Reader{}, "blackduck") }
func FuzzReader(f *testing.F) { reporttest.Fuzz(f, blackduck.Reader{}) }

// TestPaths joins vulnerabilities with the files in which their components lie.
func TestPaths(t *testing.T) {
	t.Parallel()
	const header = "Component id,Version id,Origin id,Component name,Component version name,Match type,Path,Archive context\n"
	many := header
	for i := range 25 {
		many += fmt.Sprintf("c1,v1,o1,cart,1.4,FILE_EXACT,/lib/%02d.jar,\n", i)
	}
	for name, c := range map[string]struct {
		source, columns, row, path, all string
	}{
		"one":                      {header + "c1,v1,o1,cart,1.4,FILE_EXACT,/lib/cart.jar,\nc1,v1,o1,cart,1.4,FILE_EXACT,/lib/cart.jar,\n", "Origin id", "c1,v1,o1", "/lib/cart.jar", ""},
		"older column":             {header + "c1,v1,o1,cart,1.4,FILE_EXACT,/lib/cart.jar,\n", "Channel version id", "c1,v1,o1", "/lib/cart.jar", ""},
		"several":                  {header + "c1,v1,o1,cart,1.4,FILE_EXACT,/a,\nc1,v1,o1,cart,1.4,FILE_EXACT,/b,\n", "Origin id", "c1,v1,o1", "/a", "/a\n/b"},
		"another origin":           {header + "c1,v1,o2,cart,1.4,FILE_EXACT,/a,\n", "Origin id", "c1,v1,o1", "", ""},
		"another version":          {header + "c1,v2,o1,cart,1.5,FILE_EXACT,/a,\n", "Origin id", "c1,v1,o1", "", ""},
		"no origin":                {header + "c1,v1,o1,cart,1.4,FILE_EXACT,/a,\n", "Origin id", "c1,v1,", "/a", ""},
		"no origin of the file":    {header + "c1,v1,,cart,1.4,FILE_EXACT,/a,\n", "Origin id", "c1,v1,o1", "", ""},
		"no ids":                   {header + ",,,cart,1.4,FILE_EXACT,/a,\n", "Origin id", ",,", "", ""},
		"more than anybody reads":  {many, "Origin id", "c1,v1,o1", "/lib/00.jar", "more than 20"},
		"no table of source files": {"whatever\n", "Origin id", "c1,v1,o1", "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			side, main := blackduck.Reader{}.Join()
			for range side(t.Context(), strings.NewReader(c.source)) {
			}
			in := "Component id,Version id," + c.columns + ",Vulnerability id,Vulnerability source,Remediation status\n" + c.row + ",CVE-2026-1,NVD,NEW\n"
			n := 0
			for o, err := range main(t.Context(), strings.NewReader(in)) {
				if err != nil {
					t.Fatal(err)
				}
				if o.Kind != exposure.ObservedWeakness {
					continue
				}
				all := ""
				for _, e := range o.Evidence {
					all += e.Text
				}
				if n++; o.Component.Path != c.path || c.all == "" && all != "" || !strings.Contains(all, c.all) {
					t.Errorf("at %q, %q; want %q, %q", o.Component.Path, all, c.path, c.all)
				}
			}
			if n != 1 {
				t.Errorf("%d vulnerabilities", n)
			}
		})
	}
}
