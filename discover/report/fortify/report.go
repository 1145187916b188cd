package fortify

import (
	"cmp"
	"fmt"
	"strings"

	"github.com/leeward-ctem/leeward/discover/record"
	"github.com/leeward-ctem/leeward/discover/term"
	"github.com/leeward-ctem/leeward/exposure"
)

// reported is one issue of a report. A report may show an issue in several of
// its sections; it is the same each time.
func reported(r *record.Report, v record.Value) error {
	meta := map[string]string{}
	for m := range r.Up(0).List("MajorAttributeSummary.MetaInfo") {
		meta[m.Text("Name")] = m.Text("Value")
	}
	primary := v.At("Primary")
	o := exposure.Observation{
		Class: "code", Detection: exposure.DetectionStatic, Rule: cmp.Or(v.Text("@ruleID"), v.Text("Category")), Title: v.Text("Category"),
		Severity: term.Severity(v.Text("Friority", "Folder")), State: decided(v), Solution: term.Plain(meta["Recommendations"]),
		Description: term.Plain(cmp.Or(meta["Explanation"], meta["Abstract"], v.Text("Abstract"))), References: term.Links(meta["References"]),
		Location: exposure.Location{File: term.File(primary.Text("FilePath", "FileName")), Line: primary.Int("LineStart")},
	}
	for c := range v.List("ExternalCategory") {
		if c.Text("@type") == "CWE" {
			o.CWEs = cwes(c.Text())
		}
	}
	if iid := v.Text("@iid"); iid != "" {
		o.Location.Symbol = "issue " + iid
	}
	note(&o, "output", v.Text("Abstract"))
	var steps []string
	for _, name := range []string{"Source", "Primary"} {
		if at := v.At(name); at.Text("FilePath") != "" {
			steps = append(steps, fmt.Sprintf("%s:%s %s", term.File(at.Text("FilePath")), at.Text("LineStart"), at.Text("TargetFunction")))
		}
	}
	if len(steps) > 1 {
		note(&o, "path", strings.Join(steps, "\n"))
	}
	note(&o, "code", primary.Text("Snippet"))
	for c := range v.List("Comment") {
		if within := c.At("Comment"); within.Exists() {
			c = within
		}
		note(&o, "note", c.Text())
	}
	r.Weakness(o)
	return nil
}

// decided reads what people said of an issue.
func decided(v record.Value) exposure.State {
	for tag := range v.List("Tag") {
		if tag.Text("Name") != "Analysis" {
			continue
		}
		return analysed(tag.Text("Value"))
	}
	return exposure.StatePresent
}

// web is one issue of a WebInspect scan.
func web(r *record.Report, v record.Value) error {
	o := exposure.Observation{
		Tool: "webinspect", Class: "web", Detection: exposure.DetectionRemote, Rule: v.Text("VulnerabilityID", "CheckTypeID"), Title: v.Text("Name"),
		Severity: webSeverity(v.Text("Severity")), Location: exposure.Location{Parameter: v.Text("AttackParamDescriptor"), Method: v.Text("AttackMethod")},
	}
	for s := range v.List("ReportSection") {
		text := term.Plain(s.Text("SectionText"))
		switch s.Text("Name") {
		case "Summary":
			o.Description = text
		case "Fix":
			o.Solution = text
		case "Execution":
			note(&o, "note", text)
		case "Reference Info":
			o.References = term.Links(s.Text("SectionText"))
		}
	}
	for c := range v.List("Classifications.Classification") {
		if c.Text("@kind") == "CWE" {
			o.CWEs = append(o.CWEs, term.CWEs(c.Text("@identifier"))...)
		}
	}
	at := term.ParseEndpoint(v.Text("URL", "VulnerableSession"))
	if at.Host == "" {
		at.Scheme, at.Host, at.Port = v.Text("Scheme"), v.Text("Host"), v.Int("Port")
	}
	at.Place(&o)
	note(&o, "request", v.Text("RawRequest"))
	note(&o, "response", v.Text("RawResponse"))
	r.Weakness(o)
	return nil
}

func webSeverity(number string) exposure.Severity {
	switch number {
	case "4":
		return exposure.SeverityCritical
	case "3":
		return exposure.SeverityHigh
	case "2":
		return exposure.SeverityMedium
	case "1":
		return exposure.SeverityLow
	case "0":
		return exposure.SeverityInfo
	}
	return term.Severity(number)
}
