package stixform

import (
	"cmp"
	"iter"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/leeward-ctem/leeward/exposure"
	"github.com/leeward-ctem/leeward/intel"
	"github.com/leeward-ctem/leeward/intel/target"
)

// graph is what was read so far. Relationships may come before what they
// relate, so all is kept to the end.
type graph struct {
	found     Found
	until     int64 // what changed later is not believed
	newest    int64 // change
	release   int64 // when the version was stated
	prose     int   // bytes of it that were read
	nodes     []node
	at        map[key]uint32 // in nodes
	relations []relation
}

// node is an object that something is made of.
type node struct {
	key     key
	form    form
	changed int64
	gone    bool
	fact    intel.Fact
	phases  []phase // of a technique, what it calls tactics; of a tactic, what it is called
	refs    []key   // of a report, what it names; of a pattern, its parents
	is      aims    // of an identity, its trades; of a location, its country
	prose   aims    // of who attacks, by the description
}

// relation is a relationship, or a sighting, which has no source.
type relation struct {
	id, from, to key
	changed      int64
	verb         verb
	gone         bool
}

type verb uint8

const (
	ignored verb = iota
	uses
	exploits
	attributed
	mitigates
	within
	replaced
	based
	seen // changed is when
)

func verbOf(s string) verb {
	switch s {
	case "uses":
		return uses
	case "exploits", "targets":
		return exploits
	case "attributed-to":
		return attributed
	case "mitigates":
		return mitigates
	case "subtechnique-of":
		return within
	case "revoked-by":
		return replaced
	case "originates-from", "located-at":
		return based
	}
	return ignored
}

func newGraph(until time.Time) *graph {
	return &graph{until: until.UnixMilli(), at: map[key]uint32{}}
}

// take keeps what an object says; ok is false if it cannot be understood.
func (g *graph) take(o *object) (ok bool, err error) {
	if o.Type == "" {
		return false, nil
	}
	changed := o.changed()
	if changed > g.until {
		changed = 0
	}
	g.newest = max(g.newest, changed)
	f := formOf(o.Type)
	switch f {
	case other:
		return true, nil
	case matrix, collection:
		g.found.Matrices++
		if f == collection && changed >= g.release && intel.ValidID(o.Version) {
			g.release, g.found.Version = changed, o.Version
		}
		return true, nil
	}
	if o.ID == "" {
		return false, nil
	}
	if f == relationship || f == sighting {
		return true, g.relate(o, f, changed)
	}
	n := node{key: keyOf(o.ID), form: f, changed: changed, gone: o.gone()}
	if ok := n.describe(o); !ok && !n.gone {
		return false, nil
	}
	if f == actor || f == campaign {
		g.read(&n, o.Description)
	}
	switch {
	case f == pattern && o.Status != "":
		g.found.Patterns++
	case f == actor || f == campaign || f == software:
		g.found.Attackers++
	}
	return true, g.put(n)
}

// Bounds of the descriptions, one and all of a file in bytes, in which targets
// are looked for, which takes long where a text is made to take long. ATT&CK's
// actors and campaigns have 0.3 MB of them.
const (
	maxDescription = 4 << 10
	maxProse       = 2 << 20
)

// read looks for targets in a description.
func (g *graph) read(n *node, description string) {
	description = description[:min(len(description), maxDescription)]
	if g.prose += len(description); g.prose <= maxProse {
		n.prose.sectors, n.prose.countries = target.Prose(description)
	}
}

func (g *graph) put(n node) error {
	if i, again := g.at[n.key]; again {
		if n.changed >= g.nodes[i].changed {
			g.nodes[i] = n
		}
		return nil
	}
	if len(g.nodes) == maxEntries {
		return tooMany{maxEntries, "entries"}
	}
	g.at[n.key] = uint32(len(g.nodes))
	g.nodes = append(g.nodes, n)
	return nil
}

func (g *graph) relate(o *object, f form, changed int64) error {
	r := relation{id: keyOf(o.ID), changed: changed, verb: verbOf(o.Verb), gone: o.gone()}
	if f == sighting {
		r.verb, r.to = seen, keyOf(o.Seen)
		if last := moment(o.LastSeen); last != 0 && last <= g.until {
			r.changed = last
		}
		r.gone = r.gone || o.Count != nil && *o.Count == 0
		if r.to.form != weakness {
			return nil
		}
	} else {
		r.from, r.to = keyOf(o.Source), keyOf(o.Target)
	}
	if r.verb == ignored {
		return nil
	}
	if len(g.relations) == maxRelations {
		return tooMany{maxRelations, "relationships"}
	}
	g.relations = append(g.relations, r)
	return nil
}

