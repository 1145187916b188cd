// Package config finds weak settings in files: of hosts, containers, Kubernetes,
// web servers, clouds and pipelines. What is weak is told by rules, which are YAML
// with a condition in CEL; what a rule is asked about, a subject, is made by a
// parser of each kind of file. It sends nothing and runs nothing.
package config

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"path"
	"strings"
	"unicode"

	"github.com/leeward-ctem/leeward/discover/scan"
	"github.com/leeward-ctem/leeward/discover/term"
	"github.com/leeward-ctem/leeward/exposure"
	"github.com/leeward-ctem/leeward/internal/secret"
)

const name = "config"

// Engine checks settings. The zero value has no rules: see [New].
type Engine struct {
	rules ruleset
}

// New makes an engine with the shipped rules and those of the YAML files of a
// directory, which may be nil.
func New(extra fs.FS) (*Engine, error) {
	rules, err := compiled()
	if err != nil {
		return nil, err
	}
	if extra != nil {
		if rules, err = load(extra, ".", rules); err != nil {
			return nil, err
		}
	}
	return &Engine{rules: rules}, nil
}

// Shipped is the engine with the shipped rules. It reads them when it is used
// first.
type Shipped struct{}

// Describe implements [scan.Engine].
func (Shipped) Describe() scan.Description { return (*Engine)(nil).Describe() }

// Scan implements [scan.Engine].
func (Shipped) Scan(ctx context.Context, j *scan.Job) iter.Seq2[exposure.Observation, error] {
	e, err := New(nil)
	if err != nil {
		return func(yield func(exposure.Observation, error) bool) { yield(exposure.Observation{}, err) }
	}
	return e.Scan(ctx, j)
}

// Describe implements [scan.Engine].
func (*Engine) Describe() scan.Description {
	return scan.Description{Name: name, Title: "Settings of hosts, containers, clusters, clouds and pipelines", Level: exposure.LevelMatch, Takes: []scan.Kind{scan.Directory, scan.Image}}
}

// Bounds of a scan.
const (
	maxFile     = 4 << 20 // bytes of a file of settings
	maxDepth    = 100     // directories within each other
	maxErrors   = 100     // told; of the rest the number
	maxSubjects = 50_000  // of one file
	maxFindings = 20_000  // of one file
)

// Scan implements [scan.Engine].
func (e *Engine) Scan(ctx context.Context, j *scan.Job) iter.Seq2[exposure.Observation, error] {
	return func(yield func(exposure.Observation, error) bool) {
		r := &run{ctx: ctx, job: j, rules: e.rules, yield: yield}
		if err := r.all(); err != nil && !errors.Is(err, errStopped) {
			yield(exposure.Observation{}, err)
		}
	}
}

// errStopped is that nobody wants more.
var errStopped = errors.New("stopped")

// run is one scan.
type run struct {
	ctx   context.Context
	job   *scan.Job
	rules ruleset
	yield func(exposure.Observation, error) bool

	done, errors int
}

func (r *run) all() error {
	if r.job.Files == nil {
		return exposure.Errorf(exposure.Invalid, "settings are looked for in files, and %q has none", r.job.Name)
	}
	if err := r.directory(".", 0); err != nil {
		return err
	}
	if r.errors > maxErrors {
		if err := r.tell(fmt.Errorf("and %d more", r.errors-maxErrors)); err != nil {
			return err
		}
	}
	if r.errors > 0 {
		return nil // coverage cannot leave out a file
	}
	if !r.yield(exposure.Observation{Kind: exposure.ObservedCoverage, Class: name, Coverage: &exposure.Coverage{Class: name}}, nil) {
		return errStopped
	}
	return nil
}

// lost tells what was not read.
func (r *run) lost(format string, args ...any) error {
	if r.errors++; r.errors > maxErrors {
		return nil
	}
	return r.tell(fmt.Errorf(format, args...))
}

func (r *run) tell(err error) error {
	if !r.yield(exposure.Observation{}, &exposure.RecordError{Record: r.done, Offset: -1, Err: err}) {
		return errStopped
	}
	return nil
}

// foreign are directories whose settings are nobody's here.
var foreign = map[string]bool{".git": true, "node_modules": true, ".terraform": true, "bower_components": true}

// virtual are the directories of an image that a running system fills.
var virtual = map[string]bool{"proc": true, "sys": true, "dev": true}

