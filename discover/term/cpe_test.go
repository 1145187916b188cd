package term_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/leeward-ctem/leeward/discover/term"
)

func TestCPE(t *testing.T) {
	t.Parallel()
	for in, want := range map[string][4]string{
		"cpe:/a:example:shop:1.2":                          {"a", "example", "shop", "1.2"},
		" cpe:/o:example:shop_os ":                         {"o", "example", "shop_os", ""},
		"cpe:2.3:a:example:shop:1.2:*:*:*:*:*:*:*":         {"a", "example", "shop", "1.2"},
		`cpe:2.3:a:example:shop\:one\.two:-:*:*:*:*:*:*:*`: {"a", "example", "shop:one.two", ""},
		"cpe:/a:example:shop%20one":                        {"a", "example", "shop one", ""},
		"cpe:/":                                            {},
		"example shop 1.2":                                 {},
	} {
		kind, vendor, product, version := term.CPE(in)
		if got := [4]string{kind, vendor, product, version}; got != want {
			t.Errorf("CPE(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestVersioned(t *testing.T) {
	t.Parallel()
	in := strings.Fields("AV:N/AC:L/Au:N/C:P/I:P/A:P AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H")
	want := strings.Fields("AV:N/AC:L/Au:N/C:P/I:P/A:P CVSS:3.0/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H")
	if diff := cmp.Diff(want, term.Versioned(in)); diff != "" {
		t.Errorf("vectors (-want +got):\n%s", diff)
	}
}

func TestDateWithOffset(t *testing.T) {
	t.Parallel()
	want := time.Date(2026, 2, 4, 15, 0, 0, 0, time.UTC)
	for _, in := range []string{"04 Feb 2026 10:00AM GMT-0500", "Feb 04, 2026 03:00 PM", "04 Feb 2026 15:00:00 GMT+0000"} {
		if got := term.Date(in); !got.Equal(want) {
			t.Errorf("Date(%q) = %v, want %v", in, got, want)
		}
	}
}
