package guard

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/leeward-ctem/leeward/exposure"
	"github.com/leeward-ctem/leeward/internal/reserved"
)

// What a target gets when its engagement does not say.
const (
	DefaultRate        = 100
	DefaultConcurrency = 32
	DefaultTotal       = 1_000_000
)

// Bounds of an engagement.
const (
	maxPatterns    = 10_000
	maxRate        = 1_000_000
	maxConcurrency = 4096
)

// rules is an engagement, ready to decide.
type rules struct {
	exposure.Engagement
	targets    []pattern
	exclusions []pattern
	zone       *time.Location
	windows    []window
	blackouts  map[string]bool
	digest     string
}

// window is one of the week, in minutes of the day; until may be of the next.
type window struct {
	days        [7]bool
	from, until int
}

// Check says what is wrong with rules of engagement, nil when nothing is. It
// does not ask whether they are in force.
func Check(e *exposure.Engagement, now time.Time) error {
	if _, err := compile(e); err != nil {
		return err
	}
	from := e.Starts
	if from.IsZero() {
		from = now
	}
	bad := func(format string, args ...any) error {
		return exposure.Errorf(exposure.Invalid, "the rules of engagement: "+format, args...)
	}
	switch {
	case strings.TrimSpace(e.Name) == "":
		return bad("they need a name")
	case strings.TrimSpace(e.Owner) == "":
		return bad("name the owner, who answers for them")
	case len(e.Targets) == 0:
		return bad("they name no target, so nothing could be looked at")
	case e.Level >= exposure.LevelEmulation:
		return bad("emulation is planned and its results imported; the highest level that runs here is %v", exposure.LevelAuthenticated)
	case e.Expires.IsZero():
		return bad("say until when they hold, at most %d days", int(exposure.MaxEngagement.Hours()/24))
	case !e.Expires.After(from):
		return bad("they end before they begin")
	case e.Expires.Sub(from) > exposure.MaxEngagement:
		return bad("they hold for more than %d days", int(exposure.MaxEngagement.Hours()/24))
	case e.Limits.Rate < 0 || e.Limits.Rate > maxRate || e.Limits.Concurrency < 0 || e.Limits.Concurrency > maxConcurrency || e.Limits.Total < 0:
		return bad("the limits are beyond what a target bears: at most %d a second and %d at once", maxRate, maxConcurrency)
	}
	return nil
}

// Digest is a checksum of the rules as they stand, without who approved them or
// proved what. Approvals are of a digest.
func Digest(e *exposure.Engagement) string {
	rules := *e
	rules.ID, rules.Approvals, rules.Proofs, rules.Withdrawn = 0, nil, nil, time.Time{}
	body, err := json.Marshal(&rules)
	if err != nil {
		return "" // no approval is of it
	}
	sum := sha256.Sum256(body)
	return hex.EncodeToString(sum[:])
}

func compile(e *exposure.Engagement) (*rules, error) {
	r := &rules{Engagement: *e, blackouts: map[string]bool{}, digest: Digest(e)}
	if len(e.Targets)+len(e.Exclusions) > maxPatterns {
		return nil, exposure.Errorf(exposure.Invalid, "more than %d targets and exclusions: name networks instead", maxPatterns)
	}
	for _, t := range e.Targets {
		p, err := parsePattern(t)
		if err != nil {
			return nil, err
		}
		r.targets = append(r.targets, p)
	}
	for _, t := range e.Exclusions {
		p, err := parsePattern(t)
		if err != nil {
			return nil, err
		}
		r.exclusions = append(r.exclusions, p)
	}
	var err error
	if r.zone, err = time.LoadLocation(e.Zone); err != nil {
		return nil, exposure.Errorf(exposure.Invalid, "zone %q is none: give a name such as Europe/Berlin", cut(e.Zone))
	}
	for _, d := range e.Blackouts {
		if _, err := time.Parse(time.DateOnly, d); err != nil {
			return nil, exposure.Errorf(exposure.Invalid, "blackout %q is no date: write it as 2006-01-02", cut(d))
		}
		r.blackouts[d] = true
	}
	for _, w := range e.Windows {
		c, err := compileWindow(w)
		if err != nil {
			return nil, err
		}
		r.windows = append(r.windows, c)
	}
	return r, nil
}

var weekdays = []string{"sun", "mon", "tue", "wed", "thu", "fri", "sat"}

