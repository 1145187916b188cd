package intel_test

import (
	"archive/zip"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/leeward-ctem/leeward/intel"
	"github.com/leeward-ctem/leeward/intel/feed/osv"
	"github.com/leeward-ctem/leeward/intel/match"
)

// archived writes an archive of advisories and returns its path.
func archived(t testing.TB, name string, docs ...string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z := zip.NewWriter(f)
	for i, doc := range docs {
		w, err := z.Create(fmt.Sprintf("%d.json", i))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write([]byte(doc)); err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return path
}

// about is an advisory about all versions before 1.2.3 of a package.
func about(id, ecosystem, name, more string) string {
	return fmt.Sprintf(`{"id":%q,"modified":"2025-09-01T00:00:00Z","affected":[{"package":{"ecosystem":%q,"name":%q},"ranges":[{"type":"ECOSYSTEM","events":[{"introduced":"0"},{"fixed":"1.2.3"}]}]}]%s}`, id, ecosystem, name, more)
}

// keeperOf keeps archives of advisories.
func keeperOf(t testing.TB, archives ...string) (*intel.Keeper, *shelf) {
	t.Helper()
	s := newShelf()
	k := &intel.Keeper{Registered: []intel.Feed{osv.Feed{}}, Store: s, Now: func() time.Time { return time.Date(2026, 9, 1, 0, 0, 0, 0, time.UTC) }}
	keep(t, k, archives...)
	return k, s
}

func keep(t testing.TB, k *intel.Keeper, archives ...string) {
	t.Helper()
	states, _, err := k.Update(t.Context(), nil, intel.Options{Locations: map[string][]string{"osv": archives}})
	if err != nil || states[0].Error != "" {
		t.Fatal(err, states)
	}
}

func matcher(t testing.TB, k *intel.Keeper, ecosystem string) *match.Matcher {
	t.Helper()
	m, err := k.Matcher(t.Context(), ecosystem)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func TestKeeperMatch(t *testing.T) {
	t.Parallel()
	k, _ := keeperOf(t,
		archived(t, "go.zip", about("GHSA-2222-3333-4444", "Go", "example.com/mod", `,"aliases":["CVE-2025-1"]`), about("GO-2025-1", "Go", "example.com/mod", `,"aliases":["CVE-2025-1"]`),
			about("GO-2025-2", "Go", "example.com/mod", `,"withdrawn":"2025-08-01T00:00:00Z"`), about("MAL-2025-3", "Go", "example.com/evil", "")),
		archived(t, "debian.zip", about("DSA-1", "Debian:12", "curl", ""), about("DSA-2", "Debian:11", "curl", "")))
	got, err := k.Match(t.Context(), []string{"pkg:golang/example.com/mod@v1.0.0", "pkg:golang/example.com/mod@v1.0.0", "pkg:golang/example.com/mod@v1.2.3", "pkg:golang/example.com/evil",
		"pkg:deb/debian/curl@1.2.2?distro=debian-12", "pkg:deb/debian/curl@1.2.2?distro=debian-10", "pkg:npm/x@1", "x"})
	if err != nil {
		t.Fatal(err)
	}
	want := intel.Matched{
		Concerns: []intel.Concern{
			{Purl: "pkg:golang/example.com/mod@v1.0.0", Package: match.Package{Ecosystem: "Go", Name: "example.com/mod", Version: "v1.0.0"}, ID: "CVE-2025-1", Names: []string{"GHSA-2222-3333-4444", "GO-2025-1"}, Fixed: []string{"1.2.3"}},
			{Purl: "pkg:golang/example.com/evil", Package: match.Package{Ecosystem: "Go", Name: "example.com/evil"}, ID: "MAL-2025-3", Unknown: true},
			{Purl: "pkg:deb/debian/curl@1.2.2?distro=debian-12", Package: match.Package{Ecosystem: "Debian:12", Name: "curl", Version: "1.2.2"}, ID: "DSA-1", Fixed: []string{"1.2.3"}},
		},
		Unmatched: []intel.Unmatched{
			{Purl: "pkg:deb/debian/curl@1.2.2?distro=debian-10", Reason: "no kept feed has advisories of Debian:10: see `leeward feeds update`"},
			{Purl: "pkg:npm/x@1", Reason: "no kept feed has advisories of npm: see `leeward feeds update`"},
			{Purl: "x", Reason: `not a package URL: purl scheme is not "pkg": "x"`},
		},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("differs (-want +got):\n%s", diff)
	}
	if c := got.Concerns; c[0].Malicious() || !c[1].Malicious() {
		t.Error("what is malicious is not told")
	}
}

// A matcher is the same until a copy changes or it is forgotten.
func TestMatcherKept(t *testing.T) {
	t.Parallel()
	before, after := archived(t, "all.zip", about("GO-2025-1", "Go", "x", "")), archived(t, "all.zip", about("GO-2025-1", "Go", "x", ""), about("GO-2025-2", "Go", "y", ""))
	k, s := keeperOf(t, before)
	first := matcher(t, k, "Go")
	if matcher(t, k, "Go") != first || first.Records() != 1 || first.Ecosystem() != "Go" {
		t.Errorf("another matcher, or %d records", first.Records())
	}
	if n := matcher(t, k, "npm").Records(); n != 0 {
		t.Errorf("%d records of npm", n)
	}
	keep(t, k, after)
	second := matcher(t, k, "Go")
	if second == first || second.Records() != 2 {
		t.Errorf("the old matcher, or %d records", second.Records())
	}
	k.Release()
	if matcher(t, k, "Go") == second {
		t.Error("what was released is there")
	}
	k.Release()
	s.bodies["osv"] = append([]byte{0}, s.bodies["osv"][1:]...)
	if _, err := k.Matcher(t.Context(), "Go"); err == nil || !strings.Contains(err.Error(), "leeward feeds update osv") {
		t.Errorf("of a damaged copy: %v", err)
	}
}

func TestMatcherForgotten(t *testing.T) {
	path := archived(t, "all.zip", about("GO-2025-1", "Go", "x", ""))
	synctest.Test(t, func(t *testing.T) {
		k, _ := keeperOf(t, path)
		first := matcher(t, k, "Go")
		time.Sleep(9 * time.Minute)
		if matcher(t, k, "Go") != first {
			t.Error("it is used and forgotten")
		}
		time.Sleep(11 * time.Minute)
		if matcher(t, k, "Go") == first {
			t.Error("it is not used and not forgotten")
		}
	})
}

// A copy that an older program made holds no packages: it is read again though
// the file is the same.
func TestOlderForm(t *testing.T) {
	t.Parallel()
	path := archived(t, "all.zip", about("GO-2025-1", "Go", "x", ""))
	k, s := keeperOf(t, path)
	var state intel.State
	if err := json.Unmarshal(s.states["osv"], &state); err != nil {
		t.Fatal(err)
	}
	if p := state.Parts[0]; p.Form != (osv.Feed{}).Source().Form || !cmp.Equal(p.Ecosystems, []string{"Go"}) {
		t.Errorf("form %d, ecosystems %v", p.Form, p.Ecosystems)
	}
	state.Parts[0].Form, state.Parts[0].Ecosystems = 0, nil
	older, err := json.Marshal(state)
	if err != nil {
		t.Fatal(err)
	}
	s.states["osv"] = older
	if n := matcher(t, k, "Go").Records(); n != 0 {
		t.Errorf("%d records of an older copy", n)
	}
	writes := s.writes
	keep(t, k, path)
	if n := matcher(t, k, "Go").Records(); n != 1 || s.writes != writes+1 {
		t.Errorf("%d records, %d writes", n, s.writes-writes)
	}
	keep(t, k, path)
	if s.writes != writes+1 {
		t.Error("it is read again each time")
	}
}
