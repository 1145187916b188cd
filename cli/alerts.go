package cli

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/leeward-ctem/leeward/exposure"
	"github.com/leeward-ctem/leeward/index"
	"github.com/leeward-ctem/leeward/intel"
	"github.com/leeward-ctem/leeward/scope"
	"github.com/leeward-ctem/leeward/server"
	"github.com/leeward-ctem/leeward/store"
	"github.com/leeward-ctem/leeward/web"
)

// maxSingle is how many alerts of one update are sent as messages of their own.
// More are summed up in one: nobody reads a storm.
const maxSingle = 10

// alertsFor is how long alerts are kept.
const alertsFor = 2 * 365 * 24 * time.Hour

// maxGrouped bounds the findings that are grouped into fixes for alerts.
const maxGrouped = 200_000

// alarm makes the alerts of a novelty, with what they are about counted as it will
// be when the news is known.
func (a *app) alarm(ctx context.Context, n *novelty) ([]intel.News, error) {
	p, _ := a.inForce()
	known := make(map[exposure.AdvisoryID]exposure.Threat, len(n.changes))
	for i := range n.changes {
		known[n.changes[i].Advisory] = n.changes[i].Is
	}
	after := sync.OnceValue(func() *index.View { return n.view.Knowing(known) })
	var failed error
	open := sync.OnceValue(func() map[exposure.AdvisoryID][]index.Row {
		var rows map[exposure.AdvisoryID][]index.Row
		rows, failed = openByAdvisory(after(), a.today())
		return rows
	})
	j := &intel.Judge{
		At: n.at, Joined: n.joined,
		Settling: n.was.Since == 0 || len(n.joined) > 0 && n.at-n.was.Since < settle.Milliseconds(),
		Open:     func(id exposure.AdvisoryID) bool { return len(open()[id]) > 0 },
		Watched: func(id exposure.AdvisoryID) string {
			return watchEntry(p, n.view, id, open()[id], n.landscape)
		},
	}
	news := j.Alerts(n.changes)
	news = append(news, newHere(j, n, p)...)
	news = append(news, a.campaigns(j, n, p, open)...)
	if len(news) == 0 || failed != nil {
		return nil, failed
	}
	for i := range news {
		describeOpen(&news[i], after(), open())
		switch news[i].Kind {
		case exposure.AlertEPSSModel:
			news[i].Findings = n.view.Moved(after())
			news[i].Reason += fmt.Sprintf(" %s moved to another band of risk.", web.Plural(news[i].Findings, "open finding", "open findings"))
		case exposure.AlertFeed:
			sumUp(&news[i], after(), open())
		}
	}
	if failed != nil {
		return nil, failed
	}
	news = slices.DeleteFunc(news, func(n intel.News) bool { return n.Kind == exposure.AlertFeed && len(open()) == 0 })
	return news, a.addFixes(ctx, after(), news, open())
}

// openByAdvisory are the open findings that alerts speak of: in scope, and of
// no demo.
func openByAdvisory(v *index.View, today uint16) (map[exposure.AdvisoryID][]index.Row, error) {
	open := map[exposure.AdvisoryID][]index.Row{}
	err := v.All(exposure.Filter{}, today, func(r index.Row) bool {
		if asset := v.Asset(r.Asset); asset != nil && !asset.Context.Excluded && !asset.Demo {
			open[r.Advisory] = append(open[r.Advisory], r)
		}
		return true
	})
	return open, err
}

// maxComponents bounds the components of an advisory that the watch list is
// compared with.
const maxComponents = 200

// watchEntry is the entry of the watch list that names an advisory: by its names
// and title, by what its findings are in, or by those who exploit it and how.
func watchEntry(p *scope.Programme, v *index.View, id exposure.AdvisoryID, rows []index.Row, l *intel.Landscape) string {
	adv := v.Advisory(id)
	if p == nil || len(p.Watch) == 0 || adv == nil {
		return ""
	}
	ids := slices.Concat([]string{adv.Key}, adv.CVEs, adv.Aliases)
	texts, seen := []string{adv.Title}, map[string]bool{}
	for _, r := range rows {
		if c := v.Component(r.Location); c != "" && !seen[c] && len(seen) < maxComponents {
			seen[c] = true
			texts = append(texts, c)
		}
	}
	return p.Watched(slices.Concat(ids, l.Around(ids)), texts)
}

