package invicti

import (
	"testing"
	"time"
)

func TestDate(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"25/06/2026 09:59 AM":             "2026-06-25T09:59:00Z",
		"05/06/2026 09:59 PM":             "2026-06-05T21:59:00Z",
		"28/02/2026, 05:13:54":            "2026-02-28T05:13:54Z",
		"03/02/2026 15:50:29 (UTC-06:00)": "2026-03-02T21:50:29Z",
		"02/28/2026 15:50:29":             "2026-02-28T15:50:29Z",
		"2026-02-28T15:50:29Z":            "2026-02-28T15:50:29Z",
		"never":                           "0001-01-01T00:00:00Z",
		"1/2":                             "0001-01-01T00:00:00Z",
		"":                                "0001-01-01T00:00:00Z",
	} {
		if got := date(in).Format(time.RFC3339); got != want {
			t.Errorf("date(%q) = %s, want %s", in, got, want)
		}
	}
}
