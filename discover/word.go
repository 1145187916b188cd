package discover

import (
	"context"
	"slices"
	"time"

	"github.com/leeward-ctem/leeward/exposure"
)

// word is one source's statement on a known finding that may change it. Words
// wait until the document's end: only then it is certain whether this is an
// old report imported again, which must change nothing.
type word struct {
	finding   exposure.FindingID
	source    exposure.SourceID
	severity  exposure.Severity
	detection exposure.Detection
	state     exposure.State
	seen      int64 // unix milliseconds, 0: the time of the run
}

// DayOf returns the day of a time in unix milliseconds, counted from
// 1970-01-01 UTC.
func DayOf(ms int64) uint16 {
	return uint16(max(0, min(ms/(24*time.Hour).Milliseconds(), exposure.NoDue-1)))
}

// compare keeps an item's word when it may say something that the finding
// does not know. Almost all repeated observations say nothing, and cost no
// more than this.
func (b *batch) compare(it *item, id exposure.FindingID, k Known) {
	settled := k.Status == exposure.StatusOpen || k.Status == exposure.StatusTriaged || k.Status == exposure.StatusExcepted
	if settled && !k.Shared && k.Source == it.source && it.state == exposure.StatePresent &&
		it.severity <= k.Severity && it.detection <= k.Detection && (it.seen == 0 && b.scan.At == 0 || DayOf(b.at(it)) >= k.Day) {
		return
	}
	b.later = append(b.later, word{id, it.source, it.severity, it.detection, it.state, it.seen})
}

// overtaken keeps a word that new findings are absent already, when a newer
// scan of the same kind covered their place and did not report them: the
// document at hand is older.
func (b *batch) overtaken(ctx context.Context, items []item, ids []exposure.FindingID, fresh []int) error {
	dated := func(it *item) bool { // else it speaks of now
		return it.state == exposure.StatePresent && (b.scan.At != 0 || it.seen != 0)
	}
	var ask []exposure.AssetID
	for _, i := range fresh {
		asset := items[i].on.id
		if _, ok := b.cache.looked[asset]; !ok && dated(&items[i]) {
			b.cache.looked[asset] = struct{}{}
			ask = append(ask, asset)
		}
	}
	slices.Sort(ask)
	covered, err := b.tx.NewestCovered(ctx, ask)
	if err != nil {
		return err
	}
	for _, c := range covered {
		b.cache.cover[uint64(c.Source)<<32|uint64(c.Asset)] = c
	}
	for _, i := range fresh {
		it := &items[i]
		c, ok := b.cache.cover[uint64(it.source)<<32|uint64(it.on.id)]
		if !ok || !dated(it) || c.At <= b.at(it) {
			continue
		}
		c.What.Class = it.class
		if c.What.Covers(it.class, ruleOf(it.weakness, it.tool, &it.place), &it.place.Location) {
			b.later = append(b.later, word{finding: ids[i], source: it.source, severity: it.severity, detection: it.detection, state: exposure.StateAbsent, seen: c.At})
		}
	}
	return nil
}

// ruleOf returns the tool's own rule id of a finding: what its weakness is
// known by, or what its place remembers.
func ruleOf(weakness, tool string, place *exposure.Place) string {
	if place.Rule != "" {
		return place.Rule
	}
	if len(weakness) > len(tool) && weakness[:len(tool)] == tool && weakness[len(tool)] == ':' {
		return weakness[len(tool)+1:]
	}
	return weakness
}

// causeOf is what a source's word means for the finding when no other source
// says otherwise.
func causeOf(s exposure.State) exposure.Cause {
	switch s {
	case exposure.StateNotAffected:
		return exposure.CauseNotAffected
	case exposure.StateSuppressed:
		return exposure.CauseSuppressed
	case exposure.StateFixed, exposure.StateAbsent:
		return exposure.CauseAbsent
	}
	return exposure.CauseReported
}
