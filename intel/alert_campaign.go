package intel

import (
	"fmt"
	"slices"
	"strings"

	"github.com/leeward-ctem/leeward/exposure"
)

// Memory is what the feeds said of actors and campaigns, by their ids: enough
// to tell what is new.
type Memory map[string]Remembered

// Remembered is what was said of one.
type Remembered struct {
	Sectors   []string `json:"s,omitempty"`
	Countries []string `json:"c,omitempty"`
	Exploits  []string `json:"x,omitempty"`
}

// attackers are the kinds of entry that news is told of.
var attackers = [...]Kind{KindActor, KindCampaign}

// Remember is what to keep of a landscape until it is another.
func (l *Landscape) Remember() Memory {
	m := Memory{}
	for _, kind := range attackers {
		for e := range l.All(kind) {
			m[e.ID] = Remembered{e.Sectors, e.Countries, l.Linked(e.ID, Exploits)}
		}
	}
	return m
}

// Estate is what is open here to those who attack.
type Estate struct {
	Profile exposure.Profile
	// Exploited are the advisories with open findings by the ids of the
	// weaknesses that they are, Enabled by the techniques that use them.
	Exploited, Enabled map[string][]exposure.AdvisoryID
	// Watched is the entry of the watch list that has one of some names, "" if
	// none does.
	Watched func(names []string) string
}

// Campaigns tells of actors and campaigns that are new, or of which it is new
// that they attack organisations like ours or exploit a weakness, as far as
// what they use is open here. Without a memory nothing is news.
func (j *Judge) Campaigns(was Memory, l *Landscape, e *Estate) []News {
	if was == nil || j.Settling {
		return nil
	}
	var all []News
	for _, kind := range attackers {
		for who := range l.All(kind) {
			before, known := was[who.ID]
			if !known && len(j.Joined) > 0 && !j.fresh(max(who.FirstDay, who.LastDay)) {
				continue
			}
			n, ok := j.attacker(&who, before, known, l, e)
			if ok {
				all = append(all, n)
			}
		}
	}
	return all
}

// attacker is the news of one entry.
func (j *Judge) attacker(who *Named, before Remembered, known bool, l *Landscape, e *Estate) (News, bool) {
	n := News{Alert: exposure.Alert{At: j.At, Kind: exposure.AlertCampaign, Subject: Cut(who.ID, MaxName), Title: who.Name}}
	var said, key []string
	if sectors, countries, ok := who.Targets(e.Profile); ok {
		old := Entry{Sectors: before.Sectors, Countries: before.Countries}
		_, _, already := old.Targets(e.Profile)
		if techniques := shared(l.used(who.ID), e.Enabled); !already && len(techniques) > 0 {
			of := append(slices.Clone(sectors), countries...)
			said = append(said, fmt.Sprintf("attacks %s and uses %s, to which something is open here", listed(of, 6), listed(l.titles(techniques), 4)))
			key = append(key, of...)
			n.Facts = append(n.Facts, exposure.AlertFact{Label: "Attacks", Is: listed(of, 20)}, exposure.AlertFact{Label: "Uses", Is: listed(l.titles(techniques), 20)})
			n.Of = append(n.Of, those(techniques, e.Enabled)...)
		}
	}
	if open := shared(without(l.Linked(who.ID, Exploits), before.Exploits), e.Exploited); len(open) > 0 {
		said = append(said, fmt.Sprintf("exploits %s, which is open here", listed(open, 4)))
		key = append(key, open...)
		n.Facts = append(n.Facts, exposure.AlertFact{Label: "Exploits", Is: listed(open, 20)})
		n.Of = append(n.Of, those(open, e.Exploited)...)
	}
	by := l.Linked(who.ID, AttributedTo)
	if !known {
		n.Watched = Cut(e.Watched(l.namesOf(append([]string{who.ID}, by...))), MaxName)
	}
	switch {
	case len(said) > 0:
	case n.Watched != "" && who.Kind == KindCampaign:
		n.Kind, said = exposure.AlertWatch, []string{"is new"}
	default:
		return n, false
	}
	slices.Sort(n.Of)
	n.Of = slices.Compact(n.Of)
	n.Key = Key(n.Kind, append([]string{who.ID}, key...)...)
	name := who.Name
	if len(by) > 0 {
		name += ", attributed to " + listed(l.titles(by), 3) + ","
	}
	n.Reason = fmt.Sprintf("The %s %s %s.", who.Kind, name, strings.Join(said, ", and "))
	return n, true
}

// used are the techniques that an entry uses, and the wider ones of those.
func (l *Landscape) used(id string) []string {
	all := l.Linked(id, Uses)
	for _, t := range all[:len(all):len(all)] {
		all = append(all, l.Linked(t, PartOf)...)
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// titles are the ids with the names of what they stand for.
func (l *Landscape) titles(ids []string) []string {
	all := make([]string, len(ids))
	for i, id := range ids {
		all[i] = Cut(id, MaxName)
		if e, ok := l.Find(id); ok {
			all[i] = e.Name
			if e.Kind == KindTechnique {
				all[i] = all[i] + " (" + Cut(id, MaxName) + ")"
			}
		}
	}
	return all
}

// namesOf are the ids and all names of entries.
func (l *Landscape) namesOf(ids []string) []string {
	var all []string
	for _, id := range ids {
		all = append(all, id)
		if e, ok := l.Find(id); ok {
			all = append(append(all, e.ID, e.Name), e.Names...)
		}
	}
	return all
}

// Around are the ids and names of the techniques that weaknesses are exploited
// by and of those who exploit them, for a watch list.
func (l *Landscape) Around(ids []string) []string {
	var all []string
	for _, id := range ids {
		all = append(append(all, l.Linked(id, Enables)...), l.Linking(id, Exploits)...)
	}
	return l.namesOf(all)
}

func shared(all []string, with map[string][]exposure.AdvisoryID) []string {
	return slices.DeleteFunc(slices.Clone(all), func(s string) bool { return len(with[s]) == 0 })
}

func without(all, some []string) []string {
	return slices.DeleteFunc(slices.Clone(all), func(s string) bool { return slices.Contains(some, s) })
}

func those(keys []string, of map[string][]exposure.AdvisoryID) (all []exposure.AdvisoryID) {
	for _, k := range keys {
		all = append(all, of[k]...)
	}
	return all
}

// listed is a list of at most n words for people.
func listed(all []string, n int) string {
	if more := len(all) - n; more > 0 {
		return strings.Join(all[:n], ", ") + fmt.Sprintf(" and %d more", more)
	}
	return strings.Join(all, ", ")
}
