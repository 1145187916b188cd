package cli

import (
	"context"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/leeward-ctem/leeward/exposure"
	"github.com/leeward-ctem/leeward/guard"
	"github.com/leeward-ctem/leeward/scope"
	"github.com/leeward-ctem/leeward/server"
)

type engagementCmd struct {
	List     engagementListCmd     `cmd:"" default:"withargs" help:"List rules of engagement and how they stand."`
	Show     engagementShowCmd     `cmd:"" help:"Print one engagement: its rules, how they stand, what has to be proved."`
	Add      engagementAddCmd      `cmd:"" help:"Add rules of engagement from a file, or put them in place of others; somebody else approves them."`
	Approve  engagementApproveCmd  `cmd:"" help:"Approve rules that somebody with an account wrote."`
	Withdraw engagementWithdrawCmd `cmd:"" help:"Withdraw an engagement for good: what it allows ends at once."`
	Prove    engagementProveCmd    `cmd:"" help:"Look for the token that shows who owns a public target."`
	Template engagementTemplateCmd `cmd:"" help:"Print rules to begin with, with what each line means."`
}

type engagementListCmd struct {
	All bool `help:"Those that expired or were withdrawn, too."`
}

func (c *engagementListCmd) Run(ctx context.Context, r *run) error {
	h, done, err := r.house(ctx)
	if err != nil {
		return err
	}
	defer done()
	all, err := h.Engagements(ctx)
	if err != nil {
		return err
	}
	t := r.table("ID\tSTATE\tLEVEL\tTARGETS\tUNTIL\tOWNER\tNAME")
	for i := range all {
		e := &all[i]
		if !c.All && (e.State == string(guard.Expired) || e.State == string(guard.Withdrawn)) {
			continue
		}
		if err := t.row(e, "%d\t%s\t%s\t%s\t%s\t%s\t%s\n", e.ID, stateWord(e), e.Level, clip(strings.Join(e.Targets, ", "), 40), e.Expires.UTC().Format(time.DateOnly), clip(e.Owner, 20), clip(e.Name, 40)); err != nil {
			return err
		}
	}
	return t.end("Nothing may be sent: no rules of engagement hold. Write some with `leeward engagement template > rules.yaml`, then `leeward engagement add rules.yaml`.", "")
}

// stateWord is how an engagement stands, in a word or two.
func stateWord(e *server.EngagementRow) string {
	if e.Halted != "" {
		return "stopped"
	}
	return strings.ReplaceAll(e.State, "_", " ")
}

type engagementShowCmd struct {
	Number int64 `arg:"" help:"Number of the engagement, as leeward engagement lists it."`
}

func (c *engagementShowCmd) Run(ctx context.Context, r *run) error {
	h, done, err := r.house(ctx)
	if err != nil {
		return err
	}
	defer done()
	d, err := h.Engagement(ctx, c.Number)
	if err != nil {
		return err
	}
	return r.showEngagement(&d)
}

func (r *run) showEngagement(d *server.EngagementDetail) error {
	if r.JSON {
		return newEncoder(r.Out).Encode(d)
	}
	var b strings.Builder
	fmt.Fprintf(&b, "# Engagement %d, version %d, written by %s: %s\n%s", d.ID, d.Version, d.Author, stateWord(&d.EngagementRow), d.Text)
	for _, why := range d.Against {
		fmt.Fprintf(&b, "# Nothing is sent now: %s\n", oneLine(why))
	}
	for _, a := range d.Approvals {
		if guard.Approved(&d.Engagement, a) {
			fmt.Fprintf(&b, "# Approved by %s at %s\n", a.By, a.At.UTC().Format(time.RFC3339))
		}
	}
	for _, p := range d.Proofs {
		fmt.Fprintf(&b, "# Ownership of %s was proved (%s) at %s\n", p.Target, p.Method, p.At.UTC().Format(time.RFC3339))
	}
	for _, x := range d.Challenges {
		fmt.Fprintf(&b, "# Prove %s: publish %s", x.Target, x.Token)
		if x.Record != "" {
			fmt.Fprintf(&b, " as TXT record of %s, or", x.Record)
		}
		fmt.Fprintf(&b, " at %s; then `leeward engagement prove %d %s`\n", x.Path, d.ID, x.Target)
	}
	for line := range strings.Lines(b.String()) {
		if _, err := fmt.Fprintln(r.Out, printable(strings.TrimSuffix(line, "\n"))); err != nil {
			return err
		}
	}
	return nil
}

type engagementAddCmd struct {
	File string `arg:"" help:"File with the rules, - for standard input." type:"path"`
	To   int64  `help:"Change this engagement instead, which voids its approvals." placeholder:"NUMBER"`
}

func (c *engagementAddCmd) Run(ctx context.Context, r *run) error {
	body, err := r.rulesFile(c.File)
	if err != nil {
		return err
	}
	e, err := scope.ParseEngagement(c.File, body)
	if err != nil {
		return err
	}
	if err := guard.Check(e, r.Now()); err != nil {
		return err
	}
	h, done, err := r.house(ctx)
	if err != nil {
		return err
	}
	defer done()
	d, err := h.PutEngagement(ctx, server.EngagementRequest{ID: c.To, Rules: *e, Actor: exposure.CommandLine})
	if err != nil {
		return err
	}
	if r.JSON {
		return newEncoder(r.Out).Encode(d)
	}
	_, err = fmt.Fprintf(r.Out, "Engagement %d waits for the approval of somebody else.\n", d.ID)
	return err
}

// maxRules is how many bytes a file with rules has at most.
const maxRules = 2 << 20

