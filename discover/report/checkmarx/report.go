package checkmarx

import (
	"cmp"
	"strings"

	"github.com/leeward-ctem/leeward/discover/record"
	"github.com/leeward-ctem/leeward/discover/term"
	"github.com/leeward-ctem/leeward/exposure"
)

// report is what a report says of all its results.
type report struct {
	project string
	details map[string]record.Value // of a kind of weakness, by the number of its CWE
}

func shared(r *record.Report) *report {
	s, ok := r.State.(*report)
	if !ok {
		s = &report{details: map[string]record.Value{}}
		r.State = s
	}
	return s
}

// header tells of which project a report is.
func header(r *record.Report, v record.Value) error {
	shared(r).project = v.Text("projectName")
	return nil
}

// maxDetails bounds the kinds of weakness that are described; CWE has less.
const maxDetails = 2000

// details describe a kind of weakness.
func details(r *record.Report, v record.Value) error {
	if s := shared(r); len(s.details) < maxDetails {
		s.details[v.Text("cweId")] = v
	}
	return nil
}

// owner is the asset of a report: the project that it names somewhere.
func owner(r *record.Report) exposure.AssetRef {
	return project(cmp.Or(shared(r).project, r.Top().Text("projectName")))
}

// flow is one data flow of a report.
func flow(r *record.Report, v record.Value) error {
	query := r.Up(0)
	name := query.Text("queryName")
	language, _, _ := strings.Cut(query.Text("queryPath"), "/")
	cwe := cmp.Or(v.Text("cweId"), query.Text("cweId"))
	known := shared(r).details[cwe]
	o := exposure.Observation{
		Class: "code", Detection: exposure.DetectionStatic, Asset: owner(r),
		Rule: rule(cmp.Or(language, r.Up(1).Text("languageName", "language")), name), Title: words(name),
		Severity: term.Severity(cmp.Or(v.Text("severity"), query.Text("severity"))), State: state(v), CWEs: term.CWEs(cwe),
		Seen: at(v, "foundDate"), Description: term.Paragraphs(query.Text("description"), known.Text("risk"), known.Text("cause")),
		Solution: term.Paragraphs(known.Text("generalRecommendations")),
	}
	nodes := nodesOf(v.At("nodes"))
	sink(&o, nodes)
	// The steps may leave out the last one, which is named apart.
	if end := file(v.Text("destinationFileName")); end != "" && (end != o.Location.File || v.Int("destinationLine") != o.Location.Line) {
		o.Location = exposure.Location{File: end, Line: v.Int("destinationLine")}
	}
	for _, c := range comments(v.At("comments")) {
		note(&o, c)
	}
	r.Weakness(o)
	return nil
}

// setting is one place of infrastructure as code in a report.
func setting(r *record.Report, v record.Value) error {
	query := r.Up(0)
	id, _, _ := strings.Cut(query.Text("queryId", "queryID"), " ")
	o := exposure.Observation{
		Class: "misconfig", Detection: exposure.DetectionStatic, Asset: owner(r),
		Rule: cmp.Or(id, rule(r.Up(1).Text("name"), query.Text("queryName"))), Title: query.Text("queryName"),
		Severity: term.Severity(cmp.Or(v.Text("severity"), query.Text("severity"))), State: state(v), CWEs: term.CWEs(query.Text("cweId", "cwe")),
		Seen: at(v, "lastDetectionDate"), Description: term.Paragraphs(query.Text("description")),
		Location: exposure.Location{File: file(v.Text("fileName", "filename")), Line: v.Int("line"), Symbol: v.Text("searchKey")},
	}
	values(&o, v)
	r.Weakness(o)
	return nil
}

// dependency is one weakness of a package in a report.
func dependency(r *record.Report, v record.Value) error {
	pack := r.Up(1)
	o := exposure.Observation{
		Class: "vuln", Detection: exposure.DetectionStatic, Asset: owner(r),
		Severity: term.Severity(v.Text("severity", "riskSeverity")), State: state(v), CWEs: term.CWEs(v.Text("cwe", "cweId")),
		Seen: at(v, "foundDate", "lastDetectionDate"), Description: term.Paragraphs(v.Text("description")), CVSS: term.Vectors(v.Text("vector", "cvssVector")),
	}
	advise(&o, v.Text("cve", "cveName"), v.Text("id", "similarityId", "similarityID"))
	o.Component = identified(pack.Text("packageId"), pack.Text("packageName", "name"), pack.Text("packageVersion", "version"))
	if o.Component.Purl == "" {
		o.Component.Purl = term.Purl(pack.Text("packageRepository", "packageManager", "packageType"), o.Component.Name, o.Component.Version)
	}
	o.Component.Fixed = v.Text("fixResolutionText", "recommendedVersion")
	o.References = links(v.At("references"))
	o.Title = titled(&o)
	r.Weakness(o)
	return nil
}
