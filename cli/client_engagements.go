package cli

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strconv"

	"github.com/leeward-ctem/leeward/exposure"
	"github.com/leeward-ctem/leeward/server"
)

func (c *client) Engagements(ctx context.Context) ([]server.EngagementRow, error) {
	var l listed[server.EngagementRow]
	return l.Rows, c.get(ctx, "/api/v1/engagements", &l)
}

func (c *client) Engagement(ctx context.Context, id int64) (d server.EngagementDetail, err error) {
	return d, c.get(ctx, engagementPath(id, ""), &d)
}

func engagementPath(id int64, what string) string {
	return fmt.Sprintf("/api/v1/engagements/%d%s", id, what)
}

func (c *client) PutEngagement(ctx context.Context, r server.EngagementRequest) (d server.EngagementDetail, err error) {
	if r.ID != 0 {
		return d, c.call(ctx, http.MethodPut, engagementPath(r.ID, ""), r, &d)
	}
	return d, c.call(ctx, http.MethodPost, "/api/v1/engagements", r, &d)
}

func (c *client) ApproveEngagement(ctx context.Context, r server.EngagementApproval) error {
	return c.call(ctx, http.MethodPost, engagementPath(r.ID, "/approve"), r, &struct{}{})
}

func (c *client) WithdrawEngagement(ctx context.Context, r server.EngagementEnd) error {
	return c.call(ctx, http.MethodPost, engagementPath(r.ID, "/withdraw"), r, &struct{}{})
}

func (c *client) ProveTarget(ctx context.Context, r server.ProofRequest) (p exposure.Proved, err error) {
	return p, c.call(ctx, http.MethodPost, engagementPath(r.ID, "/prove"), r, &p)
}

func (c *client) Halts(ctx context.Context) ([]server.Halt, error) {
	var l listed[server.Halt]
	return l.Rows, c.get(ctx, "/api/v1/halts", &l)
}

// changed is whether a stop, or its end, is new.
type changed struct {
	Changed bool `json:"changed"`
}

func (c *client) Halt(ctx context.Context, r server.HaltRequest) (bool, error) {
	var done changed
	err := c.call(ctx, http.MethodPost, "/api/v1/halt", r, &done)
	return done.Changed, err
}

func (c *client) Resume(ctx context.Context, r server.HaltRequest) (bool, error) {
	var done changed
	err := c.call(ctx, http.MethodPost, "/api/v1/resume", r, &done)
	return done.Changed, err
}

func (c *client) Audit(ctx context.Context, q server.AuditQuery) (p server.AuditPage, err error) {
	v := url.Values{"engagement": {strconv.FormatInt(q.Engagement, 10)}, "refused": {strconv.FormatBool(q.Refused)}, "after": {strconv.FormatInt(q.After, 10)}, "limit": {strconv.Itoa(q.Limit)}}
	return p, c.get(ctx, "/api/v1/audit?"+v.Encode(), &p)
}

func (c *client) VerifyAudit(ctx context.Context) ([]server.AuditChain, error) {
	var l listed[server.AuditChain]
	return l.Rows, c.get(ctx, "/api/v1/audit/verify", &l)
}
