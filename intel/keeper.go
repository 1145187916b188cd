package intel

import (
	"context"
	"io"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/leeward-ctem/leeward/exposure"
	"github.com/leeward-ctem/leeward/internal/safehttp"
)

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
	Fetch(ctx context.Context, r safehttp.Request, w io.Writer) (safehttp.Answer, error)
}

// Keeper fetches feeds, keeps their last good copies and merges them. It is
// safe for concurrent use.
type Keeper struct {
	Registered []Feed
	Store      Store
	Fetcher    Fetcher
	Now        func() time.Time
	Patience   Patience
	Env        func(string) string // where credentials stand, see docs/feeds.md; nil: nowhere

	updating sync.Mutex // one update, import or export at a time; held while the network is waited for
	loading  sync.Mutex // one load of the snapshot at a time
	loaded   atomic.Pointer[loaded]
	changes  atomic.Int64         // of kept copies
	resting  map[string]time.Time // hosts that asked to be left alone until then; guarded by updating
	matchers matchers
}

// Options say how an update is made.
type Options struct {
	// Locations are URLs, files or directories to read a feed from, now and,
	// once that worked, from now on. "default" stands for the public address;
	// of a feed that has none it ends the use of it, and of its copy.
	// A URL with a user, query or fragment, which may be secret, is used this
	// once and not remembered.
	Locations map[string][]string
	// Force reads everything anew, and takes an edition that is older or much
	// smaller than the kept one.
	Force bool
	// Scheduled: nobody asked just now, so feeds on request are fetched only if
	// somebody did before.
	Scheduled bool
	// Progress tells what is done, for people; may be nil.
	Progress func(feed, doing string)
}

// Update fetches the named feeds, all that are wanted when names is empty. A feed that
// fails keeps its last good copy and does not stop the others, and a file of a
// feed that fails does not stop its other files; the error stands in the state.
// changed tells whether any copy is another now.
func (k *Keeper) Update(ctx context.Context, names []string, o Options) (states []State, changed bool, err error) {
	k.updating.Lock()
	defer k.updating.Unlock()
	known, err := k.states(ctx)
	if err != nil {
		return nil, false, err
	}
	for _, name := range names {
		if k.find(name) == nil {
			return nil, false, k.unknown(name)
		}
	}
	for name := range o.Locations {
		if k.find(name) == nil {
			return nil, false, k.unknown(name)
		}
	}
	for _, f := range k.Registered {
		name := f.Source().Name
		if len(names) > 0 && !slices.Contains(names, name) {
			continue
		}
		state := known[name]
		locations, set := o.Locations[name]
		if named := set || len(names) > 0 && !o.Scheduled; !named && !state.Wanted(f.Source()) {
			continue
		} else if named {
			state.Asked = f.Source().OnRequest
		}
		if !set {
			locations = state.Locations
		}
		body, failure := k.update(ctx, f, &state, locations, o)
		if err := ctx.Err(); err != nil {
			return nil, changed, err
		}
		state.Error = ""
		if failure != nil {
			state.Error = tidy(failure.Error(), maxError)
		}
		if set && (failure == nil || body != nil) && !slices.ContainsFunc(locations, secret) {
			if state.Locations = locations; slices.Equal(locations, []string{"default"}) {
				state.Locations = nil
			}
		}
		if err := k.put(ctx, &state, body); err != nil {
			return nil, changed, err
		}
		changed = changed || body != nil
		states = append(states, state)
	}
	return states, changed, nil
}

// Want remembers that somebody asked for feeds that are fetched on request.
func (k *Keeper) Want(ctx context.Context, names []string) error {
	k.updating.Lock()
	defer k.updating.Unlock()
	known, err := k.states(ctx)
	if err != nil {
		return err
	}
	for _, name := range names {
		f, state := k.find(name), known[name]
		if f == nil {
			return k.unknown(name)
		}
		if state.Wanted(f.Source()) {
			continue
		}
		state.Asked = true
		if err := k.put(ctx, &state, nil); err != nil {
			return err
		}
	}
	return nil
}

// outcome is what became of one file.
type outcome struct {
	part  Part
	chunk []byte
	fresh bool // another than before
}

