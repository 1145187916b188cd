package web

import (
	"slices"
	"strings"
)

// column is one that people may choose in the list of findings. Risk and the
// finding itself are always there.
type column struct {
	name  string // in the address
	label string
	sort  string // what orders by it; empty: nothing does
	class string
	room  string // class that hides it where there is no room, unless it was chosen
}

// listColumns are all of them, in the order of the list.
func listColumns() []column {
	return []column{
		{"severity", "Severity", "severity", "", "col-2"},
		{"asset", "Asset", "asset", "asset", "col-1"},
		{"owner", "Owner", "team", "owner", "col-2"},
		{"epss", "EPSS", "epss", "num", "col-3"},
		{"status", "Status", "status", "", "col-4"},
		{"due", "Due", "due", "num", ""},
		{"first_seen", "First seen", "first_seen", "num", "col-5"},
		{"tools", "Tools", "", "tools", ""},
	}
}

// ChosenColumns reads names of columns, also several with commas between, and
// returns those that there are, in the order of the list. None: the usual ones.
func ChosenColumns(names []string) []string {
	var known []string
	all := strings.Split(strings.Join(names, ","), ",")
	for _, c := range listColumns() {
		if slices.Contains(all, c.name) {
			known = append(known, c.name)
		}
	}
	return known
}

// columns are the names of those that a list shows; none: the usual ones,
// which make room on narrow screens. What somebody chose is always shown, if
// need be by scrolling.
type columns []string

func (cs columns) chosen() bool { return len(cs) > 0 }

func (cs columns) has(name string) bool {
	if !cs.chosen() {
		return name != "tools"
	}
	return slices.Contains(cs, name)
}

// shown are the columns of a list.
func (cs columns) shown() []column {
	return slices.DeleteFunc(listColumns(), func(c column) bool { return !cs.has(c.name) })
}

// class is that of a column's cells in this list.
func (cs columns) class(c column) string {
	if cs.chosen() || c.room == "" {
		return c.class
	}
	return strings.TrimSpace(c.class + " " + c.room)
}

// String is how the address names them.
func (cs columns) String() string { return strings.Join(cs, ",") }
