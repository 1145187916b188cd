package nvd_test

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/leeward-ctem/leeward/exposure"
	"github.com/leeward-ctem/leeward/intel"
	"github.com/leeward-ctem/leeward/intel/feed/feedtest"
	"github.com/leeward-ctem/leeward/intel/feed/nvd"
)

func TestFeed(t *testing.T) { feedtest.Run(t, nvd.Feed{}) }

func FuzzFeed(f *testing.F) { feedtest.Fuzz(f, nvd.Feed{}) }

// file returns a file that says to hold count CVEs.
func file(count string, cves ...string) string {
	return fmt.Sprintf(`{"resultsPerPage":%s,"startIndex":0,"totalResults":%s,"format":"NVD_CVE","version":"2.0","timestamp":"2025-09-28T03:00:01.473","vulnerabilities":[%s]}`, count, count, strings.Join(cves, ","))
}

// cve returns a CVE of 2025-02-17 with metrics.
func cve(status, metrics string) string {
	return fmt.Sprintf(`{"cve":{"id":"CVE-2025-0001","published":"2025-02-17T23:59:59.999","lastModified":"2025-09-01T00:00:00.000","vulnStatus":%q,"metrics":{%s}}}`, status, metrics)
}

// metric returns a member of the metrics.
func metric(name string, typesAndVectors ...string) string {
	var all []string
	for pair := range slices.Chunk(typesAndVectors, 2) {
		all = append(all, fmt.Sprintf(`{"source":"nvd@nist.gov","type":%q,"cvssData":{"vectorString":%q}}`, pair[0], pair[1]))
	}
	return fmt.Sprintf("%q:[%s]", name, strings.Join(all, ","))
}

const (
	v40 = "CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N"
	v31 = "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"
	v30 = "CVSS:3.0/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"
	v2  = "AV:N/AC:L/Au:N/C:P/I:P/A:P"
	day = 20136 // 2025-02-17
)

func TestFacts(t *testing.T) {
	t.Parallel()
	all := func(metrics ...string) string { return cve("Analyzed", strings.Join(metrics, ",")) }
	for name, tt := range map[string]struct {
		in   string
		want exposure.Threat
	}{
		"no metrics":     {all(), exposure.Threat{PublishedDay: day}},
		"null":           {strings.Replace(all(), `"metrics":{}`, `"metrics":null`, 1), exposure.Threat{PublishedDay: day}},
		"rejected":       {cve("Rejected", ""), exposure.Threat{PublishedDay: day, Withdrawn: true}},
		"of version 2":   {all(metric("cvssMetricV2", "Primary", v2)), exposure.Threat{PublishedDay: day, Vector: v2}},
		"in parentheses": {all(metric("cvssMetricV2", "Primary", "("+v2+")")), exposure.Threat{PublishedDay: day, Vector: v2}},
		"the newest": {
			all(metric("cvssMetricV2", "Primary", v2), metric("cvssMetricV31", "Primary", v31), metric("cvssMetricV40", "Secondary", v40), metric("cvssMetricV30", "Primary", v30)),
			exposure.Threat{PublishedDay: day, Vector: v40},
		},
		"3.1 before 3.0": {all(metric("cvssMetricV30", "Primary", v30), metric("cvssMetricV31", "Secondary", v31)), exposure.Threat{PublishedDay: day, Vector: v31}},
		"the primary":    {all(metric("cvssMetricV31", "Secondary", "CVSS:3.1/AV:P", "Primary", v31)), exposure.Threat{PublishedDay: day, Vector: v31}},
		"the first":      {all(metric("cvssMetricV31", "Secondary", v31, "Secondary", "CVSS:3.1/AV:P")), exposure.Threat{PublishedDay: day, Vector: v31}},
		"no vector":      {all(metric("cvssMetricV31", "Primary", "high"), metric("cvssMetricV30", "Primary", v30)), exposure.Threat{PublishedDay: day, Vector: v30}},
		"no such day":    {strings.Replace(all(), "2025-02-17T", "2025-02-30T", 1), exposure.Threat{}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := feedtest.Read(t.Context(), nvd.Feed{}, []byte(file("1", tt.in)))
			if got.Err != nil {
				t.Fatal(got.Err)
			}
			if diff := cmp.Diff([]intel.Fact{{ID: "CVE-2025-0001", Threat: tt.want}}, got.Facts); diff != "" {
				t.Errorf("differs (-want +got):\n%s", diff)
			}
		})
	}
}

