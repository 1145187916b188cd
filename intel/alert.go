package intel

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/leeward-ctem/leeward/exposure"
)

// Change is what the feeds say of an advisory and what they said before.
type Change struct {
	Advisory   exposure.AdvisoryID
	Key, Title string
	Was, Is    exposure.Threat
}

// News is an alert and the advisories whose open findings it is about. Who
// knows the findings counts them.
type News struct {
	exposure.Alert
	Of []exposure.AdvisoryID
}

// Judge says what of a change is news. All functions are needed.
type Judge struct {
	At int64 // now, unix milliseconds
	// Settling is set while the first feeds come in: nothing of what they say
	// is news, it is only news that they are here.
	Settling bool
	// Joined are titles of feeds that are here for the first time. What one says
	// that is older than [Fresh] is no news: it was so before the feed came.
	Joined []string
	// Open reports whether an advisory has open findings that count.
	Open func(exposure.AdvisoryID) bool
	// Watched is the entry of the watch list that names an advisory, "" if none.
	Watched func(exposure.AdvisoryID) string
}

// Fresh is for how many days a dated fact is news to who just came to know the
// feed that states it.
const Fresh = 14

// fresh reports whether a fact of a day is news. Without feeds that just came,
// all that was not known is.
func (j *Judge) fresh(day int) bool {
	return len(j.Joined) == 0 || day > exposure.UnknownDay && day >= int(j.At/(24*time.Hour).Milliseconds())-Fresh
}

// Alerts tells what of changes is news about something that is open: each of
// its kinds at most once, keyed by what happened rather than by when it was
// learnt, as far as feeds tell.
func (j *Judge) Alerts(changes []Change) []News {
	var all []News
	if len(j.Joined) > 0 {
		all = append(all, j.joined())
	}
	if j.Settling {
		return all
	}
	all = append(all, j.model(changes)...)
	for i := range changes {
		if c := &changes[i]; telling(c) && j.Open(c.Advisory) {
			all = append(all, j.about(c)...)
		}
	}
	return all
}

// telling reports whether there may be news in a change: nearly all changes are
// those of scores by a little, every day.
func telling(c *Change) bool {
	was := c.Was
	was.EPSS, was.Percentile, was.EPSSModel, was.Sightings = c.Is.EPSS, c.Is.Percentile, c.Is.EPSSModel, c.Is.Sightings
	return was != c.Is || Rose(&c.Was, &c.Is)
}

// about is the news in one change.
func (j *Judge) about(c *Change) []News {
	var all []News
	add := func(kind exposure.AlertKind, key, reason string, facts ...exposure.AlertFact) {
		all = append(all, j.news(c, kind, key, reason, facts...))
	}
	was, is := &c.Was, &c.Is
	switch {
	case !was.KEV() && is.KEV() && j.fresh(is.KEVDay):
		facts := []exposure.AlertFact{{Label: "Listed by CISA", Is: dayText(is.KEVDay)}}
		if is.KEVDueDay != 0 {
			facts = append(facts, exposure.AlertFact{Label: "Due by CISA", Is: dayText(is.KEVDueDay)})
		}
		reason := fmt.Sprintf("CISA lists %s as exploited since %s", c.name(), dayText(is.KEVDay))
		if is.Ransomware {
			facts = append(facts, exposure.AlertFact{Label: "Used by ransomware", Is: "yes"})
			reason += ", also by ransomware"
		}
		add(exposure.AlertKEV, dayText(is.KEVDay), reason+".", facts...)
	case was.KEV() && !is.KEV():
		add(exposure.AlertKEVRemoved, dayText(was.KEVDay), fmt.Sprintf("CISA took %s off its list of what is exploited.", c.name()), exposure.AlertFact{Label: "Listed by CISA", Was: dayText(was.KEVDay)})
	case !was.Ransomware && is.Ransomware && j.fresh(is.KEVDay):
		add(exposure.AlertRansomware, dayText(is.KEVDay), fmt.Sprintf("CISA now says that ransomware uses %s.", c.name()), exposure.AlertFact{Label: "Used by ransomware", Was: "not known", Is: "yes"})
	}
	if !was.KEV() && !is.KEV() && was.ObservedDay == 0 && is.ObservedDay != 0 && j.fresh(is.ObservedDay) {
		add(exposure.AlertObserved, "", fmt.Sprintf("There is evidence that %s is exploited. CISA does not list it.", c.name()), exposure.AlertFact{Label: "Seen exploited", Is: dayText(is.ObservedDay)})
	}
	j.exploit(c, add)
	if Rose(was, is) {
		add(exposure.AlertEPSS, today(j.At), fmt.Sprintf("The probability that somebody tries to use %s within 30 days rose from %s to %s.", c.name(), share(was.EPSS), share(is.EPSS)),
			exposure.AlertFact{Label: "EPSS", Was: share(was.EPSS), Is: share(is.EPSS)})
	}
	return j.watched(c, all)
}

// public are the places that an exploit may be in, the readiest to use first.
func public(t *exposure.Threat) []place {
	return []place{{"Metasploit", t.MetasploitDay}, {"Nuclei", t.NucleiDay}, {"Exploit-DB or Packet Storm", t.ArchiveDay}}
}

type place struct {
	name string
	day  int
}

