package store

import (
	"archive/tar"
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/klauspost/compress/zstd"

	"github.com/leeward-ctem/leeward/exposure"
)

// A backup is a zstd-compressed tar of two files: manifest.json, and
// leeward.db, a complete SQLite database. It is made while the server works,
// from one consistent state, and the same on both engines: PostgreSQL's tables
// are copied into SQLite, so a backup can move from one engine to the other.

// Manifest says what a backup holds.
type Manifest struct {
	Product  string `json:"product"` // "leeward"
	Made     int64  `json:"made"`    // unix milliseconds
	Schema   int64  `json:"schema"`
	Seq      int64  `json:"seq"` // last event
	Findings int64  `json:"findings"`
	Bytes    int64  `json:"bytes"`
	SHA256   string `json:"sha256"` // of leeward.db
}

// Backup writes a backup of the database as it is now to w.
func (db *DB) Backup(ctx context.Context, w io.Writer, now time.Time) (m Manifest, err error) {
	dir, err := os.MkdirTemp("", "leeward-backup-")
	if err != nil {
		return m, explain(err)
	}
	defer os.RemoveAll(dir)
	file := filepath.Join(dir, FileName)
	if db.engine == enginePostgres {
		err = db.copyOut(ctx, dir)
	} else {
		err = db.vacuumInto(ctx, file)
	}
	if err != nil {
		return m, explain(err)
	}
	if m, err = describeBackup(ctx, file); err != nil {
		return m, err
	}
	m.Made = now.UnixMilli()
	manifest, err := json.MarshalIndent(m, "", "  ")
	if err != nil {
		return m, err
	}
	z, err := zstd.NewWriter(w)
	if err != nil {
		return m, err
	}
	t := tar.NewWriter(z)
	f, err := os.Open(file)
	if err != nil {
		return m, err
	}
	defer f.Close()
	if err := errors.Join(
		t.WriteHeader(&tar.Header{Name: "manifest.json", Mode: 0o600, Size: int64(len(manifest)), ModTime: now}),
		writeAll(t, manifest),
		t.WriteHeader(&tar.Header{Name: FileName, Mode: 0o600, Size: m.Bytes, ModTime: now}),
	); err != nil {
		return m, explain(err)
	}
	if _, err := io.Copy(t, f); err != nil {
		return m, explain(err)
	}
	return m, explain(errors.Join(t.Close(), z.Close()))
}

// vacuumInto copies the SQLite database by a connection of its own, so that
// neither readers nor writers wait for it.
func (db *DB) vacuumInto(ctx context.Context, file string) error {
	own, err := sql.Open("sqlite", "file:"+(&url.URL{Path: db.file}).EscapedPath()+"?_pragma=busy_timeout(30000)")
	if err != nil {
		return err
	}
	defer own.Close()
	_, err = own.ExecContext(ctx, "VACUUM INTO $1", file)
	return err
}

func writeAll(w io.Writer, b []byte) error {
	_, err := w.Write(b)
	return err
}

// describeBackup checks a database file and says what it holds.
func describeBackup(ctx context.Context, file string) (m Manifest, err error) {
	db, err := sql.Open("sqlite", "file:"+(&url.URL{Path: file}).EscapedPath()+"?_pragma=query_only(1)")
	if err != nil {
		return m, err
	}
	defer db.Close()
	var check string
	if err := db.QueryRowContext(ctx, "PRAGMA integrity_check(1)").Scan(&check); err != nil || check != "ok" {
		return m, exposure.Errorf(exposure.Invalid, "the database in the backup is damaged (%s)", orElse(check, fmt.Sprint(err)))
	}
	m.Product = "leeward"
	err = errors.Join(
		db.QueryRowContext(ctx, "SELECT COALESCE(MAX(version_id), 0) FROM schema_version").Scan(&m.Schema),
		db.QueryRowContext(ctx, "SELECT COALESCE(MAX(seq), 0) FROM event").Scan(&m.Seq),
		db.QueryRowContext(ctx, "SELECT COUNT(*) FROM finding").Scan(&m.Findings),
	)
	if err != nil {
		return m, exposure.Errorf(exposure.Invalid, "the database in the backup is not one of Leeward (%w)", err)
	}
	f, err := os.Open(file)
	if err != nil {
		return m, err
	}
	defer f.Close()
	sum := sha256.New()
	if m.Bytes, err = io.Copy(sum, f); err != nil {
		return m, err
	}
	m.SHA256 = hex.EncodeToString(sum.Sum(nil))
	return m, nil
}

func orElse(s, other string) string {
	if s == "" {
		return other
	}
	return s
}

