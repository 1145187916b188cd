package agent

import (
	"context"
	"os"

	"github.com/leeward-ctem/leeward/exposure"
	"github.com/leeward-ctem/leeward/guard"
)

// auditBatch is how many entries are handed up at once.
const auditBatch = 500

// handAudit hands up what the agent wrote down and the server does not have.
func (a *Agent) handAudit(ctx context.Context) error {
	if a.Audit == nil {
		return nil
	}
	have, err := a.Server.Audit(ctx, nil)
	if err != nil {
		return err
	}
	if last, _ := a.Audit.Head(); have >= last {
		return nil
	}
	f, err := os.Open(a.Audit.Name())
	if err != nil {
		return exposure.Errorf(exposure.Unavailable, "cannot read the audit log: %w", err)
	}
	defer f.Close()
	var batch []guard.Entry
	send := func() error {
		if len(batch) == 0 {
			return nil
		}
		_, err := a.Server.Audit(ctx, batch)
		batch = batch[:0]
		return err
	}
	for e, err := range guard.Entries(f) {
		if err != nil {
			return err
		}
		if e.Seq <= have {
			continue
		}
		if batch = append(batch, e); len(batch) == auditBatch {
			if err := send(); err != nil {
				return err
			}
		}
	}
	return send()
}
