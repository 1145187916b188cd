// Package kics reads the JSON reports of KICS, which looks at infrastructure as
// code.
//
// A query that found something makes an observation for each place. A place is
// known by its file and resource, and by the similarity id with which KICS
// itself knows a result again. Only secrets are known by file and query alone:
// their similarity id is made of the number of the line.
//
// A report counts the queries that ran and does not name them, so it covers
// nothing.
package kics

import (
	"context"
	"io"
	"iter"
	"strings"

	"github.com/leeward-ctem/leeward/discover/decode"
	"github.com/leeward-ctem/leeward/discover/record"
	"github.com/leeward-ctem/leeward/discover/term"
	"github.com/leeward-ctem/leeward/exposure"
)

// Reader reads KICS reports. See https://docs.kics.io/latest/results/
type Reader struct{}

// Name implements discover.Reader.
func (Reader) Name() string { return "kics" }

// Describe implements discover.Described.
func (Reader) Describe() (title, docs string) {
	return "KICS (JSON)", "https://docs.kics.io/latest/results/"
}

// Sniff implements discover.Reader.
func (Reader) Sniff(h *decode.Head) bool {
	return h.Has("kics_version", "files_scanned") || h.Has("queries_total", "queries_failed_to_execute") || h.Has("queries[].query_id", "queries[].files")
}

// Read implements discover.Reader.
func (Reader) Read(ctx context.Context, r io.Reader) iter.Seq2[exposure.Observation, error] {
	return record.Spec{
		Tool: "kics",
		About: func(top record.Value, run *exposure.Run) {
			run.Version = strings.TrimPrefix(top.Text("kics_version"), "v")
			run.Started, run.Finished = top.Time("start"), top.Time("end")
		},
		Records: map[string]record.Handler{"queries[].files[]": place},
		Bare: func(top record.Value) bool {
			return top.At("queries_total").Exists() || top.At("total_counter").Exists()
		},
	}.Read(ctx, r)
}

func place(r *record.Report, v record.Value) error {
	query := r.Up(0)
	o := exposure.Observation{
		Class: "misconfig", Detection: exposure.DetectionStatic, Confidence: 80,
		Rule: query.Text("query_id"), Title: query.Text("query_name"), Description: description(query), Severity: severity(query.Text("severity")),
		CWEs: term.CWEs(query.Text("cwe")), References: term.Links(query.Text("query_url")),
		Location: exposure.Location{File: term.File(v.Text("file_name")), Line: v.Int("line"), Resource: resource(v)},
	}
	if strings.HasPrefix(o.Title, "Passwords And Secrets") {
		o.Class = "secret"
	} else if id := v.Text("similarity_id"); id != "" {
		o.Location.Symbol = "similarity " + strings.ToValidUTF8(id[:min(len(id), 16)], "")
	}
	if text := term.Facts(
		"Expected", v.Text("expected_value"), "Actual", v.Text("actual_value"), "Place", v.Text("search_key"), "Remediation", v.Text("remediation"),
	); text != "" {
		o.Evidence = []exposure.Evidence{{Kind: "output", Text: text}}
	}
	r.Weakness(o)
	return nil
}

func severity(word string) exposure.Severity {
	if strings.EqualFold(word, "TRACE") { // a resource that is listed
		return exposure.SeverityInfo
	}
	return term.Severity(word)
}

func description(query record.Value) string {
	text := query.Text("description")
	if id := query.Text("cis_description_id"); id != "" {
		text += "\n\n" + strings.TrimSpace(id+" "+query.Text("cis_description_title"))
	}
	return strings.TrimSpace(text)
}

// resource is the resource, by its type and name as Terraform writes them.
func resource(v record.Value) string {
	var parts []string
	for _, member := range []string{"resource_type", "resource_name"} {
		if s := v.Text(member); !term.Nothing(s) {
			parts = append(parts, s)
		}
	}
	return strings.Join(parts, ".")
}
