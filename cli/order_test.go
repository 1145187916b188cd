package cli

import (
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/leeward-ctem/leeward/builtin"
	"github.com/leeward-ctem/leeward/discover"
	"github.com/leeward-ctem/leeward/internal/testkit/live"
	"github.com/leeward-ctem/leeward/store"
)

// All real reports in any order make as many findings of each weakness. By what
// name an asset is known, and where it is that a finding was seen first, is up to
// the report that came first; see docs/decisions/0002-asset-identity.md.
func TestCorpusInAnyOrder(t *testing.T) {
	t.Parallel()
	files := corpus(t)
	var first []string
	orders := uint64(3)
	if live.Race {
		orders = 2
	}
	for seed := range orders {
		db, err := store.Open(t.Context(), t.TempDir())
		if err != nil {
			t.Fatal(err)
		}
		defer db.Close()
		w := newWorld(t, db)
		w.im.Readers = builtin.Reports()
		order := slices.Clone(files)
		rand.New(rand.NewPCG(seed, 7)).Shuffle(len(order), func(i, j int) { order[i], order[j] = order[j], order[i] })
		for _, file := range order {
			w.now = w.now.Add(time.Minute)
			f, err := os.Open(file)
			if err != nil {
				t.Fatal(err)
			}
			_, err = w.im.Import(t.Context(), discover.Request{Name: filepath.Base(file)}, f)
			f.Close()
			if err != nil && !nameless(t, file) {
				t.Fatalf("%s: %v", file, err)
			}
		}
		conn, _ := db.SQL()
		rows, err := conn.QueryContext(t.Context(), "SELECT v.key, COUNT(*) FROM finding f JOIN advisory v ON v.id = f.advisory GROUP BY v.key")
		if err != nil {
			t.Fatal(err)
		}
		got := tableText(t, rows)
		slices.Sort(got)
		if seed == 0 {
			first = got
		} else if diff := cmp.Diff(first, got); diff != "" {
			t.Errorf("order %d: %d findings, %d in the first order:\n%.6000s", seed, len(got), len(first), diff)
		}
	}
}
