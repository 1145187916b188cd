package cli

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/RoaringBitmap/roaring/v2"

	"github.com/leeward-ctem/leeward/discover"
	"github.com/leeward-ctem/leeward/exposure"
	"github.com/leeward-ctem/leeward/index"
	"github.com/leeward-ctem/leeward/intel"
	"github.com/leeward-ctem/leeward/intel/match"
	"github.com/leeward-ctem/leeward/store"
)

// rematched is the key of the copies of feeds that the kept inventory was
// matched against last.
const rematched = "rematched"

// rematchTask is the name of the task that does it.
const rematchTask = "rematch"

// matchClass is the class of what matching says of an ecosystem. Each has its
// own, so that what is said of one whose advisories are kept closes nothing of
// one whose are not.
func matchClass(ecosystem string) string { return "inventory-" + strings.ToLower(ecosystem) }

// concern is an advisory about a package, as it is remembered.
type concern struct {
	ID    string   `json:"id"`
	Names []string `json:"names,omitempty"`
	Fixed []string `json:"fixed,omitempty"`
}

// part is a package of the dictionary with what is said of it.
type part struct {
	store.Component
	what     match.Package // no ecosystem: it cannot be matched
	was, is  []concern
	unsure   []concern // whether the package is affected cannot be told
	answered bool      // the advisories of its ecosystem are kept
}

// rematch makes findings of what the advisories say now of the packages that
// are kept, without a scan: of all packages about which they say something else
// than before, and of all assets whose packages changed. What it finds goes the
// way of every report.
func (a *app) rematch(ctx context.Context) error {
	copies, err := a.stand(ctx)
	if err != nil {
		return err
	}
	edition, err := json.Marshal(copies)
	if err != nil {
		return err
	}
	last, err := a.db.Meta(ctx, rematched)
	if err != nil {
		return err
	}
	due, err := a.db.MatchDue(ctx)
	if err != nil || !due && last == string(edition) {
		return err
	}
	if err := a.ix.CatchUp(ctx, a.db); err != nil {
		return err
	}
	m := rematching{app: a, at: a.now()}
	if err := m.weigh(ctx); err != nil {
		return err
	}
	if err := m.choose(ctx); err != nil {
		return err
	}
	if err := m.state(ctx); err != nil {
		return err
	}
	return a.db.Write(ctx, func(tx *store.Tx) error {
		return errors.Join(tx.PutConcerns(ctx, m.changed), tx.PutAssetMatches(ctx, m.matched), tx.SetMeta(ctx, rematched, string(edition)))
	})
}

// rematching is one run of rematch.
type rematching struct {
	*app
	at      time.Time
	parts   []part // by number
	changed []store.Component
	gained  *roaring.Bitmap // packages with more concerns than before
	lost    *roaring.Bitmap // with some fewer
	sources map[exposure.SourceID]exposure.Source
	assets  []*matchedAsset
	matched []store.AssetMatch
}

// matchedAsset is an asset of which something is to be said.
type matchedAsset struct {
	store.AssetMatch
	whole  bool // all is said of it, so that an absence counts
	stocks []exposure.Inventory
	bits   []*roaring.Bitmap // of the stocks
}

// weigh finds out what is said of each package, and of which that changed.
func (m *rematching) weigh(ctx context.Context) error {
	m.gained, m.lost = roaring.New(), roaring.New()
	var purls []string
	byPurl := map[string]*part{}
	err := m.db.Components(ctx, func(c *store.Component) error {
		for len(m.parts) <= int(c.ID) {
			m.parts = append(m.parts, part{})
		}
		p := &m.parts[c.ID]
		p.Component = *c
		if c.Concerns != "" {
			if err := json.Unmarshal([]byte(c.Concerns), &p.was); err != nil {
				return fmt.Errorf("what was said of %s: %w", c.Purl, err)
			}
		}
		p.what, _ = match.FromPurl(c.Purl)
		if p.what.Ecosystem != "" && p.what.Version != "" {
			purls = append(purls, c.Purl)
		}
		return nil
	})
	if err != nil {
		return err
	}
	for i := range m.parts {
		byPurl[m.parts[i].Purl] = &m.parts[i]
	}
	all, err := m.feeds.Match(ctx, purls)
	if err != nil {
		return err
	}
	for _, purl := range purls {
		byPurl[purl].answered = true
	}
	for _, u := range all.Unmatched {
		byPurl[u.Purl].answered = false
	}
	for i := range all.Concerns {
		byPurl[all.Concerns[i].Purl].take(&all.Concerns[i])
	}
	for i := range m.parts {
		if p := &m.parts[i]; !p.answered {
			p.is = p.was // nobody speaks of it any more, which disproves nothing
		}
		if err := m.compare(&m.parts[i]); err != nil {
			return err
		}
	}
	return nil
}

// take adds what is said of a package. Where it cannot be told any more whether
// the package is affected, what was known stays.
func (p *part) take(c *intel.Concern) {
	what := concern{c.ID, c.Names, c.Fixed}
	if c.Unknown && !has(p.was, c.ID) {
		p.unsure = append(p.unsure, what)
		return
	}
	p.is = append(p.is, what)
}

