package store_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/leeward-ctem/leeward/exposure"
	"github.com/leeward-ctem/leeward/internal/testkit/live"
	"github.com/leeward-ctem/leeward/store"
)

// fill writes something into every table.
func fill(t *testing.T, db *store.DB) {
	t.Helper()
	ctx := t.Context()
	addScan(t, db, "aa", false, 1, 2, 1200)
	write(t, db, func(ctx context.Context, tx *store.Tx) error {
		var fs []exposure.Finding
		for i := range 1200 {
			fs = append(fs, exposure.Finding{Fingerprint: exposure.NewFingerprint("x", string(rune(i)), "y"), Asset: 1, Advisory: 1, Location: 1, FirstSeen: 1e12, Since: 1e12})
		}
		if err := tx.InsertFindings(ctx, fs); err != nil {
			return err
		}
		if err := tx.InsertEvidence(ctx, 1, []exposure.Proof{{Finding: 1, Evidence: []exposure.Evidence{{Kind: "output", Text: "it was there"}}}}); err != nil {
			return err
		}
		if _, err := tx.PutProgramme(ctx, "services: []", "ada", 5); err != nil {
			return err
		}
		if _, err := tx.AddAdvisories(ctx, []exposure.Advisory{{Key: "CVE-1", Title: "naïve", Description: "long", Threat: exposure.Threat{EPSS: 0.1}}}); err != nil {
			return err
		}
		if _, err := tx.AddPlaces(ctx, []exposure.Place{{Location: exposure.Location{Port: 443}}}); err != nil {
			return err
		}
		if _, err := tx.AddSource(ctx, "trivy", "vuln"); err != nil {
			return err
		}
		return errors.Join(
			tx.Append(ctx, &exposure.Event{Kind: exposure.EventMoved, IDs: []uint32{1, 2, 3}, First: 1, Last: 3, Actor: "ada", Reason: "naïve ☃"}),
			tx.InsertAssets(ctx, []exposure.Asset{host("a"), host("b")}), tx.MergeAsset(ctx, 2, 1),
			tx.FoldFindings(ctx, map[exposure.FindingID]exposure.FindingID{7: 6}),
			tx.AddCoverage(ctx, 1, 100, 1, 1, &exposure.Coverage{Rules: []string{"r"}}),
			tx.ScanErrors(ctx, 1, []*exposure.RecordError{{Record: 1, Offset: -1, Err: errors.New("torn")}}),
			tx.PutSourceStates(ctx, []exposure.SourceState{{Finding: 1, Source: 1, Scan: 1, At: 3}}),
			tx.AddVerdicts(ctx, []exposure.Verdict{{Finding: 1, Evidence: "☃", Actor: "ada"}}),
			tx.AddException(ctx, &exposure.Exception{Reason: "r", Requester: "ada", Findings: []exposure.FindingID{1, 2}}),
			tx.Post(ctx, exposure.OutboxMessage{Key: "k", Body: "{}"}),
			tx.AddRises(ctx, []store.Rise{{Advisory: 1, At: 5, Earlier: 0.1, Later: 0.5}}),
			tx.PutPastScores(ctx, 20000, "v4", map[int][]byte{2024: {1}}),
			putThreats(ctx, tx, 5, store.ThreatChange{Advisory: 1, Is: exposure.Threat{KEVDay: 9}}),
			fillEngagement(ctx, tx),
			fillInventory(ctx, tx),
			addAlerts(ctx, tx, exposure.Alert{Key: "kev|CVE-1|9", Kind: exposure.AlertKEV, At: 5, Reason: "☃"}),
		)
	})
	write(t, db, func(ctx context.Context, tx *store.Tx) error {
		_, err := tx.Assign(ctx, &exposure.Decision{At: 6, Actor: "ada", Kind: exposure.DecisionAssign, Owner: "Zürich ☃"}, []exposure.AssetID{1}, "")
		return err
	})
	_, err := db.Identity(ctx)
	err = errors.Join(err,
		fillJobs(ctx, db),
		db.PutFeed(ctx, "kev", []byte("{}"), []byte{0, 255, 1}), db.PutFeed(ctx, "epss", []byte("{}"), nil), // NULL stays NULL
		db.PutRollup(ctx, 20000, []byte("{}")),
		db.AddAccount(ctx, &exposure.Account{Name: "ada"}), db.AddToken(ctx, &exposure.Token{Account: 1, Digest: "aa"}),
		db.SaveView(ctx, &exposure.SavedView{Account: 1, Name: "mine", Query: "kev:true", Columns: []string{"asset", "due"}}),
		db.Sessions(time.Now).CommitCtx(ctx, "s", []byte{0, 255}, time.Now().Add(time.Hour)),
	)
	if err != nil {
		t.Fatal(err)
	}
}

