// Package builtin is the one registry of plug-ins: adding a format, an engine,
// a feed, a check or a connector is a folder and a line here. There is no
// init() and no global, so what a binary can do is what these lists say.
package builtin

import (
	"github.com/leeward-ctem/leeward/discover"
	"github.com/leeward-ctem/leeward/discover/report/cyclonedx"
	"github.com/leeward-ctem/leeward/discover/report/nessus"
	"github.com/leeward-ctem/leeward/discover/report/nmap"
	"github.com/leeward-ctem/leeward/discover/report/nuclei"
	"github.com/leeward-ctem/leeward/discover/report/observations"
	"github.com/leeward-ctem/leeward/discover/report/trivy"
	"github.com/leeward-ctem/leeward/discover/report/zap"
)

// Reports returns the readers of report formats, the most specific first:
// the first whose Sniff accepts a report reads it.
func Reports() []discover.Reader {
	return []discover.Reader{
		observations.Reader{},
		cyclonedx.Reader{},
		nuclei.Reader{},
		trivy.Reader{},
		zap.Reader{},
		nessus.Reader{},
		nmap.Reader{},
	}
}
