package server

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/leeward-ctem/leeward/exposure"
	"github.com/leeward-ctem/leeward/index"
	"github.com/leeward-ctem/leeward/web"
)

// Value is a value of a field and how often it is there.
type Value struct {
	Text  string
	Count int
}

// ViewRequest saves a view.
type ViewRequest struct {
	Name    string   `json:"name" minLength:"1" maxLength:"60"`
	Filter  string   `json:"q,omitempty" maxLength:"4096"`
	Sort    string   `json:"sort,omitempty" doc:"as in the list of findings; risk when left out"`
	Reverse bool     `json:"reverse,omitempty"`
	Columns []string `json:"columns,omitempty" maxItems:"50" doc:"severity, asset, owner, epss, status, due, first_seen, tools; the usual ones when left out"`
	Shared  bool     `json:"shared,omitempty" doc:"with everybody"`
}

// View is the view that is asked for, of nobody yet.
func (r ViewRequest) View() (exposure.SavedView, error) {
	v := exposure.SavedView{
		Name: strings.TrimSpace(r.Name), Query: strings.TrimSpace(r.Filter), Sort: r.Sort, Reverse: r.Reverse,
		Columns: web.ChosenColumns(r.Columns), Shared: r.Shared,
	}
	if n := utf8.RuneCountInString(v.Name); n < 1 || n > 60 || !utf8.ValidString(v.Name) || strings.ContainsFunc(v.Name, unicode.IsControl) {
		return v, exposure.Errorf(exposure.Invalid, "give the view a name of at most 60 characters")
	}
	if _, err := exposure.ParseFilter(v.Query); err != nil {
		return v, err
	}
	if v.Sort == "risk" {
		v.Sort = ""
	}
	if v.Sort != "" && !slices.Contains(index.SortKeys(), v.Sort) {
		return v, exposure.Errorf(exposure.Invalid, "lists cannot be sorted by %q: use one of %s", v.Sort, strings.Join(index.SortKeys(), ", "))
	}
	return v, nil
}

// saveView keeps a view of the actor.
func (s *Server) saveView(ctx context.Context, r ViewRequest) (exposure.SavedView, error) {
	v, err := r.View()
	if err != nil {
		return v, err
	}
	actor := ActorOf(ctx)
	v.Account, v.Owner = actor.ID, actor.Name
	if v.Shared && actor.Role < Analyst {
		return v, exposure.Errorf(exposure.Forbidden, "sharing a view needs the role analyst, and yours is %s: keep it for yourself", actor.Role)
	}
	return v, s.Backend.SaveView(ctx, &v)
}

// removeView ends a view of the actor, or, of an administrator, a shared one.
func (s *Server) removeView(ctx context.Context, id int64) (exposure.SavedView, error) {
	actor := ActorOf(ctx)
	return s.Backend.RemoveView(ctx, id, actor.ID, actor.Role >= Admin)
}

// Completion is what may be written at a place in a filter. Places count UTF-16
// units, as browsers do.
type Completion struct {
	From int               `json:"from" doc:"a choice replaces the text from here"`
	To   int               `json:"to" doc:"to here"`
	Rows []exposure.Choice `json:"rows"`
}

// complete returns what may be written in a filter at a cursor.
func (s *Server) complete(ctx context.Context, filter string, at int) (Completion, error) {
	c, ok := exposure.CompleteFilter(filter, byteAt(filter, at))
	out := Completion{From: at, To: at, Rows: []exposure.Choice{}}
	if !ok {
		return out, nil
	}
	out.From, out.To = unitsOf(filter[:c.From]), unitsOf(filter[:c.To])
	if out.Rows = append(out.Rows, c.Choices...); c.Field == nil || c.Field.Kind != exposure.Text {
		return out, nil
	}
	what := "asset"
	switch c.Field.Field {
	case exposure.FieldAsset, exposure.FieldTool, exposure.FieldClass, exposure.FieldTechnique, exposure.FieldActor:
		what = "finding"
	case exposure.FieldOnly, exposure.FieldShared:
		what = "source"
	}
	// Those that the term has already are left out afterwards.
	values, err := s.Backend.Values(ctx, c.Field.Field, c.Typed, 2*exposure.MaxChoices)
	for _, v := range values {
		if c.Given(v.Text) || len(out.Rows) == exposure.MaxChoices {
			continue
		}
		help := fmt.Sprintf("%d %ss", v.Count, what)
		if v.Count == 1 {
			help = "1 " + what
		}
		out.Rows = append(out.Rows, c.Value(v.Text, help))
	}
	return out, err
}

// byteAt is the byte at a place of a text that is counted in UTF-16 units; -1
// outside the text and within a character.
func byteAt(text string, units int) int {
	n := 0
	for i, c := range text {
		if n == units {
			return i
		}
		n += utf16.RuneLen(c)
	}
	if n == units {
		return len(text)
	}
	return -1
}

func unitsOf(text string) (n int) {
	for _, c := range text {
		n += utf16.RuneLen(c)
	}
	return n
}
