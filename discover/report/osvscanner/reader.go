// Package osvscanner reads the JSON reports of OSV-Scanner, which compares the
// packages in lock files, SBOMs, images and repositories with osv.dev.
//
// A report lists the packages that something is wrong with, so it covers
// nothing.
package osvscanner

import (
	"context"
	"errors"
	"io"
	"iter"
	"strings"

	"github.com/leeward-ctem/leeward/discover/decode"
	"github.com/leeward-ctem/leeward/discover/record"
	"github.com/leeward-ctem/leeward/discover/term"
	"github.com/leeward-ctem/leeward/exposure"
)

// Reader reads OSV-Scanner reports. See
// https://google.github.io/osv-scanner/output/#json
type Reader struct{}

// Name implements discover.Reader.
func (Reader) Name() string { return "osv-scanner" }

// Describe implements discover.Described.
func (Reader) Describe() (title, docs string) {
	return "OSV-Scanner (JSON)", "https://google.github.io/osv-scanner/output/#json"
}

// Sniff implements discover.Reader. The first versions wrote an empty list when
// they found nothing, and nothing else.
func (Reader) Sniff(h *decode.Head) bool {
	return h.Has("results[].source.path", "results[].packages") || h.Has("results[].packages[].package.ecosystem") ||
		h.Has("results", "experimental_config") || h.Is(`{"results":[]}`)
}

// Read implements discover.Reader.
func (Reader) Read(ctx context.Context, r io.Reader) iter.Seq2[exposure.Observation, error] {
	return record.Spec{
		Tool:    "osv-scanner",
		Records: map[string]record.Handler{"results[].packages[]": found},
	}.Read(ctx, r)
}

func found(r *record.Report, v record.Value) error {
	source := r.Up(0).At("source")
	asset := image(source)
	p := v.At("package")
	c := exposure.Component{Name: p.Text("name"), Version: p.Text("version"), Path: source.Text("path")}
	if c.Version == "" {
		c.Version = p.Text("commit")
	}
	err := r.Parts(v.List("vulnerabilities"), func(r *record.Report, vuln record.Value) error {
		if vuln.Text("id") == "" {
			return errors.New("a vulnerability without id")
		}
		o := record.OSV(vuln, c.Name)
		fixed := o.Component.Fixed
		o.Asset, o.Component, o.Detection, o.Confidence = asset, c, exposure.DetectionAuthenticated, 97
		if o.Component.Fixed = fixed; c.Name == "" {
			o.Component.Name = repository(vuln)
		}
		o.Component.Purl = purl(p, vuln)
		grouped(&o, v)
		if groups := v.Texts("dependency_groups"); len(groups) > 0 {
			o.Evidence = append(o.Evidence, exposure.Evidence{Kind: "note", Text: "Dependency group: " + strings.Join(groups, ", ")})
		}
		r.Weakness(o)
		return nil
	})
	if err != nil {
		return err
	}
	for violated := range v.List("license_violations") {
		license, of := violated.Text(), c
		of.Purl, of.License = purl(p, record.Value{}), license
		r.Weakness(exposure.Observation{
			Class: "license", Asset: asset, Rule: license, Title: "License " + license + " of " + c.Name, Component: of, Detection: exposure.DetectionStatic,
		})
	}
	return nil
}

// image names the image that was scanned. Other sources are files and
// directories of whoever ran the scan.
func image(source record.Value) (ref exposure.AssetRef) {
	if source.Text("type") == "docker" {
		ref.Kind = exposure.AssetImage
		ref.Add(exposure.IDImage, source.Text("path"))
	}
	return ref
}

// grouped adds what the scanner found out of a vulnerability: the highest of the
// scores under its names, and whether its code is called.
func grouped(o *exposure.Observation, v record.Value) {
	for g := range v.List("groups") {
		member := false
		for _, id := range g.Texts("ids") {
			member = member || id == o.Rule
		}
		if !member {
			continue
		}
		if score := g.Text("max_severity"); o.Severity == exposure.SeverityUnknown && score != "" {
			o.Severity = term.Rated(score)
		}
		analysis := g.At("experimentalAnalysis")
		if !analysis.Exists() {
			analysis = g.At("experimental_analysis")
		}
		switch called := analysis.Member(o.Rule).At("called"); {
		case !called.Exists():
		case called.Yes():
			o.Evidence = append(o.Evidence, exposure.Evidence{Kind: "note", Text: "The vulnerable code is called."})
		default:
			o.State = exposure.StateNotAffected
			o.Evidence = append(o.Evidence, exposure.Evidence{Kind: "note", Text: "The vulnerable code is not called."})
		}
	}
}

// repository is where the code is from that no package manager knows.
func repository(vuln record.Value) string {
	for a := range vuln.List("affected") {
		for r := range a.List("ranges") {
			if repo := r.Text("repo"); repo != "" {
				return repo
			}
		}
	}
	return ""
}

// purl is the package URL of a package, as the vulnerability states it when the
// ecosystem has none of its own.
func purl(p, vuln record.Value) string {
	name, version := p.Text("name"), p.Text("version")
	ecosystem, _, _ := strings.Cut(p.Text("ecosystem"), ":")
	switch ecosystem {
	case "Debian", "Ubuntu", "Alpine": // whose names are the namespaces
		return term.Purl(ecosystem, strings.ToLower(ecosystem)+"/"+name, version)
	}
	if s := term.Purl(ecosystem, name, version); s != "" {
		return s
	}
	for a := range vuln.List("affected") {
		if a.Text("package.name") == name && a.Text("package.ecosystem") == p.Text("ecosystem") {
			s, _, _ := strings.Cut(a.Text("package.purl"), "?")
			return s
		}
	}
	return ""
}
