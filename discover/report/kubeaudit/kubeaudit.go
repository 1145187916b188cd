// Package kubeaudit reads the JSON lines of kubeaudit, which audits clusters and
// manifests.
//
// It names resources, not the cluster or the file that they are of, so they are
// places on the asset that the import names, and nothing is covered.
package kubeaudit

import (
	"context"
	"fmt"
	"io"
	"iter"
	"strings"

	"github.com/leeward-ctem/leeward/discover/decode"
	"github.com/leeward-ctem/leeward/discover/record"
	"github.com/leeward-ctem/leeward/discover/term"
	"github.com/leeward-ctem/leeward/exposure"
)

// Reader reads kubeaudit reports. See
// https://github.com/Shopify/kubeaudit#audit-results
type Reader struct{}

// Name implements discover.Reader.
func (Reader) Name() string { return "kubeaudit" }

// Describe implements discover.Described.
func (Reader) Describe() (title, docs string) {
	return "kubeaudit (JSON lines)", "https://github.com/Shopify/kubeaudit#audit-results"
}

// Sniff implements discover.Reader.
func (Reader) Sniff(h *decode.Head) bool {
	return h.Has("AuditResultName", "level") || h.Has("[].AuditResultName", "[].level")
}

// Read implements discover.Reader.
func (Reader) Read(ctx context.Context, r io.Reader) iter.Seq2[exposure.Observation, error] {
	return record.Spec{
		Tool: "kubeaudit", Lines: true,
		Records: map[string]record.Handler{"": line, "[]": line},
	}.Read(ctx, r)
}

func line(r *record.Report, v record.Value) error {
	name := v.Text("AuditResultName")
	if name == "" {
		if !v.At("level").Exists() {
			return fmt.Errorf("it is no line of kubeaudit: it has no level")
		}
		return nil // a message of the program
	}
	o := exposure.Observation{
		Class: "misconfig", Detection: exposure.DetectionStatic, Title: v.Text("msg"), Severity: severity(v.Text("level")), Seen: v.Time("time"),
		Location: exposure.Location{File: term.File(v.Text("FilePath")), Resource: resource(v), Symbol: v.Text("Capability", "MissingAnnotation", "Annotation", "Sysctl")},
	}
	// A label that allows something overrides the result of the same name.
	rule, allowed := strings.CutSuffix(name, "Allowed")
	if o.Rule = rule; allowed {
		o.State = exposure.StateSuppressed
	}
	if more := details(v); more != "" {
		o.Evidence = []exposure.Evidence{{Kind: "note", Text: more}}
	}
	r.Weakness(o)
	return nil
}

// severity reads the level of a line.
func severity(level string) exposure.Severity {
	switch level {
	case "error":
		return exposure.SeverityHigh
	case "warning", "warn":
		return exposure.SeverityMedium
	case "info":
		return exposure.SeverityInfo
	}
	return exposure.SeverityUnknown
}

// resource is namespace/kind/name of what is audited, and the container of it.
func resource(v record.Value) string {
	var parts []string
	for _, path := range []string{"ResourceNamespace", "ResourceKind", "ResourceName", "Container"} {
		if s := v.Text(path); s != "" {
			parts = append(parts, s)
		}
	}
	return strings.Join(parts, "/")
}

// details are what a result says besides: each kind of result has its own.
func details(v record.Value) string {
	var b strings.Builder
	for name, value := range v.Members("") {
		switch name {
		case "AuditResultName", "level", "msg", "time", "ResourceNamespace", "ResourceKind", "ResourceName", "ResourceApiVersion", "Container", "FilePath":
			continue
		}
		if value.IsText() {
			fmt.Fprintf(&b, "%s: %s\n", name, value.Text())
		}
	}
	return strings.TrimSpace(b.String())
}
