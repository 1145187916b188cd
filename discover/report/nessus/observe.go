package nessus

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/leeward-ctem/leeward/exposure"
)

var (
	cveIDs     = regexp.MustCompile(`CVE-\d{4}-\d{4,}`)
	cvss2      = regexp.MustCompile(`AV:[LAN]/AC:[HML]/Au:[MSN]/C:[NPC]/I:[NPC]/A:[NPC]`)
	nessusIs   = regexp.MustCompile(`Nessus version : ([0-9][0-9A-Za-z.-]*)`)
	detectedOn = regexp.MustCompile(`detected on URL '([^'\s]+)'`)
)

// maxCheckName bounds the part of a compliance check's name that tells it from
// the others, in bytes.
const maxCheckName = 300

// Plug-ins that speak of the scan rather than of a weakness.
const (
	scanInformation = "19506"
	pingHost        = "10180"
)

// learn takes up what an item says of the scan and of the host.
func (it *item) learn(d *document, h *host) {
	switch it.PluginID {
	case scanInformation:
		if m := nessusIs.FindStringSubmatch(it.Output); m != nil {
			d.run.Version = m[1]
		}
	case pingHost:
		h.dead = h.dead || strings.Contains(it.Output, "considered as dead")
	}
	if it.Result != "" && len(h.checks) <= maxChecks {
		h.checks = append(h.checks, it.rule())
	}
}

// observation is what the item states. keep is false for a compliance check
// that passed or could not be made.
func (it *item) observation(d *document, h *host) (o exposure.Observation, keep bool) {
	switch it.Result {
	case "PASSED", "ERROR", "SKIPPED":
		return o, false
	}
	o = exposure.Observation{
		Kind:        exposure.ObservedWeakness,
		Tool:        tool,
		Asset:       h.asset,
		Class:       it.class(d, h),
		Rule:        it.rule(),
		Description: paragraphs(it.Synopsis, cmp.Or(it.CheckInfo, it.Description)),
		Solution:    it.solution(),
		Severity:    it.severity(),
		Location:    it.location(),
		Seen:        h.seen(),
	}
	o.Title = it.title(&o.Location)
	for _, id := range it.CVEs {
		if id = exposure.NormalAdvisory(id); id != "" && len(o.Advisories) < maxList && !slices.Contains(o.Advisories, id) {
			o.Advisories = append(o.Advisories, id)
		}
	}
	o.CWEs = it.cwes()
	o.CVSS = it.vectors()
	o.References = it.references()
	o.Detection, o.Confidence = it.detection(h)
	o.Evidence = it.evidence()
	if d.web {
		if m := detectedOn.FindStringSubmatch(it.Output); m != nil {
			o.Location.Path = pathOf(m[1])
		}
	}
	return o, true
}

// rule is the plug-in's number. All checks of one compliance standard come
// from one plug-in, so theirs is added.
func (it *item) rule() string {
	if it.Result == "" && it.Check == "" {
		return it.PluginID
	}
	id := strings.TrimSpace(cmp.Or(it.CheckID, it.Check, it.PluginName))
	return it.PluginID + ":" + strings.ToValidUTF8(id[:min(len(id), maxCheckName)], "")
}

func (it *item) class(d *document, h *host) string {
	switch {
	case it.Result != "" || it.Check != "":
		return classCompliance
	case d.web:
		return classWeb
	case h.credentialed || it.local():
		return classAuthenticated
	}
	return classVuln
}

// local reports whether the plug-in belongs to those that need a login.
func (it *item) local() bool {
	return strings.HasSuffix(it.Family, "Local Security Checks") || it.Family == "Windows : Microsoft Bulletins"
}

func (it *item) title(l *exposure.Location) string {
	if t := strings.TrimSpace(cmp.Or(it.Check, it.PluginName, it.Name)); t != "" {
		return t
	}
	if l.Port != 0 {
		t := fmt.Sprintf("Open port %d/%s", l.Port, cmp.Or(l.Protocol, "tcp"))
		if l.Service != "" {
			t += " (" + l.Service + ")"
		}
		return t
	}
	return "Nessus plug-in " + it.PluginID
}

func (it *item) severity() exposure.Severity {
	switch strings.TrimSpace(it.Severity) {
	case "0":
		return exposure.SeverityInfo
	case "1":
		return exposure.SeverityLow
	case "2":
		return exposure.SeverityMedium
	case "3":
		return exposure.SeverityHigh
	case "4":
		return exposure.SeverityCritical
	}
	switch strings.ToLower(strings.TrimSpace(it.Risk)) {
	case "none", "info", "informational":
		return exposure.SeverityInfo
	case "low":
		return exposure.SeverityLow
	case "medium":
		return exposure.SeverityMedium
	case "high":
		return exposure.SeverityHigh
	case "critical":
		return exposure.SeverityCritical
	}
	return exposure.SeverityUnknown
}

// location is the port, where 0 means that there is none.
func (it *item) location() exposure.Location {
	var l exposure.Location
	port, err := strconv.Atoi(strings.TrimSpace(it.Port))
	if err != nil || port <= 0 || port > 65535 {
		return l
	}
	l.Port, l.Protocol = port, strings.ToLower(cmp.Or(strings.TrimSpace(it.Protocol), "tcp"))
	l.Service = strings.TrimSuffix(strings.TrimSpace(it.Service), "?") // a guess
	if l.Service == "general" || l.Service == "unknown" {
		l.Service = ""
	}
	return l
}

// detection is how the plug-in knows. The confidence follows the scale of
// OpenVAS, see
// https://docs.greenbone.net/GSM-Manual/gos-24.10/en/reports.html#quality-of-detection-concept
func (it *item) detection(h *host) (exposure.Detection, int) {
	switch {
	case h.credentialed && (it.local() || it.Type == "local"):
		return exposure.DetectionAuthenticated, 97
	case strings.Contains(it.Description, "self-reported"):
		// "… has instead relied only on the application's self-reported version number."
		return exposure.DetectionBanner, 80
	case it.Type == "" || it.Type == "remote":
		return exposure.DetectionRemote, 95
	}
	return exposure.DetectionRemote, 70
}
