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
	if err := r.load(ctx); err != nil {
		return err
	}
	for i, ref := range order {
		a, err := r.resolve(ctx, ref)
		if err != nil {
			return err
		}
		b.cache.assets[keys[i]] = known{a.ID, a.Key}
	}
	if r.first == 0 {
		return nil
	}
	return b.tx.Append(ctx, &exposure.Event{At: b.began.UnixMilli(), Kind: exposure.EventAsset, First: uint32(r.first), Last: uint32(r.last), Scan: b.scan.ID, Actor: "import"})
}

// resolver answers which asset a record is about.
type resolver struct {
	*batch
	holders map[string][]exposure.AssetID // identifier → assets that carry it
	assets  map[exposure.AssetID]*exposure.Asset

	first, last exposure.AssetID                      // made
	became      map[exposure.AssetID]exposure.AssetID // merged in this batch
}

// load reads the assets that carry any of the identifiers.
func (r *resolver) load(ctx context.Context) error {
	for _, ids := range r.holders {
		for _, id := range ids {
			if err := r.fetch(ctx, id); err != nil {
				return err
			}
		}
	}
	return nil
}

func (r *resolver) fetch(ctx context.Context, id exposure.AssetID) error {
	if r.assets[id] != nil {
		return nil
	}
	return r.tx.Assets(ctx, id, id, func(a *exposure.Asset) error {
		copied := *a
		r.assets[id] = &copied
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
	key := ref.Key()
	byKey, err := r.tx.AssetsByKey(ctx, []string{key})
	if err != nil {
		return nil, err
	}
	if id, ok := byKey[key]; ok {
		if err := r.fetch(ctx, id); err != nil {
			return nil, err
		}
		return r.assets[id], r.learn(ctx, r.assets[id], ref)
	}
	return r.make(ctx, ref, key)
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

// learn records what a record adds to an asset.
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
	if err := r.tx.AddIdentifiers(ctx, a.ID, more); err != nil {
		return err
	}
	for _, i := range more {
		a.Identifiers = append(a.Identifiers, i)
		r.holders[i.String()] = append(r.holders[i.String()], a.ID)
	}
	return r.tx.Append(ctx, &exposure.Event{At: r.began.UnixMilli(), Kind: exposure.EventAsset, First: uint32(a.ID), Last: uint32(a.ID), Scan: r.scan.ID, Actor: "import"})
}

func (r *resolver) make(ctx context.Context, ref *exposure.AssetRef, key string) (*exposure.Asset, error) {
	if err := r.begin(ctx); err != nil {
		return nil, err
	}
	made := []exposure.Asset{{
		Key: key, Kind: ref.Kind, Name: r.im.Redact(ref.Display()), OS: r.im.Redact(ref.OS),
		Identifiers: slices.Clone(ref.Identifiers), FirstSeen: r.began.UnixMilli(), Demo: r.req.Demo,
	}}
	if r.scan.At != 0 {
		made[0].FirstSeen = r.scan.At
	}
	if err := r.tx.InsertAssets(ctx, made); err != nil {
		return nil, err
	}
	a := &made[0]
	r.assets[a.ID] = a
	if r.first == 0 {
		r.first = a.ID
	}
	r.last = a.ID
	for _, i := range a.Identifiers {
		r.holders[i.String()] = append(r.holders[i.String()], a.ID)
	}
	return a, nil
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
