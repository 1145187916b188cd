// Package grype reads the JSON reports of Anchore's Grype.
//
// What was scanned stands behind the matches, so that up to 64 MiB of them are
// held until it is known.
//
// # Coverage
//
// Grype searches all packages of its source. A report that says with which
// configuration it was made, and that nothing was left out by it, covers the
// source for vulnerabilities: matches that rules ignored are listed apart.
package grype

import (
	"context"
	"io"
	"iter"
	"strings"

	"github.com/leeward-ctem/leeward/discover/decode"
	"github.com/leeward-ctem/leeward/discover/record"
	"github.com/leeward-ctem/leeward/discover/term"
	"github.com/leeward-ctem/leeward/exposure"
)

// Reader reads Grype reports. See
// https://github.com/anchore/grype/blob/main/README.md#output-formats
type Reader struct{}

// Name implements discover.Reader.
func (Reader) Name() string { return "grype" }

// Describe implements discover.Described.
func (Reader) Describe() (title, docs string) {
	return "Grype (JSON)", "https://github.com/anchore/grype/blob/main/README.md#output-formats"
}

// Sniff implements discover.Reader.
func (Reader) Sniff(h *decode.Head) bool {
	return h.Has("matches") && h.Text("descriptor.name") == "grype" || h.Has("matches[].vulnerability.id", "matches[].artifact.name")
}

const class = "vuln"

// Read implements discover.Reader.
func (Reader) Read(ctx context.Context, r io.Reader) iter.Seq2[exposure.Observation, error] {
	return record.Spec{
		Tool: "grype", Exact: true, Hold: 64 << 20,
		About: func(top record.Value, run *exposure.Run) {
			run.Version, run.Finished = top.Text("descriptor.version"), top.Time("descriptor.timestamp")
		},
		Records: map[string]record.Handler{
			"matches[]":        func(r *record.Report, v record.Value) error { return match(r, v, exposure.StatePresent) },
			"ignoredMatches[]": func(r *record.Report, v record.Value) error { return match(r, v, ignored(v)) },
		},
		End: covered,
	}.Read(ctx, r)
}

// ignored is the state of a match that a rule or a VEX statement silenced.
func ignored(v record.Value) exposure.State {
	for rule := range v.List("appliedIgnoreRules") {
		switch rule.Text("vex-status", "vexStatus") {
		case "not_affected":
			return exposure.StateNotAffected
		case "fixed":
			return exposure.StateFixed
		}
	}
	return exposure.StateSuppressed
}

// asset is what was scanned, as far as it has a name.
func asset(top record.Value) exposure.AssetRef {
	var ref exposure.AssetRef
	target := top.At("source.target")
	switch top.Text("source.type") {
	case "image":
		ref = image(target)
	case "directory", "file":
		ref.Kind = exposure.AssetRepository
		term.Directory(&ref, plain(target))
	case "purl":
		ref.Kind = exposure.AssetPackage
		ref.Add(exposure.IDPurl, plain(target))
	case "snap":
		ref.Kind = exposure.AssetPackage
		name, _, _ := strings.Cut(plain(target), "@")
		ref.Add(exposure.IDName, name)
	}
	if ref.IsZero() {
		return exposure.AssetRef{}
	}
	ref.OS = strings.TrimSpace(top.Text("distro.name") + " " + top.Text("distro.version"))
	return ref
}

// plain is a target that is a text; some versions wrote an object with its path.
func plain(target record.Value) string {
	if target.IsObject() {
		return target.Text("path", "purl", "name")
	}
	return target.Text()
}

func image(target record.Value) exposure.AssetRef {
	ref := exposure.AssetRef{Kind: exposure.AssetImage}
	for _, tag := range target.Texts("tags") {
		term.AddImage(&ref, tag)
	}
	input := target.Text("userInput")
	for _, scheme := range []string{"docker:", "podman:", "containerd:", "registry:"} {
		input = strings.TrimPrefix(input, scheme)
	}
	if len(ref.Identifiers) == 0 && term.Tagged(input) && !strings.HasPrefix(input, "/") && !strings.Contains(input, "archive:") && !strings.Contains(input, "-dir:") {
		term.AddImage(&ref, input)
	}
	for _, digest := range target.Texts("repoDigests") {
		term.AddImage(&ref, digest)
	}
	for _, digest := range []string{target.Text("manifestDigest"), target.Text("imageID")} {
		if strings.Contains(digest, ":") {
			ref.Add(exposure.IDDigest, digest)
		}
	}
	if hasImage(ref) {
		ref.Name = ""
	}
	return ref
}

func hasImage(ref exposure.AssetRef) bool {
	for _, id := range ref.Identifiers {
		if id.Kind == exposure.IDImage {
			return true
		}
	}
	return false
}

