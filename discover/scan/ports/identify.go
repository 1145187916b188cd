package ports

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"slices"
	"time"

	"github.com/leeward-ctem/leeward/discover/scan"
	"github.com/leeward-ctem/leeward/exposure"
	"github.com/leeward-ctem/leeward/guard"
)

// target is an open port of a host.
type target struct {
	job     *scan.Job
	port    int
	ports   []exposure.PortRange // all that are looked at
	timeout time.Duration        // of connecting
	rules   map[string]*rule
}

// found is what answers at a port.
type found struct {
	port             int
	service          string
	product, version string
	weak             []weakness
	// settled says that an answer came to all that was asked, or that what
	// answers was understood.
	settled bool
	shallow bool // the rules of engagement allow no more than greetings
	unsure  bool // a question about what was understood stayed without its answer
	err     error
}

// How long words are waited for, beside the time that the way takes.
const (
	visitFor  = 7 * time.Second        // everything at one port
	greetWait = 3 * time.Second        // for the first word where one is to be expected
	quietWait = 400 * time.Millisecond // for the first word where none is
	askWait   = 1500 * time.Millisecond
	tiredWait = 250 * time.Millisecond // of who said nothing twice

	// mostSilent is how many questions in all are put to who never says a word.
	mostSilent = 6
)

// visit finds out what answers at a port.
type visit struct {
	*target
	ctx    context.Context
	until  time.Time
	secure bool // everything is said within TLS
	silent int  // questions without an answer
	out    *found
}

// identify finds out what answers at a port.
func identify(ctx context.Context, t *target) *found {
	v := &visit{target: t, ctx: ctx, until: time.Now().Add(visitFor), out: &found{port: t.port}}
	known := v.understood(slices.Contains(tlsPorts(), t.port))
	if v.out.service == "" && v.secure {
		v.out.service = scan.Secured("")
	}
	switch {
	case v.out.err != nil:
	case known:
		v.out.settled = !v.out.unsure
	default:
		v.out.settled = v.silent == 0 && !v.out.unsure && time.Now().Before(v.until)
	}
	return v.out
}

// understood goes through all ways to find out, the likely ones first: TLS
// where that is usual, protocols that are usual at the port, what is said
// without being asked, a web page, TLS, and all other protocols. Within TLS it
// does the same again. It reports whether one of them was understood.
func (v *visit) understood(tlsFirst bool) bool {
	if tlsFirst && v.speaksTLS() {
		return v.within()
	}
	all := probes()
	for i := range all {
		if slices.Contains(all[i].ports, v.port) && v.ask(&all[i]) {
			return true
		}
	}
	if v.listen() {
		return true
	}
	if !tlsFirst && !v.secure && v.speaksTLS() {
		return v.within()
	}
	for i := range all {
		if !slices.Contains(all[i].ports, v.port) && v.ask(&all[i]) {
			return true
		}
	}
	return false
}

// within goes on within TLS. What was not answered before is not counted.
func (v *visit) within() bool {
	v.secure, v.silent, v.out.unsure = true, 0, false
	return v.understood(false)
}

// speaksTLS reports whether the port answers to a ClientHello.
func (v *visit) speaksTLS() bool {
	c, ok := v.dial("TLS handshake", exposure.LevelObserve)
	if !ok {
		return false
	}
	defer c.Close()
	_, spoke := v.handshake(c)
	if spoke == unheard {
		v.silent++
	}
	return spoke == heard
}

// spoken is what came back to a ClientHello.
type spoken int

const (
	unheard spoken = iota // nothing
	other                 // something that is not TLS, or the end
	heard                 // TLS, if only to refuse
)

// handshake starts TLS on a connection. Old versions and weak suites are
// welcome: what answers is to be known, not trusted.
func (v *visit) handshake(c guard.Conn) (*tls.Conn, spoken) {
	first := &firstBytes{Conn: c}
	secure := tls.Client(first, &tls.Config{
		InsecureSkipVerify: true, MinVersion: tls.VersionTLS10, CipherSuites: everySuite(), ServerName: serverName(v.job.Host),
	})
	if err := c.SetDeadline(time.Now().Add(v.wait(askWait) + v.timeout)); err != nil {
		return nil, other
	}
	err := secure.HandshakeContext(v.ctx)
	// A record of the kinds alert and handshake, of any version.
	tlsRecord := first.n >= 2 && (first.b[0] == 0x15 || first.b[0] == 0x16) && first.b[1] == 3
	var late interface{ Timeout() bool }
	switch {
	case err == nil:
		return secure, heard
	case tlsRecord:
		return nil, heard
	case first.n == 0 && errors.As(err, &late) && late.Timeout():
		return nil, unheard
	}
	return nil, other
}

