package cli

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"unicode"

	"github.com/leeward-ctem/leeward/exposure"
	"github.com/leeward-ctem/leeward/index"
	"github.com/leeward-ctem/leeward/server"
	"github.com/leeward-ctem/leeward/store"
)

// decisionPart is how many findings or assets one transaction of a decision
// changes, so that the write lock is never held for long.
const decisionPart = 5000

// Move moves findings through their life on a person's word.
func (a *app) Move(ctx context.Context, m server.MoveRequest) (server.Moved, error) {
	var moved server.Moved
	var cause exposure.Cause
	if err := cause.UnmarshalText([]byte(m.Cause)); err != nil {
		return moved, err
	}
	d := exposure.Decision{At: a.now().UnixMilli(), Actor: m.Actor}
	switch cause {
	case exposure.CauseTriage:
		d.Kind = exposure.DecisionTriage
	case exposure.CauseClaim:
		d.Kind = exposure.DecisionClaim
	default:
		return moved, exposure.Errorf(exposure.Invalid, "a person may triage findings or claim them fixed; %s is for scans and approvals", cause)
	}
	ids, err := a.named(ctx, m.IDs, m.Filter)
	if err != nil {
		return moved, err
	}
	reason := a.im.Redact(m.Reason)
	for part := range slices.Chunk(ids, decisionPart) {
		err := a.db.Write(ctx, func(tx *store.Tx) error {
			n, err := tx.DecideMove(ctx, &d, part, reason)
			moved.Moved += n
			return err
		})
		if err != nil {
			return moved, err
		}
	}
	moved.Undo = d.ID
	a.tell("moved", moved.Moved)
	return moved, a.ix.CatchUp(ctx, a.db)
}

// Assign gives assets to an owner, over whatever the programme says.
func (a *app) Assign(ctx context.Context, r server.AssignRequest) (server.Assigned, error) {
	var done server.Assigned
	v := a.ix.View()
	owner, err := ownerName(r.Owner)
	if err != nil {
		return done, err
	}
	done.Owner = v.Owner(owner)
	if r.Owner != "" && owner == "" {
		return done, exposure.Errorf(exposure.Invalid, "name the owner, or leave it empty to go back to what the programme says")
	}
	ids := slices.Clone(r.Assets)
	for _, id := range ids {
		if v.Asset(id) == nil {
			return done, exposure.Errorf(exposure.NotFound, "there is no asset %d", id)
		}
	}
	if len(ids) == 0 {
		findings, err := a.named(ctx, r.IDs, r.Filter)
		if err != nil {
			return done, err
		}
		for _, id := range findings {
			if row, ok := v.Row(id); ok {
				ids = append(ids, row.Asset)
			}
		}
	}
	slices.Sort(ids)
	reason := a.im.Redact(r.Reason)
	d := exposure.Decision{At: a.now().UnixMilli(), Actor: r.Actor, Kind: exposure.DecisionAssign, Owner: done.Owner}
	for part := range slices.Chunk(slices.Compact(ids), decisionPart) {
		err := a.db.Write(ctx, func(tx *store.Tx) error {
			n, err := tx.Assign(ctx, &d, part, reason)
			done.Assets += n
			return err
		})
		if err != nil {
			return done, err
		}
	}
	done.Undo = d.ID
	a.tell("moved", done.Assets)
	return done, a.ix.CatchUp(ctx, a.db)
}

// maxOwner is how many bytes the name of an owner has at most, as in the
// programme file.
const maxOwner = 200

// ownerName is the name of an owner as a person typed it, without space around.
func ownerName(typed string) (string, error) {
	name := strings.Join(strings.Fields(typed), " ")
	switch {
	case len(name) > maxOwner:
		return "", exposure.Errorf(exposure.Invalid, "the name of an owner has at most %d bytes", maxOwner)
	case strings.ContainsFunc(name, func(r rune) bool { return !unicode.IsPrint(r) }):
		return "", exposure.Errorf(exposure.Invalid, "the name of an owner is made of letters, digits and signs that can be seen")
	case strings.EqualFold(name, "none"):
		return "", exposure.Errorf(exposure.Invalid, "none means that nobody owns it: leave the owner empty to go back to what the programme says")
	}
	return name, nil
}

// maxOwners bounds the list of owners that a page offers.
const maxOwners = 100

// Owners lists the names of known owners: those of the programme, which may own
// nothing yet, and those of assets.
func (a *app) Owners(context.Context) ([]string, error) {
	all := a.ix.View().Owners()
	p, _ := a.inForce()
	for _, s := range p.Services {
		all = append(all, s.Owner)
	}
	for _, r := range p.Assets {
		all = append(all, r.Owner)
	}
	less := func(x, y string) int { return strings.Compare(strings.ToLower(x), strings.ToLower(y)) }
	slices.SortStableFunc(all, less)
	all = slices.CompactFunc(all, strings.EqualFold)
	all = slices.DeleteFunc(all, func(name string) bool { return name == "" })
	return all[:min(len(all), maxOwners)], nil
}

