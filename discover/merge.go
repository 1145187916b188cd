package discover

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/leeward-ctem/leeward/exposure"
)

// A record that carries names of two assets says that they are one. The younger
// becomes part of the older: its findings move over, and those that the older
// has too become one finding with the words of both. The older keeps answering
// to the younger's identity, so that fingerprints made under it stay valid.

// differ reports whether two sets of names cannot be of one thing: each kind
// below is given once, by whoever runs the thing.
func differ(a, b []exposure.Identifier) bool {
	for _, kind := range []exposure.IdentifierKind{exposure.IDCloud, exposure.IDAgent, exposure.IDImage, exposure.IDRepository, exposure.IDWorkload} {
		has, shared := [2]bool{}, false
		for _, i := range a {
			if i.Kind == kind {
				has[0] = true
				shared = shared || slices.Contains(b, i)
			}
		}
		for _, i := range b {
			has[1] = has[1] || i.Kind == kind
		}
		if has[0] && has[1] && !shared {
			return true
		}
	}
	return false
}

// merge makes asset younger part of asset older.
func (r *resolver) merge(ctx context.Context, older, younger *exposure.Asset) error {
	if err := r.begin(ctx); err != nil {
		return err
	}
	if err := r.flush(ctx); err != nil {
		return err
	}
	here, there, err := r.findingsOf(ctx, older.ID, younger.ID)
	if err != nil {
		return err
	}
	into, err := r.equal(ctx, here, there)
	if err != nil {
		return err
	}
	var moved []exposure.FindingID
	for id := range there {
		if _, folded := into[id]; !folded {
			moved = append(moved, id)
		}
	}
	slices.Sort(moved)
	if err := r.tx.MergeAsset(ctx, younger.ID, older.ID); err != nil {
		return err
	}
	if err := r.tx.MoveFindings(ctx, moved, older.ID); err != nil {
		return err
	}
	reason := fmt.Sprintf("%s and %s are one asset", older.Name, younger.Name)
	if err := r.fold(ctx, into, reason); err != nil {
		return err
	}
	events := []*exposure.Event{
		{Kind: exposure.EventAsset, First: uint32(older.ID), Last: uint32(older.ID)},
		{Kind: exposure.EventAsset, First: uint32(younger.ID), Last: uint32(younger.ID)},
	}
	if len(moved) > 0 {
		events = append(events, &exposure.Event{Kind: exposure.EventSource, IDs: numbers(moved), First: uint32(moved[0]), Last: uint32(moved[len(moved)-1])})
	}
	for _, e := range events {
		e.At, e.Scan, e.Actor, e.Reason = r.began.UnixMilli(), r.scan.ID, "import", reason
	}
	if err := r.tx.Append(ctx, events...); err != nil {
		return err
	}
	r.follow(older, younger)
	return nil
}

// follow makes what the session remembers of the younger asset mean the older.
func (r *resolver) follow(older, younger *exposure.Asset) {
	r.merged[older.ID] = append(append(r.merged[older.ID], younger.Key), r.merged[younger.ID]...)
	delete(r.merged, younger.ID)
	r.became[younger.ID] = older.ID
	r.generation++
	for key, k := range r.cache.assets {
		if k.id == younger.ID {
			r.cache.assets[key] = known{older.ID, older.Key}
		}
	}
	for i := range r.covered {
		if r.covered[i].asset == younger.ID {
			r.covered[i].asset = older.ID
		}
	}
	r.stocks.follow(younger.ID, older.ID)
	clear(r.cache.looked) // what was covered of the one was of the other
	clear(r.cache.cover)
	delete(r.assets, younger.ID)
	for _, i := range younger.Identifiers {
		if !slices.Contains(older.Identifiers, i) {
			older.Identifiers = append(older.Identifiers, i)
			r.holders[i.String()] = append(r.holders[i.String()], older.ID)
		}
	}
}

