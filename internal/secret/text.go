package secret

import (
	"strings"
	"unicode/utf8"
)

// ellipsis stands where a text was cut.
const ellipsis = "…"

// maxPasses is how often a text is looked at. A redaction can bring to light
// another one beside it; ordinary texts settle at the second look.
const maxPasses = 8

// Text returns s without secrets, as valid UTF-8 without control characters
// other than newline and tab, terminal escapes and overrides of the writing
// direction. A carriage return is a line break. Bytes that are no UTF-8 become
// U+FFFD, one for each run.
//
// The result has at most limit bytes; one that was longer is cut between runes,
// never within a marker, and ends in an ellipsis. A limit of 0 or less is none.
// Text cuts last, so that a secret is not cut to a piece that nobody
// recognises; a caller that cuts before gets most of those too, because at the
// end of a text shorter pieces count.
//
// Text(Text(s, n), n) is Text(s, n). A text with nothing to remove is returned
// as it is, without an allocation. A text that keeps changing is one that was
// made to; it is removed as a whole.
func Text(s string, limit int) string {
	t, dirty := redact(s)
	if dirty {
		s = clean(s)
		t, _ = redact(s)
	}
	for range maxPasses {
		if t = cut(t, limit); t == s {
			return t
		}
		s = t
		if t, dirty = redact(s); dirty {
			break
		}
	}
	return cut(markText, limit)
}

// cut caps s at limit bytes.
func cut(s string, limit int) string {
	if limit <= 0 || len(s) <= limit {
		return s
	}
	end, tail := limit-len(ellipsis), ellipsis
	if end < 0 {
		end, tail = limit, ""
	}
	// Not within a marker: half of one would be taken for a value.
	if i := strings.LastIndex(s[:end], "["); i >= 0 {
		if e, ok := markerAt(s, i); ok && e > end {
			end = i
		}
	}
	for end > 0 && !utf8.RuneStart(s[end]) {
		end--
	}
	return s[:end] + tail
}
