package nuclei_test

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
)

// reference is what another platform makes of a report. It merges results of
// one template, matcher and host, so groups are compared.
type reference struct {
	File     string
	Findings []struct {
		Title    string
		Severity string
		CWE      int
		Vector   string   `json:"cvssv3"`
		Matcher  string   `json:"component_name"`
		IDs      []string `json:"vulnerability_ids"`
		Rule     string   `json:"vuln_id_from_tool"`
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
		if !bytes.Contains(lines.Bytes(), []byte(`"nuclei/`)) {
			continue
		}
		var ref reference
		if err := json.Unmarshal(lines.Bytes(), &ref); err != nil {
			t.Fatal(err)
		}
		data, err := os.ReadFile(filepath.Join(dir, "reports", ref.File))
		if err != nil {
			continue
		}
		t.Run(ref.File, func(t *testing.T) {
			found, lost, ends := read(t, string(data))
			if len(lost) > 0 || ends != nil {
				t.Errorf("lost %q, ends %v", lost, ends)
			}
			if len(found) != counts[ref.File] {
				t.Errorf("%d weaknesses, want %d", len(found), counts[ref.File])
			}
			var got, want []string
			for _, o := range found {
				cwe, vector := 0, ""
				if len(o.CWEs) > 0 {
					cwe = o.CWEs[0]
				}
				if len(o.CVSS) > 0 {
					vector = o.CVSS[0]
				}
				severity := o.Severity.String()
				if severity == "unknown" {
					severity = "low" // the reference has no such word
				}
				got = append(got, fmt.Sprintln(o.Rule, o.Title, severity, cwe, vector, o.Advisories))
			}
			for _, f := range ref.Findings {
				if f.Matcher != "" {
					f.Rule += ":" + f.Matcher
				}
				want = append(want, fmt.Sprintln(f.Rule, f.Title, strings.ToLower(f.Severity), f.CWE, f.Vector, f.IDs))
			}
			slices.Sort(got)
			slices.Sort(want)
			if diff := cmp.Diff(slices.Compact(want), slices.Compact(got)); diff != "" {
				t.Errorf("differs from the reference (-want +got):\n%s", diff)
			}
		})
	}
	if err := lines.Err(); err != nil {
		t.Fatal(err)
	}
}
