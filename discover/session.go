package discover

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"sync/atomic"
	"time"

	"github.com/RoaringBitmap/roaring/v2"

	"github.com/leeward-ctem/leeward/exposure"
)

// cacheSize bounds each of the session's caches, in entries.
const cacheSize = 200_000

// session is the import of one document. decode and commit run in one
// goroutine each; what both touch is marked.
type session struct {
	im         *Importer
	req        Request
	res        *Result
	began      time.Time
	normal     normaliser      // decode
	read       exposure.Scan   // decode: what the document has said of its scan so far
	scan       exposure.Scan   // commit: the scan as it is, or will be, stored
	partial    string          // digest of the scan while its import runs
	started    bool            // the scan has a row
	seen       *roaring.Bitmap // stated as present
	stated     *roaring.Bitmap // stated in any way
	cache      caches
	covered    []coverage
	stocks     inventory
	later      []word                                    // what known findings gained, for the end
	merged     map[exposure.AssetID][]string             // further identities of assets
	generation int                                       // how many merges that is
	folded     map[exposure.FindingID]exposure.FindingID // findings that became others meanwhile
	created    atomic.Int64                              // findings made

	bad     []*exposure.RecordError // decode
	failure error                   // decode: why the document ended early
	failed  string                  // decode: the report says that the scan failed
}

func (s *session) made() int { return int(s.created.Load()) }

// coverage is one asset that the report proves to have been looked at.
type coverage struct {
	source exposure.SourceID
	asset  exposure.AssetID
	what   *exposure.Coverage
}

// caches remember numbers within one document. Entries are only made from
// what is committed, or about to be in the same transaction; a failed
// transaction ends the session.
type caches struct {
	assets     map[string]known
	sources    map[[2]string]exposure.SourceID
	advisories map[string]exposure.AdvisoryID
	places     map[exposure.Place]exposure.LocationID
	cover      map[uint64]exposure.Covered   // by source and asset
	looked     map[exposure.AssetID]struct{} // whose coverage was asked for
}

// known is a resolved asset.
type known struct {
	id  exposure.AssetID
	key string
}

func newCaches() caches {
	return caches{
		assets: map[string]known{}, sources: map[[2]string]exposure.SourceID{}, advisories: map[string]exposure.AdvisoryID{},
		places: map[exposure.Place]exposure.LocationID{}, cover: map[uint64]exposure.Covered{}, looked: map[exposure.AssetID]struct{}{},
	}
}

// trim keeps the caches within bounds between batches.
func (c *caches) trim() {
	if len(c.assets) > cacheSize {
		clear(c.assets)
	}
	if len(c.advisories) > cacheSize {
		clear(c.advisories)
	}
	if len(c.places) > cacheSize {
		clear(c.places)
	}
	if len(c.cover)+len(c.looked) > cacheSize {
		clear(c.cover)
		clear(c.looked)
	}
}

// chunk is what decode hands to commit: items, and what the document had said
// of its scan by then.
type chunk struct {
	items []item
	read  exposure.Scan
}

// learn takes over what the document said of its scan.
func (s *session) learn(read *exposure.Scan) {
	s.scan.Tool, s.scan.Version, s.scan.At, s.scan.Records = read.Tool, read.Version, read.At, read.Records
}

// commit brings one chunk into the database: one transaction.
func (s *session) commit(ctx context.Context, c chunk) error {
	s.learn(&c.read)
	s.cache.trim()
	var wrote bool
	var made []exposure.Finding
	err := s.im.Store.Write(ctx, func(tx Tx) error {
		wrote, made = false, nil
		if err := s.im.Index.Follow(ctx, tx); err != nil {
			return err
		}
		b := batch{session: s, tx: tx}
		if err := b.loadMerges(ctx); err != nil {
			return err
		}
		err := b.run(ctx, c.items)
		wrote, made = b.wrote, b.made
		return err
	})
	if err != nil {
		return fmt.Errorf("import %s: %w", s.res.File, err)
	}
	if wrote {
		if err := s.im.Index.Publish(ctx, made); err != nil {
			return fmt.Errorf("import %s: %w", s.res.File, err)
		}
	}
	return nil
}

// batch is the work of one transaction.
type batch struct {
	*session
	tx    Tx
	wrote bool
	made  []exposure.Finding // what it inserted
}

// loadMerges learns which assets became part of others. When another import
// merged some, what is remembered of assets may be wrong.
func (b *batch) loadMerges(ctx context.Context) error {
	merged, err := b.tx.MergedKeys(ctx)
	if err != nil {
		return err
	}
	n := 0
	for _, keys := range merged {
		slices.Sort(keys)
		n += len(keys)
	}
	if n != b.generation {
		clear(b.cache.assets)
	}
	b.merged, b.generation = merged, n
	return nil
}

// begin makes the scan's row when something is to be written, or finds the
// one that an interrupted import of the same document left.
func (b *batch) begin(ctx context.Context) error {
	b.wrote = true
	if b.started {
		return nil
	}
	s := b.scan
	s.Digest = b.partial
	got, err := b.tx.BeginScan(ctx, s)
	if err != nil {
		return err
	}
	b.scan.ID, b.scan.Received = got.ID, got.Received
	b.started = true
	return nil
}

