package exposure

import "math"

// Type is what sort of exposure an advisory describes; exposures without
// intelligence get their prior by it.
type Type uint8

// The types of exposure.
const (
	TypeVulnerability Type = iota // a published weakness of a product
	TypeMisconfiguration
	TypeSecret
	TypeCredential // weak or default
	TypeCode       // a weakness in own code
	TypeWeb        // a weakness of a web application
	TypeLicense
	TypeService // an open port or a fact worth knowing
	TypeIdentity
	TypeLogic
)

var types = enumeration{"type", []string{"vulnerability", "misconfiguration", "secret", "credential", "code", "web", "license", "service", "identity", "logic"}}

func (t Type) String() string               { return types.name(uint8(t)) }
func (t Type) MarshalText() ([]byte, error) { return []byte(t.String()), nil }
func (t *Type) UnmarshalText(b []byte) error {
	return set(types, (*uint8)(t), b)
}

// Advisory is what the world says about one weakness.
type Advisory struct {
	ID          AdvisoryID `json:"id"`
	Key         string     `json:"key"` // "CVE-2024-3400" or "nessus:10107"
	Type        Type       `json:"type"`
	CVEs        []string   `json:"cves,omitempty"` // those it is, or covers
	Aliases     []string   `json:"aliases,omitempty"`
	Title       string     `json:"title"`
	Description string     `json:"description,omitempty"`
	Solution    string     `json:"solution,omitempty"`
	Severity    Severity   `json:"severity"`
	CWEs        []int      `json:"cwes,omitempty"`
	CVSS        []string   `json:"cvss,omitempty"`
	References  []string   `json:"references,omitempty"`
	Threat      Threat     `json:"threat"`
}

// Threat is what intelligence says about an advisory: facts with dates, no
// judgement. Days are counted from 1970-01-01 UTC; 0 means unknown or never, and of
// an exploit [UnknownDay] that it is there since nobody says when.
type Threat struct {
	EPSS       float64 `json:"epss,omitempty"`       // probability 0…1, meaningful when EPSSModel is set
	Percentile float64 `json:"percentile,omitempty"` // 0…1
	EPSSModel  string  `json:"epss_model,omitempty"` // "v2025.03.14"; empty: no score, which is not low

	KEVDay     int  `json:"kev_day,omitempty"` // listed by CISA on that day
	KEVDueDay  int  `json:"kev_due_day,omitempty"`
	Ransomware bool `json:"ransomware,omitempty"` // known use in ransomware campaigns

	ObservedDay   int     `json:"observed_day,omitempty"` // last evidence of exploitation anywhere
	Sightings     float64 `json:"sightings,omitempty"`    // local hazard per day
	MetasploitDay int     `json:"metasploit_day,omitempty"`
	NucleiDay     int     `json:"nuclei_day,omitempty"`
	ArchiveDay    int     `json:"archive_day,omitempty"` // Exploit-DB, Packet Storm
	PoCDay        int     `json:"poc_day,omitempty"`

	PublishedDay int    `json:"published_day,omitempty"`
	Automatable  string `json:"automatable,omitempty"`      // SSVC: yes, no
	Impact       string `json:"technical_impact,omitempty"` // SSVC: total, partial
	Withdrawn    bool   `json:"withdrawn,omitempty"`

	// Vector is the CVSS vector by which the world describes the weakness, such
	// as CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H, or without a prefix one
	// of version 2. It counts where the advisory has none from a report.
	Vector string `json:"vector,omitempty"`
}

// UnknownDay is the day of what is there by now, and nobody says since when: the
// list of an archive without dates. It lies before all days that are stated, so
// what compares days takes it for long ago. It is shown in words, never as the
// day it would be, which is in 1970.
const UnknownDay = 1

// Near reports whether two states of knowledge score alike to within about ten
// points: they differ in EPSS alone, in its probability by less than a tenth
// and in the share of CVEs above it by less than a quarter. Another vector is
// never near, also of an advisory that has its own: that is not known here.
func (t Threat) Near(o Threat) bool {
	step := func(p, steps float64) int { return int(math.Floor(steps * math.Log(max(p, 1e-6)))) }
	near := step(t.EPSS, 10) == step(o.EPSS, 10) && step(1-t.Percentile, 4) == step(1-o.Percentile, 4)
	t.EPSS, t.Percentile = o.EPSS, o.Percentile
	return near && t == o
}

// Scored reports whether EPSS says anything: no score is not a low score.
func (t *Threat) Scored() bool { return t.EPSSModel != "" }

// KEV reports whether the weakness is in CISA's catalogue of those known to be exploited.
func (t *Threat) KEV() bool { return t.KEVDay != 0 }
