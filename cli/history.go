package cli

import (
	"context"
	"slices"

	"github.com/leeward-ctem/leeward/exposure"
	"github.com/leeward-ctem/leeward/index"
	"github.com/leeward-ctem/leeward/prioritize"
	"github.com/leeward-ctem/leeward/scope"
	"github.com/leeward-ctem/leeward/server"
	"github.com/leeward-ctem/leeward/store"
	"github.com/leeward-ctem/leeward/validate"
)

// historyDays is how far back the score of a finding is told.
const historyDays = 365

// scoreHistory replays the score of a finding by what was known and in force on
// each day. What is in force now is taken from d, so that the history ends with
// the score that the page shows.
func (a *app) scoreHistory(ctx context.Context, r index.Row, d *server.FindingDetail) (exposure.History, error) {
	_, model := a.inForce()
	today := model.Today() // the day that the scores shown are of
	from := min(max(int(r.FirstSeen), today-historyDays), today)
	threats, err := a.db.Threats(ctx, r.Advisory)
	if err != nil {
		return exposure.History{}, err
	}
	programmes, err := a.pastProgrammes(ctx, from)
	if err != nil {
		return exposure.History{}, err
	}
	all, err := a.db.VerdictsOf(ctx, []exposure.FindingID{r.ID})
	if err != nil {
		return exposure.History{}, err
	}
	verdicts := all[r.ID]

	now := a.now().UnixMilli()
	cuts := []int64{0} // whatever was true when the history begins
	for _, t := range threats {
		cuts = append(cuts, t.At)
	}
	for _, p := range programmes {
		cuts = append(cuts, p.at)
	}
	for _, v := range verdicts {
		cuts = append(cuts, v.At, v.Until)
	}
	slices.Sort(cuts)
	cuts = slices.Compact(cuts)
	var eras []prioritize.Era
	contexts := map[int64]*exposure.Context{}
	for i, cut := range cuts {
		if cut > now {
			break
		}
		e := prioritize.Era{From: max(from, int(index.DayOf(cut))), Model: model, Evidence: prioritize.Evidence{
			Advisory: &d.Info, Context: d.AssetInfo.Context, Detection: r.Detection, Verdict: validate.InForce(verdicts, cut), FirstSeen: int(r.FirstSeen)}}
		if n := latest(threats, cut, func(t store.PastThreat) int64 { return t.At }); n >= 0 && n < len(threats)-1 {
			past := d.Info
			past.Threat = threats[n].Threat
			e.Evidence.Advisory = &past
		}
		if n := latest(programmes, cut, func(p pastProgramme) int64 { return p.at }); n < len(programmes)-1 {
			p := pastProgramme{}
			if n >= 0 {
				p = programmes[n]
			}
			if p, err = a.recall(ctx, p); err != nil {
				return exposure.History{}, err
			}
			if contexts[p.version] == nil {
				c := p.programme.Context(&d.AssetInfo)
				contexts[p.version] = &c
			}
			e.Model, e.Evidence.Context = p.model, contexts[p.version]
		}
		if i == len(cuts)-1 || cuts[i+1] > now {
			e.Evidence.Verdict = r.Verdict
		}
		eras = append(eras, e)
	}
	return prioritize.History(eras, today), nil
}

// latest is the place of the last that was true at a time, −1 for none.
func latest[T any](all []T, at int64, since func(T) int64) int {
	n, _ := slices.BinarySearchFunc(all, at+1, func(x T, t int64) int {
		if since(x) < t {
			return -1
		}
		return 1
	})
	return n - 1
}

// pastProgramme is a version of the programme and the model it asks for.
// Version 0 is that of nobody having applied any.
type pastProgramme struct {
	version, at int64
	programme   *scope.Programme
	model       *prioritize.Model
}

// maxPast bounds how many versions are read for one history, and kept.
const maxPast = 100

// pastProgrammes are the versions in force from a day on, oldest first.
func (a *app) pastProgrammes(ctx context.Context, from int) ([]pastProgramme, error) {
	versions, times, err := a.db.ProgrammeTimes(ctx)
	var all []pastProgramme
	for i, v := range versions {
		if i+1 < len(times) && int(index.DayOf(times[i+1])) <= from || i < len(versions)-maxPast {
			continue // no day of the history ends with it
		}
		all = append(all, pastProgramme{version: v, at: times[i]})
	}
	return all, err
}

// recall reads a version of the programme, once.
func (a *app) recall(ctx context.Context, p pastProgramme) (pastProgramme, error) {
	a.mu.Lock()
	known, ok := a.past[p.version]
	a.mu.Unlock()
	if ok {
		return known, nil
	}
	p.programme = &scope.Programme{}
	if p.version > 0 {
		body, err := a.db.ProgrammeOf(ctx, p.version)
		if err != nil {
			return p, err
		}
		if p.programme, err = scope.Parse("programme", []byte(body)); err != nil {
			return p, exposure.Errorf(exposure.Internal, "version %d of the programme cannot be read: %w", p.version, err)
		}
	}
	var err error
	if p.model, err = a.modelOf(p.programme); err != nil {
		return p, exposure.Errorf(exposure.Internal, "the risk model of version %d of the programme: %w", p.version, err)
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.past == nil || len(a.past) >= maxPast {
		a.past = map[int64]pastProgramme{}
	}
	a.past[p.version] = p
	return p, nil
}
