package intel

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"maps"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/leeward-ctem/leeward/exposure"
	"github.com/leeward-ctem/leeward/internal/safehttp"
)

// Part is one file of a feed that is kept.
type Part struct {
	Location string `json:"location"` // URL or path, without secrets
	Edition
	safehttp.Validator
	SHA256  string    `json:"sha256"`  // of the file as published
	Fetched time.Time `json:"fetched"` // when it was last found to be current
	Length  int       `json:"length"`  // of its facts in the body
}

// State is where one feed stands.
type State struct {
	Name      string    `json:"name"`
	Locations []string  `json:"locations,omitempty"` // set by the user instead of the public ones
	Parts     []Part    `json:"parts,omitempty"`     // the last good copy
	Tried     time.Time `json:"tried,omitzero"`      // the last attempt
	Error     string    `json:"error,omitempty"`     // of the last attempt; the good copy is kept
}

// Facts counts what the copy holds.
func (s *State) Facts() (n int) {
	for _, p := range s.Parts {
		n += p.Facts
	}
	return n
}

// Date is that of the oldest part: a feed is as fresh as its stalest file.
func (s *State) Date() time.Time {
	if len(s.Parts) == 0 {
		return time.Time{}
	}
	return slices.MinFunc(s.Parts, func(a, b Part) int { return a.Date.Compare(b.Date) }).Date
}

// Fetched is when the copy was last found to be current.
func (s *State) Fetched() time.Time {
	if len(s.Parts) == 0 {
		return time.Time{}
	}
	return slices.MinFunc(s.Parts, func(a, b Part) int { return a.Fetched.Compare(b.Fetched) }).Fetched
}

// Version is the publisher's, of the newest part.
func (s *State) Version() string {
	if len(s.Parts) == 0 {
		return ""
	}
	return slices.MaxFunc(s.Parts, func(a, b Part) int { return a.Date.Compare(b.Date) }).Version
}

// Stale reports whether the copy is older than its source allows.
func (s *State) Stale(src Source, now time.Time) bool {
	return len(s.Parts) == 0 || now.Sub(s.Date()) > src.Stale
}

// Store keeps feeds in the database. The body is opaque to it.
type Store interface {
	// Feeds returns the state of every feed that is kept, as JSON by name.
	Feeds(ctx context.Context) (map[string][]byte, error)
	FeedBody(ctx context.Context, name string) ([]byte, error)
	// PutFeed replaces a feed; a nil body leaves the kept one.
	PutFeed(ctx context.Context, name string, state, body []byte) error
}

// Fetcher fetches a file from the network.
type Fetcher interface {
	Fetch(ctx context.Context, address string, known safehttp.Validator, limit int64, w io.Writer) (got safehttp.Validator, unchanged bool, err error)
}

// Keeper fetches feeds, keeps their last good copies and merges them. It is
// safe for concurrent use.
type Keeper struct {
	Registered []Feed
	Store      Store
	Fetcher    Fetcher
	Now        func() time.Time

	mu       sync.Mutex // one update at a time
	snapshot *Snapshot  // nil: to be made when somebody asks
}

// Options say how an update is made.
type Options struct {
	// Locations are URLs, files or directories to read a feed from, now and
	// from now on. "default" stands for the public address.
	Locations map[string][]string
	// Force takes an edition that is older or much smaller than the kept one.
	Force bool
	// Progress tells what is done, for people; may be nil.
	Progress func(feed, doing string)
}

// Update fetches the named feeds, all of them when names is empty. A feed that
// fails keeps its last good copy and does not stop the others; changed tells
// whether any copy is another now.
func (k *Keeper) Update(ctx context.Context, names []string, o Options) (states []State, changed bool, err error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	known, err := k.states(ctx)
	if err != nil {
		return nil, false, err
	}
	for _, name := range names {
		if k.find(name) == nil {
			return nil, false, k.unknown(name)
		}
	}
	for _, f := range k.Registered {
		src := f.Source()
		if len(names) > 0 && !slices.Contains(names, src.Name) {
			continue
		}
		state := known[src.Name]
		if locations, ok := o.Locations[src.Name]; ok {
			state.Locations = locations
			if slices.Equal(locations, []string{"default"}) {
				state.Locations = nil
			}
		}
		body, failure := k.update(ctx, f, &state, o)
		if err := ctx.Err(); err != nil {
			return nil, changed, err
		}
		state.Error = ""
		if failure != nil {
			state.Error = failure.Error()
		}
		changed = changed || body != nil
		if err := k.put(ctx, &state, body); err != nil {
			return nil, changed, err
		}
		states = append(states, state)
	}
	return states, changed, nil
}

