package store_test

import (
	"database/sql"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/leeward-ctem/leeward/store"
)

// The two folders of migrations make the same tables: what is read from one
// engine can be written to the other, and both keep the same promises.
func TestSchemasAreEqual(t *testing.T) {
	t.Parallel()
	lite, err := store.Open(t.Context(), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer lite.Close()
	pg, err := store.OpenPostgres(t.Context(), emptyPostgres(t))
	if err != nil {
		t.Fatal(err)
	}
	defer pg.Close()
	a, b := sqliteSchema(t, lite), postgresSchema(t, pg)
	if len(a) < 20 || !slices.ContainsFunc(a, func(s string) bool { return strings.HasPrefix(s, "finding.fingerprint bytes not null") }) {
		t.Fatalf("the schema was not read: %q", a)
	}
	if diff := cmp.Diff(a, b); diff != "" {
		t.Errorf("schemas differ (-sqlite +postgres):\n%s", diff)
	}
}

// rows returns the rows of a query as words.
func rows(t *testing.T, db *store.DB, query string, args ...any) (out [][]string) {
	t.Helper()
	conn, _ := db.SQL()
	r, err := conn.QueryContext(t.Context(), query, args...)
	if err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	defer r.Close()
	names, _ := r.Columns()
	for r.Next() {
		cells := make([]sql.NullString, len(names))
		into := make([]any, len(names))
		for i := range cells {
			into[i] = &cells[i]
		}
		if err := r.Scan(into...); err != nil {
			t.Fatal(err)
		}
		row := make([]string, len(names))
		for i, c := range cells {
			row[i] = c.String
		}
		out = append(out, row)
	}
	if err := r.Err(); err != nil {
		t.Fatal(err)
	}
	return out
}

var kinds = map[string]string{"INTEGER": "number", "bigint": "number", "TEXT": "text", "text": "text", "BLOB": "bytes", "bytea": "bytes"}

// sqliteSchema describes tables and indexes, one a line, sorted.
func sqliteSchema(t *testing.T, db *store.DB) (out []string) {
	for _, table := range rows(t, db, "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' AND name <> 'schema_version'") {
		key := map[int]string{}
		for _, c := range rows(t, db, `SELECT name, type, "notnull", pk FROM pragma_table_info($1)`, table[0]) {
			var pk int
			fmt.Sscan(c[3], &pk)
			if pk > 0 {
				key[pk] = c[0]
			}
			out = append(out, column(table[0], c[0], c[1], c[2] == "1" || pk > 0))
		}
		var columns []string
		for i := range len(key) {
			columns = append(columns, key[i+1])
		}
		out = append(out, fmt.Sprintf("%s unique (%s) primary", table[0], strings.Join(columns, ", ")))
		for _, i := range rows(t, db, `SELECT l.name, l."unique", l.origin, COALESCE(m.sql, '') FROM pragma_index_list($1) l LEFT JOIN sqlite_master m ON m.name = l.name`, table[0]) {
			if i[2] == "pk" {
				continue
			}
			var columns []string
			for _, c := range rows(t, db, "SELECT name FROM pragma_index_info($1) ORDER BY seqno", i[0]) {
				columns = append(columns, c[0])
			}
			out = append(out, index(table[0], strings.Join(columns, ", "), i[1] == "1", i[3]))
		}
	}
	slices.Sort(out)
	return out
}

func postgresSchema(t *testing.T, db *store.DB) (out []string) {
	for _, c := range rows(t, db, "SELECT table_name, column_name, data_type, is_nullable FROM information_schema.columns WHERE table_schema = 'public' AND table_name <> 'schema_version'") {
		out = append(out, column(c[0], c[1], c[2], c[3] == "NO"))
	}
	const query = `SELECT t.relname, pg_get_indexdef(x.indexrelid), CASE WHEN x.indisunique THEN 1 ELSE 0 END, CASE WHEN x.indisprimary THEN 1 ELSE 0 END
		FROM pg_index x JOIN pg_class t ON t.oid = x.indrelid JOIN pg_namespace n ON n.oid = t.relnamespace WHERE n.nspname = 'public' AND t.relname <> 'schema_version'`
	columns := regexp.MustCompile(`\(([^()]*)\)`)
	for _, i := range rows(t, db, query) {
		names := strings.ReplaceAll(columns.FindStringSubmatch(i[1])[1], `"`, "")
		if i[3] == "1" {
			out = append(out, fmt.Sprintf("%s unique (%s) primary", i[0], names))
		} else {
			out = append(out, index(i[0], names, i[2] == "1", i[1]))
		}
	}
	slices.Sort(out)
	return out
}

func column(table, name, kind string, notNull bool) string {
	s := table + "." + name + " " + kinds[kind]
	if notNull {
		s += " not null"
	}
	return s
}

func index(table, columns string, unique bool, definition string) string {
	s := fmt.Sprintf("%s index (%s)", table, columns)
	if unique {
		s = fmt.Sprintf("%s unique (%s)", table, columns)
	}
	if _, where, found := strings.Cut(definition, " WHERE "); found {
		s += " where " + strings.Trim(where, "()")
	}
	return s
}
