package sarif

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	"github.com/leeward-ctem/leeward/discover/term"
	"github.com/leeward-ctem/leeward/exposure"
)

// observe appends the observations of one result to all.
func (f *facts) observe(all []exposure.Observation, res *result) ([]exposure.Observation, error) {
	if !failed(res) {
		return all, nil
	}
	r := f.rule(res)
	words := f.message(res, r)
	o := exposure.Observation{Kind: exposure.ObservedWeakness, Tool: f.run.Tool}
	o.Rule = cmp.Or(res.RuleID.trim(), res.Rule.ID.trim())
	if o.Rule == "" && r != nil {
		o.Rule = r.id
	}
	if o.Rule == "" {
		// Without a rule the message is all that tells one check from another.
		if o.Rule = short(cmp.Or(res.Message.ID.trim(), words)); o.Rule == "" {
			return all, errNoRule
		}
	}
	f.describe(&o, res, r, words)
	o.State = state(res)
	o.Evidence = f.evidence(res, words)
	if len(o.Advisories) > 0 {
		var help told
		if r != nil {
			help = r.told
		}
		o.Component = componentIn(words, help)
	}
	locations := res.Locations
	if len(locations) == 0 {
		l := location{}
		l.Physical.Artifact = res.AnalysisTarget
		locations = []location{l}
	}
	fingerprint := fingerprint(res)
	for i := range locations {
		all = append(all, o)
		own := &all[len(all)-1]
		f.place(own, &locations[i], fingerprint)
		if own.Location.Method = res.WebRequest.Method.trim(); own.Location.Path == "" {
			own.Location.Method = ""
		}
		own.Class = f.class(r, own.Advisories)
		if own.Location.Path != "" && own.Class == classCode {
			own.Class = classWeb
		}
		own.Detection, own.Confidence = detection(own.Class), cmp.Or(own.Confidence, usual(own.Class))
	}
	return all, nil
}

// failed reports whether the result states a weakness. Before 2.1.0 the level
// said what the kind says now.
func failed(res *result) bool {
	switch res.Kind.trim() {
	case "", "fail":
	default:
		return false
	}
	switch res.Level.trim() {
	case "pass", "notApplicable", "open":
		return false
	}
	return true
}

// describe fills in what the weakness is.
func (f *facts) describe(o *exposure.Observation, res *result, r *rule, words string) {
	own := parseProperties(res.Properties)
	o.Description = words
	if r != nil {
		// What is clipped belongs to all results of the rule.
		o.Title, o.Description = r.title, r.describe(words)
		o.CWEs = f.cwes(slices.Clip(r.props.cwes), r.related)
		o.CVSS = slices.Clip(r.props.vectors)
		o.Confidence = r.props.confidence
		o.References = slices.Clip(r.references)
	}
	if r != nil && len(r.advisories) > 0 {
		o.Advisories, o.Aliased = slices.Clone(r.advisories), r.aliased
	} else if r == nil || r.id != o.Rule {
		o.Advisories, o.Aliased = sorted(advisories(o.Rule))
	}
	if o.Title == "" {
		o.Title = cmp.Or(short(words), o.Rule)
	}
	for _, n := range own.cwes {
		o.CWEs = appendNew(o.CWEs, n)
	}
	o.CWEs = f.cwes(o.CWEs, res.Taxa)
	o.CWEs = appendCWE(o.CWEs, o.Rule)
	for _, v := range own.vectors {
		o.CVSS = appendNew(o.CVSS, v)
	}
	o.Confidence = cmp.Or(own.confidence, o.Confidence)
	if ref := res.HostedViewer.trim(); strings.HasPrefix(ref, "http") {
		o.References = appendNew(o.References, ref)
	}
	for i := range res.Fixes {
		if s := res.Fixes[i].Description.plain(); s != "" && !strings.Contains(o.Solution, s) && len(o.Solution) < maxRuleText {
			o.Solution = strings.TrimPrefix(o.Solution+"\n"+s, "\n")
		}
	}
	switch {
	case own.scored:
		o.Severity = own.severity
	case r != nil && r.props.scored:
		o.Severity = r.props.severity
	default:
		o.Severity = severity(f.level(res, r))
	}
}

// level is how bad the tool takes the result to be, by section 3.27.10 of the
// specification.
func (f *facts) level(res *result, r *rule) string {
	if l := res.Level.trim(); l != "" {
		return l
	}
	level := "warning"
	if r != nil {
		level = cmp.Or(f.overrides[r.id].Level.trim(), r.level, level)
	}
	return level
}

func severity(level string) exposure.Severity {
	switch strings.ToLower(level) {
	case "error":
		return exposure.SeverityHigh
	case "warning":
		return exposure.SeverityMedium
	case "note", "none":
		return exposure.SeverityInfo
	}
	return exposure.SeverityUnknown
}