// update fetches one feed. A nil body means that nothing changed.
func (k *Keeper) update(ctx context.Context, f Feed, state *State, o Options) (body []byte, err error) {
	src := f.Source()
	state.Tried = k.Now()
	locations, err := expand(state.Locations, src.URLs)
	if err != nil {
		return nil, err
	}
	kept, err := k.bodies(ctx, state)
	if err != nil {
		kept = nil // damaged: everything is fetched anew
		state.Parts = nil
	}
	var parts []Part
	var chunks [][]byte
	changed := len(state.Parts) != len(locations)
	for _, location := range locations {
		if o.Progress != nil {
			o.Progress(src.Name, "reading "+shown(location))
		}
		old := slices.IndexFunc(state.Parts, func(p Part) bool { return p.Location == shown(location) })
		var before Part
		if old >= 0 {
			before = state.Parts[old]
		}
		part, chunk, err := k.fetch(ctx, f, location, before)
		if err == nil && chunk != nil && !o.Force {
			err = plausible(src, &part, state, before)
		}
		switch {
		case err != nil && len(locations) == 1:
			return nil, err
		case err != nil:
			return nil, fmt.Errorf("%s: %w", path.Base(path.Dir(location)), err)
		case chunk == nil: // as it was
			part.Length, chunk = before.Length, kept[old]
		default:
			changed = true
		}
		parts, chunks = append(parts, part), append(chunks, chunk)
	}
	state.Parts = parts
	if !changed {
		return nil, nil
	}
	return slices.Concat(chunks...), nil
}

// fetch reads one file. A nil chunk means that it is the one that is kept.
func (k *Keeper) fetch(ctx context.Context, f Feed, location string, before Part) (part Part, chunk []byte, err error) {
	src := f.Source()
	file, got, err := k.open(ctx, src, location, before)
	if err != nil {
		return part, nil, err
	}
	if file == nil {
		before.Fetched = k.Now()
		return before, nil, nil
	}
	defer file.close()
	sum := sha256.New()
	if _, err := io.Copy(sum, io.NewSectionReader(file, 0, file.size)); err != nil {
		return part, nil, err
	}
	part = Part{Location: shown(location), Validator: got, SHA256: hex.EncodeToString(sum.Sum(nil)), Fetched: k.Now()}
	if part.SHA256 == before.SHA256 {
		part.Edition = before.Edition
		return part, nil, nil
	}
	w, err := newWriter()
	if err != nil {
		return part, nil, err
	}
	part.Edition, err = f.Read(ctx, file, w.add)
	if err != nil {
		return part, nil, fmt.Errorf("%s: %w", shown(location), err)
	}
	part.Facts = w.count
	if chunk, err = w.bytes(); err != nil {
		return part, nil, err
	}
	part.Length = len(chunk)
	return part, chunk, nil
}

// plausible refuses an edition that would take knowledge away: one that is
// older than the kept, or lost more than half of it.
func plausible(src Source, p *Part, state *State, before Part) error {
	if before.SHA256 == "" && len(state.Parts) == 1 {
		before = state.Parts[0] // the same feed from another place
	}
	switch {
	case p.Facts == 0:
		return Refused("%s holds no records: it is not the %s feed, or not all of it", p.Location, src.Title)
	case before.SHA256 == "":
		return nil
	case p.Date.Before(before.Date):
		return exposure.Errorf(exposure.Conflict, "%s is of %s, older than the copy of %s that is kept: use --force to go back", p.Location, p.Date.Format(time.DateOnly), before.Date.Format(time.DateOnly))
	case p.Facts < before.Facts/2:
		return exposure.Errorf(exposure.Conflict, "%s holds %d records, and the copy that is kept %d: use --force if that is right", p.Location, p.Facts, before.Facts)
	}
	return nil
}

