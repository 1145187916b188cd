// Package builtin is the one registry of plug-ins: adding a format, an engine,
// a feed, a check or a connector is a folder and a line here. There is no
// init() and no global, so what a binary can do is what these lists say.
package builtin

import (
	"time"

	"github.com/leeward-ctem/leeward/discover"
	"github.com/leeward-ctem/leeward/discover/report/anchore"
	"github.com/leeward-ctem/leeward/discover/report/asff"
	"github.com/leeward-ctem/leeward/discover/report/azuredefender"
	"github.com/leeward-ctem/leeward/discover/report/bandit"
	"github.com/leeward-ctem/leeward/discover/report/blackduck"
	"github.com/leeward-ctem/leeward/discover/report/burp"
	"github.com/leeward-ctem/leeward/discover/report/cargoaudit"
	"github.com/leeward-ctem/leeward/discover/report/checkmarx"
	"github.com/leeward-ctem/leeward/discover/report/checkov"
	"github.com/leeward-ctem/leeward/discover/report/cloudsploit"
	"github.com/leeward-ctem/leeward/discover/report/csaf"
	"github.com/leeward-ctem/leeward/discover/report/cyclonedx"
	"github.com/leeward-ctem/leeward/discover/report/dependencycheck"
	"github.com/leeward-ctem/leeward/discover/report/dependencytrack"
	"github.com/leeward-ctem/leeward/discover/report/fortify"
	"github.com/leeward-ctem/leeward/discover/report/generic"
	"github.com/leeward-ctem/leeward/discover/report/github"
	"github.com/leeward-ctem/leeward/discover/report/githubcodescanning"
	"github.com/leeward-ctem/leeward/discover/report/gitlab"
	"github.com/leeward-ctem/leeward/discover/report/gitleaks"
	"github.com/leeward-ctem/leeward/discover/report/gosec"
	"github.com/leeward-ctem/leeward/discover/report/govulncheck"
	"github.com/leeward-ctem/leeward/discover/report/grype"
	"github.com/leeward-ctem/leeward/discover/report/hadolint"
	"github.com/leeward-ctem/leeward/discover/report/harbor"
	"github.com/leeward-ctem/leeward/discover/report/inspector"
	"github.com/leeward-ctem/leeward/discover/report/invicti"
	"github.com/leeward-ctem/leeward/discover/report/kics"
	"github.com/leeward-ctem/leeward/discover/report/kubeaudit"
	"github.com/leeward-ctem/leeward/discover/report/kubebench"
	"github.com/leeward-ctem/leeward/discover/report/kubescape"
	"github.com/leeward-ctem/leeward/discover/report/mend"
	"github.com/leeward-ctem/leeward/discover/report/msdefender"
	"github.com/leeward-ctem/leeward/discover/report/nessus"
	"github.com/leeward-ctem/leeward/discover/report/nexpose"
	"github.com/leeward-ctem/leeward/discover/report/nexusiq"
	"github.com/leeward-ctem/leeward/discover/report/nikto"
	"github.com/leeward-ctem/leeward/discover/report/nmap"
	"github.com/leeward-ctem/leeward/discover/report/npmaudit"
	"github.com/leeward-ctem/leeward/discover/report/nuclei"
	"github.com/leeward-ctem/leeward/discover/report/observations"
	"github.com/leeward-ctem/leeward/discover/report/openvas"
	"github.com/leeward-ctem/leeward/discover/report/openvex"
	"github.com/leeward-ctem/leeward/discover/report/osvscanner"
	"github.com/leeward-ctem/leeward/discover/report/pipaudit"
	"github.com/leeward-ctem/leeward/discover/report/prismacloud"
	"github.com/leeward-ctem/leeward/discover/report/prowler"
	"github.com/leeward-ctem/leeward/discover/report/qualys"
	"github.com/leeward-ctem/leeward/discover/report/sarif"
	"github.com/leeward-ctem/leeward/discover/report/semgrep"
	"github.com/leeward-ctem/leeward/discover/report/snyk"
	"github.com/leeward-ctem/leeward/discover/report/sonarqube"
	"github.com/leeward-ctem/leeward/discover/report/sslyze"
	"github.com/leeward-ctem/leeward/discover/report/testssl"
	"github.com/leeward-ctem/leeward/discover/report/tfsec"
	"github.com/leeward-ctem/leeward/discover/report/trivy"
	"github.com/leeward-ctem/leeward/discover/report/trivyoperator"
	"github.com/leeward-ctem/leeward/discover/report/trufflehog"
	"github.com/leeward-ctem/leeward/discover/report/veracode"
	"github.com/leeward-ctem/leeward/discover/report/wazuh"
	"github.com/leeward-ctem/leeward/discover/report/wiz"
	"github.com/leeward-ctem/leeward/discover/report/wpscan"
	"github.com/leeward-ctem/leeward/discover/report/xray"
	"github.com/leeward-ctem/leeward/discover/report/zap"
	"github.com/leeward-ctem/leeward/discover/scan"
	"github.com/leeward-ctem/leeward/discover/scan/config"
	"github.com/leeward-ctem/leeward/discover/scan/credentials"
	"github.com/leeward-ctem/leeward/discover/scan/exec"
	"github.com/leeward-ctem/leeward/discover/scan/inventory"
	"github.com/leeward-ctem/leeward/discover/scan/ports"
	"github.com/leeward-ctem/leeward/discover/scan/secrets"
	"github.com/leeward-ctem/leeward/discover/scan/tls"
	"github.com/leeward-ctem/leeward/intel"
	"github.com/leeward-ctem/leeward/intel/feed/attack"
	"github.com/leeward-ctem/leeward/intel/feed/capec"
	"github.com/leeward-ctem/leeward/intel/feed/ctid"
	"github.com/leeward-ctem/leeward/intel/feed/custom"
	"github.com/leeward-ctem/leeward/intel/feed/cve"
	"github.com/leeward-ctem/leeward/intel/feed/cwe"
	"github.com/leeward-ctem/leeward/intel/feed/epss"
	"github.com/leeward-ctem/leeward/intel/feed/exploitdb"
	"github.com/leeward-ctem/leeward/intel/feed/galaxy"
	"github.com/leeward-ctem/leeward/intel/feed/ghsa"
	"github.com/leeward-ctem/leeward/intel/feed/kev"
	"github.com/leeward-ctem/leeward/intel/feed/metasploit"
	"github.com/leeward-ctem/leeward/intel/feed/misp"
	templates "github.com/leeward-ctem/leeward/intel/feed/nuclei"
	"github.com/leeward-ctem/leeward/intel/feed/nvd"
	"github.com/leeward-ctem/leeward/intel/feed/osv"
	"github.com/leeward-ctem/leeward/intel/feed/poc"
	"github.com/leeward-ctem/leeward/intel/feed/stix"
	"github.com/leeward-ctem/leeward/intel/feed/vulnrichment"
	"github.com/leeward-ctem/leeward/mobilize"
	"github.com/leeward-ctem/leeward/mobilize/connector/webhook"
)

