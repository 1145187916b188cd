package index

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/leeward-ctem/leeward/exposure"
)

// CatchUp applies the events after the view's own, reading what changed from
// src. With src a write transaction the index is exact until its commit.
func (ix *Index) CatchUp(ctx context.Context, src Source) error {
	ix.mu.Lock()
	defer ix.mu.Unlock()
	return ix.catchUp(ctx, src)
}

func (ix *Index) catchUp(ctx context.Context, src Source) error {
	old := ix.view.Load()
	ch := changes{findings: map[exposure.FindingID]struct{}{}}
	if err := src.Events(ctx, old.seq, ch.note); err != nil {
		return fmt.Errorf("follow the event feed: %w", err)
	}
	if ch.seq == 0 {
		return nil
	}
	v := old.next()
	v.seq = ch.seq
	if err := ix.apply(ctx, src, v, &ch); err != nil {
		ix.remember(old) // forget what the failed attempt added
		return err
	}
	return nil
}

// remember makes the writer's own maps agree with a view.
func (ix *Index) remember(v *View) {
	ix.ctxIDs, ix.owners = map[string]uint32{}, map[string]uint32{}
	for i := range v.contexts[1:] {
		ix.ctxIDs[contextKey(v.contexts[i+1])] = uint32(i + 1)
	}
	for i, o := range v.owners {
		ix.owners[o] = uint32(i)
	}
}

func contextKey(c *exposure.Context) string { return string(appendContextKey(nil, c)) }

// next returns a copy of the view to change; what it shares with the old one
// is copied before it is written.
func (v *View) next() *View {
	n := &View{
		seq: v.seq, n: v.n, chunks: slices.Clone(v.chunks),
		assets: v.assets, assetContexts: v.assetContexts, advisories: v.advisories, advisoryTexts: v.advisoryTexts, advFactors: v.advFactors, places: v.places,
		contexts: v.contexts, ctxFactors: v.ctxFactors, owners: v.owners, sources: v.sources, scorer: v.scorer,
	}
	n.ranks.Store(v.ranks.Load())
	return n
}

// changes is what a run of events touched.
type changes struct {
	seq      int64
	last     exposure.FindingID              // of the new ones
	findings map[exposure.FindingID]struct{} // to read again
	removed  []exposure.FindingID
	assets   []assetRange // to read again
	contexts bool         // every context
	threats  bool         // every advisory
}

type assetRange struct{ first, last exposure.AssetID }

// assetGap is up to how many assets between two that changed are read with
// them: a question to the database costs more than a few rows.
const assetGap = 64

// asset notes that assets changed.
func (ch *changes) asset(first, last exposure.AssetID) {
	if n := len(ch.assets); n > 0 && first >= ch.assets[n-1].first && first <= ch.assets[n-1].last+assetGap {
		ch.assets[n-1].last = max(ch.assets[n-1].last, last)
		return
	}
	ch.assets = append(ch.assets, assetRange{first, last})
}

// assetRanges are the assets to read again below end, each once.
func (ch *changes) assetRanges(end exposure.AssetID) []assetRange {
	slices.SortFunc(ch.assets, func(a, b assetRange) int { return cmp.Compare(a.first, b.first) })
	joined := changes{}
	for _, r := range ch.assets {
		if r.first < end {
			joined.asset(r.first, min(r.last, end-1))
		}
	}
	return joined.assets
}

func (ch *changes) note(e *exposure.Event) error {
	ch.seq = e.Seq
	switch e.Kind {
	case exposure.EventOpened:
		ch.last = max(ch.last, exposure.FindingID(e.Last))
	case exposure.EventMoved, exposure.EventSource, exposure.EventVerdict:
		if e.IDs == nil {
			for id := e.First; id <= e.Last; id++ {
				ch.findings[exposure.FindingID(id)] = struct{}{}
			}
		}
		for _, id := range e.IDs {
			ch.findings[exposure.FindingID(id)] = struct{}{}
		}
	case exposure.EventAsset:
		ch.asset(exposure.AssetID(e.First), exposure.AssetID(e.Last))
	case exposure.EventAssigned:
		for _, id := range e.IDs {
			ch.asset(exposure.AssetID(id), exposure.AssetID(id))
		}
	case exposure.EventContext:
		ch.contexts = true
	case exposure.EventThreat:
		ch.threats = true
	case exposure.EventRemoved, exposure.EventMerged:
		for _, id := range e.IDs {
			ch.removed = append(ch.removed, exposure.FindingID(id))
		}
	}
	return nil
}

