package store_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/leeward-ctem/leeward/exposure"
	"github.com/leeward-ctem/leeward/store"
)

// kind checks that an error is of a kind and says something.
func kind(t *testing.T, what string, err error, want exposure.Kind, words string) {
	t.Helper()
	if err == nil || exposure.KindOf(err) != want || !strings.Contains(err.Error(), words) {
		t.Errorf("%s: error %v of kind %v, want %v with %q", what, err, exposure.KindOf(err), want, words)
	}
}

func TestAccounts(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, db *store.DB) {
		ctx := t.Context()
		ada := exposure.Account{Name: "ada", Password: "$argon2id$a", Role: "admin", Created: 5}
		bob := exposure.Account{Name: "Bob ☃", Password: "$argon2id$b", Role: "viewer", Created: 6, Disabled: true}
		for _, a := range []*exposure.Account{&ada, &bob} {
			if err := db.AddAccount(ctx, a); err != nil {
				t.Fatal(err)
			}
		}
		if ada.ID != 1 || bob.ID != 2 {
			t.Errorf("accounts are numbered %d and %d", ada.ID, bob.ID)
		}
		again := exposure.Account{Name: "ada", Password: "x", Role: "viewer"}
		kind(t, "a taken name", db.AddAccount(ctx, &again), exposure.Conflict, `"ada"`)
		ada.Password, ada.Role, ada.Disabled = "$argon2id$c", "operator", true
		if err := db.UpdateAccount(ctx, &ada); err != nil {
			t.Fatal(err)
		}
		kind(t, "an update of nobody", db.UpdateAccount(ctx, &exposure.Account{ID: 77}), exposure.NotFound, "77")
		for _, want := range []exposure.Account{ada, bob} {
			got, err := db.Account(ctx, want.Name)
			if diff := cmp.Diff(want, got); diff != "" || err != nil {
				t.Errorf("account by name: %v (-want +got):\n%s", err, diff)
			}
			got, err = db.AccountByID(ctx, want.ID)
			if diff := cmp.Diff(want, got); diff != "" || err != nil {
				t.Errorf("account by number: %v (-want +got):\n%s", err, diff)
			}
		}
		all, err := db.Accounts(ctx)
		if diff := cmp.Diff(2, len(all)); diff != "" || err != nil {
			t.Errorf("accounts: %v, %v", all, err)
		}
		_, err = db.Account(ctx, "ADA")
		kind(t, "another name", err, exposure.NotFound, "no such account")
		_, err = db.AccountByID(ctx, 3)
		kind(t, "another number", err, exposure.NotFound, "no such account")
	})
}

func TestTokens(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, db *store.DB) {
		ctx := t.Context()
		ci := exposure.Token{Account: 1, Name: "ci", Digest: "aa11", Scopes: []string{"import", "read"}, Created: 5, Expires: 9e12}
		mine := exposure.Token{Account: 1, Name: "laptop", Digest: "bb22", Created: 6, Expires: 7}
		other := exposure.Token{Account: 2, Name: "ci", Digest: "cc33", Scopes: []string{"read"}, Created: 8, Expires: 9e12}
		for _, k := range []*exposure.Token{&ci, &mine, &other} {
			if err := db.AddToken(ctx, k); err != nil {
				t.Fatal(err)
			}
		}
		if err := db.AddToken(ctx, &exposure.Token{Account: 2, Digest: "aa11"}); err == nil {
			t.Error("two tokens have one digest")
		}
		read := func(digest string) exposure.Token {
			t.Helper()
			got, err := db.TokenByDigest(ctx, digest)
			if err != nil {
				t.Fatal(err)
			}
			return got
		}
		mine.Scopes = []string{}
		for _, want := range []exposure.Token{ci, mine, other} {
			if diff := cmp.Diff(want, read(want.Digest)); diff != "" {
				t.Errorf("token (-want +got):\n%s", diff)
			}
		}
		// The time of use is worth a write a minute, not one a request.
		const minute = 60_000
		for _, use := range []struct{ at, want int64 }{{1e12, 1e12}, {1e12 + minute, 1e12}, {1e12 + minute + 1, 1e12 + minute + 1}, {1e12, 1e12 + minute + 1}} {
			if err := db.TouchToken(ctx, ci.ID, use.at); err != nil {
				t.Fatal(err)
			}
			if got := read("aa11").Used; got != use.want {
				t.Errorf("after a use at %d: used at %d, want %d", use.at, got, use.want)
			}
		}
		if got := read("bb22").Used; got != 0 {
			t.Errorf("another token was used at %d", got)
		}
		list := func(account int64) (digests []string) {
			t.Helper()
			all, err := db.Tokens(ctx, account)
			if err != nil {
				t.Fatal(err)
			}
			for _, k := range all {
				digests = append(digests, k.Digest)
			}
			return digests
		}
		if diff := cmp.Diff([]string{"aa11", "bb22"}, list(1)); diff != "" {
			t.Errorf("tokens (-want +got):\n%s", diff)
		}
		// Nobody ends the token of another.
		if err := db.RemoveToken(ctx, 1, other.ID); err != nil {
			t.Fatal(err)
		}
		read("cc33")
		if err := db.RemoveToken(ctx, 2, other.ID); err != nil {
			t.Fatal(err)
		}
		_, err := db.TokenByDigest(ctx, "cc33")
		kind(t, "a removed token", err, exposure.NotFound, "no such token")
		next := exposure.Token{Account: 2, Digest: "dd44"}
		if err := db.AddToken(ctx, &next); err != nil || next.ID != other.ID+1 {
			t.Errorf("the number of a removed token, %d, is given again: %d, %v", other.ID, next.ID, err)
		}
	})
}

func TestSessions(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, db *store.DB) {
		ctx := t.Context()
		start := time.UnixMilli(1_800_000_000_000)
		now := start
		here := db.Sessions(func() time.Time { return now })
		// Another server on the same database.
		there := db.Sessions(func() time.Time { return now })
		commit := func(token, data string, lasts time.Duration) {
			t.Helper()
			if err := here.CommitCtx(ctx, token, []byte(data), now.Add(lasts)); err != nil {
				t.Fatal(err)
			}
		}
		check := func(what, token, want string) {
			t.Helper()
			data, found, err := there.FindCtx(ctx, token)
			if err != nil || found != (want != "") || string(data) != want {
				t.Errorf("%s: session %q, %v, %v, want %q", what, data, found, err, want)
			}
		}
		commit("a", "ada", time.Hour)
		commit("b", "bob\x00\xff", time.Minute)
		check("on another server", "a", "ada")
		check("of bytes", "b", "bob\x00\xff")
		check("unknown", "c", "")
		commit("a", "ada 2", time.Hour)
		check("replaced", "a", "ada 2")
		now = start.Add(time.Minute - time.Millisecond)
		check("just before its end", "b", "bob\x00\xff")
		now = start.Add(time.Minute)
		check("at its end", "b", "")
		commit("c", "eve", time.Hour)
		now = start // the row is gone, not only hidden
		check("forgotten", "b", "")
		if err := there.Commit("d", []byte("dan"), now.Add(time.Hour)); err != nil {
			t.Fatal(err)
		}
		check("without a context", "d", "dan")
		if err := there.Delete("a"); err != nil {
			t.Fatal(err)
		}
		if data, found, err := here.Find("a"); err != nil || found {
			t.Errorf("an ended session is found elsewhere: %q, %v", data, err)
		}
		if err := here.DeleteCtx(ctx, "nobody"); err != nil {
			t.Errorf("ending no session: %v", err)
		}
	})
}
