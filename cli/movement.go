package cli

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/leeward-ctem/leeward/exposure"
	"github.com/leeward-ctem/leeward/index"
	"github.com/leeward-ctem/leeward/prioritize"
	"github.com/leeward-ctem/leeward/scope"
	"github.com/leeward-ctem/leeward/server"
	"github.com/leeward-ctem/leeward/web"
)

// modelDay is the day that a model speaks of. What is compared with it speaks of
// the same day, so that a day that passed moves nothing.
func modelDay(m *prioritize.Model) time.Time { return time.Unix(int64(m.Today())*86400, 0) }

// WhatIf says what a programme would move.
func (a *app) WhatIf(ctx context.Context, r server.WhatIfRequest) (server.WhatIf, error) {
	_, live := a.inForce()
	p, m, err := readProgramme(r.File, r.Body, modelDay(live))
	if err != nil {
		return server.WhatIf{}, err
	}
	v := a.ix.View()
	f, err := a.filter(ctx, v, r.Filter)
	if err != nil {
		return server.WhatIf{}, err
	}
	moves, err := a.movement(ctx, v, p, m, f)
	if err != nil {
		return server.WhatIf{}, err
	}
	w := whatIf(v, &moves)
	a.mu.Lock()
	w.Version = a.version
	a.mu.Unlock()
	w.Outdated = r.Base != 0 && r.Base != w.Version
	w.Filter, w.Currency, w.ModelBefore, w.ModelAfter = r.Filter, p.Currency, v.Model().Version(), m.Version()
	w.Summary = movementText(&w)
	return w, nil
}

// movement compares a view with what a programme would make of it. One is
// computed at a time: beside what is in force it takes 4 bytes a finding, which
// bounds what all who ask at once can take.
func (a *app) movement(ctx context.Context, v *index.View, p *scope.Programme, m *prioritize.Model, f exposure.Filter) (index.Movement, error) {
	select {
	case a.moves <- struct{}{}:
		defer func() { <-a.moves }()
	case <-ctx.Done():
		return index.Movement{}, ctx.Err()
	}
	after, err := v.Under(ctx, m, p)
	if err != nil {
		return index.Movement{}, err
	}
	return index.Compare(ctx, v, after, f, a.today())
}

// bandChanges is how many open findings a programme would put in another band.
func (a *app) bandChanges(ctx context.Context, p *scope.Programme, m *prioritize.Model) (*int, error) {
	moves, err := a.movement(ctx, a.ix.View(), p, m, exposure.Filter{})
	if err != nil {
		return nil, err
	}
	up, down := bandMoves(&moves)
	n := up + down
	return &n, nil
}

// bandMoves counts the findings that go to a higher and to a lower band.
func bandMoves(m *index.Movement) (up, down int) {
	for from := range index.Outside {
		for to := range index.Outside {
			switch n := m.Bands[from][to]; {
			case to > from:
				up += n
			case to < from:
				down += n
			}
		}
	}
	return up, down
}

// The most owners, and pairs of them, that an answer names.
const (
	maxMovedOwners = 100
	maxHanded      = 100
)

