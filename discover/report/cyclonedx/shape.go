package cyclonedx

import (
	"errors"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/leeward-ctem/leeward/exposure"
)

// The records of a document. JSON and XML share them: the names are the same,
// but for what is an attribute or a wrapped list in XML. Every value is text,
// for a number where a string is expected, and the other way round, is no
// reason to lose a record.

// text is a JSON string, number or boolean, or the text of an XML element.
type text string

// UnmarshalJSONFrom implements json.UnmarshalerFrom.
func (t *text) UnmarshalJSONFrom(d *jsontext.Decoder) error {
	switch kind := d.PeekKind(); kind {
	case '"', '0', 't', 'f', 'n':
		token, err := d.ReadToken()
		if err == nil && kind != 'n' {
			*t = text(token.String())
		}
		return err
	}
	return errNotText
}

var errNotText = errors.New("a list or an object where text is expected")

func (t text) trim() string { return strings.TrimSpace(string(t)) }

type metadata struct {
	Timestamp text
	Tools     []named
	Component component
}

// tool returns the first tool that has a name, in lower case.
func (m *metadata) tool() (name, version string) {
	for _, t := range m.Tools {
		if n := strings.ToLower(t.Name.trim()); n != "" {
			return n, t.Version.trim()
		}
	}
	return "", ""
}

// named is a tool: of the list of old, or a component or service of today.
type named struct {
	Name    text `json:"name" xml:"name"`
	Version text `json:"version" xml:"version"`
}

// component is a component or service without its nested ones.
type component struct {
	Type, Ref, Group, Name, Version, Purl text
	Licenses                              []string
	Properties                            []property
	service                               bool
}

type property struct {
	Name  text `json:"name" xml:"name,attr"`
	Value text `json:"value" xml:",chardata"`
}

type vulnerability struct {
	Own            *exposure.Component `json:"own,omitempty" xml:"-"` // of the old extension: the component that it stands in
	ID             text                `json:"id,omitzero" xml:"id"`
	Ref            text                `json:"ref,omitzero" xml:"ref,attr"` // of the old extension: what it affects
	Source         source              `json:"source,omitzero" xml:"source"`
	References     []reference         `json:"references,omitempty" xml:"references>reference"`
	Ratings        []rating            `json:"ratings,omitempty" xml:"ratings>rating"`
	CWEs           []text              `json:"cwes,omitempty" xml:"cwes>cwe"`
	Description    text                `json:"description,omitzero" xml:"description"`
	Detail         text                `json:"detail,omitzero" xml:"detail"`
	Recommendation text                `json:"recommendation,omitzero" xml:"recommendation"`
	Recommended    []text              `json:"recommended,omitempty" xml:"recommendations>recommendation"` // of the old extension
	Workaround     text                `json:"workaround,omitzero" xml:"workaround"`
	Advisories     []advisory          `json:"advisories,omitempty" xml:"advisories>advisory"`
	Analysis       analysis            `json:"analysis,omitzero" xml:"analysis"`
	Affects        []affected          `json:"affects,omitempty" xml:"affects>target"`
	Properties     []property          `json:"properties,omitempty" xml:"properties>property"`
}

type source struct {
	Name text `json:"name,omitzero" xml:"name"`
	Attr text `json:"attr,omitzero" xml:"name,attr"` // of the old extension
	URL  text `json:"url,omitzero" xml:"url"`
}

type reference struct {
	ID     text   `json:"id,omitzero" xml:"id"`
	Source source `json:"source,omitzero" xml:"source"`
}

type rating struct {
	Source   source `json:"source,omitzero" xml:"source"`
	Severity text   `json:"severity,omitzero" xml:"severity"`
	Method   text   `json:"method,omitzero" xml:"method"`
	Vector   text   `json:"vector,omitzero" xml:"vector"`
}

type advisory struct {
	URL  text `json:"url,omitzero" xml:"url"`
	Text text `json:"text,omitzero" xml:",chardata"` // of the old extension
}

type analysis struct {
	State         text `json:"state,omitzero" xml:"state"`
	Justification text `json:"justification,omitzero" xml:"justification"`
	Detail        text `json:"detail,omitzero" xml:"detail"`
}

type affected struct {
	Ref      text              `json:"ref,omitzero" xml:"ref"`
	Versions []affectedVersion `json:"versions,omitempty" xml:"versions>version"`
}

// affectedVersion is a version or a range of versions.
type affectedVersion struct {
	Version text `json:"version,omitzero" xml:"version"`
	Range   text `json:"range,omitzero" xml:"range"`
	Status  text `json:"status,omitzero" xml:"status"` // affected when absent
}
