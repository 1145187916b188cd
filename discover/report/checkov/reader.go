// Package checkov reads the JSON reports of Checkov: the report of one kind of
// check, the list of several, and what it writes when it looked at nothing.
//
// A check of a resource is known by the resource, so that code around it may
// change; a secret by a short hash. A vulnerable package is known by the package.
// Checks that a comment skips are stated as suppressed.
//
// # Coverage
//
// Unless it is told to be quiet, Checkov lists the checks that passed. Such a
// report covers the checks that are in it, whether they passed or failed, if
// all files could be read. A report without any passed check covers nothing.
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
			"[].results.passed_checks[]":  passed,
			"[].results.parsing_errors[]": unread,
		},
		Empty: func(top record.Value) bool {
			return top.At("checkov_version").Exists() || top.At("resource_count").Exists()
		},
		End: cover,
	}.Read(ctx, r)
}

// checked is what a report says of the checks that were made.
type checked struct {
	rules  []string
	passed bool
	unread bool // a file
}

func checks(r *record.Report) *checked {
	all, ok := r.State.(*checked)
	if !ok {
		all = &checked{}
		r.State = all
	}
	return all
}

func (c *checked) made(rule string) {
	if n := len(c.rules); rule != "" && (n == 0 || c.rules[n-1] != rule) {
		c.rules = append(c.rules, rule)
	}
}

func passed(r *record.Report, v record.Value) error {
	if classOf(r, v) == classMisconfig {
		checks(r).passed = true
		checks(r).made(v.Text("check_id"))
	}
	return nil
}

func unread(r *record.Report, _ record.Value) error {
	checks(r).unread = true
	return nil
}

// cover states what was looked at, when the report lists it all.
func cover(r *record.Report) {
	if all := checks(r); all.passed && !all.unread {
		r.Covered(exposure.AssetRef{}, classMisconfig, all.rules...)
	}
}
