package cli

import (
	"encoding/json"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/leeward-ctem/leeward/exposure"
	"github.com/leeward-ctem/leeward/internal/testkit/live"
)

// before is an advisory about the versions of a package before one.
func before(id, ecosystem, name, fixed, more string) string {
	return fmt.Sprintf(`{"id":%q%s,"affected":[{"ecosystem":%q,"name":%q,"ranges":[{"events":[{"kind":"introduced","version":"0"},{"kind":"fixed","version":%q}]}]}]}`, id, more, ecosystem, name, fixed)
}

func line(t testing.TB, o exposure.Observation) string {
	t.Helper()
	text, err := json.Marshal(o)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func onHost(name string) exposure.AssetRef {
	ref := exposure.AssetRef{Kind: exposure.AssetHost, Name: name}
	ref.Add(exposure.IDHostname, name)
	return ref
}

// packed is what a source states of the packages of a host.
func packed(t testing.TB, host, tool string, complete bool, purls ...string) (lines []string) {
	for _, p := range purls {
		lines = append(lines, line(t, exposure.Observation{Kind: exposure.ObservedInventory, Tool: tool, Asset: onHost(host), Class: "inventory", Component: exposure.Component{Purl: p}}))
	}
	if complete {
		lines = append(lines, line(t, exposure.Observation{Kind: exposure.ObservedCoverage, Tool: tool, Asset: onHost(host), Class: "inventory", Coverage: &exposure.Coverage{Class: "inventory"}}))
	}
	return lines
}

func TestRematch(t *testing.T) {
	t.Parallel()
	t.Run("sqlite", func(t *testing.T) { t.Parallel(); rematchHouse(t, "") })
	t.Run("postgres", func(t *testing.T) {
		t.Parallel()
		if cluster == nil {
			live.Missing(t, noCluster.Error())
		}
		rematchHouse(t, cluster.Database(t))
	})
}

func rematchHouse(t *testing.T, database string) {
	h, ctx := openHouse(t, database), t.Context()
	wants := func(what string, want ...string) {
		t.Helper()
		h.now = h.now.Add(time.Hour)
		if err := h.rematch(ctx); err != nil {
			t.Fatalf("%s: %v", what, err)
		}
		var got []string
		v := h.ix.View()
		if err := h.db.Findings(ctx, 1, 1<<31, func(f *exposure.Finding) error {
			got = append(got, fmt.Sprintf("%s %s %s", v.Asset(f.Asset).Name, v.Advisory(f.Advisory).Key, f.Status))
			return nil
		}); err != nil {
			t.Fatal(err)
		}
		slices.Sort(got)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatalf("%s (-want +got):\n%s", what, diff)
		}
		head, err := h.db.Head(ctx)
		if err != nil {
			t.Fatal(err)
		}
		if err := h.rematch(ctx); err != nil {
			t.Fatal(err)
		}
		if now, err := h.db.Head(ctx); err != nil || now != head {
			t.Fatalf("%s: matching again wrote events %d to %d, %v", what, head, now, err)
		}
	}
	fill := func(facts ...string) []string { // an edition that loses half of its facts is refused
		for i := range 6 {
			facts = append(facts, before(fmt.Sprintf("CVE-2020-%d", 1000+i), "npm", fmt.Sprint("other", i), "2.0.0", ""))
		}
		return facts
	}
	first := before("CVE-2024-1", "npm", "lodash", "4.17.21", `,"aliases":["GHSA-2222-3333-4444"]`)
	flask := before("CVE-2024-2", "PyPI", "flask", "3.0.0", "")

	h.report("a1", packed(t, "a.example", "syft", true, "pkg:npm/lodash@4.17.20", "pkg:npm/react@18.0.0", "pkg:pypi/flask@2.0.0")...)
	h.report("b1", packed(t, "b.example", "syft", true, "pkg:npm/lodash@4.17.21")...)
	wants("without advisories", []string(nil)...)

	h.saying("lines", fill(first)...)
	wants("a new advisory", "a.example CVE-2024-1 open")

	h.report("scanner", line(t, exposure.Observation{Kind: exposure.ObservedWeakness, Tool: "trivy", Class: "vuln", Asset: onHost("a.example"), Title: "x", Advisories: []string{"CVE-2024-1"}, Component: exposure.Component{Purl: "pkg:npm/lodash@4.17.20"}}))
	wants("another scanner says so, too", "a.example CVE-2024-1 open")

	h.saying("lines", fill(first, flask)...)
	wants("an advisory of another ecosystem", "a.example CVE-2024-1 open", "a.example CVE-2024-2 open")

	h.report("b2", packed(t, "b.example", "other", false, "pkg:npm/lodash@4.0.0")...)
	wants("another source sees an older copy", "a.example CVE-2024-1 open", "a.example CVE-2024-2 open", "b.example CVE-2024-1 open")

	h.report("b3", packed(t, "b.example", "syft", true, "pkg:npm/react@18.0.0")...)
	wants("one source does not see it any more", "a.example CVE-2024-1 open", "a.example CVE-2024-2 open", "b.example CVE-2024-1 open")

	h.report("b4", packed(t, "b.example", "other", true, "pkg:npm/lodash@4.17.21")...)
	wants("it was updated", "a.example CVE-2024-1 open", "a.example CVE-2024-2 open", "b.example CVE-2024-1 verified")

	h.saying("lines", fill(first)...)
	wants("nobody speaks of PyPI any more", "a.example CVE-2024-1 open", "a.example CVE-2024-2 open", "b.example CVE-2024-1 verified")

	h.report("a2", packed(t, "a.example", "syft", true, "pkg:npm/lodash@4.17.20", "pkg:pypi/flask@3.0.0")...)
	wants("an update of what nobody speaks of", "a.example CVE-2024-1 open", "a.example CVE-2024-2 open", "b.example CVE-2024-1 verified")

	h.saying("lines", fill(first, flask)...)
	wants("they speak of it again", "a.example CVE-2024-1 open", "a.example CVE-2024-2 open", "b.example CVE-2024-1 verified")

	// All is said anew of an asset that lost a concern, and flask was updated.
	h.saying("lines", fill(before("CVE-2024-1", "npm", "lodash", "4.17.21", `,"threat":{"withdrawn":true}`), flask)...)
	wants("withdrawn, but another scanner stands by it", "a.example CVE-2024-1 open", "a.example CVE-2024-2 verified", "b.example CVE-2024-1 verified")
}
