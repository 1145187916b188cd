package trivy_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/leeward-ctem/leeward/discover/report/reporttest"
	"github.com/leeward-ctem/leeward/exposure"
)

// reference is what another platform makes of a report.
type reference struct {
	File     string
	Findings []struct {
		Severity  string
		CWE       int
		Component string   `json:"component_name"`
		Version   string   `json:"component_version"`
		IDs       []string `json:"vulnerability_ids"`
		Rule      string   `json:"vuln_id_from_tool"`
		Active    bool
	}
}

func TestCorpus(t *testing.T) {
	t.Parallel()
	dir := reporttest.Corpus(t)
	manifest, err := os.ReadFile(filepath.Join(dir, "manifest.json"))
	if err != nil {
		t.Fatal(err)
	}
	var files []struct {
		File  string
		Count int `json:"naive_count"`
	}
	if err := json.Unmarshal(manifest, &files); err != nil {
		t.Fatal(err)
	}
	counts := map[string]int{}
	for _, f := range files {
		counts[f.File] = f.Count
	}
	list, err := os.Open(filepath.Join(dir, "observed.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	defer list.Close()
	lines := bufio.NewScanner(list)
	lines.Buffer(nil, 16<<20)
	for lines.Scan() {
		var ref reference
		if !bytes.Contains(lines.Bytes(), []byte(`"trivy/`)) {
			continue
		}
		if err := json.Unmarshal(lines.Bytes(), &ref); err != nil {
			t.Fatal(err)
		}
		data, err := os.ReadFile(filepath.Join(dir, "reports", ref.File))
		if err != nil {
			continue
		}
		t.Run(ref.File, func(t *testing.T) {
			var got, want []string
			for _, o := range read(t, data) {
				if o.Kind != exposure.ObservedWeakness {
					continue
				}
				cwe := 0
				if o.Class != "secret" && len(o.CWEs) > 0 {
					cwe = o.CWEs[0]
				}
				name, version := o.Component.Name, o.Component.Version
				severity := o.Severity.String()
				if severity == "unknown" {
					severity = "info" // the reference has no such word
				}
				got = append(got, fmt.Sprintln(o.Rule, severity, cwe, name, version, o.State == ""))
			}
			for _, f := range ref.Findings {
				rule := f.Rule
				if rule == "" && len(f.IDs) > 0 {
					rule = f.IDs[0]
				}
				want = append(want, fmt.Sprintln(rule, strings.ToLower(f.Severity), f.CWE, f.Component, f.Version, f.Active))
			}
			if len(got) != counts[ref.File] {
				t.Errorf("%d weaknesses, want %d", len(got), counts[ref.File])
			}
			slices.Sort(got)
			slices.Sort(want)
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("differs from the reference (-want +got):\n%s", diff)
			}
		})
	}
	if err := lines.Err(); err != nil {
		t.Fatal(err)
	}
}