// newHere tells of advisories that the watch list names and that reports
// stated for the first time.
func newHere(j *intel.Judge, n *novelty, p *scope.Programme) (news []intel.News) {
	if p == nil || len(p.Watch) == 0 {
		return nil
	}
	for _, id := range n.appeared {
		if !j.Open(id) {
			continue
		}
		entry := j.Watched(id)
		if entry == "" {
			continue
		}
		adv := n.view.Advisory(id)
		name := intel.Cut(adv.Key, intel.MaxName)
		news = append(news, intel.News{Alert: exposure.Alert{
			At: n.at, Kind: exposure.AlertWatch, Key: intel.Key(exposure.AlertWatch, adv.Key, "here"), Advisory: id, Subject: name, Title: intel.Cut(adv.Title, 300),
			Reason: name + " was found here for the first time.", Watched: intel.Cut(entry, intel.MaxName),
		}, Of: []exposure.AdvisoryID{id}})
	}
	return news
}

// campaigns tells of news of those who attack.
func (a *app) campaigns(j *intel.Judge, n *novelty, p *scope.Programme, open func() map[exposure.AdvisoryID][]index.Row) []intel.News {
	if n.remembered == nil || n.landscape.Size() == 0 || reflect.DeepEqual(n.remember, n.remembered) {
		return nil
	}
	e := &intel.Estate{
		Profile: p.Profile, Exploited: map[string][]exposure.AdvisoryID{}, Enabled: map[string][]exposure.AdvisoryID{},
		Watched: func(names []string) string { return p.Watched(names, nil) },
	}
	for id := range open() {
		adv := n.view.Advisory(id)
		ids := slices.Concat([]string{adv.Key}, adv.CVEs)
		slices.Sort(ids)
		ids = slices.Compact(ids)
		for _, name := range ids {
			e.Exploited[name] = append(e.Exploited[name], id)
		}
		for _, t := range n.us.Techniques(ids, adv.CWEs) {
			e.Enabled[t] = append(e.Enabled[t], id)
		}
	}
	return j.Campaigns(n.remembered, n.landscape, e)
}

// describeOpen fills in what an alert is about.
func describeOpen(n *intel.News, v *index.View, open map[exposure.AdvisoryID][]index.Row) {
	curve := v.Model().Curve()
	assets, owners := map[exposure.AssetID]*exposure.AlertAsset{}, map[string]int{}
	for _, id := range n.Of {
		for _, r := range open[id] {
			asset := v.Asset(r.Asset)
			known := assets[r.Asset]
			if known == nil {
				known = &exposure.AlertAsset{ID: r.Asset, Name: intel.Cut(asset.Name, intel.MaxName), Owner: intel.Cut(asset.Context.Owner, intel.MaxName)}
				assets[r.Asset] = known
			}
			loss := curve.ExpectedLoss(r.Risk)
			known.Loss += loss
			owners[known.Owner]++
			n.Findings++
			n.Loss += loss
		}
	}
	n.Assets = len(assets)
	for _, asset := range assets {
		n.Worst = append(n.Worst, *asset)
	}
	slices.SortFunc(n.Worst, func(x, y exposure.AlertAsset) int {
		return cmp.Or(cmp.Compare(y.Loss, x.Loss), cmp.Compare(x.ID, y.ID))
	})
	n.Worst = n.Worst[:min(len(n.Worst), exposure.MaxAlertAssets)]
	for name, findings := range owners {
		n.Owners = append(n.Owners, exposure.AlertOwner{Name: name, Findings: findings})
	}
	slices.SortFunc(n.Owners, func(x, y exposure.AlertOwner) int {
		return cmp.Or(cmp.Compare(y.Findings, x.Findings), cmp.Compare(x.Name, y.Name))
	})
	n.Owners = n.Owners[:min(len(n.Owners), exposure.MaxAlertOwners)]
}