func has(all []concern, id string) bool {
	return slices.ContainsFunc(all, func(c concern) bool { return c.ID == id })
}

func (m *rematching) compare(p *part) error {
	if p.ID == 0 || len(p.was)+len(p.is) == 0 {
		return nil
	}
	text := ""
	if len(p.is) > 0 {
		b, err := json.Marshal(p.is)
		if err != nil {
			return err
		}
		text = string(b)
	}
	if text == p.Concerns {
		return nil
	}
	m.changed = append(m.changed, store.Component{ID: p.ID, Purl: p.Purl, Concerns: text})
	if slices.ContainsFunc(p.is, func(c concern) bool { return !has(p.was, c.ID) }) {
		m.gained.Add(uint32(p.ID))
	}
	if slices.ContainsFunc(p.was, func(c concern) bool { return !has(p.is, c.ID) }) {
		m.lost.Add(uint32(p.ID))
	}
	return nil
}

// choose finds the assets of which something is to be said.
func (m *rematching) choose(ctx context.Context) error {
	m.sources = map[exposure.SourceID]exposure.Source{}
	sources, err := m.db.Sources(ctx)
	if err != nil {
		return err
	}
	for _, s := range sources {
		m.sources[s.ID] = s
	}
	matches := map[exposure.AssetID]store.AssetMatch{}
	err = m.db.AssetMatches(ctx, func(a *store.AssetMatch) error {
		matches[a.Asset] = *a
		return nil
	})
	if err != nil {
		return err
	}
	var now *matchedAsset
	touched := false
	end := func() {
		if now != nil && touched {
			m.assets = append(m.assets, now)
		}
	}
	view := m.ix.View()
	err = m.db.Inventories(ctx, func(i *exposure.Inventory) error {
		if now == nil || now.Asset != i.Asset {
			end()
			now = &matchedAsset{AssetMatch: matches[i.Asset]}
			now.Asset = i.Asset
			now.whole = now.Due != 0
			touched = now.whole
		}
		bits := roaring.New()
		if err := bits.UnmarshalBinary(i.Packages); err != nil {
			return fmt.Errorf("the packages of asset %d: %w", i.Asset, err)
		}
		lost := bits.Intersects(m.lost)
		now.whole = now.whole || lost
		touched = touched || lost || bits.Intersects(m.gained)
		now.stocks, now.bits = append(now.stocks, *i), append(now.bits, bits)
		return nil
	})
	if err != nil {
		return err
	}
	end()
	// The demo is matched by what it brings itself.
	m.assets = slices.DeleteFunc(m.assets, func(a *matchedAsset) bool {
		asset := view.Asset(a.Asset)
		skip := asset == nil || asset.Demo
		if skip && a.Due != 0 {
			m.matched = append(m.matched, a.AssetMatch)
		}
		return skip
	})
	return nil
}

// state brings what is to be said into the database.
func (m *rematching) state(ctx context.Context) error {
	r, w := io.Pipe()
	defer r.Close()
	worth := make(chan bool, 1) // whether there is anything to say
	done := make(chan error, 1)
	go func() {
		said := false
		err := m.write(&firstWord{w: w, first: func() { said = true; worth <- true }})
		if !said {
			worth <- false
		}
		w.CloseWithError(err)
		done <- err
	}()
	if !<-worth {
		return <-done
	}
	results, err := m.im.Import(ctx, discover.Request{Name: "rematch", Format: "observations"}, r)
	r.Close()
	if err := errors.Join(err, <-done); err != nil {
		return fmt.Errorf("match the inventory: %w", err)
	}
	for i := range results {
		if results[i].Failure != "" || results[i].Errors > 0 {
			return fmt.Errorf("match the inventory: %s", cmp.Or(results[i].Failure, strings.Join(results[i].Messages, "; ")))
		}
	}
	if len(results) > 0 && results[0].Changed() {
		m.tell("import", results[0])
	}
	return nil
}

// firstWord tells when something is written for the first time.
type firstWord struct {
	w     io.Writer
	first func()
}

func (f *firstWord) Write(p []byte) (int, error) {
	if f.first != nil {
		f.first()
		f.first = nil
	}
	return f.w.Write(p)
}

func (m *rematching) write(w io.Writer) error {
	out := json.NewEncoder(w)
	out.SetEscapeHTML(false)
	begun := false
	say := func(o *exposure.Observation) error {
		if !begun {
			begun = true
			// The moment makes each run another document.
			if err := out.Encode(&exposure.Observation{Kind: exposure.ObservedRun, Run: &exposure.Run{Tool: "leeward", Version: version, Format: "rematch " + m.at.UTC().Format(time.RFC3339Nano)}}); err != nil {
				return err
			}
		}
		return out.Encode(o)
	}
	view := m.ix.View()
	for _, a := range m.assets {
		if err := m.sayOf(view, view.Asset(a.Asset), a, say); err != nil {
			return err
		}
	}
	return nil
}