// dump returns all rows of all tables of ours as words, so that two databases
// can be compared whatever their engines.
func dump(t *testing.T, db *store.DB) map[string][]string {
	t.Helper()
	tables := "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' AND name <> 'schema_version'"
	if db.Postgres() {
		tables = "SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename <> 'schema_version'"
	}
	all := map[string][]string{}
	conn, _ := db.SQL()
	for _, table := range rows(t, db, tables) {
		r, err := conn.QueryContext(t.Context(), "SELECT * FROM "+table[0])
		if err != nil {
			t.Fatal(err)
		}
		names, _ := r.Columns()
		all[table[0]] = []string{}
		for r.Next() {
			cells, into := make([]any, len(names)), make([]any, len(names))
			for i := range cells {
				into[i] = &cells[i]
			}
			if err := r.Scan(into...); err != nil {
				t.Fatal(err)
			}
			var row strings.Builder
			for i, c := range cells {
				fmt.Fprintf(&row, "%s=%#v ", names[i], c)
			}
			all[table[0]] = append(all[table[0]], row.String())
		}
		if err := errors.Join(r.Err(), r.Close()); err != nil {
			t.Fatal(err)
		}
		slices.Sort(all[table[0]])
	}
	return all
}

// same reports what differs between a database and the rows of another.
func same(t *testing.T, what string, want map[string][]string, db *store.DB) {
	t.Helper()
	got := dump(t, db)
	for table, rows := range want {
		if len(rows) == 0 {
			t.Errorf("nothing is in %s: let fill write something", table)
		}
		if !slices.Equal(rows, got[table]) {
			t.Errorf("%s: %s differs (-want +got):\n%s", what, table, cmp.Diff(rows, got[table]))
		}
	}
	if len(got) != len(want) {
		t.Errorf("%s: %d tables, want %d", what, len(got), len(want))
	}
}

func TestBackupAndRestore(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, db *store.DB) {
		fill(t, db)
		want := dump(t, db)
		want["meta"] = slices.DeleteFunc(want["meta"], func(row string) bool { return strings.Contains(row, `key="identity"`) })
		original, err := db.Identity(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		// What is restored is another database, or a cache of this one would be
		// taken for one of it.
		another := func(db *store.DB) {
			t.Helper()
			if id, err := db.Identity(t.Context()); err != nil || id == original || id == "" {
				t.Errorf("identity %q, %v: want a new one, other than %q", id, err, original)
			}
		}
		var backup bytes.Buffer
		now := time.UnixMilli(1_800_000_000_000)
		m, err := db.Backup(t.Context(), &backup, now)
		if err != nil {
			t.Fatal(err)
		}
		if m.Findings != 1199 || m.Seq == 0 || m.SHA256 == "" {
			t.Errorf("manifest %+v", m)
		}
		dir := t.TempDir()
		if _, err := store.Restore(t.Context(), dir, bytes.NewReader(backup.Bytes()), false, now); err != nil {
			t.Fatal(err)
		}
		back, err := store.Open(t.Context(), dir)
		if err != nil {
			t.Fatal(err)
		}
		same(t, "restored into SQLite", want, back)
		another(back)
		back.Close()
		if _, err := store.Restore(t.Context(), dir, bytes.NewReader(backup.Bytes()), false, now); exposure.KindOf(err) != exposure.Conflict {
			t.Errorf("a database was replaced without force: %v", err)
		}
		if _, err := store.Restore(t.Context(), dir, bytes.NewReader(backup.Bytes()), true, now); err != nil {
			t.Error(err)
		}
		for name, bad := range map[string][]byte{"cut off": backup.Bytes()[:backup.Len()/2], "empty": nil, "text": []byte("hello"), "changed": flip(backup.Bytes())} {
			other := t.TempDir()
			if _, err := store.Restore(t.Context(), other, bytes.NewReader(bad), false, now); exposure.KindOf(err) != exposure.Invalid {
				t.Errorf("%s backup: %v", name, err)
			}
		}
		if cluster == nil {
			live.Missing(t, noCluster.Error())
		}
		dsn := emptyPostgres(t)
		// What a server that ran there once left behind is replaced.
		used, err := store.OpenPostgres(t.Context(), dsn)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := used.Identity(t.Context()); err != nil {
			t.Fatal(err)
		}
		if err := used.PutFeed(t.Context(), "kev", []byte("old"), nil); err != nil {
			t.Fatal(err)
		}
		used.Close()
		if _, err := store.RestorePostgres(t.Context(), dsn, bytes.NewReader(backup.Bytes())); err != nil {
			t.Fatal(err)
		}
		pg, err := store.OpenPostgres(t.Context(), dsn)
		if err != nil {
			t.Fatal(err)
		}
		defer pg.Close()
		same(t, "restored into PostgreSQL", want, pg)
		another(pg)
		if _, err := store.RestorePostgres(t.Context(), dsn, bytes.NewReader(backup.Bytes())); exposure.KindOf(err) != exposure.Conflict {
			t.Errorf("a PostgreSQL database that is in use was restored into: %v", err)
		}
	})
}

func flip(b []byte) []byte {
	c := bytes.Clone(b)
	c[len(c)/2] ^= 1
	return c
}

func TestNewerDatabaseIsRefused(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, db *store.DB) {
		conn, _ := db.SQL()
		if _, err := conn.ExecContext(t.Context(), "INSERT INTO schema_version (version_id, is_applied) VALUES (9999, $1)", true); err != nil {
			t.Fatal(err)
		}
		err := db.Migrate(t.Context())
		if exposure.KindOf(err) != exposure.Unsupported || !strings.Contains(err.Error(), "newer leeward") {
			t.Errorf("error %v, want a refusal", err)
		}
		if _, err := conn.ExecContext(t.Context(), "DELETE FROM schema_version WHERE version_id = 9999"); err != nil {
			t.Fatal(err) // another test may get this database
		}
	})
}
