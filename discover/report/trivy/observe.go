package trivy

import (
	"errors"
	"fmt"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/leeward-ctem/leeward/discover/term"
	"github.com/leeward-ctem/leeward/exposure"
)

// Qualities of detection on the scale of OpenVAS.
const (
	qodPackage = 97 // the package database, or a lock file
	qodConfig  = 80
	qodSecret  = 70 // a pattern matched
)

func (v *vulnerability) observe(res *result) (exposure.Observation, error) {
	id := advisoryID(v.VulnerabilityID)
	if id == "" {
		return exposure.Observation{}, errors.New("a vulnerability without VulnerabilityID")
	}
	o := exposure.Observation{
		Class:       res.packageClass(),
		Rule:        id,
		Advisories:  []string{id},
		Title:       term.OneLine(v.Title),
		Description: v.Description,
		Severity:    severity(v.Severity),
		CWEs:        cwes(v.CweIDs),
		CVSS:        vectors(v.CVSS, v.SeveritySource),
		References:  appendUnique(appendUnique(nil, v.PrimaryURL), v.References...),
		Component: exposure.Component{
			Purl:    v.purl(res.Type),
			Name:    v.PkgName,
			Version: v.InstalledVersion,
			Path:    v.path(res),
			Fixed:   v.FixedVersion,
		},
		Detection:  exposure.DetectionAuthenticated,
		Confidence: qodPackage,
	}
	if o.Title == "" {
		o.Title = joinNonEmpty(" in ", id, v.PkgName)
	}
	// "fixed" says that a fix exists, not that it is applied: the package is
	// affected as with every other status.
	if v.Status == "not_affected" {
		o.State = exposure.StateNotAffected
	}
	if res.workload {
		o.Location.Resource = imageRepository(res.Target)
	}
	// A vendor's advisory (DSA, RHSA, USN) covers several vulnerabilities and
	// is no name of this one; a CVE or GHSA is.
	for _, other := range v.VendorIDs {
		if other = advisoryID(other); strings.HasPrefix(other, "CVE-") || strings.HasPrefix(other, "GHSA-") {
			o.Advisories = appendNew(o.Advisories, other)
		} else if other != "" {
			o.Evidence = append(o.Evidence, exposure.Evidence{Kind: "note", Text: "vendor advisory " + other})
		}
	}
	slices.SortStableFunc(o.Advisories, func(a, b string) int { return advisoryRank(a) - advisoryRank(b) })
	o.Aliased = len(o.Advisories) > 1
	o.Evidence = append(o.Evidence, v.Layer.evidence()...)
	return o, nil
}

func (m *misconfiguration) observe(res *result) (exposure.Observation, error) {
	id := m.ID
	if id == "" {
		id = m.AVDID
	}
	if id == "" {
		return exposure.Observation{}, errors.New("a misconfiguration without ID")
	}
	o := exposure.Observation{
		Class:       classMisconfig,
		Rule:        id,
		Title:       term.OneLine(m.Title),
		Description: strings.TrimSpace(m.Description),
		Solution:    m.Resolution,
		Severity:    severity(m.Severity),
		References:  appendUnique(appendUnique(nil, m.PrimaryURL), m.References...),
		Location: exposure.Location{
			File:     file(res.Target),
			Line:     int(m.CauseMetadata.StartLine),
			Snippet:  m.CauseMetadata.Code.cause(),
			Resource: m.CauseMetadata.Resource,
		},
		Detection:  exposure.DetectionStatic,
		Confidence: qodConfig,
	}
	if o.Title == "" {
		o.Title = id
	}
	if m.Message != "" {
		o.Evidence = append(o.Evidence, exposure.Evidence{Kind: "output", Text: m.Message})
	}
	o.Evidence = append(o.Evidence, m.Layer.evidence()...)
	return o, nil
}

func (s *secret) observe(res *result) (exposure.Observation, error) {
	if s.RuleID == "" {
		return exposure.Observation{}, errors.New("a secret without RuleID")
	}
	o := exposure.Observation{
		Class:      classSecret,
		Rule:       s.RuleID,
		Title:      term.OneLine(joinNonEmpty(": ", s.Category, s.Title)),
		Severity:   severity(s.Severity),
		CWEs:       []int{798}, // use of hard-coded credentials
		Location:   exposure.Location{File: file(res.Target), Line: int(s.StartLine)},
		Detection:  exposure.DetectionStatic,
		Confidence: qodSecret,
	}
	if o.Title == "" {
		o.Title = s.RuleID
	}
	// Trivy writes asterisks over the secret. A match without them may be the
	// secret itself and is not kept.
	if strings.Contains(s.Match, "***") {
		o.Location.Snippet = strings.TrimSpace(s.Match)
		o.Evidence = append(o.Evidence, exposure.Evidence{Kind: "match", Text: s.Match})
	}
	o.Evidence = append(o.Evidence, s.Layer.evidence()...)
	return o, nil
}

