// Package secrets finds keys, tokens and passwords in the files of a directory or
// image and in the history of a Git repository. It sends nothing: whether a
// secret is valid is not tried.
//
// A secret is known by its kind, its file, and a short digest of it when it cannot
// be guessed; one that can, a password, by its name. Neither moves with its line.
// Nothing that is stated holds a secret.
package secrets

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"path"
	"slices"
	"strings"
	"unicode"

	"github.com/leeward-ctem/leeward/discover/scan"
	"github.com/leeward-ctem/leeward/discover/scan/secrets/history"
	"github.com/leeward-ctem/leeward/discover/term"
	"github.com/leeward-ctem/leeward/exposure"
)

const name = "secrets"

// Engine looks for secrets.
type Engine struct{}

// Describe implements [scan.Engine].
func (Engine) Describe() scan.Description {
	return scan.Description{Name: name, Title: "Secrets in files and history", Level: exposure.LevelMatch, Takes: []scan.Kind{scan.Directory, scan.Image}}
}

// Bounds of a scan.
const (
	maxFile   = 512 << 20 // bytes of a file
	chunk     = 1 << 20   // bytes of a file that are looked at together
	overlap   = 16 << 10  // of which this much is looked at again, for what is longer than a line
	maxDepth  = 100       // directories within each other
	maxErrors = 100       // told; of the rest the number
	maxKnown  = 200_000   // different secrets
)

// Scan implements [scan.Engine].
func (Engine) Scan(ctx context.Context, j *scan.Job) iter.Seq2[exposure.Observation, error] {
	return func(yield func(exposure.Observation, error) bool) {
		s := &run{ctx: ctx, job: j, detectors: shared(), yield: yield, known: map[key]bool{}}
		if err := s.all(); err != nil && !errors.Is(err, errStopped) {
			yield(exposure.Observation{}, err)
		}
	}
}

// errMany is that a file holds so much that looks like a secret that it is not all
// told.
var errMany = fmt.Errorf("it holds more than %d secrets: the others are not told", maxFound)

// errStopped is that nobody wants more.
var errStopped = errors.New("stopped")

// key tells secrets apart while a scan runs.
type key struct {
	rule string
	sum  [sha256.Size]byte
}

func keyOf(f *found) key { return key{f.rule.name, sha256.Sum256([]byte(f.value))} }

// run is one scan.
type run struct {
	*detectors
	ctx   context.Context
	job   *scan.Job
	yield func(exposure.Observation, error) bool

	known  map[key]bool // in the tree
	done   int
	errors int
	buffer []byte
}

func (s *run) all() error {
	if s.job.Files == nil {
		return exposure.Errorf(exposure.Invalid, "secrets are looked for in files, and %q has none", s.job.Name)
	}
	if err := s.directory(".", 0); err != nil {
		return err
	}
	whole := true
	if s.job.Kind == scan.Directory {
		read, err := s.history()
		if err != nil {
			return err
		}
		// What is known to be a repository may have secrets in a history that is not
		// here, as in an export of it.
		whole = read || !slices.ContainsFunc(s.job.Asset.Identifiers, func(i exposure.Identifier) bool { return i.Kind == exposure.IDRepository })
	}
	if s.errors > maxErrors {
		if err := s.tell(fmt.Errorf("and %d more", s.errors-maxErrors)); err != nil {
			return err
		}
	}
	if s.errors > 0 || !whole {
		return nil // what was not read is not covered, and it may be anywhere
	}
	return s.state(exposure.Observation{Kind: exposure.ObservedCoverage, Class: name, Coverage: &exposure.Coverage{Class: name}})
}

func (s *run) state(o exposure.Observation) error {
	if !s.yield(o, nil) {
		return errStopped
	}
	return nil
}

// lost tells what was not read.
func (s *run) lost(format string, args ...any) error {
	if s.errors++; s.errors > maxErrors {
		return nil
	}
	return s.tell(fmt.Errorf(format, args...))
}

func (s *run) tell(err error) error {
	if !s.yield(exposure.Observation{}, &exposure.RecordError{Record: s.done, Offset: -1, Err: err}) {
		return errStopped
	}
	return nil
}

// virtual are the directories of an image that a running system fills.
var virtual = map[string]bool{"proc": true, "sys": true, "dev": true}

