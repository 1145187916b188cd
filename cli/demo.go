package cli

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/leeward-ctem/leeward/discover"
	"github.com/leeward-ctem/leeward/exposure"
	"github.com/leeward-ctem/leeward/index"
	"github.com/leeward-ctem/leeward/internal/demo"
	"github.com/leeward-ctem/leeward/scope"
	"github.com/leeward-ctem/leeward/store"
)

// HasDemo reports whether demo data is present.
func (a *app) HasDemo(ctx context.Context) (bool, error) { return a.db.HasDemo(ctx) }

// recallDemo takes up the demo's knowledge while its data is present.
func (a *app) recallDemo(ctx context.Context) error {
	has, err := a.db.HasDemo(ctx)
	if err != nil || !has {
		a.demo.Store(nil)
		return err
	}
	facts := demo.Facts(a.now())
	a.demo.Store(&facts)
	return nil
}

// LoadDemo replays 120 days of an invented company through the same import
// that real reports take, each report at its own time. A programme that was
// applied before stays in force. Loaded again it changes nothing.
func (a *app) LoadDemo(ctx context.Context) error {
	if has, err := a.db.HasDemo(ctx); err != nil || has {
		return err
	}
	now := a.now()
	facts := demo.Facts(now)
	a.demo.Store(&facts)
	_, version, err := a.db.Programme(ctx)
	if err != nil {
		return err
	}
	steps := demoSteps(now)
	if version == 0 {
		if err := a.applyDemo(ctx, demo.ProgrammeBefore(), now.AddDate(0, 0, -120)); err != nil {
			return err
		}
		live := now.AddDate(0, 0, -demo.FirewallDay)
		steps = append(steps, demoStep{live, func(ctx context.Context, a *app) error { return a.applyDemo(ctx, demo.Programme(), live) }})
		slices.SortStableFunc(steps, earlier)
	}
	for _, step := range steps {
		if err := step.do(ctx, a); err != nil {
			return fmt.Errorf("demo of %s: %w", step.at.Format(time.DateOnly), err)
		}
	}
	a.tell("imported", nil)
	return nil
}

// applyDemo puts a programme of the demo into force, at its own time.
func (a *app) applyDemo(ctx context.Context, body []byte, at time.Time) error {
	if _, err := scope.Parse("demo", body); err != nil {
		return err
	}
	err := a.db.Write(ctx, func(tx *store.Tx) error {
		_, err := tx.PutProgramme(ctx, string(body), "demo", at.UnixMilli())
		return err
	})
	if err != nil {
		return err
	}
	return a.reload(ctx)
}

// demoStep is one thing that happened in the demo's past.
type demoStep struct {
	at time.Time
	do func(ctx context.Context, a *app) error
}

// demoSteps are reports, what people did, and the figures of each day, in
// the order of their times.
func demoSteps(now time.Time) []demoStep {
	var steps []demoStep
	for _, r := range demo.Reports(now) {
		steps = append(steps, demoStep{r.At, func(ctx context.Context, a *app) error {
			im := *a.im
			im.Now = func() time.Time { return r.At }
			results, err := im.Import(ctx, discover.Request{Name: r.Name, Format: "observations", Demo: true, At: r.At}, bytes.NewReader(r.Data))
			for _, res := range results {
				if err == nil && res.Errors > 0 {
					err = fmt.Errorf("%s: %v", r.Name, res.Messages)
				}
			}
			return err
		}})
	}
	for _, s := range demo.Steps(now) {
		steps = append(steps, demoStep{s.At, func(ctx context.Context, a *app) error {
			f, err := exposure.ParseFilter(s.Filter)
			if err != nil {
				return err
			}
			var cause exposure.Cause
			if err := cause.UnmarshalText([]byte(s.Cause)); err != nil {
				return err
			}
			var ids []exposure.FindingID
			err = a.ix.View().All(f, index.DayOf(s.At.UnixMilli()), func(r index.Row) bool { ids = append(ids, r.ID); return true })
			if err != nil {
				return err
			}
			_, err = a.move(ctx, ids, cause, s.Actor, s.Reason, s.At)
			return err
		}})
	}
	for day := 119; day >= 1; day-- {
		end := now.AddDate(0, 0, -day).UTC().Truncate(24 * time.Hour).Add(24*time.Hour - time.Second)
		steps = append(steps, demoStep{end, func(ctx context.Context, a *app) error { return a.rollup(ctx, end) }})
	}
	slices.SortStableFunc(steps, earlier)
	return steps
}

func earlier(x, y demoStep) int { return cmp.Compare(x.at.UnixNano(), y.at.UnixNano()) }

// RemoveDemo removes everything that only the demo brought. Figures of days on
// which demo data was present are no measurement, so they go too.
func (a *app) RemoveDemo(ctx context.Context, actor string) (removed int, err error) {
	if has, err := a.db.HasDemo(ctx); err != nil || !has {
		return 0, err
	}
	body, _, err := a.db.Programme(ctx)
	if err != nil {
		return 0, err
	}
	err = a.db.Write(ctx, func(tx *store.Tx) error {
		at := a.now().UnixMilli()
		if removed, err = tx.RemoveDemo(ctx, actor, at); err != nil {
			return err
		}
		if err := tx.RemoveRollups(ctx, math.MaxInt32); err != nil {
			return err
		}
		if body == string(demo.Programme()) || body == string(demo.ProgrammeBefore()) {
			_, err = tx.PutProgramme(ctx, string(scope.Template()), actor, at)
		}
		return err
	})
	if err != nil {
		return 0, err
	}
	if err := a.recallDemo(ctx); err != nil {
		return removed, err
	}
	if err := a.reload(ctx); err != nil {
		return removed, err
	}
	a.tell("imported", nil)
	err = a.ix.CatchUp(ctx, a.db)
	a.measured.forget().forget()
	a.scoped.forget().forget()
	return removed, err
}

// move applies a cause to findings, a part at a time.
func (a *app) move(ctx context.Context, ids []exposure.FindingID, cause exposure.Cause, actor, reason string, at time.Time) (moved int, err error) {
	for part := range slices.Chunk(ids, decisionPart) {
		err := a.db.Write(ctx, func(tx *store.Tx) error {
			n, err := tx.Move(ctx, part, cause, actor, reason, at.UnixMilli())
			moved += n
			return err
		})
		if err != nil {
			return moved, err
		}
	}
	return moved, a.ix.CatchUp(ctx, a.db)
}
