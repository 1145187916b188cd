package vulnrichment

import (
	"encoding/json"
	"strings"
	"time"

	"github.com/leeward-ctem/leeward/discover/decode"
	"github.com/leeward-ctem/leeward/exposure"
	"github.com/leeward-ctem/leeward/intel"
)

// said is what a record says, in whichever form.
type said struct {
	id        string
	rejected  bool
	published time.Time
	changed   time.Time // the newest moment that it speaks of
	vectors   []string  // those of the CVE's publisher before those of others
	ssvc      points
}

// points are the decision points of SSVC as CISA assessed them at a time, see
// https://www.cisa.gov/stakeholder-specific-vulnerability-categorization-ssvc.
// The words come in several cases.
type points struct {
	exploitation string // none, poc, active
	automatable  string // yes, no
	impact       string // partial, total
	at           time.Time
}

// soon is within how many days of its publication an assessment tells of news.
const soon = 90

// fact is what s says of its CVE. That CISA knows of exploitation counts from
// the day of its assessment; the evidence may be older. So does a proof of
// concept, when the CVE was new then: of an old one nobody says since when there
// is one.
func (s *said) fact() intel.Fact {
	t := exposure.Threat{
		PublishedDay: intel.Day(s.published), Withdrawn: s.rejected, Vector: intel.NewestVector(s.vectors...),
		Automatable: word(s.ssvc.automatable, "yes", "no"), Impact: word(s.ssvc.impact, "total", "partial"),
	}
	at := intel.Day(s.ssvc.at)
	if at == 0 {
		at = intel.Day(s.changed)
	}
	switch word(s.ssvc.exploitation, "active", "poc", "public poc") {
	case "active":
		t.ObservedDay = at
	case "poc", "public poc":
		t.PoCDay = at
		if t.PublishedDay == 0 || at-t.PublishedDay > soon {
			t.PoCDay = intel.UnknownDay
		}
	}
	return intel.Fact{ID: s.id, Threat: t}
}

// word is s if it is one of the words, in their case, else empty.
func word(s string, words ...string) string {
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

// understand reads one record; ok is false when it is none.
func understand(raw []byte) (s said, ok bool) {
	var r record
	if decode.Unmarshal(raw, &r) != nil {
		return s, false
	}
	if r.Metadata.ID == "" {
		return r.summary()
	}
	s = said{
		id: r.Metadata.ID, rejected: word(r.Metadata.State, "REJECTED") != "",
		published: moment(r.Metadata.Published), changed: moment(r.Metadata.Updated),
	}
	s.vectors = r.Containers.CNA.vectors(s.vectors)
	for i := range r.Containers.ADP {
		c := &r.Containers.ADP[i]
		s.vectors = c.vectors(s.vectors)
		s.changed = later(s.changed, moment(c.Provider.Updated))
		if word(c.Provider.Name, "CISA-ADP") != "" && !s.ssvc.read(c.Metrics) {
			return s, false
		}
	}
	s.changed = later(s.changed, s.published)
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
func (p *points) read(all []metric) (ok bool) {
	for i := range all {
		if word(all[i].Other.Type, "ssvc") == "" {
			continue
		}
		var a assessment
		if decode.Unmarshal(all[i].Other.Content, &a) != nil {
			return false
		}
		next := points{at: moment(a.Timestamp)}
		for _, o := range a.Options {
			for name, value := range o {
				switch word(name, "Exploitation", "Automatable", "Technical Impact") {
				case "Exploitation":
					next.exploitation = value
				case "Automatable":
					next.automatable = value
				case "Technical Impact":
					next.impact = value
				}
			}
		}
		if !next.at.Before(p.at) {
			*p = next
		}
	}
	return true
}

// summary reads the short form.
func (r *record) summary() (s said, ok bool) {
	s = said{id: r.CVE, rejected: word(r.State, "REJECTED") != "", published: moment(r.Published)}
	for _, version := range []string{"cvssV4_0", "cvssV3_1", "cvssV3_0", "cvssV2_0"} {
		for _, m := range r.CVSS[version] {
			if len(m) < 3 {
				return s, false
			}
			vector, _ := m[2].(string)
			s.vectors = append(s.vectors, vector)
		}
	}
	switch len(r.SSVC) {
	case 0:
	case 4:
		s.ssvc = points{r.SSVC[0], r.SSVC[1], r.SSVC[2], moment(r.SSVC[3])}
	default:
		return s, false
	}
	s.changed = later(s.published, s.ssvc.at)
	return s, r.CVE != ""
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

// moment is a time as the records write it, with a zone, without one, or a day
// alone; zero if it is none, or none that can be meant.
func moment(s string) time.Time {
	for _, form := range []string{time.RFC3339, "2006-01-02T15:04:05", time.DateOnly} {
		if t, err := time.Parse(form, s); err == nil && t.Year() >= 1990 && t.Year() < 2400 {
			return t
		}
	}
	return time.Time{}
}