func compileWindow(w exposure.Window) (c window, err error) {
	for _, d := range w.Days {
		n := slices.Index(weekdays, strings.ToLower(d))
		if n < 0 {
			return c, exposure.Errorf(exposure.Invalid, "day %q: write mon, tue, wed, thu, fri, sat or sun", cut(d))
		}
		c.days[n] = true
	}
	if len(w.Days) == 0 {
		c.days = [7]bool{true, true, true, true, true, true, true}
	}
	if c.from, err = minutes(w.From); err != nil {
		return c, err
	}
	if c.until, err = minutes(w.Until); err != nil {
		return c, err
	}
	if c.until <= c.from {
		c.until += 24 * 60
	}
	return c, nil
}

func minutes(s string) (int, error) {
	if s == "24:00" {
		return 24 * 60, nil
	}
	t, err := time.Parse("15:04", s)
	if err != nil {
		return 0, exposure.Errorf(exposure.Invalid, "time %q: write it as 15:04", cut(s))
	}
	return t.Hour()*60 + t.Minute(), nil
}

// when says why nothing may be sent at a time; empty when it may. An engagement
// of one run needs no approval: who runs it answers for it.
func (r *rules) when(now time.Time) (against []string) {
	local := now.In(r.zone)
	if !r.Withdrawn.IsZero() {
		against = append(against, "the engagement was withdrawn")
	}
	if !r.Starts.IsZero() && now.Before(r.Starts) {
		against = append(against, "the engagement begins at "+r.Starts.UTC().Format(time.RFC3339))
	}
	if !now.Before(r.Expires) {
		against = append(against, "the engagement ended at "+r.Expires.UTC().Format(time.RFC3339))
	}
	if r.ID != 0 && !r.approved() {
		against = append(against, "nobody but its owner approved the rules as they stand")
	}
	if r.blackouts[local.Format(time.DateOnly)] {
		against = append(against, local.Format(time.DateOnly)+" is a blackout date")
	}
	if len(r.windows) > 0 && !slices.ContainsFunc(r.windows, func(w window) bool { return w.open(local) }) {
		against = append(against, fmt.Sprintf("%s in %s is outside the agreed windows", local.Format("Mon 15:04"), r.zone))
	}
	return against
}

func (r *rules) approved() bool {
	return slices.ContainsFunc(r.Approvals, func(a exposure.Approval) bool {
		return a.Digest == r.digest && a.By != "" && a.By != r.Owner
	})
}

// open reports whether a window holds a local time: of today, or of yesterday
// when it goes past midnight.
func (w *window) open(local time.Time) bool {
	at := local.Hour()*60 + local.Minute()
	day := int(local.Weekday())
	return w.days[day] && w.from <= at && at < w.until || w.days[(day+6)%7] && at+24*60 < w.until
}

// where is what an action touches, in canonical form.
type where struct {
	name     string     // a host name; empty: addr is what was asked for
	addr     netip.Addr // invalid: not resolved yet
	protocol string
	ports    []exposure.PortRange
	// Of a request: its place. Empty: a connection, on which anything could be sent.
	scheme string
	port   int
	path   string
	clean  bool // path is in its plain form
}

func (w *where) host() string {
	if w.name != "" {
		return w.name
	}
	return w.addr.String()
}

// ask is one question to the rules.
type ask struct {
	where
	level       exposure.Level
	credentials bool
	lookup      bool // only the DNS is asked about the name
}

// allows says why the rules forbid something; nil when they allow it. When the
// address of a name is not known yet it says what can be said without.
func (r *rules) allows(a *ask, shunned map[netip.Addr]string) (against []string) {
	if a.level > r.Level || a.level >= exposure.LevelEmulation {
		against = append(against, fmt.Sprintf("the level is %v and the engagement goes to %v", a.level, r.Level))
	}
	if a.credentials && (!r.Credentials || a.level < exposure.LevelAuthenticated) {
		against = append(against, "the engagement does not allow to try credentials")
	}
	if a.name != "" && !r.names(a) {
		against = append(against, "no target is named "+a.name)
	}
	if why := r.excludes(a, shunned); why != "" {
		against = append(against, why)
	}
	if a.lookup || !a.addr.IsValid() {
		return against
	}
	if why := untouchable(a.addr); why != "" {
		return append(against, why)
	}
	inside := r.addresses(a)
	if a.name == "" && !inside {
		against = append(against, fmt.Sprintf("no target holds %s", a.addr))
	}
	private := reserved.In(reserved.Private(), a.addr)
	if private && !inside {
		against = append(against, fmt.Sprintf("%s is a private or loopback address, which no target names", a.addr))
	}
	if !private && a.level > exposure.LevelObserve && !r.proved(a) {
		against = append(against, fmt.Sprintf("%s is public and nobody proved to own it, which %v needs", a.host(), a.level))
	}
	return against
}

