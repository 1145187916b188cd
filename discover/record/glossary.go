package record

import (
	"fmt"

	"github.com/leeward-ctem/leeward/exposure"
)

// The bounds of what waits for the end of a report, in bytes: the proofs, which
// are left out beyond, and all of it.
const (
	maxProof   = 64 << 20
	maxWaiting = 256 << 20
)

// glossary joins weaknesses with what the report says of their rules elsewhere.
type glossary struct {
	defined map[string]exposure.Observation
	new     []exposure.Observation // of the record at hand
	waiting []exposure.Observation
	proof   int // bytes of evidence that wait
	size    int // bytes that are held
}

// Define says what a rule means: whatever o states of title, description,
// solution, severity, advisories, CWEs, CVSS, references and confidence is said
// of each weakness of the rule that was stated by [Report.Wait], unless that
// said something else itself. The first definition of a rule counts.
func (r *Report) Define(rule string, o exposure.Observation) error {
	g := &r.rules
	if _, known := g.defined[rule]; known || rule == "" {
		return nil
	}
	if g.size += weight(&o); g.size > maxWaiting {
		return fmt.Errorf("the report defines too many rules to hold: export it in parts")
	}
	if g.defined == nil {
		g.defined = map[string]exposure.Observation{}
	}
	g.defined[rule] = o
	return nil
}

// Wait states a weakness of a rule that the report defines elsewhere, before or
// behind. It is sent when the report has ended, for its advisories, which are
// its identity, may be among what is still to come. Of the weaknesses in a
// report that is cut off none is known well enough.
func (r *Report) Wait(o exposure.Observation) {
	o.Kind = exposure.ObservedWeakness
	if o.Tool == "" {
		o.Tool = r.run.Tool
	}
	r.rules.new = append(r.rules.new, o)
}

// keep takes up the weaknesses of the record at hand that wait, once the record
// turned out to be whole.
func (r *Report) keep() error {
	g := &r.rules
	for i := range g.new {
		o := &g.new[i]
		if o.Rule == "" && len(o.Advisories) == 0 {
			return sane(o)
		}
		proof := 0
		for _, e := range o.Evidence {
			proof += len(e.Text)
		}
		if g.proof += proof; g.proof > maxProof {
			g.proof -= proof
			o.Evidence = nil
		}
		if g.size += weight(o); g.size > maxWaiting {
			g.size -= weight(o)
			return fmt.Errorf("the report holds more findings than can wait for what it says of them: export it in parts")
		}
	}
	g.waiting = append(g.waiting, g.new...)
	g.new = g.new[:0]
	return nil
}

// weight is roughly how many bytes an observation takes; assets are shared.
func weight(o *exposure.Observation) int {
	n := 700 + len(o.Description) + len(o.Solution) + len(o.Title) + len(o.Location.Path) + len(o.Location.Resource)
	for _, e := range o.Evidence {
		n += len(e.Text) + 32
	}
	for _, s := range o.References {
		n += len(s) + 16
	}
	return n + 32*len(o.Advisories)
}

// release sends what waited.
func (r *Report) release() error {
	for i := range r.rules.waiting {
		o := r.rules.waiting[i]
		if d, ok := r.rules.defined[o.Rule]; ok {
			fill(&o, &d)
		}
		if r.spec.Complete != nil {
			r.spec.Complete(&o)
		}
		if err := sane(&o); err != nil {
			if err := r.Lose(&exposure.RecordError{Record: r.number, Err: err}); err != nil {
				return err
			}
			continue
		}
		if err := r.Send(o); err != nil {
			return err
		}
	}
	r.rules = glossary{}
	return nil
}

func fill(o, d *exposure.Observation) {
	for _, t := range []struct{ to, from *string }{{&o.Title, &d.Title}, {&o.Description, &d.Description}, {&o.Solution, &d.Solution}} {
		if *t.to == "" {
			*t.to = *t.from
		}
	}
	for _, t := range []struct{ to, from *[]string }{{&o.Advisories, &d.Advisories}, {&o.CVSS, &d.CVSS}, {&o.References, &d.References}} {
		if *t.to == nil {
			*t.to = *t.from
		}
	}
	if o.CWEs == nil {
		o.CWEs = d.CWEs
	}
	if o.Severity == exposure.SeverityUnknown {
		o.Severity = d.Severity
	}
	if o.Confidence == 0 {
		o.Confidence = d.Confidence
	}
	if o.Detection == exposure.DetectionUnknown {
		o.Detection = d.Detection
	}
}
