package scope

import (
	"slices"
	"strings"
	"testing"

	"github.com/leeward-ctem/leeward/exposure"
)

func TestWatched(t *testing.T) {
	t.Parallel()
	p := parse(t, "watch: [CVE-2024-3400, ghsa-*, openssl, '*citrix*', apt 29, T1190, 'pan-os']\n")
	for _, c := range []struct {
		names, texts []string
		want         string
	}{
		{nil, nil, ""},
		{[]string{"cve-2024-3400"}, nil, "CVE-2024-3400"},
		{[]string{"CVE-2024-34001"}, nil, ""},
		{[]string{"x", "GHSA-jfh8-c2jp-5v3q"}, nil, "ghsa-*"},
		{nil, []string{"OpenSSL: heap overflow"}, "openssl"},
		{nil, []string{"opensslx 1"}, ""},
		{nil, []string{"pkg:deb/debian/openssl@3.0.1"}, "openssl"},
		{nil, []string{"Citrix NetScaler (ADC) bleeds"}, "*citrix*"},
		{nil, []string{"Palo Alto PAN-OS GlobalProtect"}, "pan-os"},
		{[]string{"APT 29", "G0016"}, nil, "apt 29"},
		{[]string{"t1190"}, nil, "T1190"}, {[]string{"t1190"}, []string{"openssl"}, "openssl"}, // the first of the list
		{[]string{"\x00*", strings.Repeat("x", 5000)}, []string{"", "* ? *"}, ""},
	} {
		if got := p.Watched(c.names, c.texts); got != c.want {
			t.Errorf("%q %q: %q, want %q", c.names, c.texts, got, c.want)
		}
	}
	if got := (&Programme{}).Watched([]string{"x"}, nil); got != "" {
		t.Errorf("without a list: %q", got)
	}
	none := (*Programme)(nil)
	if got := none.Watched([]string{"x"}, nil); got != "" {
		t.Errorf("without a programme: %q", got)
	}
}

func TestWatchList(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"watch: openssl":               "watch must be a list",
		"watch:\n- ok\n- '*'":          `p.yaml:3: watch has "*", which names nearly everything`,
		"watch:\n- '?? a*'":            "names nearly everything",
		"watch:\n- Openssl\n- openssl": `p.yaml:3: watch has "openssl" in line 2 already`,
		"watch:\n- {a: b}":             "must be a single value",
		"watch:\n- \"a\\tb\"":          "cannot be printed",
		"watch:\n- ''":                 "has no value",
		"watches: [x]":                 "has no key",
	} {
		if _, err := Parse("p.yaml", []byte(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", text, err, want)
		}
	}
	c := Compare(parse(t, "watch: [aa]"), parse(t, "watch: [aa, bb]"), slices.Values([]*exposure.Asset{}))
	if c.Empty() || !strings.Contains(c.String(), "another watch list") {
		t.Errorf("another watch list: %+v", c)
	}
}
