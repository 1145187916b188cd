package discover

import (
	"slices"
	"strings"
	"time"

	"github.com/leeward-ctem/leeward/exposure"
)

// item is an observation made ready for the database: cleaned, redacted,
// bounded and keyed.
type item struct {
	kind      exposure.ObservationKind
	asset     exposure.AssetRef
	assetKey  string // all identifiers: what the asset is looked up by in the session
	tool      string
	class     string
	weakness  string
	also      []string // other names of the weakness, under which it may be known
	location  string
	place     exposure.Place
	advisory  *exposure.Advisory // described by the first item of the document that states it
	severity  exposure.Severity
	detection exposure.Detection
	state     exposure.State
	seen      int64 // unix milliseconds, 0: the time of the run
	proof     exposure.Proof
	coverage  *exposure.Coverage
	holds     *holding // with an inventory record: what is kept of it

	on     known // commit: the asset
	source exposure.SourceID
}

// Bounds on what a report may make the database keep, in bytes.
const (
	maxTitle    = 500
	maxText     = 32 << 10
	maxEvidence = 16 << 10
	maxPieces   = 8
	maxList     = 100
	maxPlace    = 2048
)

type normaliser struct {
	im       *Importer
	fallback exposure.AssetRef
	scan     *exposure.Scan
	earliest int64
	latest   int64
	told     map[string]struct{} // weaknesses described so far
}

// init prepares for one document. Records without an asset are filed under
// the asset the user named, or one named after the file.
func (n *normaliser) init(im *Importer, req Request, name string, scan *exposure.Scan) {
	n.im, n.scan, n.fallback = im, scan, req.Asset
	n.told = map[string]struct{}{}
	if n.fallback.IsZero() {
		n.fallback.Kind = exposure.AssetUnknown
		n.fallback.Name = name
		n.fallback.Add(exposure.IDName, name)
	}
	n.earliest = time.Date(1995, 1, 1, 0, 0, 0, 0, time.UTC).UnixMilli()
	n.latest = scan.Received
	if !req.At.IsZero() {
		n.ranAt(req.At)
	}
}

// ranAt sets when the scan ran. A clock that is wrong by decades, or in the
// future, is not believed.
func (n *normaliser) ranAt(t time.Time) {
	if ms := n.plausible(t); ms != 0 {
		n.scan.At = ms
	}
}

func (n *normaliser) plausible(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	ms := t.UnixMilli()
	if ms < n.earliest {
		return 0
	}
	return min(ms, n.latest)
}

// item makes an observation ready. The error says that it has no identity.
func (n *normaliser) item(o *exposure.Observation) (item, error) {
	it := item{
		kind: o.Kind, asset: o.Asset, tool: o.Tool, class: o.Class,
		severity: o.Severity, detection: o.Detection, state: o.State, seen: n.plausible(o.Seen),
	}
	if it.asset.IsZero() {
		it.asset = n.fallback
	}
	if it.tool == "" {
		it.tool = n.scan.Format
	}
	it.assetKey = assetKey(&it.asset)
	switch o.Kind {
	case exposure.ObservedCoverage:
		it.coverage, it.class = o.Coverage, o.Coverage.Class
		return it, nil
	case exposure.ObservedInventory:
		it.holds = n.held(o)
		return it, nil
	}
	if o.Rule == "" && len(o.Advisories) == 0 {
		return it, exposure.Errorf(exposure.Invalid, "the record has neither a rule nor an advisory, so it has no identity")
	}
	for i, a := range o.Advisories {
		o.Advisories[i] = exposure.NormalAdvisory(a)
	}
	it.weakness = n.cap(o.WeaknessKey(n.im.Intel.Canonical), maxTitle)
	it.also = n.otherNames(o, it.weakness)
	it.place = exposure.Place{Location: o.Location, Component: o.Component}
	it.place.Component.Path, it.place.Component.License = "", ""
	at := &it.place.Location
	at.Path = stripValues(at.Path)
	it.location = at.Key(n.packageKey(&o.Component))
	it.proof = n.proof(o)
	if it.weakness != it.tool+":"+o.Rule {
		it.place.Rule = n.cap(o.Rule, maxTitle)
	}
	// A place is shared by many findings: what is one finding's own goes to
	// the proof.
	at.Snippet, at.Line, at.Column, at.Service, at.Method = "", 0, 0, "", ""
	if _, ok := n.told[it.weakness]; !ok {
		if len(n.told) >= cacheSize {
			clear(n.told)
		}
		n.told[it.weakness] = struct{}{}
		it.advisory = n.advisory(o, it.weakness)
	}
	return it, nil
}

