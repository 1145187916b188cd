package agent

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/leeward-ctem/leeward/exposure"
	"github.com/leeward-ctem/leeward/guard"
)

// Client is a [Server] somewhere else, spoken to by HTTPS that the agent opens:
// nothing listens here.
type Client struct {
	base   string
	secret string
	http   *http.Client
}

// Paths of the agents' door.
const (
	PathEnrol  = "/agent/v1/enrol"
	PathPoll   = "/agent/v1/poll"
	PathRenew  = "/agent/v1/renew"
	PathUpload = "/agent/v1/upload"
	PathFinish = "/agent/v1/finish"
	PathAudit  = "/agent/v1/audit"
)

// PollFor is how long a poll waits for work.
const PollFor = 25 * time.Second

// maxReply bounds what a server answers.
const maxReply = 16 << 20

// Enrolment is what an agent says of itself when it comes for the first time.
type Enrolment struct {
	Token string            `json:"token" maxLength:"200"`
	Name  string            `json:"name" maxLength:"200"`
	Facts map[string]string `json:"facts,omitempty"`
}

// Enrolled is what it gets.
type Enrolled struct {
	ID     int64    `json:"id"`
	Name   string   `json:"name"`
	Labels []string `json:"labels"`
	Secret string   `json:"secret"`
}

// Polling, Renewal, Finishing and Auditing are the bodies of the calls.
type (
	Polling struct {
		Facts map[string]string `json:"facts,omitempty"`
	}
	Polled struct {
		Assignment *Assignment `json:"assignment,omitempty"`
	}
	Renewal struct {
		Held []exposure.ShardLease `json:"held"`
	}
	Uploaded struct {
		Size int64 `json:"size"`
	}
	Finishing struct {
		Lease   exposure.ShardLease `json:"lease"`
		Outcome Outcome             `json:"outcome"`
	}
	Auditing struct {
		Entries []guard.Entry `json:"entries"`
	}
	Audited struct {
		Have int64 `json:"have"`
	}
)

// NewClient makes a client of the server at an address. ca are certificates in
// PEM that are trusted beside those of the system; nil: none.
func NewClient(address, secret string, ca []byte) (*Client, error) {
	u, err := url.Parse(strings.TrimSuffix(address, "/"))
	if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" || u.User != nil {
		return nil, exposure.Errorf(exposure.Invalid, "the server %q is no address: give one such as https://leeward.example.com", address)
	}
	if host := u.Hostname(); u.Scheme == "http" && !loopback(host) {
		return nil, exposure.Errorf(exposure.Invalid, "%s would carry the agent's secret in the clear: use https", u)
	}
	t := &http.Transport{
		Proxy: http.ProxyFromEnvironment, DialContext: (&net.Dialer{Timeout: 15 * time.Second}).DialContext,
		TLSHandshakeTimeout: 15 * time.Second, IdleConnTimeout: 2 * time.Minute, ForceAttemptHTTP2: true, TLSClientConfig: &tls.Config{MinVersion: tls.VersionTLS12},
	}
	if ca != nil {
		roots, err := x509.SystemCertPool()
		if err != nil {
			roots = x509.NewCertPool()
		}
		if !roots.AppendCertsFromPEM(ca) {
			return nil, exposure.Errorf(exposure.Invalid, "the file of trusted certificates holds none in PEM")
		}
		t.TLSClientConfig.RootCAs = roots
	}
	return &Client{u.String(), secret, &http.Client{Transport: t, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}}, nil
}

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// Enrol makes the client that of an agent of its own.
func (c *Client) Enrol(ctx context.Context, e Enrolment) (Enrolled, error) {
	var out Enrolled
	err := c.call(ctx, PathEnrol, &e, &out)
	if err == nil {
		c.secret = out.Secret
	}
	return out, err
}

// Poll implements [Server].
func (c *Client) Poll(ctx context.Context, facts map[string]string) (*Assignment, error) {
	var out Polled
	err := c.call(ctx, PathPoll, &Polling{facts}, &out)
	return out.Assignment, err
}

// Renew implements [Server].
func (c *Client) Renew(ctx context.Context, held []exposure.ShardLease) (Renewed, error) {
	var out Renewed
	err := c.call(ctx, PathRenew, &Renewal{held}, &out)
	return out, err
}

// Upload implements [Server].
func (c *Client) Upload(ctx context.Context, l exposure.ShardLease, place int64, body []byte) (int64, error) {
	q := url.Values{"job": {strconv.FormatInt(l.Job, 10)}, "number": {strconv.Itoa(l.Number)}, "fence": {strconv.FormatInt(l.Fence, 10)}, "place": {strconv.FormatInt(place, 10)}}
	var out Uploaded
	err := c.send(ctx, PathUpload+"?"+q.Encode(), "application/octet-stream", body, &out)
	return out.Size, err
}

// Finish implements [Server].
func (c *Client) Finish(ctx context.Context, l exposure.ShardLease, o Outcome) error {
	return c.call(ctx, PathFinish, &Finishing{l, o}, nil)
}

// Audit implements [Server].
func (c *Client) Audit(ctx context.Context, entries []guard.Entry) (int64, error) {
	var out Audited
	err := c.call(ctx, PathAudit, &Auditing{entries}, &out)
	return out.Have, err
}

func (c *Client) call(ctx context.Context, path string, in, out any) error {
	body, err := json.Marshal(in)
	if err != nil {
		return err
	}
	return c.send(ctx, path, "application/json", body, out)
}

func (c *Client) send(ctx context.Context, path, contentType string, body []byte, out any) error {
	ctx, cancel := context.WithTimeout(ctx, PollFor+time.Minute)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, c.base+path, bytes.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", contentType)
	if c.secret != "" {
		req.Header.Set("Authorization", "Bearer "+c.secret)
	}
	resp, err := c.http.Do(req)
	if err != nil {
		var u *url.Error
		if errors.As(err, &u) {
			err = u.Err
		}
		return exposure.Errorf(exposure.Unavailable, "the server %s does not answer: %w", c.base, err)
	}
	defer resp.Body.Close()
	reply, err := io.ReadAll(io.LimitReader(resp.Body, maxReply))
	if err != nil {
		return exposure.Errorf(exposure.Unavailable, "the answer of %s broke off: %w", c.base, err)
	}
	if resp.StatusCode != http.StatusOK {
		return refused(resp.StatusCode, reply)
	}
	if out == nil {
		return nil
	}
	if err := json.Unmarshal(reply, out); err != nil {
		return exposure.Errorf(exposure.Unavailable, "%s answers with what is no answer to an agent: check the address", c.base)
	}
	return nil
}

// refused is the server's word as an error of its kind. What proxies and other
// servers say passes.
func refused(status int, body []byte) error {
	text := strings.TrimSpace(string(body[:min(len(body), 500)]))
	switch status {
	case http.StatusUnauthorized, http.StatusForbidden:
		return exposure.Errorf(exposure.Forbidden, "%s", text)
	case http.StatusConflict:
		return exposure.Errorf(exposure.Conflict, "%s", text)
	case http.StatusBadRequest:
		return exposure.Errorf(exposure.Invalid, "%s", text)
	}
	return exposure.Errorf(exposure.Unavailable, "the server answers with status %d: %s", status, fmt.Sprintf("%.200q", text))
}
