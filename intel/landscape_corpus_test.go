package intel_test

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/leeward-ctem/leeward/discover/decode"
	"github.com/leeward-ctem/leeward/exposure"
	"github.com/leeward-ctem/leeward/intel"
	"github.com/leeward-ctem/leeward/intel/feed/attack"
	"github.com/leeward-ctem/leeward/intel/feed/feedtest"
	"github.com/leeward-ctem/leeward/intel/feed/stix"
)

const (
	enterprise = "attack/enterprise-attack-18.1_trimmed.stix.json.gz"
	poisonivy  = "samples/stix21_poisonivy_report.json"
	apt1       = "samples/stix21_apt1_report.json"
)

func sizes(l *intel.Landscape) map[intel.Kind]int {
	n := map[intel.Kind]int{}
	for _, k := range []intel.Kind{
		intel.KindActor, intel.KindCampaign, intel.KindSoftware, intel.KindTechnique, intel.KindTactic,
		intel.KindMitigation, intel.KindCountermeasure, intel.KindPattern, intel.KindClass,
	} {
		for range l.All(k) {
			n[k]++
		}
	}
	return n
}

// TestCorpusATTACK reads a release of ATT&CK and compares what is known with
// what the decoder of the standard library finds in it.
func TestCorpusATTACK(t *testing.T) {
	t.Parallel()
	path := corpus(t, enterprise)
	s := real(t)
	got, changed := s.update(t, intel.Options{Locations: map[string][]string{"attack": {path}}}, "attack")
	if !changed || got.Error != "" || got.Facts() != 1757 || got.Parts[0].Skipped != 0 || got.Date().Format(time.DateOnly) != "2025-11-12" {
		t.Fatalf("state %+v", got)
	}
	snapshot, err := s.Snapshot(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	l := snapshot.Landscape()
	want := map[intel.Kind]int{intel.KindTechnique: 691, intel.KindActor: 172, intel.KindCampaign: 52, intel.KindSoftware: 784, intel.KindMitigation: 44, intel.KindTactic: 14}
	if diff := cmp.Diff(want, sizes(l)); diff != "" {
		t.Errorf("sizes differ (-want +got):\n%s", diff)
	}
	var file struct {
		Objects []struct {
			Type, ID, Name     string
			Verb               string `json:"relationship_type"`
			Source             string `json:"source_ref"`
			Target             string `json:"target_ref"`
			ExternalReferences []struct {
				ID string `json:"external_id"`
			} `json:"external_references"`
			Phases []struct {
				Name string `json:"phase_name"`
			} `json:"kill_chain_phases"`
		} `json:"objects"`
	}
	if err := json.NewDecoder(unpacked(t, path)).Decode(&file); err != nil {
		t.Fatal(err)
	}
	ids := map[string]string{}
	serves := 0
	for _, o := range file.Objects {
		if o.Type == "relationship" || o.Type == "x-mitre-matrix" {
			continue
		}
		ids[o.ID] = o.ExternalReferences[0].ID
		_, uuid, _ := strings.Cut(o.ID, "--")
		for _, id := range []string{o.ExternalReferences[0].ID, "uuid:" + uuid} {
			if e, ok := l.Find(id); !ok || e.Name != o.Name || e.ID != o.ExternalReferences[0].ID || !strings.HasPrefix(e.URL, "https://attack.mitre.org/") || e.Summary == "" {
				t.Fatalf("%s is known as %+v, %v", id, e, ok)
			}
		}
		if n := len(l.Linked(ids[o.ID], intel.Serves)); n != len(o.Phases) {
			t.Errorf("%s serves %d tactics, want %d", ids[o.ID], n, len(o.Phases))
		}
		serves += len(o.Phases)
	}
	verbs := map[string]intel.Relation{"uses": intel.Uses, "mitigates": intel.Mitigates, "subtechnique-of": intel.PartOf, "attributed-to": intel.AttributedTo}
	type pair struct{ from, to string }
	pairs := map[intel.Relation]map[pair]bool{}
	for _, o := range file.Objects {
		if o.Type != "relationship" {
			continue
		}
		r, from, to := verbs[o.Verb], ids[o.Source], ids[o.Target]
		if pairs[r] == nil {
			pairs[r] = map[pair]bool{}
		}
		pairs[r][pair{from, to}] = true
		if from == "" || to == "" || !slices.Contains(l.Linked(from, r), to) || !slices.Contains(l.Linking(to, r), from) {
			t.Fatalf("%s %s %s is not known", from, o.Verb, to)
		}
	}
	for r, all := range pairs {
		n := 0
		for _, k := range []intel.Kind{intel.KindActor, intel.KindCampaign, intel.KindSoftware, intel.KindMitigation, intel.KindTechnique} {
			for e := range l.All(k) {
				n += len(l.Linked(e.ID, r))
			}
		}
		if n != len(all) {
			t.Errorf("%d relations %s, want %d", n, r, len(all))
		}
	}
	if e, _ := l.Find("C0022"); e.FirstDay != 18140 || e.LastDay != 18475 || !slices.Contains(e.Names, "Operation North Star") {
		t.Errorf("C0022 is %+v", e)
	}
	inferred := 0
	for e := range l.All(intel.KindActor) {
		if e.Inferred != (len(e.Sectors)+len(e.Countries) > 0) {
			t.Errorf("%s is %+v: ATT&CK states no targets", e.ID, e)
		}
		if e.Inferred {
			inferred++
		}
	}
	if inferred < 100 { // of descriptions that are cut
		t.Errorf("the targets of %d actors are read from prose", inferred)
	}
	if serves != 887 {
		t.Errorf("techniques serve %d tactics", serves)
	}
	t.Logf("%d bytes kept", got.Parts[0].Length)
}

// TestCorpusSTIX reads examples of the standard.
func TestCorpusSTIX(t *testing.T) {
	t.Parallel()
	s := real(t)
	got, changed := s.update(t, intel.Options{Locations: map[string][]string{"stix": {corpus(t, poisonivy), corpus(t, apt1), corpus(t, "samples/stix21_infrastructure.json"), corpus(t, "samples/stix21_indicator-to-campaign-relationship.json")}}}, "stix")
	if !changed || got.Error != "" || len(got.Parts) != 4 {
		t.Fatalf("state %+v", got)
	}
	var facts []int
	for _, p := range got.Parts {
		facts = append(facts, p.Facts)
	}
	if diff := cmp.Diff([]int{30, 1, 2, 33}, facts); diff != "" {
		t.Errorf("facts differ (-want +got):\n%s", diff)
	}
	snapshot, err := s.Snapshot(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	l := snapshot.Landscape()
	var admin, comment intel.Named
	for e := range l.All(intel.KindCampaign) {
		if e.Name == "admin@338" {
			admin = e
		}
	}
	for e := range l.All(intel.KindActor) {
		if e.Name == "APT1" {
			comment = e
		}
	}
	if cves := l.Linked(admin.ID, intel.Exploits); !slices.Contains(cves, "CVE-2012-0158") || admin.FirstDay != 13885 {
		t.Errorf("admin@338 exploits %v since day %d", cves, admin.FirstDay)
	}
	if n := len(l.Linked(admin.ID, intel.Uses)); n != 2 {
		t.Errorf("admin@338 uses %d", n)
	}
	if actors := l.Linked(comment.ID, intel.AttributedTo); len(actors) != 3 || !slices.Contains(comment.Names, "Comment Crew") {
		t.Errorf("APT1 is %+v, of %v", comment, actors)
	}
	for file, text := range map[string]string{
		"samples/stix21_indicator-for-c2-ip-address.json": "none that says who attacks",
		enterprise:                            "give it to the feed attack",
		"samples/misp_event_galaxy.json":      "is not a collection in STIX",
		"attack/capec_cwe_attack_map.json.gz": "is not a collection in STIX",
		"attack/ctid_kev-07.28.2025_attack-16.1-enterprise.json.gz": "is not a collection in STIX",
	} {
		if got := read(t, stix.Feed{Now: time.Now}, corpus(t, file)); got.Err == nil || !strings.Contains(got.Err.Error(), text) || exposure.KindOf(got.Err) != exposure.Invalid {
			t.Errorf("%s: %v, want %q", file, got.Err, text)
		}
	}
	for _, file := range []string{poisonivy, apt1} {
		if got := read(t, attack.Feed{Now: time.Now}, corpus(t, file)); got.Err == nil || !strings.Contains(got.Err.Error(), "for the feed stix") {
			t.Errorf("%s is taken for ATT&CK: %v", file, got.Err)
		}
	}
}

func read(t *testing.T, f intel.Feed, path string) feedtest.Result {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return feedtest.Read(t.Context(), f, data)
}

// untrimmed is a release of ATT&CK of the size of the real one, 45 MB, without
// any of its words.
func untrimmed() []byte {
	var b bytes.Buffer
	uuid := func(n int) string { return fmt.Sprintf("%08x-1111-4111-8111-111111111111", n) }
	prose := strings.Repeat("Somebody may do something with a thing that is there (Citation: A report 2024) in `places`. ", 20)
	b.WriteString(`{"type":"bundle","id":"bundle--1","objects":[{"type":"x-mitre-collection","id":"x-mitre-collection--1","modified":"2025-10-28T14:00:00.188Z","x_mitre_version":"18.1"}`)
	entry := func(n int, kind, id, more string) {
		fmt.Fprintf(&b, `,{"type":%q,"spec_version":"2.1","id":"%s--%s","created":"2020-01-14T17:18:32.126Z","modified":"2025-10-24T17:48:19.059Z","name":"Entry %d","description":%q,"external_references":[{"source_name":"mitre-attack","url":"https://attack.mitre.org/x/%s","external_id":%q},{"source_name":"A report 2024","url":"https://a.example/2024/report","description":"Somebody. (2024, January 1). A report. Retrieved January 2, 2024."}],"object_marking_refs":["marking-definition--%s"],"x_mitre_domains":["enterprise-attack"],"x_mitre_version":"1.0"%s}`,
			kind, kind, uuid(n), n, prose+prose, id, id, uuid(1), more)
	}
	for i := range 700 {
		entry(i, "attack-pattern", fmt.Sprintf("T%04d", i), `,"kill_chain_phases":[{"kill_chain_name":"mitre-attack","phase_name":"discovery"}],"x_mitre_platforms":["Linux","Windows"],"x_mitre_detection":"`+prose+prose+prose+`"`)
	}
	for i := range 800 {
		entry(1000+i, "malware", fmt.Sprintf("S%04d", i), `,"x_mitre_aliases":["One","Two"]`)
	}
	for i := range 170 {
		entry(2000+i, "intrusion-set", fmt.Sprintf("G%04d", i), `,"aliases":["One","Two"]`)
	}
	entry(3000, "x-mitre-tactic", "TA0007", `,"x_mitre_shortname":"discovery"`)
	for i := range 21_000 {
		source := fmt.Sprintf("malware--%s", uuid(1000+i%800))
		if i%4 == 0 {
			source = fmt.Sprintf("intrusion-set--%s", uuid(2000+i%170))
		}
		fmt.Fprintf(&b, `,{"type":"relationship","spec_version":"2.1","id":"relationship--%s","created":"2020-01-14T17:18:32.126Z","created_by_ref":"identity--%s","modified":"2025-04-28T15:31:30.051Z","revoked":false,"relationship_type":"uses","source_ref":%q,"target_ref":"attack-pattern--%s","description":%q,"external_references":[{"source_name":"A report 2024","description":"Somebody. (2024, January 1). A report. Retrieved January 2, 2024.","url":"https://a.example/2024/report"}],"object_marking_refs":["marking-definition--%s"],"x_mitre_deprecated":false,"x_mitre_attack_spec_version":"3.2.0","x_mitre_modified_by_ref":"identity--%s","x_mitre_domains":["enterprise-attack"]}`,
			uuid(10_000+i), uuid(1), source, uuid(i%700), prose[:900], uuid(1), uuid(1))
	}
	b.WriteString("]}")
	return b.Bytes()
}

// BenchmarkATTACK reads a release, keeps it and makes the landscape of it, and
// beside it does only what no reader of JSON can do without: to find where
// each object ends.
func BenchmarkATTACK(b *testing.B) {
	trimmed, err := io.ReadAll(unpacked(b, corpus(b, enterprise)))
	if err != nil {
		b.Fatal(err)
	}
	for name, text := range map[string][]byte{"trimmed": trimmed, "untrimmed": untrimmed()} {
		var packed bytes.Buffer
		z := gzip.NewWriter(&packed)
		z.Write(text)
		z.Close()
		path := b.TempDir() + "/attack.json.gz"
		if err := os.WriteFile(path, packed.Bytes(), 0o600); err != nil {
			b.Fatal(err)
		}
		limit := time.Duration(math.MaxInt64)
		b.Run(name+"/limit", func(b *testing.B) {
			limit = fastest(b, text, func() {
				j := decode.NewJSON(bytes.NewReader(text))
				objects := 0
				err := j.Object(func(string) error {
					return j.Array(func() error {
						objects++
						_, err := j.Raw()
						return err
					})
				})
				if err != nil || objects < 20_000 {
					b.Fatal(objects, err)
				}
			})
		})
		b.Run(name+"/read", func(b *testing.B) {
			feed := attack.Feed{Now: time.Now}
			took := fastest(b, text, func() {
				facts := 0
				if _, err := feed.Read(b.Context(), bytes.NewReader(text), func(intel.Fact) error { facts++; return nil }); err != nil || facts < 1600 {
					b.Fatal(facts, err)
				}
			})
			b.ReportMetric(float64(took)/float64(limit), "x-limit")
		})
		b.Run(name+"/kept", func(b *testing.B) {
			took := fastest(b, text, func() {
				s := real(b)
				if state, _ := s.update(b, intel.Options{Locations: map[string][]string{"attack": {path}}}, "attack"); state.Error != "" {
					b.Fatal(state.Error)
				}
				snapshot, err := s.Snapshot(b.Context())
				if err != nil || snapshot.Landscape().Size() < 1600 {
					b.Fatal(err)
				}
			})
			b.ReportMetric(float64(took)/float64(limit), "x-limit")
		})
	}
}

// fastest runs a benchmark of a text and returns its fastest round, which says
// most on a machine that does other things as well.
func fastest(b *testing.B, text []byte, do func()) time.Duration {
	b.SetBytes(int64(len(text)))
	b.ReportAllocs()
	best := time.Duration(math.MaxInt64)
	for b.Loop() {
		begun := time.Now()
		do()
		best = min(best, time.Since(begun))
	}
	b.ReportMetric(float64(best.Microseconds())/1000, "best-ms")
	return best
}
