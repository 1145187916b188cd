package testkit

import (
	"bufio"
	"fmt"
	"io"
)

// Report writes a report of some format.
type Report func(w io.Writer, e Estate) error

// Reports returns the writers of reports by the names of their formats: those
// that are most used.
func Reports() map[string]Report {
	return map[string]Report{
		"nuclei": Nuclei, "trivy": Trivy, "nessus": Nessus, "nmap": Nmap, "zap": ZAP, "sarif": SARIF,
		"cyclonedx": CycloneDX, "grype": Grype, "semgrep": Semgrep, "generic": CSV,
	}
}

// cveOf is the CVE of a check.
func cveOf(check int) string { return fmt.Sprintf("CVE-%d-%d", 2015+check%11, 1000+check) }

// vector is a CVSS vector that reports state.
const vector = "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"

// byHost calls f with the findings of each host after one another, and begin and
// end around them.
func (e Estate) byHost(begin func(host int), f func(host, check, n int), end func(host int)) {
	n := 0
	for host := range e.Hosts {
		begin(host)
		for i := host; i < e.Findings; i += e.Hosts {
			f(host, (i/e.Hosts*31+host)%e.Checks, n)
			n++
		}
		end(host)
	}
}

// Nessus writes a scan of hosts in the XML form of Nessus.
func Nessus(w io.Writer, e Estate) error {
	e = e.withDefaults()
	b := bufio.NewWriterSize(w, 1<<20)
	fmt.Fprintf(b, "<?xml version=\"1.0\" ?>\n<NessusClientData_v2>\n<Policy><policyName>Servers</policyName><Preferences><ServerPreferences></ServerPreferences></Preferences></Policy>\n<Report name=\"estate %d\">\n", e.Seed)
	e.byHost(
		func(host int) {
			fmt.Fprintf(b, "<ReportHost name=\"10.%d.%d.%d\"><HostProperties>\n<tag name=\"HOST_END_TIMESTAMP\">1758355200</tag>\n<tag name=\"host-ip\">10.%d.%d.%d</tag>\n<tag name=\"host-fqdn\">srv-%d.estate%d.example</tag>\n<tag name=\"operating-system\">Linux Kernel 5.15</tag>\n</HostProperties>\n",
				host>>16&255, host>>8&255, host&255, host>>16&255, host>>8&255, host&255, host, e.Seed)
		},
		func(_, check, _ int) {
			fmt.Fprintf(b, "<ReportItem port=\"%d\" svc_name=\"www\" protocol=\"tcp\" severity=\"%d\" pluginID=\"%d\" pluginName=\"Product %d &lt; 4.%d Overflow\" pluginFamily=\"Web Servers\">\n<agent>all</agent>\n<cpe>cpe:/a:example:product_%d</cpe>\n<cve>%s</cve>\n<cvss3_base_score>9.8</cvss3_base_score>\n<cvss3_vector>%s</cvss3_vector>\n<cvss_base_score>7.5</cvss_base_score>\n<cvss_vector>CVSS2#AV:N/AC:L/Au:N/C:P/I:P/A:P</cvss_vector>\n<cwe>%d</cwe>\n",
				443+check%7, check%5, 200_000+check, check, check%20, check, cveOf(check), vector, 1+check%900)
			fmt.Fprintf(b, "<description>The version of Product %d that is installed on the remote host is prior to 4.%d. It is, therefore, affected by an overflow in its parser:\n\n  - Whoever may send a document to the service can write behind the end of a buffer of a fixed size, because the length that the document states is believed. (%s)\n\nNote that the scanner has not tried the weakness but has instead relied on the version that the application reports of itself.</description>\n<exploit_available>false</exploit_available>\n<exploitability_ease>No known exploits are available</exploitability_ease>\n<fname>product_%d.nasl</fname>\n<plugin_modification_date>2025/09/01</plugin_modification_date>\n<plugin_name>Product %d &lt; 4.%d Overflow</plugin_name>\n<plugin_publication_date>2025/08/12</plugin_publication_date>\n<plugin_type>remote</plugin_type>\n<risk_factor>High</risk_factor>\n<script_version>1.4</script_version>\n<see_also>https://product-%d.example/security/4.%d</see_also>\n<solution>Upgrade to Product version 4.%d or later.</solution>\n<synopsis>An application on the remote host is affected by an overflow.</synopsis>\n<vuln_publication_date>2025/08/10</vuln_publication_date>\n<plugin_output>\n  Path              : /opt/product%d\n  Installed version : 4.0\n  Fixed version     : 4.%d\n</plugin_output>\n</ReportItem>\n",
				check, check%20, cveOf(check), check, check, check%20, check, check%20, check%20, check, check%20)
		},
		func(int) { b.WriteString("</ReportHost>\n") })
	b.WriteString("</Report>\n</NessusClientData_v2>\n")
	return b.Flush()
}

