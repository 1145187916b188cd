package scan_test

import (
	"testing"

	"github.com/leeward-ctem/leeward/discover/scan"
	"github.com/leeward-ctem/leeward/guard"
)

func TestConclusive(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		status int
		header string
		body   string
		want   bool
	}{
		{200, "", "hello", true},
		{301, "", "", true},
		{401, "", "", true},
		{403, "", "forbidden", true},
		{404, "", "", true},
		{501, "", "", true}, // it does not know the method
		{100, "", "", false},
		{429, "", "", false},
		{503, "", "", false},
		{403, "Cf-Mitigated", "", false},
		{403, "", "<title>Attention Required! | Cloudflare</title>", false},
		{200, "", "How to read <q>Attention Required! | Cloudflare</q>", true},
		{200, "", "Request unsuccessful. Incapsula incident ID: 1", false},
		{403, "", "<TITLE>Access Denied</TITLE> Reference #18.2", false},
		{403, "", "<title>Access Denied</title>", true},
	} {
		var header []guard.Field
		if tt.header != "" {
			header = []guard.Field{{Name: tt.header, Value: "x"}}
		}
		if got := scan.Conclusive(tt.status, header, []byte(tt.body)); got != tt.want {
			t.Errorf("%d %s %q: %v", tt.status, tt.header, tt.body, got)
		}
	}
}
