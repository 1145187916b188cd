// Package testkit makes material to feed the house with: reports of any size, the
// same for the same seed. What tests need to run is in package live.
package testkit

import (
	"bufio"
	"fmt"
	"io"
	"math/rand/v2"
)

// Estate says how large a synthetic report is. Reports of the same estate are
// byte for byte the same.
type Estate struct {
	Findings int
	Hosts    int    // 0: one for fifty findings
	Checks   int    // 0: 4,000 at most
	Seed     uint64 // another seed is another estate
}

func (e Estate) withDefaults() Estate {
	if e.Hosts == 0 {
		e.Hosts = max(1, e.Findings/50)
	}
	if e.Checks == 0 {
		e.Checks = max(1, min(4000, e.Findings))
	}
	return e
}

// pair returns the host and check of finding i: every pair once, in an order
// that looks like a scan of many hosts at a time.
func (e Estate) pair(i int) (host, check int) {
	return (i * 7919) % e.Hosts, (i/e.Hosts*31 + i*7919%e.Hosts) % e.Checks
}

var severities = [...]string{"info", "low", "medium", "high", "critical"}

// Nuclei writes a report in the JSON Lines form of nuclei, one finding a line.
func Nuclei(w io.Writer, e Estate) error {
	e = e.withDefaults()
	r := rand.New(rand.NewPCG(e.Seed, 1))
	b := bufio.NewWriterSize(w, 1<<20)
	for i := range e.Findings {
		host, check := e.pair(i)
		name := fmt.Sprintf("web-%d.estate%d.example", host, e.Seed)
		cve := fmt.Sprintf("CVE-%d-%d", 2015+check%11, 1000+check)
		fmt.Fprintf(b, `{"template":"http/cves/%d/%s.yaml","template-url":"https://cloud.projectdiscovery.io/public/%s","template-id":"%s","template-path":"/templates/http/cves/%d/%s.yaml","info":{"name":"Product %d - Remote Command Execution","author":["example"],"tags":["cve","cve%d","rce","product%d"],"description":"Product %d before 4.%d is affected by a command injection in its management interface that allows unauthenticated attackers to run commands.","impact":"Complete compromise of the host.","reference":["https://example.com/advisories/%d","https://nvd.nist.gov/vuln/detail/%s"],"severity":"%s","metadata":{"max-request":2,"verified":true},"classification":{"cve-id":["%s"],"cwe-id":["cwe-%d"],"cvss-metrics":"CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H","cvss-score":9.8}},"matcher-name":"version","type":"http","host":"%s","port":"443","scheme":"https","url":"https://%s","matched-at":"https://%s/app%d/login?token=%d","ip":"10.%d.%d.%d","timestamp":"2025-09-%02dT10:%02d:%02d.%06dZ","matcher-status":true}`+"\n",
			2015+check%11, cve, cve, cve, 2015+check%11, cve, check, 2015+check%11, check, check, check%20, check, cve,
			severities[(check*7)%5], cve, 1+check%900, name, name, name, check%40, r.IntN(1e9), host>>16&255, host>>8&255, host&255, 1+i%28, i%60, i/60%60, i%1e6)
	}
	return b.Flush()
}

// Trivy writes a container image report in the JSON form of Trivy.
func Trivy(w io.Writer, e Estate) error {
	e = e.withDefaults()
	b := bufio.NewWriterSize(w, 1<<20)
	fmt.Fprintf(b, `{"SchemaVersion":2,"CreatedAt":"2025-09-20T08:00:00Z","ArtifactName":"registry.example/estate%d:1.0","ArtifactType":"container_image","Metadata":{"OS":{"Family":"debian","Name":"12.1"}},"Results":[{"Target":"registry.example/estate%d:1.0 (debian 12.1)","Class":"os-pkgs","Type":"debian","Vulnerabilities":[`, e.Seed, e.Seed)
	for i := range e.Findings {
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(b, `{"VulnerabilityID":"CVE-%d-%d","PkgName":"package%d","PkgIdentifier":{"PURL":"pkg:deb/debian/package%d@1.%d-1?arch=amd64"},"InstalledVersion":"1.%d-1","FixedVersion":"1.%d-2","Status":"fixed","SeveritySource":"nvd","PrimaryURL":"https://avd.example/cve-%d","Title":"package%d: heap overflow in parser %d","Description":"A heap overflow was found in package%d.","Severity":"%s","CweIDs":["CWE-%d"],"CVSS":{"nvd":{"V3Vector":"CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H","V3Score":9.8}}}`,
			2015+i%11, 1000+i, i%997, i%997, i%7, i%7, i%7, i, i%997, i, i%997, [...]string{"LOW", "MEDIUM", "HIGH", "CRITICAL"}[i%4], 1+i%900)
	}
	b.WriteString("]}]}\n")
	return b.Flush()
}
