package misp

import (
	"fmt"
	"hash/fnv"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/leeward-ctem/leeward/discover/decode"
	"github.com/leeward-ctem/leeward/exposure"
	"github.com/leeward-ctem/leeward/intel"
	"github.com/leeward-ctem/leeward/intel/target"
)

// event is what is read of one.
type event struct {
	uuid, info, date, level string
	org                     string
	changed, published      time.Time
	listed                  bool // attributes, objects or tags were there
	broken                  bool // one of its own fields is of another kind
	tlp                     string
	weaknesses              []weakness
	tags                    []tag
}

// weakness is a CVE that the event names.
type weakness struct {
	id   string
	seen int // the day of the last sighting
}

// tag is what a galaxy says: misp-galaxy:sector="Bank".
type tag struct{ kind, name string }

// text is a text, or a number as one: MISP writes both.
type text string

// UnmarshalJSON implements json.Unmarshaler.
func (t *text) UnmarshalJSON(raw []byte) error {
	if len(raw) > 0 && raw[0] != '"' {
		*t = text(raw[:min(len(raw), 40)])
		return nil
	}
	return decode.Unmarshal(raw, (*string)(t))
}

// tagged is a tag of an event or attribute.
type tagged struct {
	Name string `json:"name"`
}

// attribute is what is read of one.
type attribute struct {
	Type     string   `json:"type"`
	Value    text     `json:"value"`
	Deleted  bool     `json:"deleted"`
	Tags     []tagged `json:"Tag"`
	Sighting []struct {
		Type text `json:"type"` // 0: seen, 1: false positive, 2: expired
		Date text `json:"date_sighting"`
	} `json:"Sighting"`
}

// member reads a member of an event.
func (e *event) member(d *document, name string) error {
	switch name {
	case "uuid":
		return value(d, &e.uuid, &e.broken)
	case "info":
		return value(d, &e.info, &e.broken)
	case "date":
		return value(d, &e.date, &e.broken)
	case "threat_level_id":
		var level text
		err := value(d, &level, &e.broken)
		e.level = string(level)
		return err
	case "timestamp":
		return e.moment(d, &e.changed)
	case "publish_timestamp":
		return e.moment(d, &e.published)
	case "Orgc":
		var org struct {
			Name string `json:"name"`
		}
		var odd bool
		err := value(d, &org, &odd)
		e.org = org.Name
		return err
	case "Attribute":
		e.listed = true
		return d.j.Array(func() error { return e.attribute(d) })
	case "Object":
		e.listed = true
		return d.j.Array(func() error { return e.object(d) })
	case "Tag":
		e.listed = true
		return d.j.Array(func() error {
			var t tagged
			var odd bool
			err := value(d, &t, &odd)
			e.tag(t.Name)
			return err
		})
	}
	return d.j.Skip()
}

// moment reads a time in seconds since 1970.
func (e *event) moment(d *document, to *time.Time) error {
	var t text
	var odd bool
	err := value(d, &t, &odd)
	*to = moment(t)
	return err
}

func moment(t text) time.Time {
	n, err := strconv.ParseInt(string(t), 10, 64)
	if err != nil || n <= 0 || n > 1<<40 {
		return time.Time{}
	}
	return time.Unix(n, 0)
}

// object reads one object, of which the attributes count.
func (e *event) object(d *document) error {
	var o struct {
		Deleted    bool        `json:"deleted"`
		Attributes []attribute `json:"Attribute"`
	}
	var odd bool
	if err := value(d, &o, &odd); err != nil || o.Deleted {
		return err
	}
	for i := range o.Attributes {
		e.say(d, &o.Attributes[i])
	}
	return nil
}

// attribute reads one attribute. One of another kind is no reason to leave out
// the event.
func (e *event) attribute(d *document) error {
	var a attribute
	var odd bool
	err := value(d, &a, &odd)
	e.say(d, &a)
	return err
}

// say takes what an attribute says.
func (e *event) say(d *document, a *attribute) {
	if a.Deleted {
		return
	}
	if slices.ContainsFunc(a.Tags, func(t tagged) bool { mark, _ := marked(t.Name); return mark == "red" }) {
		return // for fewer than may see the event
	}
	for _, t := range a.Tags {
		if strings.HasPrefix(t.Name, galaxyPrefix) {
			e.tag(t.Name)
		}
	}
	id := strings.ToUpper(strings.TrimSpace(string(a.Value[:min(len(a.Value), 100)])))
	if a.Type != "vulnerability" || !intel.ValidCVE(id) {
		return
	}
	w := weakness{id: id}
	for _, s := range a.Sighting {
		if s.Type == "0" {
			w.seen = max(w.seen, d.days.Of(moment(s.Date)))
		}
	}
	if i := slices.IndexFunc(e.weaknesses, func(o weakness) bool { return o.id == id }); i >= 0 {
		e.weaknesses[i].seen = max(e.weaknesses[i].seen, w.seen)
	} else if len(e.weaknesses) < maxSaid {
		e.weaknesses = append(e.weaknesses, w)
	}
}

// maxSaid bounds the weaknesses of an event, and its tags.
const maxSaid = intel.MaxLinks / 2

const galaxyPrefix = "misp-galaxy:"

