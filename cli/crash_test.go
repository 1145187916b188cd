package cli

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/leeward-ctem/leeward/internal/testkit"
	"github.com/leeward-ctem/leeward/internal/testkit/live"
	"github.com/leeward-ctem/leeward/store"
)

// The test binary is leeward itself when asked to be, so that processes can be
// killed for real.
func runAsLeeward() {
	if socket := os.Getenv(simulation); socket != "" {
		os.Exit(simulate(socket))
	}
	if os.Getenv("LEEWARD_TEST_RUN") == "1" {
		os.Exit(Run(context.Background(), os.Args[1:], OS()))
	}
}

// dump reads every row of every table, without what tells the time of the
// import itself.
func dump(t *testing.T, db *store.DB) map[string][]string {
	t.Helper()
	conn, _ := db.SQL()
	out := map[string][]string{}
	for table, columns := range map[string]string{
		"asset": "*", "asset_identifier": "*", "advisory": "*", "location": "*", "source": "*", "finding": "*", "finding_alias": "*", "finding_source": "*",
		"coverage": "*", "checkset": "*", "evidence": "*", "scan_error": "*",
		"scan":  "id, digest, name, format, tool, version, at, complete, failure, records, errors, created, closed, reopened, seen",
		"event": `seq, kind, cause, "from", "to", first, last, ids, scan, actor, reason`,
	} {
		rows, err := conn.QueryContext(t.Context(), "SELECT "+columns+" FROM "+table)
		if err != nil {
			t.Fatal(err)
		}
		out[table] = tableText(t, rows)
	}
	return out
}

func tableText(t *testing.T, rows *sql.Rows) (lines []string) {
	t.Helper()
	defer rows.Close()
	names, err := rows.Columns()
	if err != nil {
		t.Fatal(err)
	}
	for rows.Next() {
		values, into := make([]any, len(names)), make([]any, len(names))
		for i := range values {
			into[i] = &values[i]
		}
		if err := rows.Scan(into...); err != nil {
			t.Fatal(err)
		}
		var b strings.Builder
		for _, v := range values {
			if raw, ok := v.([]byte); ok {
				v = hex.EncodeToString(raw)
			}
			fmt.Fprintf(&b, "%v|", v)
		}
		lines = append(lines, b.String())
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	slices.Sort(lines)
	return lines
}

// An import that is killed at any moment and run again gives what an
// undisturbed one gives: nothing lost, doubled or closed.
func TestKilledImport(t *testing.T) {
	if testing.Short() {
		t.Skip("kills processes for a while")
	}
	t.Parallel()
	kills := 10
	if live.All() {
		kills = 100
	}
	findings := 20_000
	if live.Race {
		findings = 4_000
	}
	var report bytes.Buffer
	if err := testkit.Trivy(&report, testkit.Estate{Findings: findings, Seed: 1}); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "report.json")
	if err := os.WriteFile(file, report.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	importing := func(t *testing.T, where []string) *exec.Cmd {
		cmd := exec.CommandContext(t.Context(), os.Args[0], append(slices.Clone(where), "import", "--json", file)...)
		cmd.Env = append(os.Environ(), "LEEWARD_TEST_RUN=1")
		return cmd
	}
	complete := func(t *testing.T, where []string) time.Duration {
		t.Helper()
		began := time.Now()
		if out, err := importing(t, where).CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		return time.Since(began)
	}
	engines := map[string]func(t *testing.T) (where []string, open func() (*store.DB, error)){
		"sqlite": func(t *testing.T) ([]string, func() (*store.DB, error)) {
			dir := t.TempDir()
			return []string{"--data", dir}, func() (*store.DB, error) { return store.Open(t.Context(), dir) }
		},
		"postgres": func(t *testing.T) ([]string, func() (*store.DB, error)) {
			if cluster == nil {
				live.Missing(t, noCluster.Error())
			}
			dsn := cluster.Database(t)
			return []string{"--database", dsn, "--data", t.TempDir()}, func() (*store.DB, error) { return store.OpenPostgres(t.Context(), dsn) }
		},
	}
	for name, engine := range engines {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			read := func(open func() (*store.DB, error)) map[string][]string {
				db, err := open()
				if err != nil {
					t.Fatal(err)
				}
				defer db.Close()
				return dump(t, db)
			}
			where, open := engine(t)
			took := complete(t, where)
			want := read(open)
			if len(want["finding"]) != findings {
				t.Fatalf("the undisturbed import made %d findings", len(want["finding"]))
			}
			r := rand.New(rand.NewPCG(7, uint64(len(name))))
			interrupted := 0
			for killed := 0; killed < kills; {
				where, open := engine(t)
				for range min(5, kills-killed) {
					cmd := importing(t, where)
					if err := cmd.Start(); err != nil {
						t.Fatal(err)
					}
					time.Sleep(time.Duration(r.Int64N(int64(took))))
					cmd.Process.Kill()
					if err := cmd.Wait(); err != nil {
						interrupted++
					}
					killed++
				}
				// Kills are to fall into the import: a busy machine may have slowed
				// down the first.
				took = min(took, complete(t, where))
				if diff := cmp.Diff(want, read(open)); diff != "" {
					t.Fatalf("after kills (-undisturbed +killed):\n%.4000s", diff)
				}
			}
			if interrupted < kills/4 {
				t.Errorf("only %d of %d kills came before the end", interrupted, kills)
			}
		})
	}
}
