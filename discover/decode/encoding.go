package decode

import (
	"bufio"
	"bytes"
	"io"
	"regexp"
	"strings"

	"golang.org/x/net/html/charset"
	"golang.org/x/text/encoding/unicode"
	"golang.org/x/text/transform"

	"github.com/leeward-ctem/leeward/exposure"
)

// declaration matches the XML declaration and the encoding that it states.
var declaration = regexp.MustCompile(`^[ \t\r\n]*<\?xml[ \t\r\n][^<>]*?\?>`)
var declaredEncoding = regexp.MustCompile(`[ \t\r\n]encoding[ \t\r\n]*=[ \t\r\n]*["']([^"']*)["']`)

// xmlText returns the document without its declaration, in UTF-8, and the
// length of what was taken away. The decoder never sees the declaration, so
// what it states is settled here: the encoding, and the version, where 1.1 is
// read as 1.0.
func xmlText(r io.Reader) (text io.Reader, skipped int64, err error) {
	br := bufio.NewReaderSize(r, sourceSize)
	head, _ := br.Peek(len(bom))
	switch {
	case bytes.HasPrefix(head, bom):
		br.Discard(len(bom))
		skipped = int64(len(bom))
	case bytes.HasPrefix(head, []byte{0xff, 0xfe}), bytes.HasPrefix(head, []byte{'<', 0}):
		br = bufio.NewReader(transform.NewReader(br, unicode.UTF16(unicode.LittleEndian, unicode.UseBOM).NewDecoder()))
	case bytes.HasPrefix(head, []byte{0xfe, 0xff}), bytes.HasPrefix(head, []byte{0, '<'}):
		br = bufio.NewReader(transform.NewReader(br, unicode.UTF16(unicode.BigEndian, unicode.UseBOM).NewDecoder()))
	}
	head, _ = br.Peek(1024)
	declared := declaration.Find(head)
	if declared == nil {
		return br, skipped, nil
	}
	label := ""
	if m := declaredEncoding.FindSubmatch(declared); m != nil {
		label = string(m[1])
	}
	skipped += int64(len(declared))
	br.Discard(len(declared))
	if label == "" {
		return br, skipped, nil
	}
	enc, name := charset.Lookup(label)
	switch {
	case strings.HasPrefix(strings.ToLower(label), "ucs-2"), strings.HasPrefix(name, "utf-16"), name == "utf-8":
		return br, skipped, nil // the declaration was readable, so the text is not in 16 bits any more
	case enc == nil:
		return nil, skipped, exposure.Errorf(exposure.Unsupported, "the report states the encoding %q, which is not known: convert it to UTF-8", label)
	}
	return transform.NewReader(br, enc.NewDecoder()), skipped, nil
}