func (r *run) rulesFile(name string) ([]byte, error) {
	if name == "-" || strings.HasSuffix(name, "/-") {
		return io.ReadAll(io.LimitReader(r.In, maxRules+1))
	}
	f, err := os.Open(name)
	if err != nil {
		return nil, exposure.Errorf(exposure.Invalid, "cannot read the rules: %w", err)
	}
	defer f.Close()
	body, err := io.ReadAll(io.LimitReader(f, maxRules+1))
	if err != nil {
		return nil, exposure.Errorf(exposure.Invalid, "cannot read the rules: %w", err)
	}
	return body, nil
}

type engagementApproveCmd struct {
	Number int64 `arg:"" help:"Number of the engagement, as leeward engagement lists it."`
}

func (c *engagementApproveCmd) Run(ctx context.Context, r *run) error {
	h, done, err := r.house(ctx)
	if err != nil {
		return err
	}
	defer done()
	d, err := h.Engagement(ctx, c.Number)
	if err != nil {
		return err
	}
	if !r.JSON {
		fmt.Fprintf(r.Err, "This concerns engagement %d by %s, at most %s to %s: %s\n", d.ID, printable(d.Author), d.Level, printable(clip(strings.Join(d.Targets, ", "), 120)), printable(oneLine(d.Name)))
	}
	if err := h.ApproveEngagement(ctx, server.EngagementApproval{ID: d.ID, Digest: d.Digest, Actor: exposure.CommandLine}); err != nil {
		return err
	}
	return r.said("Engagement %d is approved until %s.", d.ID, d.Expires.UTC().Format(time.DateOnly))
}

// said prints what became of something, as a sentence or as an object.
func (r *run) said(format string, args ...any) error {
	text := printable(fmt.Sprintf(format, args...))
	if r.JSON {
		return newEncoder(r.Out).Encode(struct {
			Done string `json:"done"`
		}{text})
	}
	_, err := fmt.Fprintln(r.Out, text)
	return err
}

type engagementWithdrawCmd struct {
	Number int64  `arg:"" help:"Number of the engagement, as leeward engagement lists it."`
	Reason string `help:"Why, for the log." placeholder:"TEXT"`
}

func (c *engagementWithdrawCmd) Run(ctx context.Context, r *run) error {
	reason, err := reasonText(c.Reason, 0)
	if err != nil {
		return err
	}
	h, done, err := r.house(ctx)
	if err != nil {
		return err
	}
	defer done()
	if err := h.WithdrawEngagement(ctx, server.EngagementEnd{ID: c.Number, Reason: reason, Actor: exposure.CommandLine}); err != nil {
		return err
	}
	return r.said("Engagement %d is withdrawn.", c.Number)
}

type engagementProveCmd struct {
	Number int64  `arg:"" help:"Number of the engagement, as leeward engagement lists it."`
	Target string `arg:"" help:"The name or address that the token was published at; leeward engagement show says which and how."`
}

func (c *engagementProveCmd) Run(ctx context.Context, r *run) error {
	h, done, err := r.house(ctx)
	if err != nil {
		return err
	}
	defer done()
	p, err := h.ProveTarget(ctx, server.ProofRequest{ID: c.Number, Target: c.Target, Actor: exposure.CommandLine})
	if err != nil {
		return err
	}
	if r.JSON {
		return newEncoder(r.Out).Encode(p)
	}
	return r.said("%s is proved (%s).", p.Target, p.Method)
}

type engagementTemplateCmd struct{}

func (engagementTemplateCmd) Run(_ context.Context, r *run) error {
	_, err := r.Out.Write(scope.EngagementTemplate(r.Now()))
	return err
}

type haltCmd struct {
	Engagement int64  `help:"Stop only what this engagement allows." placeholder:"NUMBER"`
	Reason     string `help:"Why, for everybody who wants to go on." required:"" placeholder:"TEXT"`
}

func (c *haltCmd) Run(ctx context.Context, r *run) error {
	reason, err := reasonText(c.Reason, 1)
	if err != nil {
		return err
	}
	h, done, err := r.house(ctx)
	if err != nil {
		return err
	}
	defer done()
	stopped, err := h.Halt(ctx, server.HaltRequest{Engagement: c.Engagement, Reason: reason, Actor: exposure.CommandLine})
	switch {
	case err != nil:
		return err
	case !stopped:
		return r.said("It was stopped already.")
	case c.Engagement == 0:
		return r.said("Everything is stopped. Go on with `leeward resume`.")
	}
	return r.said("Engagement %d is stopped. Go on with `leeward resume --engagement %[1]d`.", c.Engagement)
}

type resumeCmd struct {
	Engagement int64  `help:"Lift the stop of this engagement." placeholder:"NUMBER"`
	Reason     string `help:"Why, for the log." placeholder:"TEXT"`
}

func (c *resumeCmd) Run(ctx context.Context, r *run) error {
	reason, err := reasonText(c.Reason, 0)
	if err != nil {
		return err
	}
	h, done, err := r.house(ctx)
	if err != nil {
		return err
	}
	defer done()
	lifted, err := h.Resume(ctx, server.HaltRequest{Engagement: c.Engagement, Reason: reason, Actor: exposure.CommandLine})
	if err != nil {
		return err
	}
	text := "The stop is lifted."
	if !lifted {
		text = "It was not stopped."
	}
	left, err := h.Halts(ctx)
	for _, x := range left {
		if x.Engagement != 0 {
			text += fmt.Sprintf(" Engagement %d is still stopped by %s.", x.Engagement, x.Actor)
		} else {
			text += " Everything is still stopped by " + x.Actor + "."
		}
	}
	if err != nil {
		return err
	}
	return r.said("%s", text)
}
