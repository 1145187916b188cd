package generic_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/leeward-ctem/leeward/discover/decode"
	"github.com/leeward-ctem/leeward/discover/report/generic"
	"github.com/leeward-ctem/leeward/discover/report/reporttest"
	"github.com/leeward-ctem/leeward/exposure"
)

// reference is what another platform makes of a report.
type reference struct {
	File     string
	Findings []struct {
		Title     string
		Severity  string
		CWE       int
		IDs       []string `json:"vulnerability_ids"`
		Component string   `json:"component_name"`
		Version   string   `json:"component_version"`
		File      string   `json:"file_path"`
		Line      int
		Mitigated bool `json:"is_mitigated"`
	}
}

// stated is what may be compared of a finding.
func stated(title string, severity exposure.Severity, cwe int, ids []string, component, version, file string, line int) string {
	return fmt.Sprint(title, " ", severity, " ", cwe, " ", ids, " ", component, " ", version, " ", file, " ", line)
}

// TestCorpus compares every finding of the real reports with what the
// reference says of the finding with the same title.
func TestCorpus(t *testing.T) {
	t.Parallel()
	dir := reporttest.Corpus(t)
	list, err := os.ReadFile(filepath.Join(dir, "observed.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	seen := 0
	for text := range strings.Lines(string(list)) {
		if !strings.Contains(text, `"generic/`) {
			continue
		}
		var ref reference
		if err := json.Unmarshal([]byte(text), &ref); err != nil {
			t.Fatal(err)
		}
		data, err := os.ReadFile(filepath.Join(dir, "reports", ref.File))
		if err != nil {
			continue
		}
		seen++
		if !(generic.Reader{}).Sniff(decode.NewHead(data[:min(len(data), 64<<10)])) {
			t.Errorf("%s is not recognised", ref.File)
		}
		found, lost, end := read(t, strings.NewReader(string(data)))
		if len(lost) > 0 || end != nil {
			t.Errorf("%s: lost %q, ends %v", ref.File, lost, end)
		}
		var got []string
		for _, o := range found {
			cwe := 0
			if len(o.CWEs) > 0 {
				cwe = o.CWEs[0]
			}
			got = append(got, stated(o.Title, o.Severity, cwe, o.Advisories, o.Component.Name, o.Component.Version, o.Location.File, o.Location.Line))
		}
		if len(found) < len(ref.Findings) {
			t.Errorf("%s: %d findings, the reference has %d", ref.File, len(found), len(ref.Findings))
		}
		for _, f := range ref.Findings {
			var severity exposure.Severity
			if err := severity.UnmarshalText([]byte(strings.ToLower(f.Severity))); err != nil {
				t.Fatal(err)
			}
			want := stated(f.Title, severity, f.CWE, f.IDs, f.Component, f.Version, f.File, f.Line)
			// The reference reads no severity as information, which says more
			// than the report.
			unrated := stated(f.Title, exposure.SeverityUnknown, f.CWE, f.IDs, f.Component, f.Version, f.File, f.Line)
			if !slices.Contains(got, want) && (severity != exposure.SeverityInfo || !slices.Contains(got, unrated)) {
				t.Errorf("%s: no finding\n%s\namong\n%s", ref.File, want, strings.Join(got, "\n"))
			}
			state := exposure.StatePresent
			if f.Mitigated {
				state = exposure.StateFixed
			}
			if !slices.ContainsFunc(found, func(o exposure.Observation) bool { return o.Title == f.Title && o.State == state }) {
				t.Errorf("%s: %s is not %q", ref.File, f.Title, state)
			}
		}
	}
	if seen == 0 {
		t.Error("no report of the corpus was read")
	}
}

// TestOthers tries the reports of all other tools: none may be claimed.
func TestOthers(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(reporttest.Corpus(t), "reports")
	files, err := filepath.Glob(filepath.Join(dir, "*", "*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range files {
		name, _ := filepath.Rel(dir, path)
		f, err := os.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		head := make([]byte, 64<<10)
		n, _ := f.Read(head)
		f.Close()
		// A list of findings without any could be anyone's.
		empty := len(strings.Join(strings.Fields(string(head[:n])), "")) <= len(`{"findings":[]}`)
		if !strings.HasPrefix(name, "generic") && !empty && (generic.Reader{}).Sniff(decode.NewHead(head[:n])) {
			t.Errorf("%s is claimed", name)
		}
	}
}

// TestOtherSamples tries the samples of the other readers: none may be claimed.
func TestOtherSamples(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob(filepath.Join("..", "*", "testdata", "*"))
	if err != nil || len(files) < 20 {
		t.Fatalf("%d samples, %v", len(files), err)
	}
	for _, path := range files {
		data, err := os.ReadFile(path)
		if err != nil || strings.HasPrefix(path, filepath.Join("..", "generic")) || strings.HasSuffix(path, ".golden") {
			continue
		}
		if (generic.Reader{}).Sniff(decode.NewHead(data[:min(len(data), 64<<10)])) {
			t.Errorf("%s is claimed", path)
		}
	}
}
