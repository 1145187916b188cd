package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/RoaringBitmap/roaring/v2"

	"github.com/leeward-ctem/leeward/exposure"
	"github.com/leeward-ctem/leeward/index"
	"github.com/leeward-ctem/leeward/measure"
	"github.com/leeward-ctem/leeward/server"
)

// lasting keeps an answer that takes long to make until the index moves or the
// day ends. What takes very long is made anew only every so often.
type lasting[T any] struct {
	mu   sync.Mutex
	seq  int64
	day  uint16
	at   time.Time
	took time.Duration
	kept T
}

// quick is how long an answer may take and still be made anew at once.
const quick = 50 * time.Millisecond

// get answers with what is kept, or makes it.
func (c *lasting[T]) get(a *app, make func(v *index.View, today int) (T, error)) (T, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	v, today := a.ix.View(), a.today()
	old := c.seq != v.Seq() || c.day != today
	if !c.at.IsZero() && (!old || a.now().Sub(c.at) < 100*(c.took-quick)) {
		return c.kept, nil
	}
	start := time.Now()
	kept, err := make(v, int(today))
	if err != nil {
		return kept, err
	}
	c.seq, c.day, c.at, c.took, c.kept = v.Seq(), today, a.now(), time.Since(start), kept
	return kept, nil
}

// Measures answers with how the programme does over time.
func (a *app) Measures(ctx context.Context) (server.Measures, error) {
	return a.measured.get(a, func(v *index.View, today int) (server.Measures, error) { return a.measure(ctx, v, today) })
}

// measuredDays is how far back the flow is shown, periods how far back changes
// are told, and maxTeams of how many teams the repair is.
const (
	measuredDays = 120
	maxTeams     = 50
)

var periods = [...]int{1, 7, 30, 90}

func (a *app) measure(ctx context.Context, v *index.View, today int) (server.Measures, error) {
	m := server.Measures{At: a.now().UnixMilli(), SLA: map[string]measure.Compliance{}, TeamSLA: map[string]measure.Compliance{}, History: []server.Rollup{}}
	h, err := a.history(ctx, outOfScope(v), today)
	if err != nil {
		return m, err
	}
	m.Regressed = h.regressed
	m.Days = measure.Flow(slices.Values(h.transitions), today-measuredDays+1, today)
	m.Pace = measure.Project(m.Days)
	m.Forecast = forecast(&m.Pace)
	lives, err := a.lives(ctx, v)
	if err != nil {
		return m, err
	}
	m.Repair = lives.repair("", today, anyLife)
	for b := exposure.BandCritical; b > exposure.BandNone; b-- {
		in := func(g group) bool { return g.band == b }
		m.ByBand = append(m.ByBand, lives.repair(b.String(), today, in))
		m.SLA[b.String()] = measure.SLA(lives.deadlines(0, exposure.NoDue, in), today)
	}
	for _, team := range lives.teams(maxTeams) {
		in := func(g group) bool { return g.team == team }
		m.ByTeam = append(m.ByTeam, lives.repair(orElse(team, "none"), today, in))
		m.TeamSLA[orElse(team, "none")] = measure.SLA(lives.deadlines(0, exposure.NoDue, in), today)
	}
	slowestFirst(m.ByTeam)
	if m.Now, err = rollupOf(v, uint16(today)); err != nil {
		return m, err
	}
	err = a.db.Rollups(ctx, today-measuredDays+1, func(_ int, body []byte) error {
		var r server.Rollup
		err := json.Unmarshal(body, &r)
		m.History = append(m.History, r)
		return err
	})
	if err != nil {
		return m, err
	}
	for _, days := range periods {
		p, err := a.period(v, today, days, &m, lives)
		if err != nil {
			return m, err
		}
		p.Closed, p.Back = counted(v, h.closed[p.First]), counted(v, h.back[p.First])
		m.Periods = append(m.Periods, p)
	}
	m.Looks, err = a.looks(ctx)
	return m, err
}

// period is what changed since so many days ago.
func (a *app) period(v *index.View, today, days int, m *server.Measures, l lives) (server.Period, error) {
	p := server.Period{Days: days, First: today - days, ByBand: map[string]measure.Compliance{}}
	date := dayText(uint16(p.First))
	for _, c := range []struct {
		to     *server.Change
		filter string
	}{
		{&p.New, "first_seen>=" + date},
		{&p.Exploited, "kev_since>=" + date},
		// What was due the day before it began was overdue on its first day.
		{&p.Overdue, fmt.Sprintf("is:overdue due>=-%dd", days+1)},
	} {
		f, err := exposure.ParseFilter(c.filter)
		if err != nil {
			return p, err
		}
		page, err := v.Page(index.Query{Filter: f, Limit: 1, Today: uint16(today)})
		if err != nil {
			return p, err
		}
		*c.to = server.Change{Count: page.Total, Filter: c.filter}
	}
	for _, d := range m.Days {
		if d.Day >= p.First {
			p.Opened, p.Left, p.Verified = p.Opened+d.Opened+d.Reopened, p.Left+d.Closed, p.Verified+d.Verified
		}
	}
	p.SLA = measure.SLA(l.deadlines(p.First, today-1, anyLife), today)
	for b := exposure.BandCritical; b > exposure.BandNone; b-- {
		p.ByBand[b.String()] = measure.SLA(l.deadlines(p.First, today-1, func(g group) bool { return g.band == b }), today)
	}
	for i := range m.History {
		// A server that slept over a weekend still knows how it was before.
		if at := m.History[i].Day; at < p.First && at >= p.First-3 {
			p.Before = &m.History[i]
		}
	}
	return p, nil
}

