package history

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// opened is a commit whose parents are being read.
type opened struct {
	Commit
	next int // of its parents
}

// walkCommits reads the commits that references lead to, parents before
// children. Each is entered once, so a circle ends.
func (r *Repository) walkCommits(ctx context.Context) error {
	seen := map[ID]bool{}
	var stack []opened
	enter := func(id ID) {
		if seen[id] || len(seen) > r.limits.Commits {
			return
		}
		if seen[id] = true; len(seen) > r.limits.Commits {
			r.problem("there are more than %d commits: the others were not read", r.limits.Commits)
			return
		}
		c, ok, err := r.readCommit(id, 0)
		switch {
		case err != nil:
			r.problem("commit %s: %w", id, err)
		case ok:
			stack = append(stack, opened{Commit: c})
		}
	}
	for _, head := range r.heads {
		enter(head)
		for len(stack) > 0 {
			if err := ctx.Err(); err != nil {
				return err
			}
			top := &stack[len(stack)-1]
			if top.next == len(top.parents) {
				r.commits = append(r.commits, top.Commit)
				stack = stack[:len(stack)-1]
				continue
			}
			top.next++
			enter(top.parents[top.next-1])
		}
	}
	return nil
}

// readCommit reads a commit, or the one that a tag is about. ok is false for a
// tag about something else.
func (r *Repository) readCommit(id ID, depth int) (c Commit, ok bool, err error) {
	k, body, err := r.read(id, maxSmall)
	if err != nil {
		return c, false, err
	}
	switch {
	case k == kindTag && depth < 10:
		name, _ := headerOf(body, "object")
		target, ok := parseID(name)
		if !ok {
			return c, false, errors.New("it is a tag about nothing")
		}
		return r.readCommit(target, depth+1)
	case k != kindCommit:
		return c, false, nil
	}
	c.ID = id
	tree, rest := headerOf(body, "tree")
	if c.tree, ok = parseID(tree); !ok {
		return c, false, errors.New("it names no tree")
	}
	for !r.pruned[id] {
		parent, after := headerOf(rest, "parent")
		p, ok := parseID(parent)
		if !ok {
			break
		}
		c.parents, rest = append(c.parents, p), after
	}
	c.When = committed(rest)
	return c, true, nil
}

// headerOf is the value of the first line of an object when that has the name.
func headerOf(body []byte, name string) (value string, rest []byte) {
	line, rest, _ := bytes.Cut(body, []byte{'\n'})
	v, ok := bytes.CutPrefix(line, []byte(name+" "))
	if !ok {
		return "", body
	}
	return string(v), rest
}

// committed is when a commit was made; zero when it does not say.
func committed(headers []byte) time.Time {
	for line := range bytes.Lines(headers) {
		who, ok := bytes.CutPrefix(line, []byte("committer "))
		if !ok {
			if len(bytes.TrimSpace(line)) == 0 {
				break
			}
			continue
		}
		fields := strings.Fields(string(who[bytes.LastIndexByte(who, '>')+1:]))
		if len(fields) == 0 {
			break
		}
		if sec, err := strconv.ParseInt(fields[0], 10, 64); err == nil && sec >= 0 && sec < 1<<35 {
			return time.Unix(sec, 0).UTC()
		}
		break
	}
	return time.Time{}
}

// entry is a line of a tree.
type entry struct {
	name string
	id   ID
	mode string
}

const (
	modeTree   = "40000"
	modeLink   = "120000"
	modeModule = "160000" // a commit of another repository
)

func (r *Repository) readTree(id ID) ([]entry, error) {
	k, body, err := r.read(id, maxTree)
	if err != nil {
		return nil, err
	}
	if k != kindTree {
		return nil, fmt.Errorf("it is a %s and not a tree", k)
	}
	return parseTree(body)
}

func parseTree(body []byte) (all []entry, err error) {
	for len(body) > 0 {
		mode, rest, ok := bytes.Cut(body, []byte{' '})
		name, rest, ok2 := bytes.Cut(rest, []byte{0})
		if !ok || !ok2 || len(rest) < len(ID{}) || len(name) == 0 || bytes.IndexByte(name, '/') >= 0 {
			return all, errors.New("the tree is broken")
		}
		all = append(all, entry{string(name), ID(rest), strings.TrimLeft(string(mode), "0")})
		body = rest[len(ID{}):]
	}
	return all, nil
}

