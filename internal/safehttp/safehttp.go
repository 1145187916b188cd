// Package safehttp is the one way out to the network for feeds and
// notifications: an HTTP client with limits on time, speed, size and redirects,
// that never speaks to the metadata services of clouds, never follows from
// https to http, and is not led from the public internet into a private
// network.
package safehttp

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"net/url"
	"strconv"
	"time"

	"github.com/leeward-ctem/leeward/exposure"
	"github.com/leeward-ctem/leeward/internal/reserved"
)

// Client makes requests. Make it with [New].
type Client struct {
	Limits  Limits         // set before the first request
	Private []netip.Prefix // networks that are not the public internet; set before the first request

	http  *http.Client
	agent string
	proxy func(*http.Request) (*url.URL, error)
}

// Limits bound how long a server may take.
type Limits struct {
	Answer time.Duration // until a file begins
	Window time.Duration // in each of which Least bytes of a file must come
	Least  int64
	Whole  time.Duration // until a file is there
}

// New returns a client that names itself agent. Proxies are taken from the
// environment, as by other programs.
func New(agent string) *Client {
	c := &Client{
		Limits:  Limits{Answer: time.Minute, Window: 30 * time.Second, Least: 16 << 10, Whole: 30 * time.Minute},
		Private: reserved.Private(), agent: agent, proxy: http.ProxyFromEnvironment,
	}
	c.http = &http.Client{Transport: &hops{c, c.transport(false), c.transport(true)}, CheckRedirect: redirect}
	return c
}

// Validator is what a server gave with a file, to ask later whether it changed.
type Validator struct {
	ETag     string `json:"etag,omitempty"`
	Modified string `json:"modified,omitempty"` // Last-Modified, as stated
}

// Request says what to fetch.
type Request struct {
	Address string
	Known   Validator         // of the copy that is there
	Limit   int64             // bytes of the file; more is an error
	Header  map[string]string // besides the usual ones
	// Public: the address is one of the public internet. A name that leads into
	// a private network is then refused.
	Public bool
}

// Answer is what a server said of a file.
type Answer struct {
	Validator
	Unchanged bool // it is still the one of Known, and nothing was written
	Header    http.Header
}

// Failure is the cause of an error of [Client.Fetch] that the server or the way
// to it is to blame for.
type Failure struct {
	Status      int           // of the answer; 0: there was none, or not all of it
	After       time.Duration // the server asks to be left alone for so long; at most a day
	Temporary   bool          // it may work later
	Unreachable bool          // there was no connection
	Err         error
}

func (f *Failure) Error() string { return f.Err.Error() }

// Unwrap returns the cause.
func (f *Failure) Unwrap() error { return f.Err }

// Fetch copies a file into w. A file longer than its limit, one that ends early
// or comes too slowly, and every status but 200 and 304 are errors; what was
// written then is worth nothing.
func (c *Client) Fetch(ctx context.Context, r Request, w io.Writer) (a Answer, err error) {
	shown, err := check(r.Address)
	if err != nil {
		return a, err
	}
	ctx, cancel := context.WithTimeoutCause(ctx, c.Limits.Whole, fmt.Errorf("it takes more than %v", c.Limits.Whole))
	defer cancel()
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	req, err := c.request(context.WithValue(ctx, routeKey{}, &route{public: r.Public}), &r)
	if err != nil {
		return a, err
	}
	silent := time.AfterFunc(c.Limits.Answer, func() {
		stop(fmt.Errorf("it does not answer within %v", c.Limits.Answer))
	})
	resp, err := c.http.Do(req)
	silent.Stop()
	if err != nil {
		return a, unavailable(shown, failed(ctx, err))
	}
	defer resp.Body.Close()
	a = Answer{Validator{resp.Header.Get("ETag"), resp.Header.Get("Last-Modified")}, false, resp.Header}
	switch {
	case resp.StatusCode == http.StatusNotModified && r.Known != (Validator{}):
		a.Validator, a.Unchanged = r.Known, true
		return a, nil
	case resp.StatusCode != http.StatusOK:
		return a, exposure.Errorf(exposure.Unavailable, "%s answers %w", shown, refused(resp))
	case resp.ContentLength > r.Limit:
		return a, exposure.Errorf(exposure.Invalid, "%s has %d bytes, more than the %d that are allowed: check the address", shown, resp.ContentLength, r.Limit)
	}
	body := &meter{Reader: io.LimitReader(resp.Body, r.Limit+1)}
	defer c.Limits.watch(body, stop)()
	n, err := io.Copy(w, body)
	switch {
	case err != nil:
		f := failed(ctx, err)
		f.Err = fmt.Errorf("it ended after %d bytes: %w", n, f.Err)
		return a, unavailable(shown, f)
	case n > r.Limit:
		return a, exposure.Errorf(exposure.Invalid, "%s has more than the %d bytes that are allowed: check the address", shown, r.Limit)
	}
	return a, nil
}

