package intel_test

import (
	"archive/zip"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/leeward-ctem/leeward/exposure"
	"github.com/leeward-ctem/leeward/intel"
)

// full is a stand that has fetched everything.
func full(t testing.TB) *stand {
	t.Helper()
	s := newStand(t)
	s.site.text("/one", edition("2025-09-20", 10))
	for _, w := range []string{"A", "B", "C"} {
		s.site.text("/"+strings.ToLower(w)+"/all", named("2025-09-20", w, 10))
	}
	s.update(t, intel.Options{})
	return s
}

func export(t testing.TB, s *stand) []byte {
	t.Helper()
	var b bytes.Buffer
	if _, err := s.Export(t.Context(), &b); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestBundle(t *testing.T) {
	t.Parallel()
	from, to := full(t), newStand(t)
	bundle := export(t, from)
	states, changed, err := to.Import(t.Context(), bytes.NewReader(bundle), false)
	if err != nil || !changed || len(states) != 2 || states[0].Error+states[1].Error != "" {
		t.Fatalf("Import = %+v, %v, %v", states, changed, err)
	}
	if to.known(t) != 10 || to.holds(t, "A")+to.holds(t, "B")+to.holds(t, "C") != 30 {
		t.Error("the bundle does not bring everything")
	}
	want, _ := from.States(t.Context())
	got, _ := to.States(t.Context())
	for i := range want {
		if diff := cmp.Diff(want[i].Parts, got[i].Parts); diff != "" {
			t.Errorf("parts of %s differ (-exported +imported):\n%s", want[i].Name, diff)
		}
	}
	if again := export(t, to); !bytes.Equal(contentsOf(t, again)["one.facts"], contentsOf(t, bundle)["one.facts"]) {
		t.Error("exported again, the facts are others")
	}
	// The same again is taken, and changes nothing that can be seen.
	if _, _, err := to.Import(t.Context(), bytes.NewReader(bundle), false); err != nil || to.known(t) != 10 {
		t.Errorf("the same again: %v", err)
	}
}

// Locations and errors of one site are nobody's business at the other.
func TestBundleTellsNothing(t *testing.T) {
	t.Parallel()
	from, to := full(t), newStand(t)
	from.site.text("/internal", edition("2025-09-21", 10))
	from.update(t, intel.Options{Locations: map[string][]string{"one": {from.site.URL + "/internal"}}}, "one")
	from.site.set("/internal", nil)
	if got, _ := from.update(t, intel.Options{}, "one"); got.Error == "" || got.Locations == nil {
		t.Fatalf("%+v", got)
	}
	to.site.text("/mine", edition("2025-09-19", 10))
	to.update(t, intel.Options{Locations: map[string][]string{"one": {to.site.URL + "/mine"}}}, "one")
	bundle := export(t, from)
	if m := string(contentsOf(t, bundle)["manifest.json"]); strings.Contains(m, "/internal") || strings.Contains(m, `"error"`) || !strings.Contains(m, "/a/all") {
		t.Errorf("the manifest tells what is nobody's business, or not what is public: %s", m)
	}
	states, _, err := to.Import(t.Context(), bytes.NewReader(bundle), false)
	if err != nil || states[0].Error != "" || len(states[0].Locations) != 1 || states[0].Locations[0] != to.site.URL+"/mine" {
		t.Errorf("Import = %+v, %v", states, err)
	}
}

func TestNothingToExport(t *testing.T) {
	t.Parallel()
	var b bytes.Buffer
	_, err := newStand(t).Export(t.Context(), &b)
	if exposure.KindOf(err) != exposure.NotFound || !strings.Contains(err.Error(), "leeward feeds update") || b.Len() != 0 {
		t.Errorf("Export = %v with %d bytes", err, b.Len())
	}
	s := full(t)
	s.shelf.bodies["many"] = s.shelf.bodies["many"][1:]
	if _, err := s.Export(t.Context(), &b); err == nil || !strings.Contains(err.Error(), "run `leeward feeds update many`") {
		t.Errorf("Export of a damaged copy = %v", err)
	}
}

// An older or smaller copy is refused, feed by feed.
func TestOlderBundle(t *testing.T) {
	t.Parallel()
	old := export(t, full(t))
	for name, tt := range map[string]struct {
		text string
		now  time.Time
		err  string
	}{
		"older":          {edition("2025-09-21", 10), time.Time{}, "older than the one of 2025-09-21"},
		"less than half": {edition("2025-09-20", 21), time.Time{}, "holds 10 records, and the one that is kept 21"},
		"of the future":  {edition("2025-09-10", 10), time.Date(2025, 9, 11, 0, 0, 0, 0, time.UTC), "which is to come"},
		"newer":          {edition("2025-09-19", 10), time.Time{}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newStand(t)
			if !tt.now.IsZero() {
				s.now = tt.now
			}
			s.site.text("/one", tt.text)
			s.update(t, intel.Options{}, "one")
			before := s.known(t)
			states, _, err := s.Import(t.Context(), bytes.NewReader(old), false)
			if err != nil || !strings.Contains(states[0].Error, tt.err) || tt.err == "" && states[0].Error != "" {
				t.Fatalf("Import = %+v, %v, want %q", states, err, tt.err)
			}
			if tt.err != "" && s.known(t) != before {
				t.Errorf("%d known, were %d", s.known(t), before)
			}
			if name != "of the future" && (states[1].Error != "" || s.holds(t, "A") != 10) {
				t.Errorf("the other feed was not taken: %+v", states[1])
			}
			states, changed, err := s.Import(t.Context(), bytes.NewReader(old), true)
			if err != nil || !changed || states[0].Error != "" || s.known(t) != 10 || states[0].Date().After(s.now) {
				t.Errorf("by force: %+v, %v, %v", states, changed, err)
			}
		})
	}
}

