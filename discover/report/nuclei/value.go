package nuclei

import (
	"bytes"
	"errors"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/leeward-ctem/leeward/discover/decode"
)

// maxText bounds a request or response that becomes evidence, in bytes.
const maxText = 32 << 10

// maxList bounds the elements of a list that are taken.
const maxList = 1000

var errNotText = errors.New("a list or an object where a text is expected")

// text decodes a text, up to limit bytes of its quoted form when that is not 0.
// A number or boolean is taken as written, null and nothing are empty.
func text(raw jsontext.Value, limit int) (string, error) {
	if len(raw) == 0 {
		return "", nil
	}
	switch raw.Kind() {
	case '"':
		inner := raw[1 : len(raw)-1]
		if limit > 0 && len(inner) > limit {
			inner = inner[:wholeEscapes(inner, limit)]
		}
		if bytes.IndexByte(inner, '\\') < 0 {
			return strings.ToValidUTF8(string(inner), "\ufffd"), nil
		}
		// The capacity ends after inner, so the quotation mark that closes
		// what was cut goes to a copy.
		quoted := raw[:len(inner)+1]
		if len(inner) < len(raw)-2 {
			quoted = append(quoted[:len(quoted):len(quoted)], '"')
		} else {
			quoted = raw
		}
		return decode.Text(quoted), nil
	case '{', '[':
		return "", errNotText
	case 'n':
		return "", nil
	}
	return string(raw), nil
}

// wholeEscapes returns how much of a quoted text, at most limit, can be taken
// without cutting an escape sequence.
func wholeEscapes(b []byte, limit int) int {
	at := 0
	for at < limit {
		step := 1
		if b[at] == '\\' {
			step = 2
			if b[at+1] == 'u' {
				step = 6
			}
		} else if next := bytes.IndexByte(b[at:limit], '\\'); next > 0 {
			step = next
		} else {
			step = limit - at
		}
		if at+step > limit {
			return at
		}
		at += step
	}
	return at
}

// list decodes an array of texts, or a text alone.
func list(raw jsontext.Value) ([]string, error) {
	if len(raw) == 0 || raw.Kind() != '[' {
		s, err := text(raw, 0)
		if s == "" || err != nil {
			return nil, err
		}
		return []string{s}, nil
	}
	var l []string
	dec := jsontext.NewDecoder(bytes.NewBuffer(raw), jsontext.AllowInvalidUTF8(true), jsontext.AllowDuplicateNames(true))
	if _, err := dec.ReadToken(); err != nil {
		return nil, err
	}
	for dec.PeekKind() != ']' && len(l) < maxList {
		v, err := dec.ReadValue()
		if err != nil {
			return nil, err
		}
		s, err := text(v, 0)
		if err != nil {
			return nil, err
		}
		if s != "" {
			l = append(l, s)
		}
	}
	return l, nil
}
