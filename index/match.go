package index

import (
	"math/bits"
	"strings"
)

// bitset is a set of dictionary rows.
type bitset []uint64

func newBitset(n int) bitset { return make(bitset, (n+63)/64) }

func (b bitset) has(i uint32) bool { return b[i>>6]&(1<<(i&63)) != 0 }
func (b bitset) bit(i uint32) int  { return int(b[i>>6] >> (i & 63) & 1) }
func (b bitset) set(i int)         { b[i>>6] |= 1 << (i & 63) }

// count is how many are in the set.
func (b bitset) count() (n int) {
	for _, w := range b {
		n += bits.OnesCount64(w)
	}
	return n
}

// and narrows b to what keep holds for; a nil b is everything. keep is called
// from several goroutines.
func and(b bitset, n int, keep func(i int) bool) bitset {
	const block = 8192
	out := newBitset(n)
	parallel((n+block-1)/block, func(k int) {
		for i := k * block; i < min(n, (k+1)*block); i++ {
			if (b == nil || b.has(uint32(i))) && keep(i) {
				out.set(i)
			}
		}
	})
	return out
}

// pattern compiles a text value: with * or ? it must match the whole text,
// without it may stand anywhere when loose, or must be equal. Texts are
// compared in lower case.
func pattern(value string, loose bool) func(text string) bool {
	value = strings.ToLower(value)
	switch {
	case strings.ContainsAny(value, "*?"):
		if inner := strings.Trim(value, "*"); len(value) >= 2 && value[0] == '*' && value[len(value)-1] == '*' && !strings.ContainsAny(inner, "*?") {
			return func(text string) bool { return strings.Contains(text, inner) }
		}
		return func(text string) bool { return glob(value, text) }
	case loose:
		return func(text string) bool { return strings.Contains(text, value) }
	}
	return func(text string) bool { return text == value }
}

// glob reports whether the pattern with * (any run) and ? (any one byte)
// matches the whole text. It is linear but for the last star.
func glob(pattern, text string) bool {
	p, t := 0, 0
	star, mark := -1, 0
	for t < len(text) {
		switch {
		case p < len(pattern) && pattern[p] == '*':
			star, mark = p, t
			p++
		case p < len(pattern) && (pattern[p] == '?' || pattern[p] == text[t]):
			p++
			t++
		case star >= 0:
			p = star + 1
			mark++
			t = mark
		default:
			return false
		}
	}
	for p < len(pattern) && pattern[p] == '*' {
		p++
	}
	return p == len(pattern)
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
