// Package cverecord reads CVE records, which several feeds hold: those of the
// CVE programme, with what CISA adds to them as an authorized data publisher,
// above all the decision points of SSVC.
package cverecord

import (
	"encoding/json"
	"strings"
	"time"

	"github.com/leeward-ctem/leeward/discover/decode"
	"github.com/leeward-ctem/leeward/exposure"
	"github.com/leeward-ctem/leeward/intel"
)

// Said is what a record says, in whichever form.
type Said struct {
	ID        string
	Rejected  bool
	Published time.Time
	Changed   time.Time // the newest moment that it speaks of
	Vectors   []string  // those of the CVE's publisher before those of others
	SSVC      Points
}

// Points are the decision points of SSVC as CISA assessed them at a time, see
// https://www.cisa.gov/stakeholder-specific-vulnerability-categorization-ssvc.
// The words come in several cases.
type Points struct {
	Exploitation string // none, poc, active
	Automatable  string // yes, no
	Impact       string // partial, total
	At           time.Time
}

// soon is within how many days of its publication an assessment tells of news.
const soon = 90

// Fact is what s says of its CVE. That CISA knows of exploitation counts from
// the day of its assessment; the evidence may be older. So does a proof of
// concept, when the CVE was new then: of an old one nobody says since when there
// is one.
func (s *Said) Fact() intel.Fact {
	t := exposure.Threat{
		PublishedDay: intel.Day(s.Published), Withdrawn: s.Rejected, Vector: intel.NewestVector(s.Vectors...),
		Automatable: Word(s.SSVC.Automatable, "yes", "no"), Impact: Word(s.SSVC.Impact, "total", "partial"),
	}
	at := intel.Day(s.SSVC.At)
	if at == 0 {
		at = intel.Day(s.Changed)
	}
	switch Word(s.SSVC.Exploitation, "active", "poc", "public poc") {
	case "active":
		t.ObservedDay = at
	case "poc", "public poc":
		t.PoCDay = at
		if t.PublishedDay == 0 || at-t.PublishedDay > soon {
			t.PoCDay = intel.UnknownDay
		}
	}
	return intel.Fact{ID: s.ID, Threat: t}
}

// Word is s if it is one of the words, in their case, else empty.
func Word(s string, words ...string) string {
	s = strings.TrimSpace(s)
	for _, w := range words {
		if strings.EqualFold(s, w) {
			return w
		}
	}
	return ""
}

// record is what is read of a CVE record, see
// https://github.com/CVEProject/cve-schema. CISA's container is one of its
// additions:
//
//	{"dataType":"CVE_RECORD","dataVersion":"5.1",
//	 "cveMetadata":{"cveId":"CVE-2024-24001","state":"PUBLISHED","datePublished":"2024-02-06T00:00:00","dateUpdated":"2024-08-22T15:06:13.912Z",…},
//	 "containers":{
//	  "cna":{"metrics":[{"cvssV3_1":{"vectorString":"CVSS:3.1/AV:N/…",…}}],…},
//	  "adp":[{"title":"CISA ADP Vulnrichment","providerMetadata":{"shortName":"CISA-ADP","dateUpdated":"2024-08-22T15:06:10.001Z",…},
//	   "metrics":[{"other":{"type":"ssvc","content":{"timestamp":"2024-08-22T15:05:31.210Z","options":[{"Exploitation":"poc"},{"Automatable":"no"},{"Technical Impact":"total"}],…}}}]}]}}
//
// or the summary of one:
//
//	{"cve":"CVE-2024-24001","published":"2024-02-06","cvss":{"cvssV3_1":[["CNA",9.8,"CVSS:3.1/AV:N/…"]]},"ssvc":["poc","no","total","2024-08-22T15:05:31.210Z"],…}
type record struct {
	Metadata struct {
		ID        string `json:"cveId"`
		State     string `json:"state"` // PUBLISHED, REJECTED
		Published string `json:"datePublished"`
		Updated   string `json:"dateUpdated"`
	} `json:"cveMetadata"`
	Containers struct {
		CNA container   `json:"cna"`
		ADP []container `json:"adp"`
	} `json:"containers"`

	CVE       string             `json:"cve"`
	Published string             `json:"published"`
	State     string             `json:"state"`
	CVSS      map[string][][]any `json:"cvss"` // publisher, score, vector
	SSVC      []string           `json:"ssvc"` // exploitation, automatable, technical impact, timestamp
}

