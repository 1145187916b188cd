package policy

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/leeward-ctem/leeward/exposure"
)

// Weakness is what conditions may ask of a weakness.
type Weakness struct {
	KEV, Ransomware, Exploited, Exploit, PoC bool
	EPSSKnown                                bool
	EPSS, Percentile                         float64
	Automatable, AutomatableKnown            bool
	TotalImpact, TotalImpactKnown            bool
	Named, Withdrawn                         bool
	Type, Severity, AttackVector             string
	CVEs                                     []string
}

// Asset is what conditions may ask of an asset.
type Asset struct {
	Reach                                     string
	Tier                                      int // 3 when not known
	TierKnown                                 bool
	Owner                                     string
	Services, Tags, Scopes, Data, Regulations []string
	Controls, Loss                            float64
}

// side is what a condition speaks of.
type side uint8

const (
	nothing  side = 0 // a constant
	weakness side = 1 << iota
	asset
	band
)

var sides = map[side]string{weakness: "the weakness", asset: "the asset", band: "the band"}

// Variable is one that conditions may use.
type Variable struct {
	Name    string   `json:"name"`
	Of      string   `json:"of"`              // the weakness, the asset, the band
	Type    string   `json:"type"`            // bool, number, whole, text, list
	Words   []string `json:"words,omitempty"` // of a text all that it may be; empty: any
	Meaning string   `json:"meaning"`
	Unknown string   `json:"unknown,omitempty"` // how not knowing reads

	side side
	// weakness and asset return a pointer to the field: an interface holds it
	// without allocating.
	weakness func(*Weakness) any
	asset    func(*Asset) any
	flag     func(*Weakness) *bool // of a bool of the weakness: all weaknesses of the world are asked
}

// The types of variables.
const (
	typeBool   = "bool"
	typeNumber = "number"
	typeWhole  = "whole"
	typeText   = "text"
	typeList   = "list"
)

// bands are the words for bands, from none to critical.
func bands() []string {
	var all []string
	for b := exposure.BandNone; b <= exposure.BandCritical; b++ {
		all = append(all, b.String())
	}
	return all
}

// words are the texts of an enum of package exposure.
func words[E interface {
	~uint8
	fmt.Stringer
}](last E) []string {
	var all []string
	for e := E(0); e <= last; e++ {
		all = append(all, e.String())
	}
	return all
}

// attackVectors are the words for where an attack may come from, in the order
// of the rows of [exposure.ContextFactor].
var attackVectors = [exposure.Vectors]string{"network", "adjacent", "local", "physical", "unknown"}

// AttackVector is the word for a row of [exposure.ContextFactor].
func AttackVector(row int) string { return attackVectors[row] }

// variable of a weakness or an asset, by a function to the field.
func ofWeakness[T any](name, kind, meaning, unknown string, at func(*Weakness) *T) Variable {
	flag, _ := any(at).(func(*Weakness) *bool)
	return Variable{Name: name, Type: kind, Meaning: meaning, Unknown: unknown, Of: sides[weakness], side: weakness, flag: flag,
		weakness: func(w *Weakness) any { return at(w) }}
}

func ofAsset[T any](name, kind, meaning, unknown string, at func(*Asset) *T) Variable {
	return Variable{Name: name, Type: kind, Meaning: meaning, Unknown: unknown, Of: sides[asset], side: asset,
		asset: func(a *Asset) any { return at(a) }}
}

func (v Variable) oneOf(words []string) Variable {
	v.Words = words
	return v
}