// update fetches one feed and puts its parts into state. A nil body means that
// no fact changed. An error may come with a body: some files failed.
func (k *Keeper) update(ctx context.Context, f Feed, state *State, set []string, o Options) (body []byte, err error) {
	src := f.Source()
	state.Tried = k.Now()
	if len(src.URLs) == 0 && slices.Equal(set, []string{"default"}) {
		if len(state.Parts) > 0 {
			body = []byte{}
		}
		state.Parts = nil
		return body, nil
	}
	locations, err := expand(set, src.URLs)
	if err != nil {
		return nil, err
	}
	if len(locations) == 0 {
		return nil, exposure.Errorf(exposure.Invalid, "the feed %s has no public address: name a URL, a file or a directory, as in `leeward feeds update %s=/srv/feeds/%s`", src.Name, src.Name, src.Name)
	}
	kept, err := k.known(ctx, state)
	if err != nil {
		return nil, err
	}
	var files []outcome
	var failed failures
	names := labels(locations)
	v := k.visit(src, o.Force)
	for i, location := range locations {
		if o.Progress != nil {
			o.Progress(src.Name, "reading "+names[i])
		}
		var before Part
		old, again := state.part(names[i])
		if again {
			before = state.Parts[old]
		}
		asked := before
		if o.Force || again && (kept[old] == nil || before.Form != src.Form) {
			asked = Part{}
		}
		part, chunk, err := v.fetch(ctx, f, location, names[i], asked)
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		if err == nil && chunk != nil && !src.whole() {
			err = k.plausible(&src, &part, before, o.Force)
		}
		switch {
		case err != nil:
			failed = append(failed, err)
			if again && kept[old] != nil {
				files = append(files, outcome{before, kept[old], false})
			}
		case chunk == nil:
			files = append(files, outcome{part, kept[old], false})
		default:
			part.Form = src.Form
			files = append(files, outcome{part, chunk, true})
		}
	}
	if src.whole() && len(files) > 0 {
		if files, err = k.newest(&src, files, state, o.Force); err != nil {
			return nil, append(failed, err).error(len(locations))
		}
	}
	return settle(state, files, o.Force, failed, len(locations))
}

// newest leaves the newest of several files that are each a whole edition, if
// it may follow the kept one.
func (k *Keeper) newest(src *Source, files []outcome, state *State, force bool) ([]outcome, error) {
	last := slices.MaxFunc(files, func(a, b outcome) int { return a.part.Date.Compare(b.part.Date) })
	if last.fresh {
		var before Part
		if len(state.Parts) > 0 {
			before = state.Parts[0]
		}
		if err := k.plausible(src, &last.part, before, force); err != nil {
			return nil, err
		}
	}
	return []outcome{last}, nil
}

// settle makes files the parts of the kept copy, unless they would hold less
// than half of what it holds.
func settle(state *State, files []outcome, force bool, failed failures, of int) (body []byte, err error) {
	var next State
	var chunks [][]byte
	changed := len(files) != len(state.Parts)
	for i, f := range files {
		next.Parts = append(next.Parts, f.part)
		chunks = append(chunks, f.chunk)
		// The body holds the parts in their order.
		changed = changed || f.fresh || state.Parts[i].Location != f.part.Location
	}
	if len(files) == 0 {
		return nil, failed.error(of)
	}
	if was, is := state.Facts(), next.Facts(); 2*is < was && !force {
		failed = append(failed, exposure.Errorf(exposure.Conflict, "all files together hold %d records, and the copy that is kept %d: use --force if that is right", is, was))
		return nil, failed.error(of)
	}
	if changed {
		if body = slices.Concat(chunks...); len(body) > maxBody {
			failed = append(failed, Refused("the facts of all files are longer than %d MiB: no edition is", maxBody>>20))
			return nil, failed.error(of)
		}
	}
	state.Parts = next.Parts
	return body, failed.error(of)
}

// ahead is how far the clocks of a publisher and of this machine may differ.
const ahead = 48 * time.Hour

// plausible refuses an edition that would take knowledge away: one that is
// older than the one before, or lost more than half of it. One of the future
// would keep all later ones out; if forced it counts as one of today.
func (k *Keeper) plausible(src *Source, p *Part, before Part, force bool) error {
	now := k.Now()
	switch {
	case p.Facts == 0:
		return Refused("%s holds no records: it is not %s, or not all of it", p.Location, src.Title)
	case p.Date.IsZero():
		return Refused("%s does not say of what day it is: it is not %s as published", p.Location, src.Title)
	case force:
		if p.Date.After(now) {
			p.Date = now
		}
		return nil
	case p.Date.After(now.Add(ahead)):
		return exposure.Errorf(exposure.Conflict, "%s is of %s, which is to come: set the clock of this machine, or use --force if it is right", p.Location, p.Date.Format(time.DateOnly))
	case before.Location == "":
		return nil
	case p.Date.Before(before.Date.Add(-src.Falls)):
		return exposure.Errorf(exposure.Conflict, "%s is of %s, older than the copy of %s that is kept: use --force to go back", p.Location, p.Date.Format(time.DateOnly), before.Date.Format(time.DateOnly))
	case 2*p.Facts < before.Facts:
		return exposure.Errorf(exposure.Conflict, "%s holds %d records, and the copy that is kept %d: use --force if that is right", p.Location, p.Facts, before.Facts)
	}
	if p.Date.Before(before.Date) {
		p.Date = before.Date // it would fall back a little each time
	}
	return nil
}

// failures are the errors of the files of one feed.
type failures []error

// maxTold is how many errors of one feed are told.
const maxTold = 5

// error says what failed, nil when nothing did.
func (f failures) error(of int) error {
	switch {
	case len(f) == 0:
		return nil
	case len(f) == 1 && of <= 1:
		return f[0]
	}
	var told []string
	for _, err := range f[:min(len(f), maxTold)] {
		told = append(told, err.Error())
	}
	if len(f) > maxTold {
		told = append(told, "…")
	}
	return exposure.Errorf(exposure.KindOf(f[0]), "%d of %d files failed, and their last good copies stay: %s", len(f), of, strings.Join(told, "; "))
}
