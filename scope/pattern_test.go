package scope

import (
	"math/rand/v2"
	"regexp"
	"strings"
	"testing"
)

func TestGlob(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		pattern, text string
		want          bool
	}{
		{"", "", true}, {"", "a", false}, {"*", "", true}, {"*", "anything", true}, {"?", "", false}, {"?", "a", true}, {"?", "ab", false},
		{"web-*", "web-1", true}, {"web-*", "web-", true}, {"web-*", "my-web-1", false}, {"web-*", "web", false},
		{"*.example.com", "a.example.com", true}, {"*.example.com", "example.com", false}, {"*.example.com", "a.example.com.evil", false},
		{"*db*", "old-db-3", true}, {"a*b*c", "a-b-b-c", true}, {"a*b*c", "a-c-b", false}, {"a*?", "a", false},
		{"?", "é", true}, {"??", "é", false}, {"*?", "é", true}, {"*??", "é", false}, {"n?n", "nön", true}, {"*??b*", "€ba", false}, {"*??b*", "a€ba", true},
		{"a[b]", "a[b]", true}, {"a.c", "abc", false}, {"**", "x", true}, {"*a*a*a*a*b", strings.Repeat("a", 300), false},
	} {
		if got := glob(c.pattern, c.text); got != c.want {
			t.Errorf("glob(%q, %q) is %v", c.pattern, c.text, got)
		}
	}
}

// randomText makes texts that often fit randomPattern's patterns.
func randomText(r *rand.Rand, alphabet string, most int) string {
	runes := []rune(alphabet)
	text := make([]rune, r.IntN(most+1))
	for i := range text {
		text[i] = runes[r.IntN(len(runes))]
	}
	return string(text)
}

func TestGlobAgainstRegexp(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(1, 1))
	hits := 0
	for range 8_000 {
		pattern, text := randomText(r, "aé€.**?", 6), randomText(r, "aaéé€.", 8)
		source := strings.NewReplacer(`\*`, `(?s:.*)`, `\?`, `(?s:.)`).Replace(regexp.QuoteMeta(pattern))
		want := regexp.MustCompile("^" + source + "$").MatchString(text)
		if got := glob(pattern, text); got != want {
			t.Fatalf("glob(%q, %q) is %v", pattern, text, got)
		}
		if want {
			hits++
		}
	}
	if hits < 500 {
		t.Errorf("only %d texts match: the test says little", hits)
	}
}

// The table is a short cut and nothing else: it finds what trying all finds.
func TestWordsAgainstGlob(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(2, 2))
	hits := 0
	for range 3000 {
		patterns := make([]string, r.IntN(3*few)+1)
		for i := range patterns {
			patterns[i] = randomText(r, "aB.-*?", 7)
		}
		w := newWords(patterns)
		for range 10 {
			text := randomText(r, "ab.-", 9)
			want := false
			for _, p := range patterns {
				want = want || glob(fold(p), text)
			}
			if got := w.match(text); got != want {
				t.Fatalf("%q match %q: %v", patterns, text, got)
			}
			if want {
				hits++
			}
		}
	}
	if hits < 1000 {
		t.Errorf("only %d texts match: the test says little", hits)
	}
}

// Affixes longer than the table's are cut, and still only whole patterns match.
func TestLongAffixes(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", 3*maxAffix)
	patterns := []string{long + "1*", "*1" + long, "a", "b", "c", "d", "e", "f"}
	w := newWords(patterns)
	for text, want := range map[string]bool{long + "1": true, long + "2": false, "1" + long: true, "2" + long: false, long: false, "": false} {
		if got := w.match(text); got != want {
			t.Errorf("match of %d bytes %.3s…%.3s: %v", len(text), text, text[max(0, len(text)-3):], got)
		}
	}
	if n := len(w.table.prefixes.lengths) + len(w.table.suffixes.lengths); n != 2 {
		t.Errorf("%d lengths", n)
	}
}
