package cli

import (
	"cmp"
	"context"
	"iter"
	"maps"
	"math"
	"slices"
	"strings"

	"github.com/leeward-ctem/leeward/exposure"
	"github.com/leeward-ctem/leeward/index"
	"github.com/leeward-ctem/leeward/measure"
	"github.com/leeward-ctem/leeward/server"
)

// life is what statistics need of one finding. There may be millions.
type life struct {
	first uint16 // day it was first seen
	ended uint16 // day it took the status end; 0: it is open
	due   uint16 // day it is or was due; exposure.NoDue: none
	end   exposure.Status
}

// group is the findings of one band on the assets of one team, "" of nobody's.
type group struct {
	band exposure.Band
	team string
}

func anyLife(group) bool { return true }

// lives are the findings that count, by group.
type lives map[group][]life

// lives reads all findings but those on excluded assets, and on those that are
// not asked about.
func (a *app) lives(ctx context.Context, v *index.View, on func(exposure.AssetID) bool) (lives, error) {
	all := lives{}
	take := func(f *exposure.Finding) error {
		r, ok := v.Row(f.ID)
		if !ok || !on(r.Asset) {
			return nil
		}
		g := group{band: r.Band}
		if asset := v.Asset(r.Asset); asset != nil {
			if asset.Context.Excluded {
				return nil
			}
			g.team = asset.Context.Owner
		}
		l := life{first: index.DayOf(f.FirstSeen), due: v.Deadline(f.ID)}
		if !f.Status.Open() {
			l.ended, l.end = index.DayOf(f.Since), f.Status
		}
		all[g] = append(all[g], l)
		return nil
	}
	// Few of them are read faster by their numbers than among all.
	few := v.Len() / 4
	var ids []exposure.FindingID
	v.OnAssets(on, func(id exposure.FindingID, _ exposure.AssetID) {
		if len(ids) <= few {
			ids = append(ids, id)
		}
	})
	if len(ids) <= few {
		return all, a.db.FindingsByID(ctx, ids, take)
	}
	return all, a.db.Findings(ctx, 1, exposure.FindingID(v.Len()), take)
}

// of calls f with the lives of the groups that are wanted.
func (l lives) of(in func(group) bool, f func(*life) bool) {
	for g, list := range l {
		if !in(g) {
			continue
		}
		for i := range list {
			if !f(&list[i]) {
				return
			}
		}
	}
}

// teams are the teams with the most findings, at most n of them.
func (l lives) teams(n int) []string {
	findings := map[string]int{}
	for g, list := range l {
		findings[g.team] += len(list)
	}
	teams := slices.SortedFunc(maps.Keys(findings), func(x, y string) int {
		return cmp.Or(cmp.Compare(findings[y], findings[x]), strings.Compare(x, y))
	})
	return teams[:min(n, len(teams))]
}

// repair is how fast the findings of some groups are fixed.
func (l lives) repair(name string, today int, in func(group) bool) server.Repair {
	spans := measure.Spans(func(yield func(measure.History) bool) {
		l.of(in, func(x *life) bool {
			return yield(measure.History{First: int(x.first), Ended: int(x.ended), End: x.end})
		})
	}, today)
	r := server.Repair{Name: name, Curve: measure.KaplanMeier(spans)}
	if days, ok := r.Curve.HalfLife(); ok {
		r.HalfLife = &days
	}
	r.HalfLifeLow, r.HalfLifeHigh = r.Curve.HalfLifeInterval()
	after := func(day int) *server.Estimate {
		p, ok := r.Curve.At(day)
		if !ok {
			return nil
		}
		return &server.Estimate{Value: p.Survival, Low: p.Lower, High: p.Upper}
	}
	r.After30, r.After90 = after(30), after(90)
	if r.Curve.Followed >= 90 { // else there is nothing to say of the 90th day
		mean := r.Curve.RestrictedMean(90)
		r.Limited = &mean
	}
	if mean, _, ok := measure.ClosedMean(spans); ok {
		r.Mean = &mean
	}
	return r
}

// deadlines are the due days of some groups between two days, from whichever
// when first is 0.
func (l lives) deadlines(first, last int, in func(group) bool) iter.Seq[measure.Deadline] {
	return func(yield func(measure.Deadline) bool) {
		l.of(in, func(x *life) bool {
			if x.due == exposure.NoDue || int(x.due) < first || int(x.due) > last {
				return true
			}
			if x.ended != 0 && x.end != exposure.StatusVerified && x.ended <= x.due {
				return true // decided otherwise in time: nothing was due any more
			}
			return yield(measure.Deadline{Due: int(x.due), Closed: int(x.ended)})
		})
	}
}

// slowestFirst sorts by half-life. Who has not fixed half yet is slower than all.
func slowestFirst(all []server.Repair) {
	half := func(r *server.Repair) float64 {
		if r.HalfLife == nil {
			return math.Inf(1)
		}
		return *r.HalfLife
	}
	slices.SortStableFunc(all, func(x, y server.Repair) int {
		return cmp.Or(cmp.Compare(half(&y), half(&x)), strings.Compare(x.Name, y.Name))
	})
}
