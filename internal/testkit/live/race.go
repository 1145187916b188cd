//go:build race

package live

// Race reports whether the race detector watches, which makes everything five
// to twenty times slower. Tests of sizes do with smaller ones then: races do
// not depend on them, and the same tests run without the detector as well.
const Race = true
