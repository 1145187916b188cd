package inventory_test

import (
	"strings"
	"testing"
	"testing/fstest"

	"github.com/leeward-ctem/leeward/discover/scan/inventory"
	"github.com/leeward-ctem/leeward/discover/scan/scantest"
)

// A parser that calls itself for each level ends the process when the stack is
// full, and nothing catches that: the largest file that each may read must not
// do so.
func TestDeepNesting(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("it takes seconds")
	}
	const toml, text = 8 << 20, 16 << 20
	for _, c := range []struct {
		names  string // parsers differ, so one name of each
		level  string
		length int
	}{
		{"requirements.txt", "a\\\n", 1 << 20},
		{"Cargo.lock", "a=[", toml},
		{"poetry.lock", "a={a=", toml},
		{"package-lock.json composer.lock bom.cdx.json bom.spdx.json", "[", text},
		{"package.json packages.lock.json conan.lock Pipfile.lock", `{"packages":`, text},
		{"bom.cdx.json", `{"components":[`, text},
		{"pom.xml packages.config bom.cdx.xml", "<components><component>", text},
		{"pnpm-lock.yaml pubspec.lock", "[", text},
		{"go.mod", "(", text},
	} {
		for name := range strings.FieldsSeq(c.names) {
			files := fstest.MapFS{name: {Data: []byte(strings.Repeat(c.level, c.length/len(c.level)))}}
			all, errs := scantest.Run(t, inventory.New(kept{}), directory(files))
			if len(errs) == 0 && len(all) > 1 {
				t.Errorf("%s of %s: %d statements", name, c.level, len(all))
			}
		}
	}
}