func (l *license) observe(res *result) (exposure.Observation, error) {
	if l.Name == "" {
		return exposure.Observation{}, errors.New("a license without Name")
	}
	o := exposure.Observation{
		Class:      classLicense,
		Rule:       l.Name,
		Severity:   severity(l.Severity),
		Component:  exposure.Component{Name: l.PkgName, License: l.Name, Path: l.FilePath},
		Detection:  exposure.DetectionStatic,
		Confidence: int(min(max(l.Confidence, 0), 1) * 100),
	}
	o.Title = "License " + term.OneLine(l.Name)
	if l.PkgName != "" {
		o.Title += " of " + term.OneLine(l.PkgName)
	} else {
		o.Location.File = file(l.FilePath)
	}
	if l.Link != "" {
		o.References = []string{l.Link}
	}
	if l.Category != "" {
		o.Evidence = append(o.Evidence, exposure.Evidence{Kind: "note", Text: "license category " + l.Category})
	}
	return o, nil
}

func (p *pkg) observe(res *result) (exposure.Observation, error) {
	if p.Name == "" {
		return exposure.Observation{}, errors.New("a package without Name")
	}
	version := joinNonEmpty("-", p.Version, p.Release)
	if p.Epoch > 0 {
		version = strconv.Itoa(int(p.Epoch)) + ":" + version
	}
	purl := p.Identifier.PURL
	if purl == "" && strings.HasPrefix(p.Ref, "pkg:") {
		purl = p.Ref
	}
	if purl == "" {
		purl = packageURL(res.Type, p.Name, version)
	}
	return exposure.Observation{
		Kind:  exposure.ObservedInventory,
		Class: res.packageClass(),
		Component: exposure.Component{
			Purl: purl, Name: p.Name, Version: version, Path: p.FilePath, License: strings.Join(p.Licenses, ", "),
		},
	}, nil
}

func (v *vulnerability) purl(kind string) string {
	for _, p := range []string{v.PkgIdentifier.PURL, v.PkgRef, v.Ref} {
		if strings.HasPrefix(p, "pkg:") {
			return p
		}
	}
	return packageURL(kind, v.PkgName, v.InstalledVersion)
}

// path is where a package of a language lies: its own file, else the lock file
// that is the target. Results such as "Java" gather many files.
func (v *vulnerability) path(res *result) string {
	if v.PkgPath != "" || res.packageClass() == classOS || res.workload || !strings.ContainsAny(res.Target, "./") {
		return v.PkgPath
	}
	return res.Target
}

func (l layer) evidence() []exposure.Evidence {
	id := l.Digest
	if id == "" {
		id = l.DiffID
	}
	if id == "" {
		return nil
	}
	return []exposure.Evidence{{Kind: "note", Text: "image layer " + id}}
}

// cause returns the lines that a misconfiguration is about.
func (c code) cause() string {
	var b strings.Builder
	for _, l := range c.Lines {
		if l.IsCause {
			b.WriteString(l.Content + "\n")
		}
	}
	return strings.TrimSuffix(b.String(), "\n")
}

func severity(word string) exposure.Severity {
	switch strings.ToUpper(word) {
	case "CRITICAL":
		return exposure.SeverityCritical
	case "HIGH":
		return exposure.SeverityHigh
	case "MEDIUM":
		return exposure.SeverityMedium
	case "LOW":
		return exposure.SeverityLow
	}
	return exposure.SeverityUnknown
}

// vectors returns the CVSS vectors: those of NVD, which every other tool has
// too, then those of the vendor that the severity is from, then the others.
func vectors(by ratings, source string) (all []string) {
	add := func(c *cvss) {
		if c != nil {
			all = appendUnique(all, c.V40Vector, c.V3Vector, c.V2Vector)
		}
	}
	add(by.of("nvd"))
	if source != "nvd" {
		add(by.of(source))
	}
	for i := range by {
		if v := by[i].vendor; v != "nvd" && v != source {
			add(&by[i].cvss)
		}
	}
	return all
}

func cwes(ids []string) []int {
	var ns []int
	for _, id := range ids {
		if n, err := strconv.Atoi(strings.TrimPrefix(strings.ToUpper(id), "CWE-")); err == nil && n > 0 {
			ns = appendNew(ns, n)
		}
	}
	return ns
}

// advisoryID brings an id into its usual spelling.
func advisoryID(id string) string {
	id = strings.TrimSpace(id)
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

// file is a target as a path within the asset.
func file(target string) string {
	if target == "" {
		return ""
	}
	return path.Clean(strings.ReplaceAll(target, `\`, "/"))
}

func timestamp(s string) time.Time {
	return term.Date(s) // none, for Go's zero time, which some versions write
}

// listLimit bounds references and the like, which are compared with each other.
const listLimit = 1000

// appendUnique adds those values that say something.
func appendUnique(u []string, values ...string) []string {
	for _, v := range values {
		if v = strings.TrimSpace(v); v != "" {
			u = appendNew(u, v)
		}
	}
	return u
}

func appendNew[T comparable](list []T, v T) []T {
	if len(list) == listLimit || slices.Contains(list, v) {
		return list
	}
	return append(list, v)
}

func joinNonEmpty(sep, a, b string) string {
	if a == "" || b == "" {
		return a + b
	}
	return fmt.Sprint(a, sep, b)
}
