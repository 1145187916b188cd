package cli

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/leeward-ctem/leeward/exposure"
	"github.com/leeward-ctem/leeward/server"
)

// Views returns the saved views that an account sees, its own first.
func (a *app) Views(ctx context.Context, account int64) ([]exposure.SavedView, error) {
	return a.db.Views(ctx, account)
}

// SaveView keeps a view in place of the account's one of the same name.
func (a *app) SaveView(ctx context.Context, v *exposure.SavedView) error {
	v.Created = a.now().UnixMilli()
	return a.db.SaveView(ctx, v)
}

// RemoveView ends a view of an account, or, with others, one that is shared.
func (a *app) RemoveView(ctx context.Context, id, account int64, others bool) (exposure.SavedView, error) {
	return a.db.RemoveView(ctx, id, account, others)
}

// Values returns the values of a text field that hold part.
func (a *app) Values(_ context.Context, field exposure.Field, part string, limit int) ([]server.Value, error) {
	var all []server.Value
	for _, v := range a.ix.View().Values(field, part, limit) {
		all = append(all, server.Value(v))
	}
	return all, nil
}

// noAccount is whose views those of the command line are.
const noAccount = 0

type viewsCmd struct {
	List   viewsListCmd   `cmd:"" default:"1" help:"List the views of the command line, and those that others share."`
	Save   viewsSaveCmd   `cmd:"" help:"Save a view, in place of the one of the same name."`
	Remove viewsRemoveCmd `cmd:"" help:"Remove a view of the command line, or one that somebody shares."`
}

type viewsListCmd struct{}

func (viewsListCmd) Run(ctx context.Context, r *run) error {
	h, done, err := r.house(ctx)
	if err != nil {
		return err
	}
	defer done()
	all, err := h.Views(ctx, noAccount)
	if err != nil {
		return err
	}
	t := r.table("ID\tNAME\tOWNER\tSHARED\tORDER\tFILTER")
	for _, v := range all {
		order := orElse(v.Sort, "risk")
		if v.Reverse {
			order += ", reversed"
		}
		if err := t.row(v, "%d\t%s\t%s\t%s\t%s\t%s\n", v.ID, printable(v.Name), clip(v.Owner, 20), mark(v.Shared), order, printable(v.Query)); err != nil {
			return err
		}
	}
	return t.end("No view is saved yet. Save one with `leeward views save NAME FILTER`.", "")
}

type viewsSaveCmd struct {
	Name    string   `arg:"" help:"Name of the view."`
	Filter  []string `arg:"" optional:"" help:"Filter, as in: sev:critical kev:true; all that is open without one."`
	Shared  bool     `help:"Let everybody see it; without, only commands do."`
	Sort    string   `help:"Order, as of leeward findings; risk when not given." placeholder:"ORDER"`
	Reverse bool     `help:"Against the natural order."`
	Columns []string `help:"Columns of the list in the browser: ${enum}." enum:"severity,asset,owner,epss,status,due,first_seen,tools" placeholder:"NAME"`
}

func (c *viewsSaveCmd) Run(ctx context.Context, r *run) error {
	v, err := server.ViewRequest{Name: c.Name, Filter: joinWords(c.Filter), Sort: c.Sort, Reverse: c.Reverse, Columns: c.Columns, Shared: c.Shared}.View()
	if err != nil {
		return err
	}
	v.Account, v.Owner = noAccount, exposure.CommandLine
	h, done, err := r.house(ctx)
	if err != nil {
		return err
	}
	defer done()
	if err := h.SaveView(ctx, &v); err != nil {
		return err
	}
	if r.JSON {
		return newEncoder(r.Out).Encode(v)
	}
	who := ""
	if v.Shared {
		who = ", and everybody sees it"
	}
	_, err = fmt.Fprintf(r.Out, "View %d, %s, is saved%s.\nOpen it with `leeward findings --view %d`.\n", v.ID, strconv.Quote(v.Name), who, v.ID)
	return err
}

type viewsRemoveCmd struct {
	View string `arg:"" help:"Name or number of the view."`
}

func (c *viewsRemoveCmd) Run(ctx context.Context, r *run) error {
	h, done, err := r.house(ctx)
	if err != nil {
		return err
	}
	defer done()
	v, err := viewNamed(ctx, h, c.View)
	if err != nil {
		return err
	}
	if v, err = h.RemoveView(ctx, v.ID, noAccount, true); err != nil {
		return err
	}
	if r.JSON {
		return newEncoder(r.Out).Encode(v)
	}
	whose := ""
	if v.Owner != exposure.CommandLine {
		whose = " which " + printable(v.Owner) + " shared,"
	}
	_, err = fmt.Fprintf(r.Out, "View %d, %s,%s is removed.\n", v.ID, strconv.Quote(v.Name), whose)
	return err
}

// viewNamed finds a view by its number or name. The number comes first, so that
// a view whose name is a number hides no other. Of several of one name the
// command line's own is meant.
func viewNamed(ctx context.Context, h house, text string) (exposure.SavedView, error) {
	all, err := h.Views(ctx, noAccount)
	if err != nil {
		return exposure.SavedView{}, err
	}
	if id, err := strconv.ParseInt(text, 10, 64); err == nil {
		if i := slices.IndexFunc(all, func(v exposure.SavedView) bool { return v.ID == id }); i >= 0 {
			return all[i], nil
		}
	}
	var found []exposure.SavedView
	for _, v := range all {
		if v.Name == strings.TrimSpace(text) {
			found = append(found, v)
		}
	}
	switch {
	case len(found) == 0:
		return exposure.SavedView{}, exposure.Errorf(exposure.NotFound, "there is no saved view %q: `leeward views` lists those there are", text)
	case len(found) > 1 && found[0].Owner != exposure.CommandLine:
		return exposure.SavedView{}, exposure.Errorf(exposure.Conflict, "%d people share a view %q: give the number that `leeward views` shows", len(found), text)
	}
	return found[0], nil
}