// run resolves the items and writes what is new.
func (b *batch) run(ctx context.Context, items []item) error {
	if err := b.resolveAssets(ctx, items); err != nil {
		return err
	}
	weak := items[:0:0]
	for i := range items {
		it := &items[i]
		var err error
		if it.source, err = b.source(ctx, it.tool, it.class); err != nil {
			return err
		}
		it.on = b.cache.assets[it.assetKey]
		switch it.kind {
		case exposure.ObservedWeakness:
			weak = append(weak, *it)
		case exposure.ObservedCoverage:
			b.covered = append(b.covered, coverage{it.source, it.on.id, it.coverage})
		case exposure.ObservedInventory:
			if it.holds != nil {
				b.stocks.add(it)
			}
		}
	}
	fps := make([]exposure.Fingerprint, len(weak))
	ids := make([]exposure.FindingID, len(weak))
	for i := range weak {
		fps[i] = exposure.NewFingerprint(weak[i].on.key, weak[i].weakness, weak[i].location)
	}
	if err := b.known(ctx, weak, fps, ids); err != nil {
		return err
	}
	if err := b.aliases(ctx, fps, ids); err != nil {
		return err
	}
	if err := b.insert(ctx, weak, fps, ids); err != nil {
		return err
	}
	for i, id := range ids {
		if b.stated.Add(uint32(id)); weak[i].state == exposure.StatePresent {
			b.seen.Add(uint32(id))
		}
	}
	return nil
}

// aliases finds findings whose fingerprint changed with a merge or new rules.
func (b *batch) aliases(ctx context.Context, fps []exposure.Fingerprint, ids []exposure.FindingID) error {
	var ask []exposure.Fingerprint
	for i, id := range ids {
		if id == 0 {
			ask = append(ask, fps[i])
		}
	}
	if len(ask) == 0 {
		return nil
	}
	found, err := b.tx.AliasedFindings(ctx, ask)
	if err != nil || len(found) == 0 {
		return err
	}
	for i, id := range ids {
		if id == 0 {
			ids[i] = found[fps[i]]
		}
	}
	return nil
}

func (b *batch) source(ctx context.Context, tool, class string) (exposure.SourceID, error) {
	key := [2]string{tool, class}
	id, ok := b.cache.sources[key]
	if ok {
		return id, nil
	}
	id, err := b.tx.AddSource(ctx, tool, class)
	b.cache.sources[key] = id
	return id, err
}

// insert makes the findings that are new, fills in their ids, and takes up
// what known ones gained.
func (b *batch) insert(ctx context.Context, items []item, fps []exposure.Fingerprint, ids []exposure.FindingID) error {
	first := map[exposure.Fingerprint]int{} // new in this batch → row of made
	var fresh []int                         // the items that make them
	for i, id := range ids {
		if id != 0 {
			continue
		}
		if _, ok := first[fps[i]]; !ok {
			first[fps[i]] = 0
			fresh = append(fresh, i)
		}
	}
	if len(fresh) > 0 {
		slices.SortFunc(fresh, func(x, y int) int { return bytes.Compare(fps[x][:], fps[y][:]) })
		for n, i := range fresh {
			first[fps[i]] = n
		}
		made, err := b.create(ctx, items, fps, ids, fresh, first)
		if err != nil {
			return err
		}
		b.made = made
		for i, id := range ids {
			if id == 0 {
				f := &made[first[fps[i]]]
				ids[i] = f.ID
				b.compare(&items[i], f.ID, Known{f.Source, f.Status, f.Severity, f.Detection, f.Shared, DayOf(f.FirstSeen)})
			} else {
				b.compare(&items[i], id, b.im.Index.Finding(id))
			}
		}
		if err := b.overtaken(ctx, items, ids, fresh); err != nil {
			return err
		}
		b.res.New += len(made)
		b.created.Add(int64(len(made)))
	} else {
		for i, id := range ids {
			b.compare(&items[i], id, b.im.Index.Finding(id))
		}
	}
	b.res.Known += len(items) - len(fresh)
	return nil
}