// describe makes the fact of an object; ok is false if it has no name, or none
// by which it can be found again.
func (n *node) describe(o *object) (ok bool) {
	switch n.form {
	case identity:
		n.is.sectors = trades(o)
		return true
	case location:
		n.is.countries = country(o)
		return true
	case weakness:
		n.fact.ID = cve(o)
		return true // one without an id is known to nobody else
	}
	e := &intel.Entry{Kind: n.form.kind(), Name: intel.Cut(o.Name, intel.MaxName), Summary: summary(o.Description)}
	n.fact.Entry = e
	if n.fact.ID, e.Kind, e.URL = identify(o, e.Kind); n.fact.ID == "" || e.Name == "" {
		return false
	}
	if alias := n.key.alias(); alias != "" {
		n.fact.Aliases = []string{alias}
	}
	switch n.form {
	case pattern:
		n.technique(o)
	case tactic:
		n.phases = append(n.phases, phase{Name: o.Shortname})
		for _, d := range o.Domains {
			n.phases = append(n.phases, phase{chain(d), o.Shortname})
		}
	case report:
		for _, ref := range o.Objects {
			n.refs = append(n.refs, keyOf(ref))
		}
	}
	e.Names = names(e.Name, o.Aliases, o.MitreAliases)
	e.Sectors = joined(nil, target.Sectors(o.Sectors...))
	e.Ransomware = n.form == software && (slices.Contains(o.MalwareTypes, "ransomware") || slices.Contains(o.Labels, "ransomware"))
	if e.Summary == "" && len(o.Goals) > 0 {
		e.Summary = intel.Cut("Goals: "+strings.Join(o.Goals[:min(len(o.Goals), intel.MaxNames)], ", "), maxSummary)
	}
	e.FirstDay, e.LastDay = day(moment(o.FirstSeen)), day(moment(o.LastSeen))
	if e.LastDay < e.FirstDay {
		e.LastDay = 0
	}
	return true
}

// technique adds what only an attack pattern has.
func (n *node) technique(o *object) {
	n.phases = o.Phases
	if n.fact.Entry.Kind != intel.KindPattern {
		return
	}
	for _, parent := range o.Parents {
		n.refs = append(n.refs, keyOf(parent))
	}
	for _, r := range o.References {
		switch id := strings.ToUpper(r.ID); {
		case strings.EqualFold(r.Source, "cwe") && class.MatchString(id):
			n.link(intel.EnabledBy, id)
		case strings.EqualFold(r.Source, "ATTACK") && techniqueID.MatchString(id):
			n.link(intel.Enables, id)
		}
	}
}

// link adds a link. What no entry that is published has so many of is cut off.
func (n *node) link(r intel.Relation, to string) {
	if to != "" && to != n.fact.ID && len(n.fact.Links) < 2*intel.MaxLinks {
		n.fact.Links = append(n.fact.Links, intel.Link{Relation: r, To: to})
	}
}

// The ids by which the world knows entries.
var (
	techniqueID = regexp.MustCompile(`^T[0-9]{4}(?:\.[0-9]{3})?$`)
	patternID   = regexp.MustCompile(`^CAPEC-[0-9]{1,6}$`)
	class       = regexp.MustCompile(`^CWE-[0-9]{1,6}$`)
	actorID     = regexp.MustCompile(`^G[0-9]{4}$`)
	campaignID  = regexp.MustCompile(`^C[0-9]{4}$`)
	softwareID  = regexp.MustCompile(`^S[0-9]{4}$`)
	reduction   = regexp.MustCompile(`^M[0-9]{4}$`)
	tacticID    = regexp.MustCompile(`^TA[0-9]{4}$`)
)

func spelling(k intel.Kind) *regexp.Regexp {
	switch k {
	case intel.KindActor:
		return actorID
	case intel.KindCampaign:
		return campaignID
	case intel.KindSoftware:
		return softwareID
	case intel.KindTechnique:
		return techniqueID
	case intel.KindMitigation:
		return reduction
	case intel.KindTactic:
		return tacticID
	}
	return patternID
}