// otherNames are the names in the report of a weakness that is known by a
// better one. A finding made before a feed told the better name has one of them.
func (n *normaliser) otherNames(o *exposure.Observation, weakness string) []string {
	var names []string
	for _, a := range o.Advisories[:min(len(o.Advisories), maxPieces)] {
		if a != weakness && (o.Aliased || n.im.Intel.Canonical(a) == weakness) {
			names = append(names, a)
		}
	}
	return names
}

// packageKey is what identifies the component in a location.
func (n *normaliser) packageKey(c *exposure.Component) string {
	if c.Purl != "" {
		return c.Purl
	}
	if c.Name != "" {
		return "generic/" + strings.ToLower(c.Name)
	}
	return ""
}

// assetKey joins all identifiers: records that state the same are looked up once.
func assetKey(r *exposure.AssetRef) string {
	if len(r.Identifiers) == 1 {
		i := r.Identifiers[0]
		return string(i.Kind) + ":" + i.Value
	}
	var b strings.Builder
	for _, i := range r.Identifiers {
		b.WriteString(string(i.Kind))
		b.WriteByte(':')
		b.WriteString(i.Value)
		b.WriteByte(0)
	}
	if b.Len() == 0 {
		return "name:" + r.Name
	}
	return b.String()
}

// stripValues removes the values from a query string: they may be secrets and
// are never part of a place.
func stripValues(path string) string {
	base, query, found := strings.Cut(path, "?")
	if !found {
		return path
	}
	var names []string
	for pair := range strings.SplitSeq(query, "&") {
		if name, _, _ := strings.Cut(pair, "="); name != "" {
			names = append(names, name)
		}
	}
	return base + "?" + strings.Join(names, "&")
}

func (n *normaliser) cap(s string, limit int) string {
	if len(s) <= limit {
		return s
	}
	return strings.ToValidUTF8(s[:limit], "")
}

func (n *normaliser) proof(o *exposure.Observation) exposure.Proof {
	p := exposure.Proof{Line: o.Location.Line, Path: n.cap(o.Component.Path, maxTitle)}
	for _, e := range o.Evidence[:min(len(o.Evidence), maxPieces)] {
		if text := n.im.Redact(n.cap(e.Text, maxEvidence)); text != "" {
			p.Evidence = append(p.Evidence, exposure.Evidence{Kind: e.Kind, Text: text})
		}
	}
	if o.Location.Snippet != "" && len(p.Evidence) < maxPieces {
		p.Evidence = append(p.Evidence, exposure.Evidence{Kind: "code", Text: n.im.Redact(n.cap(o.Location.Snippet, maxEvidence))})
	}
	return p
}

// advisory describes a weakness that the database does not know yet.
func (n *normaliser) advisory(o *exposure.Observation, key string) *exposure.Advisory {
	a := &exposure.Advisory{
		Key: key, Type: typeOf(o), Severity: o.Severity,
		Title:       n.im.Redact(n.cap(strings.TrimSpace(o.Title), maxTitle)),
		Description: n.im.Redact(n.cap(o.Description, maxText)),
		Solution:    n.im.Redact(n.cap(o.Solution, maxText)),
		CWEs:        o.CWEs[:min(len(o.CWEs), maxList)],
		CVSS:        o.CVSS[:min(len(o.CVSS), 10)],
	}
	for _, r := range o.References[:min(len(o.References), maxList)] {
		a.References = append(a.References, n.im.Redact(n.cap(r, 2048)))
	}
	for _, id := range o.Advisories {
		c := n.im.Intel.Canonical(id)
		if strings.HasPrefix(c, "CVE-") && len(a.CVEs) < maxList && !slices.Contains(a.CVEs, c) {
			a.CVEs = append(a.CVEs, c)
		}
		if id != key && len(a.Aliases) < maxList && !slices.Contains(a.Aliases, id) {
			a.Aliases = append(a.Aliases, id)
		}
	}
	a.Threat = n.im.Intel.Threat(append(a.CVEs[:len(a.CVEs):len(a.CVEs)], key), a.CWEs)
	return a
}

// typeOf tells the type of exposure by its class of checks.
func typeOf(o *exposure.Observation) exposure.Type {
	class, _, _ := strings.Cut(o.Class, "-")
	switch class {
	case "misconfig", "config":
		return exposure.TypeMisconfiguration
	case "secret", "secrets":
		return exposure.TypeSecret
	case "credential":
		return exposure.TypeCredential
	case "license":
		return exposure.TypeLicense
	case "ports":
		if len(o.Advisories) == 0 {
			return exposure.TypeService
		}
	case "code":
		if len(o.Advisories) == 0 {
			return exposure.TypeCode
		}
	case "web":
		if len(o.Advisories) == 0 {
			return exposure.TypeWeb
		}
	}
	if len(o.Advisories) == 0 && o.Severity <= exposure.SeverityInfo {
		return exposure.TypeService
	}
	return exposure.TypeVulnerability
}
