package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/leeward-ctem/leeward/discover"
	"github.com/leeward-ctem/leeward/exposure"
	"github.com/leeward-ctem/leeward/server"
)

// house is what commands ask: the database opened by themselves, or the
// server that has it open already.
type house interface {
	Findings(ctx context.Context, q server.FindingQuery) (server.FindingPage, error)
	Finding(ctx context.Context, id exposure.FindingID) (server.FindingDetail, error)
	Assets(ctx context.Context, q server.AssetQuery) (server.AssetPage, error)
	Remediations(ctx context.Context, filter string) ([]exposure.Remediation, error)
	Concerned(ctx context.Context, filter string) (server.Concerned, error)
	Move(ctx context.Context, m server.MoveRequest) (server.Moved, error)
	Assign(ctx context.Context, r server.AssignRequest) (server.Assigned, error)
	Exceptions(ctx context.Context, all bool) ([]exposure.Exception, error)
	RequestException(ctx context.Context, r server.ExceptionRequest) (server.Requested, error)
	ApproveException(ctx context.Context, id int64, actor string) error
	EndException(ctx context.Context, id int64, actor, reason string) (server.Ended, error)
	Verdicts(ctx context.Context, scope string, limit int) ([]server.VerdictRow, error)
	RecordVerdict(ctx context.Context, r server.VerdictRequest) (recorded int, err error)
	Alerts(ctx context.Context, q server.AlertQuery) (server.AlertPage, error)
	Undo(ctx context.Context, r server.UndoRequest) (server.Undone, error)
	Views(ctx context.Context, account int64) ([]exposure.SavedView, error)
	SaveView(ctx context.Context, v *exposure.SavedView) error
	RemoveView(ctx context.Context, id, account int64, others bool) (exposure.SavedView, error)
	Import(ctx context.Context, req discover.Request, r io.Reader) ([]discover.Result, error)
	Export(ctx context.Context, format, filter string, w io.Writer) error
	Engagements(ctx context.Context) ([]server.EngagementRow, error)
	Engagement(ctx context.Context, id int64) (server.EngagementDetail, error)
	PutEngagement(ctx context.Context, r server.EngagementRequest) (server.EngagementDetail, error)
	ApproveEngagement(ctx context.Context, r server.EngagementApproval) error
	WithdrawEngagement(ctx context.Context, r server.EngagementEnd) error
	ProveTarget(ctx context.Context, r server.ProofRequest) (exposure.Proved, error)
	Halts(ctx context.Context) ([]server.Halt, error)
	Halt(ctx context.Context, r server.HaltRequest) (bool, error)
	Resume(ctx context.Context, r server.HaltRequest) (bool, error)
	Audit(ctx context.Context, q server.AuditQuery) (server.AuditPage, error)
	VerifyAudit(ctx context.Context) ([]server.AuditChain, error)
	Programme(ctx context.Context) (server.Programme, error)
	Apply(ctx context.Context, r server.ApplyRequest) (server.ApplyResult, error)
	WhatIf(ctx context.Context, r server.WhatIfRequest) (server.WhatIf, error)
	Refit(ctx context.Context, r server.RefitRequest) (server.Refit, error)
	Landscape(ctx context.Context, scope string) (server.LandscapeReport, error)
	Actor(ctx context.Context, id, scope string) (server.ActorDetail, error)
	Policies(ctx context.Context) ([]server.PolicyStatus, error)
	Feeds(ctx context.Context) ([]server.FeedStatus, error)
	UpdateFeeds(ctx context.Context, r server.FeedsRequest) ([]server.FeedStatus, error)
	ImportFeeds(ctx context.Context, bundle io.Reader, force bool) ([]server.FeedStatus, error)
	ExportFeeds(ctx context.Context, w io.Writer) error
	Match(ctx context.Context, purls []string) (server.MatchResult, error)
	Plans(ctx context.Context) ([]exposure.ScanPlan, error)
	PutPlan(ctx context.Context, p exposure.ScanPlan, actor string) (exposure.ScanPlan, error)
	RemovePlan(ctx context.Context, id int64) error
	StartScan(ctx context.Context, r server.StartScan) (exposure.ScanJob, error)
	ScanJobs(ctx context.Context, open bool, limit int) ([]exposure.ScanJob, error)
	ScanJob(ctx context.Context, id int64) (server.ScanJobDetail, error)
	StopScanJob(ctx context.Context, id int64, actor, why string) error
	Agents(ctx context.Context) ([]exposure.Agent, error)
	InviteAgent(ctx context.Context, r server.InviteAgent) (server.Invitation, error)
	ShutOutAgent(ctx context.Context, id int64, out bool) error
	Inventory(ctx context.Context, id exposure.AssetID, q server.InventoryQuery) (server.InventoryPage, error)
	Components(ctx context.Context, q server.ComponentQuery) (server.ComponentPage, error)
}

