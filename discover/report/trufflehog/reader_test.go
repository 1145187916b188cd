package trufflehog_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/leeward-ctem/leeward/discover/report/reporttest"
	"github.com/leeward-ctem/leeward/discover/report/trufflehog"
	"github.com/leeward-ctem/leeward/exposure"
)

func TestReader(t *testing.T) {
	reporttest.Run(t, trufflehog.Reader{},
		reporttest.Open("what they state of the place of a secret is evidence, whatever it is called", "Data", "Git", "S3", "GCS", "Filesystem", "Docker", "Jira", "ExtraData"),
	)
}
func FuzzReader(f *testing.F) { reporttest.Fuzz(f, trufflehog.Reader{}) }

func read(t *testing.T, in string) (found []exposure.Observation) {
	t.Helper()
	for o, err := range (trufflehog.Reader{}).Read(t.Context(), strings.NewReader(in)) {
		if err != nil {
			t.Fatal(err)
		}
		if o.Kind == exposure.ObservedWeakness {
			found = append(found, o)
		}
	}
	return found
}

// TestNoSecret looks for the secrets of the samples in what is read of them.
func TestNoSecret(t *testing.T) {
	t.Parallel()
	samples, err := filepath.Glob("testdata/*.json")
	if err != nil || len(samples) == 0 {
		t.Fatal(samples, err)
	}
	for _, path := range samples {
		in, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for _, o := range read(t, string(in)) {
			out, err := json.Marshal(o)
			if err != nil {
				t.Fatal(err)
			}
			if strings.Contains(string(out), "invented-") {
				t.Errorf("%s: a secret is in %s", path, out)
			}
		}
	}
}

// TestList reads findings that were put into a list, and a log without any.
func TestList(t *testing.T) {
	t.Parallel()
	const finding = `{"SourceMetadata":{"Data":{"Git":{"file":"a","commit":"%"}}},"DetectorName":"D","Raw":"r"}`
	one, two := strings.Replace(finding, "%", "1", 1), strings.Replace(finding, "%", "2", 1)
	for in, want := range map[string]int{
		"[" + one + "," + two + "]": 2, one + "\n" + two + "\n": 2, "[]": 0,
		`{"level":"info-0","logger":"trufflehog","msg":"finished scanning"}` + "\n": 0,
	} {
		found := read(t, in)
		if len(found) != want {
			t.Errorf("%s: %d findings, want %d", in, len(found), want)
		}
		if want == 2 && found[0].Location != found[1].Location {
			t.Errorf("%s: the commit makes another secret of it", in)
		}
	}
}
