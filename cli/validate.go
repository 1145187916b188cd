package cli

import (
	"cmp"
	"context"
	"math"
	"slices"
	"strconv"
	"time"

	"github.com/leeward-ctem/leeward/exposure"
	"github.com/leeward-ctem/leeward/server"
	"github.com/leeward-ctem/leeward/store"
	"github.com/leeward-ctem/leeward/validate"
)

// RecordVerdict records what a validation of findings came to.
func (a *app) RecordVerdict(ctx context.Context, r server.VerdictRequest) (int, error) {
	ids, err := a.named(ctx, r.IDs, r.Filter)
	if err != nil {
		return 0, err
	}
	v := exposure.Verdict{Confidence: r.Confidence, Evidence: a.im.Redact(r.Evidence), Actor: r.Actor}
	if err := v.Kind.UnmarshalText([]byte(r.Kind)); err != nil {
		return 0, err
	}
	now := a.now()
	if r.Days != 0 {
		v.Until = now.Add(time.Duration(r.Days) * 24 * time.Hour).UnixMilli() // not days of a calendar, of which one may have 25 hours
	}
	if err := validate.Admit(&v, now); err != nil {
		return 0, err
	}
	view := a.ix.View()
	for _, id := range ids {
		if _, ok := view.Row(id); !ok {
			return 0, exposure.Errorf(exposure.NotFound, "there is no finding %v", id)
		}
	}
	for part := range slices.Chunk(ids, 5000) {
		err := a.db.Write(ctx, func(tx *store.Tx) error {
			rows := make([]exposure.Verdict, len(part))
			for i, id := range part {
				rows[i] = v
				rows[i].Finding = id
			}
			if err := tx.AddVerdicts(ctx, rows); err != nil {
				return err
			}
			return settleVerdicts(ctx, tx, part, r.Actor, v.Kind.String(), now)
		})
		if err != nil {
			return 0, err
		}
	}
	a.tell("moved", len(ids))
	return len(ids), a.ix.CatchUp(ctx, a.db)
}

// settleVerdicts makes the verdict in force the one that the findings carry.
func settleVerdicts(ctx context.Context, tx *store.Tx, ids []exposure.FindingID, actor, reason string, now time.Time) error {
	all, err := tx.VerdictsOf(ctx, ids)
	if err != nil {
		return err
	}
	kinds := make(map[exposure.FindingID]exposure.VerdictKind, len(ids))
	for _, id := range ids {
		kinds[id] = validate.InForce(all[id], now.UnixMilli())
	}
	_, err = tx.SetVerdicts(ctx, kinds, actor, reason, now.UnixMilli())
	return err
}

// verdictsEnded is the key of the moment up to which ended verdicts were let go.
const verdictsEnded = "verdicts ended"

// expireVerdicts lets go of verdicts whose time is over: what was true weeks
// ago may not be now.
func (a *app) expireVerdicts(ctx context.Context) error {
	text, err := a.db.Meta(ctx, verdictsEnded)
	if err != nil {
		return err
	}
	since, _ := strconv.ParseInt(text, 10, 64) // none: from the beginning
	now := a.now()
	ids, err := a.db.VerdictsEnding(ctx, since, now.UnixMilli())
	if err != nil {
		return err
	}
	for part := range slices.Chunk(ids, 5000) {
		err := a.db.Write(ctx, func(tx *store.Tx) error {
			return settleVerdicts(ctx, tx, part, "cycle", "the verdict ran out", now)
		})
		if err != nil {
			return err
		}
	}
	if len(ids) == 0 && since != 0 {
		return nil
	}
	err = a.db.Write(ctx, func(tx *store.Tx) error {
		return tx.SetMeta(ctx, verdictsEnded, strconv.FormatInt(now.UnixMilli(), 10))
	})
	if err != nil {
		return err
	}
	return a.ix.CatchUp(ctx, a.db)
}

// How far back it is looked for verdicts and retests of a part of the findings.
// The verdicts are read a few at a time, because each brings its evidence.
const (
	verdictsRead = 50_000
	verdictsPart = 500
	retestsRead  = 2000
)

