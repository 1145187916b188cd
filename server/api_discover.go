package server

import (
	"context"
	"net/http"

	"github.com/leeward-ctem/leeward/exposure"
)

// registerDiscover adds what tells where findings and judgements come from:
// scans, sources and advisories.
func (s *Server) registerDiscover(a operations) {
	register(a, Viewer, "list-scans", http.MethodGet, "/scans", "Imported reports, newest first", func(ctx context.Context, in *struct{ ScanQuery }) (*ScanPage, error) {
		p, err := s.Backend.Scans(ctx, in.ScanQuery)
		return &p, err
	})
	register(a, Viewer, "get-scan", http.MethodGet, "/scans/{id}", "One imported report: what it covered and what it saw first", func(ctx context.Context, in *struct {
		ID uint32 `path:"id"`
	}) (*ScanDetail, error) {
		d, err := s.Backend.Scan(ctx, exposure.ScanID(in.ID), "")
		return &d, err
	})
	register(a, Viewer, "list-scan-errors", http.MethodGet, "/scans/{id}/errors", "Records of a report that could not be read", func(ctx context.Context, in *struct {
		ID uint32 `path:"id"`
		BrokenQuery
	}) (*BrokenPage, error) {
		p, err := s.Backend.ScanErrors(ctx, exposure.ScanID(in.ID), in.BrokenQuery)
		return &p, err
	})
	register(a, Viewer, "list-sources", http.MethodGet, "/sources", "What each tool's class of checks contributes, and which of them are quiet", func(ctx context.Context, _ *struct{}) (*list[SourceStatus], error) {
		rows, err := s.Backend.Sources(ctx, "")
		return &list[SourceStatus]{rows}, err
	})
	register(a, Viewer, "list-advisories", http.MethodGet, "/advisories", "Advisories with open findings, most expected loss first", func(ctx context.Context, in *struct{ AdvisoryQuery }) (*AdvisoryPage, error) {
		p, err := s.Backend.Advisories(ctx, in.AdvisoryQuery)
		return &p, err
	})
	register(a, Viewer, "get-advisory", http.MethodGet, "/advisories/{id}", "One advisory: what it is, what the feeds say, where it is open and what fixes it", func(ctx context.Context, in *struct {
		ID string `path:"id" doc:"its number, or a name as in CVE-2024-3400"`
	}) (*AdvisoryDetail, error) {
		d, err := s.Backend.Advisory(ctx, in.ID, "")
		return &d, err
	})
	register(a, Viewer, "list-alerts", http.MethodGet, "/alerts", "News from the feeds about what is open, newest first", func(ctx context.Context, in *struct{ AlertQuery }) (*AlertPage, error) {
		p, err := s.Backend.Alerts(ctx, in.AlertQuery)
		return &p, err
	})
	register(a, Analyst, "acknowledge-alert", http.MethodPost, "/alerts/{id}/acknowledge", "Take note of an alert", func(ctx context.Context, in *struct {
		ID   int64 `path:"id" minimum:"1"`
		Body AcknowledgeRequest
	}) (*Acknowledged, error) {
		in.Body.ID, in.Body.Actor = in.ID, ActorOf(ctx).Name
		n, err := s.Backend.AcknowledgeAlerts(ctx, in.Body)
		return &Acknowledged{n}, err
	})
}
