package generic

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"github.com/leeward-ctem/leeward/discover/term"
	"strings"
	"time"

	"github.com/leeward-ctem/leeward/discover/decode"
	"github.com/leeward-ctem/leeward/exposure"
)

const tool = "generic"

// Bounds on what is kept of a record, in bytes. Of texts for people the start
// is kept; what is part of an identity is hashed instead, see bounded.
const (
	maxText  = 64 << 10
	maxPlace = 2000
	maxRule  = 300
)

var (
	errNameless  = errors.New("it has neither a title nor an advisory nor a rule, so it has no identity")
	errEndpoints = fmt.Errorf("it names more than %d endpoints", maxEndpoints)
)

// record is one finding as the report states it: the text of each field.
type record struct {
	text      [fieldCount]string
	rank      [fieldCount]uint8 // of the name that the text was under, 0: none
	endpoints []term.Endpoint
	overflow  bool // there were more
	judged    bool // it says how it stands
	port      int  // beside the host or address of the asset
	hosts     *hosts
	days      *days
	single    [1]target // what most findings have

	found     []host // and the addresses beside them, in the columns for both
	addresses []string
}

// reset empties a record whose values were of the columns.
func (r *record) reset(columns []meaning) {
	for _, c := range columns {
		r.text[c.field], r.rank[c.field] = "", 0
	}
	r.endpoints, r.found, r.addresses = r.endpoints[:0], r.found[:0], r.addresses[:0]
	r.overflow, r.judged, r.port = false, false, 0
	r.single = [1]target{}
}

// set takes up a value.
func (r *record) set(m meaning, s string) {
	if s == "" || m.field == fieldIgnored {
		return
	}
	switch {
	case r.rank[m.field] == 0:
		r.text[m.field], r.rank[m.field] = s, m.rank
	case m.field.plural():
		if len(r.text[m.field])+len(s) < maxText {
			r.text[m.field] += "\n" + s
		}
	case m.rank <= r.rank[m.field]: // the better name, or the last of the same
		r.text[m.field], r.rank[m.field] = s, m.rank
	}
	r.judged = r.judged || m.field >= fieldStatus && m.field <= fieldDuplicate
}

// value is the text of a field that is not prose: without space around it, and
// "" where it says that there is nothing.
func (r *record) value(f field) string {
	if r.text[f] == "" {
		return ""
	}
	return trimmed(r.text[f])
}

func trimmed(s string) string {
	if s = strings.TrimSpace(s); term.Nothing(s) {
		return ""
	}
	return s
}

// document is what a walk over a report feeds.
type document struct {
	*decode.Emitter
	names dictionary
	hosts *hosts
	tool  string // of findings that name none; "" while it may still be told
	found bool   // there was a finding, or a list of them

	held []exposure.Observation // what waits for the tool, see hold.go
}

// state sends what a finding states. The error says why it is lost.
func (d *document) state(r *record) (lost, err error) {
	r.hosts = d.hosts
	r.addEndpoints(r.text[fieldURL])
	if r.overflow {
		return errEndpoints, nil
	}
	o := exposure.Observation{
		Kind:        exposure.ObservedWeakness,
		Tool:        toolName(r.value(fieldTool)),
		State:       r.state(),
		Title:       term.OneLine(r.text[fieldTitle]),
		Description: r.description(),
		Solution:    strings.TrimSpace(r.text[fieldSolution]),
		Severity:    term.Severity(strings.TrimSpace(r.text[fieldSeverity])),
		CWEs:        term.CWEs(r.value(fieldCWE)),
		CVSS:        term.Vectors(r.value(fieldCVSS)),
		References:  references(r.value(fieldReferences)),
		Confidence:  r.confidence(),
	}
	if !r.identify(&o) {
		return errNameless, nil
	}
	d.found = true
	if o.Severity == exposure.SeverityUnknown {
		if o.Severity = term.Rated(r.value(fieldScore)); o.Severity == exposure.SeverityUnknown {
			o.Severity = term.Rated(firstWord(r.value(fieldCVSS)))
		}
	}
	o.Component = exposure.Component{
		Purl: bounded(r.value(fieldPurl), maxPlace), Name: bounded(r.value(fieldComponent), maxPlace),
		Version: bounded(r.value(fieldVersion), maxPlace), Fixed: bounded(r.value(fieldFixed), maxPlace),
	}
	if _, yesNo := term.Bool(o.Component.Fixed); yesNo && len(o.Component.Fixed) > 1 {
		o.Component.Fixed = ""
	}
	if !strings.HasPrefix(o.Component.Purl, "pkg:") {
		o.Component.Purl = ""
	}
	o.Seen = r.seen(o.State)
	o.Detection = r.detection()
	targets := r.targets()
	for i := range targets {
		t := &targets[i]
		o.Asset, o.Location = t.asset, r.location(t)
		o.Class = cmp.Or(class(r.value(fieldClass)), r.usualClass(&o))
		o.Evidence = r.evidence(t.endpoints, o.Seen)
		if err := d.send(&o); err != nil {
			return nil, err
		}
	}
	return nil, nil
}

