package discover

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/leeward-ctem/leeward/exposure"
)

// finish ends the import of a document: it finds out whether the document is
// known, takes up what was said of known findings, concludes what coverage
// proves, and records the scan.
func (s *session) finish(ctx context.Context) error {
	s.scan.Complete = s.failure == nil && s.failed == ""
	switch {
	case s.failure != nil:
		s.scan.Failure = s.im.Redact(s.failure.Error())
		s.res.Errors++
	case s.failed != "":
		s.scan.Failure = s.failed
	}
	s.res.Failure = s.scan.Failure
	s.res.Observations = s.scan.Records
	if s.scan.Tool == "" {
		s.scan.Tool = s.scan.Format
	}
	repeated, err := s.identify(ctx)
	if err != nil {
		return err
	}
	s.conclude()
	if err := s.takeUp(ctx); err != nil {
		return err
	}
	if repeated {
		return nil
	}
	if err := s.keep(ctx); err != nil {
		return err
	}
	return s.record(ctx)
}

// identify settles which scan this is. A document that was imported before is
// the same scan, with the time of the first import if it states none.
func (s *session) identify(ctx context.Context) (repeated bool, err error) {
	err = s.im.Store.Write(ctx, func(tx Tx) error {
		old, err := tx.ScanByDigest(ctx, s.scan.Digest)
		if err != nil {
			return err
		}
		repeated = old.ID != 0 && old.Finished != 0 && !s.started
		switch {
		case repeated:
			s.scan.ID, s.scan.Received = old.ID, old.Received
		case old.ID != 0 && old.ID != s.scan.ID && s.started:
			s.scan.Digest += fmt.Sprintf("#%d", s.scan.ID) // made more of a known document
		case !s.started:
			partial := s.scan
			partial.Digest = s.partial
			got, err := tx.BeginScan(ctx, partial)
			if err != nil {
				return err
			}
			s.scan.ID, s.scan.Received, s.started = got.ID, got.Received, true
		}
		return nil
	})
	if s.scan.At == 0 {
		s.scan.At = s.scan.Received
	}
	return repeated, err
}

// conclude adds the words that coverage proves: findings of the same kind of
// scan on covered assets that this scan did not see. A document with a broken
// record proves nothing, for the broken record may be the sighting.
func (s *session) conclude() {
	if !s.scan.Complete || s.res.Errors > 0 || len(s.covered) == 0 {
		return
	}
	by := map[exposure.AssetID][]coverage{}
	for _, c := range s.covered {
		by[c.asset] = append(by[c.asset], c)
	}
	s.im.Index.OnAssets(
		func(a exposure.AssetID) bool { return by[a] != nil },
		func(id exposure.FindingID, a exposure.AssetID) {
			if s.stated.Contains(uint32(id)) {
				return
			}
			for _, c := range by[a] {
				s.later = append(s.later, word{finding: id, source: c.source, state: exposure.StateAbsent, seen: s.scan.At})
			}
		})
}

// takeUp applies the words, in transactions of a bounded size.
func (s *session) takeUp(ctx context.Context) error {
	for i := range s.later {
		s.later[i].finding = s.current(s.later[i].finding)
	}
	slices.SortStableFunc(s.later, func(a, b word) int { return cmp.Compare(a.finding, b.finding) })
	coverage := map[uint64][]*exposure.Coverage{}
	for _, c := range s.covered {
		key := uint64(c.source)<<32 | uint64(c.asset)
		coverage[key] = append(coverage[key], c.what)
	}
	for len(s.later) > 0 {
		n := min(batchSize, len(s.later))
		for n < len(s.later) && s.later[n].finding == s.later[n-1].finding {
			n++ // all words on a finding go together
		}
		words := s.later[:n]
		s.later = s.later[n:]
		wrote := false
		err := s.im.Store.Write(ctx, func(tx Tx) error {
			if err := s.im.Index.Follow(ctx, tx); err != nil {
				return err
			}
			t := taking{session: s, tx: tx, coverage: coverage}
			err := t.run(ctx, words)
			wrote = t.wrote
			s.res.Closed, s.res.Reopened = s.res.Closed+t.closed, s.res.Reopened+t.reopened
			return err
		})
		if err != nil {
			return fmt.Errorf("import %s: %w", s.res.File, err)
		}
		if wrote {
			if err := s.im.Index.Publish(ctx, nil); err != nil {
				return err
			}
		}
	}
	return nil
}

// record writes how the import ended, what it saw and what it covered.
func (s *session) record(ctx context.Context) error {
	s.scan.Finished = s.im.Now().UnixMilli()
	s.scan.Errors, s.scan.Closed, s.scan.Reopened = s.res.Errors, s.res.Closed, s.res.Reopened
	s.seen.RunOptimize()
	seen, err := s.seen.ToBytes()
	if err != nil {
		return err
	}
	return s.im.Store.Write(ctx, func(tx Tx) error {
		if s.scan.Complete && s.res.Errors == 0 {
			for _, c := range s.covered {
				if err := tx.AddCoverage(ctx, s.scan.ID, s.scan.At, c.source, c.asset, c.what); err != nil {
					return err
				}
			}
		}
		if err := tx.ScanErrors(ctx, s.scan.ID, s.bad); err != nil {
			return err
		}
		return tx.FinishScan(ctx, &s.scan, seen)
	})
}