// open returns the server of the data directory when one runs, else opens the
// database. The returned function ends it.
func (r *run) house(ctx context.Context) (h house, done func(), err error) {
	if c := r.running(ctx); c != nil {
		return c, func() {}, nil
	}
	a, err := r.openApp(ctx)
	if err != nil {
		return nil, nil, err
	}
	return a, func() { a.close(context.WithoutCancel(ctx)) }, nil
}

// running returns a client of the server that left its note in the data
// directory; nil when none answers.
func (r *run) running(ctx context.Context) *client {
	if r.Database != "" {
		return nil
	}
	body, err := os.ReadFile(filepath.Join(r.dir(), noteName))
	if err != nil {
		return nil
	}
	var n note
	if json.Unmarshal(body, &n) != nil {
		return nil
	}
	// The note names an address of this machine; a proxy has no business here.
	c := &client{base: "http://" + n.Addr, token: n.Token, http: &http.Client{Transport: &http.Transport{DialContext: (&net.Dialer{Timeout: 2 * time.Second}).DialContext}}}
	quick, cancel := context.WithTimeout(ctx, 3*time.Second)
	defer cancel()
	// The token proves that it is this server and not another on its old port.
	if err := c.get(quick, "/api/v1/scans?limit=1", &struct{}{}); err != nil {
		return nil
	}
	return c
}

// client speaks to a server by its JSON API.
type client struct {
	base, token string
	http        *http.Client
}

func (c *client) do(ctx context.Context, method, path, contentType string, body io.Reader) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, method, c.base+path, body)
	if err != nil {
		return nil, err
	}
	req.Header.Set("Authorization", "Bearer "+c.token)
	if contentType != "" {
		req.Header.Set("Content-Type", contentType)
	}
	resp, err := c.http.Do(req)
	if err != nil {
		var u *url.Error
		if errors.As(err, &u) {
			err = u.Err
		}
		return nil, exposure.Errorf(exposure.Unavailable, "the server on %s does not answer: %w", strings.TrimPrefix(c.base, "http://"), err)
	}
	if resp.StatusCode >= 400 {
		defer resp.Body.Close()
		text, _ := io.ReadAll(io.LimitReader(resp.Body, 64<<10))
		return nil, refusal(resp.StatusCode, text)
	}
	return resp, nil
}

// refusal is the server's error as the house itself would have given it.
func refusal(status int, body []byte) error {
	kind := exposure.Internal
	switch status {
	case http.StatusBadRequest:
		kind = exposure.Invalid
	case http.StatusNotFound:
		kind = exposure.NotFound
	case http.StatusConflict:
		kind = exposure.Conflict
	case http.StatusForbidden, http.StatusUnauthorized:
		kind = exposure.Forbidden
	case http.StatusUnprocessableEntity:
		kind = exposure.Unsupported
	case http.StatusServiceUnavailable:
		kind = exposure.Unavailable
	}
	var problem struct {
		Detail string `json:"detail"`
	}
	text := strings.TrimSpace(string(body))
	if json.Unmarshal(body, &problem) == nil && problem.Detail != "" {
		text = problem.Detail
	}
	return exposure.Errorf(kind, "%s", text)
}

func (c *client) get(ctx context.Context, path string, to any) error {
	return c.call(ctx, http.MethodGet, path, nil, to)
}

func (c *client) call(ctx context.Context, method, path string, in, out any) error {
	var body io.Reader
	kind := ""
	if in != nil {
		text, err := json.Marshal(in)
		if err != nil {
			return err
		}
		body, kind = bytes.NewReader(text), "application/json"
	}
	resp, err := c.do(ctx, method, path, kind, body)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if err := json.NewDecoder(resp.Body).Decode(out); err != nil {
		return fmt.Errorf("the server's answer cannot be read: %w", err)
	}
	return nil
}

// listed is how the API wraps lists.
type listed[T any] struct {
	Rows []T `json:"rows"`
}

func (c *client) Findings(ctx context.Context, q server.FindingQuery) (p server.FindingPage, err error) {
	v := url.Values{"q": {q.Filter}, "sort": {q.Sort}, "after": {q.After}, "limit": {strconv.Itoa(q.Limit)}}
	if q.Reverse {
		v.Set("reverse", "true")
	}
	return p, c.get(ctx, "/api/v1/findings?"+v.Encode(), &p)
}

func (c *client) Finding(ctx context.Context, id exposure.FindingID) (d server.FindingDetail, err error) {
	return d, c.get(ctx, "/api/v1/findings/"+id.String(), &d)
}

