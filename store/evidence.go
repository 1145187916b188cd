package store

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/json"
	"slices"

	"github.com/leeward-ctem/leeward/exposure"
)

// blockSize is about how much text one evidence block holds: large enough to
// compress well, small enough that a page unpacks it in a millisecond.
const blockSize = 256 << 10

// InsertEvidence stores the evidence of one batch of a scan, sorted by finding.
func (tx *Tx) InsertEvidence(ctx context.Context, scan exposure.ScanID, proofs []exposure.Proof) error {
	for len(proofs) > 0 {
		size, n := 0, 0
		for n < len(proofs) && (n == 0 || size < blockSize) {
			size += proofs[n].Size()
			n++
		}
		body, err := json.Marshal(proofs[:n])
		if err != nil {
			return err
		}
		_, err = tx.tx.ExecContext(ctx, "INSERT INTO evidence (scan, first, last, body) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING",
			int64(scan), int64(proofs[0].Finding), int64(proofs[n-1].Finding), compress(body))
		if err != nil {
			return err
		}
		proofs = proofs[n:]
	}
	return nil
}

// Evidence returns what scans gave as evidence for a finding, newest scan
// first, at most limit pieces; also what they gave under numbers that the
// finding had before.
func (db *DB) Evidence(ctx context.Context, id exposure.FindingID, limit int) ([]exposure.Proof, error) {
	former, err := formerNumbers(ctx, db.read, id)
	if err != nil {
		return nil, explain(err)
	}
	var out []exposure.Proof
	for _, n := range append(former, id) {
		if err := db.evidence(ctx, n, limit, &out); err != nil {
			return nil, explain(err)
		}
	}
	slices.SortStableFunc(out, func(a, b exposure.Proof) int { return cmp.Compare(b.Scan, a.Scan) })
	return out[:min(len(out), limit)], nil
}

func (db *DB) evidence(ctx context.Context, id exposure.FindingID, limit int, out *[]exposure.Proof) error {
	found := 0
	return each(ctx, db.read, "SELECT scan, body FROM evidence WHERE first <= $1 AND last >= $1 ORDER BY scan DESC", []any{int64(id)}, func(rows *sql.Rows) error {
		if found >= limit {
			return nil
		}
		var scan exposure.ScanID
		var body []byte
		if err := rows.Scan(&scan, &body); err != nil {
			return err
		}
		body, err := decompress(body)
		if err != nil {
			return err
		}
		var proofs []exposure.Proof
		if err := json.Unmarshal(body, &proofs); err != nil {
			return err
		}
		for _, p := range proofs {
			if p.Finding == id && found < limit {
				p.Scan = scan
				*out = append(*out, p)
				found++
			}
		}
		return nil
	})
}