// tag takes a tag: one of a galaxy, or of the Traffic Light Protocol, of which
// the strictest counts.
func (e *event) tag(name string) {
	if mark, ok := marked(name); ok && (e.tlp == "" || slices.Index(marks, mark) < slices.Index(marks, e.tlp)) {
		e.tlp = mark
	}
	rest, ok := strings.CutPrefix(name, galaxyPrefix)
	if !ok {
		return
	}
	kind, quoted, ok := strings.Cut(rest, "=")
	t := tag{kind, intel.Cut(strings.Trim(quoted, `"`), intel.MaxName)}
	if ok && t.name != "" && len(e.tags) < maxSaid && !slices.Contains(e.tags, t) {
		e.tags = append(e.tags, t)
	}
}

// marks of the Traffic Light Protocol, the strictest first.
var marks = []string{"red", "amber+strict", "amber", "green", "clear"}

func marked(tag string) (string, bool) {
	mark, ok := strings.CutPrefix(strings.ToLower(strings.TrimSpace(tag[:min(len(tag), 40)])), "tlp:")
	if mark == "white" {
		mark = "clear"
	}
	return mark, ok && slices.Contains(marks, mark)
}

// facts are what the event says; ok is false if it is no event.
func (e *event) facts(d *document) (all []intel.Fact, ok bool) {
	id := uuid(e.uuid)
	name := intel.Cut(e.info, intel.MaxName)
	if e.broken || id == "" || name == "" {
		return nil, false
	}
	if e.tlp == "red" {
		return nil, true
	}
	entry := &intel.Entry{Kind: intel.KindCampaign, Name: name, Summary: e.summary(), FirstDay: d.days.Day(e.date)}
	f := intel.Fact{ID: "misp:" + id, Aliases: []string{"uuid:" + id}, Entry: entry}
	var countries []string
	for _, t := range e.tags {
		switch {
		case t.kind == "sector":
			entry.Sectors = append(entry.Sectors, target.Sectors(t.name)...)
		case t.kind == "target-information":
			if code, ok := target.Country(t.name); ok {
				countries = append(countries, code)
			}
		default:
			if l, o, ok := t.link(); ok {
				f.Links = append(f.Links, l)
				if o.Entry != nil {
					all = append(all, o)
				}
			}
		}
	}
	slices.Sort(countries)
	slices.Sort(entry.Sectors)
	entry.Countries, entry.Sectors = slices.Compact(countries), slices.Compact(entry.Sectors)
	for _, w := range e.weaknesses {
		f.Links = append(f.Links, intel.Link{Relation: intel.Exploits, To: w.id})
		if w.seen > 0 {
			all = append(all, intel.Fact{ID: w.id, Threat: exposure.Threat{ObservedDay: w.seen}})
		}
	}
	return append([]intel.Fact{f}, all...), true
}

// summary says who tells of the event, how grave they hold it, and how it may
// be shared.
func (e *event) summary() string {
	var s string
	if org := intel.Cut(e.org, intel.MaxName); org != "" {
		s = "By " + org + ". "
	}
	if i := slices.Index([]string{"1", "2", "3"}, e.level); i >= 0 {
		s += "Threat level: " + []string{"high", "medium", "low"}[i] + ". "
	}
	if e.tlp != "" {
		s += "TLP:" + strings.ToUpper(e.tlp) + "."
	}
	return strings.TrimSpace(s)
}

// link is what a tag of a galaxy means for a campaign, and what it names when
// that has no id of ATT&CK. What is called by a name only is found by it.
func (t tag) link() (l intel.Link, f intel.Fact, ok bool) {
	kind := t.kind
	for _, prefix := range []string{"mitre-enterprise-attack-", "mitre-mobile-attack-", "mitre-ics-", "mitre-"} {
		if rest, ok := strings.CutPrefix(kind, prefix); ok {
			kind = rest
			break
		}
	}
	name, id := t.name, ""
	if i := strings.LastIndex(t.name, " - "); i > 0 && isID(t.name[i+3:]) {
		name, id = t.name[:i], t.name[i+3:]
	}
	entry := &intel.Entry{Name: name}
	switch kind {
	case "threat-actor", "intrusion-set", "microsoft-activity-group", "groups":
		entry.Kind, l.Relation = intel.KindActor, intel.AttributedTo
	case "malware", "tool", "software", "malpedia", "ransomware", "rat", "backdoor", "banker", "botnet", "stealer", "exploit-kit", "android", "cryptominers":
		entry.Kind, l.Relation, entry.Ransomware = intel.KindSoftware, intel.Uses, kind == "ransomware"
	case "attack-pattern", "techniques":
		l.To, l.Relation = id, intel.Uses
		return l, f, strings.HasPrefix(id, "T")
	default:
		return l, f, false
	}
	if l.To = id; id == "" {
		sum := fnv.New64a()
		sum.Write([]byte(strings.ToLower(name)))
		f = intel.Fact{ID: fmt.Sprintf("misp-%s--%016x", entry.Kind, sum.Sum64()), Entry: entry}
		l.To = f.ID
	}
	return l, f, true
}

// isID reports whether s is an id of ATT&CK, such as G0016 or T1059.001.
func isID(s string) bool {
	if len(s) != 5 && len(s) != 9 || !strings.ContainsRune("GSTCM", rune(s[0])) {
		return false
	}
	for i := 1; i < len(s); i++ {
		if i == 5 && s[i] != '.' || i != 5 && (s[i] < '0' || s[i] > '9') {
			return false
		}
	}
	return true
}

// uuid is an id in small letters, empty if it is none.
func uuid(s string) string {
	s = strings.ToLower(strings.TrimSpace(s))
	if len(s) != 36 || strings.Trim(s, "0123456789abcdef-") != "" || strings.Count(s, "-") != 4 {
		return ""
	}
	return s
}