func whatIf(v *index.View, m *index.Movement) server.WhatIf {
	w := server.WhatIf{
		Before: server.WhatIfTotals(m.Before), After: server.WhatIfTotals(m.After),
		Moved: m.Moved, Entered: m.Entered, Left: m.Left, Up: m.Up, Down: m.Down,
		DueEarlier: m.Earlier, DueLater: m.Later, DueAppeared: m.Appeared, DueVanished: m.Vanished,
		NewlyOverdue: m.NewlyOverdue, NoLongerOverdue: m.Relieved,
		Bands: []server.WhatIfBand{}, Owners: []server.WhatIfOwner{}, Handed: []server.WhatIfHanded{}, Rules: []server.WhatIfRule{},
		OwnersMore: max(0, len(m.Owners)-maxMovedOwners), HandedMore: max(0, len(m.Handed)-maxHanded),
	}
	w.BandUp, w.BandDown = bandMoves(m)
	for i := range m.Owners {
		w.HandedOver += m.Owners[i].Came
	}
	for from := range m.Bands {
		for to, n := range m.Bands[from] {
			if n > 0 {
				w.Bands = append(w.Bands, server.WhatIfBand{From: bandName(exposure.Band(from)), To: bandName(exposure.Band(to)), Findings: n})
			}
		}
	}
	for _, o := range m.Owners[:min(len(m.Owners), maxMovedOwners)] {
		w.Owners = append(w.Owners, server.WhatIfOwner{
			Owner: o.Owner, Moved: o.Moved, Before: server.WhatIfTotals(o.Before), After: server.WhatIfTotals(o.After),
			Up: o.Up, Down: o.Down, DueEarlier: o.Earlier, DueLater: o.Later, NewlyOverdue: o.NewlyOverdue, Came: o.Came, Went: o.Went,
		})
	}
	for _, h := range m.Handed[:min(len(m.Handed), maxHanded)] {
		w.Handed = append(w.Handed, server.WhatIfHanded(h))
	}
	for _, r := range m.Rules {
		w.Rules = append(w.Rules, server.WhatIfRule(r))
	}
	w.Top, w.Dropped, w.Farthest = movers(v, m.Top), movers(v, m.Dropped), movers(v, m.Farthest)
	return w
}

func movers(v *index.View, all []index.Mover) []server.WhatIfFinding {
	rows := make([]server.WhatIfFinding, len(all))
	for i, m := range all {
		adv := v.Advisory(m.Advisory)
		rows[i] = server.WhatIfFinding{ID: m.ID.String(), Advisory: adv.Key, Title: baseTitle(adv), Before: stood(m.Before), After: stood(m.After)}
		if asset := v.Asset(m.Asset); asset != nil {
			rows[i].Asset, rows[i].AssetID = asset.Name, asset.ID
		}
	}
	return rows
}

func stood(s index.Standing) server.WhatIfStanding {
	return server.WhatIfStanding{Risk: s.Risk.Points(), Band: bandName(s.Band), Due: dayText(s.Due), DueRule: s.Rule, Owner: s.Owner, Rank: s.Rank}
}

func bandName(b exposure.Band) string {
	if b == index.Outside {
		return "outside"
	}
	return b.String()
}

// movementText tells a movement in one sentence without a full stop.
func movementText(w *server.WhatIf) string {
	if w.Moved == 0 {
		switch {
		case w.Before.Open == 1:
			return "nothing moves: the one open finding stays as it is"
		case w.Before.Open > 1:
			return "nothing moves: all " + web.Number(w.Before.Open) + " open findings stay as they are"
		case w.Filter != "":
			return "nothing moves: no open finding matches"
		}
		return "nothing moves: there are no open findings"
	}
	var parts []string
	add := func(n int, one, several string) {
		if n > 0 {
			parts = append(parts, web.Plural(n, one, several))
		}
	}
	if w.Filter == "" {
		add(w.Entered, "comes into scope", "come into scope")
		add(w.Left, "goes out of scope", "go out of scope")
	} else {
		add(w.Entered, "matches only then", "match only then")
		add(w.Left, "matches only now", "match only now")
	}
	add(w.BandUp, "goes to a higher band", "go to a higher band")
	add(w.BandDown, "goes to a lower band", "go to a lower band")
	add(w.DueEarlier+w.DueAppeared, "is due earlier", "are due earlier")
	add(w.DueLater+w.DueVanished, "is due later or never", "are due later or never")
	add(w.NewlyOverdue, "becomes overdue", "become overdue")
	add(w.HandedOver, "gets another owner", "get another owner")
	verb := "move"
	if w.Moved == 1 {
		verb = "moves"
	}
	text := fmt.Sprintf("%s of %s %s", web.Number(w.Moved), web.Plural(w.Before.Open+w.Entered, "open finding", "open findings"), verb)
	if len(parts) > 0 {
		text += ": " + strings.Join(parts, ", ")
	}
	if before, after := web.Money(w.Before.Loss, ""), web.Money(w.After.Loss, w.Currency); before != web.Money(w.After.Loss, "") {
		text += fmt.Sprintf("; the expected loss goes from %s to %s", before, after)
	}
	return text
}
