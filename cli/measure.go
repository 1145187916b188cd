package cli

import (
	"cmp"
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
// day ends. Of many findings nobody waits long for it: an old answer is given
// until the new one is there, and pages then hear that it is.
type lasting[T any] struct {
	mu     sync.Mutex
	seq    int64
	day    uint16
	at     time.Time // zero: nothing is kept
	took   time.Duration
	kept   T
	turn   int     // grows when what is kept is forgotten
	making *making // nil: nothing is
	behind bool    // somebody was given an old answer
}

// making is an answer being made. err is set before done is closed.
type making struct {
	done chan struct{}
	err  error
}

// quick is how long an answer of many findings may take and still be made at
// once when the index moves; a slower one takes at most a tenth of the time.
const (
	quick = 50 * time.Millisecond
	pause = 10
)

// fewFindings is of how many findings answers are always new; of more nobody
// waits longer than briefly while there is an old one.
const fewFindings = 100_000

// many reports whether a view has more than few findings.
func (a *app) many(v *index.View) bool { return v.Len() > cmp.Or(a.few, fewFindings) }

// get answers with what is kept, or makes it.
func (c *lasting[T]) get(ctx context.Context, a *app, fresh func(ctx context.Context, v *index.View, today int) (T, error)) (T, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	var err error
	for range 2 { // what is being made may have begun before the index moved last
		v, today := a.ix.View(), a.today()
		have := !c.at.IsZero()
		slow := have && c.day == today && c.took > quick && a.many(v)
		switch {
		case have && c.day == today && c.seq == v.Seq():
			return c.kept, nil
		case slow && a.now().Sub(c.at) < pause*c.took:
			return c.kept, nil
		}
		if c.making == nil {
			c.making = &making{done: make(chan struct{})}
			go c.remake(context.WithoutCancel(ctx), a, v, today, fresh, c.making, c.turn)
		}
		if slow {
			c.behind = true
			return c.kept, nil
		}
		m := c.making
		var late <-chan time.Time
		if have && a.many(v) {
			late = time.After(briefly)
		}
		c.mu.Unlock()
		select {
		case <-m.done:
			err = m.err
		case <-late:
		case <-ctx.Done():
			err = ctx.Err()
		}
		c.mu.Lock()
		if c.making == m { // it goes on
			c.behind = true
			return c.kept, err
		}
		if err != nil {
			break
		}
	}
	return c.kept, err
}

// remake makes an answer and keeps it, unless what it is made of was forgotten
// meanwhile.
func (c *lasting[T]) remake(ctx context.Context, a *app, v *index.View, today uint16, fresh func(ctx context.Context, v *index.View, today int) (T, error), m *making, turn int) {
	start := time.Now()
	kept, err := fresh(ctx, v, int(today))
	c.mu.Lock()
	defer c.mu.Unlock()
	if m.err = err; err == nil && turn == c.turn { // else the next who asks tries again
		c.seq, c.day, c.at, c.took, c.kept = v.Seq(), today, a.now(), time.Since(start), kept
	}
	c.making = nil
	close(m.done)
	if c.behind {
		c.behind = false
		a.tell("measured", nil)
	}
}

// forget makes the next who asks wait for a new answer.
func (c *lasting[T]) forget() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = time.Time{}
	c.turn++
}

// Measures answers with how the programme does over time, of the assets that a
// filter selects today.
func (a *app) Measures(ctx context.Context, filter string) (server.Measures, error) {
	f, err := exposure.ParseFilter(filter)
	if err != nil {
		return server.Measures{}, err
	}
	return a.measured.of(f).get(ctx, a, func(ctx context.Context, v *index.View, today int) (server.Measures, error) {
		return a.measure(ctx, v, today, f)
	})
}

// measuredDays is how far back the flow is shown, periods how far back changes
// are told, and maxTeams of how many teams the repair is.
const (
	measuredDays = 120
	maxTeams     = 50
)

var periods = [...]int{1, 7, 30, 90}

