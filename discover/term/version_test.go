package term_test

import (
	"testing"

	"github.com/leeward-ctem/leeward/discover/term"
)

func TestNameVersion(t *testing.T) {
	t.Parallel()
	for in, want := range map[string][2]string{
		"":                        {"", ""},
		"cart":                    {"cart", ""},
		"cart-":                   {"cart-", ""},
		"-1.0":                    {"-1.0", ""},
		"cart-1":                  {"cart", "1"},
		"cart-1.3.0":              {"cart", "1.3.0"},
		"cart_1.3.0":              {"cart", "1.3.0"},
		"cart-2-1.3.0":            {"cart-2", "1.3.0"},
		"cart-31.0-jre":           {"cart", "31.0-jre"},
		"cart-1.4.17.example-001": {"cart", "1.4.17.example-001"},
		"cart-1.2-api-2.17.1":     {"cart-1.2-api", "2.17.1"},
	} {
		if name, version := term.NameVersion(in); name != want[0] || version != want[1] {
			t.Errorf("NameVersion(%q) = %q, %q, want %q", in, name, version, want)
		}
	}
}

func TestArchive(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{"": "", ".jar": ".jar", "cart-1.2.JAR": "cart-1.2", "Cart.Net.dll": "Cart.Net", "cart": "cart"} {
		if got := term.Archive(in); got != want {
			t.Errorf("Archive(%q) = %q, want %q", in, got, want)
		}
	}
}
