package decode

import (
	"bytes"
	"encoding/binary"
	"io"
	"strconv"
	"unicode/utf8"

	"github.com/leeward-ctem/leeward/exposure"
)

// maxToken bounds a single text, attribute list, comment or directive of an
// XML document, in bytes.
const maxToken = 32 << 20

// maxQuotes bounds the quotation marks in a tag, and so its attributes, each of
// which costs far more memory than its text.
const maxQuotes = 1 << 20

// sourceSize is the size of the buffer between the document and the decoder.
const sourceSize = 64 << 10

// xmlSource feeds an XML decoder with text that it accepts, and with no more
// of it per token than maxToken.
//
// XML 1.0 forbids most control characters, even as references, and so does
// encoding/xml. Scanners copy what they receive from the network into their
// reports, so real ones are full of them. They are overwritten in place, by
// question marks, which keeps every offset true.
type xmlSource struct {
	r    io.Reader
	err  error // of r, returned once the buffer is empty
	buf  []byte
	pos  int // next byte to hand out
	done int // buf[pos:done] is clean
	end  int // buf[done:end] waits for the rest of a character

	before int64 // bytes handed out before buf[0]
	lines  int   // line feeds among them
	handed int64 // bytes handed out one by one, to encoding/xml
	token  int64 // offset where the token began
	tag    bool  // it is a tag that does not end in the buffer
	quotes int   // quotation marks in that tag
}

func newXMLSource(r io.Reader) *xmlSource {
	return &xmlSource{r: r, buf: make([]byte, sourceSize)}
}

// mark says that a new token begins here.
func (s *xmlSource) mark() { s.token = s.before + int64(s.pos) }

// ReadByte implements io.ByteReader, which is all that the decoder uses.
func (s *xmlSource) ReadByte() (byte, error) {
	if s.pos == s.done {
		if err := s.fill(); err != nil {
			return 0, err
		}
	}
	b := s.buf[s.pos]
	s.pos++
	s.handed++
	return b, nil
}

// Read implements io.Reader.
func (s *xmlSource) Read(p []byte) (int, error) {
	if s.pos == s.done {
		if err := s.fill(); err != nil {
			return 0, err
		}
	}
	n := copy(p, s.buf[s.pos:s.done])
	s.pos += n
	s.handed += int64(n)
	return n, nil
}

// fill reads on, when the decoder has taken all that is clean.
func (s *xmlSource) fill() error {
	s.count()
	s.compact()
	if s.before-s.token > maxToken || s.quotes > maxQuotes {
		return exposure.Errorf(exposure.Invalid, "a single text or tag at byte %d is larger than %d MiB or has too many attributes: no scanner writes such a record, check the report", s.token, maxToken>>20)
	}
	for s.done == 0 {
		if s.err != nil && s.end == 0 {
			return s.err
		}
		s.read()
	}
	return nil
}

// more reads on until the buffer is full, and keeps what was not handed out
// yet. It is false if there is no room, or nothing more to read.
func (s *xmlSource) more() bool {
	s.compact()
	before := s.done
	for s.err == nil && s.end < len(s.buf) {
		s.read()
	}
	return s.done > before
}

// compact makes room at the end of the buffer.
func (s *xmlSource) compact() {
	s.lines += bytes.Count(s.buf[:s.pos], []byte{'\n'})
	s.before += int64(s.pos)
	s.end = copy(s.buf, s.buf[s.pos:s.end])
	s.done -= s.pos
	s.pos = 0
}

// read reads once into the buffer, in which there is room, and cleans it.
func (s *xmlSource) read() {
	for idle := 0; s.err == nil; idle++ {
		n, err := s.r.Read(s.buf[s.end:])
		s.end += n
		if s.err = err; n > 0 {
			break
		}
		if idle == 100 {
			s.err = io.ErrNoProgress
		}
	}
	s.done += clean(s.buf[s.done:s.end], s.err != nil)
}

// count adds up the quotation marks of the token that goes on beyond the buffer,
// if it is a tag.
func (s *xmlSource) count() {
	part := s.buf[:s.done]
	if at := s.token - s.before; at >= 0 {
		part = part[at:]
		s.quotes = 0
		s.tag = len(part) > 0 && part[0] == '<' && (len(part) == 1 || part[1] != '!' && part[1] != '?')
	}
	if s.tag {
		s.quotes += bytes.Count(part, []byte{'"'}) + bytes.Count(part, []byte{'\''})
	}
}

// maxReference is the length of the longest character reference that is
// looked at: leading zeros are rare.
const maxReference = 12

// clean overwrites the bytes, characters and character references in p that
// XML 1.0 forbids, and returns how much of p it could judge: a sequence that
// goes on beyond p is left for later unless p is the last.
//
// The text of a CDATA section is treated alike, though "&#0;" is no reference
// there.
func clean(p []byte, last bool) int {
	for i := 0; i < len(p); {
		if i+8 <= len(p) && ordinary(binary.LittleEndian.Uint64(p[i:])) {
			i += 8
			continue
		}
		switch c := p[i]; {
		case c >= utf8.RuneSelf:
			r, n := utf8.DecodeRune(p[i:])
			switch {
			case r == utf8.RuneError && n == 1:
				if !last && !utf8.FullRune(p[i:]) {
					return i
				}
				p[i] = '?'
			case r == 0xFFFE || r == 0xFFFF:
				copy(p[i:], "\uFFFD")
			}
			i += n
		case c == '&':
			n := reference(p[i:])
			if n == 0 && !last {
				return i
			}
			i += max(n, 1)
		case c >= ' ' || c == '\n' || c == '\t' || c == '\r':
			i++
		default:
			p[i] = '?'
			i++
		}
	}
	return len(p)
}

// reference overwrites the character reference at the start of p if it stands
// for a forbidden character. It returns how much of p is judged, 0 if p ends
// before that can be told.
func reference(p []byte) int {
	if len(p) == 1 {
		return 0
	}
	if p[1] != '#' {
		return 1
	}
	n := bytes.IndexByte(p[:min(len(p), maxReference)], ';')
	if n < 0 {
		if len(p) < maxReference {
			return 0
		}
		return 1
	}
	digits, base := p[2:n], 10
	if len(digits) > 0 && digits[0] == 'x' {
		digits, base = digits[1:], 16
	}
	c, err := strconv.ParseUint(string(digits), base, 64)
	if err != nil {
		return 1 // no reference: what stands there is text to be judged
	}
	if !allowed(c) {
		for i := range p[:n+1] {
			p[i] = '?'
		}
	}
	return n + 1
}

// allowed reports whether c is a Char of XML 1.0, see
// https://www.w3.org/TR/xml/#charsets
func allowed(c uint64) bool {
	return c == '\t' || c == '\n' || c == '\r' ||
		c >= 0x20 && c <= 0xD7FF || c >= 0xE000 && c <= 0xFFFD || c >= 0x10000 && c <= 0x10FFFF
}

// ordinary reports whether the eight bytes of w are ASCII from the space on
// and none is an ampersand. It may say no in vain.
func ordinary(w uint64) bool {
	const ones, tops = 0x0101010101010101, 0x8080808080808080
	amp := w ^ ones*'&'
	return (w|(w-ones*' ')|(amp-ones)&^amp)&tops == 0
}
