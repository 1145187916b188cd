// Package ctid reads what the Center for Threat-Informed Defense maps to
// techniques of ATT&CK: by which techniques known exploited weaknesses are used
// and what that makes possible, and which controls stand against a technique,
// https://center-for-threat-informed-defense.github.io/mappings-explorer/.
package ctid

import (
	"bufio"
	"context"
	"errors"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/leeward-ctem/leeward/discover/decode"
	"github.com/leeward-ctem/leeward/exposure"
	"github.com/leeward-ctem/leeward/intel"
	"github.com/leeward-ctem/leeward/intel/firstseen"
)

// Feed reads files of the Mappings Explorer, plain or compressed by gzip, of
// the frameworks kev, nist_800_53 and csa_ccm:
//
//	{"metadata":{"mapping_framework":"kev","attack_version":"16.1","last_update":"08/28/2025",…},
//	 "mapping_objects":[{"capability_id":"CVE-2024-34102","mapping_type":"exploitation_technique","attack_object_id":"T1190","status":"complete",…}]}
//
// and the older table of CVEs, https://github.com/center-for-threat-informed-defense/attack_to_cve.
type Feed struct{}

const title = "a file of mappings to ATT&CK"

// Bounds of a file. That of NIST SP 800-53 had 2 MB and 5,410 mappings in 2025.
const (
	maxText     = 128 << 20
	maxMappings = 200_000
)

// Source implements intel.Feed.
func (Feed) Source() intel.Source {
	const mappings = "https://raw.githubusercontent.com/center-for-threat-informed-defense/mappings-explorer/main/mappings/"
	return intel.Source{
		Name:  "ctid",
		Title: "CTID mappings of weaknesses and controls to ATT&CK",
		URLs: []string{
			mappings + "kev/attack-16.1/kev-07.28.2025/enterprise/kev-07.28.2025_attack-16.1-enterprise.json",
			mappings + "nist_800_53/attack-16.1/nist_800_53-rev5/enterprise/nist_800_53-rev5_attack-16.1-enterprise.json",
			mappings + "csa_ccm/attack-17.1/csa_ccm-4.1/enterprise/csa_ccm-4.1_attack-17.1-enterprise.json",
		},
		Licence:     "Apache-2.0",
		Attribution: "Mappings by the Center for Threat-Informed Defense, https://ctid.mitre.org; ATT&CK is a mark of The MITRE Corporation",
		Every:       30 * 24 * time.Hour,
		Stale:       730 * 24 * time.Hour, // a mapping is made anew about once in a year, each at another address
		MaxBytes:    64 << 20,
	}
}

// Read implements intel.Feed.
func (Feed) Read(ctx context.Context, f intel.File, add func(intel.Fact) error) (intel.Edition, error) {
	text, err := intel.Text(f, maxText)
	if err != nil {
		return intel.Edition{}, err
	}
	in := bufio.NewReader(text)
	if head, _ := in.Peek(64); firstseen.Begins(head) != '{' {
		return table(ctx, in, add)
	}
	j := decode.NewJSON(in)
	d := document{at: map[string]int{}}
	err = j.Object(func(name string) error { return d.member(ctx, j, name) })
	if err == nil {
		err = j.End()
	}
	switch {
	case intel.Stopped(err):
		return intel.Edition{}, err
	case errors.Is(err, errMany):
		return intel.Edition{}, intel.Refused("the file holds more than %d mappings: none of the Mappings Explorer does", maxMappings)
	case err != nil:
		return intel.Edition{}, intel.Refused("this is not %s, or not all of it: it cannot be read on at byte %d; fetch it again", title, j.Offset())
	}
	return d.edition(ctx, add)
}

var errMany = errors.New("too many mappings")

// document is what was read so far.
type document struct {
	meta struct {
		Framework string `json:"mapping_framework"`
		Version   string `json:"mapping_framework_version"`
		Updated   string `json:"last_update"`
		Created   string `json:"creation_date"`
	}
	listed           bool // the list of mappings was there
	records, skipped int
	subjects         []subject
	at               map[string]int // where the subject of an id is
}

// subject is what is mapped, a weakness or a control.
type subject struct {
	id, name string
	mappings []mapping
}

// mapping is a technique and what it is to the subject.
type mapping struct{ kind, technique string }

// member reads a member of the outermost object.
func (d *document) member(ctx context.Context, j *decode.JSON, name string) error {
	switch name {
	case "metadata":
		return j.Value(&d.meta)
	case "mapping_objects":
		if j.Kind() != '[' || d.listed {
			return errors.New("not one list")
		}
		d.listed = true
		return j.Array(func() error { return d.mapping(ctx, j) })
	}
	return j.Skip()
}

// mapping reads one mapping.
func (d *document) mapping(ctx context.Context, j *decode.JSON) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	var m struct {
		ID        string `json:"capability_id"`
		Name      string `json:"capability_description"`
		Kind      string `json:"mapping_type"`
		Technique string `json:"attack_object_id"`
		Status    string `json:"status"` // complete, non_mappable
	}
	var broken *exposure.RecordError
	err := j.Value(&m)
	if err != nil && !errors.As(err, &broken) {
		return err
	}
	if d.records++; d.records > maxMappings {
		return errMany
	}
	switch {
	case err == nil && m.Status == "non_mappable":
		return nil // looked at, and found to say nothing
	case err != nil || !intel.ValidID(m.ID) || !technique(m.Technique):
		d.skipped++
		return nil
	}
	i, known := d.at[m.ID]
	if !known {
		i = len(d.subjects)
		d.at[m.ID] = i
		d.subjects = append(d.subjects, subject{id: m.ID, name: intel.Cut(m.Name, intel.MaxName)})
	}
	d.subjects[i].mappings = append(d.subjects[i].mappings, mapping{m.Kind, m.Technique})
	return nil
}

