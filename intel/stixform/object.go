package stixform

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"strings"
	"time"

	"github.com/leeward-ctem/leeward/intel"
)

// object is what is read of an object, of whatever type it is, see
// https://docs.oasis-open.org/cti/stix/v2.1/os/stix-v2.1-os.html, for x_mitre
// https://github.com/mitre/cti/blob/master/USAGE.md and for x_capec
// https://github.com/mitre/cti/blob/master/USAGE-CAPEC.md
type object struct {
	Type       string `json:"type"`
	ID         string `json:"id"`
	Created    string `json:"created"`
	Modified   string `json:"modified"`
	Revoked    bool   `json:"revoked"`
	Deprecated bool   `json:"x_mitre_deprecated"`

	Name         string      `json:"name"`
	Description  string      `json:"description"`
	Aliases      []string    `json:"aliases"`
	MitreAliases []string    `json:"x_mitre_aliases"`
	References   []reference `json:"external_references"`
	Labels       []string    `json:"labels"` // of STIX 2.0, for what are types in 2.1
	MalwareTypes []string    `json:"malware_types"`
	FirstSeen    string      `json:"first_seen"`
	LastSeen     string      `json:"last_seen"`
	Goals        []string    `json:"goals"`
	Sectors      []string    `json:"sectors"`
	Class        string      `json:"identity_class"`
	Country      string      `json:"country"`
	Objects      []string    `json:"object_refs"`
	Phases       []phase     `json:"kill_chain_phases"`
	Shortname    string      `json:"x_mitre_shortname"`
	Domains      []string    `json:"x_mitre_domains"`
	Version      string      `json:"x_mitre_version"`
	Parents      []string    `json:"x_capec_child_of_refs"`
	Status       string      `json:"x_capec_status"`

	Verb   string   `json:"relationship_type"`
	Source string   `json:"source_ref"`
	Target string   `json:"target_ref"`
	Seen   string   `json:"sighting_of_ref"`
	Count  *float64 `json:"count"` // of sightings; 0 says that nothing was seen

	Within []json.RawMessage `json:"objects"` // of a bundle
}

type reference struct {
	Source string `json:"source_name"`
	ID     string `json:"external_id"`
	URL    string `json:"url"`
}

type phase struct {
	Chain string `json:"kill_chain_name"`
	Name  string `json:"phase_name"`
}

// chain is the kill chain of a domain of ATT&CK. The domains have tactics of
// the same name.
func chain(domain string) string {
	if domain == "enterprise-attack" {
		return "mitre-attack"
	}
	return "mitre-" + domain
}

// form is a type of objects that something is made of.
type form uint8

const (
	other form = iota // nothing is made of it
	relationship
	sighting
	bundle
	matrix
	collection
	identity
	location
	weakness
	actor
	campaign
	report // counts as a campaign if it names something of an attack
	software
	pattern
	mitigation
	tactic
)

func formOf(t string) form {
	switch t {
	case "relationship":
		return relationship
	case "sighting":
		return sighting
	case "bundle":
		return bundle
	case "x-mitre-matrix":
		return matrix
	case "x-mitre-collection":
		return collection
	case "identity":
		return identity
	case "location":
		return location
	case "vulnerability":
		return weakness
	case "intrusion-set", "threat-actor":
		return actor
	case "campaign":
		return campaign
	case "report", "incident", "grouping":
		return report
	case "malware", "tool":
		return software
	case "attack-pattern":
		return pattern
	case "course-of-action":
		return mitigation
	case "x-mitre-tactic":
		return tactic
	}
	return other
}

// kind is that of an entry; of an attack pattern its references decide.
func (f form) kind() intel.Kind {
	switch f {
	case actor:
		return intel.KindActor
	case campaign, report:
		return intel.KindCampaign
	case software:
		return intel.KindSoftware
	case pattern:
		return intel.KindTechnique
	case mitigation:
		return intel.KindMitigation
	case tactic:
		return intel.KindTactic
	}
	return ""
}

// key stands for the id of an object, however long that is. Files have as many
// ids as relationships, times three.
type key struct {
	form form
	uuid bool     // id is the UUID of the id, else the start of its SHA-256
	id   [16]byte // of all of it
}

func keyOf(id string) key {
	prefix, rest, _ := strings.Cut(id, "--")
	k := key{form: formOf(prefix)}
	if uuid, ok := uuidOf(rest); ok && k.form != other {
		k.id, k.uuid = uuid, true
		// The types of one form share no UUID: they are random, or made of the
		// type as well.
		return k
	}
	sum := sha256.Sum256([]byte(id))
	copy(k.id[:], sum[:])
	return k
}

func uuidOf(s string) (uuid [16]byte, ok bool) {
	if len(s) != 36 || s[8] != '-' || s[13] != '-' || s[18] != '-' || s[23] != '-' {
		return uuid, false
	}
	var digits [32]byte
	n := 0
	for i := range len(s) {
		if i == 8 || i == 13 || i == 18 || i == 23 {
			continue
		}
		digits[n] = s[i]
		n++
	}
	_, err := hex.Decode(uuid[:], digits[:])
	return uuid, err == nil
}

// alias is the name by which other publications know an object, whatever its
// type: those of MISP refer to the objects of ATT&CK by it. Empty if there is
// none.
func (k key) alias() string {
	if !k.uuid {
		return ""
	}
	h := hex.EncodeToString(k.id[:])
	return "uuid:" + h[:8] + "-" + h[8:12] + "-" + h[12:16] + "-" + h[16:20] + "-" + h[20:]
}

// moment is a time in milliseconds since 1970, 0 if s states none.
func moment(s string) int64 {
	t, err := time.Parse(time.RFC3339, s)
	if err != nil || intel.Day(t) == 0 {
		return 0
	}
	return t.UnixMilli()
}

// day is the day of a moment, see [intel.Day].
func day(moment int64) int { return intel.Day(time.UnixMilli(moment)) }

// changed is when this version of an object was made.
func (o *object) changed() int64 {
	if m := moment(o.Modified); m != 0 {
		return m
	}
	return moment(o.Created)
}

// gone reports whether an object is not to count any more.
func (o *object) gone() bool {
	return o.Revoked || o.Deprecated || strings.EqualFold(o.Status, "Deprecated") || strings.EqualFold(o.Status, "Obsolete")
}