// apply brings v up to the changes and publishes it.
func (ix *Index) apply(ctx context.Context, src Source, v *View, ch *changes) error {
	rescore := false
	if again := ch.assetRanges(exposure.AssetID(len(v.assets))); len(again) > 0 {
		changed, err := ix.reloadAssets(ctx, src, v, again)
		if err != nil {
			return err
		}
		rescore = changed
	}
	if err := ix.loadDictionaries(ctx, src, v); err != nil {
		return err
	}
	if ch.contexts {
		ix.recontext(v)
		rescore = true
	}
	if ch.threats {
		if err := ix.reloadAdvisories(ctx, src, v); err != nil {
			return err
		}
		rescore = true
	}
	if err := ix.appendFindings(ctx, src, v, ch.last); err != nil {
		return err
	}
	if err := ix.updateFindings(ctx, src, v, ch); err != nil {
		return err
	}
	if rescore {
		v.rescore()
	}
	ix.view.Store(v)
	return nil
}

// loadDictionaries reads the rows added since the view was made.
func (ix *Index) loadDictionaries(ctx context.Context, src Source, v *View) error {
	err := src.Assets(ctx, exposure.AssetID(len(v.assets)), math.MaxUint32, func(a *exposure.Asset) error {
		for int(a.ID) > len(v.assets) {
			v.assets, v.assetContexts = append(v.assets, asset{}), append(v.assetContexts, 0) // merged into another: a gap
		}
		copied := *a
		known := ix.contextualise(v, &copied)
		v.assets, v.assetContexts = append(v.assets, known), append(v.assetContexts, known.context)
		v.ranks.Store(nil)
		return nil
	})
	if err != nil {
		return err
	}
	err = src.Advisories(ctx, exposure.AdvisoryID(len(v.advisories)), math.MaxUint32, func(a *exposure.Advisory) error {
		for int(a.ID) > len(v.advisories) {
			v.advisories, v.advFactors = append(v.advisories, &exposure.Advisory{}), append(v.advFactors, exposure.AdvisoryFactor{})
			v.advisoryTexts = append(v.advisoryTexts, "")
		}
		v.advisoryTexts = append(v.advisoryTexts, advisoryText(a))
		copied := *a
		v.advisories, v.advFactors = append(v.advisories, &copied), append(v.advFactors, v.scorer.model.Advisory(&copied))
		return nil
	})
	if err != nil {
		return err
	}
	err = src.Places(ctx, exposure.LocationID(len(v.places)), math.MaxUint32, func(p *exposure.Place) error {
		for int(p.ID) > len(v.places) {
			v.places = append(v.places, place{})
		}
		v.places = append(v.places, place{componentText(&p.Component), uint16(p.Location.Port)})
		return nil
	})
	if err != nil {
		return err
	}
	known, err := src.Sources(ctx)
	if err != nil || len(known)+1 == len(v.sources) {
		return err
	}
	v.sources = append([]exposure.Source{{}}, known...)
	return nil
}

// componentText is what a filter on the component matches.
func componentText(p *exposure.Component) string {
	if p.Purl != "" {
		return strings.ToLower(p.Purl)
	}
	if p.Version == "" {
		return strings.ToLower(p.Name)
	}
	return strings.ToLower(p.Name + "@" + p.Version)
}

func (ix *Index) contextualise(v *View, a *exposure.Asset) asset {
	said := ix.contexts.Context(a)
	key := contextKey(&said)
	id, ok := ix.ctxIDs[key]
	if !ok {
		id = uint32(len(v.contexts))
		ix.ctxIDs[key] = id
		v.contexts = append(v.contexts, &said)
		v.ctxFactors = append(v.ctxFactors, v.scorer.model.Context(&said))
	}
	a.Context = v.contexts[id]
	owner, ok := ix.owners[a.Context.Owner]
	if !ok {
		owner = uint32(len(v.owners))
		ix.owners[a.Context.Owner] = owner
		v.owners = append(v.owners, a.Context.Owner)
	}
	return asset{a, id, owner, packTexts(a)}
}

