package discover

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/RoaringBitmap/roaring/v2"

	"github.com/leeward-ctem/leeward/exposure"
)

// Bounds on the inventory of one document. One that holds more is kept as far
// as they go, and removes nothing.
const (
	maxStockPackages = 1_000_000 // different ones
	maxStockServices = 1_000_000
	maxService       = 200 // bytes of a name, product or version
)

// holding is what an inventory record states: a package, a service, or both.
type holding struct {
	purl    string
	service exposure.Service // Port 0: none
}

// held is what an inventory record says is there, nil for nothing that is kept.
func (n *normaliser) held(o *exposure.Observation) *holding {
	var h holding
	if p := o.Component.Purl; strings.HasPrefix(p, "pkg:") && len(p) <= maxPlace {
		h.purl = p
	}
	if at := &o.Location; at.Port > 0 && at.Port <= 65535 {
		word := func(s string) string { return n.im.Redact(n.cap(strings.TrimSpace(s), maxService)) }
		h.service = exposure.Service{
			Protocol: orElse(n.cap(strings.ToLower(at.Protocol), 8), "tcp"), Port: at.Port,
			Name: word(at.Service), Product: word(o.Component.Name), Version: word(o.Component.Version),
		}
	}
	if h == (holding{}) {
		return nil
	}
	return &h
}

// stockKey is a source and an asset.
type stockKey struct {
	asset  exposure.AssetID
	source exposure.SourceID
}

// servicePlace is where a service answers.
type servicePlace struct {
	protocol string
	port     int
}

// stock is what a document says is on one asset, by one source.
type stock struct {
	class    string
	packages *roaring.Bitmap // numbers of the document's own
	services map[servicePlace]exposure.Service
}

// inventory gathers what a document says is there.
type inventory struct {
	stocks   map[stockKey]*stock
	purls    []string // by their numbers
	numbers  map[string]uint32
	services int
	full     bool
}

func (v *inventory) stock(key stockKey, class string) *stock {
	s := v.stocks[key]
	if s == nil {
		if v.stocks == nil {
			v.stocks = map[stockKey]*stock{}
		}
		s = &stock{class: class, packages: roaring.New(), services: map[servicePlace]exposure.Service{}}
		v.stocks[key] = s
	}
	return s
}

// add takes in what a record states.
func (v *inventory) add(it *item) {
	s := v.stock(stockKey{it.on.id, it.source}, it.class)
	if h := it.holds; h.purl != "" {
		n, known := v.numbers[h.purl]
		switch {
		case known:
			s.packages.Add(n)
		case len(v.purls) == maxStockPackages:
			v.full = true
		default:
			if v.numbers == nil {
				v.numbers = map[string]uint32{}
			}
			n = uint32(len(v.purls))
			v.numbers[h.purl], v.purls = n, append(v.purls, h.purl)
			s.packages.Add(n)
		}
	}
	if h := it.holds; h.service.Port != 0 {
		at := servicePlace{h.service.Protocol, h.service.Port}
		old, known := s.services[at]
		switch {
		case known:
			s.services[at] = richer(old, h.service)
		case v.services == maxStockServices:
			v.full = true
		default:
			v.services++
			s.services[at] = h.service
		}
	}
}

// richer joins two statements about one port: the later one, and what only the
// earlier one tells.
func richer(old, now exposure.Service) exposure.Service {
	now.Name = orElse(now.Name, old.Name)
	if now.Product == "" {
		now.Product, now.Version = old.Product, old.Version
	}
	return now
}

// follow makes what was gathered of one asset mean another.
func (v *inventory) follow(from, to exposure.AssetID) {
	for key, s := range v.stocks {
		if key.asset != from {
			continue
		}
		delete(v.stocks, key)
		other := v.stock(stockKey{to, key.source}, s.class)
		other.packages.Or(s.packages)
		for at, service := range s.services {
			other.services[at] = richer(other.services[at], service)
		}
	}
}

// The inventories that share a transaction.
const stockBatch = 500

// keep writes what the document says is on the assets.
func (s *session) keep(ctx context.Context) error {
	v := &s.stocks
	complete := s.scan.Complete && s.res.Errors == 0 && !v.full
	covered := map[stockKey][]*exposure.Coverage{}
	for _, c := range s.covered {
		key := stockKey{c.asset, c.source}
		if !complete || len(c.what.Rules) > 0 {
			continue
		}
		covered[key] = append(covered[key], c.what)
		if c.what.Class == "ports" {
			v.stock(key, c.what.Class) // a host without any open port has an inventory, too
		}
	}
	if len(v.stocks) == 0 {
		return nil
	}
	numbers, err := s.numberPackages(ctx)
	if err != nil {
		return err
	}
	keys := slices.SortedFunc(maps.Keys(v.stocks), func(a, b stockKey) int {
		return cmp.Or(cmp.Compare(a.asset, b.asset), cmp.Compare(a.source, b.source))
	})
	for part := range slices.Chunk(keys, stockBatch) {
		err := s.im.Store.Write(ctx, func(tx Tx) error { return s.keepSome(ctx, tx, part, covered, numbers) })
		if err != nil {
			return fmt.Errorf("import %s: keep the inventory: %w", s.res.File, err)
		}
	}
	return nil
}

