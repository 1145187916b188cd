package cyclonedx

import (
	"strings"

	"github.com/package-url/packageurl-go"

	"github.com/leeward-ctem/leeward/exposure"
)

// The limits of the index.
const (
	indexComponents = 2_000_000
	indexBytes      = 200_000_000
)

// index finds components by their bom-ref.
type index struct {
	byRef map[string]indexed
	wait  []indexed
	count int
	bytes int
}

// indexed is what is kept of a component.
type indexed struct {
	exposure.Component
	inventory bool // software, as opposed to a service
}

func newIndex() index { return index{byRef: map[string]indexed{}} }

func (x *index) add(ref string, c indexed) error {
	x.count++
	x.bytes += len(ref) + len(c.Purl) + len(c.Name) + len(c.Version) + len(c.Path) + len(c.License)
	if x.count > indexComponents || x.bytes > indexBytes {
		return exposure.Errorf(exposure.Invalid, "the document lists more than 2,000,000 components or 200 MB of their names: split it")
	}
	if ref != "" {
		x.byRef[ref] = c
	}
	return nil
}

// defers keeps a component to be stated later; it was counted by add.
func (x *index) defers(c indexed) { x.wait = append(x.wait, c) }

func (x *index) deferred() []indexed {
	w := x.wait
	x.wait = nil
	return w
}

// resolve finds what a reference means: a bom-ref of this document, a BOM-Link
// to a component of another (urn:cdx:serial/version#bom-ref), or a package URL
// that stands for itself.
func (x *index) resolve(ref string) exposure.Component {
	if c, ok := x.byRef[ref]; ok {
		return c.Component
	}
	if rest, ok := strings.CutPrefix(ref, "urn:cdx:"); ok {
		if _, fragment, ok := strings.Cut(rest, "#"); ok {
			ref = fragment
			if decoded, err := packageurl.FromString(ref); err == nil {
				return ofPurl(ref, decoded)
			}
			if c, ok := x.byRef[ref]; ok {
				return c.Component
			}
		}
	}
	if p, err := packageurl.FromString(ref); err == nil {
		return ofPurl(ref, p)
	}
	return exposure.Component{Name: ref}
}

func ofPurl(purl string, p packageurl.PackageURL) exposure.Component {
	return exposure.Component{Purl: purl, Name: p.Name, Version: p.Version}
}