func (r *run) directory(dir string, depth int) error {
	if err := r.ctx.Err(); err != nil {
		return err
	}
	entries, err := fs.ReadDir(r.job.Files, dir)
	if err != nil {
		if dir == "." {
			return exposure.Errorf(exposure.Invalid, "%s cannot be read: %w", r.job.Name, err)
		}
		if err := r.lost("%s: %w", clean(dir), err); err != nil {
			return err
		}
	}
	for _, e := range entries {
		file := path.Join(dir, e.Name())
		var err error
		switch {
		case e.IsDir() && (foreign[e.Name()] || r.job.Kind == scan.Image && virtual[file]):
		case e.IsDir() && depth == maxDepth:
			err = r.lost("%s: directories within each other deeper than %d were not read", clean(file), maxDepth)
		case e.IsDir():
			err = r.directory(file, depth+1)
		case e.Type().IsRegular():
			err = r.file(file, e)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// file asks the rules about a file, when it is one of settings.
func (r *run) file(file string, e fs.DirEntry) error {
	if err := r.ctx.Err(); err != nil {
		return err
	}
	if r.done++; r.done%64 == 0 {
		r.job.Progress(r.done, 0)
	}
	if info, err := e.Info(); err == nil {
		if err := r.ask(file, modeSubjects(file, info)); err != nil {
			return err
		}
	}
	parse := parserOf(file)
	if parse == nil {
		return nil
	}
	body, err := readBounded(r.job.Files, file)
	if err != nil {
		return r.lost("%s: %w", clean(file), err)
	}
	subjects, err := parse(source{files: r.job.Files, file: file, body: body})
	if len(subjects) > maxSubjects {
		subjects, err = subjects[:maxSubjects], errors.Join(err, fmt.Errorf("it has more than %d objects", maxSubjects))
	}
	if err := r.ask(file, subjects); err != nil {
		return err
	}
	if err != nil {
		return r.lost("%s: %w", clean(file), err)
	}
	return nil
}

func readBounded(files fs.FS, file string) (body []byte, err error) {
	f, err := files.Open(file)
	if err != nil {
		return nil, err
	}
	body, err = io.ReadAll(io.LimitReader(f, maxFile+1))
	if err := errors.Join(err, f.Close()); err != nil {
		return nil, err
	}
	if len(body) > maxFile {
		return nil, fmt.Errorf("it has more than %d bytes", maxFile)
	}
	return body, nil
}

// ask evaluates the rules of each subject's kind.
func (r *run) ask(file string, subjects []subject) error {
	stated := 0
	seen := map[string]bool{}
	for i := range subjects {
		s := &subjects[i]
		for _, rule := range r.rules[s.kind] {
			if err := r.ctx.Err(); err != nil {
				return err
			}
			holds, err := rule.holds(r.ctx, s.it)
			if err != nil {
				if err := r.lost("%s: the rule %s could not be asked about %s: %w", clean(file), rule.ID, s.title(), err); err != nil {
					return err
				}
				continue
			}
			if !holds {
				continue
			}
			o := observation(rule, s, file)
			key := o.Rule + "\x00" + o.Location.Key("")
			if seen[key] {
				continue
			}
			seen[key] = true
			if stated++; stated > maxFindings {
				return r.lost("%s: it has more than %d weak settings: the others are not told", clean(file), maxFindings)
			}
			if !r.yield(o, nil) {
				return errStopped
			}
		}
	}
	return nil
}

func observation(rule *rule, s *subject, file string) exposure.Observation {
	o := exposure.Observation{
		Kind: exposure.ObservedWeakness, Class: name, Rule: name + "/" + rule.ID, Title: rule.Title, Description: rule.Why, Solution: rule.Fix,
		Severity: rule.Severity, CWEs: rule.CWEs, References: rule.References, Detection: exposure.DetectionStatic, Confidence: 80,
		Location: exposure.Location{File: clean(file), Resource: shown(s.resource, 300), Symbol: shown(s.symbol, 200), Line: s.line},
	}
	if text := s.evidence(rule.Show); text != "" {
		o.Evidence = append(o.Evidence, exposure.Evidence{Kind: "match", Text: text})
	}
	if term.Aside(file) {
		o.Confidence = 30
		o.Evidence = append(o.Evidence, exposure.Evidence{Kind: "note", Text: "The file is of a test, an example, documentation or someone else's code, by its path."})
	}
	return o
}

// subject is what rules are asked about.
type subject struct {
	kind     string
	resource string // kind/namespace/name, or the directive
	symbol   string // what within it
	line     int
	seen     string // what stands there
	it       map[string]any
}

func (s *subject) title() string {
	return shown(strings.Trim(s.kind+" "+s.resource+" "+s.symbol, " "), 200)
}

// evidence is what stands there, or the settings that a rule wants shown.
func (s *subject) evidence(show []string) string {
	var lines []string
	for _, p := range show {
		v := lookup(s.it, p)
		text := textOf(v)
		if v == nil {
			text = "(not set)"
		}
		lines = append(lines, p+": "+text)
	}
	if s.seen != "" {
		lines = append(lines, s.seen)
	}
	return shown(strings.Join(lines, "\n"), 400)
}

// shown is a text of a file without secrets and what could deceive a reader.
func shown(text string, limit int) string { return strings.TrimSpace(secret.Text(text, limit)) }

// clean is a path without what could deceive a reader.
func clean(file string) string {
	return strings.Map(func(c rune) rune {
		if unicode.IsControl(c) || unicode.Is(unicode.Cf, c) {
			return unicode.ReplacementChar
		}
		return c
	}, strings.ToValidUTF8(file, "\ufffd"))
}
