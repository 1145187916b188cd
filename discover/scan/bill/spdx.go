package bill

import (
	"cmp"
	"encoding/json"
	"io"
	"strings"

	"github.com/leeward-ctem/leeward/exposure"
)

type spdxDocument struct {
	Version     string       `json:"spdxVersion"`
	DataLicense string       `json:"dataLicense"`
	ID          string       `json:"SPDXID"`
	Name        string       `json:"name"`
	Namespace   string       `json:"documentNamespace"`
	Creation    spdxCreation `json:"creationInfo"`
}

type spdxCreation struct {
	Created  string   `json:"created"`
	Creators []string `json:"creators"`
}

type spdxPackage struct {
	ID         string          `json:"SPDXID"`
	Name       string          `json:"name"`
	Version    string          `json:"versionInfo,omitempty"`
	Download   string          `json:"downloadLocation"`
	Analyzed   bool            `json:"filesAnalyzed"`
	Concluded  string          `json:"licenseConcluded"`
	Declared   string          `json:"licenseDeclared"`
	Copyright  string          `json:"copyrightText"`
	Comments   string          `json:"licenseComments,omitempty"`
	Source     string          `json:"sourceInfo,omitempty"`
	Purpose    string          `json:"primaryPackagePurpose,omitempty"`
	References []spdxReference `json:"externalRefs,omitempty"`
}

type spdxReference struct {
	Category string `json:"referenceCategory"`
	Type     string `json:"referenceType"`
	Locator  string `json:"referenceLocator"`
}

type spdxRelationship struct {
	From string `json:"spdxElementId"`
	Type string `json:"relationshipType"`
	To   string `json:"relatedSpdxElement"`
}

const (
	spdxSubject = "SPDXRef-Subject"
	noAssertion = "NOASSERTION"
)

// WriteSPDX writes a bill as SPDX 2.3 in JSON. What a package says of its
// license stands in a comment: it need not be an expression of SPDX, and a
// document with one that is none is not valid.
func WriteSPDX(w io.Writer, s *Subject, components []exposure.Component) error {
	all := entries(components)
	head, err := json.Marshal(spdxDocument{
		Version: "SPDX-2.3", DataLicense: "CC0-1.0", ID: "SPDXRef-DOCUMENT", Name: s.title(),
		Namespace: "urn:uuid:" + serial(s, all),
		Creation:  spdxCreation{s.when(), []string{"Tool: leeward-" + cmp.Or(s.Version, "dev")}},
	})
	if err != nil {
		return err
	}
	packages := []spdxPackage{unasserted(spdxSubject, s.title())}
	packages[0].Version, packages[0].Purpose = s.digest(), "APPLICATION"
	if s.Asset.Kind == exposure.AssetImage {
		packages[0].Purpose = "CONTAINER"
	}
	relations := []spdxRelationship{{"SPDXRef-DOCUMENT", "DESCRIBES", spdxSubject}}
	for i := range all {
		p := all[i].spdx()
		packages = append(packages, p)
		relations = append(relations, spdxRelationship{spdxSubject, "CONTAINS", p.ID})
	}
	tail, err := json.Marshal(relations)
	if err != nil {
		return err
	}
	return listed(w, string(head), "packages", packages, `,"relationships":`+string(tail))
}

func unasserted(id, name string) spdxPackage {
	return spdxPackage{ID: id, Name: name, Download: noAssertion, Concluded: noAssertion, Declared: noAssertion, Copyright: noAssertion}
}

func (e *entry) spdx() spdxPackage {
	p := unasserted("SPDXRef-Package-"+e.id, cmp.Or(e.Name, e.Purl))
	p.Version, p.Source = e.Version, strings.Join(e.places, ", ")
	if e.License != "" {
		p.Comments = "The package states: " + e.License
	}
	if e.Purl != "" {
		p.References = []spdxReference{{"PACKAGE-MANAGER", "purl", e.Purl}}
	}
	return p
}