// walkTrees notes every version of a file once, by the oldest commit that has it.
func (r *Repository) walkTrees(ctx context.Context) error {
	seen := map[ID]struct{}{}
	full := func() bool { return len(seen) >= r.limits.Objects }
	var walk func(id ID, dir string, depth, commit int) error
	walk = func(id ID, dir string, depth, commit int) error {
		if _, ok := seen[id]; ok || full() {
			return nil
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		seen[id] = struct{}{}
		entries, err := r.readTree(id)
		if err != nil {
			r.problem("the directory %q of commit %s: %w", dir, r.commits[commit].ID, err)
		}
		for _, e := range entries {
			switch e.mode {
			case modeModule, modeLink:
				continue
			}
			path := e.name
			if dir != "" {
				path = dir + "/" + e.name
			}
			if depth >= maxDepth || len(path) > maxPath {
				r.problem("%.100q… is nested too deeply and was not read", path)
				continue
			}
			if e.mode == modeTree {
				if err := walk(e.id, path, depth+1, commit); err != nil {
					return err
				}
				continue
			}
			if _, ok := seen[e.id]; ok || full() {
				continue
			}
			seen[e.id] = struct{}{}
			r.blobs = append(r.blobs, Blob{e.id, path, commit})
		}
		return nil
	}
	for i := range r.commits {
		if err := walk(r.commits[i].tree, "", 0, i); err != nil {
			return err
		}
	}
	if full() {
		r.problem("there are more than %d versions of files and directories: the others were not read", r.limits.Objects)
	}
	return nil
}

// order sorts the versions as they lie in packfiles: what a delta is made from
// is then mostly near and still known.
func (r *Repository) order() {
	type place struct{ store, pack, offset int64 }
	places := make(map[ID]place, len(r.blobs))
	for i := range r.blobs {
		id := r.blobs[i].ID
		for s, st := range r.stores {
			if p, off, ok := st.find(id); ok {
				places[id] = place{int64(s), int64(p), off}
				break
			}
		}
	}
	slices.SortStableFunc(r.blobs, func(a, b Blob) int {
		x, y := places[a.ID], places[b.ID]
		return cmp.Or(cmp.Compare(x.store, y.store), cmp.Compare(x.pack, y.pack), cmp.Compare(x.offset, y.offset))
	})
}

// Removed tells which commit of the branch that is checked out took the last of
// some versions of a file away. ok is false when that branch has one still,
// never had one, or is too long to tell.
func (r *Repository) Removed(ctx context.Context, path string, versions map[ID]bool) (by Commit, ok bool) {
	const longest, altogether = 2_000, 200_000
	numbers := r.numbers()
	at, known := numbers[r.head]
	if !known {
		return by, false
	}
	for range longest {
		c := &r.commits[at]
		if r.looked++; r.looked > altogether || ctx.Err() != nil {
			return by, false
		}
		if id, found := r.lookup(c.tree, path); found && versions[id] {
			return by, by.ID != ID{}
		}
		if len(c.parents) == 0 {
			return by, false
		}
		by = *c
		if at, known = numbers[c.parents[0]]; !known {
			return by, false
		}
	}
	return by, false
}

func (r *Repository) numbers() map[ID]int {
	if r.numbered == nil {
		r.numbered = make(map[ID]int, len(r.commits))
		for i := range r.commits {
			r.numbered[r.commits[i].ID] = i
		}
	}
	return r.numbered
}

// lookup finds the version of a file in a tree.
func (r *Repository) lookup(tree ID, path string) (id ID, ok bool) {
	id = tree
	for name := range strings.SplitSeq(path, "/") {
		entries, known := r.trees[id]
		if !known {
			if len(r.trees) >= maxTreesKept {
				clear(r.trees)
			}
			var err error
			if entries, err = r.readTree(id); err != nil {
				return id, false
			}
			r.trees[id] = entries
		}
		i := slices.IndexFunc(entries, func(e entry) bool { return e.name == name })
		if i < 0 {
			return id, false
		}
		id = entries[i].id
	}
	return id, true
}