// Restore puts a backup into the data directory dir. It verifies the backup
// completely before it touches anything, and refuses to overwrite a database
// unless force is set; the replaced one is kept beside it.
func Restore(ctx context.Context, dir string, r io.Reader, force bool, now time.Time) (m Manifest, err error) {
	target := filepath.Join(dir, FileName)
	if _, err := os.Stat(target); err == nil && !force {
		return m, exposure.Errorf(exposure.Conflict, "%s has a database already: stop the server and use --force to replace it (the old one is kept beside it)", dir)
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return m, explain(err)
	}
	fresh, m, err := verifiedBackup(ctx, dir, r)
	if err != nil {
		return m, err
	}
	defer os.Remove(fresh)
	for _, suffix := range []string{"", "-wal", "-shm"} {
		old := target + suffix
		if _, err := os.Stat(old); err == nil {
			if err := os.Rename(old, fmt.Sprintf("%s.before-restore-%d%s", target, now.UnixMilli(), suffix)); err != nil {
				return m, explain(err)
			}
		}
	}
	if err := os.Rename(fresh, target); err != nil {
		return m, explain(err)
	}
	db, err := Open(ctx, dir) // brings an older schema up to date, refuses a newer
	if err != nil {
		return m, err
	}
	return m, db.Close()
}

// RestorePostgres puts a backup into an empty PostgreSQL database.
func RestorePostgres(ctx context.Context, dsn string, r io.Reader) (m Manifest, err error) {
	dir, err := os.MkdirTemp("", "leeward-restore-")
	if err != nil {
		return m, explain(err)
	}
	defer os.RemoveAll(dir)
	fresh, m, err := verifiedBackup(ctx, dir, r)
	if err != nil {
		return m, err
	}
	from, err := openFile(ctx, fresh)
	if err != nil {
		return m, err
	}
	defer from.Close()
	to, err := OpenPostgres(ctx, dsn)
	if err != nil {
		return m, err
	}
	defer to.Close()
	return m, explain(copyTables(ctx, from, to))
}

// verifiedBackup unpacks a backup into dir and checks everything about it.
func verifiedBackup(ctx context.Context, dir string, r io.Reader) (file string, m Manifest, err error) {
	fresh, err := os.CreateTemp(dir, "restore-*.db")
	if err != nil {
		return "", m, explain(err)
	}
	defer func() {
		fresh.Close()
		if err != nil {
			os.Remove(fresh.Name())
		}
	}()
	want, err := unpackBackup(r, fresh)
	if err != nil {
		return "", m, err
	}
	if err := errors.Join(fresh.Sync(), fresh.Close()); err != nil {
		return "", m, explain(err)
	}
	if m, err = describeBackup(ctx, fresh.Name()); err != nil {
		return "", m, err
	}
	if m.SHA256 != want.SHA256 || m.Bytes != want.Bytes {
		return "", m, exposure.Errorf(exposure.Invalid, "the backup is damaged: its checksum does not match; nothing was changed")
	}
	if newest, err := newestSchema(); err != nil {
		return "", m, err
	} else if m.Schema > newest {
		return "", m, exposure.Errorf(exposure.Unsupported, "this backup has schema version %d and this binary knows only %d: restore it with the leeward that made it, or a newer one; nothing was changed", m.Schema, newest)
	}
	m.Made = want.Made
	return fresh.Name(), m, explain(forgetIdentity(ctx, fresh.Name()))
}

// forgetIdentity makes a restored database another one than that it was copied
// from: both go on from here with different events under the same numbers, and
// a cache of one must not be taken for one of the other.
func forgetIdentity(ctx context.Context, file string) error {
	db, err := sql.Open("sqlite", "file:"+(&url.URL{Path: file}).EscapedPath())
	if err != nil {
		return err
	}
	_, err = db.ExecContext(ctx, "DELETE FROM meta WHERE key = 'identity'")
	return errors.Join(err, db.Close())
}

func unpackBackup(r io.Reader, database io.Writer) (m Manifest, err error) {
	bad := func(err error) error {
		return exposure.Errorf(exposure.Invalid, "this is no complete Leeward backup (%w); nothing was changed", err)
	}
	z, err := zstd.NewReader(r, zstd.WithDecoderMaxMemory(128<<20))
	if err != nil {
		return m, bad(err)
	}
	defer z.Close()
	t := tar.NewReader(z)
	for {
		h, err := t.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			return m, bad(err)
		}
		switch h.Name {
		case "manifest.json":
			if err := json.NewDecoder(io.LimitReader(t, 1<<20)).Decode(&m); err != nil {
				return m, bad(err)
			}
		case FileName:
			if _, err := io.Copy(database, t); err != nil {
				if strings.Contains(err.Error(), "no space") {
					return m, explain(err)
				}
				return m, bad(err)
			}
		}
	}
	if m.Product != "leeward" {
		return m, bad(errors.New("no manifest"))
	}
	return m, nil
}
