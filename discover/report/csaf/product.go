package csaf

import (
	"fmt"
	"strings"

	"github.com/leeward-ctem/leeward/discover/record"
	"github.com/leeward-ctem/leeward/discover/term"
	"github.com/leeward-ctem/leeward/exposure"
)

// maxProducts bounds the products of a document that are kept.
const maxProducts = 500_000

// tree is the product tree of a document, as far as it was read.
type tree struct {
	products map[string]*product
	groups   map[string][]string // products by the groups they are in
}

// product is an entry of the tree.
type product struct {
	name                     string // in full
	vendor, product, version string // by the branches that lead to it
	purl                     string
	part, of                 string // a relationship: products by their ids
}

// branch walks a branch and those below it; at is what it lies within.
func (t *tree) branch(v record.Value, at product, depth int) error {
	if depth > 40 {
		return fmt.Errorf("branches nest deeper than 40")
	}
	switch name := v.Text("name"); v.Text("category") {
	case "vendor":
		at.vendor = name
	case "product_name":
		at.product = name
	case "product_version", "product_version_range":
		at.version = name
	}
	if p := v.At("product"); p.Exists() {
		if err := t.add(p, at); err != nil {
			return err
		}
	}
	for b := range v.List("branches") {
		if err := t.branch(b, at, depth+1); err != nil {
			return err
		}
	}
	return nil
}

func (t *tree) add(v record.Value, at product) error {
	at.name = v.Text("name")
	help := v.At("product_identification_helper")
	at.purl = help.Text("purl")
	for p := range help.List("purls") { // since 2.1
		if at.purl == "" {
			at.purl = p.Text()
		}
	}
	return t.keep(v.Text("product_id"), at)
}

func (t *tree) relation(v record.Value) error {
	whole := v.At("full_product_name")
	return t.keep(whole.Text("product_id"), product{
		name: whole.Text("name"), part: v.Text("product_reference"), of: v.Text("relates_to_product_reference"),
	})
}

func (t *tree) keep(id string, p product) error {
	if id == "" {
		return fmt.Errorf("a product without product_id")
	}
	if len(t.products) == maxProducts {
		return fmt.Errorf("the document has more than %d products", maxProducts)
	}
	t.products[id] = &p
	return nil
}

func (t *tree) group(v record.Value) error {
	for _, id := range v.Texts("product_ids") {
		t.groups[id] = append(t.groups[id], v.Text("group_id"))
	}
	return nil
}

// subject is what a statement about a product concerns.
func (t *tree) subject(p *product) (exposure.AssetRef, exposure.Component) {
	whole, part := t.root(p, func(p *product) string { return p.of }), t.root(p, func(p *product) string { return p.part })
	a, c := whole.asset(), part.component()
	if whole == part && a.Kind == exposure.AssetImage {
		c.Purl = "" // the image is no package on itself
	}
	return a, c
}

// root follows a side of relationships to their end.
func (t *tree) root(p *product, side func(*product) string) *product {
	for range 20 {
		next := t.products[side(p)]
		if next == nil {
			break
		}
		p = next
	}
	return p
}

func (p *product) asset() exposure.AssetRef {
	if a := term.Product(p.purl); !a.IsZero() {
		return a
	}
	a := exposure.AssetRef{Kind: exposure.AssetPackage, Name: p.name}
	if a.Name == "" {
		a.Name = strings.TrimSpace(p.product + " " + p.version)
	}
	a.Add(exposure.IDName, p.label(a.Name))
	return a
}

// label is a name that means the same in other documents: with the vendor and
// the product.
func (p *product) label(name string) string {
	if p.product != "" && !strings.Contains(strings.ToLower(name), strings.ToLower(p.product)) {
		name = p.product + " " + name
	}
	vendor, _, _ := strings.Cut(p.vendor, " ")
	if vendor != "" && !strings.Contains(strings.ToLower(name), strings.ToLower(vendor)) {
		name = p.vendor + " " + name
	}
	return name
}

func (p *product) component() exposure.Component {
	c := term.Package(p.purl)
	if c.Name == "" {
		c.Name = p.product
	}
	if c.Name == "" {
		c.Name = p.name
	}
	if p.version != "" && c.Version == "" {
		c.Version = p.version
	}
	return c
}
