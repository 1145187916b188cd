package intel

import (
	"cmp"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/leeward-ctem/leeward/exposure"
)

// Arsenal is what an actor is known to attack with: what is said of it itself,
// of the campaigns that are attributed to it and, of weaknesses, of the
// software that it uses. Software is shared, so that it can do something does
// not say that everybody who has it does so: its techniques do not count.
type Arsenal struct {
	Techniques []string  // sorted
	Campaigns  []string  // sorted
	Software   []string  // sorted
	Exploits   []Exploit // sorted by weakness, one each
}

// Exploit is a weakness that an actor is known to exploit.
type Exploit struct {
	ID string
	By string // the software that does so; empty: the actor itself, or a campaign of it
}

// Arsenal returns what the actor of an id attacks with.
func (l *Landscape) Arsenal(id string) Arsenal {
	var a Arsenal
	exploits := map[string]string{}
	add := func(from, by string) {
		for _, weakness := range l.Linked(from, Exploits) {
			if was, known := exploits[weakness]; !known || by == "" && was != "" {
				exploits[weakness] = by
			}
		}
	}
	for _, c := range l.Linking(id, AttributedTo) {
		if e, _ := l.Find(c); e.Kind == KindCampaign {
			a.Campaigns = append(a.Campaigns, c)
		}
	}
	for _, from := range append([]string{id}, a.Campaigns...) {
		add(from, "")
		for _, used := range l.Linked(from, Uses) {
			if l.technique(used) {
				a.Techniques = append(a.Techniques, used)
			} else if e, ok := l.Find(used); ok && e.Kind == KindSoftware {
				a.Software = append(a.Software, used)
			}
		}
	}
	a.Techniques, a.Campaigns, a.Software = joined(a.Techniques, nil), joined(a.Campaigns, nil), joined(a.Software, nil)
	for _, s := range a.Software {
		add(s, s)
	}
	for weakness, by := range exploits {
		a.Exploits = append(a.Exploits, Exploit{weakness, by})
	}
	slices.SortFunc(a.Exploits, func(x, y Exploit) int { return strings.Compare(x.ID, y.ID) })
	return a
}

// technique reports whether an id is that of a technique. One that nobody
// describes is told by how ATT&CK writes it: T1059, T1059.001.
func (l *Landscape) technique(id string) bool {
	if e, ok := l.Find(id); ok {
		return e.Kind == KindTechnique && len(id) <= maxTechnique
	}
	rest, of := strings.CutPrefix(id, "T")
	return of && len(id) >= 5 && len(id) <= maxTechnique && strings.Trim(rest, "0123456789.") == ""
}

// maxTechnique bounds the id of a technique, so that some of them fit into what
// is kept of a weakness. Those of ATT&CK have 5 or 9 bytes.
const maxTechnique = 16

// Targeter is an actor that targets an organisation.
type Targeter struct {
	Named
	Sectors   []string // of the profile, that it targets
	Countries []string
	Arsenal   Arsenal
}

// Tailor says what the landscape means for one organisation. It is immutable
// and safe for concurrent use.
type Tailor struct {
	s       *Snapshot
	l       *Landscape
	actors  []Targeter           // by certainty, see order
	exploit map[uint32][]exploit // by weakness
	users   map[string][]int     // of techniques, and of those that they are part of: numbers of actors, ascending
	classes map[string][]string  // the techniques by which weaknesses of a class are exploited, sorted
}

// exploit says that an actor exploits a weakness.
type exploit struct {
	actor   int
	certain float64
}

// Tailor returns what is known, for an organisation. Of an empty profile
// nobody is known to target it.
func (s *Snapshot) Tailor(p exposure.Profile) *Tailor {
	l := s.Landscape()
	t := &Tailor{s: s, l: l, exploit: map[uint32][]exploit{}, users: map[string][]int{}, classes: map[string][]string{}}
	for e := range l.All(KindActor) {
		if sectors, countries, ok := e.Targets(p); ok {
			t.actors = append(t.actors, Targeter{Named: e, Sectors: sectors, Countries: countries, Arsenal: l.Arsenal(e.ID)})
		}
	}
	slices.SortStableFunc(t.actors, order)
	for i := range t.actors {
		t.take(i)
	}
	for class := range l.All(KindPattern) {
		t.pattern(class.ID)
	}
	for class, techniques := range t.classes {
		t.classes[class] = joined(techniques, nil)
	}
	return t
}

// order is that of certainty: who is said to target us before who was guessed
// to from prose, then who did so of late.
func order(x, y Targeter) int {
	guessed := func(t Targeter) int {
		if t.Inferred {
			return 1
		}
		return 0
	}
	return cmp.Or(cmp.Compare(guessed(x), guessed(y)), cmp.Compare(y.LastDay, x.LastDay), strings.Compare(x.Name, y.Name))
}

