// Package builtin is the one registry of plug-ins: adding a format, an engine,
// a feed, a check or a connector is a folder and a line here. There is no
// init() and no global, so what a binary can do is what these lists say.
package builtin

import (
	"time"

	"github.com/leeward-ctem/leeward/discover"
	"github.com/leeward-ctem/leeward/discover/report/azuredefender"
	"github.com/leeward-ctem/leeward/discover/report/bandit"
	"github.com/leeward-ctem/leeward/discover/report/burp"
	"github.com/leeward-ctem/leeward/discover/report/checkov"
	"github.com/leeward-ctem/leeward/discover/report/cyclonedx"
	"github.com/leeward-ctem/leeward/discover/report/generic"
	"github.com/leeward-ctem/leeward/discover/report/githubcodescanning"
	"github.com/leeward-ctem/leeward/discover/report/gitleaks"
	"github.com/leeward-ctem/leeward/discover/report/gosec"
	"github.com/leeward-ctem/leeward/discover/report/hadolint"
	"github.com/leeward-ctem/leeward/discover/report/kics"
	"github.com/leeward-ctem/leeward/discover/report/nessus"
	"github.com/leeward-ctem/leeward/discover/report/nmap"
	"github.com/leeward-ctem/leeward/discover/report/nuclei"
	"github.com/leeward-ctem/leeward/discover/report/observations"
	"github.com/leeward-ctem/leeward/discover/report/sarif"
	"github.com/leeward-ctem/leeward/discover/report/semgrep"
	"github.com/leeward-ctem/leeward/discover/report/tfsec"
	"github.com/leeward-ctem/leeward/discover/report/trivy"
	"github.com/leeward-ctem/leeward/discover/report/trufflehog"
	"github.com/leeward-ctem/leeward/discover/report/zap"
	"github.com/leeward-ctem/leeward/intel"
	"github.com/leeward-ctem/leeward/intel/feed/epss"
	"github.com/leeward-ctem/leeward/intel/feed/kev"
	"github.com/leeward-ctem/leeward/intel/feed/osv"
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
		azuredefender.Reader{},
		bandit.Reader{},
		burp.Reader{},
		checkov.Reader{},
		githubcodescanning.Reader{},
		gitleaks.Reader{},
		gosec.Reader{},
		hadolint.Reader{},
		kics.Reader{},
		semgrep.Reader{},
		tfsec.Reader{},
		trufflehog.Reader{},
		generic.Reader{}, // takes what no other does
	}
}

// Feeds returns the readers of threat intelligence, in the order in which they
// are fetched and listed.
func Feeds() []intel.Feed {
	return []intel.Feed{
		kev.Feed{},
		epss.Feed{},
		osv.Feed{},
	}
}

// Connectors returns what can send messages to the outside.
func Connectors() []mobilize.Connector {
	return []mobilize.Connector{
		webhook.Connector{Now: time.Now},
	}
}
