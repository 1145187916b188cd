package custom

import (
	"errors"
	"fmt"
	"hash/fnv"
	"slices"
	"strconv"
	"strings"

	"github.com/leeward-ctem/leeward/exposure"
	"github.com/leeward-ctem/leeward/intel"
	"github.com/leeward-ctem/leeward/intel/firstseen"
)

// said is what one row says.
type said struct {
	fact   intel.Fact
	actors []string
}

// column takes one cell that is not empty.
type column func(t *table, s *said, cell string) error

// known is the column of a name without case, spaces and marks: "KEV day",
// "kev_day" and "kevDay" are one. Those of CISA's catalogue as a table are among
// them. It is nil for a column that is not read, such as a note.
func known(name string) column {
	switch name {
	case "kevday", "kev", "kevdate", "knownexploitedsince", "exploitedsince", "dateadded":
		return listed
	case "duedate", "kevdue", "kevdueday":
		return due
	case "observed", "observedday", "lastobserved", "lastseen", "sighting", "sighted", "exploited", "exploitedon":
		return observed
	case "ransomware", "knownransomware", "knownransomwarecampaignuse":
		return ransomware
	case "exploitsince", "exploitday", "exploitpublic":
		return exploit
	case "pocsince", "pocday", "poc", "proofofconceptsince":
		return poc
	case "epss", "epssscore":
		return score
	case "percentile", "epsspercentile":
		return rank
	case "vector", "cvssvector":
		return vector
	case "actor", "actors", "threatactor", "group":
		return actors
	case "technique", "techniques", "attacktechnique", "attack":
		return techniques
	case "sightingsperday", "sightings":
		return rate
	}
	return nil
}

// header says what the columns are.
func (t *table) header(names []string) error {
	var plain []string
	for _, name := range names {
		plain = append(plain, squeezed(name))
	}
	t.id, t.model = -1, slices.Index(plain, "epssmodel")
	for _, name := range []string{"cve", "cveid", "vulnerability", "vulnerabilityid", "vulnid", "weakness", "advisory", "id"} { // the most telling first
		if t.id = slices.Index(plain, name); t.id >= 0 {
			break
		}
	}
	has := func(name string) bool { return slices.Contains(plain, name) }
	read := 0
	for i, name := range plain {
		var c column
		if i != t.id && slices.Index(plain, name) == i && (name != "dateadded" || has("cveid")) { // that of anything may be called so
			c = known(name)
		}
		t.columns = append(t.columns, c)
		if c != nil {
			read++
		}
	}
	switch {
	case t.id < 0:
		return intel.Refused("this is not %s: no column is called cve or id", title)
	case slices.Equal(plain, []string{"cve", "epss", "percentile"}):
		return intel.Refused("these are scores of EPSS without their model: give the file as FIRST publishes it to the feed epss, or add a column epss_model")
	case has("ssvcexploitation"):
		return intel.Refused("this is a table of Vulnrichment: give it to the feed vulnrichment")
	case read == 0:
		return intel.Refused("this is not %s: beside the id no column is known, such as known_exploited_since, observed, exploit_since, poc_since, ransomware, vector, actor, technique or sightings_per_day", title)
	}
	return nil
}

// squeezed is a name without case, spaces and marks.
func squeezed(name string) string {
	return strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' {
			return r
		}
		return -1
	}, strings.ToLower(name[:min(len(name), 100)]))
}

// row reads the row at hand and adds what it says. A row that only names a
// weakness says nothing.
func (t *table) row() error {
	cell := func(i int) string {
		if i < 0 || i >= t.rows.Cells() {
			return ""
		}
		return strings.TrimSpace(t.rows.Text(i, ""))
	}
	s := said{fact: intel.Fact{ID: identifier(cell(t.id))}}
	if !intel.ValidID(s.fact.ID) {
		t.fault(errors.New("the id is missing, or no id"))
		return nil
	}
	for i, take := range t.columns {
		text := cell(i)
		if take == nil || text == "" || text == "-" {
			continue
		}
		if err := take(t, &s, text); err != nil {
			t.fault(err)
			return nil
		}
	}
	if th := &s.fact.Threat; th.EPSS != 0 || th.Percentile != 0 {
		if th.EPSSModel = "custom"; intel.ValidID(cell(t.model)) {
			th.EPSSModel = cell(t.model)
		}
	}
	if s.fact.Threat != (exposure.Threat{}) || len(s.fact.Links) > 0 {
		if err := t.add(s.fact); err != nil {
			return err
		}
	}
	for _, name := range s.actors {
		if err := t.add(exploits(name, s.fact.ID)); err != nil {
			return err
		}
	}
	return nil
}

// identifier is an id as it is spelled: people write cve-2024-3400, too.
func identifier(s string) string {
	s = strings.TrimSpace(s)
	if up := strings.ToUpper(s); len(s) < intel.MaxID && intel.ValidCVE(up) {
		return up
	}
	return s
}