// state tells what became of the result: suppressed when no suppression is
// under review or rejected (section 3.27.23).
func state(res *result) exposure.State {
	if res.BaselineState.trim() == "absent" {
		return exposure.StateFixed
	}
	suppressed := len(res.Suppressions) > 0
	for _, s := range res.Suppressions {
		switch cmp.Or(s.Status.trim(), s.State.trim()) {
		case "underReview", "rejected":
			suppressed = false
		}
	}
	if suppressed || len(res.SuppressionStates) > 0 {
		return exposure.StateSuppressed
	}
	return exposure.StatePresent
}

// place fills in the asset and where on it.
func (f *facts) place(o *exposure.Observation, l *location, fingerprint string) {
	artifact := l.Physical.Artifact
	if artifact == (artifactLocation{}) {
		artifact = l.Physical.File
	}
	at := &o.Location
	o.Asset = f.asset(artifact.URIBaseID.trim())
	to := f.resolve(artifact)
	switch {
	case to.web != nil:
		if o.Asset.IsZero() {
			o.Asset = exposure.AssetRef{Kind: exposure.AssetHost}
			o.Asset.Add(exposure.IDHostname, to.web.Hostname())
		}
		at.Service, at.Protocol = strings.ToLower(to.web.Scheme), "tcp"
		at.Port = portOf(to.web.Port(), at.Service)
		at.Path = cmp.Or(to.web.EscapedPath(), "/")
		if to.web.RawQuery != "" {
			at.Path += "?" + to.web.RawQuery
		}
	case to.purl != "":
		setPurl(&o.Component, to.purl)
	default:
		at.File = to.file
	}
	at.Line, at.Column = l.Physical.Region.StartLine.number(), l.Physical.Region.StartColumn.number()
	at.Symbol = f.symbol(l, &o.Component)
	at.Snippet = strings.Trim(l.Physical.Region.Snippet.plain(), "\r\n")
	if context := strings.Trim(l.Physical.Context.Snippet.plain(), "\r\n"); context != "" && context != at.Snippet {
		if at.Snippet == "" && at.Symbol == "" && fingerprint == "" {
			at.Snippet = context
		} else {
			o.Evidence = append(o.Evidence[:len(o.Evidence):len(o.Evidence)], exposure.Evidence{Kind: "code", Text: context})
		}
	}
	// Without code or a function, the tool's fingerprint tells the results of
	// a rule in one file apart, and outlives a change of lines.
	if at.File != "" && at.Snippet == "" && at.Symbol == "" && fingerprint != "" {
		at.Symbol = "fingerprint " + fingerprint
	}
	if at.File != "" && o.Component != (exposure.Component{}) {
		o.Component.Path = at.File
	}
}

func portOf(port, scheme string) int {
	n, err := strconv.Atoi(port)
	switch {
	case err == nil && n > 0 && n <= 65535:
		return n
	case scheme == "https":
		return 443
	}
	return 80
}

// symbol names the function, class or resource of a location. Dependency
// scanners put the package there.
func (f *facts) symbol(l *location, c *exposure.Component) string {
	logicals := l.Logicals
	if len(logicals) == 0 {
		if l.Logical == (logical{}) && l.LogicalName == "" {
			return ""
		}
		logicals = []logical{l.Logical, {Full: l.LogicalName}}
	}
	for i := range logicals {
		name := logicals[i].name()
		if n := logicals[i].Index.index(); name == "" && n >= 0 && n < len(f.logicals) {
			name = f.logicals[n]
		}
		if strings.HasPrefix(name, "pkg:") {
			setPurl(c, name)
			continue
		}
		if name != "" {
			return name
		}
	}
	return ""
}

// fingerprint picks the most telling of the result's fingerprints. Some tools
// write a sentence where they have none.
func fingerprint(res *result) string {
	for _, set := range [...]prints{res.Fingerprints, res.PartialFingerprints} {
		best, telling := "", ""
		for name, value := range set {
			v := value.trim()
			if len(v) < 8 || strings.ContainsAny(v, " \t\r\n") || index(name, "column") >= 0 {
				continue
			}
			if telling == "" || better(name, best) {
				best, telling = name, v
			}
		}
		if telling != "" {
			return telling
		}
	}
	return ""
}

func better(a, b string) bool {
	if pa, pb := strings.HasPrefix(a, "primaryLocation"), strings.HasPrefix(b, "primaryLocation"); pa != pb {
		return pa
	}
	return a < b
}

// short makes one line of the first sentence or so of a text.
func short(s string) string {
	s = term.OneLine(s[:min(len(s), 2000)])
	if len(s) <= 200 {
		return strings.ToValidUTF8(s, "")
	}
	cut := strings.LastIndexByte(s[:200], ' ')
	if cut < 100 {
		cut = 200
	}
	return strings.ToValidUTF8(s[:cut], "") + "…"
}
