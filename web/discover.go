package web

import (
	"fmt"
	"strconv"

	"github.com/leeward-ctem/leeward/exposure"
)

// assetFind is the list of an asset's findings that meet a further filter.
func assetFind(name, filter string) string { return termFind("asset", name, filter) }

// termFind is the list of findings with a value in a field that meet a further
// filter.
func termFind(field, value, filter string) string {
	t, ok := term(field, value)
	f, err := exposure.ParseFilter(filter)
	if !ok || err != nil {
		return FindingsURL
	}
	return Find(exposure.Filter{Terms: []exposure.Term{t}}.With(f.Terms...).String())
}

func tierText(tier int) string {
	if tier == 0 {
		return "–"
	}
	return strconv.Itoa(tier)
}

// bytes is a size in the unit that keeps it short.
func bytes(n int64) string {
	for _, u := range []struct {
		size int64
		name string
	}{{1 << 30, "GiB"}, {1 << 20, "MiB"}, {1 << 10, "KiB"}} {
		if n >= u.size {
			return fmt.Sprintf("%.3g %s", float64(n)/float64(u.size), u.name)
		}
	}
	return plural(int(n), "byte", "bytes")
}