// exploits says that somebody uses a weakness. An id of ATT&CK names a group
// that is described elsewhere; another name is a group of its own, until one
// of a feed has it.
func exploits(name, weakness string) intel.Fact {
	f := intel.Fact{ID: name, Links: []intel.Link{{Relation: intel.Exploits, To: weakness}}}
	if n, err := strconv.ParseUint(strings.TrimPrefix(name, "G"), 10, 16); err == nil && n > 0 && len(name) == 5 && name[0] == 'G' {
		return f
	}
	sum := fnv.New64a()
	sum.Write([]byte(strings.ToLower(name)))
	f.ID = fmt.Sprintf("custom--%s-%08x", squeezed(name), uint32(sum.Sum64()))
	f.Entry = &intel.Entry{Kind: intel.KindActor, Name: name}
	return f
}

func (t *table) day(cell string) int { return firstseen.Until(t.now).Day(cell) }

// on takes a day.
func on(t *table, to *int, cell string) error {
	if *to = t.day(cell); *to == 0 {
		return fmt.Errorf("%q is no day from 1999 to today, such as 2024-02-29", intel.Cut(cell, 40))
	}
	return nil
}

func listed(t *table, s *said, cell string) error {
	if err := on(t, &s.fact.Threat.KEVDay, cell); err != nil {
		return err
	}
	s.fact.Threat.ObservedDay = max(s.fact.Threat.ObservedDay, s.fact.Threat.KEVDay)
	return nil
}

func observed(t *table, s *said, cell string) error {
	day := 0
	err := on(t, &day, cell)
	s.fact.Threat.ObservedDay = max(s.fact.Threat.ObservedDay, day)
	return err
}

// due takes a day that may be to come.
func due(t *table, s *said, cell string) error {
	later := table{now: t.now.AddDate(10, 0, 0)}
	return on(&later, &s.fact.Threat.KEVDueDay, cell)
}

func exploit(t *table, s *said, cell string) error { return on(t, &s.fact.Threat.ArchiveDay, cell) }

func poc(t *table, s *said, cell string) error { return on(t, &s.fact.Threat.PoCDay, cell) }

func ransomware(_ *table, s *said, cell string) error {
	switch strings.ToLower(cell) {
	case "yes", "y", "true", "1", "x", "known":
		s.fact.Threat.Ransomware = true
	case "no", "n", "false", "0", "unknown":
	default:
		return fmt.Errorf("ransomware is %q, and not yes or no", intel.Cut(cell, 40))
	}
	return nil
}

func score(_ *table, s *said, cell string) error { return probability(&s.fact.Threat.EPSS, cell) }

func rank(_ *table, s *said, cell string) error { return probability(&s.fact.Threat.Percentile, cell) }

func probability(to *float64, cell string) error {
	p, err := strconv.ParseFloat(cell, 64)
	if err != nil || !(p >= 0 && p <= 1) {
		return fmt.Errorf("%q is no probability from 0 to 1", intel.Cut(cell, 40))
	}
	*to = p
	return nil
}

func rate(_ *table, s *said, cell string) error {
	n, err := strconv.ParseFloat(cell, 64)
	if err != nil || !(n >= 0 && n <= 1e6) {
		return fmt.Errorf("%q is no number of sightings a day", intel.Cut(cell, 40))
	}
	s.fact.Threat.Sightings = n
	return nil
}

func vector(_ *table, s *said, cell string) error {
	if s.fact.Threat.Vector = intel.NewestVector(cell); s.fact.Threat.Vector == "" {
		return fmt.Errorf("%q is no vector of CVSS", intel.Cut(cell, 40))
	}
	return nil
}

// maxListed bounds what one cell lists.
const maxListed = 64

func parts(cell string) (all []string) {
	for part := range strings.FieldsFuncSeq(cell, func(r rune) bool { return r == ';' || r == '|' || r == ',' }) {
		if part = strings.TrimSpace(part); part != "" && len(all) < maxListed {
			all = append(all, part)
		}
	}
	return all
}

func actors(_ *table, s *said, cell string) error {
	for _, name := range parts(cell) {
		if name = intel.Cut(name, maxActor); name != "" && !slices.Contains(s.actors, name) {
			s.actors = append(s.actors, name)
		}
	}
	return nil
}

// maxActor bounds the name of a group, which is also part of its id.
const maxActor = 80

func techniques(_ *table, s *said, cell string) error {
	for _, id := range parts(cell) {
		if len(id) < len("T1190") || len(id) > len("T1059.001") || id[0] != 'T' || strings.Trim(id[1:], "0123456789.") != "" {
			return fmt.Errorf("%q is no technique of ATT&CK, such as T1190", intel.Cut(id, 40))
		}
		l := intel.Link{Relation: intel.Enables, To: id}
		if !slices.Contains(s.fact.Links, l) {
			s.fact.Links = append(s.fact.Links, l)
		}
	}
	return nil
}
