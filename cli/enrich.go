package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"strings"
	"time"

	"github.com/leeward-ctem/leeward/exposure"
	"github.com/leeward-ctem/leeward/index"
	"github.com/leeward-ctem/leeward/intel"
	"github.com/leeward-ctem/leeward/store"
)

// enriched is the key of what the stored advisories were last brought up to,
// attackers that of whom the feeds spoke of then.
const (
	enriched  = "enriched"
	attackers = "attackers"
)

// standing is what the stored advisories were brought up to. It is written in
// the transaction that does so: whatever ends between a feed's arrival and
// that, the difference remains and is made up for.
type standing struct {
	Since int64               `json:"since,omitempty"` // when a feed was there for the first time, unix milliseconds
	Feeds map[string]string   `json:"feeds,omitempty"` // which copy of each
	Next  exposure.AdvisoryID `json:"next,omitempty"`  // the advisories before it were looked at

	Profile string `json:"profile,omitempty"` // of the programme
}

// settle is for how long after the first feed others belong to the start, too:
// they come one by one, and none of them brings news.
const settle = 24 * time.Hour

// stand says which copies of the feeds are kept.
func (a *app) stand(ctx context.Context) (map[string]string, error) {
	states, err := a.feeds.States(ctx)
	if err != nil {
		return nil, err
	}
	copies := map[string]string{}
	for i := range states {
		if s := &states[i]; len(s.Parts) > 0 {
			var parts []string
			for _, p := range s.Parts {
				parts = append(parts, fmt.Sprint(p.SHA256, ":", p.Length))
			}
			copies[s.Name] = strings.Join(parts, " ")
		}
	}
	return copies, nil
}

// standing returns what the advisories were last brought up to; known is false
// when nothing says so.
func (a *app) standing(ctx context.Context) (s standing, known bool, err error) {
	text, err := a.db.Meta(ctx, enriched)
	if err != nil || text == "" {
		return s, false, err
	}
	return s, true, json.Unmarshal([]byte(text), &s)
}

// keepUp enriches when a copy of a feed or an advisory came since it was last
// done: by another process, or before this one.
func (a *app) keepUp(ctx context.Context) error {
	copies, err := a.stand(ctx)
	if err != nil {
		return err
	}
	was, known, err := a.standing(ctx)
	if err != nil {
		return err
	}
	if known && maps.Equal(copies, was.Feeds) && was.Profile == a.profileKey() && a.ix.View().Advisories() <= was.Next {
		return nil
	}
	_, err = a.enrich(ctx)
	return err
}

// enrich brings the stored advisories up to what the feeds know now, and tells
// of what is news. Only those that changed are written; the index then scores
// everything anew.
func (a *app) enrich(ctx context.Context) (changed int, err error) {
	a.enriching.Lock()
	defer a.enriching.Unlock()
	if err := a.ix.CatchUp(ctx, a.db); err != nil {
		return 0, err
	}
	n, err := a.novelty(ctx)
	if err != nil {
		return 0, err
	}
	if n.same() {
		return 0, nil
	}
	news, err := a.alarm(ctx, n)
	if err != nil {
		return 0, err
	}
	var told []exposure.Alert
	err = a.db.Write(ctx, func(tx *store.Tx) error {
		changed, told = 0, nil
		really, err := tx.PutThreats(ctx, n.threats(), n.at)
		if err != nil {
			return err
		}
		changed = len(really)
		if err := tx.AddRises(ctx, n.rises(really)); err != nil {
			return err
		}
		if told, err = a.tellNews(ctx, tx, n, news, really); err != nil {
			return err
		}
		if err := n.keep(ctx, tx); err != nil || changed == 0 {
			return err
		}
		return tx.Append(ctx, &exposure.Event{At: n.at, Kind: exposure.EventThreat, Actor: "feeds", Reason: n.why()})
	})
	if err != nil {
		return 0, err
	}
	if len(told) > 0 {
		a.tell("alerts", len(told))
	}
	return changed, a.ix.CatchUp(ctx, a.db)
}

