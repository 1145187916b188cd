// Package history reads the history of Git repositories from a file system:
// every version of every file that a branch or tag leads to, each once. It
// reads loose objects and packfiles itself, runs nothing, follows no link out
// of the tree, and holds bounded memory whatever a repository says.
package history

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"time"
)

// ErrNone is that there is no repository.
var ErrNone = errors.New("no Git repository")

// Limits bound what a repository may cost. [DefaultLimits] are for one of the
// size of large projects.
type Limits struct {
	Commits int   // read
	Objects int   // trees and versions of files known at once
	Object  int64 // bytes of one object, as it is and on the way to it
	Work    int64 // bytes made altogether, with what deltas are made from
	Cache   int64 // bytes kept of what deltas are made from
	Index   int64 // bytes of an index of a packfile, which are held
}

// DefaultLimits are enough for some hundred thousand commits.
func DefaultLimits() Limits {
	return Limits{Commits: 400_000, Objects: 1_500_000, Object: 32 << 20, Work: 64 << 30, Cache: 64 << 20, Index: 128 << 20}
}

// Bounds that nobody needs to change.
const (
	maxDelta     = 4_095 // deltas behind each other, as in Git
	maxDepth     = 128   // directories within each other
	maxPath      = 4_096 // bytes
	maxRefs      = 50_000
	maxSmall     = 8 << 20 // bytes of a commit, tag or list of references
	maxTree      = 16 << 20
	maxStores    = 8  // directories of objects: alternates
	maxProblems  = 20 // told; of the rest the number
	maxTreesKept = 2_000
)

// Commit is one that was read.
type Commit struct {
	ID   ID
	When time.Time

	tree    ID
	parents []ID
}

// Blob is one version of a file.
type Blob struct {
	ID    ID
	Path  string // where the oldest commit with it has it
	Since int    // the number of that commit, from the oldest on
}

// Repository is one that was opened. It is used by one goroutine.
type Repository struct {
	limits  Limits
	stores  []*store
	heads   []ID // of branches, tags and others
	head    ID
	work    int64
	cache   cache
	commits []Commit // parents before children
	blobs   []Blob
	pruned  map[ID]bool // commits whose parents a shallow clone does not have

	buffered bufio.Reader
	zlib     inflater
	numbered map[ID]int
	trees    map[ID][]entry // kept for [Repository.Removed]
	looked   int            // commits that it looked at

	problems []error
	lost     int // problems beside those
}

// Open finds the repository of a directory: its .git, or itself when it is a
// bare one. It is [ErrNone] when there is none.
func Open(fsys fs.FS, limits Limits) (*Repository, error) {
	r := &Repository{limits: limits, pruned: map[ID]bool{}, trees: map[ID][]entry{}}
	r.cache.limit = limits.Cache
	dir, err := gitDirectory(fsys)
	if err != nil {
		return nil, err
	}
	git, err := fs.Sub(fsys, dir)
	if err != nil {
		return nil, err
	}
	if err := r.format(git); err != nil {
		return nil, err
	}
	r.openStores(fsys, dir)
	r.readShallow(git)
	r.readRefs(git)
	return r, nil
}

// gitDirectory is where the repository is.
func gitDirectory(fsys fs.FS) (string, error) {
	info, err := fs.Lstat(fsys, ".git")
	switch {
	case err == nil && info.IsDir():
		return ".git", nil
	case err == nil:
		return "", errors.New(".git is a link or names another directory, and what lies outside is not read: scan the main working tree, or a clone")
	case !errors.Is(err, fs.ErrNotExist):
		return "", err
	}
	for _, name := range []string{"HEAD", "objects", "refs"} {
		if info, err := fs.Lstat(fsys, name); err != nil || info.IsDir() != (name != "HEAD") {
			return "", ErrNone
		}
	}
	return ".", nil
}

// problem notes what was not read. What was noted makes the history incomplete.
func (r *Repository) problem(format string, args ...any) {
	if len(r.problems) == maxProblems {
		r.lost++
		return
	}
	r.problems = append(r.problems, fmt.Errorf(format, args...))
}

// Problems are what was not read so far, and why. None means that everything was.
func (r *Repository) Problems() []error {
	if r.lost == 0 {
		return r.problems
	}
	return append(r.problems[:len(r.problems):len(r.problems)], fmt.Errorf("and %d more", r.lost))
}

// Commit is the commit of a number.
func (r *Repository) Commit(n int) Commit { return r.commits[n] }

// Walk reads commits and trees, and tells how many versions of files there are.
// It is called once, before [Repository.Each].
func (r *Repository) Walk(ctx context.Context) (blobs int, err error) {
	if err := r.walkCommits(ctx); err != nil {
		return 0, err
	}
	if err := r.walkTrees(ctx); err != nil {
		return 0, err
	}
	return len(r.blobs), nil
}

// Each calls f with every version of a file and its text, which f must not keep,
// in the order that costs least. What cannot be read becomes a problem.
func (r *Repository) Each(ctx context.Context, f func(b Blob, text []byte) bool) error {
	r.order()
	for i := range r.blobs {
		if err := ctx.Err(); err != nil {
			return err
		}
		b := &r.blobs[i]
		kind, text, err := r.read(b.ID, r.limits.Object)
		switch {
		case errors.Is(err, errWork):
			r.problem("%w: %d of %d versions of files were read", err, i, len(r.blobs))
			return nil
		case errors.Is(err, errBinary):
			continue
		case err != nil:
			r.problem("%s (%q): %w", b.ID, b.Path, err)
			continue
		case kind != kindBlob:
			r.problem("%s (%q) is a %s and not a file", b.ID, b.Path, kind)
			continue
		}
		if !f(*b, text) {
			return nil
		}
	}
	return nil
}
