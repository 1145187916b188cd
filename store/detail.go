package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/leeward-ctem/leeward/exposure"
)

// Advisories calls f with the advisories first … last as lists and scores need
// them: without description, solution and references.
func (db *DB) Advisories(ctx context.Context, first, last exposure.AdvisoryID, f func(*exposure.Advisory) error) error {
	return explain(eachAdvisory(ctx, db.read, first, last, f))
}

// Advisories is [DB.Advisories] within the transaction.
func (tx *Tx) Advisories(ctx context.Context, first, last exposure.AdvisoryID, f func(*exposure.Advisory) error) error {
	return eachAdvisory(ctx, tx.tx, first, last, f)
}

func eachAdvisory(ctx context.Context, q querier, first, last exposure.AdvisoryID, f func(*exposure.Advisory) error) error {
	return each(ctx, q, "SELECT id, key, type, severity, title, facts, threat FROM advisory WHERE id BETWEEN $1 AND $2 ORDER BY id", []any{int64(first), int64(last)}, func(rows *sql.Rows) error {
		var a exposure.Advisory
		var facts, threat []byte
		if err := rows.Scan(&a.ID, &a.Key, &a.Type, &a.Severity, &a.Title, &facts, &threat); err != nil {
			return err
		}
		if err := unpackAdvisory(&a, facts, threat); err != nil {
			return err
		}
		return f(&a)
	})
}

// Advisory returns one advisory with all its texts.
func (db *DB) Advisory(ctx context.Context, id exposure.AdvisoryID) (exposure.Advisory, error) {
	var a exposure.Advisory
	var facts, threat, detail []byte
	err := db.read.QueryRowContext(ctx, "SELECT id, key, type, severity, title, facts, threat, detail FROM advisory WHERE id = $1", int64(id)).Scan(&a.ID, &a.Key, &a.Type, &a.Severity, &a.Title, &facts, &threat, &detail)
	if err == sql.ErrNoRows {
		return a, exposure.Errorf(exposure.NotFound, "there is no advisory %d", id)
	}
	if err != nil {
		return a, explain(err)
	}
	if err := unpackAdvisory(&a, facts, threat); err != nil {
		return a, err
	}
	if detail, err = decompress(detail); err != nil {
		return a, err
	}
	var d advisoryDetail
	err = json.Unmarshal(detail, &d)
	a.Description, a.Solution, a.References = d.Description, d.Solution, d.References
	return a, err
}

func unpackAdvisory(a *exposure.Advisory, facts, threat []byte) error {
	var f advisoryFacts
	if err := json.Unmarshal(facts, &f); err != nil {
		return err
	}
	a.CVEs, a.Aliases, a.CWEs, a.CVSS = f.CVEs, f.Aliases, f.CWEs, f.CVSS
	return json.Unmarshal(threat, &a.Threat)
}

// ThreatChange is what the feeds say of an advisory and what they said before.
type ThreatChange struct {
	Advisory exposure.AdvisoryID
	Was, Is  exposure.Threat
}

// threatBatch is how many advisories are written by a statement: a question to
// a database elsewhere costs more than a row.
const threatBatch = 40

