package term_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/leeward-ctem/leeward/discover/term"
	"github.com/leeward-ctem/leeward/exposure"
)

func TestDistributionPurl(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ distribution, name, version, want string }{
		{"rhel:8", "bash", "4.4-1.el8", "pkg:rpm/redhat/bash@4.4-1.el8"},
		{"Red Hat Enterprise Linux 9", "bash", "", "pkg:rpm/redhat/bash"},
		{"Debian GNU/Linux 12 (bookworm)", "libc6", "2.36", "pkg:deb/debian/libc6@2.36"},
		{"alpine-3.19.1", "musl", "1.2.4-r2", "pkg:apk/alpine/musl@1.2.4-r2"},
		{"AMAZON_LINUX_2", "curl", "8.0", "pkg:rpm/amazon/curl@8.0"},
		{"ubuntu:bionic", "linux", "4.15", "pkg:deb/ubuntu/linux@4.15"},
		{"windows", "x", "1", ""},
		{"debian", "", "1", ""},
		{"", "x", "1", ""},
	} {
		if got := term.SystemPurl(c.distribution, c.name, c.version); got != c.want {
			t.Errorf("%q, %q: %q, want %q", c.distribution, c.name, got, c.want)
		}
	}
}

func TestAddImage(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]exposure.AssetRef{
		"registry.example.com:5000/shop:1.0": {Identifiers: []exposure.Identifier{{Kind: exposure.IDImage, Value: "registry.example.com:5000/shop:1.0"}}},
		"shop@sha256:AB":                     {Name: "shop", Identifiers: []exposure.Identifier{{Kind: exposure.IDDigest, Value: "sha256:ab"}}},
		"":                                   {},
	} {
		var got exposure.AssetRef
		term.AddImage(&got, name)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%q (-want +got):\n%s", name, diff)
		}
	}
}
