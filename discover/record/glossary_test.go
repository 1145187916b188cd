package record_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/leeward-ctem/leeward/discover/record"
	"github.com/leeward-ctem/leeward/exposure"
)

// titles returns what a report states, a title and its advisories each, and how
// it ended.
func titles(t *testing.T, s record.Spec, in string) (all []string, end error) {
	t.Helper()
	for o, err := range s.Read(t.Context(), strings.NewReader(in)) {
		if err != nil {
			end = err
		} else if o.Kind == exposure.ObservedWeakness {
			all = append(all, strings.Join(append([]string{o.Title}, o.Advisories...), " "))
		}
	}
	return all, end
}

func TestDefinitions(t *testing.T) {
	t.Parallel()
	spec := record.Spec{
		Tool: "example",
		Records: map[string]record.Handler{
			"report.found": func(r *record.Report, v record.Value) error {
				r.Wait(exposure.Observation{Rule: v.Text("@rule"), Title: v.Text("@title")})
				return nil
			},
			"report.rule": func(r *record.Report, v record.Value) error {
				return r.Define(v.Text("@id"), exposure.Observation{Title: v.Text("@title"), Advisories: v.Texts("cve")})
			},
		},
		Complete: func(o *exposure.Observation) { o.Title = strings.TrimSuffix(o.Title, "!") },
	}
	const found = `<report><rule id="b" title="B!"/><found rule="a"/><found rule="b"/><found rule="c"/><found rule="a" title="own"/><found/>`
	const whole = found + `<rule id="a" title="A"><cve>CVE-2020-0001</cve></rule></report>`
	want := []string{"A CVE-2020-0001", "B", "c", "own CVE-2020-0001"}
	got, end := titles(t, spec, whole)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("whole report (-want +got):\n%s", diff)
	}
	if end == nil || !strings.Contains(end.Error(), "no identity") {
		t.Errorf("a finding without a rule: %v", end)
	}
	if got, _ = titles(t, spec, whole+"<html>"); len(got) != len(want) {
		t.Errorf("text behind the report leaves %q", got)
	}
	if got, end = titles(t, spec, found); len(got) > 0 || end == nil {
		t.Errorf("a report that is cut off states %q, and ends %v", got, end)
	}
}

func TestRowsThatAreOneRecord(t *testing.T) {
	t.Parallel()
	spec := record.Spec{
		Tool: "example", Header: []string{"rule", "host", "cve"}, Headers: [][]string{{"id", "host", "cve"}}, Vary: []string{"CVE"},
		Records: map[string]record.Handler{
			"row": func(r *record.Report, v record.Value) error {
				o := exposure.Observation{Rule: v.Text("rule", "id")}
				for row := range v.List("") {
					o.Advisories = append(o.Advisories, row.Text("cve"))
				}
				r.Weakness(o)
				return nil
			},
		},
	}
	for in, want := range map[string][]string{
		"rule,host,cve\na,h,1\na,h,2\na,i,1\nb,i,1\na,h,3\n": {"a 1 2", "a 1", "b 1", "a 3"},
		"rule,host,cve\na,h,1\n,,\n,,":                       {"a 1"},
		"rule,host,cve\nb,h,1\na,h,2\na,h":                   {"b 1"}, // the last row is cut off
		"rule,host,cve\na,h,1\na,h,2,,x\na,h,3\n":            {"a 1", "a 3"},
		"rule,host,cve\nb,h,1\na,h,2\na,h,\"3\n":             {"b 1"},
		"id;host;cve\na;h;1\n":                               {"a 1"},
	} {
		got, _ := titles(t, spec, in)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%q (-want +got):\n%s", in, diff)
		}
	}
}