// covered states coverage when nothing was left out.
func covered(r *record.Report) {
	top := r.Top()
	config, ref := top.At("descriptor.configuration"), asset(top)
	if ref.IsZero() || !config.IsObject() || config.Yes("only-fixed") || config.Yes("only-notfixed") || config.Text("ignore-wontfix") != "" {
		return
	}
	for range config.List("exclude") {
		return
	}
	r.Covered(ref, class)
}

func match(r *record.Report, v record.Value, state exposure.State) error {
	weak, art := v.At("vulnerability"), v.At("artifact")
	id := weak.Text("id")
	o := exposure.Observation{
		Class: class, Asset: asset(r.Top()), State: state, Rule: id, Title: id, Detection: exposure.DetectionAuthenticated,
		Severity: term.Severity(weak.Text("severity")), Description: weak.Text("description"),
		Component: component(weak, art),
	}
	if name := art.Text("name"); name != "" && id != "" {
		o.Title = id + " in " + name
	}
	names := []string{id}
	for other := range v.List("relatedVulnerabilities") {
		names = append(names, other.Text("id"))
	}
	o.Advisories, _ = term.Advisories("", strings.Join(names, " "))
	o.Aliased = term.Aliased(o.Advisories)
	describe(&o, weak)
	for other := range v.List("relatedVulnerabilities") {
		if o.Aliased || other.Text("id") == id {
			describe(&o, other)
		}
	}
	for a := range weak.List("advisories") {
		o.References = appendNew(o.References, a.Text("link"))
	}
	o.Confidence = found(&o, v)
	if state := weak.Text("fix.state"); state == "wont-fix" {
		o.Evidence = append(o.Evidence, exposure.Evidence{Kind: "note", Text: "the vendor will not fix it"})
	}
	if layer := art.Text("locations.layerID"); layer != "" {
		o.Evidence = append(o.Evidence, exposure.Evidence{Kind: "note", Text: "image layer " + layer})
	}
	r.Weakness(o)
	return nil
}

// describe adds what is said of the weakness under one of its names.
func describe(o *exposure.Observation, weak record.Value) {
	if o.Description == "" {
		o.Description = weak.Text("description")
	}
	for _, vector := range []string{weak.Text("cvssV3.vector"), weak.Text("cvssV2.vector")} { // before version 0.10
		o.CVSS = appendNew(o.CVSS, vector)
	}
	for score := range weak.List("cvss") {
		o.CVSS = appendNew(o.CVSS, score.Text("vector"))
	}
	for cwe := range weak.List("cwes") {
		for _, n := range term.CWEs(cwe.Text("cwe")) {
			o.CWEs = appendNew(o.CWEs, n)
		}
	}
	o.References = appendNew(o.References, weak.Text("dataSource"))
	for _, link := range append(weak.Texts("urls"), weak.Texts("links")...) {
		o.References = appendNew(o.References, link)
	}
}

func appendNew[T comparable](all []T, v T) []T {
	var zero T
	if v == zero {
		return all
	}
	for _, have := range all {
		if have == v {
			return all
		}
	}
	return append(all, v)
}

func component(weak, art record.Value) exposure.Component {
	c := exposure.Component{
		Purl: art.Text("purl"), Name: art.Text("name"), Version: art.Text("version"), Path: art.Text("locations.path", "locations.accessPath"),
		Fixed: strings.Join(weak.Texts("fix.versions"), ", "),
	}
	if c.Fixed == "" {
		c.Fixed = weak.Text("fixedInVersion")
	}
	var licenses []string
	for _, l := range art.Texts("licenses") {
		licenses = appendNew(licenses, l)
	}
	c.License = strings.Join(licenses, ", ")
	if !strings.HasPrefix(c.Purl, "pkg:") {
		c.Purl = term.Purl(art.Text("type"), c.Name, c.Version)
	}
	return c
}

// How sure the kinds of match are, on the scale of OpenVAS.
const (
	sureExact = 97 // the name of the package and its ecosystem
	sureName  = 70 // a CPE was guessed from the name
)

// found says how the match was made, and how sure it is.
func found(o *exposure.Observation, v record.Value) int {
	sure := 0
	for d := range v.List("matchDetails") {
		kind, by, affected := d.Text("type"), d.Text("matcher"), d.Text("found.versionConstraint", "matchedOn.constraint")
		if strings.HasPrefix(kind, "exact") {
			sure = sureExact
		} else {
			sure = max(sure, sureName)
		}
		text := strings.TrimSpace(by + " " + kind)
		if affected != "" {
			text += ": affected are versions " + affected
		}
		if text != "" {
			o.Evidence = append(o.Evidence, exposure.Evidence{Kind: "output", Text: text})
		}
	}
	return sure
}
