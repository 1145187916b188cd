// Package kubebench reads the JSON reports of kube-bench, which checks nodes of
// clusters against the benchmarks of the CIS: one set of controls, a list of
// them, or such a list with totals.
//
// A check that failed is a weakness, and so is one that warns, unless it is left
// to people. The node is the asset when the report names it, and then every
// check that passed or failed is covered; else the report may be of any node.
package kubebench

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

// Reader reads kube-bench reports. See
// https://github.com/aquasecurity/kube-bench/blob/main/docs/running.md
type Reader struct{}

// Name implements discover.Reader.
func (Reader) Name() string { return "kube-bench" }

// Describe implements discover.Described.
func (Reader) Describe() (title, docs string) {
	return "kube-bench (JSON)", "https://github.com/aquasecurity/kube-bench/blob/main/docs/running.md"
}

// Sniff implements discover.Reader.
func (Reader) Sniff(h *decode.Head) bool {
	return h.Has("node_type", "tests") || h.Has("[].node_type", "[].tests") || h.Has("Controls[].node_type", "Controls[].tests") ||
		h.Has("Controls", "Totals.total_pass")
}

// Read implements discover.Reader.
func (Reader) Read(ctx context.Context, r io.Reader) iter.Seq2[exposure.Observation, error] {
	return record.Spec{
		Tool: "kube-bench",
		Records: map[string]record.Handler{
			"tests[].results[]":            result,
			"[].tests[].results[]":         result,
			"Controls[].tests[].results[]": result,
		},
	}.Read(ctx, r)
}

const class = "misconfig"

func result(r *record.Report, v record.Value) error {
	rule, group, controls := v.Text("test_number"), r.Up(0), r.Up(1)
	var asset exposure.AssetRef
	for _, of := range []record.Value{controls, r.Top()} {
		if name := of.Text("node_name", "nodeName", "hostname"); name != "" && asset.IsZero() {
			asset.Kind = exposure.AssetHost
			asset.Add(exposure.IDHostname, name)
		}
	}
	o := exposure.Observation{
		Class: class, Asset: asset, Rule: rule, Title: v.Text("test_desc"), Detection: exposure.DetectionAuthenticated,
		Description: term.Paragraphs(controls.Text("text"), group.Text("desc")), Solution: v.Text("remediation"),
	}
	switch v.Text("status") {
	case "PASS":
	case "FAIL":
		o.Evidence = evidence(v)
		r.Weakness(o)
	case "WARN":
		if manual(v) {
			return nil
		}
		o.Severity = exposure.SeverityInfo
		o.Evidence = evidence(v)
		r.Weakness(o)
		return nil // it may not have worked
	default:
		return nil
	}
	if !asset.IsZero() && rule != "" {
		r.Covered(asset, class, rule)
	}
	return nil
}

// manual reports whether a check is left to people.
func manual(v record.Value) bool {
	return strings.EqualFold(v.Text("type"), "manual") || strings.Contains(v.Text("reason"), "marked as a manual test")
}

func evidence(v record.Value) (all []exposure.Evidence) {
	var said []string
	for _, e := range [][2]string{{"audit", "Audit"}, {"AuditConfig", "Audit of the configuration"}, {"actual_value", "Found"}, {"expected_result", "Expected"}, {"reason", "Reason"}} {
		if text := v.Text(e[0]); text != "" {
			said = append(said, e[1]+": "+text)
		}
	}
	if len(said) > 0 {
		all = append(all, exposure.Evidence{Kind: "output", Text: strings.Join(said, "\n")})
	}
	return all
}