// identify fills in what the weakness is known by: the ids of advisories, and
// a rule. Without a rule of the tool, it is the one advisory, else the title
// in normal form. It is false if there is nothing of it.
func (r *record) identify(o *exposure.Observation) bool {
	var other string
	o.Advisories, other = term.Advisories(r.value(fieldCVE), r.value(fieldAdvisories))
	o.Aliased = term.Aliased(o.Advisories)
	o.Rule = bounded(term.OneLine(cmp.Or(r.value(fieldRule), r.value(fieldUnique), other)), maxRule)
	if o.Rule == "" && (o.Aliased || len(o.Advisories) == 1) {
		o.Rule = exposure.Canonical(o.Advisories)
	}
	if o.Rule == "" {
		o.Rule = bounded(normalTitle(o.Title), maxRule)
	}
	if o.Rule == "" && len(o.Advisories) > 0 {
		o.Rule = bounded(strings.Join(o.Advisories, " "), maxRule)
	}
	o.Title = cmp.Or(o.Title, strings.Join(o.Advisories[:min(len(o.Advisories), 3)], ", "), o.Rule)
	return o.Rule != ""
}

// normalTitle is a title without what may differ between two reports of one
// weakness: letter case, space, and the stop at the end.
func normalTitle(s string) string {
	return strings.TrimRight(strings.ToLower(s), ".!:; ")
}

// usualClass is the class of checks of a finding that states none.
func (r *record) usualClass(o *exposure.Observation) string {
	switch {
	case len(o.Advisories) > 0, o.Component.Name != "", o.Component.Purl != "":
		return "vuln"
	case o.Location.File != "":
		return "code"
	case o.Location.Path != "":
		return "web"
	}
	return ""
}

func (r *record) detection() exposure.Detection {
	if v, _ := term.Bool(r.value(fieldStatic)); v {
		return exposure.DetectionStatic
	}
	if v, _ := term.Bool(r.value(fieldDynamic)); v {
		return exposure.DetectionRemote
	}
	return exposure.DetectionUnknown
}

// seen is when what the finding says was so. That a weakness was first seen at
// some date tells nothing of when it was fixed, silenced or opened again: a
// finding with a status speaks of the time of the report, or else an older
// date would make it an older word than the one that it corrects.
func (r *record) seen(s exposure.State) time.Time {
	if s != exposure.StatePresent {
		return time.Time{}
	}
	last := term.Date(r.text[fieldLastSeen])
	switch {
	case !last.IsZero():
		return last
	case r.judged:
		return time.Time{}
	}
	return r.first()
}

// days remembers the last date of first sight: many findings share it.
type days struct {
	text, note string
	at         time.Time
}

func (r *record) first() time.Time {
	if s := r.text[fieldFirstSeen]; r.days == nil || s != r.days.text {
		at := term.Date(s)
		r.days = &days{s, "first seen " + at.Format(time.DateOnly), at}
	}
	return r.days.at
}

// description is the text about the weakness, with its impact.
func (r *record) description() string {
	about, impact := strings.TrimSpace(r.text[fieldDescription]), strings.TrimSpace(r.text[fieldImpact])
	if term.Nothing(impact) {
		return about
	}
	if about == "" {
		return "Impact: " + impact
	}
	return about + "\n\nImpact: " + impact
}

// listedEndpoints is how many endpoints are listed as evidence.
const listedEndpoints = 50

// evidence is what is known besides.
func (r *record) evidence(at []term.Endpoint, seen time.Time) (all []exposure.Evidence) {
	add := func(kind, label string, f field) {
		if s := r.value(f); s != "" {
			all = append(all, exposure.Evidence{Kind: kind, Text: label + s})
		}
	}
	add("request", "", fieldRequest)
	add("response", "", fieldResponse)
	add("output", "", fieldEvidence)
	add("note", "Steps to reproduce:\n", fieldSteps)
	add("note", "Payload: ", fieldPayload)
	if first := r.first(); !first.IsZero() && !first.Equal(seen) {
		all = append(all, exposure.Evidence{Kind: "note", Text: r.days.note})
	}
	if len(at) > 1 {
		var b strings.Builder
		for _, e := range at[:min(len(at), listedEndpoints)] {
			b.WriteString(bounded(e.Text, maxPlace) + "\n")
		}
		if more := len(at) - listedEndpoints; more > 0 {
			fmt.Fprintf(&b, "and %d more\n", more)
		}
		all = append(all, exposure.Evidence{Kind: "output", Text: b.String()})
	}
	if r.rank[fieldTags] != 0 && r.value(fieldTags) != "" {
		all = append(all, exposure.Evidence{Kind: "note", Text: "tags: " + strings.ReplaceAll(r.value(fieldTags), "\n", ", ")})
	}
	return all
}

// maxReferences bounds the references of a finding.
const maxReferences = 200

// references are the addresses in a text, or its lines where it has none.
func references(s string) (all []string) {
	if s == "" {
		return nil
	}
	for word := range strings.FieldsSeq(s) {
		i := strings.Index(word, "http")
		if i < 0 {
			continue
		}
		if word = strings.TrimRight(word[i:], `,;.)]>"'`); (strings.HasPrefix(word, "http://") || strings.HasPrefix(word, "https://")) && len(all) < maxReferences {
			all = append(all, word)
		}
	}
	if all != nil {
		return all
	}
	for line := range strings.SplitSeq(s, "\n") {
		if line = term.OneLine(line); line != "" && len(all) < maxReferences {
			all = append(all, line)
		}
	}
	return all
}

func firstWord(s string) string {
	if i := strings.IndexFunc(s, term.Between); i >= 0 {
		return s[:i]
	}
	return s
}

// bounded is s, or when it is longer than limit its start and the hash of the
// whole, so that two long texts stay two.
func bounded(s string, limit int) string {
	if len(s) <= limit {
		return s
	}
	return hashed(s, limit)
}

func hashed(s string, limit int) string {
	sum := sha256.Sum256([]byte(s))
	return strings.ToValidUTF8(s[:limit-18], "") + " #" + hex.EncodeToString(sum[:8])
}
