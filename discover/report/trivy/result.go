package trivy

import (
	"errors"
	"fmt"

	"github.com/leeward-ctem/leeward/discover/decode"
	"github.com/leeward-ctem/leeward/discover/term"
	"github.com/leeward-ctem/leeward/exposure"
)

// scan says in which kind of report a result stands.
type scan struct {
	legacy   bool // the bare array: the target names the asset
	workload bool // a resource of a cluster
}

// result is what the records of one result share.
type result struct {
	scan
	Target, Class, Type string
	asset               exposure.AssetRef

	packages, checked bool // lists packages; shows that vulnerabilities were looked for
}

// result walks one result: one target examined for one class of check.
func (w *walker) result(in scan) error {
	res := result{scan: in}
	var early []held
	member := func(name string) error {
		fields := map[string]*string{"Target": &res.Target, "Class": &res.Class, "Type": &res.Type}
		if field := fields[name]; field != nil {
			lost, err := w.value(field)
			if lost {
				w.cov.fail(w.asset)
			}
			return err
		}
		return w.records(&res, name)
	}
	err := w.json.Object(func(name string) error {
		switch name {
		case "Vulnerabilities", "Misconfigurations", "Secrets", "Licenses", "Packages", "ExperimentalModifiedFindings":
			if res.Target == "" || res.Type == "" && res.Class != "secret" && res.Class != "license" && res.Class != "license-file" {
				h, err := w.hold(name)
				early = append(early, h)
				return err
			}
			w.place(&res)
		}
		return member(name)
	})
	if err != nil {
		return err
	}
	w.place(&res)
	if err := w.release(early, member); err != nil {
		return err
	}
	w.cov.saw(&res)
	return nil
}

// place finds the asset of a result. In the bare array the target of an
// operating system's packages is "image (family version)", and the results
// after it are of the same image.
func (w *walker) place(res *result) {
	if res.legacy {
		if image, system, ok := imageTarget(res.Target); ok {
			w.asset = exposure.AssetRef{Kind: exposure.AssetImage, OS: system}
			term.AddImage(&w.asset, image)
		}
	}
	res.asset = w.asset
}

// records walks one array of a result.
func (w *walker) records(res *result, name string) error {
	switch name {
	case "Vulnerabilities":
		return each(w, res, func(v *vulnerability) (exposure.Observation, error) {
			res.checked = true
			return v.observe(res)
		})
	case "Misconfigurations":
		return each(w, res, func(m *misconfiguration) (exposure.Observation, error) {
			if m.Status != "" && m.Status != "FAIL" && m.Status != "FAILURE" {
				return exposure.Observation{}, errPassed
			}
			return m.observe(res)
		})
	case "Secrets":
		return each(w, res, func(s *secret) (exposure.Observation, error) { return s.observe(res) })
	case "Licenses":
		return each(w, res, func(l *license) (exposure.Observation, error) { return l.observe(res) })
	case "Packages":
		res.packages = true
		return each(w, res, func(p *pkg) (exposure.Observation, error) { return p.observe(res) })
	case "ExperimentalModifiedFindings":
		return each(w, res, func(m *modified) (exposure.Observation, error) { return m.observe(res) })
	}
	return w.json.Skip()
}

// each decodes the elements of an array as T and sends what f makes of them.
// An element that f refuses is a lost record, unless it is errPassed.
func each[T any](w *walker, res *result, f func(*T) (exposure.Observation, error)) error {
	var v, empty T
	return w.json.Array(func() error {
		at := w.offset()
		v = empty
		lost, err := w.value(&v)
		if lost {
			w.cov.fail(res.asset)
		}
		if lost || err != nil {
			return err
		}
		o, err := f(&v)
		if errors.Is(err, errPassed) {
			return w.alive(at)
		}
		if err != nil {
			w.cov.fail(res.asset)
			return w.lose(&exposure.RecordError{Record: w.record, Offset: at, Err: err})
		}
		o.Tool, o.Asset = tool, res.asset
		w.spoke = at
		return w.send(o)
	})
}

// errPassed marks a check that found nothing.
var errPassed = errors.New("passed")

// modified is a finding that a VEX document or an ignore file took out.
type modified struct {
	Type      string // vulnerability, misconfiguration, secret or license
	Status    string // ignored, or a status of VEX
	Statement string
	Source    string
	Finding   rawValue
}

func (m *modified) observe(res *result) (o exposure.Observation, err error) {
	switch m.Type {
	case "vulnerability", "":
		res.checked = true
		o, err = decoded[vulnerability](m.Finding, res)
	case "misconfiguration":
		o, err = decoded[misconfiguration](m.Finding, res)
	case "secret":
		o, err = decoded[secret](m.Finding, res)
	case "license":
		o, err = decoded[license](m.Finding, res)
	default:
		return o, fmt.Errorf("a modified finding of the unknown type %q", m.Type)
	}
	if err != nil {
		return o, err
	}
	switch m.Status {
	case "not_affected":
		o.State = exposure.StateNotAffected
	case "fixed":
		o.State = exposure.StateFixed
	default:
		o.State = exposure.StateSuppressed
	}
	if note := joinNonEmpty(": ", m.Source, m.Statement); note != "" {
		o.Evidence = append(o.Evidence, exposure.Evidence{Kind: "note", Text: note})
	}
	return o, nil
}

// observer is a record that becomes an observation.
type observer[T any] interface {
	*T
	observe(*result) (exposure.Observation, error)
}

func decoded[T any, P observer[T]](raw rawValue, res *result) (exposure.Observation, error) {
	var v T
	if err := decode.Unmarshal(raw, &v); err != nil {
		return exposure.Observation{}, err
	}
	return P(&v).observe(res)
}
