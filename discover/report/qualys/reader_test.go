package qualys_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/leeward-ctem/leeward/discover/decode"
	"github.com/leeward-ctem/leeward/discover/report/qualys"
	"github.com/leeward-ctem/leeward/discover/report/reporttest"
	"github.com/leeward-ctem/leeward/exposure"
)

func TestReader(t *testing.T) { reporttest.Run(t, qualys.Reader{}) }
func TestCorpus(t *testing.T) {
	reporttest.Conform(t, qualys.Reader{}, "qualys", "qualys_vmdr", "qualys_webapp")
}
func FuzzReader(f *testing.F) { reporttest.Fuzz(f, qualys.Reader{}) }

// TestManyHosts reads a report whose header stands below a long list of hosts.
func TestManyHosts(t *testing.T) {
	t.Parallel()
	var in strings.Builder
	in.WriteString("\"IP\",\"Total Vulnerabilities\",\"Security Risk\"\n")
	for i := range 5000 {
		fmt.Fprintf(&in, "\"192.0.%d.%d\",\"1\",\"5.0\"\n", i/256, i%256)
	}
	in.WriteString("\n\"IP\",\"QID\",\"Title\",\"Vuln Status\",\"Type\",\"Severity\"\n\"192.0.2.1\",\"990001\",\"Weak Ciphers\",\"Active\",\"Vuln\",\"4\"\n")
	if !(qualys.Reader{}).Sniff(decode.NewHead([]byte(in.String()[:64<<10]))) {
		t.Error("it is not recognised")
	}
	found := 0
	for o, err := range (qualys.Reader{}).Read(t.Context(), strings.NewReader(in.String())) {
		if err != nil {
			t.Fatal(err)
		}
		if o.Kind == exposure.ObservedWeakness {
			found++
		}
	}
	if found != 1 {
		t.Errorf("%d findings, want 1", found)
	}
}
