// Package trufflehog reads the JSON of TruffleHog: version 3, and version 2,
// whose form version 3 writes with --json-legacy.
//
// A secret is known by its place and detector, and by a short hash that tells it
// from others there. It is the same in however many commits it stands; commits
// and their authors are evidence. Nothing of the secret itself is taken: where
// the text around it is kept, asterisks stand in its place.
//
// What TruffleHog logs between its findings is passed over. A report lists what
// was found, not where it was looked for, so it covers nothing.
package trufflehog

import (
	"context"
	"io"
	"iter"

	"github.com/leeward-ctem/leeward/discover/decode"
	"github.com/leeward-ctem/leeward/discover/record"
	"github.com/leeward-ctem/leeward/exposure"
)

// Reader reads TruffleHog reports. See https://github.com/trufflesecurity/trufflehog
type Reader struct{}

// Name implements discover.Reader.
func (Reader) Name() string { return "trufflehog" }

// Describe implements discover.Described.
func (Reader) Describe() (title, docs string) {
	return "TruffleHog (JSON lines)", "https://github.com/trufflesecurity/trufflehog#usage"
}

// Sniff implements discover.Reader.
func (Reader) Sniff(h *decode.Head) bool {
	for _, at := range []string{"", "[]."} {
		if h.Has(at+"SourceMetadata", at+"DetectorType") || h.Has(at+"SourceMetadata", at+"DetectorName") || h.Has(at+"stringsFound", at+"reason") {
			return true
		}
	}
	return h.Text("logger") == "trufflehog"
}

// Read implements discover.Reader.
func (Reader) Read(ctx context.Context, r io.Reader) iter.Seq2[exposure.Observation, error] {
	return record.Spec{Tool: "trufflehog", Lines: true, Records: map[string]record.Handler{"[]": finding}}.Read(ctx, r)
}

func finding(r *record.Report, v record.Value) error {
	switch {
	case v.At("stringsFound").Exists():
		return old(r, v)
	case v.At("level").Exists() && v.At("msg").Exists() && !v.At("SourceMetadata").Exists():
		return nil // a line of the log
	}
	return current(r, v)
}