// numberPackages are the numbers of the document's packages in the database.
func (s *session) numberPackages(ctx context.Context) (all []exposure.ComponentID, err error) {
	clean := make([]string, len(s.stocks.purls))
	for i, p := range s.stocks.purls {
		clean[i] = s.im.Redact(p)
	}
	for part := range slices.Chunk(clean, batchSize) {
		err := s.im.Store.Write(ctx, func(tx Tx) error {
			ids, err := tx.AddComponents(ctx, part)
			all = append(all, ids...)
			return err
		})
		if err != nil {
			return nil, fmt.Errorf("import %s: number the packages: %w", s.res.File, err)
		}
	}
	return all, nil
}

// keepSome writes the inventories that changed.
func (s *session) keepSome(ctx context.Context, tx Tx, keys []stockKey, covered map[stockKey][]*exposure.Coverage, numbers []exposure.ComponentID) error {
	var assets []exposure.AssetID
	for _, k := range keys {
		if len(assets) == 0 || assets[len(assets)-1] != k.asset {
			assets = append(assets, k.asset)
		}
	}
	kept := map[stockKey]exposure.Inventory{}
	err := tx.Inventories(ctx, assets, func(i *exposure.Inventory) error {
		kept[stockKey{i.Asset, i.Source}] = *i
		return nil
	})
	if err != nil {
		return err
	}
	var put []exposure.Inventory
	var changes []exposure.SurfaceChange
	var due []exposure.AssetID
	for _, k := range keys {
		old, known := kept[k]
		if !known {
			old = exposure.Inventory{Asset: k.asset, Source: k.source}
		}
		next, packages, err := s.renewed(old, s.stocks.stocks[k], covered[k], numbers)
		if err != nil {
			return fmt.Errorf("asset %d: %w", k.asset, err)
		}
		surface := s.surface(&old, &next)
		if !packages && len(surface) == 0 && known && next.At == old.At && next.Complete == old.Complete {
			continue
		}
		if !known && !packages && len(next.Services) == 0 {
			continue
		}
		put, changes = append(put, next), append(changes, surface...)
		if packages && (len(due) == 0 || due[len(due)-1] != k.asset) {
			due = append(due, k.asset)
		}
	}
	if err := tx.PutInventories(ctx, put); err != nil {
		return err
	}
	if err := tx.AddSurfaceChanges(ctx, changes); err != nil {
		return err
	}
	return tx.RequestMatch(ctx, due)
}

// renewed is what is known of an asset after this scan. The scan replaces what
// it covered, if it is not older than what is kept; else it adds. What is older
// than the last complete look says nothing.
func (s *session) renewed(old exposure.Inventory, said *stock, covered []*exposure.Coverage, numbers []exposure.ComponentID) (next exposure.Inventory, packages bool, err error) {
	next = old
	if s.scan.At < old.Complete {
		return next, false, nil
	}
	before, now := roaring.New(), roaring.New()
	if len(old.Packages) > 0 {
		if err := before.UnmarshalBinary(old.Packages); err != nil {
			return next, false, err
		}
	}
	for _, n := range said.packages.ToArray() {
		now.Add(uint32(numbers[n]))
	}
	newest := s.scan.At >= old.At
	covers := func(l *exposure.Location) bool {
		return newest && slices.ContainsFunc(covered, func(c *exposure.Coverage) bool { return c.Covers(said.class, "", l) })
	}
	// A report of weaknesses may cover an asset and list no packages at all.
	whole := covers(&exposure.Location{}) && (!now.IsEmpty() || said.class == "inventory")
	if !whole {
		now.Or(before)
	}
	now.RunOptimize()
	if next.Packages, err = now.ToBytes(); err != nil {
		return next, false, err
	}
	services := maps.Clone(said.services)
	for _, o := range old.Services {
		at := servicePlace{o.Protocol, o.Port}
		switch is, stated := services[at]; {
		case stated && !newest:
			services[at] = o
		case stated:
			services[at] = richer(o, is)
		case !covers(&exposure.Location{Protocol: o.Protocol, Port: o.Port}):
			services[at] = o
		}
	}
	next.Services = slices.SortedFunc(maps.Values(services), exposure.Service.Compare)
	if newest {
		next.At, next.Scan = s.scan.At, s.scan.ID
	}
	if whole {
		next.Complete = s.scan.At
	}
	return next, !now.Equals(before), nil
}

// surface is what changed of the services.
func (s *session) surface(old, next *exposure.Inventory) (all []exposure.SurfaceChange) {
	was := map[servicePlace]exposure.Service{}
	for _, o := range old.Services {
		was[servicePlace{o.Protocol, o.Port}] = o
	}
	change := func(kind exposure.SurfaceKind, was, now exposure.Service) {
		all = append(all, exposure.SurfaceChange{At: s.scan.At, Asset: next.Asset, Scan: s.scan.ID, Kind: kind, Was: was, Now: now})
	}
	for _, n := range next.Services {
		at := servicePlace{n.Protocol, n.Port}
		o, there := was[at]
		delete(was, at)
		switch {
		case !there:
			change(exposure.SurfaceOpened, exposure.Service{}, n)
		case o != n:
			change(exposure.SurfaceChanged, o, n)
		}
	}
	for _, o := range slices.SortedFunc(maps.Values(was), exposure.Service.Compare) {
		change(exposure.SurfaceClosed, o, exposure.Service{})
	}
	return all
}
