package prioritize

import "github.com/leeward-ctem/leeward/exposure"

// Era is a time in which nothing changed that a score is made of, but its age.
type Era struct {
	From     int // first day, of those since 1970-01-01
	Model    *Model
	Evidence Evidence
}

// ageingStep is by how many points a score has to drift, with nothing but time
// passing, until that is worth telling.
const ageingStep = 20

// On returns the model as it is on another day.
func (m *Model) On(day int) *Model {
	other := *m
	other.today = day
	return &other
}

// Score is the risk that [Model.Explain] takes apart.
func (m *Model) Score(e Evidence) exposure.Risk {
	v, adv, ctx := m.vectorOf(e.Advisory), m.Advisory(e.Advisory), m.Context(e.Context)
	return m.curve.Risk(adv.Log+ctx.Reach[v.reach]+m.Validation(e.Detection, e.Verdict), ctx.Loss[v.impact()])
}

// History replays a score day by day, from the first era to the last day. The
// eras are in order of their first days; of several that begin on one day the
// last counts.
func History(eras []Era, last int) exposure.History {
	h := exposure.History{Points: []exposure.ScorePoint{}, Changes: []exposure.ScoreChange{}}
	if len(eras) == 0 || eras[0].From > last {
		return h
	}
	now := 0
	var listed moment // what the last change led to
	var before exposure.ScorePoint
	for day := eras[0].From; day <= last; day++ {
		was := now
		for now+1 < len(eras) && eras[now+1].From <= day {
			now++
		}
		here := at(&eras[now], day, day == last)
		p := here.point()
		if day == eras[0].From {
			listed = here
		} else {
			then := at(&eras[was], day, day == last) // as it would be had nothing changed
			switch drift := p.Points - listed.point().Points; {
			case here.risk != then.risk && p.Points != before.Points:
				h.Changes = append(h.Changes, change(then, here, before.Points, false))
				listed = here
			case drift >= ageingStep || drift <= -ageingStep || drift != 0 && p.Band != listed.point().Band:
				h.Changes = append(h.Changes, change(listed, here, listed.point().Points, true))
				listed = here
			}
		}
		if day == eras[0].From || day == last || p.Points != before.Points {
			h.Points = append(h.Points, p)
		}
		before = p
	}
	return h
}

// moment is a score on a day with what it is made of.
type moment struct {
	model    *Model
	evidence Evidence
	risk     exposure.Risk
}

// at is the score of an era on a day; on the last one all that is known counts.
func at(e *Era, day int, last bool) moment {
	m := moment{model: e.Model.On(day), evidence: e.Evidence}
	if !last {
		m.evidence.Advisory = knownOn(e.Evidence.Advisory, day)
	}
	m.risk = m.model.Score(m.evidence)
	return m
}

func (m moment) point() exposure.ScorePoint {
	return exposure.ScorePoint{Day: m.model.today, Points: m.risk.Points(), Band: m.model.bands.Of(m.risk)}
}

// knownOn is an advisory without what happened after a day: what the feeds said
// on the day the finding was first seen may speak of later ones, when the
// report was older than the feeds.
func knownOn(a *exposure.Advisory, day int) *exposure.Advisory {
	t := a.Threat
	if t.KEVDay > day {
		t.KEVDay, t.KEVDueDay, t.Ransomware = 0, 0, false
	}
	for _, d := range []*int{&t.ObservedDay, &t.MetasploitDay, &t.NucleiDay, &t.ArchiveDay, &t.PoCDay} {
		if *d > day {
			*d = 0
		}
	}
	if t == a.Threat {
		return a
	}
	known := *a
	known.Threat = t
	return &known
}

// change says which factor explains most of the way from one score to another.
func change(from, to moment, points int, aged bool) exposure.ScoreChange {
	x, y := from.model.Explain(from.evidence), to.model.Explain(to.evidence)
	p := to.point()
	c := exposure.ScoreChange{Day: p.Day, From: points, To: p.Points, Band: p.Band, Aged: aged}
	var most exposure.Nats
	for i, f := range y.Factors {
		if f.Name == "horizon" || i >= len(x.Factors) {
			continue // it follows from the others
		}
		step := f.Log - x.Factors[i].Log
		if p.Points < points {
			step = -step
		}
		if step > most || c.Factor == "" {
			most = step
			c.Factor, c.Label, c.Was, c.Is = f.Name, f.Label, x.Factors[i].Value, f.Value
		}
	}
	return c
}
