package match

import (
	"regexp"
	"strings"

	"github.com/google/osv-scalibr/semantic"
)

// scheme is how an ecosystem orders its versions.
type scheme struct {
	base  string         // the ecosystem as the library knows it; empty for semver
	valid *regexp.Regexp // what is a version at all: the library takes anything
}

// What versions look like. The library orders whatever it is given, so that
// "latest" would be a version before 1.0.
var (
	numbered = regexp.MustCompile(`^[vV]?\d[0-9A-Za-z._+~:-]*$`)
	composer = regexp.MustCompile(`^([vV]?\d+(?:\.\d+)*)[0-9A-Za-z._+~-]*$`)
	distro   = regexp.MustCompile(`^(?:\d+:)?[0-9A-Za-z][0-9A-Za-z._+~^-]*$`)
	debian   = regexp.MustCompile(`^(?:\d+:)?\d[0-9A-Za-z._+~:-]*$`)
	alpine   = regexp.MustCompile(`^\d+(?:\.\d+)*[a-z]?(?:_(?:alpha|beta|pre|rc|cvs|svn|git|hg|p)\d*)*(?:~[0-9a-f]+)?(?:-r\d+)?$`)
	pep440   = regexp.MustCompile(`(?i)^v?(?:\d+!)?\d+(?:\.\d+)*(?:[-_.]?(?:alpha|beta|preview|pre|a|b|c|rc)[-_.]?\d*)?(?:-\d+|[-_.]?(?:post|rev|r)[-_.]?\d*)?(?:[-_.]?dev[-_.]?\d*)?(?:\+[a-z0-9]+(?:[-_.][a-z0-9]+)*)?$`)
	maven    = regexp.MustCompile(`^[0-9A-Za-z._+-]*\d[0-9A-Za-z._+-]*$`)
	gem      = regexp.MustCompile(`^\d+(?:\.[0-9A-Za-z]+)*(?:-[0-9A-Za-z.-]+)?$`)
	dotted   = regexp.MustCompile(`^\d+(?:[.-]\d+)*$`)
)

// schemeOf is the scheme of an ecosystem, with or without its suffix.
func schemeOf(ecosystem string) scheme {
	switch base := baseOf(ecosystem); base {
	case "PyPI":
		return scheme{base, pep440}
	case "Maven":
		return scheme{base, maven}
	case "RubyGems":
		return scheme{base, gem}
	case "NuGet", "Pub":
		return scheme{base, numbered}
	case "Packagist":
		return scheme{base, composer}
	case "CRAN", "Hackage":
		return scheme{base, dotted}
	case "Debian", "Ubuntu", "Echo":
		return scheme{"Debian", debian}
	case "Alpine", "Wolfi", "Chainguard", "MinimOS", "Alpaquita", "BellSoft Hardened Containers":
		return scheme{"Alpine", alpine}
	case "Red Hat", "AlmaLinux", "Rocky Linux", "SUSE", "openSUSE", "openEuler", "Mageia", "Photon OS", "Azure Linux":
		return scheme{"Red Hat", distro}
	}
	return scheme{}
}

// baseOf is an ecosystem without its suffix.
func baseOf(ecosystem string) string {
	base, _, _ := strings.Cut(ecosystem, ":")
	return base
}

// point is a version that others are compared with. It is used by one
// goroutine.
type point struct {
	scheme
	text  string
	known bool
	plain semver           // by semver
	order semantic.Version // else
}

func (s scheme) point(v string) *point {
	p := &point{scheme: s, text: v}
	if s.base == "" {
		p.plain, p.known = parseSemver(v)
		return p
	}
	if !s.accepts(v) {
		return p
	}
	order, err := semantic.Parse(s.spelled(v), s.base)
	p.order, p.known = order, err == nil
	return p
}

func (s scheme) accepts(v string) bool { return len(v) <= MaxVersion && s.valid.MatchString(v) }

// spelled is a version as the library needs it. It orders those of Composer as
// PHP does, where 2.1 is before 2.1.0; Composer gives both four numbers first.
func (s scheme) spelled(v string) string {
	if s.base != "Packagist" {
		return v
	}
	end := composer.FindStringSubmatchIndex(v)[3]
	missing := max(0, 3-strings.Count(v[:end], "."))
	return v[:end] + strings.Repeat(".0", missing) + v[end:]
}

// compare orders the point before (negative), at or after a version; known is
// false when that cannot be told.
func (p *point) compare(v string) (order int, known bool) {
	if !p.known {
		return 0, false
	}
	if p.base == "" {
		other, ok := parseSemver(v)
		if !ok {
			return 0, false
		}
		return p.plain.compare(&other), true
	}
	if !p.accepts(v) {
		return 0, false
	}
	c, err := p.order.CompareStr(p.spelled(v))
	return c, err == nil
}

// is reports whether a version is that of the point.
func (p *point) is(v string) bool {
	if v == p.text {
		return true
	}
	c, known := p.compare(v)
	return known && c == 0
}

// before orders two events whose versions were compared with the point.
func (p *point) before(e, other *Event) bool {
	if e.first() || other.first() {
		return e.first() && !other.first()
	}
	c, known := p.scheme.point(e.Version).compare(other.Version)
	return known && c < 0
}

// Semver reports whether an ecosystem orders its versions by
// https://semver.org anyhow.
func Semver(ecosystem string) bool { return schemeOf(ecosystem).base == "" }