// take notes what an actor exploits and uses.
func (t *Tailor) take(i int) {
	a := &t.actors[i]
	for _, e := range a.Arsenal.Exploits {
		certain := 1.0
		if e.By != "" || a.Inferred {
			certain = likely
		}
		if n, ok := t.l.number(e.ID); ok {
			t.exploit[n] = append(t.exploit[n], exploit{i, certain})
		}
	}
	for _, id := range t.l.Wider(a.Arsenal.Techniques) {
		t.users[id] = append(t.users[id], i)
	}
}

// wider are the techniques that one is part of: who uses PowerShell uses a
// command interpreter.
func (l *Landscape) wider(id string) []string {
	if up := l.Linked(id, PartOf); len(up) > 0 {
		return up
	}
	if parent, _, sub := strings.Cut(id, "."); sub {
		return []string{parent}
	}
	return nil
}

// Wider are techniques, and those that they are part of; sorted.
func (l *Landscape) Wider(ids []string) []string {
	all := slices.Clone(ids)
	for _, id := range ids {
		all = append(all, l.wider(id)...)
	}
	return joined(all, nil)
}

// pattern notes for the classes that enable a pattern the techniques that it is.
func (t *Tailor) pattern(id string) {
	for _, class := range t.l.Linked(id, EnabledBy) {
		for _, technique := range t.l.Linked(id, Enables) {
			if t.l.technique(technique) {
				t.classes[class] = append(t.classes[class], technique)
			}
		}
	}
}

// Actors are those that target the organisation, the most certain first. They
// are not to be changed.
func (t *Tailor) Actors() []Targeter { return t.actors }

// Users is how many of the actors use a technique or one that is part of it.
func (t *Tailor) Users(technique string) int { return len(t.users[technique]) }

// UsedBy are the numbers of the actors, as in [Tailor.Actors], that use a
// technique or one that is part of it. They are not to be changed.
func (t *Tailor) UsedBy(technique string) []int { return t.users[technique] }

// Numbers that Targeting is made of, see docs/risk.md. They are judgements, not
// fitted: no data says who was attacked by whom.
const (
	likely    = 0.8 // an actor whose targets were read from prose, or whose software it is that exploits the weakness
	byTrade   = 0.6 // at most, of actors that use the technique
	guessed   = 0.5 // the weight of an actor whose targets were read from prose, and of a technique that follows from a class
	fewest    = 3   // actors that have to use a technique until that says something
	halfUsers = 6   // actors that say half of what any number of them could
)

// Of says what is known of a weakness by its names and the numbers of its
// classes (CWE). More evidence never makes Targeting less: another actor that
// targets the organisation, a technique or weakness that one uses, a link from
// the weakness to a technique.
func (t *Tailor) Of(ids []string, cwes []int) exposure.Tailored {
	direct, derived := t.techniques(ids, cwes)
	var k exposure.Tailored
	shown := direct
	if len(direct) == 0 {
		shown, k.Derived = derived, len(derived) > 0
	}
	k.Techniques = strings.Join(t.most(shown), " ")
	if by := t.exploiters(ids); len(by) > 0 {
		for _, e := range by {
			k.Targeting = max(k.Targeting, e.certain)
		}
		k.Users, k.Targeters, k.Actors = len(by), len(t.actors), t.names(len(by), func(i int) int { return by[i].actor })
		return k
	}
	for i, list := range [][]string{direct, derived} {
		for _, id := range list {
			x := t.telling(id)
			if i == 1 {
				x *= guessed
			}
			if n := len(t.users[id]); n > 0 && (k.Technique == "" || x > k.Targeting) {
				k.Technique, k.Targeting, k.Users, k.Targeters = id, x, n, len(t.actors)
			}
		}
	}
	users := t.users[k.Technique]
	k.Actors = t.names(len(users), func(i int) int { return users[i] })
	return k
}

// maxActor bounds a name of those that are kept of a weakness.
const maxActor = 60

// names joins the names of the first actors.
func (t *Tailor) names(n int, at func(int) int) string {
	var names []string
	for i := range min(n, exposure.MaxActors) {
		names = append(names, Cut(strings.ReplaceAll(t.actors[at(i)].Name, ";", ","), maxActor))
	}
	return strings.Join(names, "; ")
}

// telling is how much it says that actors who target the organisation use a
// technique: more the more of them do, less when everybody everywhere does.
func (t *Tailor) telling(technique string) float64 {
	users := t.users[technique]
	if len(users) < fewest {
		return 0
	}
	weight := 0.0
	for _, i := range users {
		if t.actors[i].Inferred {
			weight += guessed
		} else {
			weight++
		}
	}
	return byTrade * (1 - everywhere(technique)) * (1 - math.Exp2(-weight/halfUsers))
}

