package checkmarx

import (
	"cmp"
	"fmt"
	"strings"
	"time"

	"github.com/leeward-ctem/leeward/discover/record"
	"github.com/leeward-ctem/leeward/discover/term"
	"github.com/leeward-ctem/leeward/exposure"
)

// lasted reads how long a scan took: 00h:07m:13s.
func lasted(s string) time.Duration {
	d, err := time.ParseDuration(strings.ReplaceAll(s, ":", ""))
	if err != nil || d < 0 {
		return 0
	}
	return d
}

// project is the asset of a report that names its project.
func project(name string) exposure.AssetRef {
	ref := exposure.AssetRef{Kind: exposure.AssetRepository}
	ref.Add(exposure.IDName, name)
	if len(ref.Identifiers) == 0 {
		return exposure.AssetRef{}
	}
	return ref
}

// rule is how a query is known.
func rule(language, query string) string {
	if language == "" || query == "" {
		return query
	}
	return language + "/" + query
}

// words is the name of a query for people.
func words(query string) string { return strings.ReplaceAll(query, "_", " ") }

// file is a path within the project, which stands for the root.
func file(path string) string { return strings.TrimLeft(term.File(path), "/") }

// result is one data flow of an XML report.
func result(r *record.Report, v record.Value) error {
	query := r.Up(0)
	o := exposure.Observation{
		Class: "code", Detection: exposure.DetectionStatic, Asset: project(r.Top().Text("@ProjectName")),
		Rule: rule(query.Text("@Language"), query.Text("@name")), Title: words(query.Text("@name")),
		Description: described(query.Text("@group"), query.Text("@categories")),
		Severity:    term.Severity(cmp.Or(v.Text("@Severity"), query.Text("@Severity"))), CWEs: term.CWEs(query.Text("@cweId")),
		State:    xmlState(v),
		Location: exposure.Location{File: file(v.Text("@FileName")), Line: v.Int("@Line"), Column: v.Int("@Column")},
	}
	var nodes []node
	for n := range v.List("Path.PathNode") {
		line := n.Text("Line")
		nodes = append(nodes, node{file: file(n.Text("FileName")), line: n.Int("Line"), column: n.Int("Column"), name: n.Text("Name"), symbol: n.Text("Name"), code: snippet(n, line)})
	}
	sink(&o, nodes)
	note(&o, v.Text("@Remark"))
	r.Weakness(o)
	return nil
}

// snippet is the code of a node, without the lines around it and their numbers.
func snippet(n record.Value, number string) string {
	first := ""
	for line := range n.List("Snippet.Line") {
		code := strings.TrimSpace(line.Text("Code"))
		if line.Text("Number") == number {
			return code
		}
		first = cmp.Or(first, code)
	}
	return first
}

func described(group, categories string) string {
	var lines []string
	if group != "" {
		lines = append(lines, "Group: "+words(group))
	}
	for c := range strings.SplitSeq(categories, ",") {
		if c = strings.TrimSpace(c); c != "" {
			lines = append(lines, strings.ReplaceAll(c, ";", ": "))
		}
	}
	return strings.Join(lines, "\n")
}

// xmlState reads what was decided of a result: its state is a number, of which
// 1 is "not exploitable". One that is only proposed to be so is there.
func xmlState(v record.Value) exposure.State {
	switch {
	case v.Yes("@FalsePositive"), v.Text("@state") == "1":
		return exposure.StateNotAffected
	case v.Text("@Status") == "Fixed":
		return exposure.StateFixed
	}
	return exposure.StatePresent
}

// node is a step of a data flow.
type node struct {
	file         string
	line, column int
	name, symbol string
	code         string
}

// maxSteps bounds the steps of a data flow that are kept.
const maxSteps = 60

// sink puts the last step of a data flow in the place of a weakness, and the
// flow in its evidence.
func sink(o *exposure.Observation, nodes []node) {
	if len(nodes) == 0 {
		return
	}
	last := nodes[len(nodes)-1]
	at := &o.Location
	if last.file != "" {
		at.File, at.Line, at.Column = last.file, last.line, last.column
	}
	at.Symbol, at.Snippet = last.symbol, last.code
	o.Evidence = append(o.Evidence, steps(nodes))
}

// steps tells a data flow, one step a line.
func steps(nodes []node) exposure.Evidence {
	var b strings.Builder
	for i, n := range nodes {
		if i == maxSteps {
			fmt.Fprintf(&b, "… and %d more\n", len(nodes)-i)
			break
		}
		fmt.Fprintf(&b, "%s:%d %s\n", n.file, n.line, n.name)
		if n.code != "" {
			b.WriteString("    " + n.code + "\n")
		}
	}
	return exposure.Evidence{Kind: "path", Text: strings.TrimSpace(b.String())}
}

// note adds a remark of a person to the evidence.
func note(o *exposure.Observation, text string) {
	if text = strings.TrimSpace(text); text != "" {
		o.Evidence = append(o.Evidence, exposure.Evidence{Kind: "note", Text: text})
	}
}
