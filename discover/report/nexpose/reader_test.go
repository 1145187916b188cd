package nexpose_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/leeward-ctem/leeward/discover/report/nexpose"
	"github.com/leeward-ctem/leeward/discover/report/reporttest"
	"github.com/leeward-ctem/leeward/exposure"
)

func TestReader(t *testing.T) {
	reporttest.Run(t, nexpose.Reader{},
		reporttest.Open("they hold prose, with what is written in any element of it", "Paragraph", "ContainerBlockElement", "test", "UnorderedList", "ListItem", "description", "solution"),
	)
}
func TestCorpus(t *testing.T) { reporttest.Conform(t, nexpose.Reader{}, "nexpose") }
func FuzzReader(f *testing.F) { reporttest.Fuzz(f, nexpose.Reader{}) }

func TestCoverage(t *testing.T) {
	t.Parallel()
	test := func(rule, status string) string { return fmt.Sprintf("<test id=%q status=%q/>", rule, status) }
	at := func(port int, tests string) string {
		return fmt.Sprintf(`<endpoint protocol="tcp" port="%d"><services><service name="x"><tests>%s</tests></service></services></endpoint>`, port, tests)
	}
	for name, tc := range map[string]struct {
		node, ports string
		want        []string
	}{
		"nothing passed":        {test("a", "vulnerable-version"), "", nil},
		"passed on the host":    {test("a", "not-vulnerable"), "", []string{"[a] []"}},
		"passed by its version": {test("a", "not-vulnerable-version"), "", []string{"[a] []"}},
		"passed at two ports":   {"", at(1, test("a", "not-vulnerable")) + at(2, test("a", "not-vulnerable")+test("b", "not-vulnerable")), []string{"[a] [{tcp 1 1}]", "[a b] [{tcp 2 2}]"}},
		"passed and found":      {"", at(1, test("a", "not-vulnerable")) + at(2, test("a", "vulnerable-exploited")), []string{"[a] [{tcp 1 1}]"}},
		"skipped elsewhere":     {"", at(1, test("a", "not-vulnerable")) + at(2, test("A", "skipped-dos")), nil},
		"failed":                {test("a", "error") + test("b", "unknown") + test("c", "overridden"), "", nil},
	} {
		in := `<NexposeReport version="2.0"><nodes><node address="192.0.2.1"><tests>` + tc.node + "</tests><endpoints>" + tc.ports + "</endpoints></node></nodes></NexposeReport>"
		var got []string
		for o, err := range (nexpose.Reader{}).Read(t.Context(), strings.NewReader(in)) {
			if err != nil {
				t.Fatal(err)
			}
			if o.Kind == exposure.ObservedCoverage {
				got = append(got, fmt.Sprint(o.Coverage.Rules, " ", o.Coverage.Ports))
			}
		}
		if diff := cmp.Diff(tc.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}
