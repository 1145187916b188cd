package nessus_test

import (
	"bufio"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/leeward-ctem/leeward/discover/report/nessus"
	"github.com/leeward-ctem/leeward/discover/report/reporttest"
	"github.com/leeward-ctem/leeward/exposure"
)

// reference is what another platform makes of a report.
type reference struct {
	File     string
	Findings []struct {
		Title    string
		Severity string
		CWE      int
		IDs      []string `json:"vulnerability_ids"`
		Rule     string   `json:"vuln_id_from_tool"`
	}
	raw int // records in the report
}

// corpus returns the real reports beside the repository that lie in folder,
// with the data of each; the test is skipped where there are none.
func corpus(t *testing.T, folder string) map[string]reference {
	t.Helper()
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
	list, err := os.Open(filepath.Join(dir, "observed.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	defer list.Close()
	found := map[string]reference{}
	lines := bufio.NewScanner(list)
	lines.Buffer(nil, 16<<20)
	for lines.Scan() {
		if !strings.Contains(lines.Text(), `"`+folder) {
			continue
		}
		var ref reference
		if err := json.Unmarshal(lines.Bytes(), &ref); err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(dir, "reports", ref.File)
		if _, err := os.Stat(path); err != nil || !strings.HasPrefix(ref.File, folder) || filepath.Ext(path) == ".csv" {
			continue
		}
		for _, f := range files {
			if f.File == ref.File {
				ref.raw = f.Count
			}
		}
		found[path] = ref
	}
	if err := lines.Err(); err != nil {
		t.Fatal(err)
	}
	return found
}

// weaknesses returns what the reader states of a file.
func weaknesses(t *testing.T, path string) (found []exposure.Observation) {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for o, err := range (nessus.Reader{}).Read(t.Context(), f) {
		if err != nil {
			t.Fatal(err)
		}
		if o.Kind == exposure.ObservedWeakness {
			found = append(found, o)
		}
	}
	return found
}

func TestCorpus(t *testing.T) {
	t.Parallel()
	for path, ref := range corpus(t, "tenable/") {
		t.Run(filepath.Base(path), func(t *testing.T) {
			t.Parallel()
			var got, want []string
			found := weaknesses(t, path)
			for _, o := range found {
				got = append(got, o.Severity.String()+" "+o.Title)
			}
			ids := map[string]bool{}
			for _, f := range ref.Findings {
				want = append(want, strings.ToLower(f.Severity)+" "+f.Title)
				for _, id := range f.IDs {
					ids[id] = true
				}
			}
			if len(got) != ref.raw {
				t.Errorf("%d weaknesses, want %d", len(got), ref.raw)
			}
			for _, o := range found {
				for _, id := range o.Advisories {
					delete(ids, id)
				}
			}
			if len(ids) > 0 {
				t.Errorf("lost %v", ids)
			}
			// The reference merges the hosts.
			slices.Sort(got)
			slices.Sort(want)
			if diff := cmp.Diff(slices.Compact(want), slices.Compact(got)); diff != "" {
				t.Errorf("differs from the reference (-want +got):\n%s", diff)
			}
		})
	}
}
