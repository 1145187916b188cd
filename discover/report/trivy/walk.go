package trivy

import (
	"bytes"
	"context"
	"errors"
	"io"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/leeward-ctem/leeward/discover/decode"
	"github.com/leeward-ctem/leeward/exposure"
)

// heldLimit bounds the members that are held until they can be understood.
const heldLimit = 64 << 20

// walker walks one report.
type walker struct {
	ctx   context.Context
	yield func(exposure.Observation, error) bool

	json   *decode.JSON // what is walked now: the report, or a held member
	base   int64        // where json starts in the report
	held   int64        // bytes held now
	record int

	run     exposure.Run
	runSent exposure.Run // as last stated
	art     artifact
	asset   exposure.AssetRef
	cov     coverage

	cluster   string
	clustered bool  // the cluster's name was read, empty or not
	results   bool  // results were read
	spoke     int64 // where the last observation was yielded
}

// silence is how far a walk goes without yielding anything. The import takes a
// long stretch of a report without a record for one huge record.
const silence = 16 << 20

// alive states the run once more when nothing was yielded for a while.
func (w *walker) alive(at int64) error {
	if at-w.spoke < silence {
		return nil
	}
	w.spoke = at
	w.runSent = exposure.Run{}
	return w.sendRun()
}

func (w *walker) send(o exposure.Observation) error {
	if err := w.ctx.Err(); err != nil {
		return err
	}
	if !w.yield(o, nil) {
		return errStop
	}
	return nil
}

// sendRun states what is known of the run, once more at the end when more is known.
func (w *walker) sendRun() error {
	run := w.run
	if w.runSent == run {
		return nil
	}
	w.runSent = run
	return w.send(exposure.Observation{Kind: exposure.ObservedRun, Tool: tool, Run: &run})
}

// value decodes the next value. A value of the wrong shape is reported and
// costs itself only: lost is then true.
func (w *walker) value(v any) (lost bool, err error) {
	if err := w.ctx.Err(); err != nil {
		return false, err
	}
	w.record++
	err = w.json.Value(v)
	var rec *exposure.RecordError
	if !errors.As(err, &rec) {
		return false, err
	}
	rec.Record = w.record
	rec.Offset += w.base
	return true, w.lose(rec)
}

func (w *walker) lose(rec *exposure.RecordError) error {
	if !w.yield(exposure.Observation{}, rec) {
		return errStop
	}
	return nil
}

// open begins to walk the report, or a held member.
func (w *walker) open(r io.Reader) *decode.JSON {
	j := decode.NewJSON(r)
	j.Lost = func(err error) error {
		var rec *exposure.RecordError
		if !errors.As(err, &rec) {
			return err
		}
		w.record++
		rec.Record, rec.Offset = w.record, rec.Offset+w.base
		return w.lose(rec)
	}
	return j
}

// held is a member that came before what is needed to understand it.
type held struct {
	name string
	raw  []byte
	at   int64
}

func (w *walker) hold(name string) (held, error) {
	raw, err := w.json.Raw()
	if err != nil {
		return held{}, err
	}
	if w.held += int64(len(raw)); w.held > heldLimit {
		return held{}, exposure.Errorf(exposure.Invalid, "more than 64 MiB of %q come before what they are about at byte %d: write the report with Trivy's own order of members", name, w.offset())
	}
	return held{name, bytes.Clone(raw), w.offset() - int64(len(raw))}, nil
}

// release walks what was held with f.
func (w *walker) release(members []held, f func(name string) error) error {
	json, base := w.json, w.base
	defer func() { w.json, w.base = json, base }()
	for _, m := range members {
		w.json, w.base = w.open(bytes.NewReader(m.raw)), m.at
		if err := f(m.name); err != nil {
			return err
		}
		w.held -= int64(len(m.raw))
	}
	return nil
}

func (w *walker) offset() int64 { return w.base + w.json.Offset() }

