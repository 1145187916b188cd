package credentials

import (
	"bufio"
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/leeward-ctem/leeward/discover/scan"
	"github.com/leeward-ctem/leeward/exposure"
	"github.com/leeward-ctem/leeward/guard"
)

// The most logins that are tried.
const (
	perAccount = 5
	perService = 10
)

// verdict is what a service made of a login.
type verdict uint8

const (
	refused  verdict = iota // clearly
	accepted                // and logged out
	open                    // it asked for no password
	shut                    // it takes no passwords from here, so there is nothing to guess
	locked                  // it shows signs of a lockout or of slowing us down
)

// protocol is one way to log in.
type protocol struct {
	name     string
	title    string
	services []string // as in [scan.Target]
	udp      bool
	// elsewhere is that the engine of ports states it when no password is asked for.
	elsewhere bool
	// banner says how the service introduces itself, to know the vendor by.
	banner func(ctx context.Context, s *service) (string, error)
	// login tries one pair on a connection of its own.
	login func(ctx context.Context, s *service, account, password string) (verdict, error)
}

func protocols() []protocol {
	return []protocol{
		{name: "ssh", title: "SSH", services: []string{"ssh"}, banner: greeting, login: loginSSH},
		{name: "ftp", title: "FTP", services: []string{"ftp", "ftps"}, banner: greeting, login: loginFTP},
		{name: "telnet", title: "Telnet", services: []string{"telnet", "telnets"}, banner: telnetBanner, login: loginTelnet},
		{name: "mysql", title: "MySQL", services: []string{"mysql", "mariadb"}, login: loginMySQL},
		{name: "postgresql", title: "PostgreSQL", services: []string{"postgresql", "postgres"}, login: loginPostgres},
		{name: "redis", title: "Redis", services: []string{"redis", "rediss", "valkey"}, elsewhere: true, login: loginRedis},
		{name: "mqtt", title: "MQTT", services: []string{"mqtt", "mqtts"}, elsewhere: true, login: loginMQTT},
		{name: "amqp", title: "AMQP", services: []string{"amqp", "amqps"}, login: loginAMQP},
		{name: "mongodb", title: "MongoDB", services: []string{"mongodb"}, elsewhere: true, login: loginMongo},
		{name: "vnc", title: "VNC", services: []string{"vnc", "rfb"}, elsewhere: true, login: loginVNC},
		{name: "snmp", title: "SNMP", services: []string{"snmp"}, udp: true, login: loginSNMP},
	}
}

// service is what logins are tried at.
type service struct {
	*scan.Job
	protocol string // tcp, udp
	// guarded is that MQTT was seen to want a password.
	guarded bool
	encrypt bool          // FTP takes passwords in TLS only
	silence time.Duration // how long an answer is waited for where none may come
}

// patience is how long a service may take for one login.
const patience = 10 * time.Second

// silence is how long an answer to a datagram is waited for.
const silence = 2 * time.Second

// most bounds what is read of a service in one login.
const most = 256 << 10

// wire is a connection with what was read ahead of it.
type wire struct {
	guard.Conn
	*bufio.Reader
	stop func() bool
}

func (w *wire) Read(b []byte) (int, error) { return w.Reader.Read(b) }

func (w *wire) Close() error {
	w.stop()
	return w.Conn.Close()
}

// packet reads exactly n bytes.
func (w *wire) packet(n int) ([]byte, error) {
	if n < 0 || n > most {
		return nil, fmt.Errorf("a packet of %d bytes", n)
	}
	b := make([]byte, n)
	_, err := io.ReadFull(w.Reader, b)
	return b, err
}

// send writes.
func (w *wire) send(b []byte) error { _, err := w.Conn.Write(b); return err }

// secure goes on in TLS. Certificates are not verified: whoever has the wrong
// one may have a default password as well.
func (w *wire) secure(ctx context.Context, host string) error {
	c := tls.Client(w.Conn, &tls.Config{InsecureSkipVerify: true, ServerName: host, MinVersion: tls.VersionTLS10})
	if err := c.HandshakeContext(ctx); err != nil {
		return err
	}
	w.Conn, w.Reader = c, bufio.NewReader(io.LimitReader(c, most))
	return nil
}