func (a *app) measure(ctx context.Context, v *index.View, today int, f exposure.Filter) (server.Measures, error) {
	m := server.Measures{At: a.now().UnixMilli(), Filter: f.String(), SLA: map[string]measure.Compliance{}, TeamSLA: map[string]measure.Compliance{}, History: []server.Rollup{}}
	on, err := onlyOn(v, f)
	if err != nil {
		return m, err
	}
	h, err := a.history(ctx, v, today, on)
	if err != nil {
		return m, err
	}
	m.Regressed = h.regressed
	m.Days = measure.Flow(slices.Values(h.transitions), today-measuredDays+1, today)
	m.Pace = measure.Project(m.Days)
	m.Forecast = forecast(&m.Pace)
	lives, err := a.lives(ctx, v, on)
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
	if m.Now, _, err = figures(v, f, uint16(today)); err != nil {
		return m, err
	}
	if len(f.Terms) == 0 { // what was recorded is of everything
		err = a.db.Rollups(ctx, today-measuredDays+1, func(_ int, body []byte) error {
			var r server.Rollup
			err := json.Unmarshal(body, &r)
			m.History = append(m.History, r)
			return err
		})
		if err != nil {
			return m, err
		}
	}
	for _, days := range periods {
		p, err := a.period(v, today, days, &m, lives, f)
		if err != nil {
			return m, err
		}
		if p.New, err = appeared(v, h.opened[p.First], today, f); err != nil {
			return m, err
		}
		p.Closed, p.Back = counted(v, h.closed[p.First]), counted(v, h.back[p.First])
		m.Periods = append(m.Periods, p)
	}
	m.Looks, err = a.looks(ctx, on)
	return m, err
}

