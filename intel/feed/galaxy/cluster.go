package galaxy

import (
	"encoding/hex"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/leeward-ctem/leeward/discover/decode"
	"github.com/leeward-ctem/leeward/intel"
	"github.com/leeward-ctem/leeward/intel/target"
)

// value is what is read of one cluster.
type value struct {
	Value       string `json:"value"`
	UUID        string `json:"uuid"`
	Description string `json:"description"`
	Meta        struct {
		Synonyms   texts `json:"synonyms"`
		Refs       texts `json:"refs"`
		Country    texts `json:"country"` // of the attacker
		Sponsor    texts `json:"cfr-suspected-state-sponsor"`
		Victims    texts `json:"cfr-suspected-victims"`
		Suspected  texts `json:"suspected-victims"`
		Categories texts `json:"cfr-target-category"`
		Targeted   texts `json:"targeted-sector"`
		Victimhood texts `json:"victimology"`
		Since      texts `json:"since"`       // of groups: a year
		Date       texts `json:"date"`        // of ransomware: a month
		ID         texts `json:"external_id"` // of countermeasures
		KillChain  texts `json:"kill_chain"`
	} `json:"meta"`
	Related []related `json:"related"`
}

type related struct {
	To   string `json:"dest-uuid"`
	Type string `json:"type"`
	Tags texts  `json:"tags"`
}

// texts is a list of texts, or one. What is neither is none: a value of another
// kind in one of many fields must not cost the cluster.
type texts []string

// UnmarshalJSON implements json.Unmarshaler.
func (t *texts) UnmarshalJSON(raw []byte) error {
	var one string
	if decode.Unmarshal(raw, &one) == nil {
		*t = texts{one}
		return nil
	}
	var all []any
	if decode.Unmarshal(raw, &all) == nil {
		for _, v := range all {
			if s, ok := v.(string); ok {
				*t = append(*t, s)
			}
		}
	}
	return nil
}

// cluster is what is kept of one until the file was read.
type cluster struct {
	uuid  string
	id    string // of a countermeasure
	day   int    // of the first sight
	same  []string
	links []link
	model bool // a countermeasure that only looks at things
	entry intel.Entry
}

// link is a relation to another cluster.
type link struct{ kind, to string }

// maxSame bounds what a cluster may be similar to; one had 14 in 2026.
const maxSame = 64

// cluster checks a value and cuts it to what can be kept.
func (v *value) cluster() (cluster, bool) {
	c := cluster{uuid: uuid(v.UUID), id: first(v.Meta.ID), day: max(month(first(v.Meta.Date)), year(first(v.Meta.Since)))}
	c.entry = intel.Entry{Name: intel.Cut(v.Value, intel.MaxName), Summary: intel.Cut(v.Description, intel.MaxSummary), URL: address(v.Meta.Refs)}
	if c.uuid == "" || c.entry.Name == "" {
		return c, false
	}
	c.model = len(v.Meta.KillChain) > 0 && !slices.ContainsFunc(v.Meta.KillChain, func(s string) bool { return !strings.HasPrefix(s, "Model:") })
	c.name(v.Meta.Synonyms)
	for _, r := range v.Related {
		to := uuid(r.To)
		switch {
		case to == "" || to == c.uuid || doubtful(r.Tags):
		case r.Type != "similar":
			if l := (link{r.Type, to}); len(c.links) < intel.MaxLinks {
				c.links = append(c.links, l)
			}
		case len(c.same) < maxSame && !slices.Contains(c.same, to):
			c.same = append(c.same, to)
		}
	}
	c.aim(v)
	return c, true
}

// name takes the other names. One that is the id of a group in ATT&CK says
// that the cluster is that group.
func (c *cluster) name(synonyms []string) {
	seen := map[string]bool{c.entry.Name: true}
	for _, s := range synonyms {
		s = intel.Cut(s, intel.MaxName)
		switch {
		case s == "" || seen[s]:
		case isGroup(s):
			c.same = append(c.same, s)
		case len(c.entry.Names) < intel.MaxNames:
			c.entry.Names = append(c.entry.Names, s)
		}
		seen[s] = true
		if len(c.same) == maxSame {
			return
		}
	}
}

// isGroup reports whether s is the id of a group in ATT&CK, such as G0016.
func isGroup(s string) bool {
	_, err := strconv.ParseUint(strings.TrimPrefix(s, "G"), 10, 16)
	return len(s) == 5 && s[0] == 'G' && err == nil
}

// aim reads whom a group aims at and where it comes from. Its description is
// asked only when nothing is stated.
func (c *cluster) aim(v *value) {
	m := &v.Meta
	c.entry.Origin = countries(m.Country, m.Sponsor)
	var places []string
	for _, r := range c.links {
		if r.kind == "targets" {
			places = append(places, place(r.to))
		}
	}
	var mixed []string
	for _, s := range m.Victimhood {
		mixed = append(mixed, strings.Split(s[:min(len(s), 1000)], ",")...)
	}
	c.entry.Countries = countries(m.Victims, m.Suspected, places, mixed)
	c.entry.Sectors = target.Sectors(slices.Concat(m.Categories, m.Targeted, mixed)...)
	if len(c.entry.Countries)+len(c.entry.Sectors) == 0 {
		c.entry.Sectors, c.entry.Countries = target.Prose(v.Description)
		c.entry.Inferred = len(c.entry.Countries)+len(c.entry.Sectors) > 0
	}
}

