package secrets

import (
	"errors"
	"maps"
	"slices"
	"strings"

	"github.com/leeward-ctem/leeward/discover/scan/secrets/history"
	"github.com/leeward-ctem/leeward/exposure"
)

// former is a secret of the history that the files do not have any more.
type former struct {
	found
	path     string
	since    int // number of the oldest commit with it
	versions map[history.ID]bool
}

// maxVersions bounds how many versions of a file are kept of a secret.
const maxVersions = 10_000

// history looks at all versions of all files, and states the secrets that are in
// none of the files of today. read is false where there is no repository.
func (s *run) history() (read bool, err error) {
	repository, err := history.Open(s.job.Files, history.DefaultLimits())
	if errors.Is(err, history.ErrNone) {
		return false, nil
	}
	if err != nil {
		return false, s.lost("the history was not read: %w", err)
	}
	defer func() { _ = repository.Close() }()
	blobs, err := repository.Walk(s.ctx)
	if err != nil {
		return true, err
	}
	ignored, _ := s.job.Files.(interface{ Ignores(name string) bool })
	old := map[key]*former{}
	versions, files := 0, s.done
	var wrong error
	err = repository.Each(s.ctx, func(b history.Blob, text []byte) bool {
		if s.done++; s.done%64 == 0 {
			s.job.Progress(s.done, files+blobs)
		}
		if history.Binary(text) || ignored != nil && ignored.Ignores(b.Path) {
			return true
		}
		there, more := s.find(text, b.Path, s.job.Now())
		if more {
			wrong = s.lost("the history: %s of %s: %w", clean(b.Path), told(repository.Commit(b.Since)), errMany)
			return wrong == nil
		}
		for _, f := range there {
			k := keyOf(&f)
			if s.known[k] {
				continue
			}
			o := old[k]
			if o == nil {
				if len(old) >= maxKnown {
					continue
				}
				o = &former{found: f, path: b.Path, since: b.Since, versions: map[history.ID]bool{}}
				old[k] = o
			}
			if b.Since < o.since || b.Since == o.since && b.Path < o.path {
				o.found, o.path, o.since = f, b.Path, b.Since
			}
			if versions < maxKnown && len(o.versions) < maxVersions {
				o.versions[b.ID] = true
				versions++
			}
		}
		return true
	})
	if err := errors.Join(err, wrong); err != nil {
		return true, err
	}
	for _, err := range repository.Problems() {
		if err := s.lost("the history: %w", err); err != nil {
			return true, err
		}
	}
	return true, s.tellFormer(repository, old)
}

func (s *run) tellFormer(repository *history.Repository, old map[key]*former) error {
	all := slices.SortedFunc(maps.Values(old), func(a, b *former) int {
		return compareFormer(a, b)
	})
	for _, f := range all {
		o := observation(&f.found, f.path)
		if o.Severity > exposure.SeverityLow {
			o.Severity-- // fewer see a history than files
		}
		o.Location.Line = 0 // it is in no line of today
		o.Evidence = append(o.Evidence, exposure.Evidence{Kind: "note", Text: s.trail(repository, f)})
		if err := s.state(o); err != nil {
			return err
		}
	}
	return nil
}

func compareFormer(a, b *former) int {
	for _, c := range []int{a.since - b.since, strings.Compare(a.path, b.path), strings.Compare(a.rule.name, b.rule.name), strings.Compare(a.symbol, b.symbol)} {
		if c != 0 {
			return c
		}
	}
	return 0
}

// trail says from when to when a secret was in the files.
func (s *run) trail(repository *history.Repository, f *former) string {
	text := "It is in none of the files of today, but in the history since " + told(repository.Commit(f.since))
	if by, ok := repository.Removed(s.ctx, f.path, f.versions); ok {
		text += "; removed in " + told(by)
	}
	return text + "."
}

func told(c history.Commit) string {
	if c.When.IsZero() {
		return "commit " + c.ID.Short()
	}
	return "commit " + c.ID.Short() + " of " + c.When.Format("2006-01-02")
}
