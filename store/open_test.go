package store_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/klauspost/compress/zstd"

	"github.com/leeward-ctem/leeward/exposure"
	"github.com/leeward-ctem/leeward/store"
)

func TestOpenErrors(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := store.Open(ctx, file)
	kind(t, "a file for a directory", err, exposure.Unavailable, "choose another with --data")
	_, err = store.Open(ctx, filepath.Join(dir, "a\x00b"))
	kind(t, "no name for a directory", err, exposure.Unavailable, "--data")
	if err := os.WriteFile(filepath.Join(dir, store.FileName), []byte(strings.Repeat("this is no database ", 500)), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err = store.Open(ctx, dir)
	kind(t, "a damaged file", err, exposure.Unavailable, "leeward restore")

	// Characters that mean something in the address of a database.
	odd := filepath.Join(t.TempDir(), "a?b=c&d#e %20 ☃")
	db, err := store.Open(ctx, odd)
	if err != nil {
		t.Fatal(err)
	}
	if err := db.PutRollup(ctx, 1, []byte("x")); err != nil {
		t.Error(err)
	}
	if err := db.Close(); err != nil {
		t.Error(err)
	}
	if info, err := os.Stat(filepath.Join(odd, store.FileName)); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the file is not where it was asked for, or for all to read: %v, %v", info, err)
	}

	const secret = "s3cr3t"
	for _, dsn := range []string{"postgres://ada:" + secret + "@127.0.0.1:no/x", "postgres://ada:" + secret + "@127.0.0.1:1/x?connect_timeout=2"} {
		_, err := store.OpenPostgres(ctx, dsn)
		if k := exposure.KindOf(err); k != exposure.Invalid && k != exposure.Unavailable || strings.Contains(err.Error(), secret) {
			t.Errorf("%s: error %v of kind %v", strings.ReplaceAll(dsn, secret, "…"), err, k)
		}
	}
}

// Within a transaction everything reads as outside, and what it wrote itself
// besides.
func TestReadsWithinTransaction(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, db *store.DB) {
		ctx := t.Context()
		fill(t, db)
		type reader interface {
			Findings(ctx context.Context, first, last exposure.FindingID, f func(*exposure.Finding) error) error
			FindingsByID(ctx context.Context, ids []exposure.FindingID, f func(*exposure.Finding) error) error
			Assets(ctx context.Context, first, last exposure.AssetID, f func(*exposure.Asset) error) error
			Advisories(ctx context.Context, first, last exposure.AdvisoryID, f func(*exposure.Advisory) error) error
			Places(ctx context.Context, first, last exposure.LocationID, f func(*exposure.Place) error) error
			PlacesByID(ctx context.Context, ids []exposure.LocationID) (map[exposure.LocationID]exposure.Place, error)
			Sources(ctx context.Context) ([]exposure.Source, error)
			Events(ctx context.Context, after int64, f func(*exposure.Event) error) error
			SourceStates(ctx context.Context, ids []exposure.FindingID) ([]exposure.SourceState, error)
			VerdictsOf(ctx context.Context, ids []exposure.FindingID) (map[exposure.FindingID][]exposure.Verdict, error)
		}
		read := func(r reader) (out []any) {
			t.Helper()
			some := []exposure.FindingID{900, 1, 2, 7, 5000}
			var found []exposure.Finding
			err := errors.Join(
				r.Findings(ctx, 3, 1<<30, func(f *exposure.Finding) error { out = append(out, *f); return nil }),
				r.FindingsByID(ctx, some, func(f *exposure.Finding) error { found = append(found, *f); return nil }),
				r.Assets(ctx, 1, 99, func(a *exposure.Asset) error { out = append(out, *a); return nil }),
				r.Advisories(ctx, 1, 99, func(a *exposure.Advisory) error { out = append(out, *a); return nil }),
				r.Places(ctx, 1, 99, func(p *exposure.Place) error { out = append(out, *p); return nil }),
				r.Events(ctx, 0, func(e *exposure.Event) error { out = append(out, *e); return nil }),
			)
			slices.SortFunc(found, func(a, b exposure.Finding) int { return int(a.ID) - int(b.ID) })
			places, err1 := r.PlacesByID(ctx, []exposure.LocationID{1, 2})
			sources, err2 := r.Sources(ctx)
			states, err3 := r.SourceStates(ctx, some)
			verdicts, err4 := r.VerdictsOf(ctx, some)
			if err := errors.Join(err, err1, err2, err3, err4); err != nil {
				t.Fatal(err)
			}
			return append(out, found, places, sources, states, verdicts)
		}
		outside := read(db)
		if len(outside) < 1199+1+1+1+1 {
			t.Fatalf("%d things were read", len(outside))
		}
		boom := errors.New("boom")
		err := db.Write(ctx, func(tx *store.Tx) error {
			if diff := cmp.Diff(outside, read(tx)); diff != "" {
				t.Errorf("within a transaction (-outside +within):\n%s", diff)
			}
			var assets []exposure.Asset
			if err := tx.AssetsByID(ctx, []exposure.AssetID{9, 2, 1}, func(a *exposure.Asset) error { assets = append(assets, *a); return nil }); err != nil {
				return err
			}
			if len(assets) != 1 || assets[0].Name != "a" {
				t.Errorf("assets by number: %+v", assets)
			}
			if _, err := tx.AddSource(ctx, "nmap", "ports"); err != nil {
				return err
			}
			if diff := cmp.Diff(outside, read(db)); diff != "" {
				t.Errorf("outside, while it is written (-before +while):\n%s", diff)
			}
			if sources, err := tx.Sources(ctx); err != nil || len(sources) != 2 {
				t.Errorf("its own writing is not seen: %+v, %v", sources, err)
			}
			return tx.Findings(ctx, 1, 9, func(*exposure.Finding) error { return boom })
		})
		if !errors.Is(err, boom) {
			t.Errorf("the reader's error became %v", err)
		}
		if diff := cmp.Diff(outside, read(db)); diff != "" {
			t.Errorf("after it failed (-before +after):\n%s", diff)
		}
	})
}

