package cli

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/leeward-ctem/leeward/internal/testkit/live"
	"github.com/leeward-ctem/leeward/prioritize"
	"github.com/leeward-ctem/leeward/prioritize/backtest"
)

// command runs a command line, away from all data.
func command(t *testing.T, args ...string) (code int, out, errs string) {
	t.Helper()
	var o, e bytes.Buffer
	code = Run(t.Context(), append([]string{"--data", filepath.Join(t.TempDir(), "data")}, args...), IO{In: strings.NewReader(""), Out: &o, Err: &e, Env: func(string) string { return "" }, Now: time.Now})
	return code, o.String(), e.String()
}

// pastFiles are a small past: 400 CVEs, scored on three days, of which every
// eighth has a template, and of those many are listed.
func pastFiles() map[string]string {
	files := map[string]string{}
	days := []string{"2024-01-01", "2024-04-01", "2024-07-01"}
	for _, day := range days {
		var b strings.Builder
		fmt.Fprintf(&b, "#model_version:v2023.03.01,score_date:%sT00:00:00+0000\ncve,epss,percentile\n", day)
		for n := range 400 {
			fmt.Fprintf(&b, "CVE-2023-%d,%.5f,%.5f\n", 1000+n, float64(n)/800, float64(n)/400)
		}
		files["epss_scores-"+day+".csv"] = b.String()
	}
	nuclei, described := "cve,first_seen\n", "cve,published,base_score\n"
	var entries []string
	for n := range 400 {
		cve := fmt.Sprintf("CVE-2023-%d", 1000+n)
		described += fmt.Sprintf("%s,2023-%02d-10,%.1f\n", cve, 1+n*12/400, float64(n%10))
		if n%8 == 0 {
			nuclei += cve + ",2023-12-01\n"
		}
		if n%16 == 0 || n == 399 {
			entries = append(entries, fmt.Sprintf(`{"cveID":%q,"dateAdded":"2024-%02d-15","dueDate":"2025-01-01","knownRansomwareCampaignUse":"Unknown"}`, cve, 1+n%9))
		}
	}
	files["nuclei_cve_first_seen.csv"], files["vulnrichment_compact.csv"] = nuclei, described
	files["known_exploited_vulnerabilities.json"] = fmt.Sprintf(`{"catalogVersion":"2024.12.31","dateReleased":"2024-12-31T00:00:00Z","count":%d,"vulnerabilities":[%s]}`, len(entries), strings.Join(entries, ","))
	return files
}