// sumUp says what feeds that just came say of what is open.
func sumUp(n *intel.News, v *index.View, open map[exposure.AdvisoryID][]index.Row) {
	all, exploited, public := 0, 0, 0
	for id, rows := range open {
		t := &v.Advisory(id).Threat
		all += len(rows)
		if t.KEV() || t.ObservedDay != 0 {
			exploited += len(rows)
		} else if t.MetasploitDay != 0 || t.NucleiDay != 0 || t.ArchiveDay != 0 {
			public += len(rows)
		}
	}
	n.Findings = exploited
	n.Reason += fmt.Sprintf(" Of %s, %d are of weaknesses known to be exploited, and of %d more an exploit is public. From now on you hear of what changes.", web.Plural(all, "open finding", "open findings"), exploited, public)
}

// addFixes says of each alert what closes its findings.
func (a *app) addFixes(ctx context.Context, v *index.View, news []intel.News, open map[exposure.AdvisoryID][]index.Row) error {
	slices.SortStableFunc(news, func(x, y intel.News) int { return cmp.Compare(y.Loss, x.Loss) })
	of, grouped := map[exposure.AdvisoryID]bool{}, 0
	for _, n := range news {
		for _, id := range n.Of {
			if rows := len(open[id]); !of[id] && grouped+rows <= maxGrouped {
				of[id], grouped = true, grouped+rows
			}
		}
	}
	if len(of) == 0 {
		return nil
	}
	fixes, err := a.groupRows(ctx, v, func(yield func(index.Row) bool) error {
		for id := range of {
			for _, r := range open[id] {
				if !yield(r) {
					return nil
				}
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	by := map[exposure.FindingID]int{}
	for i := range fixes {
		for _, id := range fixes[i].IDs {
			by[id] = i
		}
	}
	for i := range news {
		closes := map[int]int{}
		for _, id := range news[i].Of {
			for _, r := range open[id] {
				if at, ok := by[r.ID]; ok {
					closes[at]++
				}
			}
		}
		for at, n := range closes {
			news[i].Fixes = append(news[i].Fixes, exposure.AlertFix{Key: fixes[at].Key, Title: intel.Cut(fixes[at].Title, 300), Findings: n})
		}
		slices.SortFunc(news[i].Fixes, func(x, y exposure.AlertFix) int {
			return cmp.Or(cmp.Compare(y.Findings, x.Findings), cmp.Compare(x.Title, y.Title), cmp.Compare(x.Key, y.Key))
		})
		news[i].Fixes = news[i].Fixes[:min(len(news[i].Fixes), exposure.MaxAlertFixes)]
	}
	return nil
}

// tellNews keeps the alerts that nobody was told of, and the messages that tell
// of them. What another server learnt meanwhile is no news.
func (a *app) tellNews(ctx context.Context, tx *store.Tx, n *novelty, news []intel.News, really map[exposure.AdvisoryID]bool) ([]exposure.Alert, error) {
	changed := map[exposure.AdvisoryID]bool{}
	for i := range n.changes {
		changed[n.changes[i].Advisory] = true
	}
	var alerts []exposure.Alert
	for _, x := range news {
		if x.Advisory == 0 || really[x.Advisory] || !changed[x.Advisory] {
			alerts = append(alerts, x.Alert)
		}
	}
	if len(alerts) == 0 {
		return nil, nil
	}
	if err := tx.PruneAlerts(ctx, n.at-alertsFor.Milliseconds()); err != nil {
		return nil, err
	}
	told, err := tx.AddAlerts(ctx, alerts)
	if err != nil || len(told) == 0 {
		return nil, err
	}
	messages, err := a.alertMessages(told)
	if err != nil {
		return nil, err
	}
	return told, tx.Post(ctx, messages...)
}

// alertMessages are what receivers of intelligence get: one message an alert,
// the worst first, or one for all when there are many.
func (a *app) alertMessages(told []exposure.Alert) ([]exposure.OutboxMessage, error) {
	p, _ := a.inForce()
	var receivers []string
	for _, w := range p.Webhooks {
		if slices.Contains(w.Events, exposure.NoticeIntelligence) {
			receivers = append(receivers, w.Name)
		}
	}
	if len(receivers) == 0 {
		return nil, nil
	}
	told = slices.Clone(told)
	slices.SortFunc(told, func(x, y exposure.Alert) int { return cmp.Compare(y.ID, x.ID) })
	now := a.now()
	var messages []exposure.OutboxMessage
	post := func(key, text string, findings int, alerts []exposure.Alert) error {
		body, err := json.Marshal(message{Event: exposure.NoticeIntelligence, At: now.UTC().Format(time.RFC3339), Text: text, Count: findings, Alerts: alerts})
		for _, name := range receivers {
			messages = append(messages, exposure.OutboxMessage{
				Key: fmt.Sprintf("%s/%s/%s", name, exposure.NoticeIntelligence, key), Connector: "webhook", Target: name, Body: string(body),
				NextAt: now.UnixMilli(), CreatedAt: now.UnixMilli(),
			})
		}
		return err
	}
	if len(told) > maxSingle {
		findings := 0
		for _, t := range told {
			findings += t.Findings
		}
		text := fmt.Sprintf("%d alerts at once, the worst: %s All are listed at /alerts.", len(told), told[0].Reason)
		err := post("many|"+told[0].Key, text, findings, told[:maxSingle])
		return messages, err
	}
	for _, t := range told {
		if err := post(t.Key, alertText(&t), t.Findings, []exposure.Alert{t}); err != nil {
			return nil, err
		}
	}
	return messages, nil
}

// alertText is an alert in a few sentences.
func alertText(t *exposure.Alert) string {
	text := t.Reason
	if t.Assets > 0 {
		var names []string
		for _, asset := range t.Worst {
			names = append(names, asset.Name)
		}
		if more := t.Assets - len(names); more > 0 {
			names = append(names, fmt.Sprintf("%d more", more))
		}
		text += fmt.Sprintf(" It is open on %s: %s.", web.Plural(t.Assets, "asset", "assets"), strings.Join(names, ", "))
	}
	if len(t.Fixes) > 0 {
		text += " Fix: " + t.Fixes[0].Title + "."
	}
	return text
}

// Alerts lists what was told.
func (a *app) Alerts(ctx context.Context, q server.AlertQuery) (server.AlertPage, error) {
	p := server.AlertPage{Rows: []exposure.Alert{}}
	f := store.AlertQuery{Unseen: q.Unseen, Advisory: q.Advisory, Before: q.After, Limit: max(1, q.Limit) + 1}
	for _, k := range q.Kinds {
		kind := exposure.AlertKind(k)
		if !kind.Valid() {
			return p, exposure.Errorf(exposure.Invalid, "there is no kind of alert %q: use some of %v", k, exposure.AlertKinds())
		}
		f.Kinds = append(f.Kinds, kind)
	}
	if q.Days > 0 {
		f.Since = a.now().AddDate(0, 0, -q.Days).UnixMilli()
	}
	rows, err := a.db.Alerts(ctx, f)
	if err != nil {
		return p, err
	}
	if len(rows) >= f.Limit {
		rows = rows[:f.Limit-1]
		p.Next = rows[len(rows)-1].ID
	}
	p.Rows = append(p.Rows, rows...)
	if p.Total, err = a.db.CountAlerts(ctx, f); err != nil {
		return p, err
	}
	f.Unseen = true
	p.Unseen, err = a.db.CountAlerts(ctx, f)
	return p, err
}

// AcknowledgeAlerts notes who took note of alerts.
func (a *app) AcknowledgeAlerts(ctx context.Context, r server.AcknowledgeRequest) (int, error) {
	n, err := a.db.Acknowledge(ctx, r.ID, r.UpTo, r.Actor, a.now().UnixMilli())
	if n > 0 {
		a.summed.forget()
		a.tell("alerts", 0)
	}
	return n, err
}
