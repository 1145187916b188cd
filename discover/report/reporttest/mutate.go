package reporttest

import (
	"bytes"
	"io"
	"regexp"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

// scalar is a value in a sample that is no list and no object: where it
// stands, and how deep.
type scalar struct {
	start, end int
	kind       byte // '"', '0', 't', 'f' or 'n' in JSON; 'a' for an attribute and 'x' for text in XML
	member     int  // where the member that it is the value of begins, -1 if it is none
}

// in returns data with another text in the scalar's place.
func (s scalar) in(data []byte, other string) []byte {
	return append(append(bytes.Clone(data[:s.start]), other...), data[s.end:]...)
}

// isJSON and isXML tell the form of a sample. A sample that is neither, such
// as a table, is not taken apart.
func isJSON(data []byte) bool { return len(scalarsOfJSON(data)) > 0 }

func isXML(data []byte) bool {
	return bytes.HasPrefix(bytes.TrimLeft(bytes.TrimPrefix(data, []byte("\xef\xbb\xbf")), " \r\n\t"), []byte("<"))
}

func scalarsOf(data []byte) []scalar {
	if isXML(data) {
		return scalarsOfXML(data)
	}
	return scalarsOfJSON(data)
}

// scalarsOfJSON returns the scalars of one document or several, up to the
// first that is broken.
func scalarsOfJSON(data []byte) (all []scalar) {
	body := bytes.TrimPrefix(data, []byte("\xef\xbb\xbf"))
	skipped := len(data) - len(body)
	dec := jsontext.NewDecoder(bytes.NewReader(body), jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))
	member := -1
	for {
		switch kind := dec.PeekKind(); kind {
		case '{', '}', '[', ']':
			if _, err := dec.ReadToken(); err != nil {
				return all
			}
			member = -1
		case 0:
			return all
		default:
			v, err := dec.ReadValue()
			if err != nil {
				return all
			}
			end := skipped + int(dec.InputOffset())
			within, n := dec.StackIndex(dec.StackDepth())
			if within == '{' && n%2 == 1 {
				member = end - len(v)
				continue
			}
			s := scalar{start: end - len(v), end: end, kind: byte(kind), member: -1}
			if within == '{' {
				s.member = member
			}
			if within != 0 {
				all = append(all, s)
			}
			member = -1
		}
	}
}

var (
	attributes = regexp.MustCompile(`[\w:.-]+\s*=\s*"([^"<]*)"`)
	texts      = regexp.MustCompile(`>\s*([^<>\s][^<>]*?)\s*</`)
)

func scalarsOfXML(data []byte) (all []scalar) {
	// The declaration and what is written about the document are no values.
	from := 0
	if i := regexp.MustCompile(`<[A-Za-z]`).FindIndex(data); i != nil {
		from = i[0]
	}
	for _, m := range attributes.FindAllSubmatchIndex(data[from:], -1) {
		if !bytes.HasPrefix(data[from+m[0]:], []byte("xmlns")) {
			all = append(all, scalar{from + m[2], from + m[3], 'a', -1})
		}
	}
	for _, m := range texts.FindAllSubmatchIndex(data[from:], -1) {
		all = append(all, scalar{from + m[2], from + m[3], 'x', -1})
	}
	return all
}

// some returns at most n of all, evenly spread.
func some[T any](all []T, n int) []T {
	if len(all) <= n {
		return all
	}
	picked := make([]T, n)
	for i := range picked {
		picked[i] = all[i*len(all)/n]
	}
	return picked
}

// long is a reader over data in which the scalar is filled up with n letters.
func long(data []byte, s scalar, n int64) io.Reader {
	at := s.end
	if s.kind == '"' {
		at--
	}
	return io.MultiReader(bytes.NewReader(data[:at]), io.LimitReader(letters{}, n), bytes.NewReader(data[at:]))
}

type letters struct{}

func (letters) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = 'a'
	}
	return len(p), nil
}

// nested is text around nothing, n times.
func nested(before, after string, n int) string {
	return strings.Repeat(before, n) + strings.Repeat(after, n)
}
