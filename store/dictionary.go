package store

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/json"
	"fmt"

	"github.com/leeward-ctem/leeward/exposure"
)

// digest is the key of a shared text that may be long.
func digest(text string) []byte {
	sum := sha256.Sum256([]byte(text))
	return sum[:16]
}

// AddAdvisories returns the numbers of the advisories by their keys, adding those
// that are not known yet. What is known stays as it was first described; of
// those that are new here the first description counts.
func (tx *Tx) AddAdvisories(ctx context.Context, wanted []exposure.Advisory) ([]exposure.AdvisoryID, error) {
	keys := make([]string, len(wanted))
	for i := range wanted {
		keys[i] = wanted[i].Key
	}
	known, err := tx.numbers(ctx, "advisory", "key", keys)
	if err != nil {
		return nil, err
	}
	missing := missingOf(known, keys)
	if len(missing) > 0 {
		next, err := tx.next(ctx, "advisory", "id")
		if err != nil {
			return nil, err
		}
		rows := make([][]any, len(missing))
		for n, i := range missing {
			a := &wanted[i]
			id := next + int64(n)
			known[a.Key] = id
			row, err := advisoryRow(id, a)
			if err != nil {
				return nil, err
			}
			rows[n] = row
		}
		if err := tx.insert(ctx, "advisory", []string{"id", "key", "type", "severity", "title", "facts", "detail", "threat"}, len(rows), func(i int) []any { return rows[i] }); err != nil {
			return nil, err
		}
	}
	ids := make([]exposure.AdvisoryID, len(wanted))
	for i, k := range keys {
		ids[i] = exposure.AdvisoryID(known[k])
	}
	return ids, nil
}

// advisoryFacts is what lists and scores need; advisoryDetail what one page shows.
type advisoryFacts struct {
	CVEs    []string `json:"cves,omitempty"`
	Aliases []string `json:"aliases,omitempty"`
	CWEs    []int    `json:"cwes,omitempty"`
	CVSS    []string `json:"cvss,omitempty"`
}

type advisoryDetail struct {
	Description string   `json:"description,omitempty"`
	Solution    string   `json:"solution,omitempty"`
	References  []string `json:"references,omitempty"`
}

func advisoryRow(id int64, a *exposure.Advisory) ([]any, error) {
	facts, err := json.Marshal(advisoryFacts{a.CVEs, a.Aliases, a.CWEs, a.CVSS})
	if err != nil {
		return nil, err
	}
	detail, err := json.Marshal(advisoryDetail{a.Description, a.Solution, a.References})
	if err != nil {
		return nil, err
	}
	threat, err := json.Marshal(a.Threat)
	if err != nil {
		return nil, err
	}
	return []any{id, a.Key, int64(a.Type), int64(a.Severity), a.Title, string(facts), compress(detail), string(threat)}, nil
}

// AddPlaces returns the numbers of places, adding new ones.
func (tx *Tx) AddPlaces(ctx context.Context, wanted []exposure.Place) ([]exposure.LocationID, error) {
	bodies := make([]string, len(wanted))
	keys := make([]string, len(wanted))
	for i := range wanted {
		body, err := json.Marshal(&wanted[i])
		if err != nil {
			return nil, err
		}
		bodies[i] = string(body)
		keys[i] = string(digest(bodies[i]))
	}
	known, err := tx.numbers(ctx, "location", "digest", keys)
	if err != nil {
		return nil, err
	}
	if missing := missingOf(known, keys); len(missing) > 0 {
		next, err := tx.next(ctx, "location", "id")
		if err != nil {
			return nil, err
		}
		for m, i := range missing {
			known[keys[i]] = next + int64(m)
		}
		err = tx.insert(ctx, "location", []string{"id", "digest", "body"}, len(missing), func(m int) []any {
			return []any{next + int64(m), []byte(keys[missing[m]]), bodies[missing[m]]}
		})
		if err != nil {
			return nil, err
		}
	}
	ids := make([]exposure.LocationID, len(wanted))
	for i, k := range keys {
		ids[i] = exposure.LocationID(known[k])
	}
	return ids, nil
}

// numbers looks up ids by a unique column; keys may repeat.
func (tx *Tx) numbers(ctx context.Context, table, column string, keys []string) (map[string]int64, error) {
	known := make(map[string]int64, len(keys))
	blob := column == "digest" && table != "scan"
	distinct := make([]any, 0, len(keys))
	seen := make(map[string]bool, len(keys))
	for _, k := range keys {
		if !seen[k] {
			seen[k] = true
			if blob {
				distinct = append(distinct, []byte(k))
			} else {
				distinct = append(distinct, k)
			}
		}
	}
	err := chunks(distinct, 250, func(_ []any, params string, args []any) error {
		return each(ctx, tx.tx, fmt.Sprintf("SELECT %s, id FROM %s WHERE %s IN (%s)", column, table, column, params), args, func(rows *sql.Rows) error {
			var k []byte
			var id int64
			if err := rows.Scan(&k, &id); err != nil {
				return err
			}
			known[string(k)] = id
			return nil
		})
	})
	return known, err
}

// missingOf returns the index of the first use of each key that is not known.
func missingOf(known map[string]int64, keys []string) []int {
	var missing []int
	planned := map[string]bool{}
	for i, k := range keys {
		if _, ok := known[k]; !ok && !planned[k] {
			planned[k] = true
			missing = append(missing, i)
		}
	}
	return missing
}

// AddSource returns the number of a tool's class of checks, adding it when new.
func (tx *Tx) AddSource(ctx context.Context, tool, class string) (exposure.SourceID, error) {
	var id int64
	err := tx.tx.QueryRowContext(ctx, "SELECT id FROM source WHERE tool = $1 AND class = $2", tool, class).Scan(&id)
	if err == sql.ErrNoRows {
		if id, err = tx.next(ctx, "source", "id"); err != nil {
			return 0, err
		}
		_, err = tx.tx.ExecContext(ctx, "INSERT INTO source (id, tool, class) VALUES ($1, $2, $3)", id, tool, class)
	}
	return exposure.SourceID(id), err
}

// Sources returns all sources in order of their numbers.
func (db *DB) Sources(ctx context.Context) ([]exposure.Source, error) {
	s, err := sources(ctx, db.read)
	return s, explain(err)
}

// Sources is [DB.Sources] within the transaction.
func (tx *Tx) Sources(ctx context.Context) ([]exposure.Source, error) { return sources(ctx, tx.tx) }

func sources(ctx context.Context, q querier) ([]exposure.Source, error) {
	var all []exposure.Source
	err := each(ctx, q, "SELECT id, tool, class FROM source ORDER BY id", nil, func(rows *sql.Rows) error {
		var s exposure.Source
		err := rows.Scan(&s.ID, &s.Tool, &s.Class)
		all = append(all, s)
		return err
	})
	return all, err
}
