// Package prowler reads the reports of Prowler, which checks the configuration of
// clouds: CSV of versions 2 to 5, JSON of versions 2 and 3, and OCSF.
//
// The resource that was checked is the asset. A check that failed is a weakness,
// one that is muted a suppressed one, and every check that passed or failed is
// covered there. What is left to people is left out. Where version 2 names no
// resource, the account in its region is the asset, and the message of the check
// tells its findings apart: that covers nothing.
package prowler

import (
	"context"
	"io"
	"iter"
	"strings"

	"github.com/leeward-ctem/leeward/discover/decode"
	"github.com/leeward-ctem/leeward/discover/record"
	"github.com/leeward-ctem/leeward/exposure"
)

// Reader reads Prowler reports. See
// https://docs.prowler.com/user-guide/cli/tutorials/reporting
type Reader struct{}

// Name implements discover.Reader.
func (Reader) Name() string { return "prowler" }

// Describe implements discover.Described.
func (Reader) Describe() (title, docs string) {
	return "Prowler (CSV, JSON, OCSF)", "https://docs.prowler.com/user-guide/cli/tutorials/reporting"
}

// Sniff implements discover.Reader.
func (Reader) Sniff(h *decode.Head) bool {
	switch h.Form() {
	case '{', '[':
		for _, at := range []string{"", "[]."} {
			if h.Has(at+"CheckID", at+"StatusExtended") || h.Has(at+"Account Number", at+"Control", at+"Status") ||
				strings.EqualFold(h.Text(at+"metadata.product.name"), "prowler") {
				return true
			}
		}
		return false
	}
	return h.HasRow("CHECK_ID", "STATUS", "STATUS_EXTENDED") || h.HasRow("TITLE_ID", "CHECK_RESULT", "TITLE_TEXT") || h.HasRow("PROFILE", "TITLE_ID", "RESULT", "TITLE_TEXT")
}

// Read implements discover.Reader.
func (Reader) Read(ctx context.Context, r io.Reader) iter.Seq2[exposure.Observation, error] {
	return func(yield func(exposure.Observation, error) bool) {
		s := record.Spec{
			Tool: "prowler", Lines: true,
			Records: map[string]record.Handler{"row": row, "": object, "[]": object},
		}
		s.Header, r = columns(r)
		for o, err := range s.Read(ctx, r) {
			if !yield(o, err) {
				return
			}
		}
	}
}

// columns are names of columns of the version that wrote a table.
func columns(r io.Reader) ([]string, io.Reader) {
	h, r := decode.Peek(r)
	if h.HasRow("PROFILE", "TITLE_ID") {
		return []string{"PROFILE", "TITLE_ID"}, r
	}
	return []string{"CHECK_ID", "STATUS"}, r
}

func row(r *record.Report, v record.Value) error {
	if v.At("TITLE_ID").Exists() {
		return second(r, v)
	}
	return later(r, v)
}

func object(r *record.Report, v record.Value) error {
	switch {
	case v.At("CheckID").Exists():
		return later(r, v)
	case v.At("Account Number").Exists():
		return second(r, v)
	}
	return ocsf(r, v)
}
