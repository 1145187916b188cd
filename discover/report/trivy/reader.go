// Package trivy reads the JSON reports of Aqua Security's Trivy: schema 2, the
// bare array of results that came before it, and the Kubernetes reports.
//
// A report streams by one vulnerability, misconfiguration, secret, licence or
// package at a time. Only a member that comes before what is needed to
// understand it (results before the artifact's name, as a tool that sorts
// members may write them) is held, up to 64 MiB in all.
//
// # Coverage
//
// Trivy examines the whole artifact for each class of check that was switched
// on, but states nowhere which were. A class is covered when the report shows
// that it ran: "secret", "license" and "misconfig" when a result of that class
// is there, "vuln-os" and "vuln-lang" when a result of the class os-pkgs or
// lang-pkgs is there and vulnerabilities were looked for. The two are apart
// because --pkg-types leaves out either: a scan of language packages never
// proves that an operating system's package is fixed. A result that lists
// packages and no vulnerability may come from a scan for anything, so alone it
// proves nothing. Nor is an asset covered when a record of it was lost or when
// a scan of it failed. Filters such as --severity leave no trace in a report.
package trivy

import (
	"bytes"
	"context"
	"errors"
	"io"
	"iter"
	"slices"

	"github.com/leeward-ctem/leeward/discover/decode"
	"github.com/leeward-ctem/leeward/exposure"
)

const tool = "trivy"

// Reader reads Trivy's JSON. See https://trivy.dev/latest/docs/configuration/reporting/#json
type Reader struct{}

// Name implements discover.Reader.
func (Reader) Name() string { return tool }

// Describe implements discover.Described.
func (Reader) Describe() (title, docs string) {
	return "Trivy (JSON)", "https://trivy.dev/latest/docs/configuration/reporting/#json"
}

// Sniff implements discover.Reader.
func (Reader) Sniff(h *decode.Head) bool {
	head := h.Bytes()
	j := decode.NewJSON(bytes.NewReader(head))
	var names []string
	members := func() error {
		return j.Object(func(name string) error {
			names = append(names, name)
			return j.Skip()
		})
	}
	has := func(name string) bool { return slices.Contains(names, name) }
	switch j.Kind() {
	case '{':
		_ = members() // the head may end anywhere
		return has("ArtifactName") && (has("SchemaVersion") || has("ArtifactType") || has("Results")) ||
			has("SchemaVersion") && has("ArtifactType") ||
			has("ClusterName") && (has("SchemaVersion") || has("Resources") || has("Findings") || has("Vulnerabilities") || has("Misconfigurations"))
	case '[':
		_ = j.Array(func() error {
			_ = members()
			return errStop
		})
		return has("Target") && (has("Type") || has("Class") || has("Vulnerabilities") || has("Misconfigurations"))
	}
	return false
}

// errStop ends a walk whose loop ended.
var errStop = errors.New("stop")

// Read implements discover.Reader.
func (Reader) Read(ctx context.Context, r io.Reader) iter.Seq2[exposure.Observation, error] {
	return func(yield func(exposure.Observation, error) bool) {
		w := &walker{ctx: ctx, yield: yield}
		w.json = w.open(r)
		if err := w.document(); err != nil && !errors.Is(err, errStop) {
			yield(exposure.Observation{}, err)
		}
	}
}
