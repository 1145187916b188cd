package web

import (
	"fmt"
	"net/url"
	"strings"

	"github.com/leeward-ctem/leeward/exposure"
)

// fewRows is how many actors or techniques are shown at first: the rest is
// rarely read, and mostly nothing is open to it.
const fewRows = 25

// ActorURL is the page of one actor.
func ActorURL(id string) string { return ActorsURL + "/" + segment(id) }

// TechniqueURL is the page of one technique.
func TechniqueURL(id string) string { return TechniquesURL + "/" + segment(id) }

// segment is a text as one part of a path. Dots alone would be taken for a way up.
func segment(s string) string {
	if strings.Trim(s, ".") == "" {
		return strings.ReplaceAll(s, ".", "%2E")
	}
	return url.PathEscape(s)
}

// shownOf is how many of n rows are shown.
func shownOf(n int, all bool) int {
	if all {
		return n
	}
	return min(n, fewRows)
}

// anyOf is the list of what one of several values selects; empty when there are
// none, or more than a filter can hold.
func anyOf(field string, values []string) string {
	t, ok := exposure.Term{}, false
	for _, v := range values {
		if next, good := term(field, v); good {
			next.Values = append(t.Values, next.Values...)
			t, ok = next, true
		}
	}
	if !ok {
		return ""
	}
	text := exposure.Filter{Terms: []exposure.Term{t}}.String()
	if _, err := exposure.ParseFilter(text); err != nil {
		return ""
	}
	return Find(text)
}

// openTechniques are those of an actor to which something is open.
func openTechniques(rows []TechniqueRow) []string {
	var ids []string
	for _, r := range rows {
		if r.Findings > 0 {
			ids = append(ids, r.ID)
		}
	}
	return ids
}

// usedAndOpen are the techniques of those who target the organisation to which
// something is open.
func usedAndOpen(rows []TechniqueRow) []string {
	var ids []string
	for _, r := range rows {
		if r.Users > 0 && r.Findings > 0 {
			ids = append(ids, r.ID)
		}
	}
	return ids
}

// openExploits are the weaknesses of an actor that are open.
func openExploits(rows []ExploitRow) []string {
	var ids []string
	for _, r := range rows {
		if r.Findings > 0 {
			ids = append(ids, r.ID)
		}
	}
	return ids
}

// aimed is what of the profile an actor targets, in words.
func aimed(r *ActorRow) string {
	return cut(exposure.Profile{Sectors: r.Sectors, Countries: r.Countries}.String(), 120)
}

// against says how much is known to stand against a technique.
func against(r *TechniqueRow) string {
	var parts []string
	if n := len(r.Mitigations); n > 0 {
		parts = append(parts, plural(n, "mitigation", "mitigations"))
	}
	if n := len(r.Countermeasures); n > 0 {
		parts = append(parts, plural(n, "countermeasure", "countermeasures"))
	}
	return strings.Join(parts, ", ")
}

// usersText is how many of the actors use a technique: "4 of 9".
func usersText(users, of int) string {
	if of == 0 {
		return "–"
	}
	return fmt.Sprintf("%s of %s", number(users), number(of))
}

// packagesOf is the list of findings in packages of a kind.
func packagesOf(kind string) string { return FindTerm("pkg", "pkg:"+kind+"/*") }

// profileExample is how a profile is written.
const profileExample = `profile:
  sectors: [financial-services, technology]
  countries: [DE, CH]`
