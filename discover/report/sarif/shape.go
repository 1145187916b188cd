package sarif

import (
	"errors"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/leeward-ctem/leeward/discover/decode"
)

// The objects of the format, with the members that are of use.

// text is a JSON string, number or boolean: tools confuse them.
type text string

var errNotText = errors.New("a list or an object where a text is expected")

// UnmarshalJSONFrom implements json.UnmarshalerFrom.
func (t *text) UnmarshalJSONFrom(d *jsontext.Decoder) error {
	switch kind := d.PeekKind(); kind {
	case '{', '[':
		return errors.Join(d.SkipValue(), errNotText)
	default:
		token, err := d.ReadToken()
		if err == nil && kind != 'n' {
			*t = text(token.String())
		}
		return err
	}
}

func (t text) trim() string { return strings.TrimSpace(string(t)) }

// number returns a positive number, else 0.
func (t text) number() int {
	s := t.trim()
	if s == "" {
		return 0
	}
	n, err := strconv.ParseFloat(s, 64)
	if err != nil || n < 1 || n > 1<<30 {
		return 0
	}
	return int(n)
}

// index returns an index, -1 when there is none.
func (t text) index() int {
	s := t.trim()
	if s == "" {
		return -1
	}
	n, err := strconv.Atoi(s)
	if err != nil || n < 0 {
		return -1
	}
	return n
}

// message is a message, or a multiformatMessageString, or the plain string
// that stood there before 2.1.0.
type message struct {
	Text      text              `json:"text"`
	Markdown  text              `json:"markdown"`
	ID        text              `json:"id"`
	MessageID text              `json:"messageId"` // 2.0.0
	Arguments list[text, *text] `json:"arguments"`
}

// UnmarshalJSONFrom implements json.UnmarshalerFrom.
func (m *message) UnmarshalJSONFrom(d *jsontext.Decoder) error {
	if d.PeekKind() != '{' {
		return m.Text.UnmarshalJSONFrom(d)
	}
	type plain message
	return json.UnmarshalDecode(d, (*plain)(m))
}

// plain is the text of the message, or its Markdown.
func (m *message) plain() string {
	if t := m.Text.trim(); t != "" {
		return t
	}
	return m.Markdown.trim()
}

// artifactLocation names a file; before 2.1.0 a plain string could.
type artifactLocation struct {
	URI       text `json:"uri"`
	URIBaseID text `json:"uriBaseId"`
	Index     text `json:"index"`
	FileIndex text `json:"fileIndex"` // 2.0.0
}

// UnmarshalJSONFrom implements json.UnmarshalerFrom.
func (a *artifactLocation) UnmarshalJSONFrom(d *jsontext.Decoder) error {
	if d.PeekKind() != '{' {
		return a.URI.UnmarshalJSONFrom(d)
	}
	type plain artifactLocation
	return json.UnmarshalDecode(d, (*plain)(a))
}

type reference struct {
	ID            text  `json:"id"`
	Index         text  `json:"index"`
	ToolComponent named `json:"toolComponent"`
}

type named struct {
	Name  text `json:"name"`
	Index text `json:"index"`
}

// list is a list of objects or texts.
type list[T any, P interface {
	*T
	decode.Quick
}] = decode.List[T, P]

// prints are fingerprints by their name.
type prints map[string]text

// bag is a value as it is written.
type bag string

// UnmarshalJSONFrom implements json.UnmarshalerFrom.
func (b *bag) UnmarshalJSONFrom(d *jsontext.Decoder) error {
	raw, err := d.ReadValue()
	*b = bag(raw)
	return err
}

func (b bag) kind() byte {
	if b == "" {
		return 0
	}
	return b[0]
}

// members are those of an object.
type members []member

type member struct {
	name  string
	value bag
}

// UnmarshalJSONFrom implements json.UnmarshalerFrom.
func (m *members) UnmarshalJSONFrom(d *jsontext.Decoder) error {
	var all map[string]bag
	err := json.UnmarshalDecode(d, &all)
	for name, value := range all {
		*m = append(*m, member{name, value})
	}
	return err
}