// edition checks that all of the file was there, and adds its facts.
func (d *document) edition(ctx context.Context, add func(intel.Fact) error) (intel.Edition, error) {
	e := intel.Edition{Version: version(d.meta.Version), Skipped: d.skipped}
	if d.meta.Framework == "" || !d.listed {
		return e, intel.Refused("this is not %s: it lacks the framework or the mappings", title)
	}
	fact, known := map[string]func(*subject) (intel.Fact, bool){
		"kev":         (*subject).weakness,
		"nist_800_53": func(s *subject) (intel.Fact, bool) { return s.control("NIST-800-53:" + plain(s.id)) },
		"csa_ccm":     func(s *subject) (intel.Fact, bool) { return s.control("CSA-CCM:" + s.id) },
	}[d.meta.Framework]
	if !known {
		return e, intel.Refused("this file maps the framework %q: of the Mappings Explorer kev, nist_800_53 and csa_ccm are read", intel.Cut(d.meta.Framework, 40))
	}
	for _, text := range []string{d.meta.Created, d.meta.Updated} {
		if t, err := time.Parse("01/02/2006", text); err == nil && t.Year() >= 2000 && t.Year() < 2400 {
			e.Date = t
		}
	}
	if e.Date.IsZero() {
		return e, intel.Refused("%s does not say of what day it is: last_update is %q", title, intel.Cut(d.meta.Updated, 40))
	}
	for i := range d.subjects {
		if err := ctx.Err(); err != nil {
			return e, err
		}
		f, ok := fact(&d.subjects[i])
		if !ok {
			e.Skipped += len(d.subjects[i].mappings)
			continue
		}
		if f.Entry == nil && len(f.Links) == 0 {
			continue // a weakness of which it is not said how it is exploited
		}
		if err := add(f); err != nil {
			return e, err
		}
	}
	return e, intel.Tolerable(title, e.Skipped, d.records)
}

// version is that of a framework, as one word.
func version(s string) string {
	if s = strings.TrimSpace(s); intel.ValidID(s) {
		return s
	}
	return ""
}

// weakness is a CVE with the techniques it is exploited by, and those that this
// makes possible.
func (s *subject) weakness() (intel.Fact, bool) {
	f := intel.Fact{ID: s.id}
	for _, m := range s.mappings {
		switch m.kind {
		case "exploitation_technique":
			f.Links = link(f.Links, intel.Enables, m.technique)
		case "primary_impact", "secondary_impact":
			f.Links = link(f.Links, intel.LeadsTo, m.technique)
		}
	}
	return f, intel.ValidCVE(s.id)
}

// control is a control of a framework, with the techniques it mitigates.
func (s *subject) control(id string) (intel.Fact, bool) {
	f := intel.Fact{ID: id, Entry: &intel.Entry{Kind: intel.KindMitigation, Name: s.name}}
	for _, m := range s.mappings {
		if m.kind == "mitigates" {
			f.Links = link(f.Links, intel.Mitigates, m.technique)
		}
	}
	return f, s.name != "" && len(id) <= intel.MaxID
}

func link(links []intel.Link, r intel.Relation, to string) []intel.Link {
	l := intel.Link{Relation: r, To: to}
	if len(links) == intel.MaxLinks || slices.Contains(links, l) {
		return links
	}
	return append(links, l)
}

// plain is the id of a control as NIST writes it: AC-2(1) for AC-02(01).
func plain(id string) string {
	return strings.NewReplacer("-0", "-", "(0", "(").Replace(id)
}

// technique reports whether s is the id of a technique, such as T1059.001.
func technique(s string) bool {
	if len(s) != len("T1059") && len(s) != len("T1059.001") || s[0] != 'T' {
		return false
	}
	for i := 1; i < len(s); i++ {
		if i == 5 && s[i] != '.' || i != 5 && (s[i] < '0' || s[i] > '9') {
			return false
		}
	}
	return true
}

// table reads the table of 2021:
//
//	CVE ID,Primary Impact,Secondary Impact,Exploitation Technique,Uncategorized,Phase
//	CVE-2019-15976,T1068,T1059,T1190; T1078,,Phase 2
//
// What is not categorised is neither a way in nor an impact, and not read. The
// table states no date and is not continued: it counts as of when it came out.
func table(ctx context.Context, in io.Reader, add func(intel.Fact) error) (e intel.Edition, err error) {
	t, err := firstseen.Open(in, title)
	if err != nil {
		return e, err
	}
	e.Date = time.Date(2021, time.October, 1, 0, 0, 0, 0, time.UTC)
	e.Skipped, err = t.Rows(ctx, []string{"cve id", "exploitation technique", "primary impact", "secondary impact"}, func(cells []string) (bool, error) {
		s := subject{id: strings.TrimSpace(cells[0])}
		for i, kind := range []string{"exploitation_technique", "primary_impact", "secondary_impact"} {
			for id := range strings.FieldsFuncSeq(cells[i+1], func(r rune) bool { return r == ';' || r == ',' || r == ' ' }) {
				if id = strings.TrimRight(id, "."); technique(id) && len(s.mappings) < intel.MaxLinks {
					s.mappings = append(s.mappings, mapping{kind, id})
				}
			}
		}
		f, ok := s.weakness()
		if !ok || len(f.Links) == 0 {
			return ok, nil
		}
		return true, add(f)
	})
	return e, err
}
