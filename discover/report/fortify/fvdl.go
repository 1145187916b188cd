package fortify

import (
	"cmp"
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"github.com/leeward-ctem/leeward/discover/record"
	"github.com/leeward-ctem/leeward/discover/term"
	"github.com/leeward-ctem/leeward/exposure"
)

// known is what a result says apart from its vulnerabilities.
type known struct {
	version string
	project string
	texts   map[string]record.Value // descriptions, by class
	nodes   map[string]record.Value // shared steps of traces, by id
	code    map[string]string       // by the id of a snippet
	rules   map[string]map[string]string
	decided *decisions // of the same archive; nil without
}

func newKnown() *known {
	return &known{texts: map[string]record.Value{}, nodes: map[string]record.Value{}, code: map[string]string{}, rules: map[string]map[string]string{}}
}

// maxKnown bounds the entries of each kind; results have some ten thousands.
const maxKnown = 1 << 20

func (k *known) about(top record.Value, run *exposure.Run) {
	run.Version = k.version
	if top.At("CreatedTS").Exists() {
		run.Format = strings.TrimSpace("FVDL " + top.Text("@version"))
	}
	run.Finished = term.Date(strings.TrimSpace(top.Text("CreatedTS.@date") + " " + top.Text("CreatedTS.@time") + zone(top.Text("WriteDate.@time"))))
}

// zone is the time zone of a clock. A result tells its own with the time at which
// it was written, and not with that of the scan.
func zone(clock string) string {
	if i := strings.IndexAny(clock, "+-Z"); i >= 0 {
		return clock[i:]
	}
	return ""
}

// build names what was scanned: the project, or else the build.
func (k *known) build(_ *record.Report, v record.Value) error {
	k.project = cmp.Or(v.Text(), k.project)
	return nil
}

func (k *known) engine(_ *record.Report, v record.Value) error {
	k.version = v.Text()
	return nil
}

func (k *known) description(_ *record.Report, v record.Value) error {
	if len(k.texts) < maxKnown {
		k.texts[v.Text("@classID")] = v
	}
	return nil
}

func (k *known) node(_ *record.Report, v record.Value) error {
	if len(k.nodes) < maxKnown {
		k.nodes[v.Text("@id")] = v
	}
	return nil
}

func (k *known) snippet(_ *record.Report, v record.Value) error {
	if len(k.code) < maxKnown {
		k.code[v.Text("@id")] = v.At("Text").Text()
	}
	return nil
}

func (k *known) rule(_ *record.Report, v record.Value) error {
	facts := map[string]string{}
	for g := range v.List("MetaInfo.Group") {
		switch name := g.Text("@name"); name {
		case "Impact", "Accuracy", "Probability", "altcategoryCWE":
			facts[name] = g.Text()
		}
	}
	if len(k.rules) < maxKnown {
		k.rules[v.Text("@id")] = facts
	}
	return nil
}

// vulnerability is one of a result.
func (k *known) vulnerability(r *record.Report, v record.Value) error {
	class, instance := v.At("ClassInfo"), v.At("InstanceInfo")
	id := class.Text("ClassID")
	o := exposure.Observation{
		Class: "code", Detection: exposure.DetectionStatic, Rule: id, Title: class.Text("Type"),
		Severity: k.severity(id, instance), Confidence: int(19 * number(instance.Text("Confidence"))), CWEs: cwes(k.rules[id]["altcategoryCWE"]),
	}
	if sub := class.Text("Subtype"); sub != "" {
		o.Title += ": " + sub
	}
	if k.project != "" {
		o.Asset.Kind = exposure.AssetRepository
		o.Asset.Add(exposure.IDName, k.project)
	}
	k.describe(&o, k.texts[id], v)
	k.trace(&o, v)
	if id := instance.Text("InstanceID"); id != "" {
		o.Location.Symbol = "issue " + id
		k.decided.apply(&o, id, r.Facts().Finished)
	}
	r.Weakness(o)
	return nil
}

func number(s string) float64 {
	f, err := strconv.ParseFloat(s, 64)
	if err != nil || !(f >= 0 && f <= 5) {
		return 0
	}
	return f
}

