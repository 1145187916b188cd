package cli

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/leeward-ctem/leeward/exposure"
	"github.com/leeward-ctem/leeward/server"
	"github.com/leeward-ctem/leeward/web"
)

type exceptionsCmd struct {
	List    exceptionsListCmd    `cmd:"" default:"withargs" help:"List the exceptions that wait for approval or are in force."`
	Request exceptionsRequestCmd `cmd:"" help:"Ask to live with findings for a while; somebody else approves it."`
	Approve exceptionsApproveCmd `cmd:"" help:"Put an exception in force that somebody with an account asked for."`
	End     exceptionsEndCmd     `cmd:"" help:"End an exception, refuse it, or withdraw it."`
}

type exceptionsListCmd struct {
	All bool `help:"Those that ended or were refused, too."`
}

func (c *exceptionsListCmd) Run(ctx context.Context, r *run) error {
	h, done, err := r.house(ctx)
	if err != nil {
		return err
	}
	defer done()
	all, err := h.Exceptions(ctx, c.All)
	if err != nil {
		return err
	}
	t := r.table("ID\tSTATE\tFINDINGS\tUNTIL\tASKED BY\tAPPROVED BY\tREASON")
	for _, e := range all {
		if err := t.row(e, "%d\t%s\t%d\t%s\t%s\t%s\t%s\n", e.ID, exceptionState(&e, r.Now()), e.Count, dateAt(e.Expires), clip(e.Requester, 20), clip(orElse(e.Approver, "–"), 20), clip(oneLine(e.Reason), 60)); err != nil {
			return err
		}
	}
	empty := "No exception waits for approval or is in force. Ask for one with `leeward exceptions request FILTER`; --all lists ended ones too."
	if c.All {
		empty = "There is no exception yet. Ask for one with `leeward exceptions request FILTER`."
	}
	return t.end(empty, "")
}

func exceptionState(e *exposure.Exception, now time.Time) string {
	switch {
	case e.Ended != 0 && e.Approved == 0:
		return "refused"
	case e.Ended != 0:
		return "ended"
	case e.Expires <= now.UnixMilli():
		return "expired"
	case e.Approved == 0:
		return "waits"
	}
	return "in force"
}

// dateAt is the day of unix milliseconds, as an RFC 3339 date.
func dateAt(ms int64) string { return time.UnixMilli(ms).UTC().Format(time.DateOnly) }

// oneLine is a text of several lines in one.
func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }

type exceptionsRequestCmd struct {
	choice
	Reason string `help:"Why one can live with them." required:"" placeholder:"TEXT"`
	Until  string `help:"Day on which it ends, within the next year." required:"" placeholder:"DATE"`
}

func (c *exceptionsRequestCmd) Run(ctx context.Context, r *run) error {
	by, err := c.read()
	if err != nil {
		return err
	}
	q := server.ExceptionRequest{IDs: by.ids, Filter: by.filter, Expires: strings.TrimSpace(c.Until), Actor: exposure.CommandLine}
	if q.Reason, err = reasonText(c.Reason, minText); err != nil {
		return err
	}
	if _, err := exceptionEnd(q.Expires, r.Now()); err != nil {
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
	e, err := h.RequestException(ctx, q)
	if err != nil {
		return err
	}
	return r.decided(requested{e}, e.Undo)
}

// requested is an exception that was asked for, in words.
type requested struct{ server.Requested }

func (e requested) String() string {
	return fmt.Sprintf("Exception %d for %s until %s waits for the approval of somebody else.", e.ID, web.Plural(e.Count, "finding", "findings"), dateAt(e.Expires))
}

type exceptionsApproveCmd struct {
	Number int64 `arg:"" help:"Number of the exception, as leeward exceptions lists it."`
}

func (c *exceptionsApproveCmd) Run(ctx context.Context, r *run) error {
	h, e, done, err := r.exception(ctx, c.Number)
	if err != nil {
		return err
	}
	defer done()
	if err := h.ApproveException(ctx, e.ID, exposure.CommandLine); err != nil {
		return err
	}
	if e, err = exceptionNumbered(ctx, h, e.ID); err != nil {
		return err
	}
	if r.JSON {
		return newEncoder(r.Out).Encode(e)
	}
	_, err = fmt.Fprintf(r.Out, "Exception %d is in force until %s.\nEnd it with `leeward exceptions end %[1]d`.\n", e.ID, dateAt(e.Expires))
	return err
}

type exceptionsEndCmd struct {
	Number int64  `arg:"" help:"Number of the exception, as leeward exceptions lists it."`
	Reason string `help:"Why, for the log." placeholder:"TEXT"`
}

func (c *exceptionsEndCmd) Run(ctx context.Context, r *run) error {
	reason, err := reasonText(c.Reason, 0)
	if err != nil {
		return err
	}
	h, e, done, err := r.exception(ctx, c.Number)
	if err != nil {
		return err
	}
	defer done()
	res, err := h.EndException(ctx, e.ID, exposure.CommandLine, reason)
	switch {
	case err != nil:
		return err
	case res.Undo == 0: // since it was looked up
		return endedAlready(e.ID)
	}
	return r.decided(ended{res, &e}, res.Undo)
}

// ended is what ending an exception came to, in words.
type ended struct {
	server.Ended
	was *exposure.Exception
}

func (e ended) String() string {
	switch {
	case e.was.Approved == 0 && e.was.Requester == exposure.CommandLine:
		return fmt.Sprintf("Exception %d is withdrawn.", e.was.ID)
	case e.was.Approved == 0:
		return fmt.Sprintf("Exception %d is refused.", e.was.ID)
	}
	return fmt.Sprintf("Exception %d has ended: %s open again.", e.was.ID, web.Plural(e.Moved, "finding is", "findings are"))
}

// exception looks up an exception that has not ended, for a decision on it, and
// says what it is about.
func (r *run) exception(ctx context.Context, number int64) (h house, e exposure.Exception, done func(), err error) {
	if number < 1 {
		return nil, e, nil, exposure.Errorf(exposure.NotFound, "there is no exception %d: give the number that `leeward exceptions` lists", number)
	}
	h, done, err = r.house(ctx)
	if err != nil {
		return nil, e, nil, err
	}
	if e, err = exceptionNumbered(ctx, h, number); err == nil && e.Ended != 0 {
		err = endedAlready(number)
	}
	if err != nil {
		done()
		return nil, e, nil, err
	}
	if !r.JSON {
		fmt.Fprintf(r.Err, "This concerns exception %d of %s, for %s until %s: %s\n", e.ID, printable(e.Requester), web.Plural(e.Count, "finding", "findings"), dateAt(e.Expires), printable(oneLine(e.Reason)))
	}
	return h, e, done, nil
}

func exceptionNumbered(ctx context.Context, h house, number int64) (exposure.Exception, error) {
	all, err := h.Exceptions(ctx, true)
	if err != nil {
		return exposure.Exception{}, err
	}
	i := slices.IndexFunc(all, func(e exposure.Exception) bool { return e.ID == number })
	if i < 0 {
		return exposure.Exception{}, exposure.Errorf(exposure.NotFound, "there is no exception %d: `leeward exceptions` lists those there are", number)
	}
	return all[i], nil
}

func endedAlready(number int64) error {
	return exposure.Errorf(exposure.Conflict, "exception %d has ended already", number)
}
