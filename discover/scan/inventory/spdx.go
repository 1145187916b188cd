package inventory

import (
	"bufio"
	"context"
	"errors"
	"path"
	"strings"

	"github.com/google/osv-scalibr/extractor"
	"github.com/google/osv-scalibr/extractor/filesystem"
	"github.com/google/osv-scalibr/inventory"
	"github.com/package-url/packageurl-go"

	"github.com/leeward-ctem/leeward/discover/decode"
)

// spdxBills reads bills of materials in SPDX 2, as JSON or tags. The extractor
// of osv-scalibr also takes RDF, by a parser that calls itself for each element
// and so ends the process on a deep document.
type spdxBills struct{}

func (spdxBills) FileRequired(api filesystem.FileAPI) bool {
	base := strings.ToLower(path.Base(api.Path()))
	for _, ending := range []string{".spdx", ".spdx.json"} {
		if strings.HasSuffix(base, ending) {
			return true
		}
	}
	return false
}

type spdxPackage struct{ name, version, purl, license string }

var errNoBill = errors.New("not a bill of materials in SPDX 2")

func (spdxBills) Extract(ctx context.Context, in *filesystem.ScanInput) (all inventory.Inventory, err error) {
	take := func(p spdxPackage) error {
		if p.name == "" {
			return ctx.Err()
		}
		all.Packages = append(all.Packages, &extractor.Package{
			Name: p.name, Version: p.version, Licenses: []string{p.license}, Location: extractor.LocationFromPath(in.Path), Metadata: billedAs(p.purl),
		})
		return ctx.Err()
	}
	b := bufio.NewReader(in.Reader)
	if head, _ := b.Peek(64); strings.HasPrefix(strings.TrimLeft(string(head), "\ufeff \t\r\n"), "{") {
		return all, spdxJSON(b, take)
	}
	return all, spdxTags(b, take)
}

// billedAs is the package URL that a bill states, in place of metadata.
type billedAs string

func (billedAs) IsProtoable() {}

func (u billedAs) purl() string {
	if _, err := packageurl.FromString(string(u)); err != nil {
		return ""
	}
	return string(u)
}

// known drops the values that say that nothing is said.
func known(s string) string {
	if s == "NOASSERTION" || s == "NONE" {
		return ""
	}
	return s
}

func spdxJSON(b *bufio.Reader, take func(spdxPackage) error) error {
	type document struct {
		Name       string `json:"name"`
		Version    string `json:"versionInfo"`
		License    string `json:"licenseDeclared"`
		References []struct {
			Type    string `json:"referenceType"`
			Locator string `json:"referenceLocator"`
		} `json:"externalRefs"`
	}
	j := decode.NewJSON(b)
	stated := false
	err := j.Object(func(name string) error {
		stated = stated || name == "spdxVersion"
		if name != "packages" {
			return j.Skip()
		}
		return j.Array(func() error {
			var d document
			if err := j.Value(&d); err != nil {
				return err
			}
			p := spdxPackage{name: d.Name, version: known(d.Version), license: known(d.License)}
			for _, r := range d.References {
				if r.Type == "purl" && p.purl == "" {
					p.purl = r.Locator
				}
			}
			return take(p)
		})
	})
	if err == nil {
		err = j.End()
	}
	if err == nil && !stated {
		err = errNoBill
	}
	return err
}

func spdxTags(b *bufio.Reader, take func(spdxPackage) error) error {
	var p spdxPackage
	stated := false
	s := bufio.NewScanner(b)
	for s.Buffer(nil, maxNote); s.Scan(); {
		tag, value, _ := strings.Cut(strings.TrimSpace(s.Text()), ":")
		value = strings.TrimSpace(value)
		switch tag {
		case "SPDXVersion":
			stated = true
		case "PackageName":
			if err := take(p); err != nil {
				return err
			}
			p = spdxPackage{name: value}
		case "PackageVersion":
			p.version = known(value)
		case "PackageLicenseDeclared":
			p.license = known(value)
		case "ExternalRef":
			if words := strings.Fields(value); len(words) == 3 && words[1] == "purl" && p.purl == "" {
				p.purl = words[2]
			}
		}
	}
	if err := s.Err(); err != nil {
		return err
	}
	if !stated {
		return errNoBill
	}
	return take(p)
}
