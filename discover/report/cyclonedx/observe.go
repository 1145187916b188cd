package cyclonedx

import (
	"errors"
	"slices"
	"strconv"
	"strings"

	"github.com/leeward-ctem/leeward/exposure"
)

const class = "vuln"

// qod is that of a version compared with an advisory, on the scale of OpenVAS.
const qod = 80

// state states a vulnerability of each component that it affects.
func (d *document) state(v *vulnerability, at int64) error {
	o, err := v.observe()
	if err != nil {
		return d.lose(at, err)
	}
	if err := d.sendRun(); err != nil {
		return err
	}
	o.Tool, o.Asset = d.run.Tool, d.asset
	send := func(o exposure.Observation, c exposure.Component) error {
		if fixed := v.fixed(); c.Fixed == "" && fixed != "" {
			c.Fixed = fixed
		}
		o.Component = c
		o.Title = o.Rule
		if c.Name != "" {
			o.Title += " in " + oneLine(c.Name)
		}
		return d.send(o)
	}
	switch {
	case v.Own != nil:
		return send(o, *v.Own)
	case len(v.Affects) == 0 && v.Ref != "":
		return send(o, d.index.resolve(string(v.Ref)))
	case len(v.Affects) == 0:
		return send(o, d.subject.Component)
	}
	for _, a := range v.Affects {
		c := d.subject.Component
		if ref := a.Ref.trim(); ref != "" {
			c = d.index.resolve(ref)
		}
		one := o
		one.Evidence = slices.Clip(o.Evidence)
		a.apply(&one, &c)
		if err := send(one, c); err != nil {
			return err
		}
	}
	return nil
}

// observe is all of a vulnerability but what it affects.
func (v *vulnerability) observe() (exposure.Observation, error) {
	o := exposure.Observation{
		Class:       class,
		Rule:        advisoryID(v.ID.trim()),
		Description: joinNonEmpty("\n\n", v.Description.trim(), v.Detail.trim()),
		Solution:    joinNonEmpty("\n", v.Recommendation.trim(), v.Workaround.trim()),
		Detection:   exposure.DetectionAuthenticated,
		Confidence:  qod,
	}
	add := func(id text) {
		o.Advisories = appendNew(o.Advisories, advisoryID(id.trim()))
	}
	link := func(address text) {
		if s := address.trim(); strings.Contains(s, "://") {
			o.References = appendNew(o.References, s)
		}
	}
	add(v.ID)
	link(v.Source.URL)
	for _, r := range v.References { // "equivalent of the vulnerability"
		add(r.ID)
		link(r.Source.URL)
	}
	if len(o.Advisories) == 0 {
		return o, errors.New("a vulnerability without id")
	}
	if o.Rule == "" {
		o.Rule = o.Advisories[0]
	}
	slices.SortStableFunc(o.Advisories, func(a, b string) int { return advisoryRank(a) - advisoryRank(b) })
	o.Aliased = len(o.Advisories) > 1
	for _, a := range v.Advisories {
		link(a.URL)
		link(a.Text)
	}
	for _, r := range v.Recommended {
		if o.Solution == "" {
			o.Solution = r.trim()
		}
	}
	for _, c := range v.CWEs {
		if n, err := strconv.Atoi(strings.TrimPrefix(strings.ToUpper(c.trim()), "CWE-")); err == nil {
			o.CWEs = appendNew(o.CWEs, n)
		}
	}
	o.Severity, o.CVSS = v.rated()
	switch v.Analysis.State.trim() {
	case "resolved", "resolved_with_pedigree":
		o.State = exposure.StateFixed
	case "not_affected", "false_positive":
		o.State = exposure.StateNotAffected
	}
	if note := joinNonEmpty(": ", v.Analysis.Justification.trim(), v.Analysis.Detail.trim()); note != "" {
		o.Evidence = append(o.Evidence, exposure.Evidence{Kind: "note", Text: note})
	}
	return o, nil
}

