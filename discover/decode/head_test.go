package decode_test

import (
	"testing"

	"github.com/leeward-ctem/leeward/discover/decode"
)

func TestHeadIs(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]bool{
		`{"results":[]}`: true, "\xef\xbb\xbf{\n\t\"results\" : [ ]\n}\n": true, `{"results":[],"a":1}`: false, `{"results":[1]}`: false, `{"results":[]} {}`: false, `{"results":[`: false, "": false,
	} {
		if got := decode.NewHead([]byte(in)).Is(`{"results":[]}`); got != want {
			t.Errorf("%q: %t", in, got)
		}
	}
}
