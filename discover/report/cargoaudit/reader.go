// Package cargoaudit reads the JSON reports of cargo-audit, which compares the
// lock files and binaries of Rust with the RustSec advisories.
//
// Beside vulnerabilities it warns of packages that nobody maintains, that are
// unsound or were yanked: these are stated as information. A report does not
// name the project, so it covers nothing.
package cargoaudit

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

// Reader reads cargo-audit reports. See
// https://docs.rs/rustsec/latest/rustsec/report/struct.Report.html
type Reader struct{}

// Name implements discover.Reader.
func (Reader) Name() string { return "cargo-audit" }

// Describe implements discover.Described.
func (Reader) Describe() (title, docs string) {
	return "cargo-audit (JSON)", "https://docs.rs/rustsec/latest/rustsec/report/struct.Report.html"
}

// Sniff implements discover.Reader.
func (Reader) Sniff(h *decode.Head) bool {
	return h.Has("database.advisory-count") || h.Has("lockfile.dependency-count") ||
		h.Has("vulnerabilities.found", "vulnerabilities.count") && h.Has("vulnerabilities.list")
}

// Read implements discover.Reader.
func (Reader) Read(ctx context.Context, r io.Reader) iter.Seq2[exposure.Observation, error] {
	return record.Spec{
		Tool:  "cargo-audit",
		Lines: true, // one for each binary
		Records: map[string]record.Handler{
			"vulnerabilities.list[]": vulnerability,
			"warnings{}[]":           warning,
			"warnings[]":             warning, // before version 0.12
		},
	}.Read(ctx, r)
}

func vulnerability(r *record.Report, v record.Value) error {
	if v.Text("advisory.id") == "" {
		return errors.New("a vulnerability without advisory")
	}
	r.Weakness(weakness(v, v))
	return nil
}

// weakness states that a package has the weakness of an advisory.
func weakness(v, of record.Value) exposure.Observation {
	name, version := v.Text("package.name"), v.Text("package.version")
	a := of.At("advisory")
	if name == "" {
		name = a.Text("package")
	}
	o := exposure.Observation{
		Class: "vuln", Detection: exposure.DetectionAuthenticated, Confidence: 97,
		Rule: a.Text("id"), Title: a.Text("title"), Description: a.Text("description"), CVSS: term.Vectors(a.Text("cvss")),
		References: term.Links(strings.Join(append(a.Texts("url"), a.Texts("references")...), "\n")),
		Component: exposure.Component{
			Purl: term.Purl("cargo", name, version), Name: name, Version: version,
			Fixed: strings.Join(of.Texts("versions.patched"), ", "),
		},
	}
	for _, id := range append([]string{o.Rule}, a.Texts("aliases")...) {
		if term.IsAdvisory(id) {
			o.Advisories = append(o.Advisories, id)
		}
	}
	o.Aliased = len(o.Advisories) > 1
	if len(o.Component.Fixed) > 0 {
		o.Solution = "Update " + name + " to " + o.Component.Fixed + "."
	}
	var note []string
	for function := range of.Members("affected.functions") {
		note = append(note, function)
	}
	if len(note) > 0 {
		o.Evidence = append(o.Evidence, exposure.Evidence{Kind: "note", Text: "Affected functions: " + strings.Join(note[:min(len(note), 50)], ", ")})
	}
	if source := v.Text("package.source"); source != "" {
		o.Evidence = append(o.Evidence, exposure.Evidence{Kind: "note", Text: "Source: " + source})
	}
	return o
}

// warning reads what is no vulnerability. The kind is a word, or in older
// reports an object with the advisory in it.
func warning(r *record.Report, v record.Value) error {
	kind, of := "", v
	if at := v.At("kind"); at.IsObject() {
		for name, in := range at.Members("") {
			kind, of = name, in
		}
	} else {
		kind = at.Text()
	}
	if kind == "" && of.Text("advisory.id") == "" {
		return errors.New("a warning of no kind")
	}
	o := weakness(v, of)
	o.Severity = exposure.SeverityInfo
	if o.Rule == "" {
		o.Rule, o.Title = kind, "The package is "+kind
	}
	r.Weakness(o)
	return nil
}