// severity is the priority of an issue as Fortify works it out: of the impact of
// its rule, and how likely that is. When its rule tells neither, it is that of
// the instance, from 1 to 5.
func (k *known) severity(id string, instance record.Value) exposure.Severity {
	rule := k.rules[id]
	impact := number(rule["Impact"])
	likely := number(rule["Accuracy"]) * number(instance.Text("Confidence")) * number(rule["Probability"]) / 25
	switch s := number(instance.Text("InstanceSeverity")); {
	case impact >= 2.5 && likely >= 2.5:
		return exposure.SeverityCritical
	case impact >= 2.5:
		return exposure.SeverityHigh
	case impact > 0 && likely >= 2.5:
		return exposure.SeverityMedium
	case impact > 0:
		return exposure.SeverityLow
	case s >= 4.5:
		return exposure.SeverityCritical
	case s >= 3.5:
		return exposure.SeverityHigh
	case s >= 2.5:
		return exposure.SeverityMedium
	case s >= 1.5:
		return exposure.SeverityLow
	case s > 0:
		return exposure.SeverityInfo
	}
	return exposure.SeverityUnknown
}

// marks are elements of the texts of rules that make paragraphs.
var marks = strings.NewReplacer("<Content>", "<p>", "</Content>", "</p>", "<Paragraph>", "<p>", "</Paragraph>", "</p>", "<AltParagraph>", "<p>", "</AltParagraph>", "</p>")

// replaced are the places in a text where something of the instance stands.
var replaced = regexp.MustCompile(`<Replace key="([^"<>]*)"[^<>]*/?>`)

// describe takes the texts of a class. The abstract speaks of the instance.
func (k *known) describe(o *exposure.Observation, text, v record.Value) {
	o.Description = term.Plain(marks.Replace(text.Text("Explanation")))
	o.Solution = term.Plain(marks.Replace(text.Text("Recommendations")))
	for ref := range text.List("References.Reference") {
		o.References = append(o.References, term.Links(ref.Text("Source"))...)
	}
	values := map[string]string{}
	for d := range v.List("AnalysisInfo.Unified.ReplacementDefinitions.Def") {
		values[d.Text("@key")] = d.Text("@value")
	}
	abstract := replaced.ReplaceAllStringFunc(text.Text("Abstract"), func(s string) string {
		return values[replaced.FindStringSubmatch(s)[1]]
	})
	if abstract = term.Plain(marks.Replace(abstract)); o.Description == "" {
		o.Description = abstract
	} else {
		note(o, "output", abstract)
	}
}

// maxSteps bounds the steps of a trace that are kept.
const maxSteps = 60

// trace is the way to an issue. The step that stands for it is marked; without a
// mark it is the last.
func (k *known) trace(o *exposure.Observation, v record.Value) {
	var at record.Value
	var steps []string
	for e := range v.List("AnalysisInfo.Unified.Trace.Primary.Entry") {
		n := e.At("Node")
		if !n.Exists() {
			n = k.nodes[e.Text("NodeRef.@id")]
		}
		place := n.At("SourceLocation")
		if !place.Exists() {
			continue
		}
		if !at.Exists() || !at.Yes("@isDefault") {
			at = n
		}
		if len(steps) < maxSteps {
			steps = append(steps, fmt.Sprintf("%s:%s %s", term.File(place.Text("@path")), place.Text("@line"), cmp.Or(n.Text("@label"), n.Text("Action"))))
		}
	}
	place := at.At("SourceLocation")
	o.Location.File, o.Location.Line, o.Location.Column = term.File(place.Text("@path")), place.Int("@line"), place.Int("@colStart")
	context := v.At("AnalysisInfo.Unified.Context.Function")
	if name := context.Text("@name"); name != "" {
		note(o, "note", "Function: "+strings.TrimLeft(context.Text("@namespace")+"."+context.Text("@enclosingClass")+"."+name, "."))
	}
	note(o, "path", strings.Join(steps, "\n"))
	note(o, "code", k.code[place.Text("@snippet")])
}
