package discover

import (
	"context"
	"maps"
	"slices"

	"github.com/RoaringBitmap/roaring/v2"

	"github.com/leeward-ctem/leeward/exposure"
)

// taking applies words to findings within one transaction.
type taking struct {
	*session
	tx       Tx
	coverage map[uint64][]*exposure.Coverage // by source and asset, of this document

	findings map[exposure.FindingID]*exposure.Finding
	stories  map[exposure.FindingID]map[exposure.SourceID]exposure.SourceState
	places   map[exposure.LocationID]exposure.Place
	sources  map[exposure.SourceID]exposure.Source
	newer    []sighting // of scans after this one
	asked    bool

	wrote            bool
	closed, reopened int
}

type move struct {
	cause    exposure.Cause
	from, to exposure.Status
}

func (t *taking) run(ctx context.Context, words []word) error {
	if err := t.load(ctx, words); err != nil {
		return err
	}
	var changed []exposure.Finding
	var states []exposure.SourceState
	moved := map[move][]uint32{}
	var touched []uint32
	for len(words) > 0 {
		n := 1
		for n < len(words) && words[n].finding == words[0].finding {
			n++
		}
		f := t.findings[words[0].finding]
		if f != nil {
			before := *f
			said, err := t.listen(ctx, f, words[:n])
			if err != nil {
				return err
			}
			states = append(states, said...)
			if *f != before {
				changed = append(changed, *f)
				if f.Status != before.Status {
					m := move{t.cause(f, before.Status), before.Status, f.Status}
					moved[m] = append(moved[m], uint32(f.ID))
				} else {
					touched = append(touched, uint32(f.ID))
				}
			} else if len(said) > 0 {
				touched = append(touched, uint32(f.ID))
			}
		}
		words = words[n:]
	}
	if len(changed) == 0 && len(states) == 0 {
		return nil
	}
	t.wrote = true
	if err := t.tx.UpdateFindings(ctx, changed); err != nil {
		return err
	}
	if err := t.tx.PutSourceStates(ctx, states); err != nil {
		return err
	}
	return t.announce(ctx, moved, touched)
}

// announce appends the events, in a fixed order.
func (t *taking) announce(ctx context.Context, moved map[move][]uint32, touched []uint32) error {
	at := t.began.UnixMilli()
	moves := make([]move, 0, len(moved))
	for m := range moved {
		moves = append(moves, m)
	}
	slices.SortFunc(moves, func(a, b move) int {
		return int(a.cause)<<8 + int(a.from)<<4 + int(a.to) - (int(b.cause)<<8 + int(b.from)<<4 + int(b.to))
	})
	for _, m := range moves {
		ids := moved[m]
		e := exposure.Event{At: at, Kind: exposure.EventMoved, Cause: m.cause, From: m.from, To: m.to, IDs: ids, First: ids[0], Last: ids[len(ids)-1], Scan: t.scan.ID, Actor: "import"}
		if err := t.tx.Append(ctx, &e); err != nil {
			return err
		}
		switch {
		case e.Reopens():
			t.reopened += len(ids)
		case e.Closes():
			t.closed += len(ids)
		}
	}
	if len(touched) == 0 {
		return nil
	}
	return t.tx.Append(ctx, &exposure.Event{At: at, Kind: exposure.EventSource, IDs: touched, First: touched[0], Last: touched[len(touched)-1], Scan: t.scan.ID, Actor: "import"})
}

// cause names why f moved from a status: the one in the lifecycle table.
func (t *taking) cause(f *exposure.Finding, from exposure.Status) exposure.Cause {
	for _, c := range []exposure.Cause{exposure.CauseReported, exposure.CauseRetestFailed, exposure.CauseAbsent, exposure.CauseNotAffected, exposure.CauseSuppressed} {
		if to, ok := from.Move(c); ok && to == f.Status {
			return c
		}
	}
	return exposure.CauseReported
}

// load reads everything the words speak of.
func (t *taking) load(ctx context.Context, words []word) error {
	var ids []exposure.FindingID
	for _, w := range words {
		if len(ids) == 0 || ids[len(ids)-1] != w.finding {
			ids = append(ids, w.finding)
		}
	}
	t.findings = make(map[exposure.FindingID]*exposure.Finding, len(ids))
	var locations []exposure.LocationID
	err := t.tx.FindingsByID(ctx, ids, func(f *exposure.Finding) error {
		copied := *f
		t.findings[f.ID] = &copied
		locations = append(locations, f.Location)
		return nil
	})
	if err != nil {
		return err
	}
	slices.Sort(locations)
	if t.places, err = t.tx.PlacesByID(ctx, slices.Compact(locations)); err != nil {
		return err
	}
	states, err := t.tx.SourceStates(ctx, ids)
	if err != nil {
		return err
	}
	t.stories = map[exposure.FindingID]map[exposure.SourceID]exposure.SourceState{}
	for _, s := range states {
		if t.stories[s.Finding] == nil {
			t.stories[s.Finding] = map[exposure.SourceID]exposure.SourceState{}
		}
		t.stories[s.Finding][s.Source] = s
	}
	all, err := t.tx.Sources(ctx)
	t.sources = map[exposure.SourceID]exposure.Source{}
	for _, s := range all {
		t.sources[s.ID] = s
	}
	return err
}

