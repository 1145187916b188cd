package tfsec_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/leeward-ctem/leeward/discover/decode"
	"github.com/leeward-ctem/leeward/discover/report/reporttest"
	"github.com/leeward-ctem/leeward/discover/report/tfsec"
	"github.com/leeward-ctem/leeward/exposure"
)

func TestReader(t *testing.T) { reporttest.Run(t, tfsec.Reader{}) }
func TestCorpus(t *testing.T) { reporttest.Conform(t, tfsec.Reader{}, "tfsec") }
func FuzzReader(f *testing.F) { reporttest.Fuzz(f, tfsec.Reader{}) }

// TestNone reads what tfsec writes when nothing was found.
func TestNone(t *testing.T) {
	t.Parallel()
	const in = "{\n\t\"results\": null\n}\n"
	if !(tfsec.Reader{}).Sniff(decode.NewHead([]byte(in))) {
		t.Error("not recognised")
	}
	for o, err := range (tfsec.Reader{}).Read(t.Context(), strings.NewReader(in)) {
		if err != nil || o.Kind != exposure.ObservedRun {
			t.Errorf("%v, %v", o, err)
		}
	}
}

// TestCoverage covers nothing: no report says of which directory it is.
func TestCoverage(t *testing.T) {
	t.Parallel()
	const failed, passed = `{"rule_id":"A","status":0,"description":"x"}`, `{"rule_id":"B","status":1}`
	for in, want := range map[string]string{failed: "[]", failed + "," + passed: "[]", passed + "," + passed: "[]", "": "[]"} {
		var rules []string
		for o, err := range (tfsec.Reader{}).Read(t.Context(), strings.NewReader(`{"results":[`+in+`]}`)) {
			if err != nil {
				t.Fatal(err)
			}
			if o.Coverage != nil {
				rules = append(rules, o.Coverage.Rules...)
			}
		}
		if got := fmt.Sprint(rules); got != want {
			t.Errorf("%s covers %s, want %s", in, got, want)
		}
	}
}
