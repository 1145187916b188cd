package cli

import (
	"context"

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
