package discover

import (
	"bufio"
	"bytes"
	"io"
	"regexp"

	"golang.org/x/text/encoding/unicode"
	"golang.org/x/text/transform"
)

// declared finds the encoding that an XML declaration states.
var declared = regexp.MustCompile(`(?i)^\s*<\?xml[^>]*?\sencoding\s*=\s*["'](utf-?16(?:le|be)?|ucs-?2|iso-10646-ucs-2)["']`)

// decodeUTF16 converts UTF-16 text with a byte order mark to UTF-8 as it
// streams by. ok is false for any other text.
func decodeUTF16(head []byte, r io.Reader) (utf8 io.Reader, ok bool) {
	if !bytes.HasPrefix(head, []byte{0xff, 0xfe}) && !bytes.HasPrefix(head, []byte{0xfe, 0xff}) {
		return nil, false
	}
	dec := unicode.UTF16(unicode.LittleEndian, unicode.ExpectBOM).NewDecoder()
	br := bufio.NewReader(transform.NewReader(r, dec))
	// The XML declaration still names the encoding that it no longer is in.
	start, _ := br.Peek(256)
	loc := declared.FindSubmatchIndex(start)
	if loc == nil {
		return br, true
	}
	fixed := append(append(bytes.Clone(start[:loc[2]]), "utf-8"...), start[loc[3]:]...)
	br.Discard(len(start))
	return io.MultiReader(bytes.NewReader(fixed), br), true
}
