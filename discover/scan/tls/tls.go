// Package tls looks at how a service speaks TLS: the versions and cipher
// suites that it agrees to, and the certificates that it shows. Services that
// begin in clear text are asked to start TLS first.
//
// It says the first message of a handshake and reads the answer, some twenty
// times, and never ends a handshake but one: what is sent is what any client
// sends. Bugs of programs that show only when they are misused, such as
// Heartbleed, are not tried.
package tls

import (
	"cmp"
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"iter"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/leeward-ctem/leeward/discover/scan"
	"github.com/leeward-ctem/leeward/exposure"
	"github.com/leeward-ctem/leeward/guard"
)

// Engine looks at the TLS of a service.
type Engine struct {
	// Roots are the authorities that clients trust. Nil: those of the system.
	Roots *x509.CertPool
}

const class = "tls"

// Describe implements scan.Engine.
func (Engine) Describe() scan.Description {
	return scan.Description{Name: class, Title: "TLS: versions, cipher suites and certificates", Level: exposure.LevelObserve, Takes: []scan.Kind{scan.Service}}
}

// Scan implements scan.Engine.
func (e Engine) Scan(ctx context.Context, j *scan.Job) iter.Seq2[exposure.Observation, error] {
	return func(yield func(exposure.Observation, error) bool) {
		start, ok := prelude(j)
		if !ok || j.Protocol == "udp" {
			return // it speaks something that has no TLS
		}
		l := &look{job: j, ctx: ctx, start: start, answers: map[uint16]answer{}}
		l.versions()
		if l.spoke {
			l.judgeVersions()
			l.suites()
			l.certificates(e.Roots)
		}
		j.Progress(1, 1)
		for _, w := range l.weak {
			if !yield(w.rule.observation(l.at(), w), nil) {
				return
			}
		}
		switch {
		case ctx.Err() != nil:
			yield(exposure.Observation{}, context.Cause(ctx))
		case l.err != nil:
			yield(exposure.Observation{}, fmt.Errorf("TLS of %s, port %d: %w", j.Host, j.Port, l.err))
		case l.spoke && !l.unsure && len(l.answers) > 0:
			c := exposure.Coverage{Class: class, Rules: l.covered(), Ports: []exposure.PortRange{{Protocol: "tcp", First: j.Port, Last: j.Port}}}
			yield(exposure.Observation{Kind: exposure.ObservedCoverage, Class: class, Coverage: &c}, nil)
		}
	}
}

// look is one look at one service.
type look struct {
	job   *scan.Job
	ctx   context.Context
	start startTLS

	answers map[uint16]answer // by version that was agreed to
	spoke   bool              // something answered in TLS
	unsure  bool              // some question has no answer
	blind   bool              // what clients trust is not known
	refused bool              // the service does not start TLS
	silent  int               // questions that stayed without an answer
	err     error
	weak    []weakness
}

// How long an answer is waited for.
const (
	connectWait = 4 * time.Second
	answerWait  = 4 * time.Second
)

// dial connects, and starts TLS where a service begins in clear text.
func (l *look) dial(what string) (guard.Conn, bool) {
	if l.gaveUp() {
		return nil, false
	}
	c, err := l.job.Network.Dial(l.ctx, guard.Action{Level: exposure.LevelObserve, Host: l.job.Host, Port: l.job.Port, What: what, Timeout: connectWait})
	if err != nil {
		var refusal *guard.Refusal
		if errors.As(err, &refusal) || l.err == nil && !l.spoke {
			l.err = err
		}
		return nil, false
	}
	if err := c.SetDeadline(time.Now().Add(answerWait)); err != nil {
		c.Close()
		return nil, false
	}
	if l.start == nil {
		return c, true
	}
	switch started, offered := l.start(&lines{c: c, left: maxPrelude}, l.job.Host); {
	case started:
		return c, true
	case !offered:
		l.refused = !l.spoke
	}
	c.Close()
	return nil, false
}

// ask says a ClientHello and reads the answer. A question without an answer is
// asked once more.
func (l *look) ask(what string, o offer) (a answer, ok bool) {
	for range 2 {
		c, dialled := l.dial(what)
		if !dialled {
			continue
		}
		if l.name() != "" {
			o.name = l.name()
		}
		_, err := c.Write(o.hello())
		if err == nil {
			a = read(c, o.version == versionSSL2)
		}
		c.Close()
		l.spoke = l.spoke || a.tls
		if err == nil && a.done {
			return a, true
		}
	}
	l.unsure = true
	l.silent++
	return answer{}, false
}

// gaveUp reports whether no more is asked. Who kept silent at the first
// question, or at two of them, does so at all the others.
func (l *look) gaveUp() bool {
	return l.err != nil || l.refused || l.ctx.Err() != nil || l.silent > 1 || l.silent > 0 && !l.spoke
}

// name is the host as a name, empty when it is an address.
func (l *look) name() string {
	host := strings.TrimSuffix(l.job.Host, ".")
	if _, err := netip.ParseAddr(strings.Trim(host, "[]")); err == nil {
		return ""
	}
	return host
}

func (l *look) at() exposure.Location {
	return exposure.Location{Port: l.job.Port, Protocol: "tcp", Service: cmp.Or(l.job.Service, "tls")}
}

// shows takes down a weakness.
func (l *look) shows(id, evidence string, severity exposure.Severity) {
	for _, r := range rules() {
		if r.id == id {
			if severity == exposure.SeverityUnknown {
				severity = r.severity
			}
			l.weak = append(l.weak, weakness{rule: r, severity: severity, evidence: evidence})
			return
		}
	}
}

func (l *look) said(id string) bool {
	return slices.ContainsFunc(l.weak, func(w weakness) bool { return w.rule.id == id })
}

// covered are the rules that were looked for, as coverage states them: none
// when those are all.
func (l *look) covered() (ids []string) {
	if !l.blind {
		return nil
	}
	for _, r := range rules() {
		if !r.trust {
			ids = append(ids, class+"/"+r.id)
		}
	}
	return ids
}
