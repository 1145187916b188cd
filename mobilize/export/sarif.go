package export

import (
	"bufio"
	"cmp"
	"net/url"
	"path"
	"slices"
	"strings"
	"unicode/utf8"
)

// log writes SARIF 2.1.0, see
// https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html, in the
// subset that GitHub asks of what it takes in:
// https://docs.github.com/en/code-security/reference/code-scanning/sarif-files/sarif-support-for-code-scanning
//
// The rules of a run are known when its results have passed, so tool stands
// behind results. Members have no order in JSON: readers of whole documents
// never notice, and one that streams has to hold the results, as ours does up to
// 64 MiB. For what is read without its rule, each result says by itself what
// it is and how bad.
//
// A finding that was verified as fixed is a result of kind "pass", one that
// does not apply of kind "notApplicable"; both are no problems to a reader.
// Excepted and suppressed ones are suppressed results.
type log struct {
	w     *bufio.Writer
	tool  Tool
	some  bool
	root  bool // a file is named from the root of its file system
	rules []rule
	index map[string]int
}

// Bounds on what is kept of rules. The results of more rules than maxRules are
// written without a description of their rule, which is allowed.
const (
	maxRules = 50_000
	maxID    = 256
	maxTitle = 512
)

type text struct {
	Text string `json:"text"`
}

type rule struct {
	ID         string   `json:"id"`
	Short      text     `json:"shortDescription"`
	Full       text     `json:"fullDescription"`
	Help       text     `json:"help"`
	HelpURI    string   `json:"helpUri,omitempty"`
	Default    settings `json:"defaultConfiguration"`
	Properties struct {
		Severity string   `json:"security-severity,omitempty"`
		Tags     []string `json:"tags"`
	} `json:"properties"`

	severity int // the worst of its results, index of severities
}

type settings struct {
	Level string `json:"level"`
}

type result struct {
	RuleID       string            `json:"ruleId"`
	RuleIndex    *int              `json:"ruleIndex,omitempty"`
	Kind         string            `json:"kind,omitempty"` // empty: fail
	Level        string            `json:"level"`
	Message      text              `json:"message"`
	Locations    []location        `json:"locations"`
	Fingerprints map[string]string `json:"partialFingerprints"`
	Rank         float64           `json:"rank"`         // 0…100
	Suppressions []suppression     `json:"suppressions"` // of all results or of none
	Properties   properties        `json:"properties"`
}

type location struct {
	Physical struct {
		Artifact struct {
			URI    string `json:"uri"`
			BaseID string `json:"uriBaseId,omitempty"`
		} `json:"artifactLocation"`
		Region struct {
			Line int `json:"startLine"`
		} `json:"region"`
	} `json:"physicalLocation"`
	Logical []logical `json:"logicalLocations,omitempty"`
}

type logical struct {
	Name string `json:"name"`
	Full string `json:"fullyQualifiedName"`
	Kind string `json:"kind"`
}

type suppression struct {
	Kind   string `json:"kind"`
	Status string `json:"status"`
}

type properties struct {
	ID        string   `json:"id"`
	Risk      int      `json:"risk"`
	Band      string   `json:"band"`
	KEV       bool     `json:"kev"`
	EPSS      *float64 `json:"epss"`
	Severity  string   `json:"severity"`
	Score     string   `json:"security-severity,omitempty"`
	Due       string   `json:"due,omitempty"`
	Status    string   `json:"status"`
	Asset     string   `json:"asset"`
	CVEs      []string `json:"cves,omitempty"`
	Tools     []string `json:"reportedBy,omitempty"`
	FirstSeen string   `json:"firstSeen,omitempty"`
}

// rootID names the root of a file system among the bases of addresses, as
// scanners of images do.
const rootID = "ROOTPATH"

func (l *log) begin() {
	l.w.WriteString(`{"$schema":"https://json.schemastore.org/sarif-2.1.0.json","version":"2.1.0","runs":[{"results":[`)
}

func (l *log) row(r *Row) error {
	if l.some {
		l.w.WriteByte(',')
	}
	l.some = true
	l.w.WriteByte('\n')
	s := severityOf(r.Severity)
	id, index := l.rule(r, s)
	out := result{
		RuleID: id, Level: s.level, Message: text{message(r)}, Locations: []location{l.location(r)},
		Rank: float64(min(max(r.Risk, 0), 1000)) / 10, Suppressions: []suppression{},
		Properties: properties{
			ID: r.ID, Risk: r.Risk, Band: r.Band, KEV: r.KEV, EPSS: r.EPSS, Severity: r.Severity, Score: s.score, Due: r.Due,
			Status: r.Status, Asset: r.Asset, CVEs: r.CVEs, Tools: r.Tools, FirstSeen: r.FirstSeen,
		},
	}
	if index >= 0 {
		out.RuleIndex = &index
	}
	identity := cmp.Or(r.Fingerprint, r.ID)
	// The first is the only one that GitHub looks at.
	out.Fingerprints = map[string]string{"primaryLocationLineHash": identity, "leeward/v1": identity}
	switch r.Status {
	case "verified":
		out.Kind, out.Level = "pass", "none"
	case "not_affected":
		out.Kind, out.Level = "notApplicable", "none"
	case "excepted", "suppressed":
		out.Suppressions = []suppression{{"external", "accepted"}}
	}
	return value(l.w, &out)
}