// Variables are all that conditions may use, in the order of the documentation.
func Variables() []Variable {
	return []Variable{
		ofWeakness("kev", typeBool, "in CISA's catalogue of known exploited vulnerabilities", "", func(w *Weakness) *bool { return &w.KEV }),
		ofWeakness("ransomware", typeBool, "known to be used by ransomware", "", func(w *Weakness) *bool { return &w.Ransomware }),
		ofWeakness("exploited", typeBool, "known to be exploited anywhere: KEV or other evidence", "", func(w *Weakness) *bool { return &w.Exploited }),
		ofWeakness("exploit", typeBool, "a ready exploit is public: a Metasploit module or a Nuclei template", "", func(w *Weakness) *bool { return &w.Exploit }),
		ofWeakness("poc", typeBool, "any exploit code is public: a ready one, in an archive, or a proof of concept", "", func(w *Weakness) *bool { return &w.PoC }),
		ofWeakness("epss_known", typeBool, "there is an EPSS score; must stand beside epss and epss_percentile", "", func(w *Weakness) *bool { return &w.EPSSKnown }),
		ofWeakness("epss", typeNumber, "EPSS probability, 0 to 1", "0; ask epss_known too", func(w *Weakness) *float64 { return &w.EPSS }),
		ofWeakness("epss_percentile", typeNumber, "its rank among all CVEs, 0 to 1", "0; ask epss_known too", func(w *Weakness) *float64 { return &w.Percentile }),
		ofWeakness("automatable", typeBool, "exploitation can be automated: SSVC, else network, low complexity, no privileges and no user by the CVSS vector", "false; see automatable_known", func(w *Weakness) *bool { return &w.Automatable }),
		ofWeakness("automatable_known", typeBool, "SSVC data or a CVSS vector says so or not", "", func(w *Weakness) *bool { return &w.AutomatableKnown }),
		ofWeakness("total_impact", typeBool, "technical impact is total: SSVC, else high confidentiality and integrity by the CVSS vector, else severity high or critical", "by severity; see total_impact_known", func(w *Weakness) *bool { return &w.TotalImpact }),
		ofWeakness("total_impact_known", typeBool, "SSVC data or a CVSS vector says so or not", "", func(w *Weakness) *bool { return &w.TotalImpactKnown }),
		ofWeakness("named", typeBool, "a published vulnerability, with a CVE, GHSA or the like; not a misconfiguration, secret or own code", "", func(w *Weakness) *bool { return &w.Named }),
		ofWeakness("withdrawn", typeBool, "withdrawn by those who published it", "", func(w *Weakness) *bool { return &w.Withdrawn }),
		ofWeakness("exposure_type", typeText, "what sort of weakness it is", "", func(w *Weakness) *string { return &w.Type }).oneOf(words(exposure.TypeLogic)),
		ofWeakness("severity", typeText, "the scanner's word", "unknown", func(w *Weakness) *string { return &w.Severity }).oneOf(words(exposure.SeverityCritical)),
		ofWeakness("attack_vector", typeText, "by the CVSS vector", "unknown", func(w *Weakness) *string { return &w.AttackVector }).oneOf(attackVectors[:]),
		ofWeakness("cves", typeList, "the CVEs that it is", "empty", func(w *Weakness) *[]string { return &w.CVEs }),

		ofAsset("reach", typeText, "from where the asset can be reached", "unknown", func(a *Asset) *string { return &a.Reach }).oneOf(words(exposure.ReachIsolated)),
		ofAsset("tier", typeWhole, "1 crown jewel to 4 least", "3, as in the score; see tier_known", func(a *Asset) *int { return &a.Tier }),
		ofAsset("tier_known", typeBool, "the programme gives the asset a tier", "", func(a *Asset) *bool { return &a.TierKnown }),
		ofAsset("owner", typeText, "the team", "empty", func(a *Asset) *string { return &a.Owner }),
		ofAsset("services", typeList, "business services behind the asset", "empty", func(a *Asset) *[]string { return &a.Services }),
		ofAsset("tags", typeList, "tags of the programme", "empty", func(a *Asset) *[]string { return &a.Tags }),
		ofAsset("scopes", typeList, "scopes that hold the asset", "empty", func(a *Asset) *[]string { return &a.Scopes }),
		ofAsset("data", typeList, "classes of data of its services", "empty", func(a *Asset) *[]string { return &a.Data }),
		ofAsset("regulations", typeList, "regulations of its services", "empty", func(a *Asset) *[]string { return &a.Regulations }),
		ofAsset("controls", typeNumber, "share of attempts that validated controls stop, 0 to 1", "0", func(a *Asset) *float64 { return &a.Controls }),
		ofAsset("loss", typeNumber, "what is lost with the asset, in currency; without services by its tier", "", func(a *Asset) *float64 { return &a.Loss }),

		{Name: "band", Type: typeText, Of: sides[band], side: band, Words: bands(), Meaning: "the band of the finding's risk"},
	}
}