// exploit tells of the first public exploit, and of one for Metasploit also
// when there were others. Proofs of concept are none: most of what claims to be
// one does not work.
func (j *Judge) exploit(c *Change, add func(exposure.AlertKind, string, string, ...exposure.AlertFact)) {
	was, is := public(&c.Was), public(&c.Is)
	first := !slices.ContainsFunc(was, func(p place) bool { return p.day != 0 })
	for i := range is {
		if was[i].day != 0 || is[i].day == 0 || !first && i > 0 || !j.fresh(is[i].day) {
			continue
		}
		fact := exposure.AlertFact{Label: is[i].name, Is: dayText(is[i].day)}
		if first {
			add(exposure.AlertExploit, "", fmt.Sprintf("The first exploit of %s is public: %s has one.", c.name(), is[i].name), fact)
		} else {
			add(exposure.AlertExploit, "metasploit", fmt.Sprintf("Metasploit has an exploit of %s, so anybody can use it.", c.name()), fact)
		}
		return
	}
}

// watched adds what the watch list makes of a change: an alert that is there
// says so, and what else changed becomes one.
func (j *Judge) watched(c *Change, all []News) []News {
	entry := j.Watched(c.Advisory)
	if entry == "" {
		return all
	}
	if len(all) == 0 {
		facts := j.differences(c)
		if len(facts) == 0 {
			return all
		}
		var what, key []string
		for _, f := range facts {
			what = append(what, strings.ToLower(f.Label[:1])+f.Label[1:])
			key = append(key, f.Label+"="+f.Is)
		}
		all = append(all, j.news(c, exposure.AlertWatch, strings.Join(key, ";")+"|"+today(j.At), fmt.Sprintf("The feeds say something new of %s: %s.", c.name(), strings.Join(what, ", ")), facts...))
	}
	for i := range all {
		all[i].Watched = Cut(entry, MaxName)
	}
	return all
}

// differences are the facts that changed, besides scores that moved a little.
func (j *Judge) differences(c *Change) (facts []exposure.AlertFact) {
	days := func(label string, was, is int) {
		if was != is && j.fresh(is) {
			facts = append(facts, exposure.AlertFact{Label: label, Was: dayText(was), Is: dayText(is)})
		}
	}
	words := func(label, was, is string) {
		if was != is && len(j.Joined) == 0 {
			facts = append(facts, exposure.AlertFact{Label: label, Was: Cut(was, MaxName), Is: Cut(is, MaxName)})
		}
	}
	was, is := &c.Was, &c.Is
	days("Listed by CISA", was.KEVDay, is.KEVDay)
	days("Due by CISA", was.KEVDueDay, is.KEVDueDay)
	words("Used by ransomware", yes(was.Ransomware), yes(is.Ransomware))
	if was.ObservedDay == 0 || is.ObservedDay == 0 { // further evidence comes all the time
		days("Seen exploited", was.ObservedDay, is.ObservedDay)
	}
	for i, p := range public(is) {
		days(p.name, public(was)[i].day, p.day)
	}
	days("Proof of concept", was.PoCDay, is.PoCDay)
	words("Withdrawn", yes(was.Withdrawn), yes(is.Withdrawn))
	words("Attacks can be automated", was.Automatable, is.Automatable)
	words("Technical impact", was.Impact, is.Impact)
	words("CVSS", was.Vector, is.Vector)
	return facts
}

// model tells once of scores by another model.
func (j *Judge) model(changes []Change) []News {
	models := map[[2]string]int{}
	for i := range changes {
		if was, is := &changes[i].Was, &changes[i].Is; was.Scored() && is.Scored() && was.EPSSModel != is.EPSSModel {
			models[[2]string{was.EPSSModel, is.EPSSModel}]++
		}
	}
	if len(models) == 0 {
		return nil
	}
	var most [2]string
	for m, n := range models {
		if n > models[most] || n == models[most] && slices.Compare(m[:], most[:]) > 0 {
			most = m
		}
	}
	was, is := Cut(most[0], 40), Cut(most[1], 40)
	return []News{{Alert: exposure.Alert{
		At: j.At, Kind: exposure.AlertEPSSModel, Key: Key(exposure.AlertEPSSModel, is), Subject: "EPSS " + is, Title: "EPSS scores by another model",
		Reason: fmt.Sprintf("FIRST computes EPSS scores by the model %s now; before it was %s. Scores of the two are not to be compared, so no rise is told of.", is, was),
		Facts:  []exposure.AlertFact{{Label: "Model", Was: was, Is: is}},
	}}}
}

// joined tells that feeds are here.
func (j *Judge) joined() News {
	var names []string
	for _, n := range j.Joined {
		names = append(names, Cut(n, MaxName))
	}
	slices.Sort(names)
	return News{Alert: exposure.Alert{
		At: j.At, Kind: exposure.AlertFeed, Key: Key(exposure.AlertFeed, names...), Subject: "Threat intelligence", Title: "Threat intelligence is here",
		Reason: "Here for the first time: " + strings.Join(names, ", ") + ".",
	}}
}

func (c *Change) name() string { return cmp.Or(Cut(c.Key, MaxName), "a weakness") }

func (j *Judge) news(c *Change, kind exposure.AlertKind, key, reason string, facts ...exposure.AlertFact) News {
	parts := []string{c.Key}
	if key != "" {
		parts = append(parts, key)
	}
	return News{exposure.Alert{
		At: j.At, Kind: kind, Key: Key(kind, parts...), Advisory: c.Advisory, Subject: c.name(), Title: Cut(c.Title, 300), Reason: reason, Facts: facts,
	}, []exposure.AdvisoryID{c.Advisory}}
}

func yes(b bool) string {
	if b {
		return "yes"
	}
	return "no"
}

func share(p float64) string { return fmt.Sprintf("%.1f %%", 100*p) }

func today(at int64) string { return time.UnixMilli(at).UTC().Format(time.DateOnly) }

// dayText is a day for people; that of what is there since nobody says when is
// in words.
func dayText(day int) string {
	switch {
	case day == 0:
		return ""
	case day == exposure.UnknownDay:
		return "since when is not stated"
	}
	return time.Unix(int64(day)*86400, 0).UTC().Format(time.DateOnly)
}
