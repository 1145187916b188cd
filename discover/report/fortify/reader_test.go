package fortify_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/leeward-ctem/leeward/discover/report/fortify"
	"github.com/leeward-ctem/leeward/discover/report/reporttest"
	"github.com/leeward-ctem/leeward/exposure"
)

func TestReader(t *testing.T) { reporttest.Run(t, fortify.Reader{}) }
func TestCorpus(t *testing.T) { reporttest.Conform(t, fortify.Reader{}, "fortify") }
func FuzzReader(f *testing.F) { reporttest.Fuzz(f, fortify.Reader{}) }

// TestPriority tries the order of priority of Fortify: impact over likelihood.
func TestPriority(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		severity, confidence, impact, accuracy, probability string
		want                                                exposure.Severity
	}{
		{"5.0", "5.0", "5.0", "5.0", "2.5", exposure.SeverityCritical},
		{"5.0", "5.0", "4.0", "3.0", "4.0", exposure.SeverityHigh},
		{"5.0", "5.0", "2.0", "5.0", "2.5", exposure.SeverityMedium},
		{"5.0", "2.0", "2.0", "5.0", "2.5", exposure.SeverityLow},
		{"5.0", "5.0", "", "", "", exposure.SeverityCritical}, // the rule is not known
		{"1.0", "5.0", "", "", "", exposure.SeverityInfo},
		{"x", "5.0", "", "", "", exposure.SeverityUnknown},
	} {
		in := fmt.Sprintf(`<FVDL><Vulnerabilities><Vulnerability><ClassInfo><ClassID>a</ClassID></ClassInfo><InstanceInfo><InstanceSeverity>%s</InstanceSeverity><Confidence>%s</Confidence></InstanceInfo></Vulnerability></Vulnerabilities>
<EngineData><RuleInfo><Rule id="a"><MetaInfo><Group name="Impact">%s</Group><Group name="Accuracy">%s</Group><Group name="Probability">%s</Group></MetaInfo></Rule></RuleInfo></EngineData></FVDL>`,
			c.severity, c.confidence, c.impact, c.accuracy, c.probability)
		for o, err := range (fortify.Reader{}).Read(t.Context(), strings.NewReader(in)) {
			if err != nil {
				t.Fatal(err)
			}
			if o.Kind == exposure.ObservedWeakness && o.Severity != c.want {
				t.Errorf("%+v is %v", c, o.Severity)
			}
		}
	}
}