// period is what changed since so many days ago.
func (a *app) period(v *index.View, today, days int, m *server.Measures, l lives, f exposure.Filter) (server.Period, error) {
	p := server.Period{Days: days, First: today - days, ByBand: map[string]measure.Compliance{}}
	date := dayText(uint16(p.First))
	for _, c := range []struct {
		to     *server.Change
		filter string
	}{
		{&p.Exploited, "kev_since>=" + date},
		// What was due the day before it began was overdue on its first day.
		{&p.Overdue, fmt.Sprintf("is:overdue due>=-%dd", days+1)},
	} {
		filter := both(c.filter, f)
		n, err := count(v, filter, today)
		if err != nil {
			return p, err
		}
		*c.to = server.Change{Count: n, Filter: filter}
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

// appeared counts the findings of a set that are open. The filter selects the
// assets that they are on.
func appeared(v *index.View, ids *roaring.Bitmap, today int, f exposure.Filter) (server.Change, error) {
	var open []uint32
	for i := ids.Iterator(); i.HasNext(); {
		id := i.Next()
		if r, ok := v.Row(exposure.FindingID(id)); ok && r.Status.Open() {
			open = append(open, id)
		}
	}
	c := server.Change{Count: len(open)}
	if c.Count == 0 {
		return c, nil
	}
	// Findings are numbered as they come, so mostly the first of them tells all.
	c.Filter = both(fmt.Sprintf("id>=%d", open[0]), f)
	n, err := count(v, c.Filter, today)
	if n != c.Count {
		c.Filter = numbered("", open)
	}
	return c, err
}

// counted counts the findings of a set that still exist.
func counted(v *index.View, ids *roaring.Bitmap) server.Change {
	var list []uint32
	for i := ids.Iterator(); i.HasNext(); {
		id := i.Next()
		if _, ok := v.Row(exposure.FindingID(id)); ok {
			list = append(list, id)
		}
	}
	return server.Change{Count: len(list), Filter: numbered("is:any ", list)}
}

// numbered is a filter that names findings by number, empty when there are none
// or too many.
func numbered(filter string, ids []uint32) string {
	b := []byte(filter + "id:")
	for i, id := range ids {
		if i > 0 {
			b = append(b, ',')
		}
		if b = strconv.AppendUint(b, uint64(id), 10); len(b) > maxListed {
			return ""
		}
	}
	if len(ids) == 0 {
		return ""
	}
	return string(b)
}

// count is how many findings a filter selects.
func count(v *index.View, filter string, today int) (int, error) {
	f, err := exposure.ParseFilter(filter)
	if err != nil {
		return 0, err
	}
	page, err := v.Page(index.Query{Filter: f, Limit: 1, Today: uint16(today)})
	return page.Total, err
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

// outOfScope are the findings on assets that the programme excludes, and on
// those that are not asked about: measures speak of what counts.
func outOfScope(v *index.View, on func(exposure.AssetID) bool) *roaring.Bitmap {
	out := roaring.New()
	v.OnAssets(func(id exposure.AssetID) bool {
		a := v.Asset(id)
		return !on(id) || a != nil && a.Context.Excluded
	}, func(id exposure.FindingID, _ exposure.AssetID) { out.Add(uint32(id)) })
	return out
}

// past is what the event log tells of all findings that still exist and are not
// left out.
type past struct {
	transitions []measure.Transition
	regressed   *float64 // share of verified fixes that came back; nil: none was verified
	// By the first day of a period: what was opened in it, closed, came back.
	opened, closed, back map[int]*roaring.Bitmap
}

func (a *app) history(ctx context.Context, v *index.View, today int, on func(exposure.AssetID) bool) (past, error) {
	gone := outOfScope(v, on)
	p := past{opened: map[int]*roaring.Bitmap{}, closed: map[int]*roaring.Bitmap{}, back: map[int]*roaring.Bitmap{}}
	for _, days := range periods {
		p.opened[today-days], p.closed[today-days], p.back[today-days] = roaring.New(), roaring.New(), roaring.New()
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
	asleep := asleep(v, events)
	verified, back := 0, 0
	for i := range events {
		e, ids := &events[i], idsOf(&events[i])
		ids.AndNot(gone)
		day, n := int(index.DayOf(e.At)), int(ids.GetCardinality())
		if e.Kind == exposure.EventOpened {
			never := int(ids.AndCardinality(asleep))
			n -= never
			p.transitions = append(p.transitions, measure.Transition{Day: day, To: exposure.StatusSuppressed, Count: never, First: true})
		}
		p.transitions = append(p.transitions, measure.Transition{Day: day, From: e.From, To: e.To, Count: n, First: e.Kind == exposure.EventOpened})
		switch {
		case e.Kind == exposure.EventOpened:
		case e.To == exposure.StatusVerified:
			verified += n
		case e.From == exposure.StatusVerified:
			back += n
		}
		for first := range p.closed {
			switch {
			case day < first:
			case e.Kind == exposure.EventOpened:
				p.opened[first].Or(ids)
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

// asleep are the findings that were not open when they came, because all that
// was said of them first is that they do not apply or are silenced. Their
// event says open like that of their batch; their first move tells, or where
// they stand if they never moved.
func asleep(v *index.View, events []exposure.Event) *roaring.Bitmap {
	asleep, moved, all := roaring.New(), roaring.New(), roaring.New()
	for i := range events {
		ids := idsOf(&events[i])
		if events[i].Kind == exposure.EventOpened {
			all.Or(ids)
			continue
		}
		if !events[i].From.Open() {
			asleep.Or(roaring.AndNot(ids, moved))
		}
		moved.Or(ids)
	}
	all.AndNot(moved)
	for i := all.Iterator(); i.HasNext(); {
		id := i.Next()
		if r, ok := v.Row(exposure.FindingID(id)); ok && !r.Status.Open() {
			asleep.Add(id)
		}
	}
	return asleep
}

// idsOf are the findings that an event speaks of.
func idsOf(e *exposure.Event) *roaring.Bitmap {
	if e.IDs != nil {
		return roaring.BitmapOf(e.IDs...)
	}
	ids := roaring.New()
	ids.AddRange(uint64(e.First), uint64(e.Last)+1)
	return ids
}

// rollup records the figures of the day that ends at a time.
func (a *app) rollup(ctx context.Context, at time.Time) error {
	day := index.DayOf(at.UnixMilli())
	r, _, err := figures(a.ix.View(), exposure.Filter{}, day)
	if err != nil {
		return err
	}
	body, err := json.Marshal(r)
	if err != nil {
		return err
	}
	return a.db.PutRollup(ctx, int(day), body)
}
