package store_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"

	"github.com/leeward-ctem/leeward/exposure"
	"github.com/leeward-ctem/leeward/internal/testkit/live"
	"github.com/leeward-ctem/leeward/store"
)

var cluster *live.Cluster
var noCluster error

func TestMain(m *testing.M) {
	if os.Getenv(writerEnv) != "" {
		os.Exit(writeFromElsewhere(os.Getenv(writerEnv)))
	}
	cluster, noCluster = live.StartCluster()
	code := m.Run()
	cluster.Stop()
	os.Exit(code)
}

// onBoth runs a test against an empty database of each engine.
func onBoth(t *testing.T, f func(t *testing.T, db *store.DB)) {
	t.Run("sqlite", func(t *testing.T) {
		t.Parallel()
		db, err := store.Open(t.Context(), t.TempDir())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { db.Close() })
		f(t, db)
	})
	t.Run("postgres", func(t *testing.T) {
		t.Parallel()
		db, err := store.OpenPostgres(t.Context(), emptyPostgres(t))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { db.Close() })
		f(t, db)
	})
}

// spare are PostgreSQL databases with our tables and nothing in them: making
// one takes longer than most tests.
var spare struct {
	sync.Mutex
	addresses []string
}

// emptyPostgres returns the address of a database with our tables. It is
// emptied for the next test, unless this one failed.
func emptyPostgres(t testing.TB) string {
	t.Helper()
	if cluster == nil {
		live.Missing(t, noCluster.Error())
	}
	spare.Lock()
	defer spare.Unlock()
	var address string
	if n := len(spare.addresses); n > 0 {
		address, spare.addresses = spare.addresses[n-1], spare.addresses[:n-1]
	} else {
		address = cluster.Database(t)
	}
	t.Cleanup(func() {
		if t.Failed() {
			return
		}
		ctx := context.Background()
		conn, err := pgx.Connect(ctx, address)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close(ctx)
		_, err = conn.Exec(ctx, "DO $$ DECLARE t text; BEGIN FOR t IN SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename <> 'schema_version' LOOP EXECUTE 'DELETE FROM ' || quote_ident(t); END LOOP; END $$")
		if err != nil {
			t.Fatal(err)
		}
		spare.Lock()
		defer spare.Unlock()
		spare.addresses = append(spare.addresses, address)
	})
	return address
}

func write(t *testing.T, db *store.DB, f func(ctx context.Context, tx *store.Tx) error) {
	t.Helper()
	if err := db.Write(t.Context(), func(tx *store.Tx) error { return f(t.Context(), tx) }); err != nil {
		t.Fatal(err)
	}
}

func TestFindings(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, db *store.DB) {
		var want []exposure.Finding
		for i := range 777 {
			want = append(want, exposure.Finding{
				Fingerprint: exposure.NewFingerprint("host:a", fmt.Sprint(i), ""), Asset: 1, Advisory: exposure.AdvisoryID(i), Location: 3,
				Source: 2, Scan: 9, FirstSeen: 1_700_000_000_000, Since: 1_700_000_000_000,
				Status: exposure.Status(i % 7), Severity: exposure.Severity(i % 6), Detection: exposure.Detection(i % 6), Verdict: exposure.VerdictKind(i % 9), Shared: i%2 == 0,
			})
		}
		write(t, db, func(ctx context.Context, tx *store.Tx) error { return tx.InsertFindings(ctx, want) })
		var got []exposure.Finding
		read := func() {
			got = nil
			if err := db.Findings(t.Context(), 1, 1_000_000, func(f *exposure.Finding) error { got = append(got, *f); return nil }); err != nil {
				t.Fatal(err)
			}
		}
		read()
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatalf("findings differ (-want +got):\n%s", diff)
		}
		want[5].Status, want[5].Since, want[5].Verdict = exposure.StatusVerified, 1_800_000_000_000, exposure.VerdictFixed
		write(t, db, func(ctx context.Context, tx *store.Tx) error { return tx.UpdateFindings(ctx, want[5:6]) })
		read()
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatalf("after an update (-want +got):\n%s", diff)
		}
		err := db.Write(t.Context(), func(tx *store.Tx) error {
			again := []exposure.Finding{want[7]}
			return tx.InsertFindings(t.Context(), again)
		})
		if err == nil {
			t.Fatal("the same fingerprint went in twice")
		}
	})
}

func TestWriteIsAtomic(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, db *store.DB) {
		boom := errors.New("boom")
		err := db.Write(t.Context(), func(tx *store.Tx) error {
			if err := tx.Append(t.Context(), &exposure.Event{Kind: exposure.EventNote, Actor: "test"}); err != nil {
				return err
			}
			return boom
		})
		if !errors.Is(err, boom) {
			t.Fatalf("error = %v, want the one of the function", err)
		}
		if head, err := db.Head(t.Context()); err != nil || head != 0 {
			t.Fatalf("head = %d, %v after a failed transaction", head, err)
		}
	})
}

