package web

import (
	"slices"
	"strconv"

	"github.com/leeward-ctem/leeward/exposure"
)

// The paths of saved views and of what completes a filter.
const (
	ViewsURL    = "/findings/views"
	CompleteURL = "/findings/complete"
)

// SavedView is a view as its viewer sees it.
type SavedView struct {
	exposure.SavedView
	Own       bool
	CanRemove bool
}

// Link opens the view.
func (v SavedView) Link() string {
	return withQuery(FindingsURL, "q", v.Query, "sort", v.Sort, "reverse", reverse(v.Reverse), "cols", columns(v.Columns).String())
}

// RemoveViewURL is where a view is removed.
func RemoveViewURL(id int64) string { return ViewsURL + "/" + strconv.FormatInt(id, 10) + "/remove" }

// shownViews bounds how many views of a sort stand beside the presets. All are
// in the menu.
const shownViews = 12

// tabs are the saved views that stand beside the presets: one's own, then
// those that are shared.
func (p FindingsPage) tabs() []SavedView {
	var all []SavedView
	for _, own := range []bool{true, false} {
		n := 0
		for _, v := range p.Views {
			if v.Own == own && n < shownViews {
				all, n = append(all, v), n+1
			}
		}
	}
	return all
}

// open returns the saved view that is shown, one's own first; nil: none is.
func (p FindingsPage) open() *SavedView {
	i := slices.IndexFunc(p.Views, func(v SavedView) bool {
		return v.Query == p.Query && v.Sort == p.sortParameter() && v.Reverse == p.Reverse && slices.Equal(v.Columns, p.Columns)
	})
	if i < 0 {
		return nil
	}
	return &p.Views[i]
}

// isOpen reports whether it is this view that is shown.
func (p FindingsPage) isOpen(v SavedView) bool {
	open := p.open()
	return open != nil && open.ID == v.ID
}

// suggestedName is the name of one's own view that is shown, so that saving it
// again is no more than a click.
func (p FindingsPage) suggestedName() string {
	if v := p.open(); v != nil && v.Own {
		return v.Name
	}
	return ""
}
