package inventory

import (
	"context"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"path"
	"strings"

	"github.com/google/osv-scalibr/extractor"
	"github.com/google/osv-scalibr/extractor/filesystem"
	"github.com/google/osv-scalibr/extractor/filesystem/language/java/javalockfile"
	"github.com/google/osv-scalibr/inventory"
	"github.com/google/osv-scalibr/purl"
	"golang.org/x/text/encoding/charmap"
)

// poms reads what a pom.xml asks for, by what stands in it: parents are not
// fetched, and a version that only they know stays unknown.
type poms struct{}

func (poms) FileRequired(api filesystem.FileAPI) bool {
	base := path.Base(api.Path())
	return base == "pom.xml" || strings.HasSuffix(base, ".pom")
}

type coordinates struct {
	Group    string `xml:"groupId"`
	Artifact string `xml:"artifactId"`
	Version  string `xml:"version"`
}

type project struct {
	XMLName xml.Name `xml:"project"`
	coordinates
	Parent       coordinates   `xml:"parent"`
	Properties   properties    `xml:"properties"`
	Dependencies []coordinates `xml:"dependencies>dependency"`
	Managed      []coordinates `xml:"dependencyManagement>dependencies>dependency"`
}

type properties map[string]string

// UnmarshalXML implements xml.Unmarshaler: each element is a property.
func (p *properties) UnmarshalXML(d *xml.Decoder, _ xml.StartElement) error {
	*p = properties{}
	for {
		t, err := d.Token()
		if err != nil {
			return err
		}
		switch e := t.(type) {
		case xml.StartElement:
			var text string
			if err := d.DecodeElement(&text, &e); err != nil {
				return err
			}
			(*p)[e.Name.Local] = strings.TrimSpace(text)
		case xml.EndElement:
			return nil
		}
	}
}

func (poms) Extract(_ context.Context, in *filesystem.ScanInput) (all inventory.Inventory, err error) {
	var p project
	d := xml.NewDecoder(in.Reader)
	d.CharsetReader = func(name string, r io.Reader) (io.Reader, error) {
		switch strings.ToLower(name) {
		case "iso-8859-1", "latin1", "us-ascii":
			return charmap.ISO8859_1.NewDecoder().Reader(r), nil
		case "windows-1252":
			return charmap.Windows1252.NewDecoder().Reader(r), nil
		}
		return nil, fmt.Errorf("the encoding %q is not known", name[:min(len(name), 40)])
	}
	if err := d.Decode(&p); err != nil {
		if errors.Is(err, io.EOF) {
			err = io.ErrUnexpectedEOF
		}
		return all, err
	}
	managed := map[string]string{}
	for _, c := range p.Managed {
		managed[p.text(c.Group)+":"+p.text(c.Artifact)] = p.text(c.Version)
	}
	for _, c := range p.Dependencies {
		group, artifact, version := p.text(c.Group), p.text(c.Artifact), p.text(c.Version)
		if group == "" || artifact == "" {
			continue
		}
		if version == "" {
			version = managed[group+":"+artifact]
		}
		if strings.ContainsAny(version, "[](),$") {
			version = "" // a range, or what only a parent knows
		}
		all.Packages = append(all.Packages, &extractor.Package{
			Name: group + ":" + artifact, Version: version, PURLType: purl.TypeMaven, Location: extractor.LocationFromPath(in.Path),
			Metadata: &javalockfile.Metadata{GroupID: group, ArtifactID: artifact},
		})
	}
	return all, nil
}

// Bounds of what properties may make of a text.
const (
	maxExpansions = 16
	maxExpanded   = 1024
)

// text puts properties into their places, see
// https://maven.apache.org/pom.html#Properties
func (p *project) text(s string) string {
	s = strings.TrimSpace(s)
	for range maxExpansions {
		from := strings.Index(s, "${")
		if from < 0 {
			break
		}
		length := strings.IndexByte(s[from:], '}')
		if length < 0 {
			break
		}
		value, ok := p.property(s[from+2 : from+length])
		if !ok || len(s)+len(value) > maxExpanded {
			break
		}
		s = s[:from] + value + s[from+length+1:]
	}
	return s
}

func (p *project) property(name string) (string, bool) {
	own := func(value, inherited string) (string, bool) {
		if value == "" {
			value = inherited
		}
		return value, value != ""
	}
	switch strings.TrimPrefix(name, "pom.") {
	case "project.version", "version":
		return own(p.Version, p.Parent.Version)
	case "project.groupId", "groupId":
		return own(p.Group, p.Parent.Group)
	case "project.artifactId", "artifactId":
		return own(p.Artifact, "")
	case "project.parent.version", "parent.version":
		return own(p.Parent.Version, "")
	case "project.parent.groupId":
		return own(p.Parent.Group, "")
	}
	value, ok := p.Properties[name]
	return value, ok
}
