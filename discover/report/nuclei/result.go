package nuclei

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

// field is a member of a result that is of use.
type field int

const (
	fieldTemplateID field = iota
	fieldTemplate
	fieldInfo
	fieldName     // in info since 2.2
	fieldSeverity // in info since 2.2
	fieldMatcher
	fieldExtractor
	fieldStatus
	fieldType
	fieldHost
	fieldMatchedAt
	fieldIP
	fieldPort
	fieldURL
	fieldTimestamp
	fieldExtracted
	fieldRequest
	fieldResponse
	fieldCurl
	fieldInteraction
	fieldLines
	fieldParameter
	fieldMethod
	fields
)

// fieldOf maps the name of a member, of any version, to its field.
func fieldOf(quoted []byte) (f field, ok bool) {
	switch string(quoted) {
	case `"template-id"`, `"templateID"`, `"template_id"`:
		return fieldTemplateID, true
	case `"template"`, `"template-path"`, `"templatePath"`:
		return fieldTemplate, true
	case `"info"`:
		return fieldInfo, true
	case `"name"`:
		return fieldName, true
	case `"severity"`:
		return fieldSeverity, true
	case `"matcher-name"`, `"matcher_name"`, `"matcherName"`:
		return fieldMatcher, true
	case `"extractor-name"`, `"extractor_name"`, `"extractorName"`:
		return fieldExtractor, true
	case `"matcher-status"`, `"matcher_status"`:
		return fieldStatus, true
	case `"type"`:
		return fieldType, true
	case `"host"`:
		return fieldHost, true
	case `"matched-at"`, `"matched"`, `"matched_at"`:
		return fieldMatchedAt, true
	case `"ip"`:
		return fieldIP, true
	case `"port"`:
		return fieldPort, true
	case `"url"`:
		return fieldURL, true
	case `"timestamp"`:
		return fieldTimestamp, true
	case `"extracted-results"`, `"extracted_results"`, `"extractedResults"`:
		return fieldExtracted, true
	case `"request"`:
		return fieldRequest, true
	case `"response"`:
		return fieldResponse, true
	case `"curl-command"`, `"curl_command"`:
		return fieldCurl, true
	case `"interaction"`:
		return fieldInteraction, true
	case `"matched-line"`:
		return fieldLines, true
	case `"fuzzing_parameter"`, `"fuzzing-parameter"`:
		return fieldParameter, true
	case `"fuzzing_method"`, `"fuzzing-method"`:
		return fieldMethod, true
	}
	return 0, false
}

// result is one result of a report. Its values lie in the report's own bytes
// until they are asked for: most of a report is requests and responses, of
// which only the start is of use.
type result struct {
	raw [fields]jsontext.Value
	dec jsontext.Decoder
	buf bytes.Buffer
	err error // the first value of a wrong shape
}

// parse finds the members of the result in b, which must stay as it is while
// the result is in use. io.ErrUnexpectedEOF says that b is cut off.
func (r *result) parse(b []byte) error {
	r.raw, r.err = [fields]jsontext.Value{}, nil
	r.buf = *bytes.NewBuffer(b)
	r.dec.Reset(&r.buf, jsontext.AllowInvalidUTF8(true), jsontext.AllowDuplicateNames(true))
	if r.dec.PeekKind() != '{' {
		if _, err := r.dec.ReadValue(); err != nil {
			return syntax(err)
		}
		return errors.New("a result that is no object")
	}
	if _, err := r.dec.ReadToken(); err != nil {
		return syntax(err)
	}
	for r.dec.PeekKind() != '}' {
		name, err := r.dec.ReadValue()
		if err != nil {
			return syntax(err)
		}
		f, ok := fieldOf(name)
		value, err := r.dec.ReadValue()
		if err != nil {
			return syntax(err)
		}
		if ok {
			end := int(r.dec.InputOffset())
			r.raw[f] = b[end-len(value) : end]
		}
	}
	if _, err := r.dec.ReadToken(); err != nil {
		return syntax(err)
	}
	if len(bytes.TrimSpace(b[r.dec.InputOffset():])) > 0 {
		return errors.New("unexpected data after the result")
	}
	return nil
}

func syntax(err error) error {
	if errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	var s *jsontext.SyntacticError
	if errors.As(err, &s) {
		return fmt.Errorf("not valid JSON (%s)", strings.TrimPrefix(s.Err.Error(), "jsontext: "))
	}
	return err
}

// matched reports whether the check found what it looks for.
func (r *result) matched() bool { return strings.Trim(string(r.raw[fieldStatus]), `"`) != "false" }

// has reports whether the member is there and not null.
func (r *result) has(f field) bool { return len(r.raw[f]) > 0 && r.raw[f].Kind() != 'n' }

// text returns a text, or a number or boolean as it is written.
func (r *result) text(f field) string {
	s, err := text(r.raw[f], 0)
	if err != nil && r.err == nil {
		r.err = err
	}
	return s
}

// start returns the first part of a long text.
func (r *result) start(f field) string {
	s, err := text(r.raw[f], maxText)
	if err != nil && r.err == nil {
		r.err = err
	}
	return s
}

// list returns the texts of an array, or the one that stands alone.
func (r *result) list(f field) []string {
	l, err := list(r.raw[f])
	if err != nil && r.err == nil {
		r.err = err
	}
	return l
}
