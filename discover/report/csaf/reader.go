// Package csaf reads security advisories and VEX documents of the Common Security
// Advisory Framework, versions 2.0 and 2.1.
//
// A document states of each product what it knows about a weakness: affected,
// not affected, fixed, under investigation. A product of the tree is the asset;
// one that is a part of another by a relationship is a component on it. The
// document looks at no installation, so it covers nothing.
package csaf

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"iter"
	"slices"
	"strings"

	"github.com/leeward-ctem/leeward/discover/decode"
	"github.com/leeward-ctem/leeward/discover/record"
	"github.com/leeward-ctem/leeward/discover/term"
	"github.com/leeward-ctem/leeward/exposure"
)

// Reader reads CSAF documents. See
// https://docs.oasis-open.org/csaf/csaf/v2.0/csaf-v2.0.html
type Reader struct{}

// Name implements discover.Reader.
func (Reader) Name() string { return "csaf" }

// Describe implements discover.Described.
func (Reader) Describe() (title, docs string) {
	return "CSAF 2.0 and 2.1 advisories and VEX (JSON)", "https://docs.oasis-open.org/csaf/csaf/v2.0/csaf-v2.0.html"
}

// Sniff implements discover.Reader.
func (Reader) Sniff(h *decode.Head) bool {
	return h.Has("document.csaf_version") || h.Has("product_tree.branches[].category", "product_tree.branches[].name") || h.Has("vulnerabilities[].product_status")
}

// Read implements discover.Reader.
func (Reader) Read(ctx context.Context, r io.Reader) iter.Seq2[exposure.Observation, error] {
	t := &tree{products: map[string]*product{}, groups: map[string][]string{}}
	return record.Spec{
		Tool: "csaf",
		About: func(top record.Value, run *exposure.Run) {
			doc := top.At("document")
			run.Finished = doc.Time("tracking.current_release_date")
			if v := doc.Text("csaf_version"); v != "" {
				run.Format = "CSAF " + v
			}
		},
		First: []string{"product_tree.branches[]", "product_tree.full_product_names[]", "product_tree.relationships[]", "product_tree.product_groups[]"},
		Records: map[string]record.Handler{
			"product_tree.branches[]":           func(_ *record.Report, v record.Value) error { return t.branch(v, product{}, 0) },
			"product_tree.full_product_names[]": func(_ *record.Report, v record.Value) error { return t.add(v, product{}) },
			"product_tree.relationships[]":      func(_ *record.Report, v record.Value) error { return t.relation(v) },
			"product_tree.product_groups[]":     func(_ *record.Report, v record.Value) error { return t.group(v) },
			"vulnerabilities[]":                 t.vulnerability,
		},
		// An informational advisory has neither products nor vulnerabilities.
		Bare: func(top record.Value) bool { return top.At("document.tracking").IsObject() },
	}.Read(ctx, r)
}

// statuses are the lists of a product_status, the worst first: a product counts
// once. A recommended version is no statement about the weakness.
var statuses = [...]struct {
	list  string
	state exposure.State
}{
	{"known_affected", exposure.StatePresent},
	{"first_affected", exposure.StatePresent},
	{"last_affected", exposure.StatePresent},
	{"under_investigation", exposure.StatePresent},
	{"unknown", exposure.StatePresent},
	{"known_not_affected", exposure.StateNotAffected},
	{"fixed", exposure.StateFixed},
	{"first_fixed", exposure.StateFixed},
}

func (t *tree) vulnerability(r *record.Report, v record.Value) error {
	doc := r.Top().At("document")
	base := exposure.Observation{
		Class: "vuln", Rule: v.Text("cve"), Title: v.Text("title"), Description: notes(v),
		CWEs: term.CWEs(v.Text("cwe.id")), References: links(v, doc),
	}
	base.Advisories, base.Aliased = names(v)
	if base.Rule == "" {
		base.Rule = firstID(v)
	}
	for c := range v.List("cwes") {
		base.CWEs = append(base.CWEs, term.CWEs(c.Text("id"))...)
	}
	if id := doc.Text("tracking.id"); id != "" {
		base.Evidence = []exposure.Evidence{{Kind: "note", Text: strings.TrimSuffix("Advisory "+id+": "+doc.Text("title"), ": ")}}
	}
	d := t.details(v)
	aggregate := term.Severity(doc.Text("aggregate_severity.text"))
	said := map[string]bool{}
	for _, s := range statuses {
		for listed := range v.List("product_status." + s.list) {
			id := listed.Text()
			if said[id] {
				continue
			}
			said[id] = true
			p := t.products[id]
			if p == nil {
				r.Miss(fmt.Errorf("the product %q is not in the product tree", id))
				continue
			}
			o := base
			o.State = s.state
			o.Asset, o.Component = t.subject(p)
			d.apply(&o, id, aggregate)
			if s.list == "under_investigation" || s.list == "unknown" {
				o.Evidence = append(o.Evidence, exposure.Evidence{Kind: "note", Text: "The status of the product is " + strings.ReplaceAll(s.list, "_", " ") + "."})
			}
			r.Weakness(titled(o))
		}
	}
	if len(said) == 0 {
		d.apply(&base, "", aggregate)
		r.Weakness(titled(base))
	}
	return nil
}

func titled(o exposure.Observation) exposure.Observation {
	if o.Title == "" && o.Rule != "" {
		o.Title = strings.TrimSuffix(o.Rule+" in "+cmp.Or(o.Component.Name, o.Asset.Name), " in ")
	}
	return o
}

// names are the ids of the vulnerability itself, not of the advisory, which may
// be about several.
func names(v record.Value) (ids []string, aliased bool) {
	all := []string{v.Text("cve")}
	for id := range v.List("ids") {
		all = append(all, id.Text("text"))
	}
	for _, id := range all {
		if id = exposure.NormalAdvisory(id); term.IsAdvisory(id) && !slices.Contains(ids, id) && len(ids) < maxNames {
			ids = append(ids, id)
		}
	}
	return ids, term.Aliased(ids)
}

// maxNames bounds the ids of a vulnerability.
const maxNames = 50

func firstID(v record.Value) string {
	for id := range v.List("ids") {
		if text := id.Text("text"); text != "" {
			return text
		}
	}
	return ""
}

// notes are the words about the vulnerability, its description before others.
func notes(v record.Value) string {
	var first, rest []string
	for n := range v.List("notes") {
		switch text := n.Text("text"); n.Text("category") {
		case "description", "summary":
			first = append(first, text)
		case "details", "general":
			rest = append(rest, text)
		}
	}
	return strings.TrimSpace(strings.Join(append(first, rest...), "\n\n"))
}

func links(v, doc record.Value) []string {
	var all []string
	for _, from := range []record.Value{v, doc} {
		for ref := range from.List("references") {
			all = append(all, ref.Text("url"))
		}
	}
	return term.Links(strings.Join(all, "\n"))
}