func (c *client) Assets(ctx context.Context, q server.AssetQuery) (p server.AssetPage, err error) {
	v := url.Values{"q": {q.Text}, "filter": {q.Filter}, "unspoken": {strconv.FormatBool(q.Unspoken)}, "unseen": {strconv.Itoa(q.Unseen)}, "after": {strconv.FormatUint(uint64(q.After), 10)}, "limit": {strconv.Itoa(q.Limit)}}
	return p, c.get(ctx, "/api/v1/assets?"+v.Encode(), &p)
}

func (c *client) Remediations(ctx context.Context, filter string) ([]exposure.Remediation, error) {
	var l listed[exposure.Remediation]
	return l.Rows, c.get(ctx, "/api/v1/remediations?"+url.Values{"q": {filter}}.Encode(), &l)
}

func (c *client) Concerned(ctx context.Context, filter string) (n server.Concerned, err error) {
	return n, c.get(ctx, "/api/v1/concerned?"+url.Values{"q": {filter}}.Encode(), &n)
}

func (c *client) Exceptions(ctx context.Context, all bool) ([]exposure.Exception, error) {
	var l listed[exposure.Exception]
	return l.Rows, c.get(ctx, "/api/v1/exceptions?all="+strconv.FormatBool(all), &l)
}

func (c *client) Verdicts(ctx context.Context, scope string, limit int) ([]server.VerdictRow, error) {
	var l listed[server.VerdictRow]
	return l.Rows, c.get(ctx, "/api/v1/verdicts?"+url.Values{"limit": {strconv.Itoa(limit)}, "scope": {scope}}.Encode(), &l)
}

func (c *client) Alerts(ctx context.Context, q server.AlertQuery) (p server.AlertPage, err error) {
	v := url.Values{"limit": {strconv.Itoa(q.Limit)}, "days": {strconv.Itoa(q.Days)}, "unseen": {strconv.FormatBool(q.Unseen)}}
	if len(q.Kinds) > 0 {
		v.Set("kind", strings.Join(q.Kinds, ","))
	}
	return p, c.get(ctx, "/api/v1/alerts?"+v.Encode(), &p)
}

// What follows is asked as whom the server knows by the token. Its names, roles
// and numbers of accounts count, not those that are given here.

func (c *client) Move(ctx context.Context, m server.MoveRequest) (done server.Moved, err error) {
	return done, c.call(ctx, http.MethodPost, "/api/v1/findings/move", m, &done)
}

func (c *client) RequestException(ctx context.Context, r server.ExceptionRequest) (done server.Requested, err error) {
	return done, c.call(ctx, http.MethodPost, "/api/v1/exceptions", r, &done)
}

func (c *client) ApproveException(ctx context.Context, id int64, _ string) error {
	return c.call(ctx, http.MethodPost, fmt.Sprintf("/api/v1/exceptions/%d/approve", id), nil, &struct{}{})
}

func (c *client) EndException(ctx context.Context, id int64, _, reason string) (done server.Ended, err error) {
	in := struct {
		Reason string `json:"reason,omitempty"`
	}{reason}
	return done, c.call(ctx, http.MethodPost, fmt.Sprintf("/api/v1/exceptions/%d/end", id), in, &done)
}

func (c *client) RecordVerdict(ctx context.Context, r server.VerdictRequest) (int, error) {
	var done recorded
	err := c.call(ctx, http.MethodPost, "/api/v1/verdicts", r, &done)
	return done.Recorded, err
}

func (c *client) Assign(ctx context.Context, r server.AssignRequest) (done server.Assigned, err error) {
	return done, c.call(ctx, http.MethodPost, "/api/v1/assign", r, &done)
}

func (c *client) Undo(ctx context.Context, r server.UndoRequest) (done server.Undone, err error) {
	return done, c.call(ctx, http.MethodPost, "/api/v1/undo", r, &done)
}

func (c *client) Views(ctx context.Context, _ int64) ([]exposure.SavedView, error) {
	var l listed[exposure.SavedView]
	return l.Rows, c.get(ctx, "/api/v1/views", &l)
}

func (c *client) SaveView(ctx context.Context, v *exposure.SavedView) error {
	r := server.ViewRequest{Name: v.Name, Filter: v.Query, Sort: v.Sort, Reverse: v.Reverse, Columns: v.Columns, Shared: v.Shared}
	return c.call(ctx, http.MethodPost, "/api/v1/views", r, v)
}

func (c *client) RemoveView(ctx context.Context, id, _ int64, _ bool) (v exposure.SavedView, err error) {
	return v, c.call(ctx, http.MethodDelete, "/api/v1/views/"+strconv.FormatInt(id, 10), nil, &v)
}