// apply takes in what a vulnerability says of the versions of what it affects.
func (a *affected) apply(o *exposure.Observation, c *exposure.Component) {
	var hit, fine []string
	for _, v := range a.Versions {
		version := v.Version.trim()
		if version == "" {
			version = v.Range.trim()
		}
		switch v.Status.trim() {
		case "unaffected":
			fine = append(fine, version)
		case "affected", "":
			hit = append(hit, version)
		}
	}
	if len(hit) == 1 && c.Version == "" && a.Versions[0].Range == "" {
		c.Version = hit[0]
	}
	if o.State == exposure.StatePresent && len(fine) > 0 && !slices.Contains(hit, c.Version) &&
		(len(fine) == len(a.Versions) || c.Version != "" && slices.Contains(fine, c.Version)) {
		o.State = exposure.StateNotAffected
	}
	if len(hit) > 0 {
		o.Evidence = append(o.Evidence, exposure.Evidence{Kind: "note", Text: "affected versions: " + strings.Join(hit, ", ")})
	}
	if len(fine) > 0 {
		o.Evidence = append(o.Evidence, exposure.Evidence{Kind: "note", Text: "unaffected versions: " + strings.Join(fine, ", ")})
	}
}

// fixed is what a scanner says in properties of the versions with the fix.
func (v *vulnerability) fixed() string {
	for _, p := range v.Properties {
		if name := strings.ToLower(string(p.Name)); strings.HasSuffix(name, ":fixed_versions") || strings.HasSuffix(name, ":fixedversion") {
			return p.Value.trim()
		}
	}
	return ""
}

// rated chooses the severity of the best rating that states one: of the source
// of the vulnerability, else of NVD, else by the newest method. All CVSS
// vectors are kept, in the same order.
func (v *vulnerability) rated() (exposure.Severity, []string) {
	own := strings.ToLower(v.Source.label())
	rank := func(r rating) int {
		n := methodRank(r.Method.trim())
		switch from := strings.ToLower(r.Source.label()); {
		case from == "":
			return 20 + n
		case from == own:
			return n
		case from == "nvd" || strings.HasPrefix(from, "nvd:"):
			return 10 + n
		}
		return 20 + n
	}
	ratings := slices.Clone(v.Ratings)
	slices.SortStableFunc(ratings, func(a, b rating) int { return rank(a) - rank(b) })
	best := exposure.SeverityUnknown
	var vectors []string
	for _, r := range ratings {
		if best == exposure.SeverityUnknown {
			best = severity(r.Severity.trim())
		}
		vectors = appendNew(vectors, r.cvss())
	}
	return best, vectors
}

func (s source) label() string {
	if n := s.Name.trim(); n != "" {
		return n
	}
	return s.Attr.trim()
}

func methodRank(method string) int {
	switch method {
	case "CVSSv4":
		return 0
	case "CVSSv31":
		return 1
	case "CVSSv3":
		return 2
	case "CVSSv2":
		return 3
	}
	return 4
}

// cvss is the vector of a rating. Many documents leave out its prefix, without
// which version 3 cannot be told from version 2.
func (r rating) cvss() string {
	vector := strings.Trim(r.Vector.trim(), "()")
	if strings.HasPrefix(vector, "CVSS:") {
		return vector
	}
	if !strings.Contains(vector, "AV:") {
		return ""
	}
	switch r.Method.trim() {
	case "CVSSv4":
		return "CVSS:4.0/" + vector
	case "CVSSv31":
		return "CVSS:3.1/" + vector
	case "CVSSv3":
		return "CVSS:3.0/" + vector
	}
	if strings.Contains(vector, "Au:") {
		return vector
	}
	return ""
}

func severity(word string) exposure.Severity {
	switch strings.ToLower(word) {
	case "critical":
		return exposure.SeverityCritical
	case "high":
		return exposure.SeverityHigh
	case "medium":
		return exposure.SeverityMedium
	case "low":
		return exposure.SeverityLow
	case "info", "none":
		return exposure.SeverityInfo
	}
	return exposure.SeverityUnknown
}

// advisoryID brings an id into its usual spelling.
func advisoryID(id string) string {
	up := strings.ToUpper(id)
	if rest, ok := strings.CutPrefix(up, "GHSA-"); ok {
		return "GHSA-" + strings.ToLower(rest)
	}
	if strings.HasPrefix(up, "CVE-") {
		return up
	}
	return id
}

func advisoryRank(id string) int {
	switch {
	case strings.HasPrefix(id, "CVE-"):
		return 0
	case strings.HasPrefix(id, "GHSA-"):
		return 1
	}
	return 2
}

func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }

func joinNonEmpty(sep, a, b string) string {
	if a == "" || b == "" {
		return a + b
	}
	return a + sep + b
}

// listLimit bounds references and the like, which are compared with each other.
const listLimit = 1000

// appendNew appends a value that is neither zero nor there yet.
func appendNew[T comparable](list []T, v T) []T {
	var zero T
	if v == zero || len(list) == listLimit || slices.Contains(list, v) {
		return list
	}
	return append(list, v)
}
