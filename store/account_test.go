package store_test

import (
	"errors"
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
		// Whatever is changed, one administrator can still sign in.
		kind(t, "another role of the last", db.SetAccess(ctx, ada.ID, "operator", false, "admin"), exposure.Conflict, "last admin")
		kind(t, "locking the last", db.SetAccess(ctx, ada.ID, "admin", true, "admin"), exposure.Conflict, "last admin")
		if err := db.SetAccess(ctx, bob.ID, "admin", true, "admin"); err != nil {
			t.Fatal(err)
		}
		kind(t, "locking the last beside a locked one", db.SetAccess(ctx, ada.ID, "admin", true, "admin"), exposure.Conflict, "last admin")
		kind(t, "access of nobody", db.SetAccess(ctx, 77, "admin", false, "admin"), exposure.NotFound, "77")
		kind(t, "a password of nobody", db.SetPassword(ctx, 77, "x"), exposure.NotFound, "77")
		kind(t, "a sign-in of nobody", db.SignedIn(ctx, 77, 1), exposure.NotFound, "77")
		ada.Password, ada.Role, ada.Disabled, ada.Seen, ada.ValidFrom = "$argon2id$c", "operator", true, 1e12, 2e12
		bob.Role, bob.Disabled = "admin", false
		if err := errors.Join(db.SetAccess(ctx, bob.ID, "admin", false, "admin"), db.SetAccess(ctx, ada.ID, "operator", true, "admin"), db.SetPassword(ctx, ada.ID, ada.Password), db.SignedIn(ctx, ada.ID, ada.Seen), db.EndSessions(ctx, ada.ID, ada.ValidFrom)); err != nil {
			t.Fatal(err)
		}
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

// A link sets a password once, in time, for who is not locked, and no other
// link of the account does.
func TestPasswordReset(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, db *store.DB) {
		ctx := t.Context()
		ada := exposure.Account{Name: "ada", Password: "a", Role: "admin"}
		bob := exposure.Account{Name: "bob", Password: "b", Role: "viewer"}
		if err := errors.Join(db.AddAccount(ctx, &ada), db.AddAccount(ctx, &bob)); err != nil {
			t.Fatal(err)
		}
		refused := func(what, digest string, now int64) {
			t.Helper()
			_, err := db.ResetAllowed(ctx, digest, now)
			kind(t, what, err, exposure.NotFound, "")
			_, err = db.ResetPassword(ctx, digest, "evil", now)
			kind(t, what, err, exposure.NotFound, "")
		}
		refused("no link", "", 0)
		if err := errors.Join(db.AllowReset(ctx, bob.ID, "first", 100), db.AllowReset(ctx, bob.ID, "second", 200)); err != nil {
			t.Fatal(err)
		}
		refused("an older link", "first", 50)
		refused("a late one", "second", 200)
		if err := db.SetAccess(ctx, bob.ID, "viewer", true, "admin"); err != nil {
			t.Fatal(err)
		}
		refused("of one who is locked", "second", 50)
		if err := db.SetAccess(ctx, bob.ID, "viewer", false, "admin"); err != nil {
			t.Fatal(err)
		}
		if a, err := db.ResetAllowed(ctx, "second", 199); err != nil || a.Name != "bob" {
			t.Errorf("the link is of %v, %v", a, err)
		}
		if a, err := db.ResetPassword(ctx, "second", "c", 199); err != nil || a.ID != bob.ID || a.Password != "c" {
			t.Errorf("the link set %v, %v", a, err)
		}
		refused("a link that was used", "second", 50)
		if a, err := db.AccountByID(ctx, bob.ID); err != nil || a.Password != "c" {
			t.Errorf("the account is %v, %v", a, err)
		}
		if err := errors.Join(db.AllowReset(ctx, bob.ID, "third", 300), db.SetPassword(ctx, bob.ID, "d")); err != nil {
			t.Fatal(err)
		}
		refused("a link older than the password", "third", 50)
		kind(t, "a link of nobody", db.AllowReset(ctx, 77, "x", 1), exposure.NotFound, "77")
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
		all, err := there.AllCtx(ctx)
		if diff := cmp.Diff(map[string][]byte{"a": []byte("ada"), "b": []byte("bob\x00\xff")}, all); diff != "" || err != nil {
			t.Errorf("all sessions: %v (-want +got):\n%s", err, diff)
		}
		commit("a", "ada 2", time.Hour)
		check("replaced", "a", "ada 2")
		now = start.Add(time.Minute - time.Millisecond)
		check("just before its end", "b", "bob\x00\xff")
		now = start.Add(time.Minute)
		check("at its end", "b", "")
		if all, err := there.AllCtx(ctx); err != nil || len(all) != 1 {
			t.Errorf("after its end there are %d sessions, %v", len(all), err)
		}
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
