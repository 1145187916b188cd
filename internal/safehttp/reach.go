package safehttp

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/netip"
	"net/url"
	"syscall"
	"time"

	"github.com/leeward-ctem/leeward/internal/reserved"
)

// transport makes connections to any address but those that hand out
// credentials, or, when it is public, to those of the public internet. The
// address is looked at when it is dialled, after names were resolved, so that a
// name cannot point somewhere else meanwhile. The two kinds share no
// connection.
func (c *Client) transport(public bool) *http.Transport {
	guard := func(_, address string, _ syscall.RawConn) error {
		at, err := netip.ParseAddrPort(address)
		switch {
		case err != nil:
			return err
		case reserved.In(reserved.Metadata(), at.Addr()):
			return refusal(fmt.Sprintf("%s is a metadata address and is never asked", at.Addr()))
		case public && reserved.In(c.Private, at.Addr()):
			return refusal(fmt.Sprintf("%s is in a private network, where an address of the public internet must not lead: if it is a mirror of yours, set its address as the location of the feed", at.Addr()))
		}
		return nil
	}
	dialer := &net.Dialer{Timeout: 15 * time.Second, KeepAlive: 30 * time.Second, Control: guard}
	return &http.Transport{
		Proxy:                 c.proxy,
		DialContext:           dialer.DialContext,
		ForceAttemptHTTP2:     true,
		TLSHandshakeTimeout:   15 * time.Second,
		ResponseHeaderTimeout: 60 * time.Second,
		IdleConnTimeout:       90 * time.Second,
		MaxIdleConns:          20,
		MaxConnsPerHost:       2,
		DisableCompression:    true, // what is fetched is kept and summed as published
	}
}

// refusal is an address that must not be asked: trying again does not help.
type refusal string

func (r refusal) Error() string { return string(r) }

// route is how far the requests of one fetch may go.
type route struct {
	public bool // the address is one of the public internet
	inside bool // its first request was answered from a private network
}

type routeKey struct{}

// hops sends each request of a fetch, the first and those it is redirected to,
// as far as it may go: who is outside must not send us inside. What a proxy
// fetches for us is the proxy's business.
type hops struct {
	client             *Client
	anywhere, outwards *http.Transport
}

// RoundTrip implements http.RoundTripper.
func (h *hops) RoundTrip(req *http.Request) (*http.Response, error) {
	r, _ := req.Context().Value(routeKey{}).(*route)
	if via, err := h.client.proxy(req); r == nil || err != nil || via != nil {
		return h.anywhere.RoundTrip(req)
	}
	literal, err := netip.ParseAddr(req.URL.Hostname())
	redirected := req.Response != nil
	switch {
	case redirected && !r.inside, !redirected && r.public && (err != nil || !reserved.In(h.client.Private, literal)):
		return h.outwards.RoundTrip(req)
	case redirected:
		return h.anywhere.RoundTrip(req)
	}
	trace := &httptrace.ClientTrace{GotConn: func(info httptrace.GotConnInfo) {
		at, err := netip.ParseAddrPort(info.Conn.RemoteAddr().String())
		r.inside = err == nil && reserved.In(h.client.Private, at.Addr())
	}}
	return h.anywhere.RoundTrip(req.WithContext(httptrace.WithClientTrace(req.Context(), trace)))
}

// redirect says which redirects are followed. Credentials are for the server
// that they were given for.
func redirect(to *http.Request, via []*http.Request) error {
	last := via[len(via)-1].URL
	switch {
	case len(via) >= 5:
		return refusal("more than five redirects")
	case to.URL.Scheme != "https" && to.URL.Scheme != "http":
		return refusal("a redirect to what is no web address")
	case last.Scheme == "https" && to.URL.Scheme != "https":
		return refusal("a redirect from https to http")
	case origin(to.URL) != origin(via[0].URL):
		to.Header.Del("Authorization")
	}
	return nil
}

func origin(u *url.URL) string { return u.Scheme + "://" + u.Host }

// failed says of the error of a request whether it may pass.
func failed(ctx context.Context, err error) *Failure {
	var u *url.Error
	if errors.As(err, &u) {
		err = u.Err // u quotes the full address
	}
	if cause := context.Cause(ctx); cause != nil && errors.Is(err, ctx.Err()) {
		err = cause
	}
	f := &Failure{Temporary: true, Err: err}
	var no refusal
	var dial *net.OpError
	if errors.As(err, &no) || errors.Is(err, context.Canceled) {
		f.Temporary, f.Err = false, err
		if no != "" {
			f.Err = no
		}
		return f
	}
	f.Unreachable = errors.As(err, &dial) && dial.Op == "dial"
	return f
}
