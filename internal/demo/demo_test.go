package demo_test

import (
	"bytes"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/leeward-ctem/leeward/discover/report/observations"
	"github.com/leeward-ctem/leeward/exposure"
	"github.com/leeward-ctem/leeward/internal/demo"
	"github.com/leeward-ctem/leeward/internal/secret"
	"github.com/leeward-ctem/leeward/scope"
)

// today is a day with a time of day, as a caller has it.
func today() time.Time { return time.Date(2026, 3, 11, 17, 42, 5, 0, time.UTC) }

// read decodes a report.
func read(t *testing.T, r demo.Report) (all []exposure.Observation) {
	t.Helper()
	for o, err := range (observations.Reader{}).Read(t.Context(), bytes.NewReader(r.Data)) {
		if err != nil {
			t.Fatalf("%s: %v", r.Name, err)
		}
		all = append(all, o)
	}
	return all
}

func TestSameDaySameBytes(t *testing.T) {
	t.Parallel()
	morning, evening := today().Truncate(24*time.Hour), today()
	same := func(a, b demo.Report) bool {
		return a.Name == b.Name && a.At.Equal(b.At) && bytes.Equal(a.Data, b.Data)
	}
	if !slices.EqualFunc(demo.Reports(morning), demo.Reports(evening), same) {
		t.Error("reports differ within a day")
	}
	if diff := cmp.Diff(demo.Steps(morning), demo.Steps(evening)); diff != "" {
		t.Errorf("steps differ within a day:\n%.2000s", diff)
	}
	// Another day is the same company, moved.
	later := demo.Reports(today().AddDate(0, 0, 100))
	for i, r := range demo.Reports(today()) {
		if got := later[i].At.Sub(r.At); got != 100*24*time.Hour || len(later[i].Data) != len(r.Data) {
			t.Fatalf("%s moved by %v to %s, %d bytes to %d", r.Name, got, later[i].Name, len(r.Data), len(later[i].Data))
		}
	}
}

func TestReports(t *testing.T) {
	t.Parallel()
	reports := demo.Reports(today())
	names, assets, tools := map[string]bool{}, map[string]bool{}, map[string]int{}
	size, evidence, hidden := 0, 0, 0
	var last time.Time
	for _, r := range reports {
		if names[r.Name] || r.At.Before(last) || r.At.After(today()) || r.At.Before(today().AddDate(0, 0, -121)) {
			t.Errorf("%s: twice, out of order, or not in the 120 days until now: %v", r.Name, r.At)
		}
		names[r.Name], last = true, r.At
		size += len(r.Data)
		all := read(t, r)
		run := all[0].Run
		if all[0].Kind != exposure.ObservedRun || run.Tool == "" || run.Version == "" || !run.Started.Before(run.Finished) || !run.Finished.Equal(r.At) {
			t.Errorf("%s begins with %+v", r.Name, run)
			continue
		}
		tools[run.Tool]++
		covered := map[string]bool{}
		for _, o := range all[1:] {
			if o.Tool != run.Tool || o.Asset.IsZero() {
				t.Fatalf("%s: %q is said of %q", r.Name, o.Tool, o.Asset.Name)
			}
			assets[o.Asset.Key()] = true
			if o.Kind == exposure.ObservedCoverage {
				covered[o.Asset.Key()+" "+o.Coverage.Class] = true
			}
			for _, e := range o.Evidence {
				if evidence++; strings.Contains(secret.Text(e.Text, 0), "[redacted") {
					hidden++
				}
			}
		}
		for _, o := range all {
			if key := o.Asset.Key() + " " + o.Class; o.Kind == exposure.ObservedWeakness && covered[key] == run.Failed {
				t.Fatalf("%s: %s is covered: %t, in a run that failed: %t", r.Name, key, covered[key], run.Failed)
			}
		}
	}
	if size > 20<<20 || len(assets) < 60 || len(tools) < 9 {
		t.Errorf("%d bytes on %d assets by %v", size, len(assets), tools)
	}
	if evidence < 5000 || hidden < 100 {
		t.Errorf("%d pieces of evidence, %d with something to hide", evidence, hidden)
	}
}

// Nothing is reported before it was published.
func TestPublication(t *testing.T) {
	t.Parallel()
	end := time.Date(2025, 1, 10, 0, 0, 0, 0, time.UTC)
	facts := demo.Facts(time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC))
	fresh := map[string]bool{} // published within the time of the reports
	for _, r := range demo.Reports(end) {
		if !strings.HasPrefix(r.Name, "nuclei-") && !strings.HasPrefix(r.Name, "grype-") {
			continue // the other tools go by the same rule
		}
		for _, o := range read(t, r) {
			for _, id := range o.Advisories {
				day := int(r.At.Unix() / 86400)
				if published := facts[id].PublishedDay; published > day || strings.HasPrefix(id, "CVE-2025-") && r.At.Year() < 2025 {
					t.Fatalf("%s reports %s on day %d, published on %d", r.Name, id, day, published)
				} else if published > day-30 {
					fresh[id] = true
				}
			}
		}
	}
	if !fresh["CVE-2024-56326"] {
		t.Errorf("CVE-2024-56326 of 2024-12-23 is not reported within 30 days, only %v", fresh)
	}
}