// findingsOf returns the findings of two assets, as the transaction sees them.
func (r *resolver) findingsOf(ctx context.Context, older, younger exposure.AssetID) (here, there map[exposure.FindingID]exposure.Finding, err error) {
	here, there = map[exposure.FindingID]exposure.Finding{}, map[exposure.FindingID]exposure.Finding{}
	var ids []exposure.FindingID
	collect := func(id exposure.FindingID, _ exposure.AssetID) { ids = append(ids, id) }
	// The index knows what was committed; what this transaction moved before is
	// on assets that it remembers.
	r.im.Index.OnAssets(func(a exposure.AssetID) bool { return r.now(a) == older || r.now(a) == younger }, collect)
	err = r.tx.FindingsByID(ctx, ids, func(f *exposure.Finding) error {
		switch f.Asset {
		case older:
			here[f.ID] = *f
		case younger:
			there[f.ID] = *f
		}
		return nil
	})
	return here, there, err
}

// now is the asset that another became part of in this transaction, or itself.
func (r *resolver) now(id exposure.AssetID) exposure.AssetID {
	for {
		to, ok := r.became[id]
		if !ok {
			return id
		}
		id = to
	}
}

// equal finds the findings that both assets have: the same weakness at the same
// place. Places in files are told apart by their code, which the place does not
// hold, so those meet only when they are reported again.
func (r *resolver) equal(ctx context.Context, here, there map[exposure.FindingID]exposure.Finding) (map[exposure.FindingID]exposure.FindingID, error) {
	type identity struct {
		advisory exposure.AdvisoryID
		location exposure.LocationID
	}
	known := map[identity]exposure.FindingID{}
	for id, f := range here {
		known[identity{f.Advisory, f.Location}] = id
	}
	into := map[exposure.FindingID]exposure.FindingID{}
	var places []exposure.LocationID
	for id, f := range there {
		if kept, ok := known[identity{f.Advisory, f.Location}]; ok {
			into[id] = kept
			places = append(places, f.Location)
		}
	}
	where, err := r.tx.PlacesByID(ctx, places)
	if err != nil {
		return nil, err
	}
	for id := range into {
		if where[there[id].Location].Location.File != "" {
			delete(into, id)
		}
	}
	return into, nil
}

// fold makes findings part of others, with the words of all their sources.
func (b *batch) fold(ctx context.Context, into map[exposure.FindingID]exposure.FindingID, reason string) error {
	if len(into) == 0 {
		return nil
	}
	if err := b.begin(ctx); err != nil {
		return err
	}
	ids := slices.Sorted(maps.Keys(into))
	all := slices.Concat(ids, slices.Collect(maps.Values(into)))
	slices.Sort(all)
	all = slices.Compact(all)
	findings := map[exposure.FindingID]*exposure.Finding{}
	err := b.tx.FindingsByID(ctx, all, func(f *exposure.Finding) error {
		copied := *f
		findings[f.ID] = &copied
		return nil
	})
	if err != nil {
		return err
	}
	states, err := b.tx.SourceStates(ctx, all)
	if err != nil {
		return err
	}
	words := map[exposure.FindingID][]exposure.SourceState{}
	for _, s := range states {
		words[s.Finding] = append(words[s.Finding], s)
	}
	var changed []exposure.Finding
	var said []exposure.SourceState
	for _, id := range ids {
		kept, old := findings[into[id]], findings[id]
		if kept == nil || old == nil {
			return fmt.Errorf("fold finding %d into %d: one of them is not there", id, into[id])
		}
		said = append(said, unite(kept, old, words)...)
		changed = append(changed, *kept)
	}
	if err := b.tx.FoldFindings(ctx, into); err != nil {
		return err
	}
	if err := b.tx.UpdateFindings(ctx, changed); err != nil {
		return err
	}
	if err := b.tx.PutSourceStates(ctx, said); err != nil {
		return err
	}
	for old, kept := range into {
		b.folded[old] = kept
		if b.stated.Contains(uint32(old)) {
			b.stated.Add(uint32(kept))
		}
		if b.seen.Contains(uint32(old)) {
			b.seen.Add(uint32(kept))
		}
	}
	var touched []exposure.FindingID
	for i := range changed {
		touched = append(touched, changed[i].ID)
	}
	slices.Sort(touched)
	touched = slices.Compact(touched)
	gone := exposure.Event{Kind: exposure.EventMerged, IDs: numbers(ids), First: uint32(ids[0]), Last: uint32(ids[len(ids)-1])}
	stay := exposure.Event{Kind: exposure.EventSource, IDs: numbers(touched), First: uint32(touched[0]), Last: uint32(touched[len(touched)-1])}
	for _, e := range []*exposure.Event{&gone, &stay} {
		e.At, e.Scan, e.Actor, e.Reason = b.began.UnixMilli(), b.scan.ID, "import", reason
	}
	return b.tx.Append(ctx, &gone, &stay)
}

