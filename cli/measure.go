package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"iter"
	"math"
	"sync"
	"time"

	"github.com/RoaringBitmap/roaring/v2"

	"github.com/leeward-ctem/leeward/exposure"
	"github.com/leeward-ctem/leeward/index"
	"github.com/leeward-ctem/leeward/measure"
	"github.com/leeward-ctem/leeward/server"
)

// measureCache keeps the last measures: they read every finding, so on a large
// estate they are computed at most every few minutes.
type measureCache struct {
	mu     sync.Mutex
	seq    int64
	day    uint16
	at     time.Time
	took   time.Duration
	result server.Measures
}

// measuredDays is how far back the flow is shown.
const measuredDays = 120

// Measures answers with how the programme does over time.
func (a *app) Measures(ctx context.Context) (server.Measures, error) {
	c := &a.measured
	c.mu.Lock()
	defer c.mu.Unlock()
	v, today := a.ix.View(), a.today()
	old := c.seq != v.Seq() || c.day != today
	if !c.at.IsZero() && (!old || a.now().Sub(c.at) < 100*c.took) {
		return c.result, nil
	}
	start := time.Now()
	m, err := a.measure(ctx, v, int(today))
	if err != nil {
		return m, err
	}
	c.seq, c.day, c.at, c.took, c.result = v.Seq(), today, a.now(), time.Since(start), m
	return m, nil
}

func (a *app) measure(ctx context.Context, v *index.View, today int) (server.Measures, error) {
	m := server.Measures{At: a.now().UnixMilli(), Teams: map[string]*float64{}, SLA: map[string]measure.Compliance{}, History: []server.Rollup{}}
	transitions, regressed, err := a.transitions(ctx, outOfScope(v))
	if err != nil {
		return m, err
	}
	m.Regressed = regressed
	m.Days = measure.Flow(transitions, today-measuredDays+1, today)
	var all []measure.History
	teams := map[string][]measure.History{}
	due := map[exposure.Band][]measure.Deadline{}
	err = a.db.Findings(ctx, 1, exposure.FindingID(v.Len()), func(f *exposure.Finding) error {
		r, ok := v.Row(f.ID)
		if !ok {
			return nil
		}
		asset := v.Asset(r.Asset)
		if asset != nil && asset.Context.Excluded {
			return nil
		}
		h := measure.History{First: int(index.DayOf(f.FirstSeen))}
		if !f.Status.Open() {
			h.Ended, h.End = int(index.DayOf(f.Since)), f.Status
		}
		all = append(all, h)
		if asset != nil {
			teams[asset.Context.Owner] = append(teams[asset.Context.Owner], h)
		}
		if day := v.Deadline(f.ID); day != exposure.NoDue {
			d := measure.Deadline{Due: int(day)}
			switch {
			case f.Status == exposure.StatusVerified:
				d.Closed = h.Ended
			case !f.Status.Open() && h.Ended <= int(day):
				return nil // decided otherwise in time: nothing was due any more
			}
			due[r.Band] = append(due[r.Band], d)
		}
		return nil
	})
	if err != nil {
		return m, err
	}
	spans := measure.Spans(each(all), today)
	m.Repair = measure.KaplanMeier(spans)
	m.HalfLife = halfLife(m.Repair)
	if m.Repair.Followed >= 90 { // else there is nothing to say of the 90th day
		mean := m.Repair.RestrictedMean(90)
		m.Limited = &mean
	}
	if mean, _, ok := measure.ClosedMean(spans); ok {
		m.Mean = &mean
	}
	for team, list := range teams {
		m.Teams[orElse(team, "none")] = halfLife(measure.KaplanMeier(measure.Spans(each(list), today)))
	}
	for band, list := range due {
		m.SLA[band.String()] = measure.SLA(each(list), today)
	}
	m.Forecast = forecast(m.Days)
	err = a.db.Rollups(ctx, today-measuredDays+1, func(_ int, body []byte) error {
		var r server.Rollup
		err := json.Unmarshal(body, &r)
		m.History = append(m.History, r)
		return err
	})
	return m, err
}

func each[T any](list []T) iter.Seq[T] {
	return func(yield func(T) bool) {
		for _, x := range list {
			if !yield(x) {
				return
			}
		}
	}
}

func halfLife(c measure.Curve) *float64 {
	if days, ok := c.HalfLife(); ok {
		return &days
	}
	return nil
}

func forecast(days []measure.Day) string {
	clear, ok, net := measure.Forecast(days, 30)
	switch {
	case len(days) == 0 || days[len(days)-1].Open == 0:
		return "There is no backlog."
	case ok:
		return fmt.Sprintf("At the pace of the last 30 days (%.1f fewer a day) the backlog is gone by %s.", -net, dayText(uint16(min(clear, math.MaxUint16-1))))
	}
	return fmt.Sprintf("At the pace of the last 30 days (%+.1f a day) the backlog never ends.", net)
}

// outOfScope are the findings on assets that the programme excludes: measures
// speak of what counts.
func outOfScope(v *index.View) *roaring.Bitmap {
	out := roaring.New()
	v.OnAssets(func(id exposure.AssetID) bool {
		a := v.Asset(id)
		return a != nil && a.Context.Excluded
	}, func(id exposure.FindingID, _ exposure.AssetID) { out.Add(uint32(id)) })
	return out
}

// transitions are the moves of all findings that still exist and are not left
// out, from the event log, and the share of verified fixes that came back.
func (a *app) transitions(ctx context.Context, gone *roaring.Bitmap) (iter.Seq[measure.Transition], *float64, error) {
	var events []exposure.Event
	err := a.db.Events(ctx, 0, func(e *exposure.Event) error {
		switch e.Kind {
		case exposure.EventOpened, exposure.EventMoved:
			events = append(events, *e)
		case exposure.EventRemoved, exposure.EventMerged:
			gone.AddMany(e.IDs)
		}
		return nil
	})
	if err != nil {
		return nil, nil, err
	}
	var all []measure.Transition
	verified, back := 0, 0
	for _, e := range events {
		ids := roaring.BitmapOf(e.IDs...)
		if e.IDs == nil {
			ids.AddRange(uint64(e.First), uint64(e.Last)+1)
		}
		n := int(ids.GetCardinality() - ids.AndCardinality(gone))
		if n == 0 {
			continue
		}
		all = append(all, measure.Transition{Day: int(index.DayOf(e.At)), From: e.From, To: e.To, Count: n, First: e.Kind == exposure.EventOpened})
		switch {
		case e.Kind == exposure.EventMoved && e.To == exposure.StatusVerified:
			verified += n
		case e.Kind == exposure.EventMoved && e.From == exposure.StatusVerified:
			back += n
		}
	}
	if verified == 0 {
		return each(all), nil, nil
	}
	rate := float64(back) / float64(verified)
	return each(all), &rate, nil
}

// rollup records the figures of the day that ends at a time.
func (a *app) rollup(ctx context.Context, at time.Time) error {
	day := index.DayOf(at.UnixMilli())
	groups, err := a.ix.View().Group(exposure.Filter{}, day, "band")
	if err != nil {
		return err
	}
	r := server.Rollup{Day: int(day), Bands: map[string]int{}}
	for _, g := range groups {
		r.Open, r.KEV, r.Late, r.Loss = r.Open+g.Count, r.KEV+g.KEV, r.Late+g.Overdue, r.Loss+g.Loss
		r.Bands[g.Keys[0]] = g.Count
	}
	body, err := json.Marshal(r)
	if err != nil {
		return err
	}
	return a.db.PutRollup(ctx, int(day), body)
}