// directory looks at what is in a directory. Links are not followed: what they
// lead to is looked at where it is.
func (s *run) directory(dir string, depth int) error {
	if err := s.ctx.Err(); err != nil {
		return err
	}
	entries, err := fs.ReadDir(s.job.Files, dir)
	if err != nil {
		if dir == "." {
			return exposure.Errorf(exposure.Invalid, "%s cannot be read: %w", s.job.Name, err)
		}
		if err := s.lost("%s: %w", clean(dir), err); err != nil {
			return err
		}
	}
	for _, e := range entries {
		file := path.Join(dir, e.Name())
		var err error
		switch {
		case e.IsDir() && e.Name() == ".git":
			// Its history is read apart; of the rest only this one holds secrets.
			file += "/config"
			if info, missing := fs.Lstat(s.job.Files, file); missing == nil && info.Mode().IsRegular() {
				err = s.file(file)
			}
		case e.IsDir() && s.job.Kind == scan.Image && virtual[file]:
		case e.IsDir() && depth == maxDepth:
			err = s.lost("%s: directories within each other deeper than %d were not read", clean(file), maxDepth)
		case e.IsDir():
			err = s.directory(file, depth+1)
		case e.Type().IsRegular():
			err = s.file(file)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// file looks at a file, piece by piece, and states what is in it.
func (s *run) file(file string) error {
	if err := s.ctx.Err(); err != nil {
		return err
	}
	s.done++
	if s.done%64 == 0 {
		s.job.Progress(s.done, 0)
	}
	all, err := s.read(file)
	for i := range all {
		if len(s.known) < maxKnown {
			s.known[keyOf(&all[i])] = true
		}
		if err := s.state(observation(&all[i], file)); err != nil {
			return err
		}
	}
	switch {
	case err == nil:
		return nil
	case s.ctx.Err() != nil:
		return s.ctx.Err()
	}
	return s.lost("%s: %w", clean(file), err)
}

func (s *run) read(file string) (all []found, err error) {
	f, err := s.job.Files.Open(file)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	if s.buffer == nil {
		s.buffer = make([]byte, chunk+overlap)
	}
	held, line, total := 0, 0, int64(0)
	seen := map[string]bool{}
	for {
		n, err := io.ReadFull(f, s.buffer[held:])
		last := errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF)
		if err != nil && !last {
			return all, err
		}
		if total += int64(n); total > maxFile {
			return all, fmt.Errorf("it has more than %d bytes: what follows was not read", maxFile)
		}
		if line == 0 && held == 0 && history.Binary(s.buffer[:n]) {
			return nil, nil
		}
		held += n
		text := s.buffer[:held]
		if !last {
			if n := bytes.LastIndexByte(text, '\n'); n > overlap {
				text = text[:n+1]
			}
		}
		there, more := s.find(text, file, s.job.Now())
		if more {
			return all, errMany
		}
		for _, f := range there {
			same := f.rule.name + "\x00" + f.symbol + "\x00" + f.value
			if seen[same] {
				continue
			}
			seen[same] = true
			f.line += line
			all = append(all, f)
		}
		if last {
			return all, nil
		}
		if err := s.ctx.Err(); err != nil {
			return all, err
		}
		keep := max(0, len(text)-overlap)
		if n := bytes.IndexByte(text[keep:], '\n'); n >= 0 {
			keep += n + 1
		}
		line += bytes.Count(text[:keep], []byte{'\n'})
		held = copy(s.buffer, s.buffer[keep:held])
	}
}

// observation states a secret.
func observation(f *found, file string) exposure.Observation {
	o := exposure.Observation{
		Kind: exposure.ObservedWeakness, Class: name, Rule: name + "/" + f.rule.name, Title: f.rule.title, Solution: f.rule.fix,
		Severity: f.rule.severity, CWEs: []int{798}, Detection: exposure.DetectionStatic, Confidence: f.sure,
		Location: exposure.Location{File: clean(file), Symbol: f.symbol, Line: f.line},
		Evidence: []exposure.Evidence{{Kind: "match", Text: f.evidence}},
	}
	if term.Aside(file) {
		o.Confidence = min(o.Confidence, 30)
		o.Evidence = append(o.Evidence, exposure.Evidence{Kind: "note", Text: "The file is of a test, an example, documentation or someone else's code, by its path."})
	}
	return o
}

// clean is a path without what could deceive a reader.
func clean(file string) string {
	return strings.Map(func(c rune) rune {
		if unicode.IsControl(c) || unicode.Is(unicode.Cf, c) {
			return unicode.ReplacementChar
		}
		return c
	}, strings.ToValidUTF8(file, "\ufffd"))
}