// Reports returns the readers of report formats, the most specific first:
// the first whose Sniff accepts a report reads it.
func Reports() []discover.Reader {
	return []discover.Reader{
		observations.Reader{},
		sarif.Reader{},
		cyclonedx.Reader{},
		nuclei.Reader{},
		trivy.Reader{},
		zap.Reader{},
		nessus.Reader{},
		nmap.Reader{},
		anchore.Reader{},
		asff.Reader{},
		azuredefender.Reader{},
		bandit.Reader{},
		blackduck.Reader{},
		burp.Reader{},
		cargoaudit.Reader{},
		checkmarx.Reader{},
		checkov.Reader{},
		cloudsploit.Reader{},
		csaf.Reader{},
		dependencycheck.Reader{},
		dependencytrack.Reader{},
		fortify.Reader{},
		github.Reader{},
		githubcodescanning.Reader{},
		gitlab.Reader{},
		gitleaks.Reader{},
		gosec.Reader{},
		govulncheck.Reader{},
		grype.Reader{},
		hadolint.Reader{},
		harbor.Reader{},
		inspector.Reader{},
		invicti.Reader{},
		kics.Reader{},
		kubeaudit.Reader{},
		kubebench.Reader{},
		kubescape.Reader{},
		mend.Reader{},
		msdefender.Reader{},
		nexpose.Reader{},
		nexusiq.Reader{},
		nikto.Reader{},
		npmaudit.Reader{},
		openvas.Reader{},
		openvex.Reader{},
		osvscanner.Reader{},
		pipaudit.Reader{},
		prismacloud.Reader{},
		prowler.Reader{},
		qualys.Reader{},
		semgrep.Reader{},
		snyk.Reader{},
		sonarqube.Reader{},
		sslyze.Reader{},
		testssl.Reader{},
		tfsec.Reader{},
		trivyoperator.Reader{},
		trufflehog.Reader{},
		veracode.Reader{},
		wazuh.Reader{},
		wiz.Reader{},
		wpscan.Reader{},
		xray.Reader{},
		generic.Reader{}, // takes what no other does
	}
}

// Means are what some engines need of the house. Each may be left out, and
// what needs it then says so.
type Means struct {
	Tools      exec.Tools           // of others, that are installed
	Settings   *config.Engine       // with rules of one's own; nil: those that are shipped
	Advisories inventory.Advisories // that are kept; nil: packages are listed and not looked up
}

// Engines returns what looks for exposures: our own engines, and the tools of
// others that they may run.
func Engines(m Means) []scan.Engine {
	var settings scan.Engine = config.Shipped{}
	if m.Settings != nil {
		settings = m.Settings
	}
	return append([]scan.Engine{
		ports.Engine{},
		tls.Engine{},
		credentials.Engine{},
		inventory.New(m.Advisories),
		secrets.Engine{},
		settings,
	}, m.Tools.Engines()...)
}

// Feeds returns the readers of threat intelligence, in the order in which they
// are fetched and listed.
func Feeds() []intel.Feed {
	return []intel.Feed{
		kev.Feed{},
		epss.Feed{},
		osv.Feed{},
		metasploit.Feed{Now: time.Now},
		templates.Feed{Now: time.Now},
		exploitdb.Feed{Now: time.Now},
		poc.Feed{Now: time.Now},
		vulnrichment.Feed{},
		nvd.Feed{},
		attack.Feed{Now: time.Now},
		capec.Feed{Now: time.Now},
		cwe.Feed{},
		stix.Feed{Now: time.Now},
		galaxy.Feed{Now: time.Now},
		ctid.Feed{},
		misp.Feed{Now: time.Now},
		custom.Feed{Now: time.Now},
		ghsa.Feed{},
		cve.Feed{},
	}
}

// Connectors returns what can send messages to the outside.
func Connectors() []mobilize.Connector {
	return []mobilize.Connector{
		webhook.Connector{Now: time.Now},
	}
}
