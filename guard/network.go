package guard

import (
	"context"
	"crypto/tls"
	"net"
	"net/netip"
	"time"

	"github.com/leeward-ctem/leeward/exposure"
)

// Conn is a connection. Engines and checks use it by this name, for they must
// not import package net.
type Conn = net.Conn

// Network is what engines and checks reach the outside through. Each call is
// decided by the rules of engagement, written down before the first packet,
// counted, slowed down to the agreed rate and ended when leave is withdrawn.
//
// A call that is refused returns a *[Refusal]; the error of one that was
// allowed and failed is the network's. It is safe for concurrent use.
type Network interface {
	// Dial connects. A name is resolved once in the life of the Network and its
	// address kept.
	Dial(ctx context.Context, a Action) (Conn, error)
	// Do sends a request and reads the answer, up to its limit. Certificates are
	// not verified: to look at bad ones is the purpose.
	Do(ctx context.Context, r *Request) (*Response, error)
	// Lookup asks the resolver. Beside names of targets, those are answered that
	// an answer led to: the target of a CNAME, a mail exchanger.
	Lookup(ctx context.Context, name, kind string) (*Answer, error)
	// Resolve returns the address that a host is kept at.
	Resolve(ctx context.Context, host string) (netip.Addr, error)
}

// Action is one thing that somebody wants to do to a host.
type Action struct {
	Level    exposure.Level
	Protocol string // tcp, udp; empty: tcp
	Host     string // name or address
	Port     int
	// Ports are all that will be dialled in this go, Port among them, so that
	// one decision holds for them. Empty: Port alone.
	Ports []exposure.PortRange
	// What says in a few words what it is for: "banner", "default credentials".
	What string
	// Credentials says that a login is tried.
	Credentials bool
	// Timeout is how long connecting may take, from the first packet on: waiting
	// for one's turn does not count. 0: ten seconds.
	Timeout time.Duration
}

// Request is one HTTP request.
type Request struct {
	Level  exposure.Level
	Method string // empty: GET
	URL    string // http or https
	// Path replaces the path and query of URL on the wire, byte by byte, for
	// probes that no URL parser would let through. It begins with a slash.
	Path   string
	Header []Field
	Body   []byte
	// Redirects is how many are followed, each only where leave reaches.
	Redirects int
	Limit     int // bytes of the answer's body that are kept; 0: 1 MiB
	// Fresh makes a connection of its own for it.
	Fresh       bool
	What        string // as in [Action]
	Credentials bool   // as in [Action]
}

// Field is one line of a header, as it is sent or was received.
type Field struct{ Name, Value string }

// Response is what came back.
type Response struct {
	URL       string // of the last request, after redirects
	Status    int
	Proto     string // HTTP/1.1, HTTP/2.0
	Header    []Field
	Body      []byte
	Truncated bool // there was more than the limit
	TLS       *tls.ConnectionState
	// Refused says why a redirect was not followed; nil when none was met.
	Refused error
	Hops    []Hop // what was followed, the first request first; without the last
}

// Hop is a redirect that was followed.
type Hop struct {
	URL    string
	Status int
	Header []Field
	Body   []byte
}

// Answer is what the resolver said.
type Answer struct {
	Code    string   // NOERROR, NXDOMAIN, SERVFAIL …
	Records []Record // of the answer section, in its order
}

// Record is one resource record.
type Record struct {
	Name string // without the last dot
	Kind string // A, AAAA, CNAME, MX, NS, TXT, SOA, SRV, CAA, PTR
	TTL  uint32 // seconds
	Data string // as in a zone file, names without the last dot; TXT unquoted and joined
}

// Authorizer is a [Network] that decides about what others will send, such as
// external programs: nil is yes.
type Authorizer interface {
	Authorize(ctx context.Context, a Action) error
}

// Refusal says that something must not be done, and why.
type Refusal struct {
	Action  string   // what was wanted
	Reasons []string // why not, in words
	hop     bool     // it is of a request, and may be met after a redirect
}