// Nmap writes open ports in the XML form of Nmap: a finding is a port.
func Nmap(w io.Writer, e Estate) error {
	e = e.withDefaults()
	b := bufio.NewWriterSize(w, 1<<20)
	fmt.Fprintf(b, "<?xml version=\"1.0\"?>\n<nmaprun scanner=\"nmap\" args=\"nmap -sV -p- -oX - estate%d.example\" start=\"1758355200\" version=\"7.95\" xmloutputversion=\"1.05\">\n<scaninfo type=\"connect\" protocol=\"tcp\" numservices=\"65535\" services=\"1-65535\"/>\n", e.Seed)
	port := 0
	e.byHost(
		func(host int) {
			port = 0
			fmt.Fprintf(b, "<host starttime=\"1758355200\" endtime=\"1758355260\"><status state=\"up\" reason=\"syn-ack\"/><address addr=\"10.%d.%d.%d\" addrtype=\"ipv4\"/><hostnames><hostname name=\"srv-%d.estate%d.example\" type=\"PTR\"/></hostnames><ports>", host>>16&255, host>>8&255, host&255, host, e.Seed)
		},
		func(_, check, _ int) {
			port++
			fmt.Fprintf(b, "<port protocol=\"tcp\" portid=\"%d\"><state state=\"open\" reason=\"syn-ack\"/><service name=\"http\" product=\"Product %d\" version=\"4.%d\" method=\"probed\" conf=\"10\"/></port>", port%65535+1, check, check%20)
		},
		func(int) { b.WriteString("</ports></host>\n") })
	fmt.Fprintf(b, "<runstats><finished time=\"1758355300\" elapsed=\"100\" exit=\"success\"/><hosts up=\"%d\" down=\"0\" total=\"%d\"/></runstats>\n</nmaprun>\n", e.Hosts, e.Hosts)
	return b.Flush()
}

// ZAP writes alerts of sites in the XML form of ZAP.
func ZAP(w io.Writer, e Estate) error {
	e = e.withDefaults()
	b := bufio.NewWriterSize(w, 1<<20)
	b.WriteString("<?xml version=\"1.0\"?><OWASPZAPReport version=\"2.16.0\" generated=\"Sat, 20 Sep 2025 08:00:00\">\n")
	e.byHost(
		func(host int) {
			fmt.Fprintf(b, "<site name=\"https://web-%d.estate%d.example\" host=\"web-%d.estate%d.example\" port=\"443\" ssl=\"true\"><alerts>\n", host, e.Seed, host, e.Seed)
		},
		func(host, check, n int) {
			fmt.Fprintf(b, "<alertitem><pluginid>%d</pluginid><alertRef>%d-%d</alertRef><alert>Weakness %d of an application</alert><riskcode>%d</riskcode><confidence>2</confidence><desc>&lt;p&gt;A text of some length on what was found.&lt;/p&gt;</desc><instances><instance><uri>https://web-%d.estate%d.example/app/page-%d?id=7</uri><method>GET</method><param>id</param><attack>&apos;</attack><evidence>error</evidence></instance></instances><count>1</count><solution>&lt;p&gt;Check input.&lt;/p&gt;</solution><reference>&lt;p&gt;https://example.com/%d&lt;/p&gt;</reference><cweid>%d</cweid></alertitem>\n",
				40_000+check, 40_000+check, n, check, check%4, host, e.Seed, n, check, 1+check%900)
		},
		func(int) { b.WriteString("</alerts></site>\n") })
	b.WriteString("</OWASPZAPReport>\n")
	return b.Flush()
}

// SARIF writes results of a code scanner.
func SARIF(w io.Writer, e Estate) error {
	e = e.withDefaults()
	b := bufio.NewWriterSize(w, 1<<20)
	b.WriteString(`{"$schema":"https://json.schemastore.org/sarif-2.1.0.json","version":"2.1.0","runs":[{"tool":{"driver":{"name":"Example Scan","version":"1.4.2","rules":[`)
	for check := range e.Checks {
		if check > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(b, `{"id":"EX%d","name":"Check%d","shortDescription":{"text":"Unchecked input %d"},"fullDescription":{"text":"Input of the user reaches a place where it does harm."},"helpUri":"https://example.com/rules/%d","properties":{"tags":["security","external/cwe/cwe-%d"],"security-severity":"7.%d"}}`, check, check, check, check, 1+check%900, check%10)
	}
	b.WriteString(`]}},"results":[`)
	for i := range e.Findings {
		host, check := e.pair(i)
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(b, `{"ruleId":"EX%d","ruleIndex":%d,"level":"warning","message":{"text":"Input reaches a query in function f%d."},"locations":[{"physicalLocation":{"artifactLocation":{"uri":"service-%d/src/file_%d.go"},"region":{"startLine":%d,"snippet":{"text":"db.Query(q + input%d)"}}}}],"partialFingerprints":{"primaryLocationLineHash":"%016x:1"}}`,
			check, check, i, host, i, 1+i%900, i, uint64(i)*0x9E3779B97F4A7C15)
	}
	b.WriteString("]}]}\n")
	return b.Flush()
}