func TestRestoreRefuses(t *testing.T) {
	t.Parallel()
	ctx, now := t.Context(), time.UnixMilli(1_800_000_000_000)
	dir := t.TempDir()
	db, err := store.Open(ctx, dir)
	if err != nil {
		t.Fatal(err)
	}
	if err := db.PutRollup(ctx, 7, []byte("kept")); err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	newer, err := store.Open(ctx, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer newer.Close()
	conn, _ := newer.SQL()
	if _, err := conn.ExecContext(ctx, "INSERT INTO schema_version (version_id, is_applied) VALUES (9999, $1)", true); err != nil {
		t.Fatal(err)
	}
	var backup bytes.Buffer
	if _, err := newer.Backup(ctx, &backup, now); err != nil {
		t.Fatal(err)
	}
	_, err = store.Restore(ctx, dir, &backup, true, now)
	kind(t, "a backup of a newer leeward", err, exposure.Unsupported, "nothing was changed")
	files, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		if name := filepath.Base(f); !strings.HasPrefix(name, store.FileName) || strings.Contains(name, "restore") {
			t.Errorf("%s was left behind", name)
		}
	}
	var body string
	if err := db.Rollups(ctx, 0, func(_ int, b []byte) error { body = string(b); return nil }); err != nil || body != "kept" {
		t.Errorf("the database that was there holds %q, %v", body, err)
	}

	other, err := store.Open(ctx, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	conn, _ = other.SQL()
	if _, err := conn.ExecContext(ctx, "ALTER TABLE event RENAME TO happening"); err != nil {
		t.Fatal(err)
	}
	_, err = other.Backup(ctx, &backup, now)
	kind(t, "a backup of something else", err, exposure.Invalid, "not one of Leeward")
}

// A block of evidence that would take the memory is refused.
func TestHostileBlock(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, db *store.DB) {
		ctx := t.Context()
		z, err := zstd.NewWriter(nil)
		if err != nil {
			t.Fatal(err)
		}
		bomb := z.EncodeAll(make([]byte, 65<<20), nil)
		conn, _ := db.SQL()
		for i, body := range [][]byte{bomb, []byte("no zstd"), z.EncodeAll([]byte("no JSON"), nil)} {
			if _, err := conn.ExecContext(ctx, "INSERT INTO evidence (scan, first, last, body) VALUES ($1, $2, $3, $4)", 1, i+1, i+1, body); err != nil {
				t.Fatal(err)
			}
			if proofs, err := db.Evidence(ctx, exposure.FindingID(i+1), 9); err == nil {
				t.Errorf("block %d gives %d proofs", i, len(proofs))
			}
		}
	})
}

// A block holds at most about blockSize, so that many findings share one and a
// page unpacks little.
func TestEvidenceBlocks(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, db *store.DB) {
		var proofs []exposure.Proof
		for i := range 100 {
			proofs = append(proofs, exposure.Proof{Finding: exposure.FindingID(i + 1), Evidence: []exposure.Evidence{{Kind: "output", Text: fmt.Sprintf("%016000d", i)}}})
		}
		proofs[40].Evidence[0].Text = strings.Repeat("x", 600<<10) // larger than a block
		write(t, db, func(ctx context.Context, tx *store.Tx) error {
			return errors.Join(tx.InsertEvidence(ctx, 1, nil), tx.InsertEvidence(ctx, 1, proofs), tx.InsertEvidence(ctx, 1, proofs))
		})
		blocks := rows(t, db, "SELECT first, last FROM evidence ORDER BY first")
		if len(blocks) < 7 || len(blocks) > 9 {
			t.Errorf("blocks of %v, want about 8", blocks)
		}
		for _, id := range []exposure.FindingID{1, 41, 42, 100} {
			if got, err := db.Evidence(t.Context(), id, 9); err != nil || len(got) != 1 || got[0].Evidence[0] != proofs[id-1].Evidence[0] {
				t.Errorf("evidence of %v: %d pieces, %v", id, len(got), err)
			}
		}
	})
}

func TestMeasures(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	db, err := store.Open(ctx, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	for range 2 { // the scratch table is gone afterwards
		if err := db.InsertUnindexed(ctx, 1000); err != nil {
			t.Fatal(err)
		}
	}
	empty, none, err := db.DiskBytes(ctx)
	if err != nil || empty == 0 || none != 0 {
		t.Errorf("an empty database takes %d bytes with %d of evidence, %v", empty, none, err)
	}
	insert(t, db, make([]exposure.Status, 5000)...)
	write(t, db, func(ctx context.Context, tx *store.Tx) error {
		return tx.InsertEvidence(ctx, 1, []exposure.Proof{{Finding: 1, Line: 1}})
	})
	if full, evidence, err := db.DiskBytes(ctx); err != nil || full-empty < 5000*50 || full-empty > 5000*250 || evidence < 24 {
		t.Errorf("5,000 findings take %d bytes, the evidence %d, %v", full-empty, evidence, err)
	}
}
