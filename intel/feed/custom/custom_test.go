package custom_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/leeward-ctem/leeward/exposure"
	"github.com/leeward-ctem/leeward/intel"
	"github.com/leeward-ctem/leeward/intel/feed/custom"
	"github.com/leeward-ctem/leeward/intel/feed/feedtest"
)

var feed = custom.Feed{Now: func() time.Time { return time.Date(2026, 11, 28, 3, 0, 0, 0, time.UTC) }}

func TestFeed(t *testing.T) { feedtest.Run(t, feed) }

func FuzzFeed(f *testing.F) { feedtest.Fuzz(f, feed) }

func TestFaults(t *testing.T) {
	t.Parallel()
	const head, row = "cve,observed,ransomware,epss,vector,technique,sightings_per_day\n", "CVE-2025-0001,2025-03-01,,,,,\n"
	good := strings.Repeat(row, 3)
	for name, tt := range map[string]struct {
		in     string
		facts  int
		err    string // empty: taken
		notice string
	}{
		"one":                      {head + row, 1, "", ""},
		"a header alone":           {head, 0, "", ""}, // the keeper refuses it
		"the scores of EPSS":       {"cve,epss,percentile\nCVE-2025-0001,0.1,0.2\n", 0, "scores of EPSS without their model", ""},
		"scores with their model":  {"cve,epss,percentile,epss_model\nCVE-2025-0001,0.1,0.2,v2025.03.14\n", 1, "", ""},
		"a table of Vulnrichment":  {"cve,vector,ssvc_exploitation\n", 0, "table of Vulnrichment", ""},
		"no column of an id":       {"host,observed\nweb1,2025-03-01\n", 0, "no column is called cve or id", ""},
		"a list of first sights":   {"cve,first_seen\nCVE-2025-0001,2025-03-01\n", 0, "beside the id no column is known", ""},
		"nothing but ids":          {"cve\nCVE-2025-0001\n", 0, "beside the id no column is known", ""},
		"no line break at the end": {head + row + "CVE-2025-0002,2025-03-01,,,,,", 1, "in the middle of a line", ""},
		"half a row":               {head + row + "CVE-2025-0002,20", 1, "in the middle of a line", ""},
		"a quotation not closed":   {head + good + "\"CVE-2025-0002,2025-03-01\n" + row, 4, "", "1 of 5 rows left out: line 5: a quotation mark is never closed"},
		"short and long rows":      {head + "CVE-2025-0001,2025-03-01\n" + "CVE-2025-0001,2025-03-01,,,,,,,,,,\n", 2, "", ""},
		"a wrong day":              {head + good + "CVE-2025-0001,1.3.2025,,,,,\n", 3, "", `1 of 4 rows left out: line 5: "1.3.2025" is no day from 1999 to today`},
		"a day to come":            {head + good + "CVE-2025-0001,2099-01-01,,,,,\n", 3, "", `"2099-01-01" is no day`},
		"no id":                    {head + good + ",2025-03-01,,,,,\n", 3, "", "line 5: the id is missing"},
		"an id that is none":       {head + good + "CVE 2025 0001,2025-03-01,,,,,\n", 3, "", "line 5: the id is missing, or no id"},
		"an endless id":            {head + good + strings.Repeat("x", 1000) + ",2025-03-01,,,,,\n", 3, "", "line 5: the id is missing, or no id"},
		"neither yes nor no":       {head + good + "CVE-2025-0001,,maybe,,,,\n", 3, "", `ransomware is "maybe"`},
		"more than certain":        {head + good + "CVE-2025-0001,,,1.1,,,\n", 3, "", `"1.1" is no probability`},
		"not a number":             {head + good + "CVE-2025-0001,,,NaN,,,NaN\n", 3, "", `"NaN" is no probability`},
		"endless sightings":        {head + good + "CVE-2025-0001,,,,,,Inf\n", 3, "", `"Inf" is no number of sightings`},
		"a wrong vector":           {head + good + "CVE-2025-0001,,,,9.8,,\n", 3, "", `"9.8" is no vector`},
		"a wrong technique":        {head + good + "CVE-2025-0001,,,,,T1190; TA0001,\n", 3, "", `"TA0001" is no technique`},
		"marks in a cell":          {head + good + "CVE-2025-0001,\x1b[31m<b>,,,,,\n", 3, "", `"[31m<b>" is no day`},
		"mostly wrong":             {head + row + strings.Repeat("CVE-2025-0001,never,,,,,\n", 9), 1, "9 of 10 rows cannot be read: line 3:", ""},
		"binary":                   {head + strings.Repeat("\x00\xff\x1f", 1000) + "\n", 0, "1 of 1 rows", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := feedtest.Expect(t, feed, []byte(tt.in), tt.facts, tt.err)
			if tt.err == "" && (!strings.Contains(got.Edition.Notice, tt.notice) || (got.Edition.Notice == "") != (tt.notice == "")) {
				t.Errorf("notice %q, want %q", got.Edition.Notice, tt.notice)
			}
		})
	}
}

// The table that CISA offers of its catalogue is read as it is.
func TestCatalogue(t *testing.T) {
	t.Parallel()
	in := "cveID,vendorProject,product,vulnerabilityName,dateAdded,shortDescription,requiredAction,dueDate,knownRansomwareCampaignUse,notes,cwes\n" +
		"CVE-2025-0001,Example,Server,\"Example, Server\",2025-03-01,Text,Act,2026-12-22,Known,,CWE-77\n"
	got := feedtest.Expect(t, feed, []byte(in), 1, "")
	want := []intel.Fact{{ID: "CVE-2025-0001", Threat: exposure.Threat{KEVDay: 20148, KEVDueDay: 20809, ObservedDay: 20148, Ransomware: true}}}
	if diff := cmp.Diff(want, got.Facts); diff != "" {
		t.Errorf("facts differ (-want +got):\n%s", diff)
	}
}

// However much one cell holds, it costs no more than its row.
func TestLong(t *testing.T) {
	t.Parallel()
	var names []string
	for i := range 100_000 {
		names = append(names, fmt.Sprintf("group %d", i))
	}
	in := "cve;actor;technique\nCVE-2025-0001;" + strings.Join(names, ",") + ";\n" + "CVE-2025-0002;" + strings.Repeat("x", 10<<20) + ";T1190\n"
	got := feedtest.Read(t.Context(), feed, []byte(in))
	if got.Err != nil || len(got.Facts) > 200 {
		t.Errorf("%d facts, %v", len(got.Facts), got.Err)
	}
	for _, f := range got.Facts {
		if err := f.Check(); err != nil {
			t.Error(err)
		}
	}
}