// Verdicts lists what validations and retests of the findings on the assets of a
// filter came to, newest first.
func (a *app) Verdicts(ctx context.Context, filter string, limit int) ([]server.VerdictRow, error) {
	f, err := exposure.ParseFilter(filter)
	if err != nil {
		return nil, err
	}
	view := a.ix.View()
	on, err := onlyOn(view, f)
	if err != nil {
		return nil, err
	}
	wanted := func(id exposure.FindingID) bool {
		r, ok := view.Row(id)
		return ok && on(r.Asset)
	}
	part, reach := verdictsPart, retestsRead
	if len(f.Terms) == 0 {
		part, reach = limit, limit // all of them are wanted
		wanted = func(exposure.FindingID) bool { return true }
	}
	rows := []server.VerdictRow{}
	before := int64(math.MaxInt64)
	for read := 0; len(rows) < limit && read < verdictsRead; read += part {
		recorded, err := a.db.VerdictsBefore(ctx, before, part)
		if err != nil {
			return nil, err
		}
		for _, v := range recorded {
			before = v.ID
			if len(rows) < limit && wanted(v.Finding) {
				rows = append(rows, a.verdictRow(v.Finding, v.Kind, v.Actor, v.Evidence, v.At, v.Until))
			}
		}
		if len(recorded) < part {
			break
		}
	}
	retests, err := a.retests(ctx, limit, max(limit, reach), wanted)
	if err != nil {
		return nil, err
	}
	rows = append(rows, retests...)
	slices.SortStableFunc(rows, func(x, y server.VerdictRow) int { return cmp.Compare(y.At, x.At) })
	return rows[:min(len(rows), limit)], nil
}

// retests are the scans that decided about claims, and those that found again
// what was verified, of the wanted findings in the newest reach events.
func (a *app) retests(ctx context.Context, limit, reach int, wanted func(exposure.FindingID) bool) (rows []server.VerdictRow, err error) {
	tools := map[exposure.ScanID]string{}
	view := a.ix.View()
	var events []exposure.Event
	err = a.db.EventsOf(ctx, reach, func(e *exposure.Event) error {
		e.IDs = slices.DeleteFunc(e.IDs, func(id uint32) bool { return !wanted(exposure.FindingID(id)) })
		if len(e.IDs) > 0 {
			events = append(events, *e)
		}
		return nil
	}, exposure.CauseAbsent, exposure.CauseRetestFailed, exposure.CauseReported)
	if err != nil {
		return nil, err
	}
	for _, e := range events {
		kind := exposure.VerdictFixed
		switch {
		case e.From == exposure.StatusVerified:
			kind = exposure.VerdictRegressed
		case e.From != exposure.StatusFixClaimed:
			continue
		case e.To == exposure.StatusOpen:
			kind = exposure.VerdictExploitable
		}
		tool, ok := tools[e.Scan]
		if !ok && e.Scan != 0 {
			scan, err := a.db.Scan(ctx, e.Scan)
			if err != nil && exposure.KindOf(err) != exposure.NotFound {
				return nil, err
			}
			tool = scan.Tool
			tools[e.Scan] = tool
		}
		note := map[exposure.VerdictKind]string{
			exposure.VerdictFixed:       "A complete scan did not see it any more.",
			exposure.VerdictRegressed:   "Seen again after it was verified as fixed.",
			exposure.VerdictExploitable: "Claimed as fixed, and still there.",
		}[kind]
		if kind == exposure.VerdictExploitable {
			kind = exposure.VerdictInconclusive // still there says nothing of whether it works
		}
		for _, id := range e.IDs {
			if len(rows) == limit {
				return rows, nil
			}
			// The log keeps what was removed, such as the demo.
			if _, ok := view.Row(exposure.FindingID(id)); ok {
				rows = append(rows, a.verdictRow(exposure.FindingID(id), kind, orElse(tool, e.Actor), note, e.At, 0))
			}
		}
	}
	return rows, nil
}

func (a *app) verdictRow(id exposure.FindingID, kind exposure.VerdictKind, by, note string, at, until int64) server.VerdictRow {
	row := server.VerdictRow{Finding: id.String(), Kind: kind.String(), By: by, At: at, Until: until, Note: note}
	v := a.ix.View()
	if r, ok := v.Row(id); ok {
		row.Title = baseTitle(v.Advisory(r.Advisory))
		if asset := v.Asset(r.Asset); asset != nil {
			row.Asset = asset.Name
		}
	}
	return row
}

// claimsRead is how many claims back it is looked who made them.
const claimsRead = 2000

// Claims tells who says that findings are fixed.
func (a *app) Claims(ctx context.Context, rows []server.FindingRow) ([]server.Claim, error) {
	out := make([]server.Claim, len(rows))
	at := map[uint32]int{}
	v := a.ix.View()
	for i := range rows {
		id, err := exposure.ParseFindingID(rows[i].ID)
		if err != nil {
			return nil, err
		}
		at[uint32(id)] = i
		if asset := v.Asset(rows[i].AssetID); asset != nil {
			out[i].Kind = asset.Kind
		}
	}
	err := a.db.EventsOf(ctx, claimsRead, func(e *exposure.Event) error {
		for _, id := range e.IDs {
			if i, ok := at[id]; ok && out[i].At == 0 {
				out[i].By, out[i].At, out[i].Reason = e.Actor, e.At, e.Reason
			}
		}
		return nil
	}, exposure.CauseClaim)
	return out, err
}
