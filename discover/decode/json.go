// Package decode walks JSON and XML reports record by record with bounded
// memory, and turns faults into errors that name the place: a broken record is
// an [exposure.RecordError], the walk goes on; a broken document is an
// [exposure.Error] and ends it.
package decode

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/leeward-ctem/leeward/exposure"
)

// JSON walks one JSON document, or a sequence of documents. Nothing is held
// but the value being decoded. Scanners are careless, so invalid UTF-8 becomes
// U+FFFD, and so does U+0000, which no database takes in a text; repeated
// member names are allowed (the last one wins).
type JSON struct {
	// Lost is told when [JSON.Array] or [JSON.Object] meets another value that
	// says something: whatever stands there is lost. The walk ends with the error
	// that it returns. May be nil.
	Lost func(error) error

	dec    *jsontext.Decoder
	record int
}

// NewJSON returns a walker over r. A UTF-8 byte order mark is skipped.
func NewJSON(r io.Reader) *JSON {
	return &JSON{dec: jsontext.NewDecoder(withoutBOM(r), jsontext.AllowInvalidUTF8(true), jsontext.AllowDuplicateNames(true))}
}

// Kind returns the kind of the next value without consuming it: '{', '[', '"',
// '0', 't', 'f', 'n', or 0 at the end or on an error.
func (j *JSON) Kind() byte { return byte(j.dec.PeekKind()) }

// More reports whether another value follows at this level.
func (j *JSON) More() bool {
	k := j.dec.PeekKind()
	return k != 0 && k != ']' && k != '}'
}

// End checks that the document ended cleanly; call it after the last value.
func (j *JSON) End() error {
	_, err := j.dec.ReadToken()
	if errors.Is(err, io.EOF) {
		return nil
	}
	if err == nil {
		return exposure.Errorf(exposure.Invalid, "unexpected data after the end of the report at byte %d", j.dec.InputOffset())
	}
	return j.broken(err)
}

// Object calls f for each member of the object that comes next. f must consume
// the member's value by [JSON.Value], [JSON.Skip], [JSON.Object] or
// [JSON.Array]. A value that is not an object is passed over: scanners write
// null, or nothing, where they found nothing.
func (j *JSON) Object(f func(name string) error) error {
	if j.Kind() != '{' {
		return j.pass("an object")
	}
	if _, err := j.dec.ReadToken(); err != nil {
		return j.broken(err)
	}
	for j.dec.PeekKind() != '}' {
		t, err := j.dec.ReadToken()
		if err != nil {
			return j.broken(err)
		}
		if err := f(strings.ReplaceAll(t.String(), "\x00", "\uFFFD")); err != nil {
			return err
		}
	}
	if _, err := j.dec.ReadToken(); err != nil {
		return j.broken(err)
	}
	return nil
}

// Array calls f before each element of the array that comes next; f must
// consume the element. A value that is not an array is passed over.
func (j *JSON) Array(f func() error) error {
	if j.Kind() != '[' {
		return j.pass("an array")
	}
	if _, err := j.dec.ReadToken(); err != nil {
		return j.broken(err)
	}
	for j.dec.PeekKind() != ']' {
		if err := f(); err != nil {
			return err
		}
	}
	if _, err := j.dec.ReadToken(); err != nil {
		return j.broken(err)
	}
	return nil
}

// pass goes over a value of another kind than was expected.
func (j *JSON) pass(expected string) error {
	kind, at := j.Kind(), j.dec.InputOffset()
	says := kind != 'n'
	switch {
	case j.Lost == nil, !says, kind == 0:
		return j.Skip()
	case kind == '"':
		raw, err := j.Raw()
		if err != nil {
			return err
		}
		says = strings.TrimSpace(Text(raw)) != ""
	case kind == '{' || kind == '[':
		if _, err := j.dec.ReadToken(); err != nil {
			return j.broken(err)
		}
		for says = j.More(); j.More(); {
			if err := j.Skip(); err != nil {
				return err
			}
		}
		if _, err := j.dec.ReadToken(); err != nil {
			return j.broken(err)
		}
	default:
		if err := j.Skip(); err != nil {
			return err
		}
	}
	if !says {
		return nil
	}
	return j.Lost(&exposure.RecordError{Record: j.record + 1, Offset: at, Err: fmt.Errorf("%s stands where %s is expected", kindWord(kind), expected)})
}

// Value decodes the next value into v by the rules of encoding/json (names
// match without regard to case). A value of the wrong shape is consumed
// and reported as *[exposure.RecordError]; v may then be filled in part. A v
// that is [Quick] must be empty.
func (j *JSON) Value(v any) error {
	j.record++
	at := j.dec.InputOffset()
	raw, err := j.dec.ReadValue()
	if err != nil {
		return j.broken(err)
	}
	if take(raw, v) {
		return nil
	}
	if err := unmarshal(withoutNUL(raw), v); err != nil {
		return &exposure.RecordError{Record: j.record, Offset: at, Err: shape(err)}
	}
	return nil
}