// PutThreats writes what the feeds say now about advisories. What moves a score
// is kept with its time, so that past scores can be computed again. It returns
// the advisories of which that was not known yet: another server may be ahead.
func (tx *Tx) PutThreats(ctx context.Context, changes []ThreatChange, at int64) (map[exposure.AdvisoryID]bool, error) {
	all := make(map[exposure.AdvisoryID]bool, len(changes))
	for part := range slices.Chunk(changes, threatBatch) {
		changed, err := tx.updateThreats(ctx, part)
		if err != nil {
			return nil, err
		}
		maps.Copy(all, changed)
		var kept []string
		var args []any
		keep := func(c *ThreatChange, at int64, t exposure.Threat) error {
			body, err := json.Marshal(t)
			n := len(args)
			kept, args = append(kept, fmt.Sprintf("($%d, $%d, $%d)", n+1, n+2, n+3)), append(args, int64(c.Advisory), at, string(body))
			return err
		}
		for i := range part {
			c := &part[i]
			if !changed[c.Advisory] || c.Is.Near(c.Was) {
				continue
			}
			if err := errors.Join(keep(c, 0, c.Was), keep(c, at, c.Is)); err != nil {
				return nil, err
			}
		}
		if len(kept) == 0 {
			continue
		}
		const known = " ON CONFLICT (advisory, at) DO UPDATE SET threat = excluded.threat WHERE threat_history.at <> 0"
		if _, err := tx.tx.ExecContext(ctx, "INSERT INTO threat_history (advisory, at, threat) VALUES "+strings.Join(kept, ", ")+known, args...); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// updateThreats writes the newest word on advisories, and returns those of which
// it is another than before.
func (tx *Tx) updateThreats(ctx context.Context, changes []ThreatChange) (map[exposure.AdvisoryID]bool, error) {
	var rows []string
	var args []any
	for i := range changes {
		is, err := json.Marshal(changes[i].Is)
		if err != nil {
			return nil, err
		}
		n := len(args)
		rows, args = append(rows, fmt.Sprintf("(CAST($%d AS BIGINT), CAST($%d AS TEXT))", n+1, n+2)), append(args, int64(changes[i].Advisory), string(is))
	}
	changed := map[exposure.AdvisoryID]bool{}
	query := "WITH newest (advisory, word) AS (VALUES " + strings.Join(rows, ", ") + ") UPDATE advisory SET threat = newest.word FROM newest WHERE advisory.id = newest.advisory AND advisory.threat <> newest.word RETURNING id"
	err := each(ctx, tx.tx, query, args, func(rows *sql.Rows) error {
		var id exposure.AdvisoryID
		err := rows.Scan(&id)
		changed[id] = true
		return err
	})
	return changed, err
}

// PastThreat is what was known of an advisory from a time on.
type PastThreat struct {
	At     int64 // unix milliseconds; 0: from the beginning
	Threat exposure.Threat
}

// Threats returns what was known of an advisory over time, oldest first; none
// when it never changed enough to move a score.
func (db *DB) Threats(ctx context.Context, id exposure.AdvisoryID) ([]PastThreat, error) {
	var all []PastThreat
	err := each(ctx, db.read, "SELECT at, threat FROM threat_history WHERE advisory = $1 ORDER BY at", []any{int64(id)}, func(rows *sql.Rows) error {
		var p PastThreat
		var body []byte
		if err := rows.Scan(&p.At, &body); err != nil {
			return err
		}
		all = append(all, p)
		return json.Unmarshal(body, &all[len(all)-1].Threat)
	})
	return all, explain(err)
}

const selectPlace = "SELECT id, body FROM location"

func scanPlace(rows *sql.Rows) (exposure.Place, error) {
	var p exposure.Place
	var body []byte
	if err := rows.Scan(&p.ID, &body); err != nil {
		return p, err
	}
	id := p.ID
	err := json.Unmarshal(body, &p)
	p.ID = id
	return p, err
}

// Places calls f with the places first … last.
func (db *DB) Places(ctx context.Context, first, last exposure.LocationID, f func(*exposure.Place) error) error {
	return explain(eachPlace(ctx, db.read, first, last, f))
}

// Places is [DB.Places] within the transaction.
func (tx *Tx) Places(ctx context.Context, first, last exposure.LocationID, f func(*exposure.Place) error) error {
	return eachPlace(ctx, tx.tx, first, last, f)
}

func eachPlace(ctx context.Context, q querier, first, last exposure.LocationID, f func(*exposure.Place) error) error {
	return each(ctx, q, selectPlace+" WHERE id BETWEEN $1 AND $2 ORDER BY id", []any{int64(first), int64(last)}, func(rows *sql.Rows) error {
		p, err := scanPlace(rows)
		if err != nil {
			return err
		}
		return f(&p)
	})
}

// PlacesByID returns places by their numbers.
func (db *DB) PlacesByID(ctx context.Context, ids []exposure.LocationID) (map[exposure.LocationID]exposure.Place, error) {
	m, err := placesByID(ctx, db.read, ids)
	return m, explain(err)
}

// PlacesByID is [DB.PlacesByID] within the transaction.
func (tx *Tx) PlacesByID(ctx context.Context, ids []exposure.LocationID) (map[exposure.LocationID]exposure.Place, error) {
	return placesByID(ctx, tx.tx, ids)
}

func placesByID(ctx context.Context, q querier, ids []exposure.LocationID) (map[exposure.LocationID]exposure.Place, error) {
	out := make(map[exposure.LocationID]exposure.Place, len(ids))
	err := chunks(ids, 500, func(_ []exposure.LocationID, params string, args []any) error {
		for i := range args {
			args[i] = int64(args[i].(exposure.LocationID))
		}
		return each(ctx, q, selectPlace+" WHERE id IN ("+params+")", args, func(rows *sql.Rows) error {
			p, err := scanPlace(rows)
			out[p.ID] = p
			return err
		})
	})
	return out, err
}