// everywhere is the share of all 172 groups of ATT&CK 18.1 that use a technique or
// one that is part of it, of those that more than a sixth use. It is no part of
// what the feeds say, because then what is learned of others would change what
// is known of those who target us. © The MITRE Corporation,
// https://attack.mitre.org/resources/legal-and-branding/terms-of-use/
func everywhere(technique string) float64 {
	parent, _, _ := strings.Cut(technique, ".")
	switch parent {
	case "T1059":
		return 0.70
	case "T1204", "T1566":
		return 0.56
	case "T1027":
		return 0.52
	case "T1036", "T1105", "T1588":
		return 0.49
	case "T1071", "T1078":
		return 0.37
	case "T1021", "T1583":
		return 0.35
	case "T1053":
		return 0.34
	case "T1003", "T1547":
		return 0.33
	case "T1082":
		return 0.32
	case "T1070":
		return 0.30
	case "T1083":
		return 0.29
	case "T1218", "T1560":
		return 0.28
	case "T1016":
		return 0.27
	case "T1005":
		return 0.25
	case "T1190", "T1203":
		return 0.24
	case "T1574":
		return 0.20
	case "T1505":
		return 0.19
	case "T1189":
		return 0.18
	case "T1055":
		return 0.17
	}
	return 0
}

// Techniques are those by which a weakness is exploited, as far as anybody says
// so of it or of its classes; sorted. They do not depend on the profile.
func (t *Tailor) Techniques(ids []string, cwes []int) []string {
	return joined(t.techniques(ids, cwes))
}

// techniques are those by which a weakness is said to be exploited, and those
// that weaknesses of its classes are; both sorted.
func (t *Tailor) techniques(ids []string, cwes []int) (direct, derived []string) {
	classes := make([]string, 0, len(cwes))
	for _, n := range cwes {
		classes = append(classes, "CWE-"+strconv.Itoa(n))
	}
	for id := range t.covered(ids) {
		for _, technique := range t.l.Linked(id, Enables) {
			if t.l.technique(technique) {
				direct = append(direct, technique)
			}
		}
		classes = append(classes, t.l.Linked(id, OfClass)...)
	}
	for _, class := range classes {
		derived = append(derived, t.classes[class]...)
	}
	if len(direct) == 0 && len(derived) == 0 {
		return nil, nil
	}
	return joined(direct, nil), joined(derived, nil)
}

// covered are ids, and those that they cover.
func (t *Tailor) covered(ids []string) func(yield func(string) bool) {
	return func(yield func(string) bool) {
		for _, id := range ids {
			if !yield(id) {
				return
			}
			n, ok := t.s.names.find(id)
			if !ok {
				continue
			}
			for _, to := range t.s.covers[t.s.alias[n]] {
				if !yield(t.s.names.at(to)) {
					return
				}
			}
		}
	}
}

// most are the techniques that are kept of a weakness: the most used, sorted.
func (t *Tailor) most(ids []string) []string {
	if len(ids) <= exposure.MaxTechniques {
		return ids
	}
	ids = slices.Clone(ids)
	slices.SortStableFunc(ids, func(x, y string) int { return cmp.Compare(len(t.users[y]), len(t.users[x])) })
	return slices.Sorted(slices.Values(ids[:exposure.MaxTechniques]))
}

// exploiters are those who are known to exploit a weakness, each once, the most
// certain first.
func (t *Tailor) exploiters(ids []string) []exploit {
	var all []exploit
	if len(t.exploit) == 0 {
		return nil
	}
	for id := range t.covered(ids) {
		if n, ok := t.l.number(id); ok {
			all = append(all, t.exploit[n]...)
		}
	}
	slices.SortFunc(all, func(x, y exploit) int {
		return cmp.Or(cmp.Compare(x.actor, y.actor), cmp.Compare(y.certain, x.certain))
	})
	all = slices.CompactFunc(all, func(x, y exploit) bool { return x.actor == y.actor })
	slices.SortStableFunc(all, func(x, y exploit) int { return cmp.Compare(y.certain, x.certain) })
	return all
}

// Exploiters are the numbers of the actors, as in [Tailor.Actors], that are known
// to exploit a weakness, the most certain first.
func (t *Tailor) Exploiters(ids []string) []int {
	var all []int
	for _, e := range t.exploiters(ids) {
		all = append(all, e.actor)
	}
	return all
}

// Concerned are the numbers of the actors, as in [Tailor.Actors], that are known
// to exploit a weakness or to use one of its techniques; sorted.
func (t *Tailor) Concerned(ids []string, k *exposure.Tailored) []int {
	all := t.Exploiters(ids)
	for technique := range strings.FieldsSeq(k.Techniques) {
		all = append(all, t.users[technique]...)
	}
	slices.Sort(all)
	return slices.Compact(all)
}