// document walks the whole report.
func (w *walker) document() error {
	w.run = exposure.Run{Tool: tool}
	var err error
	switch w.json.Kind() {
	case '[':
		w.run.Format = "legacy"
		if err := w.sendRun(); err != nil {
			return err
		}
		err = w.json.Array(func() error { return w.result(scan{legacy: true}) })
	case '{':
		err = w.report()
	case 0:
		err = w.json.Skip() // says what is wrong
	default:
		err = exposure.Errorf(exposure.Invalid, "not a Trivy report: it starts with neither an object nor an array")
	}
	if err != nil {
		return err
	}
	if err := w.json.End(); err != nil {
		return err
	}
	return w.cov.send(w.send)
}

// report walks schema 2 and the Kubernetes reports.
func (w *walker) report() error {
	var early []held
	err := w.json.Object(func(name string) error {
		switch name {
		case "Results":
			if !w.art.known() {
				h, err := w.hold(name)
				early = append(early, h)
				return err
			}
		case "Resources", "Findings", "Vulnerabilities", "Misconfigurations":
			if !w.clustered {
				h, err := w.hold(name)
				early = append(early, h)
				return err
			}
		}
		return w.member(name)
	})
	if err != nil {
		return err
	}
	if err := w.release(early, w.member); err != nil {
		return err
	}
	if err := w.sendRun(); err != nil {
		return err
	}
	if asset := w.art.asset(); !w.results && !asset.IsZero() {
		// Scanned, and nothing to tell: the asset exists all the same.
		return w.send(exposure.Observation{Kind: exposure.ObservedInventory, Tool: tool, Asset: asset})
	}
	return nil
}

func (w *walker) member(name string) error {
	switch name {
	case "SchemaVersion":
		var version number
		_, err := w.value(&version)
		w.run.Format = "SchemaVersion " + strconv.Itoa(int(version))
		return err
	case "CreatedAt":
		var at jsontext.Value
		_, err := w.value(&at)
		w.run.Finished = timestamp(strings.Trim(string(at), `"`))
		return err
	case "Trivy":
		var self struct{ Version string }
		_, err := w.value(&self)
		w.run.Version = self.Version
		return err
	case "ArtifactName":
		w.art.named = true
		_, err := w.value(&w.art.name)
		return err
	case "ArtifactType":
		_, err := w.value(&w.art.kind)
		return err
	case "Metadata":
		_, err := w.value(&w.art.meta)
		return err
	case "ClusterName":
		w.clustered = true
		_, err := w.value(&w.cluster)
		return err
	case "Results":
		if err := w.sendRun(); err != nil {
			return err
		}
		w.asset, w.results = w.art.asset(), true
		return w.json.Array(func() error { return w.result(scan{}) })
	case "Resources", "Findings", "Vulnerabilities", "Misconfigurations":
		if err := w.sendRun(); err != nil {
			return err
		}
		return w.json.Array(w.resource)
	}
	return w.json.Skip()
}

// resource walks one resource of a cluster.
func (w *walker) resource() error {
	var res workload
	var early []held
	member := func(name string) error {
		switch name {
		case "Namespace":
			_, err := w.value(&res.namespace)
			return err
		case "Kind":
			_, err := w.value(&res.kind)
			return err
		case "Name":
			_, err := w.value(&res.name)
			return err
		case "Error":
			var failure string
			lost, err := w.value(&failure)
			if lost || failure != "" {
				w.cov.fail(res.asset(w.cluster))
			}
			return err
		case "Results":
			w.asset = res.asset(w.cluster)
			return w.json.Array(func() error { return w.result(scan{workload: true}) })
		}
		return w.json.Skip()
	}
	err := w.json.Object(func(name string) error {
		// Error is held too, for it may come before the name.
		if name == "Results" && res.name == "" || name == "Error" {
			h, err := w.hold(name)
			early = append(early, h)
			return err
		}
		return member(name)
	})
	if err != nil {
		return err
	}
	return w.release(early, member)
}
