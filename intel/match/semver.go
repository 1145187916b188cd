package match

import (
	"cmp"
	"strings"
)

// semver is a version by https://semver.org, and what ecosystems that follow
// it add: a v before, and fewer or more than three numbers. Nearly all
// packages have such versions, so they are compared without taking memory.
type semver struct {
	numbers string // between dots
	preview string
}

// parseSemver takes a version apart. Builds (+…) have no order.
func parseSemver(v string) (s semver, ok bool) {
	if len(v) > MaxVersion {
		return s, false
	}
	if v != "" && (v[0] == 'v' || v[0] == 'V' || v[0] == '=') {
		v = v[1:]
	}
	end := 0
	for end < len(v) && (isDigit(v[end]) || v[end] == '.' && end > 0 && v[end-1] != '.') {
		end++
	}
	s.numbers = v[:end]
	if end == 0 || v[end-1] == '.' {
		return semver{}, false
	}
	rest := v[end:]
	if i := strings.IndexByte(rest, '+'); i >= 0 {
		if !identifiers(rest[i+1:]) {
			return semver{}, false
		}
		rest = rest[:i]
	}
	if rest == "" {
		return s, true
	}
	s.preview = rest[1:]
	return s, rest[0] == '-' && identifiers(s.preview)
}

// identifiers reports whether s is made of the characters between dots.
func identifiers(s string) bool {
	for i := range len(s) {
		if c := s[i]; !isDigit(c) && !isLetter(c) && c != '-' && c != '.' {
			return false
		}
	}
	return s != ""
}

func isDigit(c byte) bool  { return c >= '0' && c <= '9' }
func isLetter(c byte) bool { return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' }

func (s *semver) compare(o *semver) int {
	a, b := s.numbers, o.numbers
	for a != "" || b != "" { // missing numbers are 0
		var na, nb string
		na, a = next(a)
		nb, b = next(b)
		if c := compareNumbers(na, nb); c != 0 {
			return c
		}
	}
	if (s.preview == "") != (o.preview == "") { // a release comes after its previews
		return cmp.Compare(len(o.preview), len(s.preview))
	}
	return comparePreviews(s.preview, o.preview)
}

// next cuts at the first dot.
func next(s string) (head, rest string) {
	head, rest, _ = strings.Cut(s, ".")
	return head, rest
}

// comparePreviews compares identifiers between dots: numbers before words, more
// after fewer.
func comparePreviews(a, b string) int {
	for a != "" && b != "" {
		var ia, ib string
		ia, a = next(a)
		ib, b = next(b)
		na, nb := digits(ia), digits(ib)
		c := strings.Compare(ia, ib)
		switch {
		case na && nb:
			c = compareNumbers(ia, ib)
		case na:
			c = -1
		case nb:
			c = 1
		}
		if c != 0 {
			return c
		}
	}
	return cmp.Compare(len(a), len(b))
}

func digits(s string) bool {
	for i := range len(s) {
		if !isDigit(s[i]) {
			return false
		}
	}
	return s != ""
}

// compareNumbers orders digits of any length; none is 0.
func compareNumbers(a, b string) int {
	a, b = strings.TrimLeft(a, "0"), strings.TrimLeft(b, "0")
	return cmp.Or(cmp.Compare(len(a), len(b)), strings.Compare(a, b))
}