func (c *Client) request(ctx context.Context, r *Request) (*http.Request, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, r.Address, nil)
	if err != nil {
		return nil, err
	}
	for name, value := range r.Header {
		req.Header.Set(name, value)
	}
	req.Header.Set("User-Agent", c.agent)
	if r.Known.ETag != "" {
		req.Header.Set("If-None-Match", r.Known.ETag)
	} else if r.Known.Modified != "" {
		req.Header.Set("If-Modified-Since", r.Known.Modified)
	}
	return req, nil
}

// refused is an answer that is no file, with what can be done about it.
func refused(resp *http.Response) *Failure {
	f := &Failure{Status: resp.StatusCode, After: retryAfter(resp.Header)}
	todo := "check the address, or try again later"
	switch resp.StatusCode {
	case http.StatusRequestTimeout, http.StatusTooManyRequests, http.StatusInternalServerError, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		f.Temporary = true
		if todo = "try again later"; f.After > 0 {
			todo = fmt.Sprintf("it asks to be left alone for %v", f.After)
		}
	case http.StatusUnauthorized, http.StatusForbidden:
		todo = "it turns us away: set the credentials of the feed, or let this machine through"
	case http.StatusProxyAuthRequired:
		todo = "the proxy turns us away: check HTTPS_PROXY"
	case http.StatusNotFound, http.StatusGone:
		todo = "there is no such file: check the address, or set where the file is now"
	case http.StatusNotModified:
		todo = "without us having a copy: a cache on the way is wrong, try again later"
	}
	f.Err = fmt.Errorf("%d %s: %s", resp.StatusCode, http.StatusText(resp.StatusCode), todo)
	return f
}

// retryAfter is how long a server asks to be left alone, at most a day.
func retryAfter(h http.Header) time.Duration {
	v := h.Get("Retry-After")
	wait := time.Duration(0)
	if s, err := strconv.ParseFloat(v, 64); err == nil && s > 0 {
		wait = time.Duration(min(s, 1e6) * float64(time.Second))
	} else if at, err := http.ParseTime(v); err == nil {
		wait = time.Until(at)
	}
	return min(max(wait, 0), 24*time.Hour).Round(time.Second)
}

// Post sends body and returns the status and how long the receiver asks to
// wait. The answer's body is not read.
func (c *Client) Post(ctx context.Context, address string, header map[string]string, body []byte) (status int, wait time.Duration, err error) {
	shown, err := check(address)
	if err != nil {
		return 0, 0, err
	}
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, address, bytes.NewReader(body))
	if err != nil {
		return 0, 0, err
	}
	req.Header.Set("User-Agent", c.agent)
	for k, v := range header {
		req.Header.Set(k, v)
	}
	// A redirected message would lose its body or go to a stranger.
	direct := *c.http
	direct.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	resp, err := direct.Do(req)
	if err != nil {
		return 0, 0, unavailable(shown, failed(ctx, err))
	}
	defer resp.Body.Close()
	io.Copy(io.Discard, io.LimitReader(resp.Body, 64<<10)) // so that the connection can be used again
	return resp.StatusCode, retryAfter(resp.Header), nil
}

// check refuses what is no web address. shown is the address without what may
// be secret in it.
func check(address string) (shown string, err error) {
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return "", exposure.Errorf(exposure.Invalid, "the address must begin with https:// or http:// and name a host")
	}
	return Shown(u), nil
}

// Shown is an address as it may stand in messages and logs: without user,
// query and fragment, which may hold secrets.
func Shown(u *url.URL) string {
	return (&url.URL{Scheme: u.Scheme, Host: u.Host, Path: u.Path}).String()
}

func unavailable(shown string, f *Failure) error {
	if f.Temporary {
		return exposure.Errorf(exposure.Unavailable, "cannot fetch %s, so try again later: %w", shown, f)
	}
	return exposure.Errorf(exposure.Unavailable, "cannot fetch %s: %w", shown, f)
}
