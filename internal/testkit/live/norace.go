//go:build !race

package live

// Race reports whether the race detector watches.
const Race = false
