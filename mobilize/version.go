package mobilize

import (
	"cmp"
	"strings"
)

// scheme is how an ecosystem orders its versions.
type scheme uint8

const (
	generic scheme = iota // nobody said: only what is beyond doubt is ordered
	semantic
	deb
	rpm
	apk
	maven
	python
	ruby
)

// schemeOf returns the scheme for a type of package URL, see
// https://github.com/package-url/purl-spec/blob/main/PURL-TYPES.rst
func schemeOf(purlType string) scheme {
	switch purlType {
	case "npm", "golang", "cargo", "nuget", "composer", "hex", "pub", "swift", "cocoapods", "conan", "github", "githubactions", "bitnami", "julia":
		return semantic
	case "deb":
		return deb
	case "rpm":
		return rpm
	case "apk", "alpine":
		return apk
	case "maven":
		return maven
	case "pypi":
		return python
	case "gem":
		return ruby
	}
	return generic
}

// maxVersion bounds the versions that are compared, in bytes. Longer ones have
// no order.
const maxVersion = 128

// compare orders two versions. known is false when one of them is none by the
// rules of the scheme; nothing may then be concluded.
func (s scheme) compare(a, b string) (order int, known bool) {
	if len(a) > maxVersion || len(b) > maxVersion {
		return 0, false
	}
	switch s {
	case semantic:
		return compareSemantic(a, b)
	case deb:
		return compareDebian(a, b)
	case rpm:
		return compareRPM(a, b)
	case apk:
		return compareAlpine(a, b)
	case maven:
		return compareMaven(a, b)
	case python:
		return comparePython(a, b)
	case ruby:
		return compareRuby(a, b)
	}
	return compareGeneric(a, b)
}

// major is the first number of a version, with the epoch before it if there is
// one: the line within which an upgrade is routine. It is empty for what does
// not begin with a number.
func (s scheme) major(v string) string {
	epoch := ""
	switch s {
	case deb, rpm:
		epoch, v = cutEpoch(v)
	case python:
		if e, rest, ok := strings.Cut(v, "!"); ok {
			epoch, v = e, rest
		}
		v = strings.TrimLeft(v, "vV")
	default:
		v = strings.TrimLeft(v, "vV=")
	}
	m := number(v[:span(v, isDigit)])
	if epoch = strings.TrimLeft(epoch, "0"); epoch != "" && m != "" {
		return epoch + ":" + m
	}
	return m
}

// compareMajors orders what major returns.
func compareMajors(a, b string) int {
	ea, ma := cutEpoch(a)
	eb, mb := cutEpoch(b)
	return cmp.Or(compareNumbers(ea, eb), compareNumbers(ma, mb))
}

func cutEpoch(v string) (epoch, rest string) {
	if epoch, rest, ok := strings.Cut(v, ":"); ok {
		return epoch, rest
	}
	return "", v
}

// shared counts the numbers and words that two versions have in common from
// the beginning: how near their branches are.
func shared(a, b string) int {
	for n := 0; ; n++ {
		ta, ra := token(a)
		tb, rb := token(b)
		if ta == "" || tb == "" || ta != tb && (!isDigit(ta[0]) || !isDigit(tb[0]) || compareNumbers(ta, tb) != 0) {
			return n
		}
		a, b = ra, rb
	}
}

// token cuts the next run of digits or letters off, passing over separators.
func token(v string) (t, rest string) {
	v = v[span(v, isSeparator):]
	n := span(v, isDigit)
	if n == 0 {
		n = span(v, isLetter)
	}
	return v[:n], v[n:]
}

func isDigit(c byte) bool     { return c >= '0' && c <= '9' }
func isLetter(c byte) bool    { return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' }
func isSeparator(c byte) bool { return !isDigit(c) && !isLetter(c) }

// span is how many bytes s begins with that are of a class.
func span(s string, of func(byte) bool) int {
	for i := range len(s) {
		if !of(s[i]) {
			return i
		}
	}
	return len(s)
}

// number brings digits into a form that can be compared as text. No digits
// stay no digits.
func number(digits string) string {
	if digits == "" {
		return ""
	}
	if digits = strings.TrimLeft(digits, "0"); digits == "" {
		return "0"
	}
	return digits
}

// compareNumbers orders runs of digits of any length; none is 0.
func compareNumbers(a, b string) int {
	a, b = strings.TrimLeft(a, "0"), strings.TrimLeft(b, "0")
	return cmp.Or(cmp.Compare(len(a), len(b)), strings.Compare(a, b))
}
