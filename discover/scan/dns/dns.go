// Package dns looks at a domain by what the DNS says of it: names that lead to
// nothing, and so maybe to whoever takes their place, who may send mail in its
// name, and what it tells to everybody.
//
// Everything is asked of the resolver, except for a transfer of the zone, which
// is asked of its name servers where the rules of engagement reach them.
package dns

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"maps"
	"slices"
	"strings"

	"github.com/leeward-ctem/leeward/discover/scan"
	"github.com/leeward-ctem/leeward/exposure"
	"github.com/leeward-ctem/leeward/guard"
)

// Engine looks at domains.
type Engine struct{}

const class = "dns"

// Describe implements scan.Engine.
func (Engine) Describe() scan.Description {
	return scan.Description{Name: class, Title: "DNS: dangling names, mail and zones", Level: exposure.LevelObserve, Takes: []scan.Kind{scan.Domain}}
}

// Scan implements scan.Engine.
func (Engine) Scan(ctx context.Context, j *scan.Job) iter.Seq2[exposure.Observation, error] {
	return func(yield func(exposure.Observation, error) bool) {
		l := &look{
			job: j, ctx: ctx, domain: strings.ToLower(strings.TrimSuffix(j.Host, ".")),
			asked: map[question]*guard.Answer{}, unsure: map[string]bool{}, names: map[string][]string{},
		}
		steps := []func(){l.records, l.aliases, l.servers, l.exchangers, l.addresses, l.spf, l.dkim, l.dmarc, l.authorities, l.wildcard, l.transfer}
		for i, step := range steps {
			if ctx.Err() != nil || l.failure != nil {
				break
			}
			step()
			j.Progress(i+1, len(steps))
		}
		l.state(yield)
	}
}

// look is one look at one domain.
type look struct {
	job     *scan.Job
	ctx     context.Context
	domain  string
	asked   map[question]*guard.Answer
	weak    []exposure.Observation
	unsure  map[string]bool // rules of which some question has no answer
	names   map[string][]string
	failure error // why nothing more can be asked
	gone    bool  // the domain does not exist
	zoned   bool  // it is a zone of its own
}

// question is one to the resolver.
type question struct{ name, kind string }

// Bounds of one look.
const (
	maxQuestions = 500
	maxNames     = 10_000
)

// ask asks the resolver, once. It is nil when no answer came, and then the
// rules are not covered.
func (l *look) ask(name, kind string, rules ...string) *guard.Answer {
	name = strings.ToLower(strings.TrimSuffix(name, "."))
	q := question{name, kind}
	a, known := l.asked[q]
	if !known && len(l.asked) < maxQuestions && l.ctx.Err() == nil {
		var err error
		if a, err = l.job.Network.Lookup(l.ctx, name, kind); err != nil {
			a = nil
			var refusal *guard.Refusal
			if name == l.domain && l.failure == nil && (errors.As(err, &refusal) || kind == "SOA") {
				l.failure = err
			}
		}
		if a != nil && a.Code != "NOERROR" && a.Code != "NXDOMAIN" {
			a = nil // the resolver does not know either
		}
		l.asked[q] = a
	}
	if a == nil {
		for _, r := range rules {
			l.unsure[r] = true
		}
	}
	return a
}

// data are the records of a kind in an answer.
func data(a *guard.Answer, kind string) (all []string) {
	if a == nil {
		return nil
	}
	for _, r := range a.Records {
		if r.Kind == kind {
			all = append(all, r.Data)
		}
	}
	return all
}

// exists reports whether a name has anything at all. known is false when no
// answer came.
func (l *look) exists(name string, rules ...string) (exists, known bool) {
	a := l.ask(name, "A", rules...)
	if a == nil {
		return false, false
	}
	return a.Code != "NXDOMAIN", true
}

// within reports whether a name is the domain or below it.
func (l *look) within(name string) bool {
	return name == l.domain || strings.HasSuffix(name, "."+l.domain)
}

// found notes that a name is there, with an address when one is known.
func (l *look) found(name, address string) {
	name = strings.ToLower(strings.TrimSuffix(name, "."))
	first, _, _ := strings.Cut(name, ".")
	if !l.within(name) || strings.HasPrefix(first, "_") || first == "*" {
		return
	}
	all, known := l.names[name]
	if !known && len(l.names) >= maxNames {
		return
	}
	if address != "" && !slices.Contains(all, address) && len(all) < 64 {
		all = append(all, address)
	}
	l.names[name] = all
}

// shows takes down a weakness. Names that differ make findings that differ.
func (l *look) shows(id, name, evidence string) {
	r := ruleOf(id)
	o := exposure.Observation{
		Kind: exposure.ObservedWeakness, Class: class, Rule: class + "/" + id, Title: r.title, Description: r.why, Solution: r.fix,
		Severity: r.severity, Detection: exposure.DetectionRemote, Confidence: 95,
		Location: exposure.Location{Resource: clip(name, maxText)}, Evidence: []exposure.Evidence{{Kind: "output", Text: clip(clean(evidence), maxText)}},
	}
	if r.cwe != 0 {
		o.CWEs = []int{r.cwe}
	}
	if r.reference != "" {
		o.References = []string{r.reference}
	}
	l.weak = append(l.weak, o)
}

// state yields what was seen.
func (l *look) state(yield func(exposure.Observation, error) bool) {
	for _, o := range l.weak {
		if !yield(o, nil) {
			return
		}
	}
	for _, name := range slices.Sorted(maps.Keys(l.names)) {
		o := exposure.Observation{Kind: exposure.ObservedInventory, Class: class}
		o.Asset.Kind = exposure.AssetHost
		if name == l.domain {
			o.Asset.Kind = exposure.AssetDomain
		}
		o.Asset.Name = name
		o.Asset.Add(exposure.IDHostname, name)
		for _, a := range l.names[name] {
			o.Asset.Add(exposure.IDIP, a)
		}
		if !yield(o, nil) {
			return
		}
	}
	switch {
	case l.ctx.Err() != nil:
		yield(exposure.Observation{}, context.Cause(l.ctx))
	case l.failure != nil:
		yield(exposure.Observation{}, fmt.Errorf("the DNS of %s: %w", l.domain, l.failure))
	case l.gone:
		yield(exposure.Observation{}, exposure.Errorf(exposure.NotFound, "the domain %s does not exist", l.domain))
	default:
		l.cover(yield)
	}
}

func (l *look) cover(yield func(exposure.Observation, error) bool) {
	c := exposure.Coverage{Class: class}
	if len(l.unsure) > 0 || len(l.asked) >= maxQuestions {
		for _, r := range rules() {
			if !l.unsure[r.id] {
				c.Rules = append(c.Rules, class+"/"+r.id)
			}
		}
		if len(c.Rules) == 0 || len(l.asked) >= maxQuestions {
			return
		}
	}
	yield(exposure.Observation{Kind: exposure.ObservedCoverage, Class: class, Coverage: &c}, nil)
}