// counted counts the findings of a set that still exist, with a filter that
// lists them if they are few enough for one.
func counted(v *index.View, ids *roaring.Bitmap) server.Change {
	var c server.Change
	filter := []byte("is:any id:")
	for _, id := range ids.ToArray() {
		if _, ok := v.Row(exposure.FindingID(id)); !ok {
			continue
		}
		if c.Count++; c.Count > 1 {
			filter = append(filter, ',')
		}
		if len(filter) < maxListed {
			filter = strconv.AppendUint(filter, uint64(id), 10)
		}
	}
	if c.Count > 0 && len(filter) < maxListed {
		c.Filter = string(filter)
	}
	return c
}

// maxListed bounds the bytes of a filter that names findings by number.
const maxListed = 3 << 10

// forecast is a pace in words.
func forecast(p *measure.Pace) string {
	week := func(x *float64) string {
		if *x < 0 {
			return fmt.Sprintf("−%.1f", -*x)
		}
		return fmt.Sprintf("+%.1f", *x)
	}
	on := func(day *int) string { return time.Unix(int64(*day)*86400, 0).UTC().Format("2 January 2006") }
	if p.Needs > 0 {
		return fmt.Sprintf("A forecast is not measurable yet: it needs %d whole weeks after the first import, and there are %d.", p.Weeks+p.Needs, p.Weeks)
	}
	if p.Open == 0 {
		return "There is no backlog."
	}
	pace := fmt.Sprintf("At the pace of the last %d weeks (%s a week, 95 %% interval %s to %s) the backlog is ", p.Weeks, week(p.Net), week(p.Low), week(p.High))
	switch {
	case p.Clear == nil && p.Earliest == nil:
		return pace + "never gone."
	case p.Clear == nil:
		return pace + "never gone; at the fast end of the interval by " + on(p.Earliest) + "."
	case p.Latest == nil:
		return pace + "gone by " + on(p.Clear) + ": by " + on(p.Earliest) + " at the fast end of the interval, never at the slow one."
	}
	return pace + "gone by " + on(p.Clear) + ": between " + on(p.Earliest) + " and " + on(p.Latest) + "."
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

// past is what the event log tells of all findings that still exist and are not
// left out.
type past struct {
	transitions  []measure.Transition
	regressed    *float64                // share of verified fixes that came back; nil: none was verified
	closed, back map[int]*roaring.Bitmap // by the first day of a period: closed in it, came back in it
}

func (a *app) history(ctx context.Context, gone *roaring.Bitmap, today int) (past, error) {
	p := past{closed: map[int]*roaring.Bitmap{}, back: map[int]*roaring.Bitmap{}}
	for _, days := range periods {
		p.closed[today-days], p.back[today-days] = roaring.New(), roaring.New()
	}
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
		return p, err
	}
	verified, back := 0, 0
	for _, e := range events {
		ids := roaring.BitmapOf(e.IDs...)
		if e.IDs == nil {
			ids.AddRange(uint64(e.First), uint64(e.Last)+1)
		}
		ids.AndNot(gone)
		n := int(ids.GetCardinality())
		if n == 0 {
			continue
		}
		day := int(index.DayOf(e.At))
		p.transitions = append(p.transitions, measure.Transition{Day: day, From: e.From, To: e.To, Count: n, First: e.Kind == exposure.EventOpened})
		if e.Kind == exposure.EventOpened {
			continue
		}
		switch {
		case e.To == exposure.StatusVerified:
			verified += n
		case e.From == exposure.StatusVerified:
			back += n
		}
		for first := range p.closed {
			switch {
			case day < first:
			case e.From.Open() && !e.To.Open():
				p.closed[first].Or(ids)
			case !e.From.Open() && e.To.Open():
				p.closed[first].AndNot(ids)
				if e.From == exposure.StatusVerified {
					p.back[first].Or(ids)
				}
			}
		}
	}
	if verified > 0 {
		rate := float64(back) / float64(verified)
		p.regressed = &rate
	}
	return p, nil
}

// rollup records the figures of the day that ends at a time.
func (a *app) rollup(ctx context.Context, at time.Time) error {
	day := index.DayOf(at.UnixMilli())
	r, err := rollupOf(a.ix.View(), day)
	if err != nil {
		return err
	}
	body, err := json.Marshal(r)
	if err != nil {
		return err
	}
	return a.db.PutRollup(ctx, int(day), body)
}

func rollupOf(v *index.View, day uint16) (server.Rollup, error) {
	r := server.Rollup{Day: int(day), Bands: map[string]int{}}
	groups, err := v.Group(exposure.Filter{}, day, "band")
	for _, g := range groups {
		r.Open, r.KEV, r.Late, r.Loss = r.Open+g.Count, r.KEV+g.KEV, r.Late+g.Overdue, r.Loss+g.Loss
		r.Bands[g.Keys[0]] = g.Count
	}
	return r, err
}
