package discover

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"github.com/leeward-ctem/leeward/exposure"
)

// resolveAssets finds or makes the asset of every item, and remembers it in
// the session's cache.
//
// Names prove identity: records that share one are about one asset. Addresses
// (IP, image digest) are shared and reused, so they decide only for records
// that have no name, or for assets that have none yet; two records with
// different names never meet over an address. See docs/decisions/0002.
func (b *batch) resolveAssets(ctx context.Context, items []item) error {
	var order []*exposure.AssetRef
	var keys []string
	asked := map[string]bool{}
	var identifiers []string
	for i := range items {
		it := &items[i]
		if _, ok := b.cache.assets[it.assetKey]; ok || asked[it.assetKey] {
			continue
		}
		asked[it.assetKey] = true
		if len(it.asset.Identifiers) == 0 {
			it.asset.Identifiers = []exposure.Identifier{{Kind: exposure.IDName, Value: it.asset.Name}}
		}
		order, keys = append(order, &it.asset), append(keys, it.assetKey)
		for _, id := range it.asset.Identifiers {
			identifiers = append(identifiers, id.String())
		}
	}
	if len(order) == 0 {
		return nil
	}
	slices.Sort(identifiers)
	holders, err := b.tx.AssetsByIdentifier(ctx, slices.Compact(identifiers))
	if err != nil {
		return err
	}
	r := resolver{batch: b, holders: holders, assets: map[exposure.AssetID]*exposure.Asset{}, became: map[exposure.AssetID]exposure.AssetID{}}
	if err := r.load(ctx, order); err != nil {
		return err
	}
	for i, ref := range order {
		a, err := r.resolve(ctx, ref)
		if err != nil {
			return err
		}
		b.cache.assets[keys[i]] = known{a.ID, a.Key}
	}
	return r.flush(ctx)
}

// resolver answers which asset a record is about. What it makes and learns is
// written together at the end, or before a merge.
type resolver struct {
	*batch
	holders map[string][]exposure.AssetID // identifier → assets that carry it
	keys    map[string]exposure.AssetID   // key → the asset that has it
	assets  map[exposure.AssetID]*exposure.Asset
	became  map[exposure.AssetID]exposure.AssetID // merged in this batch

	next   exposure.AssetID // number of the next new asset, 0: not asked yet
	made   []*exposure.Asset
	learnt []lesson
}

// lesson is what a record added to an asset that was there.
type lesson struct {
	asset exposure.AssetID
	names []exposure.Identifier
}

