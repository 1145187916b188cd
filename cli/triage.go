package cli

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/leeward-ctem/leeward/exposure"
	"github.com/leeward-ctem/leeward/server"
	"github.com/leeward-ctem/leeward/web"
)

// choice is which findings a decision is about, and whether it is only looked at.
type choice struct {
	Filter []string `arg:"" optional:"" help:"Filter of the findings, as in: sev:low asset:lab-*; or their numbers, as in: F-12 F-13."`
	DryRun bool     `help:"Say how much it concerns and change nothing."`
}

// chosen are findings by their numbers, or all that match a filter.
type chosen struct {
	ids    []string
	filter string
}

// Numbers of findings, one or several, as in F-12,F-13.
var findingNumbers = regexp.MustCompile(`^(?i:F-[0-9]+)(,(?i:F-[0-9]+))*$`)

// read reads the arguments, before anything is opened.
func (c *choice) read() (chosen, error) {
	var by chosen
	filter := strings.TrimSpace(joinWords(c.Filter))
	words := strings.Fields(filter)
	if len(words) == 0 {
		return by, exposure.Errorf(exposure.Invalid, "say which findings are meant by a filter, as in sev:low asset:lab-*, or by their numbers, as in F-12; is:any means all findings")
	}
	numbers := slices.DeleteFunc(slices.Clone(words), func(w string) bool { return !findingNumbers.MatchString(w) })
	switch {
	case len(numbers) == 0:
		by.filter = filter
		_, err := exposure.ParseFilter(filter)
		return by, err
	case len(numbers) < len(words):
		return by, exposure.Errorf(exposure.Invalid, "%s is beside a filter: give numbers alone, or write id:%[1]s into the filter", numbers[0])
	}
	var ids []exposure.FindingID
	for text := range strings.SplitSeq(strings.Join(words, ","), ",") {
		id, err := exposure.ParseFindingID(text)
		if err != nil {
			return by, err
		}
		ids = append(ids, id)
	}
	slices.Sort(ids)
	for _, id := range slices.Compact(ids) {
		by.ids = append(by.ids, id.String())
	}
	return by, nil
}

// idsAsked is how many findings by number are asked for at once: a filter is
// at most 4 KiB long.
const idsAsked = 250

// concerned counts what a decision is about. Findings by number are meant
// whatever their status; one that is not there is an error, and so is a filter
// that matches nothing.
func (by *chosen) concerned(ctx context.Context, h house) (n server.Concerned, err error) {
	if by.filter != "" {
		if n, err = h.Concerned(ctx, by.filter); err == nil && n.Findings == 0 {
			err = exposure.Errorf(exposure.NotFound, "nothing matches the filter, so there is nothing to decide: try it with `leeward findings`; is:any finds what is closed too")
		}
		return n, err
	}
	assets, teams := map[exposure.AssetID]bool{}, map[string]bool{}
	for part := range slices.Chunk(by.ids, idsAsked) {
		p, err := h.Findings(ctx, server.FindingQuery{Filter: "is:any id:" + strings.Join(part, ","), Limit: idsAsked})
		if err != nil {
			return n, err
		}
		found := map[string]bool{}
		for _, f := range p.Rows {
			found[f.ID], assets[f.AssetID] = true, true
			if f.Owner != "" {
				teams[f.Owner] = true
			}
		}
		for _, id := range part {
			if !found[id] {
				return n, exposure.Errorf(exposure.NotFound, "there is no finding %s", id)
			}
		}
		n.Findings += len(part)
	}
	n.Assets, n.Teams = len(assets), len(teams)
	return n, nil
}

// concerns says how much a decision is about, before it is made. It is not to
// be made when more is false.
func (r *run) concerns(ctx context.Context, h house, by chosen, dry bool) (n server.Concerned, more bool, err error) {
	n, err = by.concerned(ctx, h)
	switch {
	case err != nil:
		return n, false, err
	case dry && r.JSON:
		return n, false, newEncoder(r.Out).Encode(n)
	case dry:
		_, err = fmt.Fprintf(r.Out, "This would concern %s. Nothing was changed.\n", n)
		return n, false, err
	case !r.JSON:
		fmt.Fprintf(r.Err, "This concerns %s.\n", n)
	}
	return n, true, nil
}

// moveCmd is what the commands share that move findings through their life.
type moveCmd struct {
	choice
	Reason string `help:"Why, for the log." placeholder:"TEXT"`
}

type triageCmd struct{ moveCmd }

func (c *triageCmd) Run(ctx context.Context, r *run) error {
	return c.move(ctx, r, exposure.CauseTriage)
}

type claimCmd struct{ moveCmd }

func (c *claimCmd) Run(ctx context.Context, r *run) error {
	return c.move(ctx, r, exposure.CauseClaim)
}

func (c *moveCmd) move(ctx context.Context, r *run, cause exposure.Cause) error {
	by, err := c.read()
	if err != nil {
		return err
	}
	reason, err := reasonText(c.Reason, 0)
	if err != nil {
		return err
	}
	h, done, err := r.house(ctx)
	if err != nil {
		return err
	}
	defer done()
	n, more, err := r.concerns(ctx, h, by, c.DryRun)
	if err != nil || !more {
		return err
	}
	m, err := h.Move(ctx, server.MoveRequest{IDs: by.ids, Filter: by.filter, Cause: cause.String(), Reason: reason, Actor: exposure.CommandLine})
	if err != nil {
		return err
	}
	return r.decided(moved{m, cause, n.Findings}, m.Undo)
}

// moved is what became of a move, in words.
type moved struct {
	server.Moved
	cause exposure.Cause
	of    int // findings that it was about
}

func (m moved) String() string {
	n, what, then := m.Moved.Moved, "triaged", ""
	if m.cause == exposure.CauseClaim {
		what, then = "claimed fixed", " A later scan that covers them decides."
	}
	switch {
	case n == 0:
		return "Nothing moved: none of them is in a state that allows it."
	case n < m.of:
		return fmt.Sprintf("%d of %d findings are %s: the rest is in no state that allows it.%s", n, m.of, what, then)
	}
	return web.Plural(n, "finding is ", "findings are ") + what + "." + then
}

// The bounds of texts, in characters, as in the API.
const (
	maxReason   = 2000
	minText     = 3 // of what is not optional
	maxEvidence = 16_000
)

// reasonText checks a reason as a person typed it.
func reasonText(typed string, least int) (string, error) {
	reason := strings.TrimSpace(typed)
	switch n := utf8.RuneCountInString(reason); {
	case n < least:
		return "", exposure.Errorf(exposure.Invalid, "say why: the reason has at least %d characters", least)
	case n > maxReason:
		return "", exposure.Errorf(exposure.Invalid, "the reason has at most %d characters", maxReason)
	}
	return reason, nil
}
