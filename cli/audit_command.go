package cli

import (
	"context"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/leeward-ctem/leeward/exposure"
	"github.com/leeward-ctem/leeward/guard"
	"github.com/leeward-ctem/leeward/server"
)

type auditCmd struct {
	List   auditListCmd   `cmd:"" default:"withargs" help:"List what was decided and sent, newest first."`
	Verify auditVerifyCmd `cmd:"" help:"Say whether the log holds: nothing changed, left out or put in."`
}

type auditListCmd struct {
	Engagement int64 `help:"Only of this engagement." placeholder:"NUMBER"`
	Refused    bool  `help:"Only what was refused."`
	Limit      int   `help:"Rows, at most 1000." default:"50"`
}

func (c *auditListCmd) Run(ctx context.Context, r *run) error {
	if c.Limit < 1 || c.Limit > 1000 || c.Engagement < 0 {
		return exposure.Errorf(exposure.Invalid, "the limit is between 1 and 1000, and engagements have numbers from 1")
	}
	h, done, err := r.house(ctx)
	if err != nil {
		return err
	}
	defer done()
	p, err := h.Audit(ctx, server.AuditQuery{Engagement: c.Engagement, Refused: c.Refused, Limit: c.Limit})
	if err != nil {
		return err
	}
	t := r.table("AT\tCHAIN\tENTRY\tENGAGEMENT\tHOST\tWHAT\tDECISION")
	for i := range p.Rows {
		e := &p.Rows[i]
		decision := "allowed"
		if !e.Allowed {
			decision = "refused: " + strings.Join(e.Reasons, "; ")
		} else if e.Kind != guard.Decided {
			decision = string(e.Kind)
		}
		if err := t.row(e, "%s\t%s\t%d\t%d\t%s\t%s\t%s\n", e.At.UTC().Format(time.DateTime), clip(e.Chain, 20), e.Seq, e.Engagement, clip(orElse(e.Host, "–"), 40), clip(oneLine(e.Action), 60), clip(oneLine(decision), 100)); err != nil {
			return err
		}
	}
	return t.end("Nothing was decided or sent yet.", "")
}

type auditVerifyCmd struct {
	File string `help:"Verify the audit file that a run without a server wrote." placeholder:"FILE" type:"path"`
}

func (c *auditVerifyCmd) Run(ctx context.Context, r *run) error {
	chains, err := c.chains(ctx, r)
	if err != nil {
		return err
	}
	for _, x := range chains {
		if x.Error != "" {
			r.recordErrors()
		}
		if r.JSON {
			if err := newEncoder(r.Out).Encode(x); err != nil {
				return err
			}
			continue
		}
		text := fmt.Sprintf("%s holds: %d entries, the last has the hash %s", x.Chain, x.Entries, orElse(x.Head, "–"))
		if x.Error != "" {
			text = fmt.Sprintf("%s does not hold: %s (%d entries before it do)", x.Chain, oneLine(x.Error), x.Entries)
		}
		if _, err := fmt.Fprintln(r.Out, printable(text)); err != nil {
			return err
		}
	}
	if len(chains) == 0 && !r.JSON {
		fmt.Fprintln(r.Err, "Nothing was decided or sent yet.")
	}
	return nil
}

func (c *auditVerifyCmd) chains(ctx context.Context, r *run) ([]server.AuditChain, error) {
	if c.File == "" {
		h, done, err := r.house(ctx)
		if err != nil {
			return nil, err
		}
		defer done()
		return h.VerifyAudit(ctx)
	}
	f, err := os.Open(c.File)
	if err != nil {
		return nil, exposure.Errorf(exposure.Invalid, "cannot read the audit file: %w", err)
	}
	defer f.Close()
	x := server.AuditChain{Chain: c.File}
	n, head, err := guard.Verify(guard.Entries(f))
	if x.Entries, x.Head = n, head; err != nil {
		x.Error = err.Error()
	}
	return []server.AuditChain{x}, nil
}
