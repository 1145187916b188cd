package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"math"

	"github.com/leeward-ctem/leeward/exposure"
)

const selectScan = "SELECT id, digest, name, format, tool, version, at, received, finished, complete, failure, records, errors, created, closed, reopened, demo FROM scan"

func scanScan(row interface{ Scan(...any) error }) (exposure.Scan, error) {
	var s exposure.Scan
	var complete, demo int64
	err := row.Scan(&s.ID, &s.Digest, &s.Name, &s.Format, &s.Tool, &s.Version, &s.At, &s.Received, &s.Finished, &complete, &s.Failure, &s.Records, &s.Errors, &s.New, &s.Closed, &s.Reopened, &demo)
	s.Complete, s.Demo = complete != 0, demo != 0
	return s, err
}

// BeginScan returns the scan with s.Digest, adding s when the report was never
// seen. A report imported again is the same scan.
func (tx *Tx) BeginScan(ctx context.Context, s exposure.Scan) (exposure.Scan, error) {
	known, err := scanScan(tx.tx.QueryRowContext(ctx, selectScan+" WHERE digest = $1", s.Digest))
	if err == nil || !errors.Is(err, sql.ErrNoRows) {
		return known, err
	}
	id, err := tx.next(ctx, "scan", "id")
	if err != nil {
		return s, err
	}
	s.ID = exposure.ScanID(id)
	_, err = tx.tx.ExecContext(ctx, `INSERT INTO scan (id, digest, name, format, tool, version, at, received, finished, complete, failure, records, errors, created, closed, reopened, demo)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 0, 0, '', 0, 0, 0, 0, 0, $9)`,
		id, s.Digest, s.Name, s.Format, s.Tool, s.Version, s.At, s.Received, truth(s.Demo))
	return s, err
}

// ScanByDigest returns the scan whose report has the digest; its ID is 0 when
// there is none.
func (tx *Tx) ScanByDigest(ctx context.Context, digest string) (exposure.Scan, error) {
	s, err := scanScan(tx.tx.QueryRowContext(ctx, selectScan+" WHERE digest = $1", digest))
	if errors.Is(err, sql.ErrNoRows) {
		return exposure.Scan{}, nil
	}
	return s, err
}

// FinishScan records how an import ended and which findings it saw.
func (tx *Tx) FinishScan(ctx context.Context, s *exposure.Scan, seen []byte) error {
	_, err := tx.tx.ExecContext(ctx, `UPDATE scan SET digest = $1, tool = $2, version = $3, at = $4, finished = $5, complete = $6, failure = $7, records = $8, errors = $9, closed = closed + $10, reopened = reopened + $11, seen = $12 WHERE id = $13`,
		s.Digest, s.Tool, s.Version, s.At, s.Finished, truth(s.Complete), s.Failure, s.Records, s.Errors, s.Closed, s.Reopened, seen, int64(s.ID))
	return err
}

// CountNew adds to the number of findings a scan made, in the transaction that
// makes them, so that the count is right after a crash too.
func (tx *Tx) CountNew(ctx context.Context, id exposure.ScanID, n int) error {
	_, err := tx.tx.ExecContext(ctx, "UPDATE scan SET created = created + $1 WHERE id = $2", n, int64(id))
	return err
}

// ScanErrors records broken records of a report.
func (tx *Tx) ScanErrors(ctx context.Context, id exposure.ScanID, errs []*exposure.RecordError) error {
	for _, e := range errs {
		if _, err := tx.tx.ExecContext(ctx, "INSERT INTO scan_error (scan, record, place, message) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING", int64(id), e.Record, e.Offset, e.Err.Error()); err != nil {
			return err
		}
	}
	return nil
}

// Scans returns the newest scans, at most limit.
func (db *DB) Scans(ctx context.Context, limit int) ([]exposure.Scan, error) {
	return db.ScansBefore(ctx, math.MaxUint32, "", limit)
}

// ScansBefore returns the newest scans whose number is smaller than one, of a
// tool or, when it is empty, of all.
func (db *DB) ScansBefore(ctx context.Context, before exposure.ScanID, tool string, limit int) ([]exposure.Scan, error) {
	where, args := " WHERE id < $1", []any{int64(before), limit}
	if tool != "" {
		where, args = where+" AND tool = $3", append(args, tool)
	}
	var all []exposure.Scan
	err := each(ctx, db.read, selectScan+where+" ORDER BY id DESC LIMIT $2", args, func(rows *sql.Rows) error {
		s, err := scanScan(rows)
		all = append(all, s)
		return err
	})
	return all, explain(err)
}