// connect dials for a login.
func (s *service) connect(ctx context.Context) (*wire, error) {
	return s.dial(ctx, guard.Action{Level: exposure.LevelAuthenticated, What: "default credentials", Credentials: true})
}

func (s *service) dial(ctx context.Context, a guard.Action) (*wire, error) {
	a.Protocol, a.Host, a.Port = s.protocol, s.Host, s.Port
	c, err := s.Network.Dial(ctx, a)
	if err != nil {
		return nil, err
	}
	_ = c.SetDeadline(time.Now().Add(patience))
	w := &wire{Conn: c, Reader: bufio.NewReader(io.LimitReader(c, most)), stop: context.AfterFunc(ctx, func() { c.Close() })}
	if s.TLS && s.protocol == "tcp" {
		if err := w.secure(ctx, s.Host); err != nil {
			w.Close()
			return nil, err
		}
	}
	return w, nil
}

// service looks at a service.
func (e Engine) service(ctx context.Context, j *scan.Job, out *output) error {
	if j.Level < exposure.LevelProbe || j.Network == nil {
		return nil
	}
	s := &service{Job: j, protocol: cmp.Or(j.Protocol, "tcp"), silence: cmp.Or(e.silence, silence)}
	l := &looking{service: s, out: out, pause: cmp.Or(e.Pause, defaultPause)}
	if j.Service == "http" || j.Service == "https" {
		return l.web(ctx)
	}
	for _, p := range protocols() {
		if slices.Contains(p.services, j.Service) && p.udp == (s.protocol == "udp") {
			l.name, l.title, l.elsewhere = p.name, p.title, p.elsewhere
			return l.native(ctx, p)
		}
	}
	return nil
}

// looking is one look at a service.
type looking struct {
	*service
	out   *output
	pause time.Duration
	name  string // of the protocol
	title string
	rules []string // what was looked for completely
	tries int
	by    map[string]int // tries by account
	found bool
	// elsewhere is as in [protocol].
	elsewhere bool
}

func (l *looking) native(ctx context.Context, p protocol) error {
	if p.name == "ftp" {
		if err := l.anonymous(ctx); err != nil {
			return err
		}
	}
	if l.Level < exposure.LevelAuthenticated || !l.Credentials {
		return l.cover()
	}
	banner := ""
	if p.banner != nil {
		var err error
		if banner, err = p.banner(ctx, l.service); err != nil {
			return fmt.Errorf("%s: the banner: %w", p.title, err)
		}
	}
	pairs := defaultsOf(p.name, banner)
	if len(pairs) == 0 {
		return l.cover() // nothing is documented of this vendor
	}
	done, err := l.try(ctx, pairs, "credentials/default-"+p.name, func(ctx context.Context, with pair) (verdict, error) {
		return p.login(ctx, l.service, with.account, with.password)
	})
	if err != nil {
		return err
	}
	// Silence is no refusal.
	if done && !p.udp {
		l.rules = append(l.rules, "credentials/default-"+p.name)
		if !p.elsewhere {
			l.rules = append(l.rules, "credentials/none-"+p.name)
		}
	}
	return l.cover()
}

// try tries pairs one after another. done says that all were refused clearly.
func (l *looking) try(ctx context.Context, pairs []pair, rule string, login func(context.Context, pair) (verdict, error)) (done bool, err error) {
	if l.by == nil {
		l.by = map[string]int{}
	}
	done = true
	for _, p := range pairs {
		if l.tries == perService || l.by[p.account] == perAccount {
			done = false // others are documented, and not looked at
			continue
		}
		if l.tries > 0 {
			if err := wait(ctx, l.pause); err != nil {
				return false, err
			}
		}
		l.tries++
		l.by[p.account]++
		v, err := login(ctx, p)
		if err != nil {
			return false, l.failed(ctx, err)
		}
		switch v {
		case accepted:
			l.found = true
			return false, l.out.state(l.finding(p, rule))
		case open:
			l.found = true
			if l.elsewhere {
				return false, nil
			}
			return false, l.out.state(l.none(p))
		case locked:
			return false, l.out.broken(fmt.Errorf("%s on port %d: it shows signs of a lockout after %d logins, so no more were tried", cmp.Or(l.title, l.name), l.Port, l.tries))
		case shut:
			return true, nil
		}
	}
	return done, nil
}