// CycloneDX writes a bill of materials with its vulnerabilities.
func CycloneDX(w io.Writer, e Estate) error {
	e = e.withDefaults()
	b := bufio.NewWriterSize(w, 1<<20)
	fmt.Fprintf(b, `{"bomFormat":"CycloneDX","specVersion":"1.5","serialNumber":"urn:uuid:00000000-0000-4000-8000-%012d","version":1,"metadata":{"timestamp":"2025-09-20T08:00:00Z","component":{"type":"container","name":"registry.example/estate%d","version":"1.0","bom-ref":"root"}},"components":[`, e.Seed, e.Seed)
	parts := max(1, e.Findings/5)
	for i := range parts {
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(b, `{"type":"library","bom-ref":"c%d","name":"package%d","version":"1.%d","purl":"pkg:npm/package%d@1.%d"}`, i, i, i%7, i, i%7)
	}
	b.WriteString(`],"vulnerabilities":[`)
	for i := range e.Findings {
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(b, `{"bom-ref":"v%d","id":"%s","source":{"name":"NVD","url":"https://nvd.nist.gov"},"ratings":[{"severity":"high","method":"CVSSv31","vector":"%s"}],"cwes":[%d],"description":"An overflow in a parser.","recommendation":"Upgrade.","affects":[{"ref":"c%d"}]}`, i, cveOf(i), vector, 1+i%900, i%parts)
	}
	b.WriteString("]}\n")
	return b.Flush()
}

// Grype writes the matches of an image.
func Grype(w io.Writer, e Estate) error {
	e = e.withDefaults()
	b := bufio.NewWriterSize(w, 1<<20)
	b.WriteString(`{"matches":[`)
	for i := range e.Findings {
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(b, `{"vulnerability":{"id":"%s","dataSource":"https://security-tracker.debian.org/tracker/%s","namespace":"debian:distro:debian:12","severity":"%s","urls":[],"description":"An overflow in a parser.","cvss":[{"version":"3.1","vector":"%s","metrics":{"baseScore":9.8}}],"fix":{"versions":["1.%d-2"],"state":"fixed"},"advisories":[]},"relatedVulnerabilities":[],"matchDetails":[{"type":"exact-direct-match","matcher":"dpkg-matcher","found":{"versionConstraint":"< 1.%d-2 (deb)"}}],"artifact":{"id":"%016x","name":"package%d","version":"1.%d-1","type":"deb","locations":[{"path":"/var/lib/dpkg/status"}],"purl":"pkg:deb/debian/package%d@1.%d-1?distro=debian-12"}}`,
			cveOf(i), cveOf(i), [...]string{"Low", "Medium", "High", "Critical"}[i%4], vector, i%7, i%7, uint64(i)*0x9E3779B97F4A7C15, i%997, i%7, i%997, i%7)
	}
	fmt.Fprintf(b, `],"source":{"type":"image","target":{"userInput":"registry.example/estate%d:1.0","imageID":"sha256:%064x","manifestDigest":"sha256:%064x","tags":["registry.example/estate%d:1.0"],"repoDigests":[]}},"distro":{"name":"debian","version":"12","idLike":[]},"descriptor":{"name":"grype","version":"0.92.0","timestamp":"2025-09-20T08:00:00Z"}}`+"\n", e.Seed, e.Seed, e.Seed+1, e.Seed)
	return b.Flush()
}

// Semgrep writes results of a code scanner in the form of Semgrep.
func Semgrep(w io.Writer, e Estate) error {
	e = e.withDefaults()
	b := bufio.NewWriterSize(w, 1<<20)
	b.WriteString(`{"version":"1.90.0","results":[`)
	for i := range e.Findings {
		host, check := e.pair(i)
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(b, `{"check_id":"go.lang.security.check-%d","path":"service-%d/src/file_%d.go","start":{"line":%d,"col":3,"offset":100},"end":{"line":%d,"col":40,"offset":140},"extra":{"message":"Input reaches a query.","metadata":{"cwe":["CWE-%d: Weakness"],"confidence":"HIGH","category":"security","references":["https://example.com/%d"]},"severity":"ERROR","fingerprint":"%032x","lines":"db.Query(q + input%d)","is_ignored":false}}`,
			check, host, i, 1+i%900, 1+i%900, 1+check%900, check, uint64(i)*0x9E3779B97F4A7C15, i)
	}
	b.WriteString(`],"errors":[],"paths":{"scanned":[]}}` + "\n")
	return b.Flush()
}

// CSV writes a table of findings.
func CSV(w io.Writer, e Estate) error {
	e = e.withDefaults()
	b := bufio.NewWriterSize(w, 1<<20)
	b.WriteString("title,severity,cve,cwe,host,port,description,solution,component,version\n")
	for i := range e.Findings {
		host, check := e.pair(i)
		fmt.Fprintf(b, "Product %d overflow,%s,%s,%d,srv-%d.estate%d.example,%d,\"An overflow in a parser, as it is often found.\",Upgrade to 4.%d,product%d,4.0\n", check, severities[(check*7)%5], cveOf(check), 1+check%900, host, e.Seed, 443+check%7, check%20, check)
	}
	return b.Flush()
}