// firstBytes remembers how an answer began.
type firstBytes struct {
	guard.Conn
	b [2]byte
	n int
}

func (f *firstBytes) Read(p []byte) (int, error) {
	n, err := f.Conn.Read(p)
	if f.n < len(f.b) {
		f.n += copy(f.b[f.n:], p[:n])
	}
	return n, err
}

func everySuite() (ids []uint16) {
	for _, s := range slices.Concat(tls.CipherSuites(), tls.InsecureCipherSuites()) {
		ids = append(ids, s.ID)
	}
	return ids
}

// dial connects. What goes wrong is kept, for then nothing can be said of the
// port.
func (v *visit) dial(what string, level exposure.Level) (guard.Conn, bool) {
	if v.out.err != nil || v.silent >= mostSilent || time.Now().After(v.until) || v.ctx.Err() != nil {
		return nil, false
	}
	c, err := v.job.Network.Dial(v.ctx, guard.Action{
		Level: level, Host: v.job.Host, Port: v.port, Ports: v.ports, What: what, Timeout: 2 * v.timeout,
	})
	var refusal *guard.Refusal
	if level > exposure.LevelObserve && errors.As(err, &refusal) {
		v.out.shallow = true
		return nil, false
	}
	if err != nil {
		v.out.err = err
		return nil, false
	}
	return c, true
}

// talk connects and begins a conversation, within TLS when that is spoken.
func (v *visit) talk(what string, level exposure.Level) (*talk, bool) {
	c, ok := v.dial(what, level)
	if !ok {
		return nil, false
	}
	if v.secure {
		secure, spoke := v.handshake(c)
		if secure == nil {
			c.Close()
			v.out.unsure = v.out.unsure || spoke == unheard
			return nil, false
		}
		c = secure
	}
	t := newTalk(c)
	if t.until.After(v.until) {
		t.until = v.until
	}
	if err := c.SetDeadline(t.until); err != nil {
		c.Close()
		return nil, false
	}
	return t, true
}

// wait is how long a word is waited for. Who keeps silent is not waited for
// for ever.
func (v *visit) wait(usual time.Duration) time.Duration {
	if v.silent >= 2 {
		usual = min(usual, tiredWait)
	}
	return usual + v.timeout
}

// took notes how a conversation went and ends it.
func (v *visit) took(t *talk) {
	t.c.Close()
	switch {
	case t.silent && t.heard:
		v.out.unsure = true
	case t.silent && !t.closed:
		v.silent++
	}
}

// ask asks one question.
func (v *visit) ask(p *probe) bool {
	t, ok := v.talk(p.name, exposure.LevelObserve)
	if !ok {
		return false
	}
	defer v.took(t)
	return p.ask(&dialog{talk: t, visit: v})
}

// listen waits for the first word, and when none comes asks for a web page.
func (v *visit) listen() bool {
	t, ok := v.talk("banner", exposure.LevelObserve)
	if !ok {
		return false
	}
	defer v.took(t)
	wait := quietWait
	if slices.Contains(greetingPorts(), v.port) {
		wait = greetWait
	}
	d := &dialog{talk: t, visit: v}
	if t.hear(v.wait(wait)) {
		return d.greeted()
	}
	if t.closed {
		return false
	}
	t.silent = false
	return d.web()
}

// is takes down what answers. A product may be unknown.
func (v *visit) is(service, product, version string) {
	if v.secure {
		service = scan.Secured(service)
	}
	v.out.service = service
	v.out.product, v.out.version = clip(clean(product), maxName), clip(clean(version), maxName)
}

// shows takes down a weakness, when the level reaches so far.
func (v *visit) shows(id, evidence string) {
	r := v.rules[id]
	if r == nil || v.job.Level < r.level && r.level > exposure.LevelObserve || slices.ContainsFunc(v.out.weak, func(w weakness) bool { return w.rule == r }) {
		return
	}
	v.out.weak = append(v.out.weak, weakness{r, evidence})
}

// deeper lets more than a greeting be said, in a conversation of its own, when
// that was asked for and the rules of engagement allow it.
func (v *visit) deeper(what string, ask func(*dialog)) {
	if v.job.Level < exposure.LevelProbe {
		return
	}
	t, ok := v.talk(what, exposure.LevelProbe)
	if !ok {
		return
	}
	defer v.took(t)
	ask(&dialog{talk: t, visit: v})
}

func (v *visit) host() string { return cmp.Or(v.job.Host, "localhost") }
