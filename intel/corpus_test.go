package intel_test

import (
	"archive/zip"
	"bytes"
	"cmp"
	"compress/gzip"
	"encoding/csv"
	"encoding/json"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/leeward-ctem/leeward/builtin"
	"github.com/leeward-ctem/leeward/exposure"
	"github.com/leeward-ctem/leeward/intel"
	"github.com/leeward-ctem/leeward/intel/feed/feedtest"
)

// corpus returns the path of a file of the shared material, published by
// others.
func corpus(t testing.TB, name string) string {
	t.Helper()
	path := filepath.Join("..", "..", "shared", "intel", filepath.FromSlash(name))
	if _, err := os.Stat(path); err != nil {
		t.Skip("the shared material is not here")
	}
	return path
}

func unpacked(t testing.TB, path string) io.Reader {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	return z
}

// real is a keeper of the built-in feeds.
func real(t testing.TB) *stand {
	t.Helper()
	s := newStand(t)
	s.Registered = builtin.Feeds()
	s.now = time.Date(2026, 9, 1, 0, 0, 0, 0, time.UTC) // the Go advisories are of August
	return s
}

// TestCorpus reads real editions as they were published and compares every
// answer with what plain decoders of the standard library find in them.
func TestCorpus(t *testing.T) {
	t.Parallel()
	at := map[string]string{
		"kev":  corpus(t, "kev/known_exploited_vulnerabilities_asof_2025-09-28.json.gz"),
		"epss": corpus(t, "epss/epss_scores-2025-09-28.csv.gz"),
		"osv":  corpus(t, "osv/Go/all.zip"),

		"metasploit":   corpus(t, "exploits/metasploit_modules_2025-11-23.csv.gz"),
		"nuclei":       corpus(t, "exploits/nuclei_cve_first_seen.csv.gz"),
		"exploitdb":    corpus(t, "exploits/exploitdb_index_2022-10-18.csv.gz"),
		"poc":          corpus(t, "exploits/trickest_poc_first_seen.csv.gz"),
		"vulnrichment": corpus(t, "cve/vulnrichment_compact_2025-01-24.csv.gz"),
	}
	s := real(t)
	o := intel.Options{Locations: map[string][]string{}}
	for name, path := range at {
		o.Locations[name] = []string{path}
	}
	states, changed, err := s.Update(t.Context(), slices.Collect(maps.Keys(at)), o)
	if err != nil || !changed {
		t.Fatalf("Update = %v, %v", changed, err)
	}
	for i, want := range []struct {
		name, version, date string
		facts               int
	}{
		{"kev", "2025.09.25", "2025-09-25", 1417},
		{"epss", "v2025.03.14", "2025-09-28", 295871},
		{"osv", "", "", 4291},                 // packed for this corpus, so of no day of its own
		{"metasploit", "", "2025-10-14", 725}, // pairs of a module and a CVE
		{"nuclei", "", "2025-09-24", 3313},
		{"exploitdb", "", "2022-10-30", 5236}, // dated by an author's slip
		{"poc", "", "2025-09-28", 147435},
		{"vulnrichment", "", "2025-01-23", 62862},
	} {
		got := states[i]
		date := got.Date().Format(time.DateOnly)
		if want.name == "osv" {
			want.date = date
		}
		if got.Name != want.name || got.Error != "" || got.Facts() != want.facts || got.Version() != want.version || date != want.date || got.Parts[0].Skipped != 0 {
			t.Errorf("state %+v, want %+v", got, want)
		}
		t.Logf("%s: %d facts in %d bytes", got.Name, got.Facts(), got.Parts[0].Length)
	}
	snapshot, err := s.Snapshot(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Run("kev", func(t *testing.T) { compareKEV(t, snapshot, at["kev"]) })
	t.Run("epss", func(t *testing.T) { compareEPSS(t, snapshot, at["epss"]) })
	t.Run("osv", func(t *testing.T) { compareOSV(t, snapshot, at["osv"]) })
	t.Run("exploits", func(t *testing.T) {
		got := snapshot.Threat([]string{"CVE-2021-44228"})
		if got.MetasploitDay != intel.UnknownDay || got.NucleiDay == 0 || got.ArchiveDay == 0 || got.PoCDay == 0 || got.KEVDay == 0 {
			t.Errorf("CVE-2021-44228 is known as %+v", got)
		}
	})
	t.Run("vulnrichment", func(t *testing.T) { compareVulnrichment(t, snapshot, at["vulnrichment"]) })
}

func compareVulnrichment(t *testing.T, s *intel.Snapshot, path string) {
	rows, err := csv.NewReader(unpacked(t, path)).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	column := func(row []string, name string) string { return row[slices.Index(rows[0], name)] }
	vectors := 0
	for _, row := range rows[1:] {
		got := s.Threat(row[:1])
		vector := cmp.Or(column(row, "cvss4_vector"), column(row, "vector"))
		poc := strings.EqualFold(column(row, "ssvc_exploitation"), "poc")
		active := strings.EqualFold(column(row, "ssvc_exploitation"), "active")
		at := column(row, "ssvc_timestamp")
		if got.Vector != vector || got.Automatable != strings.ToLower(column(row, "ssvc_automatable")) || got.Impact != strings.ToLower(column(row, "ssvc_technical_impact")) ||
			poc && got.PoCDay == 0 || active && day(got.ObservedDay) < at ||
			got.Withdrawn != (column(row, "state") == "REJECTED" && got.KEVDay == 0) {
			t.Fatalf("%v is known as %+v", row, got)
		}
		if published := column(row, "published"); published != "" && (got.PublishedDay == 0 || day(got.PublishedDay) > published) { // OSV may know it earlier
			t.Fatalf("%v is known as %+v", row, got)
		}
		if vector != "" {
			vectors++
		}
	}
	if len(rows) != 62863 || vectors != 50639 {
		t.Errorf("%d rows, %d vectors", len(rows), vectors)
	}
}

func compareKEV(t *testing.T, s *intel.Snapshot, path string) {
	var all struct {
		Vulnerabilities []struct{ CVEID, DateAdded, DueDate, KnownRansomwareCampaignUse string }
	}
	if err := json.NewDecoder(unpacked(t, path)).Decode(&all); err != nil {
		t.Fatal(err)
	}
	ransomware := 0
	for _, v := range all.Vulnerabilities {
		got := s.Threat([]string{v.CVEID})
		if day(got.KEVDay) != v.DateAdded || day(got.ObservedDay) < v.DateAdded || day(got.KEVDueDay) != v.DueDate || got.Ransomware != (v.KnownRansomwareCampaignUse == "Known") {
			t.Fatalf("%+v is known as %+v", v, got)
		}
		if got.Ransomware {
			ransomware++
		}
	}
	if len(all.Vulnerabilities) != 1417 || ransomware != 293 {
		t.Errorf("%d entries, %d of ransomware", len(all.Vulnerabilities), ransomware)
	}
}

func day(n int) string { return time.Unix(int64(n)*86400, 0).UTC().Format(time.DateOnly) }

func compareEPSS(t *testing.T, s *intel.Snapshot, path string) {
	r := csv.NewReader(unpacked(t, path))
	r.Comment, r.ReuseRecord = '#', true
	if _, err := r.Read(); err != nil { // the header
		t.Fatal(err)
	}
	n := 0
	for ; ; n++ {
		row, err := r.Read()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		score, _ := strconv.ParseFloat(row[1], 64)
		rank, _ := strconv.ParseFloat(row[2], 64)
		if got := s.Threat(row[:1]); got.EPSS != score || got.Percentile != rank || got.EPSSModel != "v2025.03.14" {
			t.Fatalf("%v is known as %+v", row, got)
		}
	}
	if n != 295871 || s.Scores() != n {
		t.Errorf("%d rows, %d scores", n, s.Scores())
	}
}

func compareOSV(t *testing.T, s *intel.Snapshot, path string) {
	z, err := zip.OpenReader(path)
	if err != nil {
		t.Fatal(err)
	}
	defer z.Close()
	withdrawn, resolved, several := 0, 0, 0
	for _, f := range z.File {
		r, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		var a struct {
			ID, Withdrawn string
			Published     time.Time
			Aliases       []string
		}
		if err := json.NewDecoder(r).Decode(&a); err != nil {
			t.Fatal(err)
		}
		var cves []string
		for _, alias := range a.Aliases {
			if strings.HasPrefix(alias, "CVE-") && !slices.Contains(cves, alias) { // some stand there twice
				cves = append(cves, alias)
			}
		}
		got := s.Canonical(a.ID)
		switch {
		case len(cves) == 1:
			resolved++
			if got != cves[0] {
				t.Errorf("%s is %s, want %s", a.ID, got, cves[0])
			}
		case len(cves) > 1:
			several++
			if got != a.ID {
				t.Errorf("%s is %s, and covers %v", a.ID, got, cves)
			}
			for _, cve := range cves {
				if one := s.Threat([]string{cve}); one.EPSS > s.Threat([]string{a.ID}).EPSS {
					t.Errorf("%s is less than %s, which it covers", a.ID, cve)
				}
			}
		}
		if a.Withdrawn != "" {
			withdrawn++
			if threat := s.Threat([]string{a.ID}); !threat.Withdrawn {
				t.Errorf("%s is withdrawn, and known as %+v", a.ID, threat)
			}
		}
		if a.Published.Year() > 2000 {
			if got := s.Threat([]string{a.ID}).PublishedDay; got == 0 || day(got) > a.Published.UTC().Format(time.DateOnly) {
				t.Errorf("%s was published on %v, and is known since %s", a.ID, a.Published, day(got))
			}
		}
	}
	if len(z.File) != 4291 || withdrawn != 17 || resolved < 3800 || several < 10 {
		t.Errorf("%d advisories, %d withdrawn, %d with a CVE id, %d with several", len(z.File), withdrawn, resolved, several)
	}
	if got := s.Canonical("GO-2024-2963"); got != "CVE-2024-24791" {
		t.Errorf("GO-2024-2963 is %s", got)
	}
}

// The directories of the corpus hold other files too: what is the feed is
// taken, the newest of several days, and the rest named.
func TestCorpusDirectories(t *testing.T) {
	t.Parallel()
	epss, osv := filepath.Dir(corpus(t, "epss/epss_scores-2025-09-28.csv.gz")), filepath.Dir(filepath.Dir(corpus(t, "osv/Go/all.zip")))
	s := real(t)
	states, _, err := s.Update(t.Context(), []string{"epss", "osv"}, intel.Options{Locations: map[string][]string{"epss": {epss}, "osv": {osv}}})
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []struct {
		facts int
		errs  []string
	}{
		{295871, []string{"1 of 6 files failed", "epss_weekly_timeseries"}},
		{4291, []string{"2 of 3 files failed", "pypa_advisories_yaml.ndjson.gz", "rustsec_advisories_md.ndjson.gz"}},
	} {
		if states[i].Facts() != want.facts {
			t.Errorf("%s: %d facts, want %d", states[i].Name, states[i].Facts(), want.facts)
		}
		for _, e := range want.errs {
			if !strings.Contains(states[i].Error, e) {
				t.Errorf("%s: error %q, want %q", states[i].Name, states[i].Error, e)
			}
		}
	}
	older := corpus(t, "epss/epss_scores-2025-03-30.csv.gz")
	got, changed := s.update(t, intel.Options{Locations: map[string][]string{"epss": {older}}}, "epss")
	if changed || !strings.Contains(got.Error, "is of 2025-03-30, older than the copy of 2025-09-28") {
		t.Errorf("an older day: changed = %v, %+v", changed, got)
	}
}

// Real files, cut at some places, and every other real file are refused.
func TestCorpusRefused(t *testing.T) {
	t.Parallel()
	own := map[string]string{
		"kev":  "kev/known_exploited_vulnerabilities_asof_2025-09-28.json.gz",
		"epss": "epss/epss_scores-2024-12-29.csv.gz",
		"osv":  "osv/Go/all.zip",

		"attack":       enterprise,
		"metasploit":   "exploits/metasploit_modules_2025-11-23.csv.gz",
		"nuclei":       "exploits/nuclei_cve_first_seen.csv.gz",
		"exploitdb":    "exploits/exploitdb_index_2022-10-18.csv.gz",
		"poc":          "exploits/trickest_poc_first_seen.csv.gz",
		"vulnrichment": "cve/vulnrichment_compact_2025-01-24.csv.gz",
	}
	// Feeds of exploits read lists of first sightings, whatever they are of.
	exploits := []string{"metasploit", "nuclei", "exploitdb", "poc"}
	others := []string{
		"epss/epss_weekly_timeseries_2024-03_2025-09.csv.gz", "kev/kev_removed_entries.csv", "kev/kev_ransomware_flag_history.csv",
		"exploits/metasploit_cve_first_seen.csv.gz", "ssvc/cisa_bod_26_04_1_0_0.json",
		"attack/ctid_kev-07.28.2025_attack-16.1-enterprise.json.gz", "samples/stix21_apt1_report.json", "osv/rustsec_advisories_md.ndjson.gz",
	}
	for _, f := range builtin.Feeds() {
		name := f.Source().Name
		if own[name] == "" {
			continue // there is no file of it
		}
		data, err := os.ReadFile(corpus(t, own[name]))
		if err != nil {
			t.Fatal(err)
		}
		for _, cut := range []int{1, 100, len(data) / 3, len(data) / 2, len(data) - 1} {
			if got := feedtest.Read(t.Context(), f, data[:cut]); got.Err == nil {
				t.Errorf("%s, cut at byte %d of %d, is taken for whole", name, cut, len(data))
			}
		}
		strangers := slices.Clone(others)
		for other, path := range own {
			if other != name {
				strangers = append(strangers, path)
			}
		}
		for _, path := range strangers {
			if slices.Contains(exploits, name) && strings.HasSuffix(path, "_first_seen.csv.gz") {
				continue
			}
			data, err := os.ReadFile(corpus(t, path))
			if err != nil {
				t.Fatal(err)
			}
			if got := feedtest.Read(t.Context(), f, data); got.Err == nil || exposure.KindOf(got.Err) != exposure.Invalid {
				t.Errorf("%s takes %s: %v", name, path, got.Err)
			}
		}
	}
}

// A bundle of real copies is small, and brings the same.
func TestCorpusBundle(t *testing.T) {
	t.Parallel()
	s, to := real(t), real(t)
	_, _, err := s.Update(t.Context(), []string{"kev", "epss"}, intel.Options{Locations: map[string][]string{
		"kev": {corpus(t, "kev/known_exploited_vulnerabilities_asof_2025-09-28.json.gz")}, "epss": {corpus(t, "epss/epss_scores-2025-09-28.csv.gz")},
	}})
	if err != nil {
		t.Fatal(err)
	}
	bundle := export(t, s)
	if states, changed, err := to.Import(t.Context(), bytes.NewReader(bundle), false); err != nil || !changed || states[1].Facts() != 295871 {
		t.Fatalf("Import = %+v, %v, %v", states, changed, err)
	}
	snapshot, err := to.Snapshot(t.Context())
	if err != nil || snapshot.Scores() != 295871 {
		t.Errorf("%d scores, %v", snapshot.Scores(), err)
	}
	t.Logf("%d bytes", len(bundle))
}
