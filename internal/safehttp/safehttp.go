// Package safehttp is the one way out to the network for feeds and
// notifications: an HTTP client with limits on time, size and redirects, that
// never speaks to the metadata services of clouds and never follows from
// https to http.
package safehttp

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strconv"
	"syscall"
	"time"

	"github.com/leeward-ctem/leeward/exposure"
)

// Client makes requests. Make it with [New].
type Client struct {
	http  *http.Client
	agent string
}

// metadata are the addresses that hand out credentials to whoever asks from
// within a cloud. No feed and no receiver lives there.
var metadata = []netip.Prefix{
	netip.MustParsePrefix("169.254.0.0/16"),
	netip.MustParsePrefix("fe80::/10"),
	netip.MustParsePrefix("fd00:ec2::254/128"),
	netip.MustParsePrefix("100.100.100.200/32"),
}

// New returns a client that names itself agent. Proxies are taken from the
// environment, as by other programs.
func New(agent string) *Client {
	dialer := &net.Dialer{Timeout: 15 * time.Second, KeepAlive: 30 * time.Second, Control: guard}
	return &Client{agent: agent, http: &http.Client{
		Transport: &http.Transport{
			Proxy:                 http.ProxyFromEnvironment,
			DialContext:           dialer.DialContext,
			ForceAttemptHTTP2:     true,
			TLSHandshakeTimeout:   15 * time.Second,
			ResponseHeaderTimeout: 60 * time.Second,
			IdleConnTimeout:       90 * time.Second,
			MaxIdleConns:          20,
			DisableCompression:    true, // what is fetched is kept and summed as published
		},
		CheckRedirect: func(to *http.Request, via []*http.Request) error {
			switch {
			case len(via) >= 5:
				return errors.New("more than five redirects")
			case via[len(via)-1].URL.Scheme == "https" && to.URL.Scheme != "https":
				return errors.New("a redirect from https to http")
			}
			return nil
		},
	}}
}

// guard looks at the address that is really dialled, after names were
// resolved, so that a name cannot point somewhere else meanwhile.
func guard(_, address string, _ syscall.RawConn) error {
	at, err := netip.ParseAddrPort(address)
	if err != nil {
		return err
	}
	for _, p := range metadata {
		if p.Contains(at.Addr().Unmap()) {
			return fmt.Errorf("%s is a metadata address and is never asked", at.Addr())
		}
	}
	return nil
}

// Validator is what a server gave with a file, to ask later whether it changed.
type Validator struct {
	ETag     string `json:"etag,omitempty"`
	Modified string `json:"modified,omitempty"` // Last-Modified, as stated
}

// Fetch copies the file at address into w. unchanged is true, and nothing
// written, when the server says that it is still the one of known. A file
// longer than limit bytes, one that ends early, and every status but 200 and
// 304 are errors.
func (c *Client) Fetch(ctx context.Context, address string, known Validator, limit int64, w io.Writer) (got Validator, unchanged bool, err error) {
	shown, err := check(address)
	if err != nil {
		return got, false, err
	}
	ctx, cancel := context.WithTimeout(ctx, 30*time.Minute)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return got, false, err
	}
	req.Header.Set("User-Agent", c.agent)
	if known.ETag != "" {
		req.Header.Set("If-None-Match", known.ETag)
	} else if known.Modified != "" {
		req.Header.Set("If-Modified-Since", known.Modified)
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return got, false, unavailable(shown, err)
	}
	defer resp.Body.Close()
	switch {
	case resp.StatusCode == http.StatusNotModified && known != (Validator{}):
		return known, true, nil
	case resp.StatusCode != http.StatusOK:
		return got, false, exposure.Errorf(exposure.Unavailable, "%s answers %s: check the address, or try again later", shown, resp.Status)
	case resp.ContentLength > limit:
		return got, false, exposure.Errorf(exposure.Invalid, "%s has %d bytes, more than the %d that are allowed", shown, resp.ContentLength, limit)
	}
	n, err := io.Copy(w, io.LimitReader(resp.Body, limit+1))
	switch {
	case err != nil:
		return got, false, unavailable(shown, fmt.Errorf("it ended after %d bytes: %w", n, err))
	case n > limit:
		return got, false, exposure.Errorf(exposure.Invalid, "%s has more than the %d bytes that are allowed", shown, limit)
	}
	return Validator{resp.Header.Get("ETag"), resp.Header.Get("Last-Modified")}, false, nil
}

// Post sends body and returns the status and how long the receiver asks to
// wait. The answer's body is not read.
func (c *Client) Post(ctx context.Context, address string, header map[string]string, body []byte) (status int, retryAfter time.Duration, err error) {
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
		return 0, 0, unavailable(shown, err)
	}
	defer resp.Body.Close()
	io.Copy(io.Discard, io.LimitReader(resp.Body, 64<<10)) // so that the connection can be used again
	if s, err := strconv.Atoi(resp.Header.Get("Retry-After")); err == nil && s > 0 {
		retryAfter = min(time.Duration(s)*time.Second, 24*time.Hour)
	}
	return resp.StatusCode, retryAfter, nil
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

// unavailable says what went wrong without repeating the full address, which
// the errors of net/http quote.
func unavailable(shown string, err error) error {
	var u *url.Error
	if errors.As(err, &u) {
		err = u.Err
	}
	return exposure.Errorf(exposure.Unavailable, "cannot fetch %s: %w", shown, err)
}
