package exposure

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// Filter selects findings. It is what the filter language
//
//	sev:critical kev:true asset:web-* team:payments -tag:lab risk>700 "free text"
//
// parses to: typed and normalised, so that evaluating it needs no more
// parsing. All terms must hold. The CLI, the API and the pages share it.
type Filter struct {
	Terms []Term
}

// Term is one condition.
type Term struct {
	Not   bool
	Field Field
	Op    Op
	// Values are the texts of a term of kind Text or Enum, in lower case; one
	// of them must match. Text may hold * and ?.
	Values []string
	// Numbers are the values of Enum (its numbers), Bool (0 or 1), Number,
	// Days (a count of days), Date (days since 1970-01-01 UTC) and Report.
	Numbers []float64
	// Set holds the findings that a term on a stored field selects, its sign
	// aside: bit i%64 of word i/64 is finding i. The parser leaves it nil; whoever
	// evaluates the filter asks for it first.
	Set []uint64
}

// Op compares a field with a value.
type Op uint8

// The operators. All but Is apply to numbers, days and dates only, and not to
// numbers that are names.
const (
	Is Op = iota
	Less
	LessOrEqual
	Greater
	GreaterOrEqual
)

var opNames = [...]string{":", "<", "<=", ">", ">="}

func (o Op) String() string { return opNames[o] }

// Field is a property that a term speaks of.
type Field uint8

// The fields. FieldText is the free text: title, advisory and asset name.
const (
	FieldText Field = iota
	FieldSeverity
	FieldRisk
	FieldBand
	FieldKEV
	FieldEPSS
	FieldAsset
	FieldKind
	FieldOwner
	FieldTag
	FieldService
	FieldTier
	FieldReach
	FieldStatus
	FieldVerdict
	FieldTool
	FieldClass
	FieldAdvisory
	FieldCWE
	FieldTitle
	FieldComponent
	FieldType
	FieldPort
	FieldDue
	FieldAge
	FieldFirstSeen
	FieldRansomware
	FieldExploit
	FieldScored
	FieldID
	FieldDemo
	FieldScope
	FieldKEVDay
	FieldScan
	FieldOpenedBy
	FieldClosedBy
	FieldReopenedBy
	FieldOnly
	FieldShared
	FieldTechnique
	FieldActor
)

// Stored reports whether only the database knows which findings the field
// speaks of, so that a term needs its [Term.Set].
func (f Field) Stored() bool { return f >= FieldScan && f <= FieldShared }

// ValueKind is what sort of value a field takes.
type ValueKind uint8

// The kinds of value.
const (
	Text ValueKind = iota
	Enum
	Bool
	Number
	Days   // 30d, 4w; compared with the distance to today
	Date   // 2026-01-31
	Report // 12, the number of an imported report
)

// FieldInfo describes a field, for parsing, completion and help.
type FieldInfo struct {
	Field   Field
	Names   []string // the first is canonical
	Kind    ValueKind
	Help    string
	Example string
	Words   []string // the values of an Enum
	parse   func(string) (uint8, error)
}

// Fields returns the table of fields in the order people should see it.
func Fields() []FieldInfo { return fields }

