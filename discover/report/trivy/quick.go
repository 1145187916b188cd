package trivy

import "github.com/leeward-ctem/leeward/discover/decode"

// Vulnerabilities and packages, of which a report consists, decode themselves.
// Members that are seldom there are left to the library: see [decode.Quick].

var (
	vulnerabilityNames = decode.Names[vulnerability]()
	pkgNames           = decode.Names[pkg]()
	identifierNames    = decode.Names[identifier]()
	layerNames         = decode.Names[layer]()
	cvssNames          = decode.Names[cvss]()
)

func (v *vulnerability) Quick(c *decode.Cursor) { c.Struct(v, vulnerabilityNames) }
func (p *pkg) Quick(c *decode.Cursor)           { c.Struct(p, pkgNames) }
func (i *identifier) Quick(c *decode.Cursor)    { c.Struct(i, identifierNames) }
func (l *layer) Quick(c *decode.Cursor)         { c.Struct(l, layerNames) }
func (v *cvss) Quick(c *decode.Cursor)          { c.Struct(v, cvssNames) }

func (r *ratings) Quick(c *decode.Cursor) {
	if *r != nil { // those of the same vulnerability go together
		c.Leave()
		return
	}
	*r = ratings{}
	c.Object(func(vendor string) {
		if len(*r) == mostVendors || r.of(vendor) != nil {
			c.Leave()
			return
		}
		*r = append(*r, rating{vendor: vendor})
		(*r)[len(*r)-1].cvss.Quick(c)
	})
	r.sort()
}

// mostVendors is how many vendors most vulnerabilities are rated by at most.
const mostVendors = 16

func (v *vulnerability) Member(name string) decode.Quick {
	switch name {
	case "VulnerabilityID":
		return (*decode.String)(&v.VulnerabilityID)
	case "VendorIDs":
		return (*decode.Strings)(&v.VendorIDs)
	case "PkgName":
		return (*decode.String)(&v.PkgName)
	case "PkgPath":
		return (*decode.String)(&v.PkgPath)
	case "PkgIdentifier":
		return &v.PkgIdentifier
	case "InstalledVersion":
		return (*decode.String)(&v.InstalledVersion)
	case "FixedVersion":
		return (*decode.String)(&v.FixedVersion)
	case "Status":
		return (*decode.String)(&v.Status)
	case "Layer":
		return &v.Layer
	case "SeveritySource":
		return (*decode.String)(&v.SeveritySource)
	case "PrimaryURL":
		return (*decode.String)(&v.PrimaryURL)
	case "Title":
		return (*decode.String)(&v.Title)
	case "Description":
		return (*decode.String)(&v.Description)
	case "Severity":
		return (*decode.String)(&v.Severity)
	case "CweIDs":
		return (*decode.Strings)(&v.CweIDs)
	case "CVSS":
		return &v.CVSS
	case "References":
		return (*decode.Strings)(&v.References)
	}
	return nil
}

func (p *pkg) Member(name string) decode.Quick {
	switch name {
	case "Name":
		return (*decode.String)(&p.Name)
	case "Identifier":
		return &p.Identifier
	case "Version":
		return (*decode.String)(&p.Version)
	case "Release":
		return (*decode.String)(&p.Release)
	case "Licenses":
		return (*decode.Strings)(&p.Licenses)
	case "FilePath":
		return (*decode.String)(&p.FilePath)
	}
	return nil
}

func (i *identifier) Member(name string) decode.Quick {
	if name == "PURL" {
		return (*decode.String)(&i.PURL)
	}
	return nil
}

func (l *layer) Member(name string) decode.Quick {
	switch name {
	case "Digest":
		return (*decode.String)(&l.Digest)
	case "DiffID":
		return (*decode.String)(&l.DiffID)
	}
	return nil
}

func (v *cvss) Member(name string) decode.Quick {
	switch name {
	case "V2Vector":
		return (*decode.String)(&v.V2Vector)
	case "V3Vector":
		return (*decode.String)(&v.V3Vector)
	case "V40Vector":
		return (*decode.String)(&v.V40Vector)
	}
	return nil
}