// create writes new findings with all they bring.
func (b *batch) create(ctx context.Context, items []item, fps []exposure.Fingerprint, ids []exposure.FindingID, fresh []int, first map[exposure.Fingerprint]int) ([]exposure.Finding, error) {
	if err := b.begin(ctx); err != nil {
		return nil, err
	}
	made, err := b.describe(ctx, items, fps, fresh)
	if err != nil {
		return nil, err
	}
	// Repeats within the batch: the worst severity, the strongest detection and
	// the earliest sighting count, whichever comes first in the report.
	for i, id := range ids {
		if id == 0 {
			f := &made[first[fps[i]]]
			f.Severity, f.Detection = max(f.Severity, items[i].severity), max(f.Detection, items[i].detection)
			f.FirstSeen = min(f.FirstSeen, b.at(&items[i]))
			f.Since = f.FirstSeen
		}
	}
	if err := b.tx.InsertFindings(ctx, made); err != nil {
		return nil, err
	}
	var proofs []exposure.Proof
	var states []exposure.SourceState
	for n, i := range fresh {
		it, f := &items[i], &made[n]
		if p := it.proof; len(p.Evidence) > 0 || p.Path != "" || p.Line != 0 {
			p.Finding = f.ID
			proofs = append(proofs, p)
		}
		if f.Shared {
			states = append(states, exposure.SourceState{Finding: f.ID, Source: f.Source, Scan: f.Scan, State: it.state, At: b.at(it)})
		}
	}
	if err := b.tx.InsertEvidence(ctx, b.scan.ID, proofs); err != nil {
		return nil, err
	}
	if err := b.tx.PutSourceStates(ctx, states); err != nil {
		return nil, err
	}
	if err := b.tx.CountNew(ctx, b.scan.ID, len(made)); err != nil {
		return nil, err
	}
	return made, b.tx.Append(ctx, &exposure.Event{
		At: b.began.UnixMilli(), Kind: exposure.EventOpened, To: exposure.StatusOpen, Actor: "import",
		First: uint32(made[0].ID), Last: uint32(made[len(made)-1].ID), Scan: b.scan.ID,
	})
}

// at is when an item was seen: its own time, else the run's, else now.
func (b *batch) at(it *item) int64 {
	switch {
	case it.seen != 0:
		return it.seen
	case b.scan.At != 0:
		return b.scan.At
	}
	return b.scan.Received
}

// describe makes the rows of new findings and of whatever they share.
func (b *batch) describe(ctx context.Context, items []item, fps []exposure.Fingerprint, fresh []int) ([]exposure.Finding, error) {
	places, err := b.describeShared(ctx, items, fresh)
	if err != nil {
		return nil, err
	}
	made := make([]exposure.Finding, len(fresh))
	for n, i := range fresh {
		it := &items[i]
		made[n] = exposure.Finding{
			Fingerprint: fps[i], Asset: it.on.id, Advisory: b.cache.advisories[it.weakness],
			Location: places[n], Source: it.source, Scan: b.scan.ID,
			FirstSeen: b.at(it), Severity: it.severity, Detection: it.detection,
		}
		if it.state != exposure.StatePresent && b.scan.At != 0 {
			made[n].FirstSeen = min(made[n].FirstSeen, b.scan.At) // people decide later than the scan
		}
		made[n].Since = made[n].FirstSeen
		if it.state != exposure.StatePresent {
			// Known from the start not to count: it never was open.
			made[n].Status, _ = exposure.StatusOpen.Move(causeOf(it.state))
			made[n].Shared = true
		}
	}
	return made, nil
}

// describeShared makes the advisories and places of new findings, and returns
// the numbers of the places.
func (b *batch) describeShared(ctx context.Context, items []item, fresh []int) ([]exposure.LocationID, error) {
	var advisories []exposure.Advisory
	var raw, places []exposure.Place
	plannedAdvisories, plannedPlaces := map[string]bool{}, map[exposure.Place]bool{}
	of := make([]exposure.LocationID, len(fresh))
	// Every item is asked, not only the fresh ones: the first to state a
	// weakness describes it, and that may be an item whose finding is known.
	texts := map[string]*exposure.Advisory{}
	for i := range items {
		if a := items[i].advisory; a != nil {
			texts[items[i].weakness] = a
		}
	}
	for n, i := range fresh {
		it := &items[i]
		if _, ok := b.cache.advisories[it.weakness]; !ok && !plannedAdvisories[it.weakness] {
			plannedAdvisories[it.weakness] = true
			if a := texts[it.weakness]; a != nil {
				advisories = append(advisories, *a)
			} else {
				advisories = append(advisories, exposure.Advisory{Key: it.weakness, Title: it.weakness, Severity: it.severity})
			}
		}
		if of[n] = b.cache.places[it.place]; of[n] != 0 {
			continue
		}
		if !plannedPlaces[it.place] {
			plannedPlaces[it.place] = true
			raw, places = append(raw, it.place), append(places, b.clean(it.place))
		}
	}
	advisoryIDs, err := b.tx.AddAdvisories(ctx, advisories)
	if err != nil {
		return nil, err
	}
	for i, id := range advisoryIDs {
		b.cache.advisories[advisories[i].Key] = id
	}
	placeIDs, err := b.tx.AddPlaces(ctx, places)
	if err != nil {
		return nil, err
	}
	for i, id := range placeIDs {
		b.cache.places[raw[i]] = id
	}
	for n, i := range fresh {
		if of[n] == 0 {
			of[n] = b.cache.places[items[i].place]
		}
	}
	return of, nil
}

// clean is a place as it may be kept: what makes it an identity was taken from
// it as it is, what people see has no secrets.
func (b *batch) clean(p exposure.Place) exposure.Place {
	for _, text := range []*string{
		&p.Location.Path, &p.Location.Parameter, &p.Location.File, &p.Location.Symbol, &p.Location.Resource,
		&p.Component.Purl, &p.Component.Name, &p.Component.Version, &p.Component.Fixed,
	} {
		*text = b.im.Redact(b.normal.cap(*text, maxPlace))
	}
	return p
}