// contentsOf returns the entries of a bundle.
func contentsOf(t testing.TB, bundle []byte) map[string][]byte {
	t.Helper()
	z, err := zip.NewReader(bytes.NewReader(bundle), int64(len(bundle)))
	if err != nil {
		t.Fatal(err)
	}
	entries := map[string][]byte{}
	for _, f := range z.File {
		r, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		if entries[f.Name], err = io.ReadAll(r); err != nil {
			t.Fatal(err)
		}
	}
	return entries
}

func packed(t testing.TB, entries map[string][]byte) []byte {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for name, data := range entries {
		w, err := z.Create(name)
		if err != nil {
			t.Fatal(err)
		}
		w.Write(data)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// A bundle is damaged on its way, or made by somebody else: nothing of what is
// kept is lost, nothing is taken that is not right.
func TestDamagedBundle(t *testing.T) {
	t.Parallel()
	good := export(t, full(t))
	edit := func(f func(m map[string]any, feed map[string]any, part map[string]any)) func(map[string][]byte) {
		return func(e map[string][]byte) {
			var m map[string]any
			json.Unmarshal(e["manifest.json"], &m)
			feed := m["feeds"].([]any)[0].(map[string]any)
			f(m, feed, feed["state"].(map[string]any)["parts"].([]any)[0].(map[string]any))
			e["manifest.json"], _ = json.Marshal(m)
		}
	}
	for name, tt := range map[string]struct {
		change func(map[string][]byte)
		whole  string // error of the whole bundle
		feed   string // error of the feed
	}{
		"no manifest":        {func(e map[string][]byte) { delete(e, "manifest.json") }, "has no manifest.json", ""},
		"manifest of HTML":   {func(e map[string][]byte) { e["manifest.json"] = []byte("<html>") }, "cannot be read", ""},
		"an empty manifest":  {func(e map[string][]byte) { e["manifest.json"] = []byte(`{"format":1}`) }, "no feed that this version knows", ""},
		"a long manifest":    {func(e map[string][]byte) { e["manifest.json"] = make([]byte, 5<<20) }, "too long", ""},
		"of a newer version": {edit(func(m, _, _ map[string]any) { m["format"] = 2 }), "newer version", ""},
		"a feed twice":       {edit(func(m, f, _ map[string]any) { m["feeds"] = []any{f, f} }), "manifest of the bundle is damaged", ""},
		"no parts":           {edit(func(_, f, _ map[string]any) { f["state"].(map[string]any)["parts"] = nil }), "manifest of the bundle is damaged", ""},
		"an unknown feed":    {edit(func(_, f, _ map[string]any) { f["state"].(map[string]any)["name"] = "later" }), "", "-"},
		"no facts":           {func(e map[string][]byte) { delete(e, "one.facts") }, "", "has no one.facts"},
		"other facts":        {func(e map[string][]byte) { e["one.facts"] = e["many.facts"] }, "", "checksum of one"},
		"a bit":              {func(e map[string][]byte) { e["one.facts"][20] ^= 1 }, "", "checksum of one"},
		"no checksum":        {edit(func(_, f, _ map[string]any) { f["sha256"] = "" }), "", "checksum of one"},
		"more facts claimed": {edit(func(_, _, p map[string]any) { p["facts"] = 11 }), "", "damaged"},
		"a negative length":  {edit(func(_, _, p map[string]any) { p["length"] = -1 }), "", "damaged"},
		"a great length":     {edit(func(_, _, p map[string]any) { p["length"] = 1 << 40 }), "", "damaged"},
		"a short length":     {edit(func(_, _, p map[string]any) { p["length"] = p["length"].(float64) - 1 }), "", "damaged"},
		"no date":            {edit(func(_, _, p map[string]any) { p["date"] = "0001-01-01T00:00:00Z" }), "", "damaged"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newStand(t)
			s.site.text("/one", edition("2025-09-19", 12))
			s.update(t, intel.Options{}, "one")
			entries := contentsOf(t, good)
			tt.change(entries)
			states, _, err := s.Import(t.Context(), bytes.NewReader(packed(t, entries)), true)
			if tt.whole != "" {
				if err == nil || !strings.Contains(err.Error(), tt.whole) || exposure.KindOf(err) != exposure.Invalid {
					t.Errorf("Import = %v, want %q", err, tt.whole)
				}
			} else if err != nil {
				t.Fatal(err)
			} else if tt.feed == "-" {
				if len(states) != 1 || states[0].Name != "many" {
					t.Errorf("%+v", states)
				}
			} else if !strings.Contains(states[0].Error, tt.feed) {
				t.Errorf("error %q, want %q", states[0].Error, tt.feed)
			}
			if s.known(t) != 12 {
				t.Errorf("%d known, want the 12 that were kept", s.known(t))
			}
		})
	}
}

// Cut anywhere, a bundle is refused as a whole or says which feed is damaged.
func TestCutBundle(t *testing.T) {
	t.Parallel()
	good := export(t, full(t))
	s := newStand(t)
	s.site.text("/one", edition("2025-09-19", 12))
	s.update(t, intel.Options{}, "one")
	for cut := 0; cut < len(good); cut += max(1, len(good)/100) {
		if _, changed, err := s.Import(t.Context(), bytes.NewReader(good[:cut]), true); err == nil || changed {
			t.Fatalf("cut at %d of %d: changed = %v, %v", cut, len(good), changed, err)
		}
	}
	if s.known(t) != 12 {
		t.Errorf("%d known, want 12", s.known(t))
	}
}

func FuzzImport(f *testing.F) {
	good := export(f, full(f))
	f.Add(good)
	f.Add(good[:len(good)/2])
	f.Add([]byte("PK\x05\x06" + strings.Repeat("\x00", 18)))
	s := newStand(f)
	s.site.text("/one", edition("2025-09-19", 12))
	s.update(f, intel.Options{}, "one")
	f.Fuzz(func(t *testing.T, data []byte) {
		s.Import(t.Context(), bytes.NewReader(data), true)
		snapshot, err := s.Snapshot(t.Context())
		if err != nil {
			t.Fatalf("an import left what cannot be read: %v", err)
		}
		if threat := snapshot.Threat([]string{fmt.Sprintf("CVE-2025-%04d", 0)}); threat.PublishedDay == 0 {
			t.Fatal("an import that is no feed took knowledge away")
		}
	})
}
