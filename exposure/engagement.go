package exposure

import "time"

// Level is how far a scan or check goes towards a target. Each includes those
// below it.
type Level uint8

// The levels. There is none for what changes, exhausts or destroys: emulation
// is planned, exported and its results imported, never run from here.
const (
	LevelMatch         Level = iota // looks at what is known already; sends nothing
	LevelObserve                    // DNS, TCP connect, TLS handshake, HTTP GET and HEAD, banner
	LevelProbe                      // a harmless marker that proves a condition and changes no state
	LevelAuthenticated              // reads with a login
	LevelEmulation                  // plan and export only
)

var levels = enumeration{"level", []string{"match", "observe", "probe", "authenticated", "emulation"}}

func (l Level) String() string                { return levels.name(uint8(l)) }
func (l Level) MarshalText() ([]byte, error)  { return []byte(l.String()), nil }
func (l *Level) UnmarshalText(b []byte) error { return set(levels, (*uint8)(l), b) }

// MaxEngagement is the longest that an engagement holds.
const MaxEngagement = 90 * 24 * time.Hour

// Engagement is the rules of engagement: what may be sent, to whom, by when,
// and who answers for it. Nothing is sent without one.
type Engagement struct {
	ID      int64  `json:"id,omitempty"` // 0: it is of this run alone
	Name    string `json:"name"`
	Owner   string `json:"owner"`             // who answers for it
	Contact string `json:"contact,omitempty"` // whom a target's people call
	// Authorisation says on what paper it stands: an order, a ticket, a
	// contract, with the name of who signed it.
	Authorisation string `json:"authorisation,omitempty"`

	// Targets are what may be touched: an address, a network (10.1.0.0/16), a
	// host name, all below one (*.example.com, without example.com itself), a URL
	// (everything under it) or a cloud account (cloud:aws:123456789012).
	Targets []string `json:"targets"`
	// Exclusions are of the same kinds and always win.
	Exclusions []string `json:"exclusions,omitempty"`
	Level      Level    `json:"level"` // the highest allowed
	// Credentials allows trying a handful of default credentials.
	Credentials bool `json:"credentials,omitempty"`
	// Test says that the targets are test systems, in which objects may be made.
	Test bool `json:"test,omitempty"`

	Windows   []Window  `json:"windows,omitempty"`   // none: at any time
	Blackouts []string  `json:"blackouts,omitempty"` // dates, 2006-01-02, in the zone of Zone
	Zone      string    `json:"zone,omitempty"`      // IANA name; empty: UTC
	Starts    time.Time `json:"starts,omitzero"`
	Expires   time.Time `json:"expires"` // at most [MaxEngagement] after it starts

	Limits    Limits     `json:"limits,omitzero"`
	Proofs    []Proved   `json:"proofs,omitempty"`    // of who owns public targets
	Approvals []Approval `json:"approvals,omitempty"` // void when the rules change
	Withdrawn time.Time  `json:"withdrawn,omitzero"`  // zero: in force
}

// Window is a time of the week in which something may be sent.
type Window struct {
	Days  []string `json:"days,omitempty"` // mon, tue …; none: every day
	From  string   `json:"from"`           // 15:04
	Until string   `json:"until"`          // 15:04; before From: of the next day
}

// Limits bound what one target gets. Zero is the default of package guard.
type Limits struct {
	Rate        float64 `json:"rate,omitempty"`        // connections and requests a second, for each target
	Concurrency int     `json:"concurrency,omitempty"` // at once, for each target
	Total       int64   `json:"total,omitempty"`       // connections and requests, for each target and scan
}

// Proved says that somebody showed who owns a public target.
type Proved struct {
	Target string    `json:"target"` // host name or address
	Method string    `json:"method"` // dns, file
	At     time.Time `json:"at"`
}

// Approval is one person's yes to the rules as they stood.
type Approval struct {
	By     string    `json:"by"`
	At     time.Time `json:"at"`
	Digest string    `json:"digest"` // of the rules, see package guard
}
