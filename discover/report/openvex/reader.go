// Package openvex reads OpenVEX documents, by themselves or in an in-toto
// attestation.
//
// A product is the asset: an image by its name and digest, else the package in
// just that version. What is named within it, its subcomponents, are components
// on it; of a product without them it is the component itself. A statement looks
// at no installation, so nothing is covered.
package openvex

import (
	"context"
	"errors"
	"io"
	"iter"
	"slices"
	"strings"
	"time"

	"github.com/leeward-ctem/leeward/discover/decode"
	"github.com/leeward-ctem/leeward/discover/record"
	"github.com/leeward-ctem/leeward/discover/term"
	"github.com/leeward-ctem/leeward/exposure"
)

// Reader reads OpenVEX. See
// https://github.com/openvex/spec/blob/main/OPENVEX-SPEC.md
type Reader struct{}

// Name implements discover.Reader.
func (Reader) Name() string { return "openvex" }

// Describe implements discover.Described.
func (Reader) Describe() (title, docs string) {
	return "OpenVEX statements (JSON)", "https://github.com/openvex/spec/blob/main/OPENVEX-SPEC.md"
}

// Sniff implements discover.Reader. Before version 0.2 documents were called
// something else.
func (Reader) Sniff(h *decode.Head) bool {
	vex := func(s string) bool { return strings.Contains(s, "openvex") }
	return vex(h.Text("@context")) || vex(h.Text("predicateType")) || vex(h.Text("predicate.@context")) ||
		h.Has("statements[].vulnerability", "statements[].status")
}

// Read implements discover.Reader.
func (Reader) Read(ctx context.Context, r io.Reader) iter.Seq2[exposure.Observation, error] {
	return record.Spec{
		Tool: "openvex",
		About: func(top record.Value, run *exposure.Run) {
			doc := document(top)
			run.Finished = dated(doc)
			if _, v, ok := strings.Cut(doc.Text("@context"), "/ns/"); ok {
				run.Format = "OpenVEX " + strings.TrimPrefix(v, "v")
			}
		},
		Records: map[string]record.Handler{"statements[]": statement, "predicate.statements[]": statement},
	}.Read(ctx, r)
}

func document(top record.Value) record.Value {
	if p := top.At("predicate"); p.Exists() {
		return p
	}
	return top
}

// dated is when something was last said.
func dated(v record.Value) time.Time {
	if t := v.Time("last_updated"); !t.IsZero() {
		return t
	}
	return v.Time("timestamp")
}

func statement(r *record.Report, v record.Value) error {
	o := exposure.Observation{Class: "vuln", Seen: dated(v), Solution: v.Text("action_statement"), Evidence: notes(v)}
	weak, aliases := v.At("vulnerability"), []string(nil)
	if weak.IsText() { // before 0.2
		o.Rule, o.Description = weak.Text(), v.Text("vuln_description")
	} else {
		o.Rule, o.Description, o.References = weak.Text("name"), weak.Text("description"), term.Links(weak.Text("@id"))
		if o.Rule == "" {
			o.Rule = weak.Text("@id")
		}
		aliases = weak.Texts("aliases")
	}
	for _, id := range append([]string{o.Rule}, aliases...) {
		if id = exposure.NormalAdvisory(id); term.IsAdvisory(id) && !slices.Contains(o.Advisories, id) && len(o.Advisories) < maxNames {
			o.Advisories = append(o.Advisories, id)
		}
	}
	o.Aliased = len(o.Advisories) > 1
	switch status := v.Text("status"); status {
	case "not_affected":
		o.State = exposure.StateNotAffected
	case "fixed":
		o.State = exposure.StateFixed
	case "affected":
	case "under_investigation":
		o.Evidence = append(o.Evidence, exposure.Evidence{Kind: "note", Text: "It is under investigation whether the product is affected."})
	case "":
		return errors.New("a statement without status")
	default:
		return errors.New("an unknown status: " + status)
	}
	products := v.At("products")
	if !products.Exists() {
		products = r.Top().At("subject") // of the attestation
	}
	if !products.Exists() {
		state(r, o, products, v)
	}
	for p := range products.List("") {
		state(r, o, p, v)
	}
	return nil
}

// maxNames bounds the names of a vulnerability.
const maxNames = 50

// maxParts bounds the subcomponents of a product.
const maxParts = 10_000

// state states a vulnerability of a product, or of each of its subcomponents,
// which stood beside the products before version 0.2.
func state(r *record.Report, o exposure.Observation, product, statement record.Value) {
	o.Asset = asset(product)
	var parts record.Value
	if product.IsObject() {
		parts = product.At("subcomponents")
	}
	if !parts.Exists() {
		parts = statement.At("subcomponents")
	}
	n := 0
	for part := range parts.List("") {
		if n++; n > maxParts {
			r.Miss(errors.New("a product has too many subcomponents"))
			break
		}
		o.Component = component(part)
		r.Weakness(titled(o))
	}
	if n == 0 {
		if o.Component = component(product); o.Asset.Kind == exposure.AssetImage {
			o.Component.Purl = "" // the image is no package on itself
		}
		r.Weakness(titled(o))
	}
}

func titled(o exposure.Observation) exposure.Observation {
	if o.Rule != "" {
		o.Title = strings.TrimSuffix(o.Rule+" in "+o.Component.Name, " in ")
	}
	return o
}

// identifiers are the names of a product: its id, which is a package URL more
// often than not, and what stands beside it.
func identifiers(v record.Value) (id, purl string) {
	if !v.IsObject() { // before 0.2
		id = v.Text()
	} else {
		id, purl = v.Text("@id", "name", "identifiers.cpe23", "identifiers.cpe22"), v.Text("identifiers.purl")
	}
	if purl == "" && strings.HasPrefix(id, "pkg:") {
		purl = id
	}
	return id, purl
}

func asset(v record.Value) exposure.AssetRef {
	id, purl := identifiers(v)
	a := term.Product(purl)
	if !v.IsObject() {
		// before 0.2 it has nothing but its name
	} else if digest := v.Text("digest.sha256"); digest != "" { // the subject of an attestation
		if a.IsZero() {
			a = exposure.AssetRef{Kind: exposure.AssetImage, Name: id}
		}
		a.Add(exposure.IDDigest, "sha256:"+digest)
	}
	if a.IsZero() && id != "" {
		a.Kind = exposure.AssetPackage
		a.Add(exposure.IDName, id)
	}
	return a
}

func component(v record.Value) exposure.Component {
	id, purl := identifiers(v)
	c := term.Package(purl)
	if c.Name == "" {
		c.Name = id
	}
	return c
}

func notes(v record.Value) (all []exposure.Evidence) {
	for _, n := range [][2]string{{"justification", "Justification: "}, {"impact_statement", "Impact: "}, {"status_notes", ""}, {"statement", ""}} {
		if text := v.Text(n[0]); text != "" {
			all = append(all, exposure.Evidence{Kind: "note", Text: n[1] + text})
		}
	}
	return all
}