// load reads the assets that carry any of the identifiers or keys.
func (r *resolver) load(ctx context.Context, refs []*exposure.AssetRef) error {
	keys := make([]string, 0, len(refs))
	for _, ref := range refs {
		keys = append(keys, ref.Key())
	}
	slices.Sort(keys)
	var err error
	if r.keys, err = r.tx.AssetsByKey(ctx, slices.Compact(keys)); err != nil {
		return err
	}
	var ids []exposure.AssetID
	for _, held := range r.holders {
		ids = append(ids, held...)
	}
	for _, id := range r.keys {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	return r.tx.AssetsByID(ctx, slices.Compact(ids), func(a *exposure.Asset) error {
		copied := *a
		r.assets[a.ID] = &copied
		return nil
	})
}

func (r *resolver) resolve(ctx context.Context, ref *exposure.AssetRef) (*exposure.Asset, error) {
	if same := r.byName(ref); len(same) > 0 {
		for _, other := range same[1:] {
			if differ(same[0].Identifiers, other.Identifiers) {
				continue
			}
			if err := r.merge(ctx, same[0], other); err != nil {
				return nil, err
			}
		}
		return same[0], r.learn(ctx, same[0], ref)
	}
	if a := r.byAddress(ref); a != nil {
		return a, r.learn(ctx, a, ref)
	}
	if a := r.assets[r.now(r.keys[ref.Key()])]; a != nil {
		return a, r.learn(ctx, a, ref)
	}
	return r.make(ctx, ref)
}

// byName returns the assets that carry one of the record's names, the oldest
// first. One that has another name of a kind that is given only once is
// something else, whatever they share.
func (r *resolver) byName(ref *exposure.AssetRef) []*exposure.Asset {
	var same []*exposure.Asset
	for _, i := range ref.Identifiers {
		if i.Address() {
			continue
		}
		for _, id := range r.holders[i.String()] {
			if a := r.assets[id]; a != nil && !slices.Contains(same, a) && !differ(a.Identifiers, ref.Identifiers) {
				same = append(same, a)
			}
		}
	}
	slices.SortFunc(same, func(x, y *exposure.Asset) int { return cmp.Compare(x.ID, y.ID) })
	return same
}

// byAddress returns the asset that a record can be attached to by an address:
// for a record without a name the only asset there, for one with a name only
// an asset that has none.
func (r *resolver) byAddress(ref *exposure.AssetRef) *exposure.Asset {
	named := slices.ContainsFunc(ref.Identifiers, func(i exposure.Identifier) bool { return !i.Address() })
	var candidates []*exposure.Asset
	for _, i := range ref.Identifiers {
		if !i.Address() {
			continue
		}
		for _, id := range r.holders[i.String()] {
			a := r.assets[id]
			if a == nil || slices.Contains(candidates, a) {
				continue
			}
			if !named || !slices.ContainsFunc(a.Identifiers, func(i exposure.Identifier) bool { return !i.Address() }) {
				candidates = append(candidates, a)
			}
		}
	}
	if len(candidates) == 1 {
		return candidates[0]
	}
	for _, a := range candidates {
		if a.Key == ref.Key() {
			return a // several claim the address: its own asset has it
		}
	}
	return nil
}

// learn takes up what a record adds to an asset.
func (r *resolver) learn(ctx context.Context, a *exposure.Asset, ref *exposure.AssetRef) error {
	var more []exposure.Identifier
	for _, i := range ref.Identifiers {
		if !slices.Contains(a.Identifiers, i) {
			more = append(more, i)
		}
	}
	if len(more) == 0 {
		return nil
	}
	if err := r.begin(ctx); err != nil {
		return err
	}
	for _, i := range more {
		a.Identifiers = append(a.Identifiers, i)
		r.holders[i.String()] = append(r.holders[i.String()], a.ID)
	}
	if len(r.made) == 0 || a.ID < r.made[0].ID { // what is new is written whole
		r.learnt = append(r.learnt, lesson{a.ID, more})
	}
	return nil
}

func (r *resolver) make(ctx context.Context, ref *exposure.AssetRef) (*exposure.Asset, error) {
	if err := r.begin(ctx); err != nil {
		return nil, err
	}
	if r.next == 0 {
		next, err := r.tx.NextAsset(ctx)
		if err != nil {
			return nil, err
		}
		r.next = next
	}
	a := &exposure.Asset{
		ID: r.next, Key: ref.Key(), Kind: ref.Kind, Name: r.im.Redact(ref.Display()), OS: r.im.Redact(ref.OS),
		Identifiers: slices.Clone(ref.Identifiers), FirstSeen: r.began.UnixMilli(), Demo: r.req.Demo,
	}
	if r.scan.At != 0 {
		a.FirstSeen = r.scan.At
	}
	r.next++
	r.made = append(r.made, a)
	r.assets[a.ID], r.keys[a.Key] = a, a.ID
	r.cache.looked[a.ID] = struct{}{} // nobody looked at it before
	for _, i := range a.Identifiers {
		r.holders[i.String()] = append(r.holders[i.String()], a.ID)
	}
	return a, nil
}

// flush writes what was made and learnt.
func (r *resolver) flush(ctx context.Context) error {
	if len(r.made) > 0 {
		rows := make([]exposure.Asset, len(r.made))
		for i, a := range r.made {
			rows[i] = *a
		}
		if err := r.tx.InsertAssets(ctx, rows); err != nil {
			return err
		}
		if err := r.changed(ctx, rows[0].ID, rows[len(rows)-1].ID); err != nil {
			return err
		}
	}
	slices.SortStableFunc(r.learnt, func(x, y lesson) int { return cmp.Compare(x.asset, y.asset) })
	for i, l := range r.learnt {
		if err := r.tx.AddIdentifiers(ctx, l.asset, l.names); err != nil {
			return err
		}
		// Neighbours change together.
		if i+1 == len(r.learnt) || r.learnt[i+1].asset > l.asset+1 {
			first := i
			for first > 0 && r.learnt[first-1].asset+1 >= r.learnt[first].asset {
				first--
			}
			if err := r.changed(ctx, r.learnt[first].asset, l.asset); err != nil {
				return err
			}
		}
	}
	r.made, r.learnt, r.next = nil, nil, 0
	return nil
}

func (r *resolver) changed(ctx context.Context, first, last exposure.AssetID) error {
	return r.tx.Append(ctx, &exposure.Event{At: r.began.UnixMilli(), Kind: exposure.EventAsset, First: uint32(first), Last: uint32(last), Scan: r.scan.ID, Actor: "import"})
}

// ParseAsset reads what a user names an asset by: "kind:value", as in
// repository:github.com/acme/shop, image:acme/shop:1.2, hostname:web-1, or
// a plain name.
func ParseAsset(s string) (exposure.AssetRef, error) {
	kinds := map[exposure.IdentifierKind]exposure.AssetKind{
		exposure.IDHostname: exposure.AssetHost, exposure.IDIP: exposure.AssetAddress, exposure.IDImage: exposure.AssetImage,
		exposure.IDRepository: exposure.AssetRepository, exposure.IDURL: exposure.AssetWebApp, exposure.IDPath: exposure.AssetRepository,
		exposure.IDCloud: exposure.AssetCloudResource, exposure.IDWorkload: exposure.AssetWorkload, exposure.IDPurl: exposure.AssetPackage, exposure.IDName: exposure.AssetUnknown,
	}
	kind, value, found := strings.Cut(s, ":")
	k, known := kinds[exposure.IdentifierKind(kind)]
	if !found || !known {
		kind, value, k = string(exposure.IDName), s, exposure.AssetUnknown
	}
	ref := exposure.AssetRef{Kind: k}
	ref.Add(exposure.IdentifierKind(kind), value)
	if len(ref.Identifiers) == 0 {
		return ref, exposure.Errorf(exposure.Invalid, "%q names no asset: use kind:value, as in repository:github.com/acme/shop", s)
	}
	ref.Name = ref.Identifiers[0].Value
	return ref, nil
}
