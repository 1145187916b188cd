// Package openvas reads the reports of OpenVAS and Greenbone: the XML of the
// Greenbone Management Protocol, versions 1 (OMP) to 22, as the report formats
// "XML" and "Anonymous XML" export it or get_reports answers, and the CSV
// reports of results.
//
// A report does not list which tests ran: a discovery scan and a full one look
// alike where nothing is found. So it covers nothing, but for compliance audits,
// which list each requirement that is met.
package openvas

import (
	"context"
	"io"
	"iter"

	"github.com/leeward-ctem/leeward/discover/decode"
	"github.com/leeward-ctem/leeward/discover/record"
	"github.com/leeward-ctem/leeward/exposure"
)

const tool = "openvas"

// Reader reads OpenVAS reports. See
// https://docs.greenbone.net/API/GMP/gmp-22.5.html#type_report
type Reader struct{}

// Name implements discover.Reader.
func (Reader) Name() string { return tool }

// Describe implements discover.Described.
func (Reader) Describe() (title, docs string) {
	return "OpenVAS and Greenbone (XML, CSV)", "https://docs.greenbone.net/API/GMP/gmp-22.5.html#type_report"
}

// header are columns that only this export has.
func header() []string { return []string{"IP", "NVT Name", "NVT OID"} }

// bodies are where the parts of a report stand: within the report as it is
// exported, by itself, and in the answer of the manager.
func bodies() []string {
	return []string{"report.report", "report", "get_reports_response.report.report"}
}

// Sniff implements discover.Reader.
func (Reader) Sniff(h *decode.Head) bool {
	if h.HasRow(header()...) {
		return true
	}
	for _, b := range bodies() {
		for _, part := range []string{".gmp.version", ".omp.version", ".scan_run_status", ".results.result.nvt.@oid", ".results.result.nvt"} {
			if h.Has(b + part) {
				return true
			}
		}
	}
	return h.Has("report.@format_id", "report.report") || h.Has("get_results_response.result.nvt")
}

// Read implements discover.Reader.
func (Reader) Read(ctx context.Context, r io.Reader) iter.Seq2[exposure.Observation, error] {
	var f facts
	spec := record.Spec{
		Tool: tool, About: f.about, Header: header(),
		Records: map[string]record.Handler{"row": row, "get_results_response.result": result},
	}
	for _, b := range bodies() {
		spec.Records[b+".results.result"] = result
		spec.Records[b+".host"] = host
		for name, take := range f.takers() {
			spec.Records[b+"."+name] = take
		}
	}
	return spec.Read(ctx, r)
}

// facts are what a report says of the scan.
type facts struct{ run exposure.Run }

func (f *facts) about(_ record.Value, run *exposure.Run) {
	f.run.Tool = run.Tool
	*run = f.run
}

// takers take up the facts, wherever in the report they stand.
func (f *facts) takers() map[string]record.Handler {
	format := func(name string) record.Handler {
		return func(_ *record.Report, v record.Value) error {
			if version := v.Text("version"); version != "" {
				f.run.Format = name + " " + version
			}
			return nil
		}
	}
	return map[string]record.Handler{
		"gmp": format("GMP"),
		"omp": format("OMP"),
		"scan_start": func(_ *record.Report, v record.Value) error {
			f.run.Started = v.Time()
			return nil
		},
		"scan_end": func(_ *record.Report, v record.Value) error {
			f.run.Finished = v.Time()
			return nil
		},
		"scan_run_status": func(_ *record.Report, v record.Value) error {
			if s := v.Text(); s != "Done" && s != "Processing" && s != "" {
				f.run.Failed, f.run.Failure = true, "the status of the scan is "+s
			}
			return nil
		},
	}
}
