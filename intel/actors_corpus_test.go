package intel_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/leeward-ctem/leeward/intel"
	"github.com/leeward-ctem/leeward/intel/feed/attack"
	"github.com/leeward-ctem/leeward/intel/feed/ctid"
	"github.com/leeward-ctem/leeward/intel/feed/feedtest"
	"github.com/leeward-ctem/leeward/intel/feed/galaxy"
	"github.com/leeward-ctem/leeward/intel/feed/misp"
)

const attackFile = "attack/enterprise-attack-18.1_trimmed.stix.json.gz"

// known is the landscape of some feeds, each with its files.
func known(t testing.TB, feeds []intel.Feed, at map[string][]string) *intel.Landscape {
	t.Helper()
	s := newStand(t)
	s.Registered, s.now = feeds, time.Date(2026, 11, 28, 0, 0, 0, 0, time.UTC)
	states, _, err := s.Update(t.Context(), nil, intel.Options{Locations: at})
	if err != nil {
		t.Fatal(err)
	}
	for _, state := range states {
		if state.Error != "" {
			t.Fatal(state.Error)
		}
		for _, p := range state.Parts {
			t.Logf("%s: %d facts, %d skipped, version %q", filepath.Base(p.Location), p.Facts, p.Skipped, p.Version)
		}
	}
	snapshot, err := s.Snapshot(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return snapshot.Landscape()
}

func galaxyFiles(t testing.TB) (files []string) {
	t.Helper()
	for _, name := range []string{"threat-actor", "ransomware", "mitre-d3fend"} {
		files = append(files, corpus(t, "actors/misp-galaxy_"+name+".json.gz"))
	}
	return files
}

// tally counts what entries say.
func tally(l *intel.Landscape, kinds ...intel.Kind) map[string]int {
	n := map[string]int{}
	for _, k := range kinds {
		for e := range l.All(k) {
			n[string(k)]++
			for what, is := range map[string]bool{
				"countries": len(e.Countries) > 0, "sectors": len(e.Sectors) > 0, "origin": len(e.Origin) > 0, "inferred": e.Inferred, "dated": e.FirstDay > 0, "ransomware": e.Ransomware,
			} {
				if is {
					n[string(k)+" "+what]++
				}
			}
			for _, r := range []intel.Relation{intel.Uses, intel.Counters, intel.Mitigates, intel.Exploits} {
				if links := len(l.Linked(e.ID, r)); links > 0 {
					n[string(k)+" "+string(r)] += links
				}
			}
		}
	}
	return n
}

func TestCorpusGalaxy(t *testing.T) {
	t.Parallel()
	l := known(t, []intel.Feed{galaxy.Feed{Now: time.Now}}, map[string][]string{"galaxy": galaxyFiles(t)})
	want := map[string]int{
		"actor": 1041, "actor countries": 372, "actor sectors": 447, "actor inferred": 373, "actor origin": 476, "actor dated": 7, "actor uses": 112,
		"software": 2135, "software ransomware": 2135, "software countries": 25, "software sectors": 32, "software inferred": 43, "software origin": 1, "software dated": 287, "software uses": 644,
		"countermeasure": 171, "countermeasure counters": 2224,
	}
	if diff := cmp.Diff(want, tally(l, intel.KindActor, intel.KindSoftware, intel.KindCountermeasure)); diff != "" {
		t.Errorf("counts differ (-want +got):\n%s", diff)
	}
}

// Groups of the galaxy are united with those of ATT&CK, and groups that differ
// stay apart, however many of them the galaxy calls similar.
func TestCorpusGroups(t *testing.T) {
	t.Parallel()
	l := known(t, []intel.Feed{attack.Feed{Now: time.Now}, galaxy.Feed{Now: time.Now}}, map[string][]string{"attack": {corpus(t, attackFile)}, "galaxy": galaxyFiles(t)})
	members := map[string][]string{} // by the id of the whole
	var facts []intel.Fact
	for _, path := range append([]string{corpus(t, attackFile)}, galaxyFiles(t)...) {
		var feed intel.Feed = galaxy.Feed{Now: time.Now}
		if strings.HasSuffix(path, filepath.Base(attackFile)) {
			feed = attack.Feed{Now: time.Now}
		}
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		facts = append(facts, feedtest.Read(t.Context(), feed, data).Facts...)
	}
	for _, f := range facts {
		if f.Entry == nil || f.Entry.Kind != intel.KindActor {
			continue
		}
		e, ok := l.Find(f.ID)
		if !ok {
			t.Fatalf("%s is lost", f.ID)
		}
		members[e.ID] = append(members[e.ID], f.ID)
	}
	groups, pairs, enriched := 0, 0, 0
	for id, all := range members {
		switch {
		case len(all) > 2, len(all) == 2 && strings.HasPrefix(all[0], "misp:") == strings.HasPrefix(all[1], "misp:"):
			t.Errorf("%s unites %v", id, all)
		case !strings.HasPrefix(all[0], "G"):
		case len(all) == 2:
			pairs++
			if e, _ := l.Find(id); len(e.Countries)+len(e.Sectors)+len(e.Origin) > 0 {
				enriched++
			}
			fallthrough
		default:
			groups++
		}
	}
	if groups != 172 || pairs != 150 || enriched != 140 {
		t.Errorf("%d groups of ATT&CK, %d of them in the galaxy, and %d with targets or an origin", groups, pairs, enriched)
	}
	if got := l.Linking("T1059", intel.Counters); len(got) == 0 || !strings.HasPrefix(got[0], "D3-") {
		t.Errorf("T1059 is countered by %v", got)
	}
}

// TestCorpusMappings reads the real files of the Mappings Explorer and counts.
func TestCorpusMappings(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		file, date, version string
		facts               int
		links               map[intel.Relation]int
	}{
		{"attack/ctid_kev-07.28.2025_attack-16.1-enterprise.json.gz", "2025-08-28", "07/28/2025", 419, map[intel.Relation]int{intel.Enables: 460, intel.LeadsTo: 720}},
		{"attack/ctid_nist800-53r5_attack-16.1-enterprise.json.gz", "2025-04-16", "rev5", 109, map[intel.Relation]int{intel.Mitigates: 5264}},
		{"attack/ctid_csa-ccm-4.1_attack-17.1-enterprise.json.gz", "2026-01-27", "4.1", 57, map[intel.Relation]int{intel.Mitigates: 790}},
		{"attack/ctid_attack_to_cve_2021.csv", "2021-10-01", "", 374, map[intel.Relation]int{intel.Enables: 254, intel.LeadsTo: 658}},
	} {
		data, err := os.ReadFile(corpus(t, tt.file))
		if err != nil {
			t.Fatal(err)
		}
		got := feedtest.Expect(t, ctid.Feed{}, data, tt.facts, "")
		links := map[intel.Relation]int{}
		for _, f := range got.Facts {
			for _, l := range f.Links {
				links[l.Relation]++
			}
		}
		if diff := cmp.Diff(tt.links, links); diff != "" || got.Edition.Date.Format(time.DateOnly) != tt.date || got.Edition.Version != tt.version || got.Edition.Skipped != 0 {
			t.Errorf("%s: %+v, links differ (-want +got):\n%s", tt.file, got.Edition, diff)
		}
	}
}

