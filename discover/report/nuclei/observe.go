package nuclei

import (
	"cmp"
	"errors"
	"slices"
	"strconv"
	"strings"

	"github.com/leeward-ctem/leeward/discover/term"
	"github.com/leeward-ctem/leeward/exposure"
)

var errNameless = errors.New("a result without template-id has no identity")

// observe makes the observation of the result at hand.
func (w *walk) observe() (exposure.Observation, error) {
	r := &w.result
	id := r.templateID()
	if id == "" {
		return exposure.Observation{}, cmp.Or(r.err, errNameless)
	}
	about, err := w.infos.get(r.raw[fieldInfo])
	if err != nil {
		return exposure.Observation{}, err
	}
	o := exposure.Observation{
		Kind:        exposure.ObservedWeakness,
		Tool:        tool,
		Rule:        id,
		Title:       about.name,
		Description: about.description,
		Solution:    about.solution,
		Severity:    about.severity,
		Advisories:  slices.Clone(about.advisories),
		CWEs:        about.cwes,
		CVSS:        about.cvss,
		References:  about.references,
	}
	if matcher := r.text(fieldMatcher); matcher != "" {
		o.Rule += ":" + matcher
	}
	if len(o.Advisories) == 0 && cveID.MatchString(id) {
		o.Advisories = []string{strings.ToUpper(id)} // templates of CVEs are named after them
	}
	if !r.has(fieldInfo) {
		o.Title = strings.Join(strings.Fields(r.text(fieldName)), " ")
		o.Severity = severity(r.text(fieldSeverity))
	}
	o.Title = cmp.Or(o.Title, id)
	kind := strings.ToLower(r.text(fieldType))
	o.Class = class(kind, about.tags, len(o.Advisories) > 0)
	o.Detection, o.Confidence = r.detection(kind, about)
	r.place(&o, kind)
	o.Seen = term.Date(r.text(fieldTimestamp))
	o.Evidence = r.evidence()
	return o, r.err
}

// templateID is the id of the template. The first versions of the format wrote
// its path only, whose last part is the id.
func (r *result) templateID() string {
	if id := r.text(fieldTemplateID); id != "" {
		return id
	}
	path := r.text(fieldTemplate)
	path = path[strings.LastIndexAny(path, `/\`)+1:]
	return strings.TrimSuffix(strings.TrimSuffix(path, ".yaml"), ".yml")
}

// class tells the kind of check by the template's tags, else by the protocol.
func class(kind string, tags []string, advisory bool) string {
	has := func(words ...string) bool {
		return slices.ContainsFunc(tags, func(t string) bool { return slices.Contains(words, strings.ToLower(t)) })
	}
	switch {
	case advisory:
		return "vuln"
	case has("default-login", "default-logins"):
		return "credential"
	case has("misconfig", "misconfiguration"):
		return "misconfig"
	case has("token", "tokens", "keys", "secret", "secrets") && has("exposure", "file", "keys"):
		return "secret"
	}
	switch kind {
	case "http", "headless", "websocket":
		return "web"
	case "file", "code":
		return "code"
	}
	return "vuln"
}

// Qualities of detection on the scale of OpenVAS.
const (
	qodShown    = 99 // the target called back, or let the scanner in
	qodVerified = 95 // by a template that was tried on a real target
	qodRemote   = 80
	qodStatic   = 80
	qodBanner   = 75
)

func (r *result) detection(kind string, about *info) (exposure.Detection, int) {
	switch {
	case kind == "file":
		return exposure.DetectionStatic, qodStatic
	case r.has(fieldInteraction), slices.Contains(about.tags, "default-login"):
		return exposure.DetectionExploit, qodShown
	case about.severity == exposure.SeverityInfo && slices.Contains(about.tags, "tech"):
		return exposure.DetectionBanner, qodBanner
	case about.verified:
		return exposure.DetectionRemote, qodVerified
	}
	return exposure.DetectionRemote, qodRemote
}

// place fills in the asset and the location. The target is the asset; what
// matched may lie elsewhere, such as at a registry that was asked about it.
func (r *result) place(o *exposure.Observation, kind string) {
	matched := r.text(fieldMatchedAt)
	if kind == "file" {
		o.Location.File = strings.ReplaceAll(matched, `\`, "/")
		if lines := r.list(fieldLines); len(lines) > 0 {
			o.Location.Line, _ = strconv.Atoi(lines[0])
		}
		return
	}
	at := parseAddress(matched)
	target := parseAddress(r.text(fieldHost))
	if target.host == "" {
		// A proxy in front leaves a slash before the URL.
		target = parseAddress(strings.TrimPrefix(r.text(fieldURL), "/"))
	}
	switch {
	case at.host == "":
		at = target
	case target.host == "":
		target = at
	case !strings.EqualFold(strings.TrimSuffix(target.host, "."), strings.TrimSuffix(at.host, ".")):
		o.Location.Resource = elsewhere(matched, at)
		at = address{}
	}
	o.Asset.Kind = exposure.AssetHost
	o.Asset.Add(exposure.IDHostname, target.host)
	o.Asset.Add(exposure.IDIP, strings.TrimSuffix(r.text(fieldIP), "."))
	if len(o.Asset.Identifiers) == 0 {
		o.Asset = exposure.AssetRef{}
	}
	if at.host == "" || kind == "dns" || kind == "whois" {
		return
	}
	port := cmp.Or(at.port, defaultPort(at.scheme), portNumber(r.text(fieldPort)), target.port)
	if port != 0 {
		o.Location.Port, o.Location.Protocol = port, "tcp"
	}
	o.Location.Service = at.scheme
	if at.scheme != "" || at.path != "" {
		o.Location.Path = cmp.Or(at.path, "/")
	}
	o.Location.Parameter = r.text(fieldParameter)
	o.Location.Method = r.text(fieldMethod)
}

// elsewhere names what matched when it is not on the target, without user
// information and values.
func elsewhere(matched string, at address) string {
	if at.scheme == "" {
		return matched
	}
	s := at.scheme + "://" + at.host
	if at.port != 0 {
		s += ":" + strconv.Itoa(at.port)
	}
	return s + withoutValues(at.path)
}

func (r *result) evidence() []exposure.Evidence {
	all := make([]exposure.Evidence, 0, 4)
	add := func(kind, text string) {
		if text = strings.TrimSpace(text); text != "" {
			all = append(all, exposure.Evidence{Kind: kind, Text: text})
		}
	}
	extracted := strings.Join(r.list(fieldExtracted), "\n")
	if name := r.text(fieldExtractor); name != "" && extracted != "" {
		extracted = name + ": " + extracted
	}
	add("match", extracted)
	if r.has(fieldRequest) {
		add("request", r.start(fieldRequest))
	} else {
		add("note", r.start(fieldCurl)) // says the same
	}
	add("response", r.start(fieldResponse))
	if len(all) == 0 {
		return nil
	}
	return all
}
