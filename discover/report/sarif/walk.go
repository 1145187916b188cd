package sarif

import (
	"errors"

	"github.com/leeward-ctem/leeward/discover/decode"
	"github.com/leeward-ctem/leeward/exposure"
)

// Limits of what is kept of a run.
const (
	maxHeld = 64 << 20 // bytes of results that wait for the run's end
	maxText = 64 << 20 // bytes of rules, artifacts and taxonomies
	maxKept = 500_000  // of each of them
)

var errTooMuch = errors.New("more than 64 MiB or 500,000 rules, artifacts or taxa are described: the rest is not known to the results")

// walk goes over one document.
type walk struct {
	*decode.Emitter
	json   *decode.JSON
	record int                    // results so far
	result result                 // at hand
	found  []exposure.Observation // in it

	version string
	runs    int

	// Of the run at hand:
	facts   *facts
	stated  exposure.Run
	held    []held
	size    int64 // of held
	text    int64 // of what facts keep
	over    bool  // more was described than is kept
	early   bool  // results are not held any more
	lost    bool  // a record of the run was broken
	sent    int   // weaknesses
	classes []seen
}

// held is a result that waits.
type held struct {
	raw    string
	record int
	at     int64
}

// document walks the whole report.
func (w *walk) document() error {
	if k := w.json.Kind(); k != '{' && k != 0 {
		return exposure.Errorf(exposure.Invalid, "not a SARIF report: it is no JSON object")
	}
	known := false
	err := w.json.Object(func(name string) error {
		switch name {
		case "version":
			known = true
			return w.Lose(w.value((*text)(&w.version)))
		case "$schema":
			known = true
		case "runs":
			known = true
			return w.json.Array(w.run)
		}
		return w.json.Skip()
	})
	if err != nil {
		return err
	}
	if !known {
		return exposure.Errorf(exposure.Invalid, "not a SARIF report: it has neither a version nor runs")
	}
	return w.json.End()
}

// value decodes the next value; a wrong shape is lost and noted.
func (w *walk) value(v any) error {
	err := w.json.Value(v)
	var rec *exposure.RecordError
	if errors.As(err, &rec) {
		w.lost = true
	}
	return err
}

// run walks one run.
func (w *walk) run() error {
	*w = walk{Emitter: w.Emitter, json: w.json, record: w.record, version: w.version, runs: w.runs + 1, facts: newFacts(), held: w.held[:0]}
	clear(w.held[:cap(w.held)])
	w.facts.run.Format = w.version
	if err := w.json.Object(w.member); err != nil {
		return err
	}
	if err := w.release(); err != nil {
		return err
	}
	return w.conclude()
}

func (w *walk) member(name string) error {
	f := w.facts
	switch name {
	case "tool":
		if err := w.tool(); err != nil {
			return err
		}
		return w.state()
	case "invocations":
		return w.json.Array(func() error {
			var v invocation
			if err := w.value(&v); err != nil {
				return w.Lose(err)
			}
			f.invoked(&v)
			return nil
		})
	case "versionControlProvenance":
		return w.json.Array(func() error {
			var p provenance
			err := w.value(&p)
			if len(f.repository) < maxTags {
				f.repository = append(f.repository, p)
			}
			return w.Lose(err)
		})
	case "originalUriBaseIds":
		return w.Lose(w.value(&f.bases))
	case "artifacts":
		return w.json.Array(func() error {
			var a struct {
				Location artifactLocation `json:"location"`
			}
			return w.keep(&a, func() { f.artifacts = append(f.artifacts, a.Location) }, len(f.artifacts))
		})
	case "files":
		return w.files()
	case "logicalLocations":
		if w.json.Kind() != '[' { // an object before 2.1.0, which results do not need
			return w.json.Skip()
		}
		return w.json.Array(func() error {
			var l logical
			return w.keep(&l, func() { f.logicals = append(f.logicals, l.name()) }, len(f.logicals))
		})
	case "taxonomies":
		return w.json.Array(w.taxonomy)
	case "resources":
		return w.resources()
	case "properties":
		raw, err := w.json.Raw()
		if err == nil {
			f.scanned(raw)
		}
		return err
	case "results":
		return w.json.Array(w.next)
	}
	return w.json.Skip()
}

// state sends what is known of the run, once more when more is known.
func (w *walk) state() error {
	if w.stated == w.facts.run {
		return nil
	}
	w.stated = w.facts.run
	return w.Run(w.facts.run)
}

// keep decodes a value that the results may refer to by its number, and calls
// add with it, empty when it is broken, so that the numbers stay right.
func (w *walk) keep(v any, add func(), have int) error {
	at := w.json.Offset()
	if err := w.Alive(at); err != nil {
		return err
	}
	if have >= maxKept || w.text >= maxText {
		if !w.over {
			w.over, w.lost = true, true
			if err := w.Lose(&exposure.RecordError{Offset: at, Err: errTooMuch}); err != nil {
				return err
			}
		}
		return w.json.Skip()
	}
	err := w.value(v)
	w.text += w.json.Offset() - at
	var rec *exposure.RecordError
	if err != nil && !errors.As(err, &rec) {
		return err
	}
	add()
	return w.Lose(err)
}

// next holds the next result, or observes it.
func (w *walk) next() error {
	w.record++
	raw, err := w.json.Raw()
	if err != nil {
		return err
	}
	h := held{string(raw), w.record, w.json.Offset() - int64(len(raw))}
	if w.early {
		return w.observe(h)
	}
	w.held = append(w.held, h)
	// A result costs more than its text.
	if w.size += int64(len(raw)) + 64; w.size <= maxHeld {
		return w.Alive(h.at)
	}
	w.early = true
	return w.release()
}

// release observes the results that waited.
func (w *walk) release() error {
	w.facts.settle()
	for i := range w.held {
		h := w.held[i]
		w.held[i].raw = ""
		if err := w.observe(h); err != nil {
			return err
		}
	}
	w.held = w.held[:0]
	return nil
}

func (w *walk) observe(h held) error {
	w.result.reset()
	err := decode.Known(h.raw, &w.result)
	if err == nil {
		w.found, err = w.facts.observe(w.found[:0], &w.result)
		for i := range w.found {
			w.noted(&w.found[i])
			if err := w.Send(w.found[i]); err != nil {
				return err
			}
		}
	}
	if err != nil {
		w.lost = true
		return w.Lose(&exposure.RecordError{Record: h.record, Offset: h.at, Err: err})
	}
	return w.Alive(h.at)
}
