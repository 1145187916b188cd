package store_test

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/leeward-ctem/leeward/exposure"
	"github.com/leeward-ctem/leeward/store"
)

func TestSavedViews(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, db *store.DB) {
		ctx := t.Context()
		for _, name := range []string{"ada", "bob"} {
			if err := db.AddAccount(ctx, &exposure.Account{Name: name, Role: "viewer"}); err != nil {
				t.Fatal(err)
			}
		}
		const ada, bob = 1, 2
		save := func(v exposure.SavedView) exposure.SavedView {
			t.Helper()
			if err := db.SaveView(ctx, &v); err != nil {
				t.Fatal(err)
			}
			return v
		}
		seen := func(account int64, want ...exposure.SavedView) {
			t.Helper()
			got, err := db.Views(ctx, account)
			if diff := cmp.Diff(want, got); diff != "" || err != nil {
				t.Errorf("account %d: %v (-want +got):\n%s", account, err, diff)
			}
		}
		seen(ada)
		worst := save(exposure.SavedView{Account: ada, Owner: "ada", Name: "worst", Query: `team:"Data Platform" -tag:lab`, Sort: "due", Reverse: true, Columns: []string{"asset", "due"}, Shared: true, Created: 5})
		mine := save(exposure.SavedView{Account: ada, Owner: "ada", Name: "<b>'; DROP TABLE saved_view --", Created: 6})
		his := save(exposure.SavedView{Account: bob, Owner: "bob", Name: "worst", Query: "kev:true", Created: 7})
		if worst.ID != 1 || mine.ID != 2 || his.ID != 3 {
			t.Errorf("numbered %d, %d, %d", worst.ID, mine.ID, his.ID)
		}
		seen(ada, mine, worst)
		seen(bob, his, worst) // one's own come first
		seen(0, worst)

		// The command line is no account, and what it keeps to itself nobody sees.
		for _, shared := range []bool{false, true} {
			line := save(exposure.SavedView{Owner: exposure.CommandLine, Name: "of commands", Query: "sev:high", Shared: shared, Created: 9})
			seen(0, line, worst)
			if shared {
				seen(bob, his, line, worst)
				_, err := db.RemoveView(ctx, line.ID, bob, false)
				kind(t, "a view of the command line", err, exposure.Forbidden, "shared by command line")
			} else {
				seen(bob, his, worst)
			}
			if got, err := db.RemoveView(ctx, line.ID, 0, true); err != nil || got.Owner != exposure.CommandLine {
				t.Errorf("removed %+v: %v", got, err)
			}
		}

		// The same name is the same view, and only one's own.
		his = save(exposure.SavedView{Account: bob, Owner: "bob", Name: "worst", Query: "is:overdue", Sort: "epss", Created: 8})
		if his.ID != 3 {
			t.Errorf("a replaced view has the number %d", his.ID)
		}
		seen(bob, his, worst)

		_, err := db.RemoveView(ctx, worst.ID, bob, false)
		kind(t, "a shared view of another", err, exposure.Forbidden, "shared by ada")
		_, err = db.RemoveView(ctx, mine.ID, bob, true)
		kind(t, "a private view of another", err, exposure.NotFound, "no saved view 2")
		_, err = db.RemoveView(ctx, 99, ada, true)
		kind(t, "no view", err, exposure.NotFound, "no saved view 99")
		for _, c := range []struct {
			view    exposure.SavedView
			account int64
			others  bool
		}{{worst, bob, true}, {his, bob, false}} {
			got, err := db.RemoveView(ctx, c.view.ID, c.account, c.others)
			if diff := cmp.Diff(c.view, got); diff != "" || err != nil {
				t.Errorf("removed: %v (-want +got):\n%s", err, diff)
			}
		}
		seen(bob)
		if again := save(exposure.SavedView{Account: bob, Name: "worst"}); again.ID != 6 {
			t.Errorf("the number of a removed view is given again: %d", again.ID)
		}

		for i := range 99 {
			save(exposure.SavedView{Account: bob, Name: fmt.Sprint("view ", i)})
		}
		kind(t, "one too many", db.SaveView(ctx, &exposure.SavedView{Account: bob, Name: "more"}), exposure.Conflict, "100 saved views")
		save(exposure.SavedView{Account: bob, Name: "view 7", Query: "tag:x"}) // replacing is not more
		save(exposure.SavedView{Account: ada, Name: "more"})
	})
}
