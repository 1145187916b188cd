// Package asff reads findings in the AWS Security Finding Format, in which
// Security Hub keeps and exports what its own controls, GuardDuty, Inspector,
// Macie and the products of others found.
//
// A finding concerns resources: each of them is an asset with a finding of its
// own, and so is each vulnerable package on it, for each is fixed apart. A check
// that passed covers its rule on its resources and nothing more.
package asff

import (
	"bytes"
	"context"
	"io"
	"iter"

	"github.com/leeward-ctem/leeward/discover/decode"
	"github.com/leeward-ctem/leeward/discover/record"
	"github.com/leeward-ctem/leeward/exposure"
)

// Reader reads findings in the AWS Security Finding Format. See
// https://docs.aws.amazon.com/securityhub/latest/userguide/securityhub-findings-format-syntax.html
type Reader struct{}

// Name implements discover.Reader.
func (Reader) Name() string { return "asff" }

// Describe implements discover.Described.
func (Reader) Describe() (title, docs string) {
	return "AWS Security Finding Format: Security Hub, GuardDuty, Inspector (JSON)", "https://docs.aws.amazon.com/securityhub/latest/userguide/securityhub-findings-format-syntax.html"
}

// Sniff implements discover.Reader.
func (Reader) Sniff(h *decode.Head) bool {
	for _, list := range []string{"Findings[]", "findings[]", "[]", "[].Findings[]", "detail.findings[]", "[].detail.findings[]"} {
		if h.Has(list+".ProductArn") && (h.Has(list+".SchemaVersion") || h.Has(list+".GeneratorId", list+".Resources")) {
			return true
		}
	}
	// What the command line of AWS writes when nothing was found.
	return len(h.Bytes()) < 100 && string(bytes.Join(bytes.Fields(h.Bytes()), nil)) == `{"Findings":[]}`
}

// Read implements discover.Reader.
func (Reader) Read(ctx context.Context, r io.Reader) iter.Seq2[exposure.Observation, error] {
	return record.Spec{
		Tool: "aws-securityhub",
		Records: map[string]record.Handler{
			"Findings[]":        finding,
			"findings[]":        finding,
			"detail.findings[]": finding, // an event of EventBridge, one after another
			"[]":                element,
		},
		Lines: true,
	}.Read(ctx, r)
}

// element is a finding of a bare list, or an answer or event with several.
func element(r *record.Report, v record.Value) error {
	for _, list := range []string{"Findings", "detail.findings"} {
		if at := v.At(list); at.IsList() {
			for f := range at.List("") {
				if err := finding(r, f); err != nil {
					return err
				}
			}
			return nil
		}
	}
	return finding(r, v)
}