// novelty is what the feeds say that the database does not know yet.
type novelty struct {
	at       int64 // unix milliseconds
	view     *index.View
	was, is  standing
	joined   []string // titles of feeds that are here for the first time
	changes  []intel.Change
	appeared []exposure.AdvisoryID // advisories nobody spoke of before

	landscape  *intel.Landscape
	us         *intel.Tailor
	remembered intel.Memory // nil: nothing
	remember   intel.Memory
}

// novelty compares the advisories of the index with what the feeds know.
func (a *app) novelty(ctx context.Context) (*novelty, error) {
	copies, err := a.stand(ctx)
	if err != nil {
		return nil, err
	}
	// The merged snapshot is this process's own, and another may have brought a copy.
	if known := a.merged.Load(); known != nil && !maps.Equal(*known, copies) {
		a.feeds.Release()
	}
	s, err := a.feeds.Snapshot(ctx)
	if err != nil {
		return nil, err // what is stored stays: knowing nothing is no news
	}
	a.merged.Store(&copies)
	n := &novelty{at: a.now().UnixMilli(), view: a.ix.View(), landscape: s.Landscape()}
	var known bool
	if n.was, known, err = a.standing(ctx); err != nil {
		return nil, err
	}
	n.is = standing{Since: n.was.Since, Feeds: copies, Next: n.view.Advisories(), Profile: a.profileKey()}
	if len(copies) > 0 && n.is.Since == 0 {
		n.is.Since = n.at
	}
	for _, f := range a.feeds.Registered {
		src := f.Source()
		if _, here := copies[src.Name]; here && n.was.Feeds[src.Name] == "" {
			n.joined = append(n.joined, src.Title)
		}
	}
	n.us = a.tailored(s)
	k := knowledge{a}
	for id := exposure.AdvisoryID(1); id < n.view.Advisories(); id++ {
		adv := n.view.Advisory(id)
		if adv == nil || adv.Key == "" {
			continue
		}
		if is := k.threat(s, n.us, namesOf(adv), adv.CWEs); is != adv.Threat {
			n.changes = append(n.changes, intel.Change{Advisory: id, Key: adv.Key, Title: adv.Title, Was: adv.Threat, Is: is})
		}
		if known && id >= n.was.Next {
			n.appeared = append(n.appeared, id)
		}
	}
	return n, n.recall(ctx, a.db)
}

// recall reads whom the feeds spoke of before.
func (n *novelty) recall(ctx context.Context, db *store.DB) error {
	n.remember = n.landscape.Remember()
	text, err := db.Meta(ctx, attackers)
	if err != nil || text == "" {
		return err
	}
	return json.Unmarshal([]byte(text), &n.remembered)
}

// why says what changed what is known of advisories.
func (n *novelty) why() string {
	if n.was.Profile != n.is.Profile && maps.Equal(n.was.Feeds, n.is.Feeds) {
		return profileChanged
	}
	return feedsChanged
}

func (n *novelty) same() bool {
	return len(n.changes) == 0 && reflect.DeepEqual(n.was, n.is)
}

func (n *novelty) threats() []store.ThreatChange {
	all := make([]store.ThreatChange, len(n.changes))
	for i, c := range n.changes {
		all[i] = store.ThreatChange{Advisory: c.Advisory, Was: c.Was, Is: c.Is}
	}
	return all
}

// rises are the sudden rises of scores, of the advisories that really changed.
func (n *novelty) rises(really map[exposure.AdvisoryID]bool) (all []store.Rise) {
	for i := range n.changes {
		if c := &n.changes[i]; really[c.Advisory] && intel.Rose(&c.Was, &c.Is) {
			all = append(all, store.Rise{Advisory: c.Advisory, At: n.at, Earlier: c.Was.EPSS, Later: c.Is.EPSS})
		}
	}
	return all
}

// keep notes what the advisories are up to now.
func (n *novelty) keep(ctx context.Context, tx *store.Tx) error {
	text, err := json.Marshal(n.is)
	if err != nil {
		return err
	}
	if err := tx.SetMeta(ctx, enriched, string(text)); err != nil {
		return err
	}
	if n.landscape.Size() == 0 || reflect.DeepEqual(n.remember, n.remembered) {
		return nil
	}
	text, err = json.Marshal(n.remember)
	if err != nil {
		return err
	}
	return tx.SetMeta(ctx, attackers, string(text))
}