// Concerned counts what a filter selects.
func (a *app) Concerned(ctx context.Context, filter string) (server.Concerned, error) {
	var c server.Concerned
	v := a.ix.View()
	f, err := a.filter(ctx, v, filter)
	if err != nil {
		return c, err
	}
	assets, teams := map[exposure.AssetID]bool{}, map[string]bool{}
	err = v.All(f, a.today(), func(r index.Row) bool {
		c.Findings++
		if assets[r.Asset] {
			return true
		}
		assets[r.Asset] = true
		if asset := v.Asset(r.Asset); asset != nil && asset.Context.Owner != "" {
			teams[asset.Context.Owner] = true
		}
		return true
	})
	c.Assets, c.Teams = len(assets), len(teams)
	return c, err
}

// Undo takes back a decision, a part at a time. One that broke off midway can
// be asked for again and goes on where it was.
func (a *app) Undo(ctx context.Context, r server.UndoRequest) (server.Undone, error) {
	var done server.Undone
	d, err := a.db.Decision(ctx, r.Number)
	if err != nil {
		return done, err
	}
	done.Kind = d.Kind
	least := server.Analyst
	if d.Kind != exposure.DecisionTriage && d.Kind != exposure.DecisionAssign {
		least = server.Owner
	}
	if r.Role < least {
		return done, exposure.Errorf(exposure.Forbidden, "taking this back needs the role %s, and yours is %s", least, r.Role)
	}
	for more := true; more; {
		err := a.db.Write(ctx, func(tx *store.Tx) error {
			u, err := tx.Undo(ctx, r.Number, r.Actor, a.now().UnixMilli())
			done.Back, done.Of, more = done.Back+u.Back, done.Of+u.Of, u.More
			return err
		})
		if err != nil {
			return done, err
		}
	}
	a.tell("moved", done.Back)
	return done, a.ix.CatchUp(ctx, a.db)
}

type assignCmd struct {
	Filter []string `arg:"" optional:"" help:"Filter of the findings whose assets are meant, as in: team:none asset:web-*; or their numbers."`
	Owner  string   `help:"Who owns them from now on, whatever the programme says." required:"" xor:"owner" placeholder:"NAME"`
	None   bool     `help:"Forget whom somebody assigned them to: the programme decides again." required:"" xor:"owner"`
	Reason string   `help:"Why, for the log." placeholder:"TEXT"`
	DryRun bool     `help:"Say how much it concerns and change nothing."`
}

func (c *assignCmd) Run(ctx context.Context, r *run) error {
	q := server.AssignRequest{Actor: exposure.CommandLine}
	by, err := c.check(&q)
	if err != nil {
		return err
	}
	h, done, err := r.house(ctx)
	if err != nil {
		return err
	}
	defer done()
	if _, more, err := r.concerns(ctx, h, by, c.DryRun); err != nil || !more {
		return err
	}
	res, err := h.Assign(ctx, q)
	if err != nil {
		return err
	}
	return r.decided(res, res.Undo)
}

// check reads the flags into a request, before anything is opened.
func (c *assignCmd) check(q *server.AssignRequest) (by chosen, err error) {
	switch name := strings.TrimSpace(c.Owner); {
	case strings.EqualFold(name, "none"), name == "" && !c.None:
		return by, exposure.Errorf(exposure.Invalid, "name the owner, or use --none to go back to what the programme says")
	case strings.TrimSpace(joinWords(c.Filter)) == "":
		return by, exposure.Errorf(exposure.Invalid, "say whose assets are meant by a filter of findings, as in team:none; is:any means those of all findings")
	}
	if q.Reason, err = reasonText(c.Reason, 0); err != nil {
		return by, err
	}
	if q.Owner, err = ownerName(c.Owner); err != nil {
		return by, err
	}
	if by, err = (&choice{Filter: c.Filter}).read(); err != nil {
		return by, err
	}
	q.IDs, q.Filter = by.ids, by.filter
	return by, nil
}

// decided prints what became of a decision, and how to take it back.
func (r *run) decided(done fmt.Stringer, undo int64) error {
	if r.JSON {
		return newEncoder(r.Out).Encode(done)
	}
	text := printable(done.String()) + "\n"
	if undo != 0 {
		text += fmt.Sprintf("Take it back with `leeward undo %d`.\n", undo)
	}
	_, err := fmt.Fprint(r.Out, text)
	return err
}

type undoCmd struct {
	Number int64 `arg:"" help:"Number that the decision printed."`
}

func (c *undoCmd) Run(ctx context.Context, r *run) error {
	if c.Number < 1 {
		return exposure.Errorf(exposure.NotFound, "there is no decision %d: give the number that the decision printed", c.Number)
	}
	h, done, err := r.house(ctx)
	if err != nil {
		return err
	}
	defer done()
	u, err := h.Undo(ctx, server.UndoRequest{Number: c.Number, Actor: exposure.CommandLine, Role: server.Admin})
	if err != nil {
		return err
	}
	return r.decided(u, 0)
}
