package mobilize

import (
	"cmp"
	"regexp"
	"strings"
)

// compareDebian orders versions of Debian packages: epoch:upstream-revision.
// See https://www.debian.org/doc/debian-policy/ch-controlfields.html#version
func compareDebian(a, b string) (int, bool) {
	if !isDistro(a) || !isDistro(b) {
		return 0, false
	}
	ea, a := cutEpoch(a)
	eb, b := cutEpoch(b)
	ua, ra := cutLast(a)
	ub, rb := cutLast(b)
	return cmp.Or(compareNumbers(ea, eb), compareDebianPart(ua, ub), compareDebianPart(ra, rb)), true
}

// isDistro reports whether a version has the form of Debian and RPM: it begins
// with a letter or digit, has a digit, at most one epoch of digits, and no other
// characters than these.
func isDistro(v string) bool {
	epoch, rest := cutEpoch(v)
	digits := 0
	for i := range len(rest) {
		switch c := rest[i]; {
		case isDigit(c):
			digits++
		case !isLetter(c) && strings.IndexByte(".+~^_-", c) < 0:
			return false
		}
	}
	return digits > 0 && !isSeparator(rest[0]) && span(epoch, isDigit) == len(epoch)
}

func cutLast(v string) (upstream, revision string) {
	if i := strings.LastIndexByte(v, '-'); i >= 0 {
		return v[:i], v[i+1:]
	}
	return v, ""
}

// compareDebianPart compares runs of non-digits and of digits in turn.
func compareDebianPart(a, b string) int {
	notDigit := func(c byte) bool { return !isDigit(c) }
	for a != "" || b != "" {
		i, j := span(a, notDigit), span(b, notDigit)
		for k := range max(i, j) {
			if c := cmp.Compare(debianWeight(a[:i], k), debianWeight(b[:j], k)); c != 0 {
				return c
			}
		}
		a, b = a[i:], b[j:]
		i, j = span(a, isDigit), span(b, isDigit)
		if c := compareNumbers(a[:i], b[:j]); c != 0 {
			return c
		}
		a, b = a[i:], b[j:]
	}
	return 0
}

// debianWeight orders characters: a tilde before the end, then letters, then
// all others.
func debianWeight(s string, i int) int {
	switch {
	case i >= len(s):
		return 0
	case s[i] == '~':
		return -1
	case isLetter(s[i]):
		return int(s[i])
	}
	return 256 + int(s[i])
}

// compareRPM orders versions of RPM packages: epoch:version-release. See
// https://rpm-software-management.github.io/rpm/manual/dependencies.html#versioning
func compareRPM(a, b string) (int, bool) {
	if !isDistro(a) || !isDistro(b) {
		return 0, false
	}
	ea, a := cutEpoch(a)
	eb, b := cutEpoch(b)
	va, ra := cutLast(a)
	vb, rb := cutLast(b)
	if c := cmp.Or(compareNumbers(ea, eb), compareRPMPart(va, vb)); c != 0 || ra == "" || rb == "" {
		return c, true // a version without release speaks of all its releases
	}
	return compareRPMPart(ra, rb), true
}

func compareRPMPart(a, b string) int {
	separates := func(c byte) bool { return isSeparator(c) && c != '~' && c != '^' }
	for {
		a, b = a[span(a, separates):], b[span(b, separates):]
		// A tilde comes before everything, even the end.
		if ta, tb := strings.HasPrefix(a, "~"), strings.HasPrefix(b, "~"); ta && tb {
			a, b = a[1:], b[1:]
			continue
		} else if ta != tb {
			return either(ta, -1)
		}
		// A caret comes after the end and before everything else.
		if ca, cb := strings.HasPrefix(a, "^"), strings.HasPrefix(b, "^"); ca && cb {
			a, b = a[1:], b[1:]
			continue
		} else if ca && b == "" || cb && a == "" {
			return either(ca, 1)
		} else if ca != cb {
			return either(ca, -1)
		}
		if a == "" || b == "" {
			return cmp.Compare(len(a), len(b))
		}
		class := isLetter
		if isDigit(a[0]) {
			class = isDigit
		}
		i, j := span(a, class), span(b, class)
		if j == 0 { // a number is newer than a word
			return either(isDigit(a[0]), 1)
		}
		c := strings.Compare(a[:i], b[:j])
		if isDigit(a[0]) {
			c = compareNumbers(a[:i], b[:j])
		}
		if c != 0 {
			return c
		}
		a, b = a[i:], b[j:]
	}
}

// either returns v for the first of two, and its opposite for the second.
func either(first bool, v int) int {
	if first {
		return v
	}
	return -v
}

// alpine matches versions of Alpine packages: numbers, a letter, suffixes, a
// hash and the revision. See https://wiki.alpinelinux.org/wiki/Package_policies
var alpine = regexp.MustCompile(`^(\d+(?:\.\d+)*)([a-z]?)((?:_(?:alpha|beta|pre|rc|cvs|svn|git|hg|p)\d*)*)(?:~[0-9a-f]+)?(?:-r(\d+))?$`)

// suffixes are the suffixes of Alpine in order; release stands for none.
var suffixes = [...]string{"alpha", "beta", "pre", "rc", "", "cvs", "svn", "git", "hg", "p"}

func compareAlpine(a, b string) (int, bool) {
	ma, mb := alpine.FindStringSubmatch(a), alpine.FindStringSubmatch(b)
	if ma == nil || mb == nil {
		return 0, false
	}
	return cmp.Or(
		compareDotted(ma[1], mb[1]),
		strings.Compare(ma[2], mb[2]),
		compareSuffixes(ma[3], mb[3]),
		compareNumbers(ma[4], mb[4]),
	), true
}

// compareDotted compares numbers between dots; with more of them is later.
func compareDotted(a, b string) int {
	for a != "" && b != "" {
		var na, nb string
		na, a, _ = strings.Cut(a, ".")
		nb, b, _ = strings.Cut(b, ".")
		if c := compareNumbers(na, nb); c != 0 {
			return c
		}
	}
	return cmp.Compare(len(a), len(b))
}

func compareSuffixes(a, b string) int {
	next := func(s string) (rank int, digits, rest string) {
		s = strings.TrimPrefix(s, "_")
		word := span(s, isLetter)
		for i, name := range suffixes {
			if s[:word] == name {
				rank = i
			}
		}
		n := span(s[word:], isDigit)
		return rank, s[word : word+n], s[word+n:]
	}
	for a != "" || b != "" {
		ra, na, resta := next(a)
		rb, nb, restb := next(b)
		if c := cmp.Or(cmp.Compare(ra, rb), compareNumbers(na, nb)); c != 0 {
			return c
		}
		a, b = resta, restb
	}
	return 0
}