// Import streams a report to the server; it shows progress of what was sent.
func (c *client) Import(ctx context.Context, req discover.Request, r io.Reader) ([]discover.Result, error) {
	v := url.Values{"name": {req.Name}, "format": {req.Format}}
	if len(req.Asset.Identifiers) > 0 {
		v.Set("asset", req.Asset.Identifiers[0].String())
	}
	resp, err := c.do(ctx, http.MethodPost, "/api/v1/scans?"+v.Encode(), "application/octet-stream", &sent{r: r, name: req.Name, progress: req.Progress})
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	var l listed[discover.Result]
	return l.Rows, json.NewDecoder(resp.Body).Decode(&l)
}

// sent counts the bytes that go out.
type sent struct {
	r        io.Reader
	n        int64
	name     string
	progress func(discover.Progress)
}

func (s *sent) Read(p []byte) (int, error) {
	n, err := s.r.Read(p)
	if s.n += int64(n); s.progress != nil {
		s.progress(discover.Progress{Name: s.name, Bytes: s.n})
	}
	return n, err
}

func (c *client) Export(ctx context.Context, format, filter string, w io.Writer) error {
	return c.copy(ctx, "/api/v1/findings."+url.PathEscape(format)+"?"+url.Values{"q": {filter}}.Encode(), w)
}

func (c *client) copy(ctx context.Context, path string, w io.Writer) error {
	resp, err := c.do(ctx, http.MethodGet, path, "", nil)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	_, err = io.Copy(w, resp.Body)
	return err
}

func (c *client) Programme(ctx context.Context) (p server.Programme, err error) {
	return p, c.get(ctx, "/api/v1/programme", &p)
}

func (c *client) Apply(ctx context.Context, r server.ApplyRequest) (res server.ApplyResult, err error) {
	return res, c.call(ctx, http.MethodPut, "/api/v1/programme", r, &res)
}

func (c *client) Refit(ctx context.Context, r server.RefitRequest) (fit server.Refit, err error) {
	return fit, c.call(ctx, http.MethodPost, "/api/v1/refit", r, &fit)
}

func (c *client) Landscape(ctx context.Context, scope string) (l server.LandscapeReport, err error) {
	return l, c.get(ctx, "/api/v1/landscape?"+url.Values{"scope": {scope}}.Encode(), &l)
}

func (c *client) Actor(ctx context.Context, id, scope string) (d server.ActorDetail, err error) {
	return d, c.get(ctx, "/api/v1/actors/"+url.PathEscape(id)+"?"+url.Values{"scope": {scope}}.Encode(), &d)
}

func (c *client) Policies(ctx context.Context) ([]server.PolicyStatus, error) {
	var all struct{ Rows []server.PolicyStatus }
	err := c.get(ctx, "/api/v1/policies", &all)
	return all.Rows, err
}

func (c *client) Feeds(ctx context.Context) ([]server.FeedStatus, error) {
	var l listed[server.FeedStatus]
	return l.Rows, c.get(ctx, "/api/v1/feeds", &l)
}

func (c *client) UpdateFeeds(ctx context.Context, r server.FeedsRequest) ([]server.FeedStatus, error) {
	var l listed[server.FeedStatus]
	return l.Rows, c.call(ctx, http.MethodPost, "/api/v1/feeds/update", r, &l)
}

func (c *client) ImportFeeds(ctx context.Context, bundle io.Reader, force bool) ([]server.FeedStatus, error) {
	resp, err := c.do(ctx, http.MethodPost, "/api/v1/feeds/bundle?force="+strconv.FormatBool(force), "application/zip", bundle)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	var l listed[server.FeedStatus]
	return l.Rows, json.NewDecoder(resp.Body).Decode(&l)
}

func (c *client) ExportFeeds(ctx context.Context, w io.Writer) error {
	return c.copy(ctx, "/api/v1/feeds/bundle", w)
}

// Match asks for some thousand packages at a time, because the server reads no
// longer request.
func (c *client) Match(ctx context.Context, purls []string) (all server.MatchResult, err error) {
	for len(purls) > 0 {
		n, size := 0, 0
		for n < len(purls) && n < server.MaxMatched && size < 500<<10 {
			size += 2*len(purls[n]) + 3 // as JSON, quotation marks escaped
			n++
		}
		var part server.MatchResult
		if err := c.call(ctx, http.MethodPost, "/api/v1/match", server.MatchRequest{Purls: purls[:n]}, &part); err != nil {
			return all, err
		}
		all.Concerns, all.Unmatched = append(all.Concerns, part.Concerns...), append(all.Unmatched, part.Unmatched...)
		purls = purls[n:]
	}
	return all, nil
}

func (c *client) WhatIf(ctx context.Context, r server.WhatIfRequest) (w server.WhatIf, err error) {
	return w, c.call(ctx, http.MethodPost, "/api/v1/whatif", r, &w)
}