type container struct {
	Provider struct {
		Name    string `json:"shortName"`
		Updated string `json:"dateUpdated"`
	} `json:"providerMetadata"`
	Metrics []metric `json:"metrics"`
}

type metric struct {
	V40   cvss `json:"cvssV4_0"`
	V31   cvss `json:"cvssV3_1"`
	V30   cvss `json:"cvssV3_0"`
	V20   cvss `json:"cvssV2_0"`
	Other struct {
		Type    string          `json:"type"`
		Content json.RawMessage `json:"content"` // of a shape by type
	} `json:"other"`
}

type cvss struct {
	Vector string `json:"vectorString"`
}

// assessment is the content of a metric of the type ssvc.
type assessment struct {
	Timestamp string              `json:"timestamp"`
	Options   []map[string]string `json:"options"`
}

// Understand reads one record; ok is false when it is none.
func Understand(raw []byte) (s Said, ok bool) {
	var r record
	if decode.Unmarshal(raw, &r) != nil {
		return s, false
	}
	if r.Metadata.ID == "" {
		return r.summary()
	}
	s = Said{
		ID: r.Metadata.ID, Rejected: Word(r.Metadata.State, "REJECTED") != "",
		Published: Moment(r.Metadata.Published), Changed: Moment(r.Metadata.Updated),
	}
	s.Vectors = r.Containers.CNA.vectors(s.Vectors)
	for i := range r.Containers.ADP {
		c := &r.Containers.ADP[i]
		s.Vectors = c.vectors(s.Vectors)
		s.Changed = Later(s.Changed, Moment(c.Provider.Updated))
		if Word(c.Provider.Name, "CISA-ADP") != "" && !s.SSVC.read(c.Metrics) {
			return s, false
		}
	}
	s.Changed = Later(s.Changed, s.Published)
	return s, true
}

// vectors appends the vectors of a container to all.
func (c *container) vectors(all []string) []string {
	for i := range c.Metrics {
		m := &c.Metrics[i]
		all = append(all, m.V40.Vector, m.V31.Vector, m.V30.Vector, m.V20.Vector)
	}
	return all
}

// read takes the newest assessment; ok is false when one cannot be read.
func (p *Points) read(all []metric) (ok bool) {
	for i := range all {
		if Word(all[i].Other.Type, "ssvc") == "" {
			continue
		}
		var a assessment
		if decode.Unmarshal(all[i].Other.Content, &a) != nil {
			return false
		}
		next := Points{At: Moment(a.Timestamp)}
		for _, o := range a.Options {
			for name, value := range o {
				switch Word(name, "Exploitation", "Automatable", "Technical Impact") {
				case "Exploitation":
					next.Exploitation = value
				case "Automatable":
					next.Automatable = value
				case "Technical Impact":
					next.Impact = value
				}
			}
		}
		if !next.At.Before(p.At) {
			*p = next
		}
	}
	return true
}

// summary reads the short form.
func (r *record) summary() (s Said, ok bool) {
	s = Said{ID: r.CVE, Rejected: Word(r.State, "REJECTED") != "", Published: Moment(r.Published)}
	for _, version := range []string{"cvssV4_0", "cvssV3_1", "cvssV3_0", "cvssV2_0"} {
		for _, m := range r.CVSS[version] {
			if len(m) < 3 {
				return s, false
			}
			vector, _ := m[2].(string)
			s.Vectors = append(s.Vectors, vector)
		}
	}
	switch len(r.SSVC) {
	case 0:
	case 4:
		s.SSVC = Points{r.SSVC[0], r.SSVC[1], r.SSVC[2], Moment(r.SSVC[3])}
	default:
		return s, false
	}
	s.Changed = Later(s.Published, s.SSVC.At)
	return s, r.CVE != ""
}

// Later is the later of two moments.
func Later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

// Moment is a time as the records write it, with a zone, without one, or a day
// alone; zero if it is none, or none that can be meant.
func Moment(s string) time.Time {
	for _, form := range []string{time.RFC3339, "2006-01-02T15:04:05", time.DateOnly} {
		if t, err := time.Parse(form, s); err == nil && t.Year() >= 1990 && t.Year() < 2400 {
			return t
		}
	}
	return time.Time{}
}