func TestEvents(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, db *store.DB) {
		want := []*exposure.Event{
			{At: 1, Kind: exposure.EventOpened, First: 1, Last: 10, Scan: 1, Actor: "import"},
			{At: 2, Kind: exposure.EventMoved, Cause: exposure.CauseClaim, From: exposure.StatusOpen, To: exposure.StatusFixClaimed, First: 2, Last: 9, IDs: []uint32{2, 3, 9}, Actor: "ada", Reason: "patched"},
		}
		write(t, db, func(ctx context.Context, tx *store.Tx) error { return tx.Append(ctx, want...) })
		write(t, db, func(ctx context.Context, tx *store.Tx) error {
			e := &exposure.Event{At: 3, Kind: exposure.EventNote, First: 4, Last: 4, Actor: "ada"}
			want = append(want, e)
			return tx.Append(ctx, e)
		})
		var got []*exposure.Event
		if err := db.Events(t.Context(), 0, func(e *exposure.Event) error { got = append(got, e); return nil }); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("events differ (-want +got):\n%s", diff)
		}
		line, err := db.Timeline(t.Context(), 4)
		if err != nil {
			t.Fatal(err)
		}
		if len(line) != 2 || line[0].Kind != exposure.EventOpened || line[1].Kind != exposure.EventNote {
			t.Errorf("timeline of finding 4 = %+v", line)
		}
	})
}

func TestDictionaries(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, db *store.DB) {
		advisory := func(key string) exposure.Advisory {
			return exposure.Advisory{Key: key, Title: "T " + key, Severity: exposure.SeverityHigh, CVEs: []string{key}, CWEs: []int{79}, CVSS: []string{"CVSS:3.1/AV:N"},
				Description: "long", Solution: "fix", References: []string{"https://example.com"}, Threat: exposure.Threat{KEVDay: 3}}
		}
		var first, second []exposure.AdvisoryID
		write(t, db, func(ctx context.Context, tx *store.Tx) (err error) {
			first, err = tx.AddAdvisories(ctx, []exposure.Advisory{advisory("CVE-1"), advisory("CVE-2"), advisory("CVE-1")})
			return err
		})
		write(t, db, func(ctx context.Context, tx *store.Tx) (err error) {
			second, err = tx.AddAdvisories(ctx, []exposure.Advisory{advisory("CVE-3"), advisory("CVE-2")})
			return err
		})
		if diff := cmp.Diff([]exposure.AdvisoryID{1, 2, 1}, first); diff != "" {
			t.Error(diff)
		}
		if diff := cmp.Diff([]exposure.AdvisoryID{3, 2}, second); diff != "" {
			t.Error(diff)
		}
		want := advisory("CVE-2")
		want.ID = 2
		got, err := db.Advisory(t.Context(), 2)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
		places := []exposure.Place{{Location: exposure.Location{Port: 443, Protocol: "tcp"}}, {Component: exposure.Component{Purl: "pkg:npm/a@1", Fixed: "2"}}, {}}
		var ids []exposure.LocationID
		write(t, db, func(ctx context.Context, tx *store.Tx) (err error) {
			ids, err = tx.AddPlaces(ctx, places)
			return err
		})
		back, err := db.PlacesByID(t.Context(), ids)
		if err != nil {
			t.Fatal(err)
		}
		for i, id := range ids {
			places[i].ID = id
			if diff := cmp.Diff(places[i], back[id]); diff != "" {
				t.Error(diff)
			}
		}
	})
}

func TestAssets(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, db *store.DB) {
		assets := []exposure.Asset{
			{Key: "hostname:a", Kind: exposure.AssetHost, Name: "a", OS: "Debian 12", FirstSeen: 5, Identifiers: []exposure.Identifier{{Kind: exposure.IDHostname, Value: "a"}, {Kind: exposure.IDIP, Value: "10.0.0.1"}}},
			{Key: "hostname:b", Kind: exposure.AssetHost, Name: "b", FirstSeen: 6, Demo: true, Assigned: "Payments", Identifiers: []exposure.Identifier{{Kind: exposure.IDHostname, Value: "b"}}},
		}
		write(t, db, func(ctx context.Context, tx *store.Tx) error { return tx.InsertAssets(ctx, assets) })
		write(t, db, func(ctx context.Context, tx *store.Tx) error {
			return tx.AddIdentifiers(ctx, assets[1].ID, []exposure.Identifier{{Kind: exposure.IDIP, Value: "10.0.0.1"}})
		})
		assets[1].Identifiers = append(assets[1].Identifiers, exposure.Identifier{Kind: exposure.IDIP, Value: "10.0.0.1"})
		var got []exposure.Asset
		if err := db.Assets(t.Context(), 1, 10, func(a *exposure.Asset) error { got = append(got, *a); return nil }); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(assets, got); diff != "" {
			t.Error(diff)
		}
		write(t, db, func(ctx context.Context, tx *store.Tx) error {
			found, err := tx.AssetsByIdentifier(ctx, []string{"ip:10.0.0.1", "hostname:a", "hostname:nobody"})
			if diff := cmp.Diff(map[string][]exposure.AssetID{"ip:10.0.0.1": {1, 2}, "hostname:a": {1}}, found); diff != "" {
				t.Error(diff)
			}
			return err
		})
	})
}

func TestEvidence(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, db *store.DB) {
		var proofs []exposure.Proof
		for i := range 3000 {
			proofs = append(proofs, exposure.Proof{Finding: exposure.FindingID(i + 1), Line: i, Evidence: []exposure.Evidence{{Kind: "output", Text: fmt.Sprintf("proof %d %0500d", i, i)}}})
		}
		write(t, db, func(ctx context.Context, tx *store.Tx) error { return tx.InsertEvidence(ctx, 4, proofs) })
		for _, id := range []exposure.FindingID{1, 1500, 3000} {
			got, err := db.Evidence(t.Context(), id, 5)
			if err != nil {
				t.Fatal(err)
			}
			want := proofs[id-1]
			want.Scan = 4
			if diff := cmp.Diff([]exposure.Proof{want}, got); diff != "" {
				t.Errorf("evidence of %v: %s", id, diff)
			}
		}
	})
}
