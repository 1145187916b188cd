package nessus

import (
	"encoding/xml"
	"errors"
	"strings"

	"github.com/leeward-ctem/leeward/discover/decode"
)

var errNoPlugin = errors.New("a ReportItem without pluginID has no identity")

// item is a ReportItem: of version 2 by its attributes and elements, of the old
// version, where all are elements, by those named Old.
type item struct {
	Port       string `xml:"port,attr"`
	Service    string `xml:"svc_name,attr"`
	Protocol   string `xml:"protocol,attr"`
	Severity   string `xml:"severity,attr"`
	PluginID   string `xml:"pluginID,attr"`
	PluginName string `xml:"pluginName,attr"`
	Family     string `xml:"pluginFamily,attr"`

	Name        string   `xml:"plugin_name"`
	Type        string   `xml:"plugin_type"`
	Risk        string   `xml:"risk_factor"`
	Synopsis    string   `xml:"synopsis"`
	Description string   `xml:"description"`
	Solution    string   `xml:"solution"`
	Output      string   `xml:"plugin_output"`
	SeeAlso     []string `xml:"see_also"`
	CVEs        []string `xml:"cve"`
	CWEs        []string `xml:"cwe"`
	XRefs       []string `xml:"xref"`
	Vector2     []string `xml:"cvss_vector"`
	Vector3     []string `xml:"cvss3_vector"`
	Vector4     []string `xml:"cvss4_vector"`
	Exploit     string   `xml:"exploit_available"`
	Ease        string   `xml:"exploitability_ease"`
	Malware     string   `xml:"exploited_by_malware"`
	Metasploit  []string `xml:"metasploit_name"`

	// Of the namespace http://www.nessus.org/cm.
	Check       string `xml:"compliance-check-name"`
	CheckID     string `xml:"compliance-check-id"`
	Result      string `xml:"compliance-result"`
	CheckInfo   string `xml:"compliance-info"`
	CheckFix    string `xml:"compliance-solution"`
	Actual      string `xml:"compliance-actual-value"`
	Expected    string `xml:"compliance-policy-value"`
	CheckSource string `xml:"compliance-audit-file"`
	CheckSee    string `xml:"compliance-see-also"`

	OldPort     string `xml:"port"`
	OldSeverity string `xml:"severity"`
	OldID       string `xml:"pluginID"`
	OldName     string `xml:"pluginName"`
	OldData     string `xml:"data"`
}

// decodeItem decodes the ReportItem that start opened. All that reading costs
// is spent here.
func decodeItem(x *decode.XML, start *xml.StartElement, it *item) error {
	*it = item{}
	return x.Element(start, it)
}

// modernise fills in what an item of the old version says in other ways: the
// port as "https (443/tcp)", the rest in one text.
func (it *item) modernise() {
	it.OldData = strings.ReplaceAll(it.OldData, `\n`, "\n") // line ends are written out
	it.PluginID, it.PluginName, it.Severity, it.Description = it.OldID, it.OldName, it.OldSeverity, it.OldData
	it.Service, it.Port = "", it.OldPort
	if service, rest, ok := strings.Cut(it.OldPort, " ("); ok {
		it.Service = service
		it.Port, it.Protocol, _ = strings.Cut(strings.TrimSuffix(rest, ")"), "/")
	} else if service, protocol, ok := strings.Cut(it.OldPort, "/"); ok {
		it.Service, it.Port, it.Protocol = service, "", protocol
	}
	it.CVEs = cveIDs.FindAllString(it.OldData, -1)
	it.Vector2 = cvss2.FindAllString(it.OldData, 1)
	before, output, ok := strings.Cut(it.OldData, "Plugin output :")
	if ok {
		it.Description = before
		it.Output, _, _ = strings.Cut(output, "\nCVE :")
	}
}