// failed says what an error in the middle of a login means. A service that hangs
// up on us after a refusal has had enough of us.
func (l *looking) failed(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	var no *guard.Refusal
	if errors.As(err, &no) {
		return err
	}
	return l.out.broken(fmt.Errorf("%s on port %d: after %d logins: %w", cmp.Or(l.title, l.name), l.Port, l.tries, err))
}

func wait(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}

func (l *looking) cover() error {
	if len(l.rules) == 0 {
		return nil
	}
	return l.out.state(exposure.Observation{Kind: exposure.ObservedCoverage, Coverage: &exposure.Coverage{
		Class: class, Rules: l.rules, Ports: []exposure.PortRange{{Protocol: l.protocol(), First: l.Port, Last: l.Port}},
	}})
}

func (l *looking) protocol() string { return l.service.protocol }

// at is the place of a login.
func (l *looking) at(account string) exposure.Location {
	return exposure.Location{Port: l.Port, Protocol: l.protocol(), Service: l.Service, Parameter: account}
}

// finding is a pair that was accepted.
func (l *looking) finding(p pair, rule string) exposure.Observation {
	what, cwe := "the vendor's default", []int{1392}
	switch {
	case p.password == "":
		what, cwe = "an empty password, the vendor's default", []int{1392, 258}
	case p.weak:
		what, cwe = "a password that anybody guesses, as it is a name", []int{1391, 521}
	}
	who := ""
	if p.account != "" {
		who = fmt.Sprintf(" as %q", p.account)
	}
	o := exposure.Observation{
		Rule: rule, Title: fmt.Sprintf("%s accepts default credentials of %s", cmp.Or(l.title, p.product), p.product), Severity: exposure.SeverityCritical,
		Description: fmt.Sprintf("A login%s succeeded with %s. Anybody can look it up.", who, what),
		Solution:    "Give the account a password of its own, or remove it. Look whether others have used it.",
		CWEs:        cwe, References: []string{p.source}, Location: l.at(p.account),
		Detection: exposure.DetectionExploit, Confidence: 100,
		Evidence: []exposure.Evidence{{Kind: "note", Text: fmt.Sprintf("%s on port %d accepted a login%s with %s. The session was ended at once.", cmp.Or(l.title, p.product), l.Port, who, what)}},
	}
	if l.title == p.product {
		o.Title = p.product + " accepts default credentials"
	}
	if p.lesser {
		o.Severity = exposure.SeverityHigh
	}
	return o
}

// none is a service that asked for no password.
func (l *looking) none(p pair) exposure.Observation {
	title := cmp.Or(l.title, p.product)
	return exposure.Observation{
		Rule: "credentials/none-" + l.name, Title: title + " asks for no password", Severity: exposure.SeverityCritical,
		Description: "The service let us in without asking for a password.",
		Solution:    "Require authentication, and let only those reach the service who need it.",
		CWEs:        []int{306}, Location: l.at(""), Detection: exposure.DetectionExploit, Confidence: 100,
		Evidence: []exposure.Evidence{{Kind: "note", Text: fmt.Sprintf("%s on port %d let us in without a password. The session was ended at once.", title, l.Port)}},
	}
}

// greeting reads what a service sends by itself.
func greeting(ctx context.Context, s *service) (string, error) {
	w, err := s.dial(ctx, guard.Action{Level: exposure.LevelObserve, What: "banner"})
	if err != nil {
		return "", err
	}
	defer w.Close()
	if strings.HasPrefix(s.Service, "ftp") {
		_, text, err := w.reply()
		return text, err
	}
	return w.line()
}

// longest is the longest line that is read.
const longest = 4096

// line reads a line without its end.
func (w *wire) line() (string, error) {
	var b []byte
	for {
		c, err := w.ReadByte()
		if err != nil {
			return "", err
		}
		if c == '\n' {
			return string(b), nil
		}
		if len(b) == longest {
			return "", errors.New("a line without end")
		}
		if c != '\r' {
			b = append(b, c)
		}
	}
}