// listen applies the words on one finding and returns the sources' states to record.
func (t *taking) listen(ctx context.Context, f *exposure.Finding, words []word) ([]exposure.SourceState, error) {
	story := t.stories[f.ID]
	if story == nil {
		story = map[exposure.SourceID]exposure.SourceState{}
	}
	if _, ok := story[f.Source]; !ok {
		story[f.Source] = exposure.SourceState{Finding: f.ID, Source: f.Source, Scan: f.Scan, At: f.FirstSeen}
	}
	before := maps.Clone(story)
	present := int64(0) // the newest sighting among the words
	for _, w := range words {
		at := w.seen
		if at == 0 {
			at = t.scan.At
		}
		if w.state != exposure.StateAbsent {
			f.Severity, f.Detection = max(f.Severity, w.severity), max(f.Detection, w.detection)
			if w.state == exposure.StatePresent && DayOf(at) < DayOf(f.FirstSeen) {
				if f.Since == f.FirstSeen {
					f.Since = at
				}
				f.FirstSeen = at
			}
		}
		old, told := story[w.source]
		switch {
		case w.state == exposure.StateAbsent:
			ok, err := t.disproved(ctx, f, old, told, w, at)
			if err != nil {
				return nil, err
			}
			if !ok {
				continue
			}
		case told && old.State == w.state:
			if w.state == exposure.StatePresent {
				present = max(present, at)
			}
			continue
		case told && (old.At > at || old.At == at && certainty(old.State) > certainty(w.state)):
			continue // an older word than the one that counts, or as old and milder
		case told && old.State == exposure.StatePresent:
			later, err := t.seenLater(ctx, f.ID, max(at, t.scan.At)) // people decide later than the scan
			if err != nil {
				return nil, err
			}
			if later {
				continue
			}
		}
		story[w.source] = exposure.SourceState{Finding: f.ID, Source: w.source, Scan: t.scan.ID, State: w.state, At: at}
		if w.state == exposure.StatePresent {
			present = max(present, at)
		}
	}
	t.decide(f, story, present)
	var out []exposure.SourceState
	for source, s := range story {
		if old, told := before[source]; !told || old.State != s.State {
			out = append(out, s)
		}
	}
	if len(out) == 0 {
		return nil, nil
	}
	slices.SortFunc(out, func(a, b exposure.SourceState) int { return int(a.Source) - int(b.Source) })
	f.Shared = true
	return out, nil
}

// certainty orders what two words of the same age say: the worse one counts,
// so that the order in which they arrive does not.
func certainty(s exposure.State) int {
	switch s {
	case exposure.StatePresent:
		return 3
	case exposure.StateSuppressed:
		return 2
	case exposure.StateNotAffected:
		return 1
	}
	return 0
}

// disproved reports whether an absence counts against a source's word: the
// source asserts the finding, was there after it last saw it, and covered its
// rule and place.
func (t *taking) disproved(ctx context.Context, f *exposure.Finding, old exposure.SourceState, told bool, w word, at int64) (bool, error) {
	if !told || old.State != exposure.StatePresent || old.At > at || f.FirstSeen > at {
		return false, nil
	}
	src := t.sources[w.source]
	place := t.places[f.Location]
	if own := t.coverage[uint64(w.source)<<32|uint64(f.Asset)]; own != nil && w.seen == t.scan.At {
		covers := slices.ContainsFunc(own, func(c *exposure.Coverage) bool {
			// The place remembers the rule of the first source only; of others it
			// is unknown, and coverage limited to rules proves nothing.
			return (len(c.Rules) == 0 || w.source == f.Source) && c.Covers(src.Class, ruleOf(t.im.Index.Rule(f.ID), src.Tool, &place), &place.Location)
		})
		if !covers {
			return false, nil
		}
	}
	later, err := t.seenLater(ctx, f.ID, t.scan.At)
	return !later, err
}

// decide moves the finding to what the sources' words add up to.
func (t *taking) decide(f *exposure.Finding, story map[exposure.SourceID]exposure.SourceState, present int64) {
	var asserted, absent, notAffected bool
	newest := int64(0)
	for _, s := range story {
		switch s.State {
		case exposure.StatePresent:
			asserted = true
		case exposure.StateAbsent, exposure.StateFixed:
			absent = true
		case exposure.StateNotAffected:
			notAffected = true
		}
		newest = max(newest, s.At)
	}
	var cause exposure.Cause
	at := present
	switch {
	case asserted && f.Status == exposure.StatusFixClaimed:
		if present <= f.Since {
			return // seen, but before the fix
		}
		cause = exposure.CauseRetestFailed
	case asserted && f.Status == exposure.StatusVerified:
		if present <= f.Since {
			return
		}
		cause = exposure.CauseReported
	case asserted:
		cause = exposure.CauseReported
		at = max(present, f.Since)
	case absent:
		cause, at = exposure.CauseAbsent, newest
	case notAffected:
		cause, at = exposure.CauseNotAffected, newest
	default:
		cause, at = exposure.CauseSuppressed, newest
	}
	if to, ok := f.Status.Move(cause); ok {
		f.Status, f.Since = to, at
	}
}

// sighting is what another scan saw.
type sighting struct {
	at   int64
	seen *roaring.Bitmap
}

// seenLater reports whether another scan that ran at a time or after it saw the
// finding: then what was said at that time is not the last word. The time is not
// before that of this scan.
func (t *taking) seenLater(ctx context.Context, id exposure.FindingID, at int64) (bool, error) {
	if !t.asked {
		t.asked = true
		scans, err := t.tx.NewerScans(ctx, t.scan.At)
		if err != nil {
			return false, err
		}
		for scan, at := range scans {
			if scan == t.scan.ID {
				continue
			}
			data, err := t.tx.Seen(ctx, scan)
			if err != nil {
				return false, err
			}
			b := roaring.New()
			if err := b.UnmarshalBinary(data); err != nil {
				return false, err
			}
			t.newer = append(t.newer, sighting{at, b})
		}
	}
	return slices.ContainsFunc(t.newer, func(s sighting) bool { return s.at >= at && s.seen.Contains(uint32(id)) }), nil
}