var fields = []FieldInfo{
	enumField(FieldSeverity, severities, "the scanner's word", "sev:critical,high", "sev", "severity"),
	{Field: FieldRisk, Names: []string{"risk"}, Kind: Number, Help: "risk in points, 0 to 1000", Example: "risk>700"},
	enumField(FieldBand, bands, "risk band", "band:critical", "band"),
	{Field: FieldKEV, Names: []string{"kev"}, Kind: Bool, Help: "known to be exploited (CISA KEV)", Example: "kev:true"},
	{Field: FieldKEVDay, Names: []string{"kev_since"}, Kind: Date, Help: "day it was listed as known exploited", Example: "kev_since>=2026-01-31"},
	{Field: FieldEPSS, Names: []string{"epss"}, Kind: Number, Help: "EPSS probability, 0 to 1", Example: "epss>0.1"},
	{Field: FieldAsset, Names: []string{"asset"}, Kind: Text, Help: "asset name or identifier", Example: "asset:web-*"},
	enumField(FieldKind, assetKinds, "kind of asset", "kind:image", "kind"),
	{Field: FieldOwner, Names: []string{"team", "owner"}, Kind: Text, Help: "team that owns the asset; none: nobody does", Example: "team:payments"},
	{Field: FieldTag, Names: []string{"tag"}, Kind: Text, Help: "tag of the asset", Example: "-tag:lab"},
	{Field: FieldService, Names: []string{"service"}, Kind: Text, Help: "business service the asset supports", Example: "service:checkout"},
	{Field: FieldTier, Names: []string{"tier"}, Kind: Number, Help: "tier of the asset, 1 is a crown jewel", Example: "tier<=2"},
	enumField(FieldReach, reaches, "from where the asset can be reached", "reach:internet", "reach"),
	enumField(FieldStatus, statuses, "state in its life; without it only open findings show", "status:verified", "status"),
	enumField(FieldVerdict, verdicts, "outcome of the last validation", "verdict:exploitable", "verdict"),
	{Field: FieldTool, Names: []string{"tool"}, Kind: Text, Help: "scanner that reports it", Example: "tool:trivy"},
	{Field: FieldClass, Names: []string{"class"}, Kind: Text, Help: "class of check", Example: "class:misconfig"},
	{Field: FieldAdvisory, Names: []string{"cve", "advisory"}, Kind: Text, Help: "advisory or rule id", Example: "cve:CVE-2024-*"},
	{Field: FieldCWE, Names: []string{"cwe"}, Kind: Number, Help: "weakness class", Example: "cwe:79"},
	{Field: FieldTitle, Names: []string{"title"}, Kind: Text, Help: "words of the title", Example: "title:openssl"},
	{Field: FieldComponent, Names: []string{"pkg", "component"}, Kind: Text, Help: "package", Example: "pkg:log4j-core"},
	enumField(FieldType, types, "type of exposure", "type:secret", "type"),
	{Field: FieldPort, Names: []string{"port"}, Kind: Number, Help: "network port", Example: "port:443"},
	{Field: FieldDue, Names: []string{"due"}, Kind: Days, Help: "days until it is due; negative: overdue", Example: "due<7d"},
	{Field: FieldAge, Names: []string{"age"}, Kind: Days, Help: "days since it was first seen", Example: "age>30d"},
	{Field: FieldFirstSeen, Names: []string{"first_seen"}, Kind: Date, Help: "day it was first seen", Example: "first_seen>=2026-01-01"},
	{Field: FieldRansomware, Names: []string{"ransomware"}, Kind: Bool, Help: "used in ransomware campaigns", Example: "ransomware:true"},
	{Field: FieldExploit, Names: []string{"exploit"}, Kind: Bool, Help: "an exploit is public", Example: "exploit:true"},
	{Field: FieldTechnique, Names: []string{"technique"}, Kind: Text, Help: "technique of ATT&CK by which it is exploited", Example: "technique:T1190"},
	{Field: FieldActor, Names: []string{"actor"}, Kind: Text, Help: "actor that targets you and is named in its explanation", Example: "actor:APT29"},
	{Field: FieldScored, Names: []string{"scored"}, Kind: Bool, Help: "has an EPSS score", Example: "scored:false"},
	{Field: FieldID, Names: []string{"id"}, Kind: Number, Help: "number of the finding", Example: "id:F-12"},
	{Field: FieldDemo, Names: []string{"demo"}, Kind: Bool, Help: "belongs to the demo data", Example: "demo:false"},
	{Field: FieldScope, Names: []string{"scope"}, Kind: Text, Help: "scope of the programme", Example: "scope:internet-facing"},
	{Field: FieldScan, Names: []string{"scan"}, Kind: Report, Help: "seen by the imported report with this number", Example: "scan:12"},
	{Field: FieldOpenedBy, Names: []string{"opened_by"}, Kind: Report, Help: "seen first by this report", Example: "opened_by:12"},
	{Field: FieldClosedBy, Names: []string{"closed_by"}, Kind: Report, Help: "closed by this report, whatever became of it later", Example: "closed_by:12"},
	{Field: FieldReopenedBy, Names: []string{"reopened_by"}, Kind: Report, Help: "open again by this report, or a claimed fix that it still saw", Example: "reopened_by:12"},
	{Field: FieldOnly, Names: []string{"only"}, Kind: Text, Help: "asserted by this scanner and no other; with a class, by this class of its checks alone", Example: "only:trivy"},
	{Field: FieldShared, Names: []string{"shared"}, Kind: Text, Help: "asserted by this scanner, or class of its checks, and others too", Example: "shared:trivy/vuln"},
}

func enumField(f Field, e enumeration, help, example string, names ...string) FieldInfo {
	return FieldInfo{Field: f, Names: names, Kind: Enum, Help: help, Example: example, Words: e.names, parse: e.parse}
}