// unite gives kept what old has: the earliest sighting, the worst severity, and
// the words of its sources. A decision of people on kept stays; but what a
// scanner's word closed there is open while old is.
func unite(kept, old *exposure.Finding, words map[exposure.FindingID][]exposure.SourceState) []exposure.SourceState {
	stories := map[exposure.SourceID]exposure.SourceState{}
	for _, f := range []*exposure.Finding{kept, old} {
		told := words[f.ID]
		if !slices.ContainsFunc(told, func(s exposure.SourceState) bool { return s.Source == f.Source }) {
			told = append(told, exposure.SourceState{Source: f.Source, Scan: f.Scan, At: f.FirstSeen})
		}
		for _, s := range told {
			s.Finding = kept.ID
			was, ok := stories[s.Source]
			if !ok || s.At > was.At || s.At == was.At && certainty(s.State) > certainty(was.State) {
				stories[s.Source] = s
			}
		}
	}
	kept.Severity, kept.Detection = max(kept.Severity, old.Severity), max(kept.Detection, old.Detection)
	if kept.Verdict == exposure.VerdictNone {
		kept.Verdict = old.Verdict
	}
	if !kept.Status.Open() && kept.Status != exposure.StatusExcepted && old.Status.Open() {
		kept.Status, kept.Since = old.Status, old.Since
	}
	if old.FirstSeen < kept.FirstSeen {
		if kept.Since == kept.FirstSeen {
			kept.Since = old.FirstSeen
		}
		kept.FirstSeen = old.FirstSeen
	}
	var all []exposure.SourceState
	for _, s := range stories {
		all = append(all, s)
	}
	slices.SortFunc(all, func(a, b exposure.SourceState) int { return int(a.Source) - int(b.Source) })
	words[kept.ID] = all // another finding may become part of it too
	if len(all) > 1 || kept.Shared || old.Shared {
		kept.Shared = true
		return all
	}
	return nil
}

func numbers(ids []exposure.FindingID) []uint32 {
	out := make([]uint32, len(ids))
	for i, id := range ids {
		out[i] = uint32(id)
	}
	return out
}

// known finds the findings that items speak of, under every identity of their
// asset and every name of their weakness. Two that turn out to be one become
// one: an asset was known as two, or a weakness by two names until a feed told
// that they are the same.
func (b *batch) known(ctx context.Context, items []item, fps []exposure.Fingerprint, ids []exposure.FindingID) error {
	b.im.Index.Known(fps, ids)
	for i := range ids {
		ids[i] = b.current(ids[i])
	}
	var also []exposure.Fingerprint
	var of []int
	for i := range items {
		it := &items[i]
		asset := it.on
		if len(it.also) == 0 && (len(b.merged) == 0 || b.merged[asset.id] == nil) {
			continue // almost all
		}
		for _, key := range append([]string{asset.key}, b.merged[asset.id]...) {
			for _, name := range append([]string{it.weakness}, it.also...) {
				if key != asset.key || name != it.weakness {
					also, of = append(also, exposure.NewFingerprint(key, name, it.location)), append(of, i)
				}
			}
		}
	}
	if len(also) == 0 {
		return nil
	}
	others := make([]exposure.FindingID, len(also))
	b.im.Index.Known(also, others)
	into := map[exposure.FindingID]exposure.FindingID{}
	root := func(id exposure.FindingID) exposure.FindingID {
		for into[id] != 0 {
			id = into[id]
		}
		return id
	}
	for n, other := range others {
		id := &ids[of[n]]
		if other = root(b.current(other)); other == 0 {
			continue
		}
		if *id = root(*id); *id == 0 {
			*id = other
		} else if other != *id {
			into[other] = *id
		}
	}
	for old := range into {
		into[old] = root(old)
	}
	if err := b.fold(ctx, into, "one weakness, known under two names"); err != nil {
		return err
	}
	for i := range ids {
		ids[i] = b.current(ids[i])
	}
	return nil
}

// current is the number that a finding has now, after what this import folded.
func (s *session) current(id exposure.FindingID) exposure.FindingID {
	for {
		kept, ok := s.folded[id]
		if !ok {
			return id
		}
		id = kept
	}
}