// Real events are campaigns, and a group that a tag calls by another name is
// the one that ATT&CK and the galaxy have.
func TestCorpusEvents(t *testing.T) {
	t.Parallel()
	l := known(t, []intel.Feed{attack.Feed{Now: time.Now}, galaxy.Feed{Now: time.Now}, misp.Feed{Now: time.Now}}, map[string][]string{
		"attack": {corpus(t, attackFile)}, "galaxy": galaxyFiles(t), "misp": {corpus(t, "samples/misp_event_existing.json"), corpus(t, "samples/misp_event_galaxy.json")},
	})
	for id, want := range map[string]struct {
		name, summary string
		by, with      []string
	}{
		"misp:5a3c2fcd-8328-42bb-a95e-4f4402de0b81": {"OSINT - Sednit update: How Fancy Bear Spent the Year", "By CIRCL. Threat level: low. TLP:CLEAR.", []string{"G0007"}, []string{"S0023", "S0044", "S0045", "S0117", "S0134", "S0136", "S0161", "S0243"}},
		"misp:5acc88e9-265c-4f22-9d2b-b702950d210f": {"OSINT - PUBG Ransomware Decrypts Your Files If You Play PlayerUnknown's Battlegrounds", "By CIRCL. Threat level: low. TLP:CLEAR.", []string{"G0005", "G0006"}, []string{"S0031", "S0045", "S0310", "T1069", "T1098"}},
	} {
		e, _ := l.Find(id)
		by, with := l.Linked(id, intel.AttributedTo), l.Linked(id, intel.Uses)
		with = slices.DeleteFunc(with, func(id string) bool { return strings.HasPrefix(id, "misp-software--") }) // tools that ATT&CK does not have
		slices.Sort(by)
		slices.Sort(with)
		if e.Name != want.name || e.Summary != want.summary || !slices.Equal(by, want.by) || !slices.Equal(with, want.with) {
			t.Errorf("%+v, attributed to %v, uses %v", e, by, with)
		}
	}
}