func fieldNamed(name string) *FieldInfo {
	for i := range fields {
		for _, n := range fields[i].Names {
			if n == name {
				return &fields[i]
			}
		}
	}
	return nil
}

func (f Field) info() *FieldInfo {
	for i := range fields {
		if fields[i].Field == f {
			return &fields[i]
		}
	}
	return nil
}

// Bounds of the language.
const (
	maxFilter = 4 << 10
	maxTerms  = 64
	maxDays   = 36_500_000 // 100,000 years
)

// ParseFilter reads a filter. The error is Invalid, names the column and
// suggests what may have been meant.
func ParseFilter(s string) (Filter, error) {
	if len(s) > maxFilter {
		return Filter{}, Errorf(Invalid, "the filter is %d bytes long: the limit is %d", len(s), maxFilter)
	}
	if !utf8.ValidString(s) {
		return Filter{}, Errorf(Invalid, "the filter is not valid UTF-8")
	}
	p := filterParser{text: s}
	var f Filter
	for p.space(); p.at < len(p.text); p.space() {
		if len(f.Terms) == maxTerms {
			return Filter{}, Errorf(Invalid, "the filter has more than %d terms", maxTerms)
		}
		t, err := p.term()
		if err != nil {
			return Filter{}, err
		}
		f.Terms = append(f.Terms, t)
	}
	return f, nil
}

type filterParser struct {
	text string
	at   int
}

func (p *filterParser) errorf(at int, format string, args ...any) error {
	return Errorf(Invalid, "filter, column %d: %s", utf8.RuneCountInString(p.text[:at])+1, fmt.Sprintf(format, args...))
}

func (p *filterParser) space() {
	for p.at < len(p.text) && isSpace(p.text[p.at]) {
		p.at++
	}
}

func isSpace(c byte) bool { return c == ' ' || c == '\t' || c == '\n' || c == '\r' }

// piece is one value and whether it was quoted, in which case nothing in it
// has a special meaning.
type piece struct {
	text   string
	quoted bool
}

// value reads a value up to a space or comma; quotes and backslashes protect both.
func (p *filterParser) value() (piece, error) {
	var b strings.Builder
	var out piece
	start := p.at
	for p.at < len(p.text) {
		c := p.text[p.at]
		switch {
		case c == '"':
			out.quoted = true
			open := p.at
			for p.at++; ; p.at++ {
				if p.at >= len(p.text) {
					return out, p.errorf(open, "the quotation mark is not closed")
				}
				if p.text[p.at] == '\\' && p.at+1 < len(p.text) {
					p.at++
				} else if p.text[p.at] == '"' {
					break
				}
				b.WriteByte(p.text[p.at])
			}
			p.at++
		case c == '\\' && p.at+1 < len(p.text):
			b.WriteByte(p.text[p.at+1])
			p.at += 2
		case isSpace(c) || c == ',':
			out.text = b.String()
			return out, nil
		default:
			b.WriteByte(c)
			p.at++
		}
	}
	if p.at == start {
		return out, p.errorf(p.at, "a value is missing")
	}
	out.text = b.String()
	return out, nil
}

func (p *filterParser) term() (Term, error) {
	var t Term
	start := p.at
	if p.text[p.at] == '-' && p.at+1 < len(p.text) && !isSpace(p.text[p.at+1]) {
		t.Not = true
		p.at++
	}
	name, op, found := p.head()
	if !found {
		v, err := p.freeText()
		if err != nil {
			return t, err
		}
		t.Field, t.Values = FieldText, []string{strings.ToLower(v)}
		return t, nil
	}
	if name == "is" {
		return p.shorthand(t, op, start)
	}
	info := fieldNamed(name)
	if info == nil {
		return t, p.errorf(start, "there is no field %q%s", name, suggestion(name, fieldNames()))
	}
	t.Field, t.Op = info.Field, op
	if op != Is && (info.Kind == Text || info.Kind == Enum || info.Kind == Bool || info.Kind == Report) {
		return t, p.errorf(start, "%s takes no %s: write %s", name, op, info.Example)
	}
	for {
		at := p.at
		v, err := p.value()
		if err != nil {
			return t, err
		}
		if err := p.add(&t, info, v, at); err != nil {
			return t, err
		}
		if p.at >= len(p.text) || p.text[p.at] != ',' {
			break
		}
		p.at++
	}
	if t.Op != Is && len(t.Numbers) > 1 {
		return t, p.errorf(start, "%s%s takes one value", name, op)
	}
	return t, nil
}

