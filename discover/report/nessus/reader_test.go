package nessus_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/leeward-ctem/leeward/discover/report/nessus"
	"github.com/leeward-ctem/leeward/discover/report/reporttest"
	"github.com/leeward-ctem/leeward/exposure"
)

func TestReader(t *testing.T) { reporttest.Run(t, nessus.Reader{}) }

func TestConform(t *testing.T) { reporttest.Conform(t, nessus.Reader{}, "tenable") }

func FuzzReader(f *testing.F) { reporttest.Fuzz(f, nessus.Reader{}) }

// read returns what the reader states and the records that were lost.
func read(t *testing.T, r io.Reader) (all []exposure.Observation, lost int) {
	t.Helper()
	for o, err := range (nessus.Reader{}).Read(t.Context(), r) {
		var rec *exposure.RecordError
		switch {
		case errors.As(err, &rec):
			lost++
		case err != nil:
			t.Fatal(err)
		default:
			all = append(all, o)
		}
	}
	return all, lost
}

func preference(name, value string) string {
	return "<preference><name>" + name + "</name><value>" + value + "</value></preference>"
}

func family(name, status string) string {
	return "<FamilyItem><FamilyName>" + name + "</FamilyName><Status>" + status + "</Status></FamilyItem>"
}

func TestCoverage(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("10000;", 30_000)
	const ended, login = `<tag name="HOST_END">Mon Jul  1 11:40:48 2013</tag>`, `<tag name="Credentialed_Scan">true</tag>`
	for name, tc := range map[string]struct {
		server, families, report, host, items string
		want                                  []string
	}{
		"no policy":                {host: ended, want: []string{"vuln []"}},
		"not ended":                {},
		"not ended but started":    {host: `<tag name="HOST_START">Mon Jul  1 11:40:48 2013</tag>`},
		"ended at a strange time":  {host: `<tag name="HOST_END">yesterday</tag>`},
		"ended in other words":     {host: `<tag name="HOST_END">2023-08-01T12:00:00Z</tag>`, want: []string{"vuln []"}},
		"login worked":             {host: ended + login, want: []string{"vuln []", "vuln-authenticated []"}},
		"login failed":             {host: ended + `<tag name="Credentialed_Scan">false</tag>`, want: []string{"vuln []"}},
		"plug-ins listed":          {server: preference("plugin_set", "1;2;3"), host: ended, want: []string{"vuln [1 2 3]"}},
		"families in part":         {families: family("DNS", "mixed"), host: ended},
		"families, one off":        {families: family("DNS", "enabled") + family("FTP", "disabled"), host: ended},
		"families, all on":         {families: family("DNS", "enabled") + family("Port scanners", "mixed"), host: ended, want: []string{"vuln []"}},
		"long list, all families":  {server: preference("plugin_set", long), families: family("DNS", "enabled"), host: ended, want: []string{"vuln []"}},
		"long list, some families": {server: preference("plugin_set", long), families: family("DNS", "mixed"), host: ended},
		"long list alone":          {server: preference("plugin_set", long), host: ended},
		"dead host":                {host: ended, items: `<ReportItem pluginID="10180" severity="0"><plugin_output>The host is considered as dead - not scanning</plugin_output></ReportItem>`},
		"compliance": {host: ended, items: `<ReportItem pluginID="21156"><compliance-result>PASSED</compliance-result><compliance-check-id>a</compliance-check-id></ReportItem>` +
			`<ReportItem pluginID="21156"><compliance-result>WARNING</compliance-result><compliance-check-name>b</compliance-check-name></ReportItem>`,
			want: []string{"vuln []", "misconfig [21156:a 21156:b]"}},
		"web application":        {report: ` type="was"`, host: ended, want: []string{"web []"}},
		"web, plug-ins chosen":   {report: ` type="was"`, server: "<settings_plugin_ids>1, 2</settings_plugin_ids><settings_plugin_mode>enable</settings_plugin_mode>", host: ended, want: []string{"web [1 2]"}},
		"web, plug-ins left out": {report: ` type="was"`, server: "<settings_plugin_ids>1,2</settings_plugin_ids><settings_plugin_mode>disable</settings_plugin_mode>", host: ended},
		"web, families left out": {report: ` type="was"`, server: "<settings_plugin_families>XSS</settings_plugin_families>", host: ended},
		"web, with a login":      {report: ` type="was"`, host: ended + login, want: []string{"web []"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			in := "<NessusClientData_v2><Policy><Preferences><ServerPreferences>" + tc.server + "</ServerPreferences></Preferences><FamilySelection>" + tc.families +
				"</FamilySelection></Policy><Report" + tc.report + `><ReportHost name="192.0.2.1"><HostProperties>` + tc.host + "</HostProperties>" + tc.items + "</ReportHost></Report></NessusClientData_v2>"
			var got []string
			all, _ := read(t, strings.NewReader(in))
			for _, o := range all {
				if o.Kind == exposure.ObservedCoverage {
					got = append(got, fmt.Sprint(o.Coverage.Class, " ", o.Coverage.Rules))
				}
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("coverage (-want +got):\n%s", diff)
			}
		})
	}
}

