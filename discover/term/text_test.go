package term_test

import (
	"testing"

	"github.com/leeward-ctem/leeward/discover/term"
)

func TestParagraphs(t *testing.T) {
	t.Parallel()
	for want, texts := range map[string][]string{
		"":                  {"", " ", "<p></p>"},
		"one":               {"", "<p>one</p>"},
		"one < two\n\nmore": {"one < two", " ", "<div>more</div>"},
	} {
		if got := term.Paragraphs(texts...); got != want {
			t.Errorf("Paragraphs(%q) = %q, want %q", texts, got, want)
		}
	}
}
