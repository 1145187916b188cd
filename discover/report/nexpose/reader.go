// Package nexpose reads the reports of Rapid7 Nexpose and InsightVM in XML: the
// exports 1.0 and 2.0 and the simple one.
//
// What a vulnerability is stands at the end of the exports, behind the tests that
// found it, which wait for it: see [record.Report.Wait].
//
// A report that lists the tests that passed covers what they looked for; most
// list only those that found something, and cover nothing.
package nexpose

import (
	"context"
	"io"
	"iter"
	"strings"
	"time"

	"github.com/leeward-ctem/leeward/discover/decode"
	"github.com/leeward-ctem/leeward/discover/record"
	"github.com/leeward-ctem/leeward/discover/term"
	"github.com/leeward-ctem/leeward/exposure"
)

const (
	tool  = "nexpose"
	class = "vuln"
)

// Reader reads Nexpose reports. See
// https://docs.rapid7.com/nexpose/understanding-report-content/
type Reader struct{}

// Name implements discover.Reader.
func (Reader) Name() string { return tool }

// Describe implements discover.Described.
func (Reader) Describe() (title, docs string) {
	return "Rapid7 Nexpose and InsightVM (XML export)", "https://docs.rapid7.com/nexpose/understanding-report-content/"
}

// The roots of the reports.
const (
	export = "NexposeReport"
	simple = "NexposeSimpleXML"
)

// Sniff implements discover.Reader.
func (Reader) Sniff(h *decode.Head) bool {
	root, _ := h.Root()
	return root == export || root == simple
}

// Read implements discover.Reader.
func (Reader) Read(ctx context.Context, r io.Reader) iter.Seq2[exposure.Observation, error] {
	s := &scans{ended: map[string]time.Time{}}
	return record.Spec{
		Tool: tool, About: s.about,
		Records: map[string]record.Handler{
			export + ".scans.scan":                             s.scan,
			export + ".nodes.node":                             s.node,
			export + ".VulnerabilityDefinitions.vulnerability": define,
			simple + ".devices.device":                         device,
		},
	}.Read(ctx, r)
}

// maxScans bounds the scans of a report whose times are known.
const maxScans = 10_000

// scans are those of a report.
type scans struct {
	run   exposure.Run
	ended map[string]time.Time
}

func (s *scans) about(top record.Value, run *exposure.Run) {
	run.Format = top.Text("@version")
	run.Started, run.Finished, run.Failed, run.Failure = s.run.Started, s.run.Finished, s.run.Failed, s.run.Failure
}

func (s *scans) scan(_ *record.Report, v record.Value) error {
	if t := stamp(v.Text("@startTime")); s.run.Started.IsZero() || !t.IsZero() && t.Before(s.run.Started) {
		s.run.Started = t
	}
	t := stamp(v.Text("@endTime"))
	if t.After(s.run.Finished) {
		s.run.Finished = t
	}
	if len(s.ended) < maxScans {
		s.ended[v.Text("@id")] = t
	}
	if status := v.Text("@status"); status != "finished" && status != "" {
		s.run.Failed, s.run.Failure = true, "the status of a scan is "+status
	}
	return nil
}

// stamp reads a time of an export, 20260302T080000123.
func stamp(s string) time.Time {
	if len(s) > len("20060102T150405") {
		s = s[:len("20060102T150405")]
	}
	return term.Date(s)
}

// define says what a vulnerability is.
func define(r *record.Report, v record.Value) error {
	o := exposure.Observation{
		Title: v.Text("@title"), Description: v.At("description").Prose("LinkURL"), Solution: v.At("solution").Prose("LinkURL"), Severity: term.Rated(v.Text("@severity", "@cvssScore")),
		CVSS: term.Versioned(term.Vectors(strings.Join([]string{v.Text("@cvssV4Vector"), v.Text("@cvssV3Vector"), v.Text("@cvssVector")}, " "))),
	}
	var cves, cwes, links []string
	for ref := range v.List("references.reference") {
		switch text := ref.Text(); ref.Text("@source") {
		case "CVE":
			cves = append(cves, text)
		case "CWE":
			cwes = append(cwes, text)
		default:
			links = append(links, text)
		}
	}
	for e := range v.List("exploits.exploit") {
		links = append(links, e.Text("@link"))
	}
	o.Advisories, _ = term.Advisories(strings.Join(cves, ","), "")
	o.CWEs = term.CWEs(strings.Join(cwes, " "))
	o.References = term.Links(strings.Join(links, " "))
	return r.Define(strings.ToLower(v.Text("@id")), o)
}
