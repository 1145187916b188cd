package mobilize

import (
	"cmp"
	"slices"
	"strings"
)

// mavenToken is a part of a Maven version with the separator before it.
type mavenToken struct {
	hyphen bool
	text   string // digits, or a word in lower case
}

func (t mavenToken) number() bool { return t.text != "" && isDigit(t.text[0]) }

// null reports whether the token says nothing, as trailing zeros do.
func (t mavenToken) null() bool {
	return t.text == "" || t.number() && strings.Trim(t.text, "0") == ""
}

// qualifiers are the words that Maven knows, in order. The empty one is the
// release.
var qualifiers = [...]string{"alpha", "beta", "milestone", "rc", "snapshot", "", "sp"}

// compareMaven orders versions of Maven artifacts, see
// https://maven.apache.org/pom.html#version-order-specification
func compareMaven(a, b string) (int, bool) {
	if !plain.MatchString(a) || !plain.MatchString(b) || strings.Contains(a+b, " ") {
		return 0, false
	}
	ta, tb := mavenTokens(a), mavenTokens(b)
	for i := range max(len(ta), len(tb)) {
		var x, y mavenToken
		switch {
		case i >= len(ta):
			y = tb[i]
			x = padding(y)
		case i >= len(tb):
			x = ta[i]
			y = padding(x)
		default:
			x, y = ta[i], tb[i]
		}
		if c := compareMavenTokens(x, y); c != 0 {
			return c, true
		}
	}
	return 0, true
}

// padding is what a missing token counts as beside t.
func padding(t mavenToken) mavenToken {
	if t.hyphen || !t.number() {
		return mavenToken{hyphen: t.hyphen}
	}
	return mavenToken{text: "0"}
}

func compareMavenTokens(x, y mavenToken) int {
	switch {
	case x.number() && y.number() && x.hyphen == y.hyphen:
		return compareNumbers(x.text, y.text)
	case x.number() && y.number():
		return either(y.hyphen, 1) // -1 is before .1
	case x.number() != y.number():
		return either(x.number(), 1) // words are before numbers
	}
	rx, ry := qualifier(x.text), qualifier(y.text)
	if rx == len(qualifiers) && ry == len(qualifiers) {
		return strings.Compare(x.text, y.text)
	}
	return cmp.Compare(rx, ry)
}

func qualifier(word string) int {
	if i := slices.Index(qualifiers[:], word); i >= 0 {
		return i
	}
	return len(qualifiers)
}

// mavenTokens takes a version apart and drops what says nothing at its end and
// before each hyphen.
func mavenTokens(v string) []mavenToken {
	v = strings.ToLower(strings.TrimLeft(v, "vV"))
	var all []mavenToken
	hyphen := false
	for v != "" {
		n := span(v, isDigit)
		digits := n > 0
		if !digits {
			n = span(v, func(c byte) bool { return !isDigit(c) && c != '.' && c != '-' })
		}
		t := mavenToken{hyphen, v[:n]}
		v = v[n:]
		switch {
		case n == 0:
			t.text = "0" // two separators in a row
		case !digits: // .RC1 is -RC1
			t.hyphen, t.text = true, known(t.text, v != "" && isDigit(v[0]))
		}
		all = append(all, t)
		// A change between digits and letters is a hyphen.
		hyphen = true
		if v != "" && (v[0] == '.' || v[0] == '-') {
			hyphen = v[0] == '-'
			v = v[1:]
		}
	}
	for i := len(all) - 1; i > 0; i-- {
		if all[i].null() && (i == len(all)-1 || all[i+1].hyphen) {
			all = slices.Delete(all, i, i+1)
		}
	}
	return all
}

// known writes out the words that have several spellings.
func known(word string, beforeDigit bool) string {
	switch word {
	case "final", "ga", "release":
		return ""
	case "cr":
		return "rc"
	}
	if beforeDigit {
		switch word {
		case "a":
			return "alpha"
		case "b":
			return "beta"
		case "m":
			return "milestone"
		}
	}
	return word
}
