package semgrep_test

import (
	"strings"
	"testing"

	"github.com/leeward-ctem/leeward/discover/decode"
	"github.com/leeward-ctem/leeward/discover/report/semgrep"
	"github.com/leeward-ctem/leeward/exposure"
)

// TestPlace tells what a place is known by, depending on what is stated.
func TestPlace(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		in   string
		want exposure.Location
	}{
		"code":          {`"results":[{"check_id":"a.b","extra":{"lines":"  f(x)","fingerprint":"1_0"}}]`, exposure.Location{Snippet: "f(x)"}},
		"no code":       {`"results":[{"check_id":"a.b","extra":{"lines":"requires login","fingerprint":"1_0"}}]`, exposure.Location{Symbol: "fingerprint 1_0"}},
		"nothing":       {`"results":[{"check_id":"a.b","extra":{"lines":"requires login","fingerprint":"requires login"}}]`, exposure.Location{}},
		"platform":      {`"findings":[{"rule_name":"a.b","match_based_id":"1_0","syntactic_id":"2"}]`, exposure.Location{Symbol: "fingerprint 1_0"}},
		"line in path":  {`"findings":[{"type":"k","findingPath":"a/b.go:7","id":3}]`, exposure.Location{File: "a/b.go", Line: 7, Symbol: "finding 3"}},
		"colon in path": {`"findings":[{"type":"k","findingPath":"a:b"}]`, exposure.Location{File: "a:b"}},
	} {
		for o, err := range (semgrep.Reader{}).Read(t.Context(), strings.NewReader("{"+tt.in+"}")) {
			if err != nil {
				t.Fatal(err)
			}
			if o.Rule != "" && o.Location != tt.want {
				t.Errorf("%s: %+v, want %+v", name, o.Location, tt.want)
			}
		}
	}
}

// TestSniff recognises a report whose results come after the end of its head,
// and leaves those of others.
func TestSniff(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]bool{
		`{"errors":[{"code":3,"level":"warn","type":"Syntax error","message":"x`: true,
		`{"errors":[],"interfile_languages_used":[],"paths":{"scanned":["a","b`:  true,
		`{"results":[],"errors":[],"version":"0.30.0"}`:                          true,
		`{"results":[],"errors":[],"generated_at":"x"}`:                          false,
		`{"findings":[]}`: false,
		`{"findings":[{"rule_name":"x","title":"y"}]}`: false,
	} {
		if got := (semgrep.Reader{}).Sniff(decode.NewHead([]byte(in))); got != want {
			t.Errorf("%s: %v", in, got)
		}
	}
}