func pastIn(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestBacktestCommand(t *testing.T) {
	t.Parallel()
	dir := pastIn(t, pastFiles())
	code, out, errs := command(t, "--json", "backtest", "--intel", dir, "--at", "2024-07-01", "--horizon", "90")
	if code != 0 {
		t.Fatalf("%d %s", code, errs)
	}
	var r backtest.Report
	if err := json.Unmarshal([]byte(out), &r); err != nil {
		t.Fatal(err)
	}
	if r.At != "2024-07-01" || r.Horizon != 90 || r.Universe == 0 || r.Positives == 0 || len(r.Models) != 5 || r.Models[0].Name != "leeward" {
		t.Errorf("%+v", r)
	}
	for _, m := range r.Models {
		for _, effort := range []string{"0.1", "1", "5", "10"} {
			if _, ok := m.Coverage[effort]; !ok {
				t.Errorf("%s says nothing of %s %%", m.Name, effort)
			}
		}
	}
	if diff := cmp.Diff([]string{"Metasploit", "exploit archive", "proofs of concept"}, r.Missing); diff != "" {
		t.Error(diff)
	}
	code, text, _ := command(t, "backtest", "--intel", dir, "--at", "2024-07-01")
	for _, want := range []string{"leeward", "cvss", "kev+epss", "states none", "Missing: Metasploit", "WITHOUT"} {
		if code != 0 || !strings.Contains(text, want) {
			t.Errorf("%d: no %q in\n%s", code, want, text)
		}
	}

	code, out, errs = command(t, "train", "--intel", dir, "--by", "2024-07-01")
	w, err := prioritize.ParseWeights([]byte(out))
	if code != 0 || err != nil || len(w.Fit.Days) != 2 || w.Signals["nuclei"] == 0 {
		t.Errorf("%d %s %v %+v", code, errs, err, w)
	}
}

func TestBacktestOfWhatIsNot(t *testing.T) {
	t.Parallel()
	broken := pastFiles()
	broken["epss_scores-2024-07-01.csv"] = "<html>"
	lacking := pastFiles()
	delete(lacking, "known_exploited_vulnerabilities.json")
	headless := pastFiles()
	headless["nuclei_cve_first_seen.csv"] = "a,b\n"
	for name, tc := range map[string]struct {
		files map[string]string
		args  []string
		want  string
	}{
		"not a date":      {pastFiles(), []string{"--at", "yesterday"}, "--at"},
		"no horizon":      {pastFiles(), []string{"--at", "2024-07-01", "--horizon", "0"}, "give 1 to 3650 days"},
		"before all":      {pastFiles(), []string{"--at", "2020-01-01"}, "no EPSS scores of 2020-01-01"},
		"nothing is left": {pastFiles(), []string{"--at", "2024-12-31"}, "nothing to measure"},
		"a broken file":   {broken, []string{"--at", "2024-07-01"}, "epss_scores-2024-07-01.csv"},
		"no KEV":          {lacking, []string{"--at", "2024-07-01"}, "no KEV catalogue"},
		"no column":       {headless, []string{"--at", "2024-07-01"}, `there is no column "cve"`},
		"an empty folder": {nil, []string{"--at", "2024-07-01"}, "holds no EPSS scores"},
	} {
		code, _, errs := command(t, append([]string{"backtest", "--intel", pastIn(t, tc.files)}, tc.args...)...)
		if code == 0 || !strings.Contains(errs, tc.want) {
			t.Errorf("%s: %d %s", name, code, errs)
		}
	}
	if code, _, errs := command(t, "backtest", "--intel", "/nowhere/at/all", "--at", "2024-07-01"); code == 0 || !strings.Contains(errs, "/nowhere/at/all") {
		t.Errorf("no folder: %d %s", code, errs)
	}
}

// Exploits are read as the feeds read them. Of an index all count from its own
// day, and what has no day is no evidence of the past.
func TestEvidenceOfExploits(t *testing.T) {
	t.Parallel()
	files := pastFiles()
	files["exploitdb_index_2023-06-01.csv"] = "edb_id,date_in_header,cves\n1,2022-01-01,CVE-2023-1000;CVE-2023-1001\n2,,CVE-2023-1002\n"
	files["metasploit_cve_first_seen.csv"] = "cve,first_seen\nCVE-2023-1000,2023-03-01\n"
	files["nuclei_cve_first_seen.json"] = `{"ID":"CVE-2023-1399","file_path":"http/cves/2023/CVE-2023-1399.yaml"}` + "\n"
	files["some_poc_first_seen.csv"] = "cve,first_seen\nCVE-2023-1000,2023-02-01\n"
	h, err := readEvidence(t.Context(), pastIn(t, files), time.Now)
	if err != nil {
		t.Fatal(err)
	}
	for cve, want := range map[string][4]int{
		"CVE-2023-1000": {dayOf("2023-03-01"), dayOf("2023-12-01"), dayOf("2023-06-01"), dayOf("2023-02-01")},
		"CVE-2023-1001": {0, 0, dayOf("2023-06-01"), 0},
		"CVE-2023-1002": {0, 0, dayOf("2023-06-01"), 0},
		"CVE-2023-1399": {},
	} {
		got := h.Facts[cve]
		if diff := cmp.Diff(want, [4]int{got.MetasploitDay, got.NucleiDay, got.ArchiveDay, got.PoCDay}); diff != "" {
			t.Errorf("%s differs (-want +got):\n%s", cve, diff)
		}
	}
	if len(h.Missing) > 0 {
		t.Errorf("missing: %v", h.Missing)
	}
}

// The figures that docs/risk.md states, on the real past.
func TestBacktestOnTheRealPast(t *testing.T) {
	t.Parallel()
	dir := filepath.Join("..", "..", "shared", "intel")
	if _, err := os.Stat(dir); err != nil {
		t.Skip("the real past is not here")
	}
	if live.Race || testing.Short() {
		t.Skip("it is much arithmetic and nothing beside it")
	}
	h, err := readEvidence(t.Context(), dir, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	for _, at := range []string{"2025-03-30", "2025-06-29"} {
		r, err := backtest.Run(t.Context(), h, dayOf(at), 90)
		if err != nil {
			t.Fatal(err)
		}
		ours, epss := r.Models[0], r.Models[2]
		if ours.AUC < 0.88 || ours.AUC < epss.AUC+0.15 || ours.Coverage["1"] < epss.Coverage["1"] || ours.Coverage["5"] < epss.Coverage["5"]+0.13 {
			t.Errorf("%s: ours %+v", at, ours)
		}
		if p := *ours.Expected / float64(ours.Seen); p < 0.5 || p > 2 {
			t.Errorf("%s: %.1f expected, %d seen", at, *ours.Expected, ours.Seen)
		}
	}
}