// vocabulary are the variables by name.
var vocabulary = sync.OnceValue(func() map[string]*Variable {
	all := map[string]*Variable{}
	for _, v := range Variables() {
		all[v.Name] = &v
	}
	return all
})

// lookup finds a variable by name.
func lookup(name string) (*Variable, bool) {
	v, ok := vocabulary()[name]
	return v, ok
}

func variableNames() string {
	var all []string
	for _, v := range Variables() {
		all = append(all, v.Name)
	}
	return strings.Join(all, ", ")
}

// Case is a made-up finding, to try policies on.
type Case struct {
	Weakness Weakness
	Asset    Asset
	Band     exposure.Band
}

// NewCase returns a published vulnerability of the medium band of which
// nothing else is known, on an asset of which nothing is.
func NewCase() Case {
	return Case{
		Weakness: Weakness{Named: true, Type: exposure.TypeVulnerability.String(), Severity: exposure.SeverityUnknown.String(), AttackVector: "unknown"},
		Asset:    Asset{Reach: exposure.ReachUnknown.String(), Tier: DefaultTier},
		Band:     exposure.BandMedium,
	}
}

// DefaultTier is that of assets without one, as in the score.
const DefaultTier = 3

// Set gives a variable a value as people type it, and those that follow from
// it theirs: what is in KEV is exploited. Values of a list are parted by commas.
func (c *Case) Set(name, text string) error {
	if name == "band" {
		if err := c.Band.UnmarshalText([]byte(text)); err != nil {
			return exposure.Errorf(exposure.Invalid, "band: %w", err)
		}
		return nil
	}
	v, ok := lookup(name)
	if !ok {
		return exposure.Errorf(exposure.Invalid, "there is no variable %q: use one of %s", name, variableNames())
	}
	w, a := &c.Weakness, &c.Asset
	if err := v.parse(text, v.field(w, a)); err != nil {
		return err
	}
	switch name {
	case "kev":
		w.Exploited = w.Exploited || w.KEV
	case "exploit":
		w.PoC = w.PoC || w.Exploit
	case "epss", "epss_percentile":
		w.EPSSKnown = true
	case "automatable":
		w.AutomatableKnown = true
	case "total_impact":
		w.TotalImpactKnown = true
	case "tier":
		a.TierKnown = true
	}
	return nil
}

// field is a pointer to the field of a variable of the weakness or the asset.
func (v *Variable) field(w *Weakness, a *Asset) any {
	if v.side == weakness {
		return v.weakness(w)
	}
	return v.asset(a)
}

func (v *Variable) parse(text string, to any) (err error) {
	want := ""
	switch to := to.(type) {
	case *bool:
		*to, err = strconv.ParseBool(text)
		want = "true or false"
	case *float64:
		if *to, err = strconv.ParseFloat(text, 64); *to != *to {
			err = strconv.ErrRange
		}
		want = "a number"
	case *int:
		*to, err = strconv.Atoi(text)
		want = "a whole number"
	case *[]string:
		*to = nil
		for part := range strings.SplitSeq(text, ",") {
			if part = strings.TrimSpace(part); part != "" {
				*to = append(*to, part)
			}
		}
	case *string:
		*to = text
		if len(v.Words) > 0 && !slices.Contains(v.Words, text) {
			err = strconv.ErrSyntax
		}
		want = "one of " + strings.Join(v.Words, ", ")
	}
	if err != nil {
		return exposure.Errorf(exposure.Invalid, "%s is %q: give %s", v.Name, text, want)
	}
	return nil
}

// shown is the value of a variable as explanations show it.
func (v *Variable) shown(w *Weakness, a *Asset, b exposure.Band) string {
	if v.side == band {
		return b.String()
	}
	switch p := v.field(w, a).(type) {
	case *[]string:
		return orNone(strings.Join(*p, ", "))
	case *string:
		return orNone(*p)
	case *float64:
		return strconv.FormatFloat(*p, 'g', 4, 64)
	case *bool:
		return strconv.FormatBool(*p)
	case *int:
		return strconv.Itoa(*p)
	}
	return ""
}

func orNone(s string) string {
	if s == "" {
		return "none"
	}
	return s
}
