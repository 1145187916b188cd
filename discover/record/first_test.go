package record_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/leeward-ctem/leeward/discover/record"
	"github.com/leeward-ctem/leeward/exposure"
)

func TestFirstPlaces(t *testing.T) {
	t.Parallel()
	var names []string
	spec := record.Spec{
		Tool:  "example",
		First: []string{"rules[]"},
		Records: map[string]record.Handler{
			"rules[]": func(r *record.Report, v record.Value) error {
				titles, _ := r.State.(map[string]string)
				if titles == nil {
					titles = map[string]string{}
				}
				titles[v.Text("id")], r.State = v.Text("title"), titles
				return nil
			},
			"results[]": func(r *record.Report, v record.Value) error {
				titles, _ := r.State.(map[string]string)
				r.Weakness(exposure.Observation{Rule: v.Text("rule"), Title: titles[v.Text("rule")]})
				return nil
			},
		},
	}
	report := `{"results": [{"rule": "a"}, {"rule": "b"}], "rules": [{"id": "b", "title": "second"}, {"id": "a", "title": "first"}]}`
	for o, err := range spec.Read(t.Context(), strings.NewReader(report)) {
		if err != nil {
			t.Fatal(err)
		}
		if o.Kind == exposure.ObservedWeakness {
			names = append(names, o.Title)
		}
	}
	if want := []string{"first", "second"}; !slices.Equal(names, want) {
		t.Errorf("the titles are %q, want %q: rules are to be known before results", names, want)
	}
}

// What stands behind a document must not change what was read of it.
func TestDocumentsApart(t *testing.T) {
	t.Parallel()
	spec := record.Spec{Tool: "example", Records: map[string]record.Handler{
		"[]": func(*record.Report, record.Value) error { return nil },
		"results[]": func(r *record.Report, v record.Value) error {
			r.Weakness(exposure.Observation{Rule: v.Text("rule"), Title: r.Top().Text("name") + " " + r.Up(0).Text("name")})
			return nil
		},
	}}
	var titles []string
	for o, err := range spec.Read(t.Context(), strings.NewReader(`{"name": "a", "results": [{"rule": "x"}]} {"name": "b", "results": [{"rule": "y"}]}`)) {
		if err != nil {
			t.Fatal(err)
		}
		if o.Kind == exposure.ObservedWeakness {
			titles = append(titles, o.Title)
		}
	}
	if want := []string{"a a", "b b"}; !slices.Equal(titles, want) {
		t.Errorf("top and up are %q, want %q", titles, want)
	}
}

// What stands beside records on the way to them is known from the top as well.
func TestTop(t *testing.T) {
	t.Parallel()
	var seen []string
	spec := record.Spec{Tool: "example",
		About: func(top record.Value, run *exposure.Run) { run.Version = top.Text("scan.tool.version") },
		Records: map[string]record.Handler{"scan.list[]": func(r *record.Report, v record.Value) error {
			seen = append(seen, v.Text()+" "+r.Top().Text("scan.name")+" "+r.Facts().Version)
			r.Miss(errors.New("half of it"))
			return nil
		}},
	}
	lost := 0
	for _, err := range spec.Read(t.Context(), strings.NewReader(`{"scan": {"list": ["a", "b"], "name": "n", "tool": {"version": "1"}}}`)) {
		if err != nil {
			lost++
		}
	}
	if want := []string{"a n 1", "b n 1"}; !slices.Equal(seen, want) || lost != 2 {
		t.Errorf("records see %q and %d are lost, want %q and 2", seen, lost, want)
	}
}

// A document without records is a report when its format says so.
func TestBare(t *testing.T) {
	t.Parallel()
	spec := record.Spec{Tool: "example", Records: map[string]record.Handler{"results[]": nil}}
	failed := func() (err error) {
		for _, e := range spec.Read(t.Context(), strings.NewReader(`{"scan": {"name": "n"}}`)) {
			err = e
		}
		return err
	}
	if failed() == nil {
		t.Error("a document without records passes for a report")
	}
	spec.Bare = func(top record.Value) bool { return top.At("scan").IsObject() }
	if err := failed(); err != nil {
		t.Errorf("a bare report is refused: %v", err)
	}
}
