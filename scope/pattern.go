package scope

import (
	"slices"
	"strings"
	"unicode/utf8"
)

// fold brings a text into the form in which texts are compared.
func fold(s string) string { return strings.ToLower(s) }

// wild reports whether a pattern is more than a text.
func wild(pattern string) bool { return strings.ContainsAny(pattern, "*?") }

// glob reports whether the pattern with * (any run, also an empty one) and ?
// (any one character) matches the whole text. Both are folded. Only the last
// star is ever tried again, so the cost is at most the product of the lengths.
func glob(pattern, text string) bool {
	p, t := 0, 0
	star, mark := -1, 0
	for t < len(text) {
		switch {
		case p < len(pattern) && pattern[p] == '*':
			star, mark = p, t
			p++
		case p < len(pattern) && pattern[p] == '?':
			p++
			t += runeLen(text[t:])
		case p < len(pattern) && pattern[p] == text[t]:
			p++
			t++
		case star >= 0:
			mark += runeLen(text[mark:])
			p, t = star+1, mark
		default:
			return false
		}
	}
	for p < len(pattern) && pattern[p] == '*' {
		p++
	}
	return p == len(pattern)
}

func runeLen(s string) int {
	_, n := utf8.DecodeRuneInString(s)
	return n
}

// words matches a text that fits one of several patterns.
type words struct {
	patterns []string // folded
	table    *table   // over the patterns, when there are many
}

// few patterns are tried one after another faster than through a table.
const few = 6

func newWords(patterns []string) words {
	w := words{patterns: make([]string, len(patterns))}
	for i, p := range patterns {
		w.patterns[i] = fold(p)
	}
	if len(patterns) > few {
		w.table = &table{}
		for i, p := range w.patterns {
			w.table.add(p, int32(i))
		}
	}
	return w
}

func (w *words) match(text string) bool {
	if w.table == nil {
		return slices.ContainsFunc(w.patterns, func(p string) bool { return glob(p, text) })
	}
	found := false
	w.table.each(text, func(i int32) bool {
		found = glob(w.patterns[i], text)
		return !found
	})
	return found
}

// table finds numbers by the patterns they were added with, without trying
// all of them: by the whole text, by a literal beginning or end, or by three
// bytes that are in the text. What it finds may fit; whoever asks looks closer.
type table struct {
	exact    map[string][]int32
	prefixes affixes
	suffixes affixes
	grams    map[string][]int32 // by three bytes of the longest literal within
	rest     []int32            // of patterns without anything to look up
}

// gram is the length of the pieces by which literals within patterns are found.
const gram = 3

// affixes are literal beginnings, or ends, of patterns.
type affixes struct {
	lengths []int // that occur, sorted: one look-up each
	numbers map[string][]int32
}

// maxAffix bounds the length of affixes, and so the look-ups a text costs.
const maxAffix = 48

// literals returns the literal beginning and end of a pattern that has a
// wildcard.
func literals(pattern string) (prefix, suffix string) {
	prefix = pattern[:strings.IndexAny(pattern, "*?")]
	suffix = pattern[strings.LastIndexAny(pattern, "*?")+1:]
	return prefix[:min(len(prefix), maxAffix)], suffix[max(0, len(suffix)-maxAffix):]
}

// inner returns the longest literal of a pattern.
func inner(pattern string) string {
	longest := ""
	for part := range strings.FieldsFuncSeq(pattern, func(r rune) bool { return r == '*' || r == '?' }) {
		if len(part) > len(longest) {
			longest = part
		}
	}
	return longest
}

func (t *table) add(pattern string, number int32) {
	if !wild(pattern) {
		if t.exact == nil {
			t.exact = map[string][]int32{}
		}
		t.exact[pattern] = append(t.exact[pattern], number)
		return
	}
	switch prefix, suffix := literals(pattern); {
	case prefix == "" && suffix == "":
		t.addInner(inner(pattern), number)
	case len(prefix) >= len(suffix):
		t.prefixes.add(prefix, number)
	default:
		t.suffixes.add(suffix, number)
	}
}

// addInner files under the piece that has the fewest numbers so far, so that
// pieces which many patterns share stay short.
func (t *table) addInner(literal string, number int32) {
	if len(literal) < gram {
		t.rest = append(t.rest, number)
		return
	}
	if t.grams == nil {
		t.grams = map[string][]int32{}
	}
	best := literal[:gram]
	for i := 1; i+gram <= min(len(literal), maxAffix); i++ {
		if piece := literal[i : i+gram]; len(t.grams[piece]) < len(t.grams[best]) {
			best = piece
		}
	}
	t.grams[best] = append(t.grams[best], number)
}

func (a *affixes) add(affix string, number int32) {
	if a.numbers == nil {
		a.numbers = map[string][]int32{}
	}
	if i, known := slices.BinarySearch(a.lengths, len(affix)); !known {
		a.lengths = slices.Insert(a.lengths, i, len(affix))
	}
	a.numbers[affix] = append(a.numbers[affix], number)
}

// each calls f with the numbers that text may fit, some of them more than
// once, until f returns false.
func (t *table) each(text string, f func(int32) bool) {
	all := func(numbers []int32) bool {
		for _, n := range numbers {
			if !f(n) {
				return false
			}
		}
		return true
	}
	if t.exact != nil && !all(t.exact[text]) {
		return
	}
	for _, n := range t.prefixes.lengths {
		if n > len(text) {
			break
		}
		if !all(t.prefixes.numbers[text[:n]]) {
			return
		}
	}
	for _, n := range t.suffixes.lengths {
		if n > len(text) {
			break
		}
		if !all(t.suffixes.numbers[text[len(text)-n:]]) {
			return
		}
	}
	for i := 0; t.grams != nil && i+gram <= len(text); i++ {
		if !all(t.grams[text[i:i+gram]]) {
			return
		}
	}
	all(t.rest)
}
