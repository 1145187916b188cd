package scope

import (
	"strings"
	"unicode"
)

// maxWatch bounds the watch list: each entry is compared with everything that
// is new. minWatch is how much of an entry has to say what it names.
const (
	maxWatch = 500
	minWatch = 2
)

// Watched returns the first entry of the watch list that names something: one
// of its ids and names as a whole, or words of one of the texts about it; "" if
// none does. Entries know * and ?, and case does not matter.
func (p *Programme) Watched(names, texts []string) string {
	if p == nil || len(p.Watch) == 0 {
		return ""
	}
	plain, about := folded(names), folded(texts)
	for i, text := range about {
		about[i] = " " + spaced(text) + " "
	}
	for _, entry := range p.Watch {
		e := fold(entry)
		for _, name := range plain {
			if glob(e, name) {
				return entry
			}
		}
		words := "* " + spaced(e) + " *"
		for _, text := range about {
			if glob(words, text) {
				return entry
			}
		}
	}
	return ""
}

func folded(all []string) []string {
	out := make([]string, len(all))
	for i, s := range all {
		out[i] = fold(s)
	}
	return out
}

// spaced has one space where a text has any run of what is no part of a word.
// Wildcards are part of one.
func spaced(s string) string {
	return strings.Join(strings.FieldsFunc(s, func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.IsDigit(r) && r != '*' && r != '?'
	}), " ")
}
