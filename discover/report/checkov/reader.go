// Package checkov reads the JSON reports of Checkov: the report of one kind of
// check, the list of several, and what it writes when it looked at nothing.
//
// A check of a resource is known by the resource, so that code around it may
// change; a secret by a short hash. A vulnerable package is known by the package.
// Checks that a comment skips are stated as suppressed.
//
// # Coverage
//
// No report says of which directory it is. Two of one repository could not be
// told apart, and one would close what the other found, so none covers anything.
package checkov

import (
	"context"
	"io"
	"iter"

	"github.com/leeward-ctem/leeward/discover/decode"
	"github.com/leeward-ctem/leeward/discover/record"
	"github.com/leeward-ctem/leeward/exposure"
)

// Reader reads Checkov reports. See https://www.checkov.io/2.Basics/Reviewing%20Scan%20Results.html
type Reader struct{}

// Name implements discover.Reader.
func (Reader) Name() string { return "checkov" }

// Describe implements discover.Described.
func (Reader) Describe() (title, docs string) {
	return "Checkov (JSON)", "https://www.checkov.io/2.Basics/Reviewing%20Scan%20Results.html"
}

// Sniff implements discover.Reader.
func (Reader) Sniff(h *decode.Head) bool {
	for _, at := range []string{"", "[]."} {
		if h.Has(at+"check_type", at+"results") || h.Has(at+"results.failed_checks") || h.Has(at+"results.passed_checks") {
			return true
		}
	}
	return h.Has("checkov_version", "failed")
}

// Read implements discover.Reader.
func (Reader) Read(ctx context.Context, r io.Reader) iter.Seq2[exposure.Observation, error] {
	return record.Spec{
		Tool: "checkov",
		About: func(top record.Value, run *exposure.Run) {
			run.Version = top.Text("summary.checkov_version", "checkov_version")
		},
		Records: map[string]record.Handler{
			"[].results.failed_checks[]":  failed,
			"[].results.skipped_checks[]": skipped,
			"[].results.passed_checks[]":  nothing,
		},
		Bare: func(top record.Value) bool {
			return top.At("checkov_version").Exists() || top.At("resource_count").Exists()
		},
	}.Read(ctx, r)
}

// nothing is stated of what passed.
func nothing(*record.Report, record.Value) error { return nil }