// countries are the codes of those words that name one.
func countries(lists ...[]string) []string {
	var all []string
	for _, name := range slices.Concat(lists...) {
		if code, ok := target.Country(name); ok {
			all = append(all, code)
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// place is the country of a cluster of the galaxy's own list of countries. Its
// ids are made of the three letters of the code, in hexadecimal digits.
func place(uuid string) string {
	letters, ok := strings.CutPrefix(uuid, "84668357-5a8c-4bdd-9f0f-6b50b2")
	if !ok {
		return ""
	}
	code, err := hex.DecodeString(letters)
	if err != nil {
		return ""
	}
	return string(code)
}

// doubtful reports whether the tags of a relation say that it may well not be
// so. Where nothing is said of that, it is meant.
func doubtful(tags []string) bool {
	const likelihood = "estimative-language:likelihood-probability="
	for _, t := range tags {
		if degree, ok := strings.CutPrefix(t, likelihood); ok {
			return !slices.Contains([]string{"likely", "very-likely", "almost-certain"}, strings.Trim(degree, `"`))
		}
	}
	return false
}

// actor is a group.
func (c *cluster) actor() (intel.Fact, bool) {
	c.entry.Kind = intel.KindActor
	return c.fact("misp:"+c.uuid, func(kind string) intel.Relation {
		if kind == "uses" || kind == "deploys" || kind == "delivers" {
			return intel.Uses
		}
		return ""
	}), true
}

// ransomware is malware that takes data hostage. Whom it was used against is
// told of the groups.
func (c *cluster) ransomware() (intel.Fact, bool) {
	c.entry.Kind, c.entry.Ransomware = intel.KindSoftware, true
	return c.fact("misp:"+c.uuid, func(kind string) intel.Relation {
		if kind == "uses" {
			return intel.Uses
		}
		return ""
	}), true
}

// countermeasure is a technique of D3FEND. All that it does to what a technique
// of ATT&CK touches counters that, but modelling: to list things stops nobody.
func (c *cluster) countermeasure() (intel.Fact, bool) {
	c.entry.Kind = intel.KindCountermeasure
	f := c.fact(c.id, func(string) intel.Relation {
		if c.model {
			return ""
		}
		return intel.Counters
	})
	return f, strings.HasPrefix(c.id, "D3-") && intel.ValidID(c.id)
}

func (c *cluster) fact(id string, relation func(kind string) intel.Relation) intel.Fact {
	c.entry.FirstDay = c.day
	f := intel.Fact{ID: id, Aliases: append([]string{"uuid:" + c.uuid}, c.same...), Entry: &c.entry}
	for _, l := range c.links {
		if r := relation(l.kind); r != "" {
			f.Links = append(f.Links, intel.Link{Relation: r, To: "uuid:" + l.to})
		}
	}
	slices.SortFunc(f.Links, func(a, b intel.Link) int { return strings.Compare(a.To, b.To) })
	f.Links = slices.Compact(f.Links)
	return f
}

// uuid is an id in small letters, empty if it is none.
func uuid(s string) string {
	s = strings.ToLower(strings.TrimSpace(s))
	if len(s) != 36 {
		return ""
	}
	for i := range len(s) {
		dash := i == 8 || i == 13 || i == 18 || i == 23
		if c := s[i]; dash != (c == '-') || !dash && (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return ""
		}
	}
	return s
}

// address is the first page that people can read safely.
func address(refs []string) string {
	for _, r := range refs {
		if r = strings.TrimSpace(r); strings.HasPrefix(r, "https://") && len(r) <= 500 && intel.ValidLine(r) {
			return r
		}
	}
	return ""
}

func first(t texts) string {
	if len(t) == 0 {
		return ""
	}
	return t[0]
}

// month is the first day of a month such as "March 2017", also in the ways in
// which it is misspelled.
func month(s string) int {
	word, rest, _ := strings.Cut(strings.TrimSpace(s), " ")
	at := strings.LastIndexByte(rest, ' ') + 1
	if len(word) < 3 || year(rest[at:]) == 0 {
		return 0
	}
	i := strings.Index("janfebmaraprmayjunjulaugsepoctnovdec", strings.ToLower(word[:3]))
	if i < 0 || i%3 != 0 {
		return 0
	}
	n, _ := strconv.Atoi(rest[at:])
	return intel.Day(time.Date(n, time.Month(i/3+1), 1, 0, 0, 0, 0, time.UTC))
}

// year is the first day of one.
func year(s string) int {
	n, err := strconv.Atoi(s)
	if err != nil || n < 1980 || n > 2400 {
		return 0
	}
	return intel.Day(time.Date(n, 1, 1, 0, 0, 0, 0, time.UTC))
}
