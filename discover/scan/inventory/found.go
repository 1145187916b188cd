package inventory

import (
	"cmp"
	"path"
	"slices"
	"strings"

	"github.com/google/osv-scalibr/extractor"
	"github.com/google/osv-scalibr/extractor/filesystem/language/java/javalockfile"
	"github.com/google/osv-scalibr/extractor/filesystem/language/python/requirements"
	"github.com/google/osv-scalibr/purl"

	"github.com/leeward-ctem/leeward/exposure"
	"github.com/leeward-ctem/leeward/intel/match"
)

// found is a package at a place.
type found struct {
	component exposure.Component
	line      int
	from      knowledge
	lowest    bool // the version is the lowest that is allowed
}

// maxPath bounds where a package lies, in archives within archives too.
const maxPath = 8192

// own is the version of what is built here, which no advisory speaks of.
const own = "(devel)"

// take states the packages of a file, each once.
func (l *look) take(file string, r *reader, all []*extractor.Package) {
	list := make([]found, 0, len(all))
	for _, p := range all {
		switch {
		case p == nil || p.Name == "":
		case len(p.Name) > match.MaxName || len(p.Version) > match.MaxVersion || len(p.Location.PathOrEmpty()) > maxPath:
			l.lost("%s names a package by more than %d bytes, which is none", file, match.MaxName)
		default:
			list = append(list, of(file, r, p))
		}
	}
	slices.SortStableFunc(list, func(a, b found) int {
		return cmp.Or(cmp.Compare(a.component.Name, b.component.Name), cmp.Compare(a.component.Version, b.component.Version),
			cmp.Compare(a.component.Purl, b.component.Purl), cmp.Compare(a.line, b.line))
	})
	list = slices.CompactFunc(list, func(a, b found) bool {
		return a.component.Purl == b.component.Purl && a.component.Name == b.component.Name && a.component.Version == b.component.Version
	})
	for _, p := range list {
		if file := p.component.Path; path.Base(file) == "go.mod" {
			l.required[file] = append(l.required[file], p.component.Name)
		}
		l.state(exposure.Observation{Kind: exposure.ObservedInventory, Component: p.component})
	}
	l.packages = append(l.packages, list...)
}

// of puts a package into our words.
func of(file string, r *reader, p *extractor.Package) found {
	f := found{from: r.from, component: exposure.Component{Name: p.Name, Version: p.Version, Path: file, License: licenses(p.Licenses)}}
	if at := p.Location.Descriptor; at != nil && at.File != nil {
		f.line = at.File.LineNumber
		f.component.Path = cmp.Or(at.File.Path, file) // within it, or what it names
	}
	if m, ok := p.Metadata.(*requirements.Metadata); ok {
		f.lowest = m.VersionComparator != "" && m.VersionComparator != "==" && m.VersionComparator != "==="
	}
	if stated, ok := p.Metadata.(billedAs); ok {
		f.component.Purl = stated.purl()
		return f
	}
	if u := p.PURL(); u != nil && u.Name != "" {
		if m, ok := p.Metadata.(*javalockfile.Metadata); ok {
			u.Namespace, u.Name, u.Qualifiers = m.GroupID, m.ArtifactID, nil // Maven tells cases apart
		}
		f.component.Purl = sourced(*u).String()
	}
	return f
}

// sourced names the source package of a distribution's package as other
// scanners do, under "upstream". Of modules of npm it leaves out where the
// extractor believes them to be from.
func sourced(u purl.PackageURL) purl.PackageURL {
	switch {
	case u.Type == purl.TypeNPM:
		u.Qualifiers = nil
	case strings.HasPrefix(u.Namespace, "opensuse"):
		u.Namespace = "opensuse" // of opensuse-leap and opensuse-tumbleweed
	}
	if u.Type != purl.TypeDebian && u.Type != purl.TypeApk {
		return u
	}
	q := map[string]string{}
	for _, one := range u.Qualifiers {
		q[one.Key] = one.Value
	}
	source, version := cmp.Or(q[purl.Source], q[purl.Origin]), q[purl.SourceVersion]
	delete(q, purl.Source)
	delete(q, purl.SourceVersion)
	delete(q, purl.Origin)
	if source != "" && source != u.Name || version != "" {
		if source = cmp.Or(source, u.Name); version != "" {
			source += "@" + version
		}
		q["upstream"] = source
	}
	u.Qualifiers = purl.QualifiersFromMap(q)
	return u
}

func licenses(all []string) string {
	var kept []string
	for _, s := range all {
		if s = strings.TrimSpace(s); s != "" && !slices.Contains(kept, s) {
			kept = append(kept, s)
		}
	}
	return strings.Join(kept, " AND ")
}
