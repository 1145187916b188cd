// Package azuredefender reads the recommendations of Microsoft Defender for
// Cloud, as its portal exports them to CSV.
package azuredefender

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

// Reader reads exported recommendations. See
// https://learn.microsoft.com/en-us/azure/defender-for-cloud/review-security-recommendations
type Reader struct{}

// Name implements discover.Reader.
func (Reader) Name() string { return "azure-defender" }

// Describe implements discover.Described.
func (Reader) Describe() (title, docs string) {
	return "Microsoft Defender for Cloud recommendations (CSV)", "https://learn.microsoft.com/en-us/azure/defender-for-cloud/review-security-recommendations"
}

// header are columns that only this export has.
func header() []string { return []string{"resourceId", "recommendationName", "state", "severity"} }

// Sniff implements discover.Reader.
func (Reader) Sniff(h *decode.Head) bool { return h.HasRow(header()...) }

// Read implements discover.Reader.
func (Reader) Read(ctx context.Context, r io.Reader) iter.Seq2[exposure.Observation, error] {
	return record.Spec{
		Tool: "azure-defender", Header: header(), Records: map[string]record.Handler{"row": recommendation},
	}.Read(ctx, r)
}

// recommendation states what is unhealthy. A healthy row says that the resource
// was looked at, as far as this recommendation goes.
func recommendation(r *record.Report, v record.Value) error {
	rule := v.Text("recommendationName")
	asset := exposure.AssetRef{Kind: exposure.AssetCloudResource, Name: v.Text("resourceName")}
	asset.Add(exposure.IDCloud, strings.ToLower(v.Text("resourceId")))
	state := exposure.StatePresent
	switch strings.ToLower(v.Text("state")) {
	case "unhealthy":
	case "healthy":
		r.Covered(asset, "misconfig", rule)
		return nil
	default: // not applicable to the resource
		return nil
	}
	r.Covered(asset, "misconfig", rule)
	r.Weakness(exposure.Observation{
		Class: "misconfig", Asset: asset, State: state, Rule: rule, Detection: exposure.DetectionAuthenticated,
		Title: v.Text("recommendationDisplayName", "recommendationName"), Description: term.Plain(v.Text("description")), Solution: term.Plain(v.Text("remediationSteps")),
		Severity: term.Severity(v.Text("severity")), References: term.Links(v.Text("azurePortalRecommendationLink")), Seen: v.Time("exportedTimestamp"),
	})
	return nil
}