// head reads "field:" or "field>=" and leaves the parser behind it; found is
// false when a free text follows.
func (p *filterParser) head() (name string, op Op, found bool) {
	end := p.at
	for end < len(p.text) && (p.text[end] == '_' || p.text[end] >= 'a' && p.text[end] <= 'z' || p.text[end] >= 'A' && p.text[end] <= 'Z') {
		end++
	}
	if end == p.at || end == len(p.text) {
		return "", Is, false
	}
	rest := p.text[end:]
	for _, o := range []Op{GreaterOrEqual, LessOrEqual, Greater, Less, Is} {
		if strings.HasPrefix(rest, o.String()) {
			// A URL is a text, not a field "https".
			if o == Is && strings.HasPrefix(rest, "://") {
				return "", Is, false
			}
			name = strings.ToLower(p.text[p.at:end])
			p.at = end + len(o.String())
			return name, o, true
		}
	}
	return "", Is, false
}

// freeText reads a word or a quoted text; commas belong to it.
func (p *filterParser) freeText() (string, error) {
	start := p.at
	var b strings.Builder
	for {
		v, err := p.value()
		if err != nil {
			if p.at == len(p.text) && b.Len() > 0 {
				return b.String(), nil
			}
			return "", err
		}
		b.WriteString(v.text)
		if p.at >= len(p.text) || p.text[p.at] != ',' {
			if b.Len() == 0 {
				return "", p.errorf(start, "the text is empty")
			}
			return b.String(), nil
		}
		b.WriteByte(',')
		if p.at++; p.at == len(p.text) || isSpace(p.text[p.at]) {
			return b.String(), nil
		}
	}
}

// shorthand reads what follows "is:".
func (p *filterParser) shorthand(t Term, op Op, start int) (Term, error) {
	if op != Is {
		return t, p.errorf(start, "is takes no %s: write is:open", op)
	}
	v, err := p.value()
	if err != nil {
		return t, err
	}
	if p.at < len(p.text) && p.text[p.at] == ',' {
		return t, p.errorf(p.at, "is: takes one word")
	}
	switch strings.ToLower(v.text) {
	case "open":
		t.Field, t.Values, t.Numbers = FieldStatus, []string{"open", "triaged", "fix_claimed"}, []float64{0, 1, 2}
	case "overdue":
		t.Field, t.Op, t.Numbers = FieldDue, Less, []float64{0}
	case "new":
		t.Field, t.Op, t.Numbers = FieldAge, LessOrEqual, []float64{7}
	case "any":
		t.Field = FieldStatus
		for i, n := range statuses.names {
			t.Values, t.Numbers = append(t.Values, n), append(t.Numbers, float64(i))
		}
	default:
		return t, p.errorf(start, "is:%s is not known: use is:open, is:overdue, is:new or is:any", v.text)
	}
	return t, nil
}

// add appends one value to a term, typed by its field.
func (p *filterParser) add(t *Term, info *FieldInfo, v piece, at int) error {
	text := strings.ToLower(v.text)
	if text == "" && info.Kind != Text {
		return p.errorf(at, "a value is missing: write %s", info.Example)
	}
	bad := func() error {
		return p.errorf(at, "%q is no value for %s: write %s", v.text, info.Names[0], info.Example)
	}
	var n float64
	switch info.Kind {
	case Text:
		if text == "" {
			return p.errorf(at, "a value is missing: write %s", info.Example)
		}
		t.Values = append(t.Values, text)
		return nil
	case Enum:
		e, err := info.parse(text)
		if err != nil {
			return p.errorf(at, "%q is no value for %s%s", v.text, info.Names[0], suggestion(text, info.Words))
		}
		t.Values = append(t.Values, text)
		n = float64(e)
	case Bool:
		switch text {
		case "true", "yes", "1":
			n = 1
		case "false", "no", "0":
		default:
			return bad()
		}
	case Number:
		digits := text
		if info.Field == FieldID {
			digits = strings.TrimPrefix(text, "f-")
		} else if info.Field == FieldCWE {
			digits = strings.TrimPrefix(text, "cwe-")
		}
		scale := 1.0
		if info.Field == FieldEPSS && strings.HasSuffix(digits, "%") {
			// Divided, because 57·0.01 is more than 0.57.
			digits, scale = strings.TrimSuffix(digits, "%"), 100
		}
		x, err := strconv.ParseFloat(digits, 64)
		if err != nil || math.IsNaN(x) || math.IsInf(x, 0) {
			return bad()
		}
		n = x / scale
	case Days:
		x, ok := parseDays(text)
		if !ok {
			return bad()
		}
		n = x
	case Date:
		d, err := time.Parse(time.DateOnly, text)
		if err != nil {
			return bad()
		}
		n = float64(d.Unix() / 86400)
	case Report:
		id, err := strconv.ParseUint(text, 10, 32)
		if err != nil {
			return bad()
		}
		n = float64(id)
	}
	t.Numbers = append(t.Numbers, n)
	return nil
}

