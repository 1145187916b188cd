package intel_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/leeward-ctem/leeward/exposure"
	"github.com/leeward-ctem/leeward/intel"
)

// Asking for the snapshot again costs nothing, and it stays the same until a
// copy changes.
func TestSnapshotAgain(t *testing.T) {
	t.Parallel()
	s := newStand(t)
	s.site.text("/one", edition("2025-09-20", 10))
	s.update(t, intel.Options{}, "one")
	first, err := s.Snapshot(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if again, _ := s.Snapshot(t.Context()); again != first {
		t.Error("asking again made another snapshot")
	}
	s.Release()
	if again, _ := s.Snapshot(t.Context()); again == first || again.Threat([]string{"CVE-2025-0009"}) != first.Threat([]string{"CVE-2025-0009"}) {
		t.Error("after Release the snapshot is the same, or knows something else")
	}
	s.site.text("/one", edition("2025-09-21", 11))
	s.update(t, intel.Options{}, "one")
	if first.Threat([]string{"CVE-2025-0010"}) != (exposure.Threat{}) || s.known(t) != 11 {
		t.Error("a snapshot changed, or the new one does not know the new edition")
	}
}

// A damaged copy is an error that says what to do, is read once, and is
// mended by an update. What is known of it still refuses older editions.
func TestDamagedCopy(t *testing.T) {
	t.Parallel()
	for name, damage := range map[string]func([]byte) []byte{
		"cut":      func(b []byte) []byte { return b[:len(b)-1] },
		"longer":   func(b []byte) []byte { return append(b, 0) },
		"a bit":    func(b []byte) []byte { b[len(b)/2] ^= 0x10; return b },
		"missing":  func(b []byte) []byte { return nil },
		"a letter": func(b []byte) []byte { return []byte(strings.Repeat("a", len(b))) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newStand(t)
			s.site.text("/one", edition("2025-09-20", 100))
			s.update(t, intel.Options{}, "one")
			s.shelf.bodies["one"] = damage(slices.Clone(s.shelf.bodies["one"]))
			reads := 0
			s.shelf.onBody = func(string, []byte) { reads++ }
			for range 5 {
				_, err := s.Snapshot(t.Context())
				if err == nil || exposure.KindOf(err) != exposure.Unavailable || !strings.Contains(err.Error(), "run `leeward feeds update one`") {
					t.Fatalf("Snapshot = %v", err)
				}
			}
			if reads > 2 {
				t.Errorf("the damaged copy was read %d times", reads)
			}
			s.site.text("/one", edition("2025-09-19", 100))
			if got, changed := s.update(t, intel.Options{}, "one"); changed || !strings.Contains(got.Error, "older") {
				t.Errorf("an older edition: changed = %v, %+v", changed, got)
			}
			s.site.text("/one", edition("2025-09-20", 100))
			if got, changed := s.update(t, intel.Options{}, "one"); !changed || got.Error != "" || s.known(t) != 100 {
				t.Errorf("the same edition: changed = %v, %+v", changed, got)
			}
		})
	}
}

// A copy that changes while the snapshot is being made is not mixed with the
// state of the one before.
func TestChangeWhileLoading(t *testing.T) {
	t.Parallel()
	s := newStand(t)
	s.site.text("/one", edition("2025-09-20", 10))
	s.update(t, intel.Options{}, "one")
	s.site.text("/one", edition("2025-09-21", 11))
	var once sync.Once
	s.shelf.onBody = func(string, []byte) {
		once.Do(func() {
			s.shelf.onBody = nil
			s.update(t, intel.Options{}, "one")
		})
	}
	if n := s.known(t); n != 11 {
		t.Errorf("%d known, want the 11 of the new copy", n)
	}
}

// A copy that another process replaced between the two reads is read again.
func TestChangeByAnother(t *testing.T) {
	t.Parallel()
	s, other := newStand(t), newStand(t)
	other.Store = s.shelf
	other.Registered = s.Registered
	s.site.text("/one", edition("2025-09-20", 10))
	s.update(t, intel.Options{}, "one")
	s.Release()
	s.site.text("/one", edition("2025-09-21", 11))
	old := slices.Clone(s.shelf.bodies["one"])
	var once sync.Once
	s.shelf.onBody = func(_ string, body []byte) {
		once.Do(func() {
			s.shelf.onBody = nil
			other.update(t, intel.Options{}, "one")
			copy(body, old[:len(body)-1]) // what a read in between may give
			body[0] ^= 0xff
		})
	}
	if n := s.known(t); n != 11 {
		t.Errorf("%d known, want the 11 of the new copy", n)
	}
}

// Everything at once, for the race detector: no reader ever sees half of an
// edition.
func TestConcurrent(t *testing.T) {
	t.Parallel()
	s := newStand(t)
	s.site.text("/one", edition("2025-09-10", 10))
	s.update(t, intel.Options{}, "one")
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for range 50 {
				if n := s.known(t); n < 10 || n > 19 {
					t.Errorf("%d known", n)
				}
			}
		})
	}
	wg.Go(func() {
		for i := 1; i < 10; i++ {
			s.site.text("/one", edition(fmt.Sprintf("2025-09-%02d", 10+i), 10+i))
			s.update(t, intel.Options{}, "one")
			s.Release()
		}
	})
	wg.Wait()
	if n := s.known(t); n != 19 {
		t.Errorf("%d known at the end, want 19", n)
	}
}

// What the database holds for feeds that are not registered is left alone.
func TestForeignState(t *testing.T) {
	t.Parallel()
	s := newStand(t)
	s.shelf.states["later"] = []byte("of a newer version")
	s.site.text("/one", edition("2025-09-20", 10))
	s.update(t, intel.Options{}, "one")
	if s.known(t) != 10 || string(s.shelf.states["later"]) != "of a newer version" {
		t.Error("the state of an unknown feed matters")
	}
	s.shelf.states["one"] = []byte("{")
	if _, err := s.States(t.Context()); err == nil || !strings.Contains(err.Error(), "state of the feed one") {
		t.Errorf("States = %v", err)
	}
}

// The state is JSON that older and newer versions read: its names are fixed.
func TestStateForm(t *testing.T) {
	t.Parallel()
	s := newStand(t)
	s.site.text("/one", edition("2025-09-20", 10))
	s.update(t, intel.Options{}, "one")
	var got map[string]any
	if err := json.Unmarshal(s.shelf.states["one"], &got); err != nil {
		t.Fatal(err)
	}
	part := got["parts"].([]any)[0].(map[string]any)
	for _, name := range []string{"location", "version", "date", "facts", "skipped", "sha256", "fetched", "length"} {
		if _, ok := part[name]; !ok {
			t.Errorf("a part has no %s: %v", name, part)
		}
	}
}
