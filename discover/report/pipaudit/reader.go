// Package pipaudit reads the JSON reports of pip-audit, which looks for known
// vulnerabilities of Python packages.
//
// A report lists all packages it looked at, but does not say where they are
// installed, so it covers nothing. It is of what was found: what an option had
// pip-audit fix afterwards shows when it looks again.
package pipaudit

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

// Reader reads pip-audit reports. See https://github.com/pypa/pip-audit#readme
type Reader struct{}

// Name implements discover.Reader.
func (Reader) Name() string { return "pip-audit" }

// Describe implements discover.Described.
func (Reader) Describe() (title, docs string) {
	return "pip-audit (JSON)", "https://github.com/pypa/pip-audit#readme"
}

// Sniff implements discover.Reader. Before version 2.5 a report was the list of
// the packages alone.
func (Reader) Sniff(h *decode.Head) bool {
	switch {
	case h.Has("dependencies", "fixes"), h.Is(`{"dependencies":[]}`):
		return true
	case h.Has("dependencies[].name"):
		return h.Has("dependencies[].vulns") || h.Has("dependencies[].skip_reason")
	}
	return h.Has("[].name", "[].version", "[].vulns") || h.Has("[].name", "[].skip_reason")
}

// Read implements discover.Reader.
func (Reader) Read(ctx context.Context, r io.Reader) iter.Seq2[exposure.Observation, error] {
	return record.Spec{
		Tool:    "pip-audit",
		Records: map[string]record.Handler{"dependencies[]": dependency, "[]": dependency},
	}.Read(ctx, r)
}

func dependency(r *record.Report, v record.Value) error {
	name, version := v.Text("name"), v.Text("version")
	if name == "" {
		return errors.New("a package without name")
	}
	if v.Text("skip_reason") != "" {
		return nil // nobody looked at it
	}
	c := exposure.Component{Purl: term.Purl("pypi", name, version), Name: name, Version: version}
	r.Inventory(exposure.AssetRef{}, c)
	return r.Parts(v.List("vulns"), func(r *record.Report, v record.Value) error { return weakness(r, v, c) })
}

func weakness(r *record.Report, v record.Value, c exposure.Component) error {
	id := v.Text("id")
	if id == "" {
		return errors.New("a vulnerability without id")
	}
	c.Fixed = strings.Join(v.Texts("fix_versions"), ", ")
	o := exposure.Observation{
		Class: "vuln", Detection: exposure.DetectionAuthenticated, Confidence: 97,
		Rule: id, Advisories: []string{id}, Title: id + " in " + c.Name, Description: v.Text("description"), Component: c,
	}
	for _, alias := range v.Texts("aliases") {
		if term.IsAdvisory(alias) {
			o.Advisories = append(o.Advisories, alias)
		}
	}
	o.Aliased = len(o.Advisories) > 1
	r.Weakness(o)
	return nil
}