// packTexts returns what a search looks at of an asset, in lower case: its name
// and its identifiers, a line each. The texts of the asset become parts of one
// string where they can: most assets have a name that says it all.
func packTexts(a *exposure.Asset) string {
	var b strings.Builder
	start := len(a.Key) - len(a.Name)
	if start < 0 || a.Key[start:] != a.Name {
		start = len(a.Key)
		b.WriteString(a.Key + a.Name)
	} else {
		b.WriteString(a.Key)
	}
	for _, id := range a.Identifiers {
		if id.Value != a.Name {
			b.WriteByte('\n')
			b.WriteString(id.Value)
		}
	}
	all := b.String()
	share := func(s *string) {
		if i := strings.Index(all, *s); i >= 0 {
			*s = all[i : i+len(*s)]
		}
	}
	share(&a.Key)
	share(&a.Name)
	a.Identifiers = slices.Clone(a.Identifiers) // no more than it needs
	for i := range a.Identifiers {
		share((*string)(&a.Identifiers[i].Kind))
		share(&a.Identifiers[i].Value)
	}
	return strings.ToLower(all[start:])
}

func advisoryText(a *exposure.Advisory) string {
	lines := append([]string{a.Title, a.Key}, a.CVEs...)
	if len(a.CVEs) == 1 && a.CVEs[0] == a.Key {
		lines = lines[:2]
	}
	return strings.ToLower(strings.Join(append(lines, a.Aliases...), "\n"))
}

// reloadAssets reads known assets again. changed reports whether any means
// something else now.
func (ix *Index) reloadAssets(ctx context.Context, src Source, v *View, again []assetRange) (changed bool, err error) {
	old := v.assets
	v.assets, v.assetContexts = slices.Clone(old), slices.Clone(v.assetContexts)
	v.ranks.Store(nil)
	for _, r := range again {
		for id := r.first; id <= r.last; id++ {
			v.assets[id], v.assetContexts[id] = asset{}, 0 // removed, unless it is read
		}
		err = src.Assets(ctx, r.first, r.last, func(a *exposure.Asset) error {
			copied := *a
			v.assets[a.ID] = ix.contextualise(v, &copied)
			v.assetContexts[a.ID] = v.assets[a.ID].context
			return nil
		})
		if err != nil {
			return changed, err
		}
		for id := r.first; id <= r.last; id++ {
			changed = changed || v.assets[id].context != old[id].context
		}
	}
	return changed, nil
}

// recontext asks the programme again about every asset.
func (ix *Index) recontext(v *View) {
	ix.ctxIDs, ix.owners = map[string]uint32{}, map[string]uint32{"": 0}
	v.contexts, v.owners = []*exposure.Context{{}}, []string{""}
	v.ctxFactors = []exposure.ContextFactor{v.scorer.model.Context(&exposure.Context{})}
	v.assets, v.assetContexts = slices.Clone(v.assets), slices.Clone(v.assetContexts)
	v.ranks.Store(nil)
	for i := range v.assets {
		v.assetContexts[i] = 0
		if a := v.assets[i].Asset; a != nil {
			copied := *a
			v.assets[i] = ix.contextualise(v, &copied)
			v.assetContexts[i] = v.assets[i].context
		}
	}
}

func (ix *Index) reloadAdvisories(ctx context.Context, src Source, v *View) error {
	v.advisories, v.advFactors = slices.Clone(v.advisories), make([]exposure.AdvisoryFactor, len(v.advFactors))
	err := src.Advisories(ctx, 1, math.MaxUint32, func(a *exposure.Advisory) error {
		if int(a.ID) < len(v.advisories) {
			copied := *a
			v.advisories[a.ID] = &copied
		}
		return nil
	})
	v.refactor()
	return err
}

// refactor asks the model about every advisory again, on all cores.
func (v *View) refactor() {
	const block = 1024
	parallel((len(v.advisories)+block-1)/block, func(k int) {
		for i := k * block; i < min(len(v.advisories), (k+1)*block); i++ {
			v.advFactors[i] = v.scorer.model.Advisory(v.advisories[i])
		}
	})
}

// appendFindings reads the findings that are numbered after the view's last, up
// to the last that the events tell of. Those of a transaction that ended since
// come with its events: what they refer to may not have been read.
func (ix *Index) appendFindings(ctx context.Context, src Source, v *View, last exposure.FindingID) error {
	if int(last) <= v.n {
		return nil
	}
	return src.Findings(ctx, exposure.FindingID(v.n+1), last, func(f *exposure.Finding) error {
		for int(f.ID) > v.n+1 {
			ix.appendRow(v, &exposure.Finding{Status: removed}) // a number that was removed
		}
		ix.appendRow(v, f)
		return nil
	})
}

