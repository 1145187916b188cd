package term

import (
	"path"
	"strings"
)

// aside are directories of what is not in use here: others' code, tests,
// documentation.
var aside = map[string]bool{
	"vendor": true, "node_modules": true, "third_party": true, "third-party": true, "bower_components": true, "site-packages": true, "dist-packages": true,
	"test": true, "tests": true, "testdata": true, "__tests__": true, "spec": true, "specs": true, "fixtures": true, "fixture": true, "mock": true, "mocks": true, "e2e": true, "testing": true,
	"example": true, "examples": true, "samples": true, "demo": true, "doc": true, "docs": true, "i18n": true, "locales": true, "locale": true, "translations": true, "lang": true,
}

// Aside reports whether a file is most likely not in use here, by its path: what is
// wrong with it is told with less confidence.
func Aside(file string) bool {
	dir, base := path.Split(strings.ToLower(file))
	for name := range strings.SplitSeq(dir, "/") {
		if aside[name] {
			return true
		}
	}
	stem := strings.TrimSuffix(base, path.Ext(base))
	return strings.HasSuffix(stem, "_test") || strings.HasSuffix(stem, ".test") || strings.HasSuffix(stem, ".spec") || strings.HasSuffix(stem, ".example") || strings.HasPrefix(base, "test_") ||
		strings.HasSuffix(base, ".example") || strings.HasSuffix(base, ".sample") || strings.HasSuffix(base, ".template") || strings.HasSuffix(base, ".dist")
}