// identify returns the id that the world knows an object by, or else its own.
// An object that refers to several ids is none of them.
func identify(o *object, k intel.Kind) (id string, kind intel.Kind, url string) {
	var ids [2][]reference // of ATT&CK, and of CAPEC
	for _, r := range o.References {
		switch source := strings.ToLower(r.Source); {
		case strings.HasPrefix(source, "mitre") && strings.Contains(source, "attack") && spelling(k).MatchString(r.ID):
			ids[0] = append(ids[0], r)
		case source == "capec" && k == intel.KindTechnique && patternID.MatchString(r.ID):
			ids[1] = append(ids[1], r)
		}
		url = cmp.Or(url, address(r.URL))
	}
	for i, found := range ids {
		if len(found) == 0 || slices.ContainsFunc(found, func(r reference) bool { return r.ID != found[0].ID }) {
			continue
		}
		if i == 1 {
			k = intel.KindPattern
		}
		return found[0].ID, k, cmp.Or(address(found[0].URL), url)
	}
	if !intel.ValidID(o.ID) {
		return "", k, url
	}
	return o.ID, k, url
}

// cve is the id of a vulnerability, empty if it has none.
func cve(o *object) string {
	for _, r := range o.References {
		if id := strings.ToUpper(strings.TrimSpace(r.ID)); strings.EqualFold(r.Source, "cve") && intel.ValidCVE(id) {
			return id
		}
	}
	if id := strings.ToUpper(strings.TrimSpace(o.Name)); intel.ValidCVE(id) {
		return id
	}
	return ""
}

// facts are what the file says, in the order of its objects.
func (g *graph) facts(kinds []intel.Kind) iter.Seq[intel.Fact] {
	g.settle()
	g.replace()
	for i := range g.relations {
		g.apply(&g.relations[i])
	}
	tactics := g.tactics()
	return func(yield func(intel.Fact) bool) {
		for i := range g.nodes {
			n := &g.nodes[i]
			if n.gone || n.form < weakness || n.fact.ID == "" {
				continue
			}
			if n.form == pattern {
				for _, p := range n.phases {
					n.link(intel.Serves, cmp.Or(tactics[p], tactics[phase{Name: p.Name}]))
				}
			}
			g.refer(n)
			f, ok := n.finished(kinds)
			if ok && !yield(f) {
				return
			}
		}
	}
}

// tactics are the ids of the tactics by what techniques call them, with and
// without the kill chain.
func (g *graph) tactics() map[phase]string {
	all := map[phase]string{}
	for i := range g.nodes {
		if n := &g.nodes[i]; n.form == tactic && !n.gone {
			for _, p := range n.phases {
				all[p] = n.fact.ID
			}
		}
	}
	return all
}

// settle leaves the newest version of each relationship.
func (g *graph) settle() {
	slices.SortFunc(g.relations, func(a, b relation) int {
		return cmp.Or(a.id.compare(b.id), cmp.Compare(b.changed, a.changed), cmp.Compare(b2i(b.gone), b2i(a.gone)), a.from.compare(b.from), a.to.compare(b.to), cmp.Compare(a.verb, b.verb))
	})
	g.relations = slices.CompactFunc(g.relations, func(a, b relation) bool { return a.id == b.id })
}

func (k key) compare(o key) int {
	return cmp.Or(cmp.Compare(k.form, o.form), cmp.Compare(b2i(k.uuid), b2i(o.uuid)), slices.Compare(k.id[:], o.id[:]))
}

func b2i(b bool) int {
	if b {
		return 1
	}
	return 0
}

// find returns the object of a key, nil if it is not there or does not count.
func (g *graph) find(k key) *node {
	if i, ok := g.at[k]; ok && !g.nodes[i].gone {
		return &g.nodes[i]
	}
	return nil
}

// name is the id of what a key stands for, and its kind; that of an object
// which is not in the file is its alias.
func (g *graph) name(k key) (string, intel.Kind) {
	i, ok := g.at[k]
	switch {
	case !ok:
		return k.alias(), k.form.kind()
	case g.nodes[i].gone:
		return "", ""
	case g.nodes[i].fact.Entry == nil:
		return g.nodes[i].fact.ID, ""
	}
	return g.nodes[i].fact.ID, g.nodes[i].fact.Entry.Kind
}

// apply gives a relationship to what it begins at, if that is there.
func (g *graph) apply(r *relation) {
	if r.gone {
		return
	}
	if r.verb == seen {
		if n := g.find(r.to); n != nil && n.fact.ID != "" {
			n.fact.Threat.ObservedDay = max(n.fact.Threat.ObservedDay, day(r.changed))
		}
		return
	}
	from := g.find(r.from)
	if from == nil || from.fact.Entry == nil {
		return
	}
	to, kind := g.name(r.to)
	switch r.verb {
	case uses:
		if act(from.fact.Entry.Kind, kind) == intel.Uses {
			from.link(intel.Uses, to)
		}
	case attributed:
		if act(from.fact.Entry.Kind, kind) == intel.AttributedTo {
			from.link(intel.AttributedTo, to)
		}
	case mitigates:
		if from.form == mitigation && kind == intel.KindTechnique {
			from.link(intel.Mitigates, to)
		}
	case within:
		if from.fact.Entry.Kind == intel.KindTechnique && kind == intel.KindTechnique {
			from.link(intel.PartOf, to)
		}
	case exploits:
		g.aim(from, r.to)
	case based:
		if n := g.find(r.to); n != nil && (from.form == actor || from.form == campaign) {
			from.fact.Entry.Origin = joined(from.fact.Entry.Origin, n.is.countries)
		}
	}
}

