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

// ordering orders versions of a scheme. It remembers the versions of events,
// of which advisories of one package have the same ones. It is used by one
// goroutine, and not for long.
type ordering struct {
	scheme
	parsed map[string]semantic.Version // nil for what is none
}

func (s scheme) ordering() *ordering {
	o := &ordering{scheme: s}
	if s.base != "" {
		o.parsed = map[string]semantic.Version{}
	}
	return o
}

// parse reads a version by the library; nil if it is none.
func (s scheme) parse(v string) semantic.Version {
	if len(v) > MaxVersion || !s.valid.MatchString(v) {
		return nil
	}
	parsed, err := semantic.Parse(s.spelled(v), s.base)
	if err != nil {
		return nil
	}
	return parsed
}

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

// event is the version of an event.
func (o *ordering) event(v string) semantic.Version {
	parsed, seen := o.parsed[v]
	if !seen {
		parsed = o.parse(v)
		o.parsed[v] = parsed
	}
	return parsed
}

// point is a version that those of events are compared with.
type point struct {
	*ordering
	text  string
	known bool
	plain semver           // by semver
	order semantic.Version // else
}

func (o *ordering) point(v string) *point {
	p := &point{ordering: o, text: v}
	if o.base == "" {
		p.plain, p.known = parseSemver(v)
		return p
	}
	p.order = o.parse(v)
	p.known = p.order != nil
	return p
}

// compare orders the point before (negative), at or after a version; known is
// false when that cannot be told.
func (p *point) compare(v string) (order int, known bool) {
	if !p.known {
		return 0, false
	}
	if p.base == "" {
		other, ok := parseSemver(v)
		return p.plain.compare(&other), ok
	}
	other := p.event(v)
	if other == nil {
		return 0, false
	}
	c, err := p.order.Compare(other)
	return c, err == nil
}

// semver is the same version by semver.
func (p *point) semver() *point {
	if p.base == "" {
		return p
	}
	return scheme{}.ordering().point(p.text)
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
	if p.base == "" {
		x, _ := parseSemver(e.Version)
		y, _ := parseSemver(other.Version)
		return x.compare(&y) < 0
	}
	c, err := p.event(e.Version).Compare(p.event(other.Version))
	return err == nil && c < 0
}

// Semver reports whether an ecosystem orders its versions by
// https://semver.org anyhow.
func Semver(ecosystem string) bool { return schemeOf(ecosystem).base == "" }
