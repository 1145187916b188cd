package cli

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/RoaringBitmap/roaring/v2"

	"github.com/leeward-ctem/leeward/exposure"
	"github.com/leeward-ctem/leeward/index"
	"github.com/leeward-ctem/leeward/store"
)

// filter reads a filter and asks the database for what its stored terms select
// of the view.
func (a *app) filter(ctx context.Context, v *index.View, text string) (exposure.Filter, error) {
	f, err := exposure.ParseFilter(text)
	if err != nil {
		return f, err
	}
	return v.Resolve(ctx, f, storedSets{a.db, &a.stored, a.now()})
}

// storedFor is how long an answer of the database to a stored term is kept, at
// most; when the index moves it is asked again.
const storedFor = time.Minute

// maxStored is how many answers are kept; of a million findings one takes up to
// 125 kB.
const maxStored = 32

// storedCache keeps what stored terms came to: a page asks for its list, its
// counts and its next rows.
type storedCache struct {
	reports  sync.Mutex
	seq      int64
	since    time.Time
	reported map[string]*roaring.Bitmap

	words   sync.Mutex
	heardOn int64 // of the view that assertions speak of
	heardAt time.Time
	heard   *index.Assertions
}

// storedSets answers for stored terms from the cache and the database.
type storedSets struct {
	db    *store.DB
	cache *storedCache
	now   time.Time
}

// Reported returns what reports did. Nothing is not kept: it may be that an
// import did not end yet, and that it does moves no finding.
func (s storedSets) Reported(ctx context.Context, field exposure.Field, scans []exposure.ScanID) (*roaring.Bitmap, error) {
	head, err := s.db.Head(ctx)
	if err != nil {
		return nil, err
	}
	c := s.cache
	key := fmt.Sprint(field, scans)
	c.reports.Lock()
	if c.seq != head || s.now.Sub(c.since) >= storedFor || len(c.reported) >= maxStored {
		c.seq, c.since, c.reported = head, s.now, map[string]*roaring.Bitmap{}
	}
	known := c.reported[key]
	c.reports.Unlock()
	if known != nil {
		return known, nil
	}
	found, err := s.db.Reported(ctx, field, scans)
	if err != nil || found.IsEmpty() {
		return found, err
	}
	c.reports.Lock()
	defer c.reports.Unlock()
	if c.seq == head {
		c.reported[key] = found
	}
	return found, nil
}

// Assertions returns who asserts what. All words are read for it, so those who
// ask at the same time wait for one answer.
func (s storedSets) Assertions(ctx context.Context, v *index.View) (*index.Assertions, error) {
	c := s.cache
	c.words.Lock()
	defer c.words.Unlock()
	if c.heard != nil && c.heardOn == v.Seq() && s.now.Sub(c.heardAt) < storedFor {
		return c.heard, nil
	}
	heard, err := v.Assertions(func(f func(exposure.FindingID, exposure.SourceID, bool) error) error { return s.db.Words(ctx, f) })
	if err != nil {
		return nil, err
	}
	c.heard, c.heardOn, c.heardAt = heard, v.Seq(), s.now
	return heard, nil
}