// act is the relation of somebody who attacks, or of an attack, to what is
// named as part of it; empty if there is none.
func act(from, to intel.Kind) intel.Relation {
	switch from {
	case intel.KindActor, intel.KindCampaign, intel.KindSoftware:
	default:
		return ""
	}
	switch to {
	case intel.KindTechnique, intel.KindPattern, intel.KindSoftware:
		return intel.Uses
	case intel.KindActor:
		if from != intel.KindSoftware {
			return intel.AttributedTo
		}
	}
	return ""
}

// aim makes something of what is targeted: a weakness, a trade or a country.
func (g *graph) aim(from *node, at key) {
	to := g.find(at)
	if to == nil {
		return
	}
	e := from.fact.Entry
	switch from.form {
	case actor, campaign, report, software:
		from.link(intel.Exploits, to.cve())
		e.Sectors, e.Countries = joined(e.Sectors, to.is.sectors), joined(e.Countries, to.is.countries)
	case pattern:
		if to.cve() != "" && e.Kind == intel.KindTechnique {
			to.link(intel.Enables, from.fact.ID)
		}
	}
}

// cve is the id of a weakness, empty for what is none.
func (n *node) cve() string {
	if n.form != weakness {
		return ""
	}
	return n.fact.ID
}

// replace makes the ids of what was revoked aliases of what stands in its
// place now, because other publications go on to use them.
func (g *graph) replace() {
	heirs := map[key]key{}
	for i := range g.relations {
		if r := &g.relations[i]; r.verb == replaced && !r.gone {
			heirs[r.from] = r.to
		}
	}
	for i := range g.nodes {
		was := &g.nodes[i]
		if !was.gone || was.fact.Entry == nil || was.fact.ID == "" {
			continue
		}
		var is *node
		for at, steps := heirs[was.key], 0; is == nil && at != (key{}) && steps < maxNested; steps++ {
			is, at = g.find(at), heirs[at]
		}
		if is != nil && is.fact.Entry != nil && is.fact.Entry.Kind == was.fact.Entry.Kind {
			is.known(was.fact.ID)
			is.known(was.key.alias())
		}
	}
}

// known adds an alias.
func (n *node) known(alias string) {
	if alias != "" && alias != n.fact.ID && len(n.fact.Aliases) < intel.MaxAliases && !slices.Contains(n.fact.Aliases, alias) {
		n.fact.Aliases = append(n.fact.Aliases, alias)
	}
}

// refer makes links of what an object itself names.
func (g *graph) refer(n *node) {
	for _, ref := range n.refs {
		to, kind := g.name(ref)
		switch {
		case n.form == pattern:
			if kind == intel.KindPattern {
				n.link(intel.PartOf, to)
			}
		case ref.form == weakness:
			if w := g.find(ref); w != nil {
				n.link(intel.Exploits, w.cve())
			}
		default:
			if relation := act(intel.KindCampaign, kind); relation != "" {
				n.link(relation, to)
			}
		}
	}
}

// finished is the fact of a node; ok is false if it says nothing, or is not
// wanted.
func (n *node) finished(kinds []intel.Kind) (f intel.Fact, ok bool) {
	f = n.fact
	if f.Entry != nil {
		n.prose.infer(f.Entry)
	}
	slices.SortFunc(f.Links, func(a, b intel.Link) int { return cmp.Or(cmp.Compare(a.Relation, b.Relation), cmp.Compare(a.To, b.To)) })
	f.Links = slices.Compact(f.Links)
	f.Links = slices.Clip(f.Links[:min(len(f.Links), intel.MaxLinks)])
	switch {
	case n.form == weakness:
		ok = f.Threat != (exposure.Threat{}) || len(f.Links) > 0
	case n.form == report:
		// One that lists weaknesses only is of no attack.
		ok = slices.ContainsFunc(f.Links, func(l intel.Link) bool { return l.Relation != intel.Exploits })
	default:
		ok = true
	}
	if len(kinds) > 0 && (f.Entry == nil || !slices.Contains(kinds, f.Entry.Kind)) {
		return f, false
	}
	return f, ok && f.Check() == nil
}