func TestItem(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		in   string
		want exposure.Observation
	}{
		"bytes that XML forbids": {
			"<ReportItem pluginID='1' pluginName='a' severity='4'><plugin_output>\x00\x1b[0m caf\xe9 &#27;</plugin_output></ReportItem>",
			exposure.Observation{Rule: "1", Title: "a", Severity: exposure.SeverityCritical, Detection: exposure.DetectionRemote, Confidence: 95,
				Evidence: []exposure.Evidence{{Kind: "output", Text: "??[0m caf? ?????"}}},
		},
		"severity in words, no name": {
			"<ReportItem pluginID='2' port='0' protocol='tcp'><plugin_type>combined</plugin_type><risk_factor>Medium</risk_factor></ReportItem>",
			exposure.Observation{Rule: "2", Title: "Nessus plug-in 2", Severity: exposure.SeverityMedium, Detection: exposure.DetectionRemote, Confidence: 70},
		},
		"port beyond the last": {
			"<ReportItem pluginID='3' pluginName='a' port='65536' protocol='tcp' severity='1'/>",
			exposure.Observation{Rule: "3", Title: "a", Severity: exposure.SeverityLow, Detection: exposure.DetectionRemote, Confidence: 95},
		},
		"udp": {
			"<ReportItem pluginID='4' pluginName='a' port='161' protocol='UDP' svc_name='snmp?' severity='9'><cve> cve-2020-0001 </cve><cve>CVE-2020-0001</cve><cwe>CWE-79</cwe><cwe>x</cwe></ReportItem>",
			exposure.Observation{Rule: "4", Title: "a", Advisories: []string{"CVE-2020-0001"}, CWEs: []int{79}, Detection: exposure.DetectionRemote, Confidence: 95,
				Location: exposure.Location{Port: 161, Protocol: "udp", Service: "snmp"}},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			all, lost := read(t, strings.NewReader("<NessusClientData_v2><Report><ReportHost name='h'>"+tc.in+"</ReportHost></Report></NessusClientData_v2>"))
			if len(all) != 3 || lost != 0 {
				t.Fatalf("%d observations, %d lost", len(all), lost)
			}
			tc.want.Tool, tc.want.Class = "nessus", "vuln"
			tc.want.Asset = exposure.AssetRef{Kind: exposure.AssetHost, Identifiers: []exposure.Identifier{{Kind: exposure.IDHostname, Value: "h"}}}
			if diff := cmp.Diff(tc.want, all[1]); diff != "" {
				t.Errorf("item (-want +got):\n%s", diff)
			}
		})
	}
}

// TestPolicyIsPassedOver reads a policy that is larger than what the import
// takes for one record.
func TestPolicyIsPassedOver(t *testing.T) {
	t.Parallel()
	item := "<item><pluginName>" + strings.Repeat("x", 1000) + "</pluginName><pluginId>1</pluginId></item>"
	c := &counted{r: io.MultiReader(
		strings.NewReader("<NessusClientData_v2><Policy><Preferences><PluginsPreferences>"),
		strings.NewReader(strings.Repeat(item, 80<<10)),
		strings.NewReader("</PluginsPreferences></Preferences></Policy></NessusClientData_v2>"))}
	for _, err := range (nessus.Reader{}).Read(t.Context(), c) {
		if c.n = 0; err != nil {
			t.Fatal(err)
		}
	}
	if c.most > 20<<20 {
		t.Errorf("%d MiB without an observation", c.most>>20)
	}
}

// counted counts the bytes read since n was reset.
type counted struct {
	r       io.Reader
	n, most int
}

func (c *counted) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n += n
	c.most = max(c.most, c.n)
	return n, err
}

func BenchmarkReader(b *testing.B) {
	var in bytes.Buffer
	in.WriteString("<NessusClientData_v2><Report>")
	for h := 0; in.Len() < 4<<20; h++ {
		fmt.Fprintf(&in, `<ReportHost name="10.0.%d.%d"><HostProperties><tag name="host-ip">10.0.%[1]d.%[2]d</tag><tag name="HOST_END">Mon Jul  1 11:40:48 2013</tag></HostProperties>`, h/256, h%256)
		for i := range 50 {
			fmt.Fprintf(&in, `<ReportItem port="443" svc_name="www" protocol="tcp" severity="%d" pluginID="%d" pluginName="A weakness" pluginFamily="Web Servers">
<cve>CVE-2020-%05d</cve>
<cvss3_base_score>7.5</cvss3_base_score>
<cvss3_vector>CVSS:3.0/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:N/A:N</cvss3_vector>
<description>The version of the server that runs on the remote host is affected by a
flaw in how it handles requests. An attacker can send &quot;many&quot; of them.

Note that Nessus has not tested for this issue.</description>
<fname>a_weakness.nasl</fname>
<plugin_modification_date>2020/01/01</plugin_modification_date>
<plugin_name>A weakness</plugin_name>
<plugin_type>remote</plugin_type>
<risk_factor>High</risk_factor>
<see_also>https://example.com/advisory/%[2]d</see_also>
<solution>Upgrade to the next version.</solution>
<synopsis>The remote web server is affected by a flaw.</synopsis>
<plugin_output>
  URL               : https://10.0.0.1/
  Installed version : 2.4.6
  Fixed version     : 2.4.7
</plugin_output>
</ReportItem>
`, i%5, 100000+i, i)
		}
		in.WriteString("</ReportHost>")
	}
	in.WriteString("</Report></NessusClientData_v2>")
	b.SetBytes(int64(in.Len()))
	for b.Loop() {
		for _, err := range (nessus.Reader{}).Read(b.Context(), bytes.NewReader(in.Bytes())) {
			if err != nil {
				b.Fatal(err)
			}
		}
	}
}