// names reports whether a target holds what is asked for by its name.
func (r *rules) names(a *ask) bool {
	return slices.ContainsFunc(r.targets, func(p pattern) bool {
		return p.holdsName(a.name) && (a.lookup || p.reaches(a))
	})
}

// addresses reports whether a target holds the address.
func (r *rules) addresses(a *ask) bool {
	return slices.ContainsFunc(r.targets, func(p pattern) bool { return p.holdsAddr(a.addr) && p.reaches(a) })
}

// reaches reports whether a pattern that holds the host holds the place on it.
// Under a part of an origin only requests can be looked at: on a connection
// anything could be sent.
func (p *pattern) reaches(a *ask) bool {
	switch {
	case !p.isURL():
		return true
	case a.scheme != "":
		return p.holdsURL(&a.where)
	}
	return p.whole() && a.protocol == "tcp" && len(a.ports) == 1 && a.ports[0].First == p.port && a.ports[0].Last == p.port
}

// excludes says which exclusion holds what is asked for.
func (r *rules) excludes(a *ask, shunned map[netip.Addr]string) string {
	for i := range r.exclusions {
		p := &r.exclusions[i]
		if !p.holdsName(a.name) && !p.holdsAddr(a.addr) {
			continue
		}
		switch {
		case !p.isURL():
		case a.lookup:
			continue
		case a.scheme != "":
			if !p.excludesURL(&a.where) {
				continue
			}
		case !slices.ContainsFunc(a.ports, func(r exposure.PortRange) bool { return r.First <= p.port && p.port <= r.Last }):
			continue
		}
		return "it is excluded by " + p.text
	}
	if name := shunned[a.addr]; name != "" && a.addr.IsValid() {
		return fmt.Sprintf("%s is the address of %s, which is excluded", a.addr, name)
	}
	return ""
}

// excludedNames are the exclusions whose addresses have to be known, so that
// they are not touched by them either.
func (r *rules) excludedNames() (names []string) {
	for _, p := range r.exclusions {
		if p.name != "" && !p.below && !p.isURL() {
			names = append(names, p.name)
		}
	}
	return names
}

// proved reports whether somebody showed who owns a host. A proof of a name in
// the DNS holds for those below it; a file shows who runs one host.
func (r *rules) proved(a *ask) bool {
	return slices.ContainsFunc(r.Proofs, func(p exposure.Proved) bool {
		name, addr, err := canonicalHost(p.Target)
		if err != nil || p.At.IsZero() {
			return false
		}
		if addr.IsValid() {
			return addr == a.addr
		}
		return a.name == name || p.Method != ProvedByFile && strings.HasSuffix(a.name, "."+name)
	})
}

// wrapping are networks of IPv6 whose addresses mean one of IPv4: NAT64, 6to4,
// Teredo and the compatible ones. Who wants to reach one names it as such.
var wrapping = []netip.Prefix{
	netip.MustParsePrefix("64:ff9b::/96"), netip.MustParsePrefix("64:ff9b:1::/48"), netip.MustParsePrefix("2002::/16"),
	netip.MustParsePrefix("2001::/32"), netip.MustParsePrefix("::ffff:0:0:0/96"),
}

// untouchable says why an address is never touched, whatever the rules say.
func untouchable(a netip.Addr) string {
	switch {
	case reserved.In(reserved.Metadata(), a):
		return fmt.Sprintf("%s is a metadata or link-local address and is never touched", a)
	case a.IsMulticast():
		return fmt.Sprintf("%s is a multicast address and is never touched", a)
	case a.IsUnspecified(), a.Is4() && a.As4()[0] == 0:
		return fmt.Sprintf("%s is no address of a host", a)
	case a.Is4() && a.As4()[0] >= 240:
		return fmt.Sprintf("%s is a reserved or broadcast address and is never touched", a)
	case a.Is6() && a != netip.IPv6Loopback() && a.As16()[0] == 0 && a.As16()[1] == 0 && !a.Is4In6():
		return fmt.Sprintf("%s means an address of another kind: name that instead", a)
	}
	for _, p := range wrapping {
		if p.Contains(a) {
			return fmt.Sprintf("%s means an address of another kind: name that instead", a)
		}
	}
	return ""
}