// Raw returns the next value's bytes, valid until the next call. They are as
// they stand in the report: a text may hold U+0000, see [Text].
func (j *JSON) Raw() ([]byte, error) {
	raw, err := j.dec.ReadValue()
	if err != nil {
		return nil, j.broken(err)
	}
	return raw, nil
}

// Skip consumes the next value without holding it.
func (j *JSON) Skip() error {
	if err := j.dec.SkipValue(); err != nil {
		return j.broken(err)
	}
	return nil
}

// Offset is the number of bytes consumed so far.
func (j *JSON) Offset() int64 { return j.dec.InputOffset() }

func (j *JSON) broken(err error) error {
	var known *exposure.Error
	if errors.As(err, &known) {
		return known // the core's own word, such as a limit
	}
	at := j.dec.InputOffset()
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return exposure.Errorf(exposure.Invalid, "the report is cut off at byte %d: export it again", at)
	}
	var syntax *jsontext.SyntacticError
	if errors.As(err, &syntax) {
		return exposure.Errorf(exposure.Invalid, "not valid JSON at byte %d (%s): export the report again", syntax.ByteOffset, strings.TrimPrefix(syntax.Err.Error(), "jsontext: "))
	}
	return fmt.Errorf("read at byte %d: %w", at, err)
}

// shape says what did not fit, in our words.
func shape(err error) error {
	var s *json.SemanticError
	if errors.As(err, &s) {
		if s.GoType != nil && s.JSONKind != 0 {
			return fmt.Errorf("%q is %s where %s is expected", s.JSONPointer, kindWord(byte(s.JSONKind)), s.GoType.Kind())
		}
		return fmt.Errorf("%q does not fit the format", s.JSONPointer)
	}
	return err
}

func kindWord(k byte) string {
	switch k {
	case '{':
		return "an object"
	case '[':
		return "an array"
	case '"':
		return "a string"
	case '0':
		return "a number"
	case 't', 'f':
		return "a boolean"
	}
	return "null"
}

// Text decodes a JSON text as the other functions do: without invalid UTF-8
// and U+0000. quoted must be a valid text with its quotation marks.
func Text(quoted []byte) string {
	b, _ := jsontext.AppendUnquote(nil, quoted) // invalid characters are replaced
	return strings.ReplaceAll(string(b), "\x00", "\uFFFD")
}

// Lines calls f with each non-empty line of r, its 1-based number and byte
// offset. The slice is valid until f returns. A line longer than limit is
// passed as a nil slice with ErrLong, and skipped.
func Lines(r io.Reader, limit int, f func(line []byte, number int, offset int64, err error) error) error {
	br := newLineReader(withoutBOM(r), limit)
	for {
		line, n, off, err := br.next()
		if err == io.EOF {
			return nil
		}
		if err != nil && !errors.Is(err, ErrLong) {
			return err
		}
		if err == nil && len(bytes.TrimSpace(line)) == 0 {
			continue
		}
		if err := f(line, n, off, err); err != nil {
			return err
		}
	}
}

// Unmarshal decodes one value by the same tolerant rules as [JSON.Value], for
// formats that hold one document a line.
func Unmarshal(raw []byte, v any) error {
	err := unmarshal(withoutNUL(raw), v)
	if err == nil {
		return nil
	}
	var syntax *jsontext.SyntacticError
	if errors.As(err, &syntax) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) {
		return errors.New("not valid JSON")
	}
	return shape(err)
}

// Known decodes one value that [JSON.Raw] returned into q, which must be empty.
func Known(valid string, q Quick) error {
	if Take(valid, q) {
		return nil
	}
	return Unmarshal([]byte(valid), q)
}

// unmarshal decodes raw by our tolerant rules.
func unmarshal(raw []byte, v any) error {
	return json.Unmarshal(raw, v, jsontext.AllowInvalidUTF8(true), jsontext.AllowDuplicateNames(true), json.MatchCaseInsensitiveNames(true))
}

// withoutNUL returns JSON with U+FFFD for the escaped U+0000, which stands in
// nothing that a person wrote. It costs a copy only where there is one.
func withoutNUL(raw []byte) []byte {
	const nul, instead = `\u0000`, `\ufffd`
	copied := false
	for at := 0; ; {
		i := bytes.Index(raw[at:], []byte(nul))
		if i < 0 {
			return raw
		}
		i += at
		before := i
		for before > 0 && raw[before-1] == '\\' {
			before--
		}
		if (i-before)%2 == 0 { // the backslash is not escaped itself
			if !copied {
				raw, copied = bytes.Clone(raw), true
			}
			copy(raw[i:], instead)
		}
		at = i + len(nul)
	}
}
