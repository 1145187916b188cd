package scope

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/leeward-ctem/leeward/exposure"
)

func TestEngagementTemplate(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 28, 6, 0, 0, 0, time.UTC)
	e, err := ParseEngagement("e.yaml", EngagementTemplate(now))
	if err != nil {
		t.Fatal(err)
	}
	want := &exposure.Engagement{
		Name: "Office network, week by week", Owner: "Ada Lovelace", Contact: "noc@example.com", Authorisation: "Order 2026-17, signed by the CIO",
		Targets: []string{"10.20.0.0/16"}, Exclusions: []string{"10.20.9.0/24"}, Level: exposure.LevelObserve,
		Expires: time.Date(2026, 12, 29, 0, 0, 0, 0, time.UTC), Limits: exposure.Limits{Rate: 50, Concurrency: 16},
	}
	if diff := cmp.Diff(want, e); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestEngagementText(t *testing.T) {
	t.Parallel()
	e := &exposure.Engagement{
		Name: `a "b": #c`, Owner: "Bär ☃", Contact: "- x", Authorisation: "two\nlines", Targets: []string{"*.example.com", "10.0.0.0/8"}, Exclusions: []string{"https://a.example/x: y"},
		Level: exposure.LevelAuthenticated, Credentials: true, Test: true,
		Windows: []exposure.Window{{From: "20:00", Until: "24:00"}, {Days: []string{"mon", "sun"}, From: "00:00", Until: "06:00"}},
		Zone:    "Europe/Berlin", Blackouts: []string{"2026-12-24"}, Starts: time.Date(2026, 12, 1, 0, 0, 0, 0, time.UTC), Expires: time.Date(2027, 1, 1, 12, 0, 0, 0, time.UTC),
		Limits: exposure.Limits{Rate: 0.5, Concurrency: 3, Total: 100},
	}
	got, err := ParseEngagement("e.yaml", []byte(EngagementText(e)))
	if err != nil {
		t.Fatalf("%v\n%s", err, EngagementText(e))
	}
	if diff := cmp.Diff(e, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	for _, w := range e.Windows {
		if back, err := ParseWindow(WindowText(w)); err != nil || !cmp.Equal(w, back) {
			t.Errorf("window %+v came back as %+v, %v", w, back, err)
		}
	}
}

func TestEngagementErrors(t *testing.T) {
	t.Parallel()
	const good = "name: n\nowner: o\ntargets: 10.0.0.0/8\nlevel: probe\nexpires: 2026-12-31\n"
	if _, err := ParseEngagement("e.yaml", []byte(good)); err != nil {
		t.Fatal(err)
	}
	for bad, want := range map[string]string{
		"":                                     "the file says nothing",
		"[]":                                   "must be a mapping",
		good + "id: 7":                         `e.yaml:6: the engagement has no key "id"`,
		good + "approvals: [{by: me}]":         `has no key "approvals"`,
		good + "withdrawn: 2026-01-01":         `has no key "withdrawn"`,
		good + "name: m":                       "has the key name twice",
		"name: n\n":                            "the engagement has no targets: add it",
		good + "credentials: yes":              "it is true or false",
		good + "zone: Berlin":                  "give a name such as Europe/Berlin",
		good + "starts: tomorrow":              "write a day as 2006-01-02",
		good + "windows: [{from: '20:00'}]":    "the window has no until",
		good + "windows: [{day: mon}]":         `a window has no key "day"`,
		good + "limits: {rate: 0}":             "it must be between",
		good + "limits: {rate: .nan}":          "it must be a number",
		good + "limits: {concurrency: 1.5}":    "whole number",
		good + "exclusions: &x [a]\ntest: *x":  "",
		strings.Replace(good, "probe", "9", 1): "level",
	} {
		_, err := ParseEngagement("e.yaml", []byte(bad))
		if exposure.KindOf(err) != exposure.Invalid || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", bad, err, want)
		}
	}
	for _, bad := range []string{"", "mon", "20:00", "a b c d e f g h 1-2", "mon 20:00 - 06:00 x"} {
		if w, err := ParseWindow(bad); err == nil {
			t.Errorf("%q is the window %+v", bad, w)
		}
	}
}

func FuzzEngagement(f *testing.F) {
	f.Add(EngagementTemplate(time.Unix(0, 0)))
	f.Fuzz(func(t *testing.T, body []byte) {
		e, err := ParseEngagement("e.yaml", body)
		if err != nil {
			return
		}
		again, err := ParseEngagement("e.yaml", []byte(EngagementText(e)))
		if err != nil {
			t.Fatalf("%v\n%s", err, EngagementText(e))
		}
		if diff := cmp.Diff(e, again); diff != "" {
			t.Errorf("written and read again it differs:\n%s", diff)
		}
	})
}