func (l *log) end() error {
	l.w.WriteString("\n],")
	if l.root {
		l.w.WriteString(`"originalUriBaseIds":{"` + rootID + `":{"uri":"file:///"}},`)
	}
	l.w.WriteString(`"tool":{"driver":{"name":`)
	if err := value(l.w, cmp.Or(l.tool.Name, "unnamed")); err != nil {
		return err
	}
	for _, member := range [...]struct{ name, value string }{{"version", l.tool.Version}, {"informationUri", l.tool.URI}} {
		if member.value == "" {
			continue
		}
		l.w.WriteString(`,"` + member.name + `":`)
		if err := value(l.w, member.value); err != nil {
			return err
		}
	}
	l.w.WriteString(`,"rules":[`)
	for i := range l.rules {
		if i > 0 {
			l.w.WriteByte(',')
		}
		l.w.WriteByte('\n')
		if err := value(l.w, l.rules[i].described()); err != nil {
			return err
		}
	}
	_, err := l.w.WriteString("\n]}}}]}\n")
	return err
}

// cut leaves the document open.
func (l *log) cut() {}

// severity is a scanner's word on the scales of SARIF and of GitHub, which
// takes 9 and more for critical, 7 for high and 4 for medium.
type severity struct{ word, level, score string }

var severities = [...]severity{
	{"unknown", "warning", ""},
	{"info", "note", "0.0"},
	{"low", "note", "2.5"},
	{"medium", "warning", "5.5"},
	{"high", "error", "8.0"},
	{"critical", "error", "9.5"},
}

func severityOf(word string) *severity {
	i := slices.IndexFunc(severities[:], func(s severity) bool { return s.word == word })
	return &severities[max(i, 0)]
}

// rule returns the id of a row's rule and its number, -1 when it is not kept.
func (l *log) rule(r *Row, s *severity) (id string, index int) {
	id = short(cmp.Or(r.Rule, append(slices.Clone(r.CVEs), "unnamed")[0]), maxID)
	index, ok := l.index[id]
	if !ok {
		if len(l.rules) == maxRules {
			return id, -1
		}
		index = len(l.rules)
		l.index[id] = index
		l.rules = append(l.rules, rule{ID: id, Short: text{short(cmp.Or(r.Title, id), maxTitle)}})
	}
	kept := &l.rules[index]
	kept.severity = max(kept.severity, slices.Index(severities[:], *s))
	return id, index
}

// described fills in what follows from the rest.
func (r *rule) described() *rule {
	s := &severities[r.severity]
	r.Full, r.Default, r.Properties.Severity, r.Properties.Tags = r.Short, settings{s.level}, s.score, []string{"security"}
	r.Help = r.Short
	switch id := url.PathEscape(r.ID); {
	case strings.HasPrefix(r.ID, "CVE-"):
		r.HelpURI = "https://www.cve.org/CVERecord?id=" + id
	case strings.HasPrefix(r.ID, "GHSA-"):
		r.HelpURI = "https://github.com/advisories/" + id
	}
	return r
}

// message is the result as a sentence.
func message(r *Row) string {
	s := cmp.Or(r.Title, r.Rule, "A weakness")
	if r.Asset != "" {
		s += " on " + r.Asset
	}
	if r.Location != "" {
		s += ", at " + r.Location
	}
	// [words](address) would be a link that somebody else wrote.
	return strings.ReplaceAll(s, "](", "] (")
}

// location names the place. GitHub wants the address of a file: where there is
// none, the asset stands for it, with the path of a web application below.
func (l *log) location(r *Row) location {
	var at location
	at.Physical.Region.Line = 1 // lines move, so none is kept; GitHub wants one
	a := &at.Physical.Artifact
	switch u, _ := url.Parse(r.URI); {
	case clean(r.File) != "":
		a.URI = escaped(clean(r.File))
		if strings.HasPrefix(r.File, "/") {
			a.BaseID, l.root = rootID, true
		}
	case u != nil && (u.Scheme == "http" || u.Scheme == "https") && u.Host != "":
		a.URI = (&url.URL{Scheme: u.Scheme, Host: u.Host, Path: u.Path}).String()
	default:
		below, _, _ := strings.Cut(r.URI, "?")
		if p, err := url.PathUnescape(below); err == nil {
			below = p
		}
		a.URI = escaped(clean(cmp.Or(r.Asset, r.ID, "unnamed") + "/" + below))
	}
	if a.URI == "" {
		a.URI = "unnamed"
	}
	if r.Asset != "" {
		at.Logical = []logical{{r.Asset, strings.TrimSpace(r.Asset + " " + r.Location), "resource"}}
	}
	return at
}

// clean makes a path relative and keeps it below where it begins.
func clean(p string) string { return path.Clean("/" + strings.ReplaceAll(p, `\`, "/"))[1:] }

// escaped makes a relative address of a path.
func escaped(p string) string {
	parts := strings.Split(strings.ToValidUTF8(p, "\uFFFD"), "/")
	for i := range parts {
		// A colon in the first part would end a scheme.
		parts[i] = strings.ReplaceAll(url.PathEscape(parts[i]), ":", "%3A")
	}
	return strings.Join(parts, "/")
}

// short is the beginning of a text, with U+FFFD for what is no UTF-8.
func short(s string, limit int) string {
	s = strings.ToValidUTF8(s, "\uFFFD")
	if len(s) <= limit {
		return s
	}
	for limit > 0 && !utf8.RuneStart(s[limit]) {
		limit--
	}
	return strings.Clone(s[:limit])
}