func TestFaults(t *testing.T) {
	t.Parallel()
	one := cve("Analyzed", "")
	repeat := func(n int, more ...string) []string { return append(slices.Repeat([]string{one}, n), more...) }
	for name, tt := range map[string]struct {
		in    string
		facts int
		err   string // empty: taken
	}{
		"one":                     {file("1", one), 1, ""},
		"a page of the API":       {strings.NewReplacer(`"startIndex":0`, `"startIndex":2000`, `"totalResults":1`, `"totalResults":300000`).Replace(file("1", one)), 1, ""},
		"a page that is cut":      {strings.NewReplacer(`"startIndex":0`, `"startIndex":2000`, `"totalResults":2`, `"totalResults":300000`).Replace(file("2", one)), 1, "should hold 2"},
		"none":                    {file("0"), 0, ""}, // the keeper refuses it
		"byte order mark":         {"\ufeff" + file("1", one) + "\r\n", 1, ""},
		"one is missing":          {file("2", one), 1, "should hold 2 CVEs and holds 1"},
		"one too many":            {file("1", one, one), 2, "should hold 1 CVEs and holds 2"},
		"no count":                {file("null", one), 1, "lacks"},
		"count is a text":         {file(`"1"`, one), 0, "cannot be read on"},
		"another format":          {strings.Replace(file("1", one), "NVD_CVE", "NVD_CPE", 1), 1, `its format is "NVD_CPE"`},
		"another version":         {strings.Replace(file("1", one), `"2.0"`, `"3.0"`, 1), 1, `version "3.0"`},
		"an endless format":       {strings.Replace(file("1", one), "NVD_CVE", strings.Repeat("NVD", 1000), 1), 1, "its format is"},
		"made at no time":         {strings.Replace(file("1", one), "2025-09-28T", "yesterday ", 1), 1, "is no time"},
		"an object":               {`{"vulnerabilities":{}}`, 0, "cannot be read on"},
		"two lists":               {`{"vulnerabilities":[],"vulnerabilities":[]}`, 0, "cannot be read on"},
		"something after the end": {file("1", one) + "{}", 1, "cannot be read on"},
		"cut":                     {file("1", one)[:200], 0, "cannot be read on"},
		"an array":                {"[" + file("1", one) + "]", 0, "does not begin"},
		"a shape of its own":      {file("1", `"CVE-2025-0001"`), 0, "1 of 1 records cannot be read"},
		"no such id":              {file("1", strings.Replace(one, "CVE-2025-0001", "GHSA-2222-3333-4444", 1)), 0, "1 of 1 records"},
		"one in a hundred":        {file("100", repeat(99, "{}")...), 99, ""},
		"metrics are a list":      {file("100", repeat(99, `{"cve":{"id":"CVE-2025-0002","metrics":[]}}`)...), 99, ""},
		"two in a hundred":        {file("100", repeat(98, "{}", "7")...), 98, "2 of 100 records"},
		"deeper than anything":    {strings.Repeat(`{"a":`, 100_000), 0, "cannot be read on"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			feedtest.Expect(t, nvd.Feed{}, []byte(tt.in), tt.facts, tt.err)
		})
	}
}

// There is a file for each year since 2002.
func TestYears(t *testing.T) {
	t.Parallel()
	urls := nvd.Feed{}.Source().URLs
	if len(urls) < 25 || urls[0] != "https://nvd.nist.gov/feeds/json/cve/2.0/nvdcve-2.0-2002.json.gz" || urls[23] != "https://nvd.nist.gov/feeds/json/cve/2.0/nvdcve-2.0-2025.json.gz" {
		t.Errorf("%q", urls)
	}
}

// BenchmarkRead gives bytes of text a second.
func BenchmarkRead(b *testing.B) {
	const n = 5_000
	var cves []string
	for i := range n {
		one := strings.Replace(cve("Analyzed", metric("cvssMetricV31", "Secondary", v31, "Primary", v31)), "0001", fmt.Sprint(10_000+i), 1)
		var matches []string
		for k := range 12 {
			matches = append(matches, fmt.Sprintf(`{"vulnerable":true,"criteria":"cpe:2.3:a:example:invention:%d:*:*:*:*:*:*:*","matchCriteriaId":"00000000-0000-4000-8000-000000000000"}`, k))
		}
		cves = append(cves, strings.TrimSuffix(one, "}}")+fmt.Sprintf(`,"descriptions":[{"lang":"en","value":%q}],"configurations":[{"nodes":[{"operator":"OR","cpeMatch":[%s]}]}]}}`, strings.Repeat("It is weak. ", 60), strings.Join(matches, ",")))
	}
	data := []byte(file(fmt.Sprint(n), cves...))
	b.SetBytes(int64(len(data)))
	b.ReportAllocs()
	for b.Loop() {
		facts := 0
		_, err := nvd.Feed{}.Read(b.Context(), bytes.NewReader(data), func(intel.Fact) error { facts++; return nil })
		if err != nil || facts != n {
			b.Fatal(facts, err)
		}
	}
}
