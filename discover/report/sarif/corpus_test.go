package sarif_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/leeward-ctem/leeward/discover/report/reporttest"
	"github.com/leeward-ctem/leeward/discover/report/sarif"
)

// reference is what another platform makes of a report.
type reference struct {
	File     string
	Findings []struct {
		Severity string
		CWE      int
		Line     int
		File     string   `json:"file_path"`
		IDs      []string `json:"vulnerability_ids"`
		Rule     string   `json:"vuln_id_from_tool"`
		Active   bool
	}
}

// Snyk Code writes SARIF.
func TestSnykCode(t *testing.T) { reporttest.Conform(t, sarif.Reader{}, "snyk_code") }

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
		if !bytes.Contains(lines.Bytes(), []byte(`"sarif/`)) {
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
			all, lost, ends := read(t, string(data))
			if len(lost) > 0 || ends != nil {
				t.Errorf("lost %q, ends %v", lost, ends)
			}
			found := weaknesses(all)
			if len(found) != counts[ref.File] {
				t.Errorf("%d weaknesses, want %d", len(found), counts[ref.File])
			}
			named := map[string]bool{}
			for _, f := range ref.Findings {
				for _, id := range f.IDs {
					named[id] = true
				}
			}
			var got, want []string
			for _, o := range found {
				cwe := 0
				if len(o.CWEs) > 0 {
					cwe = o.CWEs[0]
				}
				// Of the ids in rules the reference knows CVEs only.
				ids := slices.DeleteFunc(o.Advisories, func(id string) bool { return !strings.HasPrefix(id, "CVE-") && !named[id] })
				got = append(got, fmt.Sprintln(o.Rule, o.Severity, cwe, o.Location.Line, path.Base(o.Location.File), ids, o.State == ""))
			}
			for _, f := range ref.Findings {
				want = append(want, fmt.Sprintln(f.Rule, strings.ToLower(f.Severity), f.CWE, f.Line, path.Base(f.File), f.IDs, f.Active))
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
