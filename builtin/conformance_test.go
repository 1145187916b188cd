package builtin_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"text/tabwriter"

	"github.com/leeward-ctem/leeward/builtin"
	"github.com/leeward-ctem/leeward/discover"
	"github.com/leeward-ctem/leeward/exposure"
)

// entry is one real report with the counts of the reference importer.
type entry struct {
	Parser   string `json:"parser"`
	ScanType string `json:"scan_type"`
	File     string `json:"file"`
	Expected int    `json:"expected_count"`
	Naive    *int   `json:"naive_count"`
}

// explained says, for a reference count that differs from ours and from the
// raw records, why. Keys are file names or parsers.
var explained = map[string]string{
	"tenable":                                 "the reference merges hosts; one observation per ReportItem here",
	"nmap":                                    "the reference merges ports across hosts; one observation per host, port and script result here",
	"sarif":                                   "one observation per result and location",
	"generic/generic_report1.csv":             "one observation per row",
	"generic/generic_report4.csv":             "one observation per row",
	"cyclonedx/dd_1_15_0.xml":                 "one observation per vulnerability and affected component",
	"generic/generic_report1.json":            "one observation per finding and host",
	"generic/generic_report3.json":            "one observation per finding and host",
	"generic/test_with_image.json":            "one observation per finding and host",
	"generic/generic_report_fix_version.json": "one observation per finding and host",
}

// formats are the parsers of the reference that our readers answer for.
var formats = map[string]string{"nuclei": "nuclei", "trivy": "trivy", "sarif": "sarif", "cyclonedx": "cyclonedx", "tenable": "nessus", "nmap": "nmap", "zap": "zap", "generic": "generic"}

// TestConformance counts the weaknesses in every real report of the formats
// that are read, prints them beside the reference's, and fails on a difference
// that nobody explained.
func TestConformance(t *testing.T) {
	root := filepath.Join("..", "..", "shared", "corpus")
	data, err := os.ReadFile(filepath.Join(root, "manifest.json"))
	if err != nil {
		t.Skip("the shared material is not here")
	}
	var all []entry
	if err := json.Unmarshal(data, &all); err != nil {
		t.Fatal(err)
	}
	registered := map[string]bool{}
	for _, r := range builtin.Reports() {
		registered[r.Name()] = true
	}
	im := discover.Importer{Readers: builtin.Reports()}
	var out strings.Builder
	w := tabwriter.NewWriter(&out, 0, 4, 2, ' ', 0)
	fmt.Fprintln(w, "FILE\tFORMAT\tOURS\tEXPECTED\tNAIVE\tWHY")
	for _, e := range all {
		format, ok := formats[e.Parser]
		if !ok || !registered[format] || e.Parser == "tenable" && !strings.HasSuffix(e.File, ".xml") {
			continue
		}
		f, err := os.Open(filepath.Join(root, "reports", e.File))
		if err != nil {
			t.Fatal(err)
		}
		ours, name := 0, ""
		for part, err := range discover.Open(e.File, f, discover.Limits{}) {
			if err != nil {
				t.Errorf("%s: %v", e.File, err)
				break
			}
			reader, err := im.Recognise("", e.File, part.Head)
			if err != nil {
				t.Errorf("%v", err)
				break
			}
			name = reader.Name()
			for o, err := range discover.Guarded(t.Context(), reader, part.Reader) {
				var rec *exposure.RecordError
				if errors.As(err, &rec) {
					t.Errorf("%s: %v", e.File, err)
				} else if err != nil {
					t.Errorf("%s: %v", e.File, err)
				} else if o.Kind == exposure.ObservedWeakness {
					ours++
				}
			}
		}
		f.Close()
		naive, why := "–", ""
		if e.Naive != nil {
			naive = fmt.Sprint(*e.Naive)
		}
		if ours != e.Expected {
			if why = explained[e.File]; why == "" {
				why = explained[e.Parser]
			}
			if why == "" {
				t.Errorf("%s: %d observations, %d expected, and nobody explained it", e.File, ours, e.Expected)
			}
		}
		if name != format {
			t.Errorf("%s is taken for %s", e.File, name)
		}
		fmt.Fprintf(w, "%s\t%s\t%d\t%d\t%s\t%s\n", e.File, name, ours, e.Expected, naive, why)
	}
	w.Flush()
	t.Log("\n" + out.String())
}
