package cli

import (
	"context"
	"time"

	"github.com/leeward-ctem/leeward/exposure"
	"github.com/leeward-ctem/leeward/intel"
	"github.com/leeward-ctem/leeward/server"
	"github.com/leeward-ctem/leeward/store"
)

const (
	scoreDays  = 7       // between two editions that are kept
	scoresKept = 3 * 366 // days
)

// keepScores keeps what EPSS says of all CVEs once a week, and when its model
// changes, so that a finding that comes later has a past as well.
func (a *app) keepScores(ctx context.Context) error {
	s, err := a.feeds.Snapshot(ctx)
	if err != nil || s.Model() == "" {
		return err
	}
	day, err := a.scoresDay(ctx)
	if err != nil || day == 0 {
		return err
	}
	last, model, err := a.db.NewestPastScores(ctx)
	if err != nil || day < last || day < last+scoreDays && model == s.Model() {
		return err
	}
	bodies, err := s.PastScores()
	if err != nil {
		return err
	}
	return a.db.Write(ctx, func(tx *store.Tx) error {
		if err := tx.PutPastScores(ctx, day, s.Model(), bodies); err != nil {
			return err
		}
		return tx.RemovePastScores(ctx, day-scoresKept)
	})
}

// scoresDay is the day of the newest scores, 0 when there are none.
func (a *app) scoresDay(ctx context.Context) (int, error) {
	states, err := a.feeds.States(ctx)
	for _, s := range states {
		if s.Name == "epss" && s.Facts() > 0 {
			return intel.Day(s.Date()), nil
		}
	}
	return 0, err
}

// pastScores are what EPSS said of the CVE of an advisory. One that covers
// several has no past of its own.
func (a *app) pastScores(ctx context.Context, adv *exposure.Advisory) ([]server.PastEPSS, error) {
	cve := adv.Key
	if len(adv.CVEs) == 1 {
		cve = adv.CVEs[0]
	}
	year := intel.YearOf(cve)
	if year == 0 {
		return nil, nil
	}
	kept, err := a.db.PastScores(ctx, year)
	if err != nil {
		return nil, err
	}
	var all []server.PastEPSS
	for _, p := range kept {
		epss, rank, ok, err := intel.PastScore(p.Body, cve)
		if err != nil {
			return nil, exposure.Errorf(exposure.Internal, "the scores of day %d of the CVEs of %d: %w", p.Day, year, err)
		}
		if ok {
			all = append(all, server.PastEPSS{Date: time.Unix(int64(p.Day)*86400, 0).UTC().Format(time.DateOnly), EPSS: epss, Percentile: rank, Model: p.Model})
		}
	}
	return all, nil
}