type result struct {
	RuleID        text      `json:"ruleId"`
	RuleIndex     text      `json:"ruleIndex"`
	Rule          reference `json:"rule"`
	RuleMessageID text      `json:"ruleMessageId"` // 2.0.0
	Kind          text      `json:"kind"`
	Level         text      `json:"level"`
	Message       message   `json:"message"`

	AnalysisTarget   artifactLocation          `json:"analysisTarget"`
	Locations        list[location, *location] `json:"locations"`
	RelatedLocations list[location, *location] `json:"relatedLocations"`
	CodeFlows        list[codeFlow, *codeFlow] `json:"codeFlows"`

	Fingerprints        prints `json:"fingerprints"`
	PartialFingerprints prints `json:"partialFingerprints"`
	BaselineState       text   `json:"baselineState"`
	Suppressions        []struct {
		Status text `json:"status"`
		State  text `json:"state"`
	} `json:"suppressions"`
	SuppressionStates []text `json:"suppressionStates"` // 2.0.0

	Fixes []struct {
		Description message `json:"description"`
	} `json:"fixes"`
	Taxa         list[reference, *reference] `json:"taxa"`
	HostedViewer text                        `json:"hostedViewerUri"`
	WebRequest   webRequest                  `json:"webRequest"`
	Properties   bag                         `json:"properties"`
}

type webRequest struct {
	Method text `json:"method"`
	Target text `json:"target"`
}

type location struct {
	Physical    physical                `json:"physicalLocation"`
	Logicals    list[logical, *logical] `json:"logicalLocations"`
	Logical     logical                 `json:"logicalLocation"`           // draft of 2.1.0
	LogicalName text                    `json:"fullyQualifiedLogicalName"` // 2.0.0
	Message     message                 `json:"message"`
}

type physical struct {
	Artifact artifactLocation `json:"artifactLocation"`
	File     artifactLocation `json:"fileLocation"` // 2.0.0
	Region   region           `json:"region"`
	Context  region           `json:"contextRegion"`
}

type logical struct {
	Name  text `json:"name"`
	Full  text `json:"fullyQualifiedName"`
	Index text `json:"index"`
}

func (l *logical) name() string {
	if n := l.Full.trim(); n != "" {
		return n
	}
	return l.Name.trim()
}

type region struct {
	StartLine   text    `json:"startLine"`
	StartColumn text    `json:"startColumn"`
	Snippet     message `json:"snippet"` // an artifactContent: its text counts
}

type codeFlow struct {
	ThreadFlows list[threadFlow, *threadFlow] `json:"threadFlows"`
}

type threadFlow struct {
	Locations list[step, *step] `json:"locations"`
}

type step struct {
	Location location `json:"location"`
}

type ruleObject struct {
	ID                   text              `json:"id"`
	Name                 message           `json:"name"` // a message in 2.0.0
	DeprecatedIDs        list[text, *text] `json:"deprecatedIds"`
	ShortDescription     message           `json:"shortDescription"`
	FullDescription      message           `json:"fullDescription"`
	HelpURI              text              `json:"helpUri"`
	Help                 message           `json:"help"`
	DefaultConfiguration settings          `json:"defaultConfiguration"`
	Configuration        struct {          // 2.0.0
		DefaultLevel text `json:"defaultLevel"`
	} `json:"configuration"`
	MessageStrings map[string]message                `json:"messageStrings"`
	Relationships  list[relationship, *relationship] `json:"relationships"`
	Properties     bag                               `json:"properties"`
}

type relationship struct {
	Target reference `json:"target"`
}

type settings struct {
	Level   text `json:"level"`
	Enabled text `json:"enabled"`
}

type invocation struct {
	Successful    text             `json:"executionSuccessful"`
	Start         text             `json:"startTimeUtc"`
	StartTime     text             `json:"startTime"` // 2.0.0
	End           text             `json:"endTimeUtc"`
	EndTime       text             `json:"endTime"` // 2.0.0
	Exit          text             `json:"exitCodeDescription"`
	StartFailure  text             `json:"processStartFailureMessage"`
	Directory     artifactLocation `json:"workingDirectory"`
	Notifications []struct {
		Level   text    `json:"level"`
		Message message `json:"message"`
	} `json:"toolExecutionNotifications"`
	Overrides []struct {
		Descriptor    reference `json:"descriptor"`
		Configuration settings  `json:"configuration"`
	} `json:"ruleConfigurationOverrides"`
}

type provenance struct {
	Repository    text             `json:"repositoryUri"`
	RepositoryOld text             `json:"uri"` // 2.0.0
	MappedTo      artifactLocation `json:"mappedTo"`
}
