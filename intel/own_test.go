package intel_test

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/leeward-ctem/leeward/exposure"
	"github.com/leeward-ctem/leeward/intel"
)

// given is a feed of facts that a test made.
type given struct {
	name    string
	facts   []intel.Fact
	private bool
}

func (g given) Source() intel.Source {
	return intel.Source{Name: g.name, Title: g.name, Licence: "CC0-1.0", Every: time.Hour, Stale: time.Hour, MaxBytes: 1 << 20, Private: g.private}
}

func (g given) Read(_ context.Context, _ intel.File, add func(intel.Fact) error) (intel.Edition, error) {
	for _, f := range g.facts {
		if err := add(f); err != nil {
			return intel.Edition{}, err
		}
	}
	return intel.Edition{Date: time.Date(2025, 1, 1, 0, 0, 0, 0, time.UTC)}, nil
}

// A feed without a public address is read only from where it is told to, and
// nobody misses it before.
func TestNoPublicAddress(t *testing.T) {
	t.Parallel()
	own := given{name: "own", facts: []intel.Fact{{ID: "CVE-2025-0001", Threat: exposure.Threat{ObservedDay: 20000}}}}
	s := newStand(t)
	s.Registered = []intel.Feed{own}
	states, changed, err := s.Update(t.Context(), nil, intel.Options{})
	if err != nil || changed || len(states) != 0 {
		t.Errorf("an update of all: %+v, %v, %v", states, changed, err)
	}
	states, changed, err = s.Update(t.Context(), []string{"own"}, intel.Options{})
	if err != nil || changed || len(states) != 1 || !strings.Contains(states[0].Error, "the feed own has no public address") {
		t.Errorf("an update of this one: %+v, %v, %v", states, changed, err)
	}
	if len(states) == 1 && states[0].Stale(own.Source(), s.now) {
		t.Error("it is stale, and was never given anything")
	}
	file := filepath.Join(t.TempDir(), "own.csv")
	if err := os.WriteFile(file, []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, o := range []intel.Options{{Locations: map[string][]string{"own": {file}}}, {}} {
		states, _, err = s.Update(t.Context(), nil, o)
		if err != nil || len(states) != 1 || states[0].Error != "" || states[0].Facts() != 1 || len(states[0].Locations) != 1 {
			t.Errorf("from a file: %+v, %v", states, err)
		}
	}
	states, changed, err = s.Update(t.Context(), []string{"own"}, intel.Options{Locations: map[string][]string{"own": {"default"}}})
	if err != nil || !changed || states[0].Error != "" || states[0].Facts() != 0 || len(states[0].Locations) != 0 {
		t.Errorf("back to nothing: %+v, %v, %v", states, changed, err)
	}
}

// What was confided in one organisation is not in the bundle that it carries
// elsewhere.
func TestPrivate(t *testing.T) {
	t.Parallel()
	s, facts := newStand(t), []intel.Fact{{ID: "CVE-2025-0001", Threat: exposure.Threat{ObservedDay: 20000}}}
	s.Registered = []intel.Feed{given{name: "open", facts: facts}, given{name: "confided", facts: facts, private: true}}
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, _, err := s.Update(t.Context(), nil, intel.Options{Locations: map[string][]string{"open": {file}, "confided": {file}}}); err != nil {
		t.Fatal(err)
	}
	var bundle bytes.Buffer
	states, err := s.Export(t.Context(), &bundle)
	if err != nil || len(states) != 1 || states[0].Name != "open" || bytes.Contains(bundle.Bytes(), []byte("confided")) {
		t.Errorf("the bundle holds %+v, %v", states, err)
	}
}
