package term_test

import (
	"fmt"
	"testing"

	"github.com/leeward-ctem/leeward/discover/term"
)

func TestImage(t *testing.T) {
	for name, want := range map[string]string{
		"registry.example.com:5000/shop/web:1.2":     " [image:registry.example.com:5000/shop/web:1.2]",
		"registry.example.com/shop/web":              " [image:registry.example.com/shop/web]",
		"shop:1 (debian 12.1)":                       " [image:shop:1]",
		"registry.example.com:5000/shop@sha256:AB":   "registry.example.com:5000/shop [digest:sha256:ab]",
		"registry.example.com:5000/shop:1@sha256:ab": " [digest:sha256:ab image:registry.example.com:5000/shop:1]",
		"": " []",
	} {
		a := term.Image(name)
		if got := fmt.Sprint(a.Name, " ", a.Identifiers); got != want {
			t.Errorf("Image(%q) = %s, want %s", name, got, want)
		}
	}
}

func TestUntagged(t *testing.T) {
	for name, want := range map[string]string{
		"registry.example.com:5000/shop/web:1.2": "registry.example.com:5000/shop/web",
		"registry.example.com:5000/shop/web":     "registry.example.com:5000/shop/web",
		"shop:1@sha256:ab (debian 12.1)":         "shop",
	} {
		if got := term.Untagged(name); got != want {
			t.Errorf("Repository(%q) = %q, want %q", name, got, want)
		}
	}
}

func TestSystemPurl(t *testing.T) {
	for _, c := range []struct{ system, name, version, want string }{
		{"debian 12.1", "libc6", "2.36-9", "pkg:deb/debian/libc6@2.36-9"},
		{"debian:9.4", "libc6", "", "pkg:deb/debian/libc6"},
		{"UBUNTU_22_04", "libssl3", "3.0.2", "pkg:deb/ubuntu/libssl3@3.0.2"},
		{"Red Hat 8", "bash", "4.4", "pkg:rpm/redhat/bash@4.4"},
		{"AMAZON_LINUX_2", "bash", "< 4.4", "pkg:rpm/amazon/bash"},
		{"Unknown", "bash", "4.4", ""},
		{"debian 12.1", "org.example:shop", "1", ""},
		{"debian 12.1", "", "1", ""},
	} {
		if got := term.SystemPurl(c.system, c.name, c.version); got != c.want {
			t.Errorf("SystemPurl(%q, %q, %q) = %q, want %q", c.system, c.name, c.version, got, c.want)
		}
	}
}
