package intel

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/leeward-ctem/leeward/exposure"
)

// Kind is what an entry of the threat landscape is.
type Kind string

// The kinds of entry.
const (
	KindActor          Kind = "actor"          // a group or person that attacks: ATT&CK G0016, a STIX intrusion-set or threat-actor
	KindCampaign       Kind = "campaign"       // what somebody did for a while: ATT&CK C0024, a STIX campaign, a MISP event
	KindSoftware       Kind = "software"       // malware, ransomware or a tool that is used to attack: ATT&CK S0154
	KindTechnique      Kind = "technique"      // ATT&CK T1190, T1059.001
	KindTactic         Kind = "tactic"         // ATT&CK TA0001: what a technique is for
	KindMitigation     Kind = "mitigation"     // ATT&CK M1051, a control of a framework
	KindCountermeasure Kind = "countermeasure" // D3FEND D3-FE
	KindPattern        Kind = "pattern"        // CAPEC-66: a way to use a class of weaknesses
	KindClass          Kind = "class"          // CWE-89: a class of weaknesses
)

// Entry is what a feed says of something that is no weakness: who attacks, how,
// and what stands against it. Targets use the words of [exposure.Profile].
type Entry struct {
	Kind    Kind     `json:"kind"`
	Name    string   `json:"name"`
	Names   []string `json:"names,omitempty"` // others that mean the same
	Summary string   `json:"summary,omitempty"`
	URL     string   `json:"url,omitempty"` // https, where people read more

	Origin     []string `json:"origin,omitempty"`    // ISO 3166-1 alpha-2 of suspected sponsors
	Countries  []string `json:"countries,omitempty"` // targeted, the same
	Sectors    []string `json:"sectors,omitempty"`   // targeted
	Inferred   bool     `json:"inferred,omitempty"`  // the targets were read from prose
	Ransomware bool     `json:"ransomware,omitempty"`
	FirstDay   int      `json:"first_day,omitempty"` // of activity, as days in [exposure.Threat]
	LastDay    int      `json:"last_day,omitempty"`
}

// Relation is how something is linked to something else.
type Relation string

// The relations, from what has the link to what it names.
const (
	Uses         Relation = "uses"          // actor, campaign, software → technique, software
	Exploits     Relation = "exploits"      // actor, campaign, software → weakness by its id
	AttributedTo Relation = "attributed_to" // campaign → actor
	Mitigates    Relation = "mitigates"     // mitigation → technique
	Counters     Relation = "counters"      // countermeasure → technique
	PartOf       Relation = "part_of"       // technique → technique, class → class: the narrower to the wider
	Serves       Relation = "serves"        // technique → tactic
	EnabledBy    Relation = "enabled_by"    // pattern → class: the weaknesses that make it possible
	Enables      Relation = "enables"       // weakness → technique it is exploited by; pattern → technique
	LeadsTo      Relation = "leads_to"      // weakness → technique that exploitation makes possible
	OfClass      Relation = "of_class"      // weakness → class
)

// Link names something that a fact's subject is related to, by its id or one
// of its aliases. What nobody describes stays a bare name.
type Link struct {
	Relation Relation `json:"relation"`
	To       string   `json:"to"`
}

// Bounds of an entry. In ATT&CK 18.1 the most linked entry has some 130
// techniques, the longest name 60 bytes; in the MISP galaxy an actor has up to
// 60 names. Descriptions are cut to some sentences by the feeds.
const (
	MaxName    = 200
	MaxNames   = 128
	MaxSummary = 1200
	MaxLinks   = 2000
	MaxTargets = 260
)

func (k Kind) valid() bool {
	switch k {
	case KindActor, KindCampaign, KindSoftware, KindTechnique, KindTactic, KindMitigation, KindCountermeasure, KindPattern, KindClass:
		return true
	}
	return false
}

func (r Relation) valid() bool {
	switch r {
	case Uses, Exploits, AttributedTo, Mitigates, Counters, PartOf, Serves, EnabledBy, Enables, LeadsTo, OfClass:
		return true
	}
	return false
}

// Cut shortens a text to at most n bytes, at the end of a sentence or else of
// a word, and drops what cannot be shown in one line.
func Cut(s string, n int) string {
	s = strings.Join(strings.FieldsFunc(strings.ToValidUTF8(s, ""), func(r rune) bool { return r <= ' ' || r == 0x7f || r >= 0x80 && r < 0xa0 || r == 0x2028 || r == 0x2029 }), " ")
	if len(s) <= n {
		return s
	}
	const more = "…"
	end := max(0, n-len(more))
	for end > 0 && !utf8.RuneStart(s[end]) {
		end--
	}
	if i := strings.LastIndex(s[:end], ". "); i > end/2 {
		return s[:i+1]
	}
	if i := strings.LastIndexByte(s[:end], ' '); i > end/2 {
		end = i
	}
	return strings.TrimRight(s[:end], " ,;:") + more
}

// oneLine reports whether a text can be shown as it is in one line.
func oneLine(s string, n int) bool { return len(s) <= n && Cut(s, n) == s }

// check says what is wrong with an entry.
func (e *Entry) check(id string) error {
	switch {
	case !e.Kind.valid():
		return fmt.Errorf("%s is of the kind %q", id, Cut(string(e.Kind), 40))
	case e.Name == "" || !oneLine(e.Name, MaxName):
		return fmt.Errorf("name %q of %s", Cut(e.Name, 40), id)
	case len(e.Names) > MaxNames:
		return fmt.Errorf("%d names of %s", len(e.Names), id)
	case !oneLine(e.Summary, MaxSummary):
		return fmt.Errorf("summary of %d bytes of %s", len(e.Summary), id)
	case e.URL != "" && (!strings.HasPrefix(e.URL, "https://") || len(e.URL) > 500 || !ValidLine(e.URL)):
		return fmt.Errorf("address %q of %s", Cut(e.URL, 80), id)
	case len(e.Origin) > MaxTargets || len(e.Countries) > MaxTargets || len(e.Sectors) > MaxTargets:
		return fmt.Errorf("%d targets of %s", len(e.Countries)+len(e.Sectors), id)
	case e.FirstDay < 0 || e.FirstDay > maxDay || e.LastDay < 0 || e.LastDay > maxDay:
		return fmt.Errorf("days %d to %d of %s", e.FirstDay, e.LastDay, id)
	}
	for _, name := range e.Names {
		if name == "" || !oneLine(name, MaxName) {
			return fmt.Errorf("name %q of %s", Cut(name, 40), id)
		}
	}
	for _, c := range append(e.Origin[:len(e.Origin):len(e.Origin)], e.Countries...) {
		if !exposure.ValidCountry(c) {
			return fmt.Errorf("country %q of %s", Cut(c, 40), id)
		}
	}
	for _, s := range e.Sectors {
		if !exposure.ValidSector(s) {
			return fmt.Errorf("sector %q of %s", Cut(s, 40), id)
		}
	}
	return nil
}

// ValidLine reports whether s is printable ASCII without spaces.
func ValidLine(s string) bool {
	for i := range len(s) {
		if s[i] <= ' ' || s[i] > '~' {
			return false
		}
	}
	return true
}

func checkLinks(id string, links []Link) error {
	if len(links) > MaxLinks {
		return fmt.Errorf("%d links of %s", len(links), id)
	}
	for _, l := range links {
		if !l.Relation.valid() || !ValidID(l.To) {
			return fmt.Errorf("link %q to %q of %s", Cut(string(l.Relation), 40), Cut(l.To, 80), id)
		}
	}
	return nil
}
