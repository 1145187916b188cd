// Package mend reads vulnerabilities in dependencies as Mend, once WhiteSource,
// reports them: the vulnerability report and the alerts of its older API, the
// scan report of its agent, and the findings of its platform.
//
// They list what was found, so they cover nothing.
package mend

import (
	"bytes"
	"cmp"
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

// Reader reads reports of Mend. See
// https://docs.mend.io/legacy-sca/latest/vulnerability-report-api
type Reader struct{}

// Name implements discover.Reader.
func (Reader) Name() string { return "mend" }

// Describe implements discover.Described.
func (Reader) Describe() (title, docs string) {
	return "Mend SCA, WhiteSource (JSON of platform, API and agent)", "https://docs.mend.io/legacy-sca/latest/vulnerability-report-api"
}

// Sniff implements discover.Reader.
func (Reader) Sniff(h *decode.Head) bool {
	for _, paths := range [][]string{
		{"supportToken", "response"}, {"supportToken", "retVal"},
		{"response[].vulnerability", "response[].component"}, {"retVal[].vulnerability", "retVal[].component"},
		{"vulnerabilities[].library.keyUuid"}, {"vulnerabilities[].library", "vulnerabilities[].cvss3_severity"}, {"vulnerabilities[].library", "vulnerabilities[].topFix"},
		{"libraries[].vulnerabilities"},
		{"alerts[].library.keyUuid"}, {"alerts[].alertUuid"},
	} {
		if h.Has(paths...) {
			return true
		}
	}
	return empty(h)
}

// empty recognises a vulnerability report without vulnerabilities, which says
// nothing else.
func empty(h *decode.Head) bool {
	b := h.Bytes()
	return len(b) < 200 && h.Has("vulnerabilities") && string(bytes.Join(bytes.Fields(b), nil)) == `{"vulnerabilities":[]}`
}

// Read implements discover.Reader.
func (Reader) Read(ctx context.Context, r io.Reader) iter.Seq2[exposure.Observation, error] {
	return record.Spec{Tool: "mend", Records: map[string]record.Handler{
		"response[]":                    platform,
		"retVal[]":                      platform,
		"alerts[]":                      alert,
		"vulnerabilities[]":             func(r *record.Report, v record.Value) error { return vulnerability(r, v, v, v.At("library")) },
		"libraries[].vulnerabilities[]": func(r *record.Report, v record.Value) error { return vulnerability(r, v, v, r.Up(0)) },
	}}.Read(ctx, r)
}

// platform is a finding of the platform.
func platform(r *record.Report, v record.Value) error {
	if !v.At("vulnerability").Exists() {
		return errors.New("it is no vulnerability of a dependency")
	}
	return vulnerability(r, v, v.At("vulnerability"), v.At("component"))
}

// alert is one of the older API. Only some are about vulnerabilities; others
// say that there are newer versions.
func alert(r *record.Report, v record.Value) error {
	if !v.At("vulnerability").Exists() {
		return nil
	}
	return vulnerability(r, v, v.At("vulnerability"), v.At("library"))
}

// vulnerability states a weakness of a library. v is the record of both.
func vulnerability(r *record.Report, v, weak, library record.Value) error {
	id := cmp.Or(weak.Text("name"), v.Text("name"))
	o := exposure.Observation{
		Class: "vuln", Asset: project(r, v), State: state(v.Text("findingInfo.status", "status")), Rule: id,
		Description: term.Plain(weak.Text("description")), Severity: term.Severity(weak.Text("cvss3_severity", "severity")),
		CVSS: vectors(v, weak), CWEs: term.CWEs(strings.Join(append(weak.Texts("cwe"), weak.Texts("cwes")...), " ")),
		Component: component(library), Detection: exposure.DetectionStatic,
	}
	o.Advisories, _ = term.Advisories("", id)
	if id != "" {
		o.Title = strings.TrimSuffix(id+" in "+o.Component.Name, " in ")
	}
	top := v.At("topFix")
	if !top.Exists() {
		top = weak.At("topFix")
	}
	o.Component.Fixed, o.Solution = fix(top)
	links := []string{weak.Text("url"), top.Text("url")}
	for ref := range weak.List("references") {
		if ref.IsObject() {
			links = append(links, ref.Text("value"), ref.Text("url"))
		} else {
			links = append(links, ref.Text())
		}
	}
	o.References = term.Links(strings.Join(links, "\n"))
	o.Evidence = notes(v)
	r.Weakness(o)
	return nil
}

// state is that of a finding or an alert.
func state(status string) exposure.State {
	switch strings.ToUpper(status) {
	case "LIBRARY_REMOVED":
		return exposure.StateFixed
	case "LIBRARY_IN_HOUSE", "LIBRARY_WHITELIST":
		return exposure.StateSuppressed
	}
	return term.State(status)
}

func vectors(v, weak record.Value) (all []string) {
	all = term.Vectors(v.Text("scoreMetadataVector") + " " + weak.Text("scoreMetadataVector", "vector"))
	for s := range weak.List("vulnerabilityScoring") {
		all = append(all, term.Vectors(s.Text("vector", "scoreMetadataVector"))...)
	}
	return all
}

func notes(v record.Value) (all []exposure.Evidence) {
	add := func(what, text string) {
		if text != "" {
			all = append(all, exposure.Evidence{Kind: "note", Text: what + text})
		}
	}
	if c := v.At("findingInfo.comment"); c.IsObject() {
		add("", c.Text("comment", "text"))
	} else {
		add("", v.Text("findingInfo.comment", "comments"))
	}
	if word := v.Text("effective"); word == "SHIELD" || word == "MAYBE_SHIELD" {
		add("Reachability: ", word)
	}
	if v.Yes("exploitable") {
		add("", "An exploit is known.")
	}
	return all
}

// project is the asset, within its application, once called a product.
func project(r *record.Report, v record.Value) exposure.AssetRef {
	name, within := v.At("project"), v.Text("application.name", "product", "productName")
	a := exposure.AssetRef{Kind: exposure.AssetRepository}
	if name.IsObject() {
		a.Name, within = name.Text("name"), cmp.Or(within, name.Text("path", "productName"))
	} else {
		a.Name = cmp.Or(name.Text(), v.Text("projectName"), r.Top().Text("projectName", "project"))
		within = cmp.Or(within, r.Top().Text("productName", "product"))
	}
	if a.Name == "" {
		return exposure.AssetRef{}
	}
	if within != "" && within != a.Name {
		a.Name = within + "/" + a.Name
	}
	a.Add(exposure.IDName, a.Name)
	return a
}
