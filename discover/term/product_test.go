package term_test

import (
	"testing"

	"github.com/leeward-ctem/leeward/discover/term"
)

func TestProduct(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ purl, key, name, component string }{
		{"pkg:oci/shop@sha256%3Aab12?repository_url=registry.example.com/web/shop&tag=1.2", "image:registry.example.com/web/shop:1.2", "registry.example.com/web/shop:1.2", "shop"},
		{"pkg:oci/shop@sha256%3Aab12?repository_url=registry.example.com/web", "digest:sha256:ab12", "registry.example.com/web/shop", "shop"},
		{"pkg:docker/web/shop@1.2", "image:web/shop:1.2", "web/shop:1.2", "shop"},
		{"pkg:oci/shop", "image:shop", "shop", "shop"},
		{"pkg:maven/com.example/shop@2.0", "purl:pkg:maven/com.example/shop@2.0", "com.example:shop 2.0", "com.example:shop"},
		{"pkg:npm/%40example/ui@3.1.0", "purl:pkg:npm/%40example/ui@3.1.0", "@example/ui 3.1.0", "@example/ui"},
		{"pkg:apk/alpine/busybox@1.36?arch=x86_64", "purl:pkg:apk/alpine/busybox@1.36?arch=x86_64", "busybox 1.36", "busybox"},
		{"shop", "", "", ""},
	} {
		a := term.Product(test.purl)
		if a.Key() != test.key || a.Display() != test.name {
			t.Errorf("Product(%s) = %s %q, want %s %q", test.purl, a.Key(), a.Display(), test.key, test.name)
		}
		if c := term.Package(test.purl); c.Name != test.component {
			t.Errorf("Package(%s) is called %q, want %q", test.purl, c.Name, test.component)
		}
	}
}