// Scan returns one scan.
func (db *DB) Scan(ctx context.Context, id exposure.ScanID) (exposure.Scan, error) {
	s, err := scanScan(db.read.QueryRowContext(ctx, selectScan+" WHERE id = $1", int64(id)))
	if errors.Is(err, sql.ErrNoRows) {
		return s, exposure.Errorf(exposure.NotFound, "there is no scan %d", id)
	}
	return s, explain(err)
}

// coverageBody is the part of coverage that many assets share.
type coverageBody struct {
	Rules []string             `json:"rules,omitempty"`
	Ports []exposure.PortRange `json:"ports,omitempty"`
}

// AddCoverage records what a scan covered completely.
func (tx *Tx) AddCoverage(ctx context.Context, scan exposure.ScanID, at int64, source exposure.SourceID, asset exposure.AssetID, c *exposure.Coverage) error {
	body, err := json.Marshal(coverageBody{c.Rules, c.Ports})
	if err != nil {
		return err
	}
	key := string(digest(string(body)))
	known, err := tx.numbers(ctx, "checkset", "digest", []string{key})
	if err != nil {
		return err
	}
	id, ok := known[key]
	if !ok {
		if id, err = tx.next(ctx, "checkset", "id"); err != nil {
			return err
		}
		if _, err := tx.tx.ExecContext(ctx, "INSERT INTO checkset (id, digest, body) VALUES ($1, $2, $3)", id, []byte(key), compress(body)); err != nil {
			return err
		}
	}
	_, err = tx.tx.ExecContext(ctx, "INSERT INTO coverage (scan, source, asset, checkset, at) VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING", int64(scan), int64(source), int64(asset), id, at)
	return err
}

// NewerScans returns the finished scans that ran at a time or after it, and when
// that was, for the question whether a late report still has the last word.
func (tx *Tx) NewerScans(ctx context.Context, at int64) (map[exposure.ScanID]int64, error) {
	scans := map[exposure.ScanID]int64{}
	err := each(ctx, tx.tx, "SELECT id, at FROM scan WHERE at >= $1 AND finished > 0", []any{at}, func(rows *sql.Rows) error {
		var id exposure.ScanID
		var ran int64
		err := rows.Scan(&id, &ran)
		scans[id] = ran
		return err
	})
	return scans, err
}

// Seen returns the roaring bitmap of the findings a scan saw; nil when its
// import never ended.
func (tx *Tx) Seen(ctx context.Context, id exposure.ScanID) ([]byte, error) {
	var b []byte
	err := tx.tx.QueryRowContext(ctx, "SELECT seen FROM scan WHERE id = $1", int64(id)).Scan(&b)
	return b, err
}

// SourceStates returns the recorded words of sources on findings.
func (tx *Tx) SourceStates(ctx context.Context, ids []exposure.FindingID) ([]exposure.SourceState, error) {
	return sourceStates(ctx, tx.tx, ids)
}

// SourceStates is [Tx.SourceStates] outside a transaction.
func (db *DB) SourceStates(ctx context.Context, ids []exposure.FindingID) ([]exposure.SourceState, error) {
	s, err := sourceStates(ctx, db.read, ids)
	return s, explain(err)
}

func sourceStates(ctx context.Context, q querier, ids []exposure.FindingID) ([]exposure.SourceState, error) {
	var all []exposure.SourceState
	err := chunks(ids, 500, func(_ []exposure.FindingID, params string, args []any) error {
		for i := range args {
			args[i] = int64(args[i].(exposure.FindingID))
		}
		return each(ctx, q, "SELECT finding, source, scan, state, at FROM finding_source WHERE finding IN ("+params+") ORDER BY finding, source", args, func(rows *sql.Rows) error {
			var s exposure.SourceState
			err := rows.Scan(&s.Finding, &s.Source, &s.Scan, &s.State, &s.At)
			all = append(all, s)
			return err
		})
	})
	return all, err
}

// PutSourceStates records what sources say now.
func (tx *Tx) PutSourceStates(ctx context.Context, states []exposure.SourceState) error {
	if len(states) == 0 {
		return nil
	}
	stmt, err := tx.tx.PrepareContext(ctx, `INSERT INTO finding_source (finding, source, scan, state, at) VALUES ($1, $2, $3, $4, $5)
		ON CONFLICT (finding, source) DO UPDATE SET scan = excluded.scan, state = excluded.state, at = excluded.at`)
	if err != nil {
		return err
	}
	defer stmt.Close()
	for _, s := range states {
		if _, err := stmt.ExecContext(ctx, int64(s.Finding), int64(s.Source), int64(s.Scan), string(s.State), s.At); err != nil {
			return err
		}
	}
	return nil
}