func TestSteps(t *testing.T) {
	t.Parallel()
	var last time.Time
	actors := map[string]bool{}
	for _, s := range demo.Steps(today()) {
		f, err := exposure.ParseFilter(s.Filter)
		if err != nil || len(f.Terms) == 0 {
			t.Errorf("%s: %v", s.Filter, err)
		}
		if s.Cause != "triage" && s.Cause != "claim" {
			t.Errorf("%s: a person cannot cause %q", s.Filter, s.Cause)
		}
		if s.Actor == "" || s.Reason == "" || s.At.Before(last) || s.At.After(today()) {
			t.Errorf("%+v: without actor or reason, out of order, or in the future", s)
		}
		actors[s.Actor], last = true, s.At
	}
	if len(actors) < 6 {
		t.Errorf("only %v do anything", actors)
	}
}

// Before the firewall nothing but its controls is missing.
func TestProgrammeBefore(t *testing.T) {
	t.Parallel()
	now, err := scope.Parse("programme.yaml", demo.Programme())
	if err != nil {
		t.Fatal(err)
	}
	before, err := scope.Parse("before.yaml", demo.ProgrammeBefore())
	if err != nil {
		t.Fatal(err)
	}
	var assets []exposure.Asset
	for _, name := range []string{"https://shop.harbelmoor.example", "wms-1.harbelmoor.example"} {
		assets = append(assets, exposure.Asset{Kind: exposure.AssetHost, Name: name})
	}
	assets[0].Kind = exposure.AssetWebApp
	for i := range assets {
		x, y := before.Context(&assets[i]), now.Context(&assets[i])
		if guarded := i == 0; x.Controls != 0 || (y.Controls > 0) != guarded {
			t.Errorf("%s: controls %g before, %g now", assets[i].Name, x.Controls, y.Controls)
		}
		x.Controls = y.Controls
		if diff := cmp.Diff(x, y); diff != "" {
			t.Errorf("%s (-before +now):\n%s", assets[i].Name, diff)
		}
	}
}

func TestProgramme(t *testing.T) {
	t.Parallel()
	p, err := scope.Parse("programme.yaml", demo.Programme())
	if err != nil {
		t.Fatal(err)
	}
	if n := len(p.Services); n < 6 || n > 9 {
		t.Errorf("%d services", n)
	}
	for _, s := range p.Services {
		if s.Tier == 0 || s.Owner == "" || s.Impact == nil && s.Criticality == nil {
			t.Errorf("service %+v: tier, owner or impact is missing", s)
		}
	}
	scopes, owners, nobody := map[string]int{}, map[string]int{}, []string{}
	seen := map[string]bool{}
	reports := demo.Reports(today())
	for _, r := range reports[len(reports)-20:] { // every tool's last
		for _, o := range read(t, r) {
			if key := o.Asset.Key(); key == "" || seen[key] {
				continue
			} else {
				seen[key] = true
			}
			a := exposure.Asset{Kind: o.Asset.Kind, Name: o.Asset.Name, OS: o.Asset.OS, Identifiers: o.Asset.Identifiers}
			c := p.Context(&a)
			for _, s := range c.Scopes {
				scopes[s]++
			}
			if owners[c.Owner]++; c.Owner == "" && !c.Excluded {
				nobody = append(nobody, a.Name)
			}
			if c.Reach == exposure.ReachUnknown && !c.Excluded {
				t.Errorf("the programme does not say from where %s can be reached", a.Name)
			}
		}
	}
	slices.Sort(nobody)
	want := []string{
		"blog-1.harbelmoor.example", "https://blog.harbelmoor.example", "kiosk-depot-1.int.harbelmoor.example", "kiosk-depot-2.int.harbelmoor.example",
		"sftp-1.harbelmoor.example", "sw-depot-1.int.harbelmoor.example",
	}
	if diff := cmp.Diff(want, nobody); diff != "" {
		t.Errorf("without owner (-want +got):\n%s", diff)
	}
	for _, s := range p.Scopes {
		if scopes[s.Name] < 4 {
			t.Errorf("scope %s holds %d assets", s.Name, scopes[s.Name])
		}
	}
	if len(owners) < 9 {
		t.Errorf("owners %v", owners)
	}
}

func BenchmarkReports(b *testing.B) {
	for b.Loop() {
		n := 0
		for _, r := range demo.Reports(today()) {
			n += len(r.Data)
		}
		b.SetBytes(int64(n))
	}
}