// spool is a file to read: one of the disk, or what was fetched into a
// temporary one.
type spool struct {
	*os.File
	size      int64
	temporary bool
}

func (s *spool) Size() int64 { return s.size }

func (s *spool) close() {
	s.Close()
	if s.temporary {
		os.Remove(s.Name())
	}
}

// open fetches a URL or opens a file. A nil file means that the server says it
// is still the one of before.
func (k *Keeper) open(ctx context.Context, src Source, location string, before Part) (s *spool, got safehttp.Validator, err error) {
	if !remote(location) {
		f, err := os.Open(location)
		if err != nil {
			return nil, got, exposure.Errorf(exposure.NotFound, "cannot read %s: check the path and its permissions (%w)", location, err)
		}
		info, err := f.Stat()
		if err != nil || !info.Mode().IsRegular() || info.Size() > src.MaxBytes {
			f.Close()
			return nil, got, exposure.Errorf(exposure.Invalid, "%s is not a file of at most %d bytes", location, src.MaxBytes)
		}
		return &spool{f, info.Size(), false}, got, nil
	}
	f, err := os.CreateTemp("", "leeward-feed-*")
	if err != nil {
		return nil, got, exposure.Errorf(exposure.Unavailable, "cannot write a temporary file: %w", err)
	}
	s = &spool{f, 0, true}
	got, unchanged, err := k.Fetcher.Fetch(ctx, location, before.Validator, src.MaxBytes, f)
	if err == nil && !unchanged {
		if s.size, err = f.Seek(0, io.SeekEnd); err == nil {
			return s, got, nil
		}
	}
	s.close()
	return nil, got, err
}

func remote(location string) bool { return strings.Contains(location, "://") }

// shown is a location as it may be kept and printed.
func shown(location string) string {
	if u, err := url.Parse(location); err == nil && remote(location) {
		return safehttp.Shown(u)
	}
	return location
}

// expand replaces directories by the files in them.
func expand(set, public []string) ([]string, error) {
	if len(set) == 0 {
		return public, nil
	}
	var all []string
	for _, l := range set {
		if l == "default" {
			all = append(all, public...)
			continue
		}
		info, err := os.Stat(l)
		if remote(l) || err != nil || !info.IsDir() {
			all = append(all, l)
			continue
		}
		err = filepath.WalkDir(l, func(p string, d os.DirEntry, err error) error {
			if err == nil && d.Type().IsRegular() && slices.Contains([]string{".json", ".gz", ".zip", ".csv"}, filepath.Ext(p)) {
				all = append(all, p)
			}
			return err
		})
		if err != nil {
			return nil, exposure.Errorf(exposure.NotFound, "cannot read the directory %s: %w", l, err)
		}
	}
	slices.Sort(all)
	return slices.Compact(all), nil
}

// States returns where every registered feed stands, in the registry's order.
func (k *Keeper) States(ctx context.Context) ([]State, error) {
	known, err := k.states(ctx)
	if err != nil {
		return nil, err
	}
	var all []State
	for _, f := range k.Registered {
		all = append(all, known[f.Source().Name])
	}
	return all, nil
}

// Snapshot returns what all kept copies know together.
func (k *Keeper) Snapshot(ctx context.Context) (*Snapshot, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.snapshot != nil {
		return k.snapshot, nil
	}
	b := newBuilder()
	known, err := k.states(ctx)
	if err != nil {
		return nil, err
	}
	for _, name := range slices.Sorted(maps.Keys(known)) {
		state := known[name]
		chunks, err := k.bodies(ctx, &state)
		if err != nil {
			return nil, exposure.Errorf(exposure.Unavailable, "the kept copy of the feed %s cannot be read: run `leeward feeds update %s` (%w)", name, name, err)
		}
		for _, c := range chunks {
			if err := decode(c, b.add); err != nil {
				return nil, exposure.Errorf(exposure.Unavailable, "the kept copy of the feed %s cannot be read: run `leeward feeds update %s` (%w)", name, name, err)
			}
		}
	}
	k.snapshot = b.snapshot()
	return k.snapshot, nil
}

// Release forgets the merged snapshot; the next to ask makes it again.
func (k *Keeper) Release() {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.snapshot = nil
}
