package openvas_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/leeward-ctem/leeward/discover/report/openvas"
	"github.com/leeward-ctem/leeward/discover/report/reporttest"
	"github.com/leeward-ctem/leeward/exposure"
)

func TestReader(t *testing.T) { reporttest.Run(t, openvas.Reader{}) }
func TestCorpus(t *testing.T) { reporttest.Conform(t, openvas.Reader{}, "openvas") }
func FuzzReader(f *testing.F) { reporttest.Fuzz(f, openvas.Reader{}) }

func TestResult(t *testing.T) {
	t.Parallel()
	type said struct {
		Rule, Service, Protocol, State string
		Port                           int
		Severity                       exposure.Severity
		Detection                      exposure.Detection
	}
	for in, want := range map[string]said{
		`<port>https (443/tcp)</port><nvt oid="1"/><threat>Alarm</threat>`:                                    {"1", "https", "tcp", "", 443, exposure.SeverityHigh, 0},
		`<port>general/icmp</port><nvt oid="0"><name>Ping</name></nvt><threat>Log</threat>`:                   {"Ping", "", "", "", 0, exposure.SeverityInfo, 0},
		`<port>53/udp</port><nvt oid="0"/><threat>Log</threat>`:                                               {"open-port", "", "udp", "", 53, exposure.SeverityInfo, 0},
		`<nvt oid="1"/><severity>9.8</severity><qod><value>97</value><type>package</type></qod>`:              {"1", "", "", "", 0, exposure.SeverityCritical, exposure.DetectionAuthenticated},
		`<nvt oid="1"/><threat>Low</threat><qod><value>30</value><type>remote_banner_unreliable</type></qod>`: {"1", "", "", "", 0, exposure.SeverityLow, exposure.DetectionBanner},
		`<nvt oid="1"/><threat>Low</threat><qod><value>100</value><type/></qod>`:                              {"1", "", "", "", 0, exposure.SeverityLow, exposure.DetectionExploit},
		`<nvt oid="1"/><threat>Medium</threat><delta>gone</delta>`:                                            {"1", "", "", "fixed", 0, exposure.SeverityMedium, 0},
		`<nvt oid="1"/><threat>False Positive</threat><original_threat>High</original_threat>`:                {"1", "", "", "not_affected", 0, exposure.SeverityHigh, 0},
		`<nvt oid="1"/><threat>Error</threat><severity>-3.0</severity>`:                                       {},
	} {
		var got said
		for o, err := range (openvas.Reader{}).Read(t.Context(), strings.NewReader("<report><results><result>"+in+"</result></results></report>")) {
			if err != nil {
				t.Fatal(err)
			}
			if o.Kind == exposure.ObservedWeakness {
				got = said{o.Rule, o.Location.Service, o.Location.Protocol, string(o.State), o.Location.Port, o.Severity, o.Detection}
			}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", in, diff)
		}
	}
}
