// Package scantest is the contract that every scan engine keeps.
package scantest

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/leeward-ctem/leeward/discover/scan"
	"github.com/leeward-ctem/leeward/exposure"
)

var update = flag.Bool("update", false, "write the golden files anew")

// Run lets an engine look and returns what it stated. It fails the test when
// the engine breaks its contract.
func Run(t testing.TB, e scan.Engine, j scan.Job) (all []exposure.Observation, errs []error) {
	t.Helper()
	return RunContext(t, t.Context(), e, j)
}

// RunContext is [Run] with a context of its own.
func RunContext(t testing.TB, ctx context.Context, e scan.Engine, j scan.Job) (all []exposure.Observation, errs []error) {
	t.Helper()
	if j.Progress == nil {
		j.Progress = func(int, int) {}
	}
	if j.Now == nil {
		j.Now = time.Now
	}
	d := e.Describe()
	if d.Name == "" || d.Title == "" || len(d.Takes) == 0 {
		t.Errorf("the engine does not describe itself: %+v", d)
	}
	covered, ended := false, false
	for o, err := range e.Scan(ctx, &j) {
		if ended {
			t.Errorf("%s: something follows the error that ended it: %+v, %v", d.Name, o, err)
		}
		if err != nil {
			var rec *exposure.RecordError
			ended = !errors.As(err, &rec)
			errs = append(errs, err)
			continue
		}
		check(t, &d, &o, &covered)
		all = append(all, o)
	}
	return all, errs
}

func check(t testing.TB, d *scan.Description, o *exposure.Observation, covered *bool) {
	t.Helper()
	text, _ := json.Marshal(o)
	bad := func(why string) { t.Helper(); t.Errorf("%s: %s: %s", d.Name, why, text) }
	if d.Foreign {
		foreign(o, covered, bad)
		return
	}
	if o.Tool != "" {
		bad("the engine names a tool")
	}
	switch o.Kind {
	case exposure.ObservedWeakness:
		switch {
		case *covered:
			bad("a weakness follows coverage")
		case o.Class != d.Name:
			bad("the class is not the engine's name")
		case o.Rule != "" && !strings.HasPrefix(o.Rule, d.Name+"/"):
			bad("the rule does not begin with the engine's name")
		case o.Rule == "" && len(o.Advisories) == 0:
			bad("neither a rule nor an advisory")
		case o.Title == "" || len(o.Title) > 200:
			bad("no title, or one too long")
		case o.Detection == exposure.DetectionUnknown:
			bad("it does not say how it knows")
		case o.Confidence < 1 || o.Confidence > 100:
			bad("it does not say how sure it is")
		case o.Severity == exposure.SeverityUnknown && len(o.Advisories) == 0:
			bad("no severity")
		}
	case exposure.ObservedCoverage:
		*covered = true
		if o.Coverage == nil || o.Class != d.Name || o.Coverage.Class != d.Name {
			bad("coverage of another class")
		}
	case exposure.ObservedInventory:
		if o.Component == (exposure.Component{}) && o.Location.Port == 0 && o.Asset.IsZero() {
			bad("an inventory record of nothing")
		}
	}
}

// foreign checks what another tool states; the rest is its reader's contract.
func foreign(o *exposure.Observation, covered *bool, bad func(why string)) {
	switch {
	case o.Tool == "" || o.Tool == scan.Tool:
		bad("it does not name its tool")
	case o.Kind == exposure.ObservedWeakness && *covered:
		bad("a weakness follows coverage")
	case o.Kind == exposure.ObservedRun:
		bad("runs are the runner's to state")
	}
	*covered = *covered || o.Kind == exposure.ObservedCoverage
}

// Golden compares what an engine stated, in any order, with a file of
// testdata; -update writes it. What differs from run to run, such as ports and
// dates, the caller replaces first.
func Golden(t testing.TB, name string, all []exposure.Observation) {
	t.Helper()
	lines := make([]string, len(all))
	for i := range all {
		line, err := json.Marshal(&all[i])
		if err != nil {
			t.Fatal(err)
		}
		lines[i] = string(line)
	}
	slices.Sort(lines)
	got := strings.Join(append(lines, ""), "\n")
	file := filepath.Join("testdata", name)
	if *update {
		if err := os.MkdirAll("testdata", 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatalf("%v: run the test with -update", err)
	}
	if !bytes.Equal(want, []byte(got)) {
		t.Errorf("%s (-want +got):\n%s", file, cmp.Diff(string(want), got))
	}
}

// Rules returns the rules, or else the first advisories, of the weaknesses,
// sorted, each once.
func Rules(all []exposure.Observation) []string {
	rules := []string{}
	for i := range all {
		if o := &all[i]; o.Kind == exposure.ObservedWeakness {
			rule := o.Rule
			if rule == "" {
				rule = o.Advisories[0]
			}
			rules = append(rules, rule)
		}
	}
	slices.Sort(rules)
	return slices.Compact(rules)
}

// Covered reports whether the weaknesses of a rule at a place were looked for.
func Covered(all []exposure.Observation, class, rule string, l exposure.Location) bool {
	return slices.ContainsFunc(all, func(o exposure.Observation) bool {
		return o.Kind == exposure.ObservedCoverage && o.Coverage.Covers(class, rule, &l)
	})
}
