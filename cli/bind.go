package cli

import (
	"context"

	"github.com/leeward-ctem/leeward/discover"
	"github.com/leeward-ctem/leeward/exposure"
	"github.com/leeward-ctem/leeward/index"
	"github.com/leeward-ctem/leeward/store"
)

// The stages declare what they need of the database and the index in their own
// terms. These small types bind the one to the other; nothing else knows both.

// importStore is the database as the import sees it.
type importStore struct{ db *store.DB }

func (s importStore) Write(ctx context.Context, f func(discover.Tx) error) error {
	return s.db.Write(ctx, func(tx *store.Tx) error { return f(tx) })
}

// importIndex is the index as the import sees it.
type importIndex struct {
	*index.Index
	db *store.DB
}

func (ix importIndex) Follow(ctx context.Context, tx discover.Tx) error {
	return ix.CatchUp(ctx, tx.(*store.Tx))
}

func (ix importIndex) Publish(ctx context.Context, made []exposure.Finding) error {
	return ix.CatchUp(ctx, committed{ix.db, made})
}

// committed is the database with the findings that were just committed to it.
type committed struct {
	*store.DB
	made []exposure.Finding
}

// Findings spares reading back what is known. Events tell of whatever happened
// to it since.
func (c committed) Findings(ctx context.Context, first, last exposure.FindingID, f func(*exposure.Finding) error) error {
	if n := len(c.made); n > 0 && c.made[0].ID == first && c.made[n-1].ID <= last {
		for i := range c.made {
			if err := f(&c.made[i]); err != nil {
				return err
			}
		}
		first = c.made[n-1].ID + 1
	}
	return c.DB.Findings(ctx, first, last, f)
}

func (ix importIndex) Finding(id exposure.FindingID) discover.Known {
	r, _ := ix.View().Row(id)
	return discover.Known{Source: r.Source, Status: r.Status, Severity: r.Severity, Detection: r.Detection, Shared: r.Shared, Day: r.FirstSeen}
}

func (ix importIndex) OnAssets(want func(exposure.AssetID) bool, f func(exposure.FindingID, exposure.AssetID)) {
	ix.View().OnAssets(want, f)
}

func (ix importIndex) Rule(id exposure.FindingID) string {
	v := ix.View()
	if r, ok := v.Row(id); ok {
		return v.Advisory(r.Advisory).Key
	}
	return ""
}
