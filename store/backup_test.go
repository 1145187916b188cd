package store_test

import (
	"bytes"
	"context"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/leeward-ctem/leeward/exposure"
	"github.com/leeward-ctem/leeward/internal/testkit"
	"github.com/leeward-ctem/leeward/store"
)

func fill(t *testing.T, db *store.DB) {
	t.Helper()
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
		return tx.Append(ctx, &exposure.Event{Kind: exposure.EventMoved, IDs: []uint32{1, 2, 3}, First: 1, Last: 3, Actor: "ada", Reason: "naïve ☃"})
	})
}

func contents(t *testing.T, db *store.DB) (out []any) {
	t.Helper()
	ctx := t.Context()
	if err := db.Findings(ctx, 1, 1<<31, func(f *exposure.Finding) error { out = append(out, *f); return nil }); err != nil {
		t.Fatal(err)
	}
	if err := db.Events(ctx, 0, func(e *exposure.Event) error { out = append(out, *e); return nil }); err != nil {
		t.Fatal(err)
	}
	proofs, err := db.Evidence(ctx, 1, 10)
	if err != nil {
		t.Fatal(err)
	}
	body, version, err := db.Programme(ctx)
	if err != nil {
		t.Fatal(err)
	}
	return append(out, proofs, body, version)
}

func TestBackupAndRestore(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, db *store.DB) {
		fill(t, db)
		want := contents(t, db)
		var backup bytes.Buffer
		now := time.UnixMilli(1_800_000_000_000)
		m, err := db.Backup(t.Context(), &backup, now)
		if err != nil {
			t.Fatal(err)
		}
		if m.Findings != 1200 || m.Seq == 0 || m.SHA256 == "" {
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
		if diff := cmp.Diff(want, contents(t, back)); diff != "" {
			t.Errorf("restored into SQLite (-want +got):\n%s", diff)
		}
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
			testkit.Missing(t, noCluster.Error())
		}
		dsn := cluster.Database(t)
		if _, err := store.RestorePostgres(t.Context(), dsn, bytes.NewReader(backup.Bytes())); err != nil {
			t.Fatal(err)
		}
		pg, err := store.OpenPostgres(t.Context(), dsn)
		if err != nil {
			t.Fatal(err)
		}
		defer pg.Close()
		if diff := cmp.Diff(want, contents(t, pg)); diff != "" {
			t.Errorf("restored into PostgreSQL (-want +got):\n%s", diff)
		}
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
	})
}