func parseDays(s string) (float64, bool) {
	unit := 1.0
	switch {
	case strings.HasSuffix(s, "d"):
		s = s[:len(s)-1]
	case strings.HasSuffix(s, "w"):
		s, unit = s[:len(s)-1], 7
	case strings.HasSuffix(s, "y"):
		s, unit = s[:len(s)-1], 365
	}
	n, err := strconv.Atoi(s)
	days := float64(n) * unit
	if err != nil || math.Abs(days) > maxDays {
		return 0, false
	}
	return days, true
}

// Status reports whether a term speaks of the status. Without one, lists show
// open findings only; the evaluator adds that.
func (f *Filter) Status() bool {
	for _, t := range f.Terms {
		if t.Field == FieldStatus || t.Field == FieldID {
			return true
		}
	}
	return false
}

// Stored reports whether a term speaks of what only the database knows.
func (f *Filter) Stored() bool {
	return slices.ContainsFunc(f.Terms, func(t Term) bool { return t.Field.Stored() })
}

// With returns the filter with further terms.
func (f Filter) With(terms ...Term) Filter {
	return Filter{append(f.Terms[:len(f.Terms):len(f.Terms)], terms...)}
}

// String is the canonical form; parsing it gives the same filter.
func (f Filter) String() string {
	var b strings.Builder
	for i, t := range f.Terms {
		if i > 0 {
			b.WriteByte(' ')
		}
		b.WriteString(t.String())
	}
	return b.String()
}

// String is the canonical form of a term.
func (t Term) String() string {
	sign := ""
	if t.Not {
		sign = "-"
	}
	if t.Field == FieldText {
		return sign + quoteFilter(t.Values[0], true)
	}
	info := t.Field.info()
	values := make([]string, 0, max(len(t.Values), len(t.Numbers)))
	switch info.Kind {
	case Text, Enum:
		for _, v := range t.Values {
			values = append(values, quoteFilter(v, false))
		}
	default:
		for _, n := range t.Numbers {
			values = append(values, numberText(info.Kind, n))
		}
	}
	return sign + info.Names[0] + t.Op.String() + strings.Join(values, ",")
}

func numberText(k ValueKind, n float64) string {
	switch k {
	case Bool:
		return strconv.FormatBool(n != 0)
	case Days:
		return strconv.Itoa(int(n)) + "d"
	case Date:
		return time.Unix(int64(n)*86400, 0).UTC().Format(time.DateOnly)
	case Report:
		return strconv.FormatUint(uint64(n), 10) // never 1e+06, which is no name
	}
	return strconv.FormatFloat(n, 'g', -1, 64)
}

// quoteFilter quotes a value where the language would read it otherwise. A
// free text is always quoted, since "a:b" would be a field.
func quoteFilter(s string, free bool) string {
	if !free && s != "" && !strings.ContainsAny(s, " \t\r\n,\"\\") {
		return s
	}
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(s) + `"`
}

func fieldNames() []string {
	var names []string
	for _, f := range fields {
		names = append(names, f.Names...)
	}
	return append(names, "is")
}

// suggestion returns ": did you mean x?" for the nearest word, if any is near.
func suggestion(word string, words []string) string {
	best, distance := "", 3
	for _, w := range words {
		if d := editDistance(word, w); d < distance {
			best, distance = w, d
		}
	}
	if best != "" {
		return fmt.Sprintf(": did you mean %s?", best)
	}
	if len(words) <= 16 {
		return ": use " + strings.Join(words, ", ")
	}
	return ""
}

// editDistance is the Levenshtein distance of two short words.
func editDistance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		last := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := last
			if a[i] != b[j] {
				cost = 1 + min(last, row[j], row[j+1])
			}
			last, row[j+1] = row[j+1], cost
		}
	}
	return row[len(b)]
}
