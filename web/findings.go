package web

import (
	"strings"

	"github.com/a-h/templ"
)

// swapResults makes a link or form replace only the results, when there is a
// script.
func swapResults(link string) templ.Attributes {
	return templ.Attributes{
		"hx-get": link, "hx-target": "#results", "hx-select": "#results",
		"hx-swap": "outerHTML", "hx-push-url": "true",
	}
}

// preset is a view that needs no words.
type preset struct{ Name, Value string }

func presetViews() []preset {
	return []preset{
		{"All open", ""},
		{"Critical risk", "band:critical"},
		{"Known exploited", "kev:true"},
		{"Overdue", "is:overdue"},
		{"New this week", "is:new"},
		{"Without owner", "team:none"},
		{"Exploitable", "verdict:exploitable"},
	}
}

// picks reports whether rows can be selected.
func (p FindingsPage) picks() bool { return p.CanMove || p.CanExcept || p.CanAssign }

// findingsLink is the list with another filter and the same order and columns.
func findingsLink(p FindingsPage, filter string) string {
	return withQuery(FindingsURL, "q", filter, "sort", p.sortParameter(), "reverse", reverse(p.Reverse), "cols", p.Columns.String())
}

// presetLink is the list by a preset view, in the columns that were chosen.
func presetLink(p FindingsPage, filter string) string {
	return withQuery(FindingsURL, "q", filter, "cols", p.Columns.String())
}

// sortLink orders the list by a column, the other way round when it is so ordered.
func sortLink(p FindingsPage, key string) string {
	turn := p.sortedBy(key) && !p.Reverse
	if key == "risk" {
		key = ""
	}
	return withQuery(FindingsURL, "q", p.Query, "sort", key, "reverse", reverse(turn), "cols", p.Columns.String())
}

func moreLink(p FindingsPage) string {
	return withQuery(FindingsURL, "q", p.Query, "sort", p.sortParameter(), "reverse", reverse(p.Reverse), "cols", p.Columns.String(), "after", p.Next)
}

// usualColumns is the list as it is, in the columns that it has when nobody chose.
func usualColumns(p FindingsPage) string {
	p.Columns = nil
	return findingsLink(p, p.Query)
}

func reverse(on bool) string {
	if on {
		return "true"
	}
	return ""
}

// sortParameter is the order for the address; risk goes without saying.
func (p FindingsPage) sortParameter() string {
	if p.Sort == "risk" {
		return ""
	}
	return p.Sort
}

func (p FindingsPage) sortedBy(key string) bool {
	return p.Sort == key || p.Sort == "" && key == "risk"
}

// order is the direction for aria-sort. What is worse or newer comes first by
// nature, and names and due dates rise.
func (p FindingsPage) order(key string) string {
	falls := key == "risk" || key == "severity" || key == "epss" || key == "first_seen"
	if falls != p.Reverse {
		return "descending"
	}
	return "ascending"
}

func emptyReason(p FindingsPage) string {
	switch {
	case p.FilterError != "":
		return "The filter cannot be read, so nothing is shown rather than too much."
	case len(p.Filter.Terms) == 0:
		return "No finding is open. Findings that were fixed or excepted are still there."
	}
	return "No open finding meets all conditions. Remove one of them, or clear the filter."
}

// anyStatus widens a filter to findings of every status.
func anyStatus(query string) string { return strings.TrimSpace(query + " is:any") }

func exportName(format string) string {
	return map[string]string{"csv": "CSV for spreadsheets", "json": "JSON", "sarif": "SARIF 2.1.0"}[format]
}

// bandClass colours the values of the two facets that have colours.
func bandClass(field, value string) string {
	if field == "band" || field == "sev" {
		return value
	}
	return "plain"
}

func facetLabel(field, value string) string {
	switch field {
	case "band", "sev", "status", "verdict", "reach", "kind", "type":
		return words(value)
	case "team":
		if value == "none" {
			return "No owner"
		}
	case "tier":
		return "Tier " + value
	case "kev", "exploit", "ransomware", "scored", "demo":
		if value == "true" {
			return "Yes"
		}
		return "No"
	}
	return value
}
