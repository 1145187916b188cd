package index

import (
	"path"
	"strings"
)

// bitset is a set of dictionary rows.
type bitset []uint64

func newBitset(n int) bitset { return make(bitset, (n+63)/64) }

func (b bitset) has(i uint32) bool { return b[i>>6]&(1<<(i&63)) != 0 }
func (b bitset) set(i int)         { b[i>>6] |= 1 << (i & 63) }

// and narrows b to what keep holds for; a nil b is everything.
func and(b bitset, n int, keep func(i int) bool) bitset {
	out := newBitset(n)
	for i := range n {
		if (b == nil || b.has(uint32(i))) && keep(i) {
			out.set(i)
		}
	}
	return out
}

// pattern compiles a text value: with * or ? it must match the whole text,
// without it may stand anywhere when loose, or must be equal. Texts are
// compared in lower case.
func pattern(value string, loose bool) func(text string) bool {
	value = strings.ToLower(value)
	switch {
	case strings.ContainsAny(value, "*?"):
		if inner := strings.Trim(value, "*"); !strings.ContainsAny(inner, "*?[\\") && len(value) >= 2 && value[0] == '*' && value[len(value)-1] == '*' {
			return func(text string) bool { return strings.Contains(text, inner) }
		}
		glob := strings.NewReplacer("[", "\\[", "\\", "\\\\", "/", "\x00").Replace(value)
		return func(text string) bool {
			// path.Match lets * stop at a slash; here it does not.
			ok, err := path.Match(glob, strings.ReplaceAll(text, "/", "\x00"))
			return err == nil && ok
		}
	case loose:
		return func(text string) bool { return strings.Contains(text, value) }
	}
	return func(text string) bool { return text == value }
}

// anyOf reports whether any pattern matches any text.
func anyOf(patterns []func(string) bool, texts ...string) bool {
	for _, t := range texts {
		t = strings.ToLower(t)
		for _, p := range patterns {
			if p(t) {
				return true
			}
		}
	}
	return false
}

func patterns(values []string, loose bool) []func(string) bool {
	out := make([]func(string) bool, len(values))
	for i, v := range values {
		out[i] = pattern(v, loose)
	}
	return out
}