// sayOf states what is known of one asset.
func (m *rematching) sayOf(view *index.View, asset *exposure.Asset, a *matchedAsset, say func(*exposure.Observation) error) error {
	ref := exposure.AssetRef{Kind: asset.Kind, Name: asset.Name, Identifiers: exposure.AssetRef{Identifiers: asset.Identifiers}.Names()}
	if len(ref.Identifiers) == 0 {
		kind, value, _ := strings.Cut(asset.Key, ":")
		ref.Add(exposure.IdentifierKind(kind), value)
	}
	var before []string
	if a.Classes != "" {
		if err := json.Unmarshal([]byte(a.Classes), &before); err != nil {
			return fmt.Errorf("what asset %d was matched for: %w", a.Asset, err)
		}
	}
	classes := map[string]bool{}
	for _, c := range before {
		classes[c] = true
	}
	open := map[string]bool{} // of which not all packages could be looked up
	all := roaring.FastOr(a.bits...)
	for _, n := range all.ToArray() {
		p := &m.parts[n]
		for i := range p.is {
			c := &p.is[i]
			classes[matchClass(p.what.Ecosystem)] = true
			if !a.whole && has(p.was, c.ID) {
				continue
			}
			o := m.finding(a, p, c)
			m.dateClaimed(view, asset, &o, a, n)
			o.Asset = ref
			if err := say(&o); err != nil {
				return err
			}
		}
		// Of another version that cannot be told apart, what was said stays.
		for i := range p.unsure {
			o := m.finding(a, p, &p.unsure[i])
			o.Asset = ref
			if row, ok := m.found(view, asset, &o); a.whole && ok && row.Status.Open() && m.sources[row.Source].Class == o.Class {
				classes[o.Class] = true
				if err := say(&o); err != nil {
					return err
				}
			}
		}
		if p.what.Ecosystem != "" && !p.answered {
			open[matchClass(p.what.Ecosystem)] = true
		}
	}
	names := slices.Sorted(maps.Keys(classes))
	if a.whole {
		for _, class := range names {
			if open[class] {
				continue
			}
			o := exposure.Observation{Kind: exposure.ObservedCoverage, Tool: "leeward", Asset: ref, Class: class, Coverage: &exposure.Coverage{Class: class}}
			if err := say(&o); err != nil {
				return err
			}
		}
	}
	text, err := json.Marshal(names)
	if err != nil {
		return err
	}
	if a.Classes = string(text); len(names) == 0 {
		a.Classes = ""
	}
	m.matched = append(m.matched, a.AssetMatch)
	return nil
}

// finding is an advisory about a package of an asset.
func (m *rematching) finding(a *matchedAsset, p *part, c *concern) exposure.Observation {
	o := exposure.Observation{
		Kind: exposure.ObservedWeakness, Tool: "leeward", Class: matchClass(p.what.Ecosystem),
		Advisories: append([]string{c.ID}, c.Names...), Aliased: true, Title: c.ID + " in " + p.what.Name,
		Component: exposure.Component{Purl: p.Purl, Name: p.what.Name, Version: p.what.Version, Fixed: strings.Join(c.Fixed, ", ")},
		Detection: exposure.DetectionAuthenticated, Confidence: 80,
	}
	if len(c.Fixed) > 0 {
		o.Solution = "Update " + p.what.Name + " to " + strings.Join(c.Fixed, " or ") + " or later."
	}
	for i := range a.stocks {
		if s := &a.stocks[i]; a.bits[i].Contains(uint32(p.ID)) {
			o.Evidence = append(o.Evidence, exposure.Evidence{Kind: "note", Text: fmt.Sprintf(
				"%s was seen by %s on %s (scan %d), and matched against the advisories that were kept on %s.",
				p.Purl, m.sources[s.Source].Tool, time.UnixMilli(s.At).UTC().Format(time.DateOnly), s.Scan, m.at.UTC().Format(time.DateOnly))})
		}
	}
	return o
}

// dateClaimed dates a finding that somebody says is fixed by when its package was
// seen: only a scan after that contradicts him.
func (m *rematching) dateClaimed(view *index.View, asset *exposure.Asset, o *exposure.Observation, a *matchedAsset, n uint32) {
	row, ok := m.found(view, asset, o)
	if !ok || row.Status != exposure.StatusFixClaimed && row.Status != exposure.StatusVerified {
		return
	}
	for i := range a.stocks {
		if s := &a.stocks[i]; a.bits[i].Contains(n) && s.At > o.Seen.UnixMilli() {
			o.Seen = time.UnixMilli(s.At)
		}
	}
}

// found is the finding that an observation would become, if there is one.
func (m *rematching) found(view *index.View, asset *exposure.Asset, o *exposure.Observation) (index.Row, bool) {
	var ids [1]exposure.FindingID
	m.ix.Known([]exposure.Fingerprint{exposure.NewFingerprint(asset.Key, o.Advisories[0], o.Location.Key(o.Component.Purl))}, ids[:])
	return view.Row(ids[0])
}