func (ix *Index) appendRow(v *View, f *exposure.Finding) {
	k, j := v.n/chunkRows, v.n%chunkRows
	if k == len(v.chunks) {
		v.chunks = append(v.chunks, newChunk())
	}
	c := v.chunks[k]
	asset, advisory, location := uint32(f.Asset), uint32(f.Advisory), uint32(f.Location)
	if !c.asset.fits(asset) || !c.advisory.fits(advisory) || !c.location.fits(location) {
		wider := *c
		wider.asset.fit(asset)
		wider.advisory.fit(advisory)
		wider.location.fit(location)
		c = &wider
		v.chunks[k] = c
	}
	c.asset.set(j, asset)
	c.advisory.set(j, advisory)
	c.location.set(j, location)
	c.day[j], c.source[j] = DayOf(f.FirstSeen), uint16(f.Source)
	c.state[j] = pack(f)
	v.score(c, j, j+1)
	v.n++
	switch {
	case ix.prints.n >= v.n: // added by an attempt that failed later
	case f.Status == removed:
		ix.prints.skip()
	default:
		ix.prints.add(&f.Fingerprint)
	}
}

// updateFindings reads changed findings again and copies their chunks.
func (ix *Index) updateFindings(ctx context.Context, src Source, v *View, ch *changes) error {
	copied := map[int]bool{}
	own := func(k int) *chunk {
		if !copied[k] {
			c := *v.chunks[k]
			c.asset, c.risk, c.due, c.state, c.day = c.asset.clone(), slices.Clone(c.risk), slices.Clone(c.due), slices.Clone(c.state), slices.Clone(c.day)
			v.chunks[k], copied[k] = &c, true
		}
		return v.chunks[k]
	}
	ids := make([]exposure.FindingID, 0, len(ch.findings))
	for id := range ch.findings {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	var late []exposure.Finding // on assets that came after those that were read
	update := func(f *exposure.Finding) {
		i := int(f.ID) - 1
		c, j := own(i/chunkRows), i%chunkRows
		c.asset.fit(uint32(f.Asset))
		c.asset.set(j, uint32(f.Asset)) // an asset may become part of another
		c.state[j], c.day[j] = pack(f), DayOf(f.FirstSeen)
		v.score(c, j, j+1)
	}
	err := src.FindingsByID(ctx, ids, func(f *exposure.Finding) error {
		switch {
		case int(f.ID) > v.n:
		case int(f.Asset) >= len(v.assets):
			late = append(late, *f)
		default:
			update(f)
		}
		return nil
	})
	if err != nil {
		return err
	}
	if len(late) > 0 {
		if err := ix.loadDictionaries(ctx, src, v); err != nil {
			return err
		}
		for i := range late {
			update(&late[i])
		}
	}
	gone := map[uint32]bool{}
	for _, id := range ch.removed {
		if i := int(id) - 1; i < v.n {
			c, j := own(i/chunkRows), i%chunkRows
			c.state[j], c.risk[j], c.due[j] = removed, 0, exposure.NoDue
			gone[uint32(id)] = true
		}
	}
	if len(gone) > 0 {
		ix.prints.forget(gone)
	}
	return nil
}

// Known returns the finding with the fingerprint, 0 when there is none. It is
// exact only right after CatchUp within a write transaction.
func (ix *Index) Known(fps []exposure.Fingerprint, ids []exposure.FindingID) {
	ix.mu.Lock()
	defer ix.mu.Unlock()
	for i := range fps {
		ids[i] = ix.prints.get(&fps[i])
	}
}

// SetModel scores everything by another model or policy.
func (ix *Index) SetModel(m exposure.Model) {
	ix.mu.Lock()
	defer ix.mu.Unlock()
	v := ix.view.Load().next()
	v.scorer = newScorer(m)
	v.advFactors = make([]exposure.AdvisoryFactor, len(v.advisories))
	v.refactor()
	v.ctxFactors = make([]exposure.ContextFactor, len(v.contexts))
	for i := range v.contexts {
		v.ctxFactors[i] = m.Context(v.contexts[i])
	}
	v.rescore()
	ix.view.Store(v)
}

// SetContexts takes another programme and scores everything by it.
func (ix *Index) SetContexts(c Contexts) {
	ix.mu.Lock()
	defer ix.mu.Unlock()
	ix.contexts = c
	v := ix.view.Load().next()
	ix.recontext(v)
	v.rescore()
	ix.view.Store(v)
}
