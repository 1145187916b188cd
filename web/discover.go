package web

import (
	"fmt"
	"slices"
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

// assetKinds are the words for kinds of assets.
func assetKinds() []string {
	for _, f := range exposure.Fields() {
		if f.Field == exposure.FieldKind {
			return f.Words
		}
	}
	return nil
}

// unseenDays are the times to choose from, and the one that is chosen.
func unseenDays(chosen int) []int {
	days := []int{7, 30, 90, 365}
	if chosen > 0 && !slices.Contains(days, chosen) {
		days = append(days, chosen)
		slices.Sort(days)
	}
	return days
}

// link is the list of assets with these conditions.
func (f AssetFilter) link(query, after string) string {
	unseen, unspoken := "", ""
	if f.Unseen > 0 {
		unseen = strconv.Itoa(f.Unseen)
	}
	if f.Unspoken {
		unspoken = "true"
	}
	return withQuery(AssetsURL, "q", query, "kind", f.Kind, "owner", f.Owner, "filter", f.More, "unseen", unseen, "unspoken", unspoken, "after", after)
}

// chip is a condition in words and the list without it.
type chip struct{ Label, Link string }

// chips are the conditions in words, each with the list without it.
func (f AssetFilter) chips(query string) []chip {
	var all []chip
	add := func(label string, without AssetFilter) { all = append(all, chip{label, without.link(query, "")}) }
	if g := f; f.Kind != "" {
		g.Kind = ""
		add("Kind "+words(f.Kind), g)
	}
	if g := f; f.Owner != "" {
		g.Owner = ""
		if f.Owner == "none" {
			add("Without owner", g)
		} else {
			add("Owner "+f.Owner, g)
		}
	}
	if g := f; f.Unseen > 0 {
		g.Unseen = 0
		add("Not looked at for "+plural(f.Unseen, "day", "days"), g)
	}
	if g := f; f.Unspoken {
		g.Unspoken = false
		add("Nobody speaks for it", g)
	}
	if g := f; f.More != "" {
		g.More = ""
		add(f.More, g)
	}
	return all
}
