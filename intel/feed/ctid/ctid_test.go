package ctid_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/leeward-ctem/leeward/intel"
	"github.com/leeward-ctem/leeward/intel/feed/ctid"
	"github.com/leeward-ctem/leeward/intel/feed/feedtest"
)

func TestFeed(t *testing.T) { feedtest.Run(t, ctid.Feed{}) }

func FuzzFeed(f *testing.F) { feedtest.Fuzz(f, ctid.Feed{}) }

const (
	kev  = `"mapping_framework":"kev","last_update":"08/28/2025"`
	nist = `"mapping_framework":"nist_800_53","last_update":"08/28/2025"`
	one  = `{"capability_id":"CVE-2025-0001","mapping_type":"exploitation_technique","attack_object_id":"T1190","status":"complete"}`
	ac2  = `{"capability_id":"AC-02","capability_description":"Account Management","mapping_type":"mitigates","attack_object_id":"T1078","status":"complete"}`
)

// file is a file with some members of its metadata and some mappings.
func file(metadata string, mappings ...string) string {
	return fmt.Sprintf(`{"metadata":{%s},"mapping_objects":[%s]}`, metadata, strings.Join(mappings, ","))
}

func TestFaults(t *testing.T) {
	t.Parallel()
	const head = "CVE ID,Primary Impact,Secondary Impact,Exploitation Technique\n"
	for name, tt := range map[string]struct {
		in    string
		facts int
		err   string // empty: taken
	}{
		"one":                     {file(kev, one), 1, ""},
		"the metadata last":       {`{"mapping_objects":[` + one + `],"metadata":{` + kev + `}}`, 1, ""},
		"none":                    {file(kev), 0, ""}, // the keeper refuses it
		"a control":               {file(nist, ac2), 1, ""},
		"a framework of a cloud":  {file(`"mapping_framework":"aws","last_update":"08/28/2025"`, one), 0, `the framework "aws"`},
		"a hostile framework":     {file(`"mapping_framework":"\u001b[31m`+strings.Repeat("x", 10<<10)+`"`, one), 0, "maps the framework"},
		"no framework":            {file(`"last_update":"08/28/2025"`, one), 0, "lacks the framework"},
		"no metadata":             {`{"mapping_objects":[]}`, 0, "lacks the framework"},
		"metadata is a list":      {`{"metadata":[],"mapping_objects":[]}`, 0, "cannot be read on"},
		"no mappings":             {`{"metadata":{` + kev + `}}`, 0, "lacks the framework or the mappings"},
		"two lists":               {`{"mapping_objects":[],"mapping_objects":[]}`, 0, "cannot be read on"},
		"no date":                 {file(`"mapping_framework":"kev"`, one), 0, "of what day"},
		"a date of another kind":  {file(`"mapping_framework":"kev","last_update":"2025-08-28"`, one), 0, "of what day"},
		"no such day":             {file(`"mapping_framework":"kev","last_update":"02/30/2025"`, one), 0, "of what day"},
		"something after the end": {file(kev, one) + "{}", 0, "cannot be read on"},
		"cut":                     {file(kev, one)[:100], 0, "cannot be read on"},
		"a text for a mapping":    {file(kev, `"T1190"`), 0, "1 of 1 records"},
		"no technique":            {file(kev, strings.Replace(one, "T1190", "TA0001", 1)), 0, "1 of 1 records"},
		"a control for a CVE":     {file(kev, ac2), 0, "1 of 1 records"},
		"a control without name":  {file(nist, one), 0, "1 of 1 records"},
		"two in a hundred":        {file(kev, append(slices.Repeat([]string{one}, 98), "{}", "7")...), 1, "2 of 100 records"},
		"one in a hundred":        {file(kev, append(slices.Repeat([]string{one}, 99), "{}")...), 1, ""},
		"more than anybody has":   {file(kev, slices.Repeat([]string{"{}"}, 200_001)...), 0, "more than 200000 mappings"},
		"deeper than anything":    {strings.Repeat(`{"metadata":`, 100_000), 0, "cannot be read on"},
		"a table":                 {head + "CVE-2019-0001,T1059,,T1190\n", 1, ""},
		"a table without impacts": {"CVE ID,Exploitation Technique\n", 0, "no column"},
		"a table with a wrong id": {head + "GHSA-2222-3333-4444,T1059,,T1190\n", 0, "1 of 1 records"},
		"a table without its end": {head + "CVE-2019-0001,T1059,,T1190\nCVE-2019", 1, "middle of a line"},
		"a quotation not closed":  {head + "\"CVE-2019-0001,T1059,,T1190\n", 0, "1 of 1 records"},
		"nothing of how":          {file(kev, strings.Replace(one, "exploitation_technique", "uncategorized", 1)), 0, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			feedtest.Expect(t, ctid.Feed{}, []byte(tt.in), tt.facts, tt.err)
		})
	}
}

// What is far too long or too much is cut or left out, and the rest stays.
func TestHostile(t *testing.T) {
	t.Parallel()
	var all []string
	for i := range 100_000 {
		all = append(all, strings.Replace(one, "T1190", fmt.Sprintf("T%04d.%03d", i/1000, i%1000), 1))
	}
	got := feedtest.Expect(t, ctid.Feed{}, []byte(file(kev, all...)), 1, "")
	if len(got.Facts) == 1 && len(got.Facts[0].Links) != intel.MaxLinks {
		t.Errorf("%d links", len(got.Facts[0].Links))
	}
	name := strings.Repeat(`\u001b[31m<b>x</b> `, 1<<20)
	got = feedtest.Expect(t, ctid.Feed{}, []byte(file(nist, strings.Replace(ac2, "Account Management", name, 1))), 1, "")
	if len(got.Facts) != 1 || len(got.Facts[0].Entry.Name) > intel.MaxName {
		t.Fatalf("facts %v", got.Facts)
	}
	if err := got.Facts[0].Check(); err != nil {
		t.Error(err)
	}
}

// Ids of controls are as their publishers write them.
func TestControls(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{"AC-02": "NIST-800-53:AC-2", "AC-10": "NIST-800-53:AC-10", "SC-07(08)": "NIST-800-53:SC-7(8)", "AC-2": "NIST-800-53:AC-2"} {
		got := feedtest.Expect(t, ctid.Feed{}, []byte(file(nist, strings.Replace(ac2, "AC-02", in, 1))), 1, "")
		if diff := cmp.Diff([]intel.Link{{Relation: intel.Mitigates, To: "T1078"}}, got.Facts[0].Links); diff != "" || got.Facts[0].ID != want {
			t.Errorf("%s is %s, want %s, with links (-want +got):\n%s", in, got.Facts[0].ID, want, diff)
		}
	}
}
