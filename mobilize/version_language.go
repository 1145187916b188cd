package mobilize

import (
	"cmp"
	"regexp"
	"slices"
	"strings"
)

// semver matches versions by https://semver.org, and what ecosystems that
// follow it add: a v before and a fourth number.
var semver = regexp.MustCompile(`^[vV=]?(\d+(?:\.\d+)*)(?:-([0-9A-Za-z.-]+))?(?:\+[0-9A-Za-z.-]+)?$`)

func compareSemantic(a, b string) (int, bool) {
	ma, mb := semver.FindStringSubmatch(a), semver.FindStringSubmatch(b)
	if ma == nil || mb == nil {
		return 0, false
	}
	c := compareRelease(ma[1], mb[1])
	if c == 0 && (ma[2] == "") != (mb[2] == "") {
		c = either(ma[2] == "", 1) // a release comes after its previews
	}
	return cmp.Or(c, comparePreview(ma[2], mb[2])), true
}

// compareRelease compares numbers between dots; missing ones are 0.
func compareRelease(a, b string) int {
	for a != "" || b != "" {
		var na, nb string
		na, a, _ = strings.Cut(a, ".")
		nb, b, _ = strings.Cut(b, ".")
		if c := compareNumbers(na, nb); c != 0 {
			return c
		}
	}
	return 0
}

// comparePreview compares identifiers between dots: numbers before words, more
// after fewer.
func comparePreview(a, b string) int {
	for a != "" && b != "" {
		var ia, ib string
		ia, a, _ = strings.Cut(a, ".")
		ib, b, _ = strings.Cut(b, ".")
		na, nb := span(ia, isDigit) == len(ia), span(ib, isDigit) == len(ib)
		c := strings.Compare(ia, ib)
		switch {
		case na && nb:
			c = compareNumbers(ia, ib)
		case na != nb:
			c = either(na, -1)
		}
		if c != 0 {
			return c
		}
	}
	return cmp.Compare(len(a), len(b))
}

// pep440 matches versions of Python packages, see
// https://packaging.python.org/en/latest/specifications/version-specifiers/
var pep440 = regexp.MustCompile(`(?i)^v?(?:(\d+)!)?(\d+(?:\.\d+)*)(?:[-_.]?(alpha|beta|preview|pre|a|b|c|rc)[-_.]?(\d*))?(?:-(\d+)|[-_.]?(post|rev|r)[-_.]?(\d*))?(?:[-_.]?(dev)[-_.]?(\d*))?(?:\+[a-z0-9._-]+)?$`)

func comparePython(a, b string) (int, bool) {
	ma, mb := pep440.FindStringSubmatch(a), pep440.FindStringSubmatch(b)
	if ma == nil || mb == nil {
		return 0, false
	}
	// Within a release: dev of it, previews, itself, what came after; and a dev
	// of each of these before it.
	stage := func(m []string) int {
		switch preview, post, dev := strings.ToLower(m[3]), m[5]+m[6] != "", m[8] != ""; {
		case preview == "a" || preview == "alpha":
			return 1
		case preview == "b" || preview == "beta":
			return 2
		case preview != "":
			return 3
		case dev && !post:
			return 0
		}
		return 4
	}
	posted := func(m []string) int {
		if m[5]+m[6] == "" {
			return 0
		}
		return 1
	}
	final := func(m []string) int {
		if m[8] != "" {
			return 0
		}
		return 1
	}
	return cmp.Or(
		compareNumbers(ma[1], mb[1]),
		compareRelease(ma[2], mb[2]),
		cmp.Compare(stage(ma), stage(mb)),
		compareNumbers(ma[4], mb[4]),
		cmp.Compare(posted(ma), posted(mb)),
		compareNumbers(ma[5]+ma[7], mb[5]+mb[7]),
		cmp.Compare(final(ma), final(mb)),
		compareNumbers(ma[9], mb[9]),
	), true
}

// gem matches versions of Ruby gems, see
// https://docs.ruby-lang.org/en/master/Gem/Version.html
var gem = regexp.MustCompile(`^\d+(?:\.[0-9A-Za-z]+)*(?:-[0-9A-Za-z.-]+)?$`)

func compareRuby(a, b string) (int, bool) {
	if !gem.MatchString(a) || !gem.MatchString(b) {
		return 0, false
	}
	// A hyphen is a preview.
	a, b = strings.ReplaceAll(a, "-", ".pre."), strings.ReplaceAll(b, "-", ".pre.")
	for a != "" || b != "" {
		var ta, tb string
		ta, a = token(a)
		tb, b = token(b)
		la, lb := ta != "" && isLetter(ta[0]), tb != "" && isLetter(tb[0])
		c := strings.Compare(ta, tb)
		switch {
		case la != lb: // a word is before a number, also before a missing one
			c = either(la, -1)
		case !la:
			c = compareNumbers(ta, tb)
		}
		if c != 0 {
			return c, true
		}
	}
	return 0, true
}

// patches are the words that vendors count corrections of a release with:
// 9.3p2, 10.2.9-h1, 9.1R18.3, 8u381.
var patches = [...]string{"p", "h", "r", "u", "sp", "patch", "hotfix", "update", "build", "rev"}

// plain matches versions that begin with a number and have no other
// characters than these. Vendors write 8.0 U3d.
var plain = regexp.MustCompile(`^[vV]?\d[0-9A-Za-z._ -]*$`)

// compareGeneric orders versions of what belongs to no ecosystem, when there is
// one reading of them: numbers, and words at the same places. Whether 2.0-beta
// or 2.0-foo comes before 2.0 is anybody's guess, and is not known.
func compareGeneric(a, b string) (int, bool) {
	if !plain.MatchString(a) || !plain.MatchString(b) {
		return 0, false
	}
	a, b = strings.ToLower(strings.TrimLeft(a, "vV")), strings.ToLower(strings.TrimLeft(b, "vV"))
	for a != "" || b != "" {
		var ta, tb string
		apart := a != "" && isSeparator(a[0]) || b != "" && isSeparator(b[0])
		ta, a = token(a)
		tb, b = token(b)
		switch {
		case ta == "" && tb == "":
			return 0, true
		case ta == "" || tb == "":
			longer := ta + tb
			if isDigit(longer[0]) {
				if compareNumbers(ta, tb) == 0 {
					continue // 1.2 and 1.2.0
				}
				return either(ta != "", 1), true
			}
			return either(ta != "", 1), counts(longer, apart || a+b != "")
		case isDigit(ta[0]) != isDigit(tb[0]):
			return 0, false
		case isDigit(ta[0]):
			if c := compareNumbers(ta, tb); c != 0 {
				return c, true
			}
		case ta != tb:
			return strings.Compare(ta, tb), len(ta) == 1 && len(tb) == 1 && !apart && a == "" && b == ""
		}
	}
	return 0, true
}

// counts reports whether a word makes a version later than the same without
// it: the letter at the end of 1.1.1w does, those in 2.x and 2.0b1 need not.
func counts(word string, apart bool) bool {
	return len(word) == 1 && !apart || slices.Contains(patches[:], word)
}
