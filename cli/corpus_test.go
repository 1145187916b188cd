package cli

import (
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/leeward-ctem/leeward/builtin"
	"github.com/leeward-ctem/leeward/discover"
	"github.com/leeward-ctem/leeward/exposure"
	"github.com/leeward-ctem/leeward/internal/testkit/live"
	"github.com/leeward-ctem/leeward/store"
)

// corpus returns the real reports that lie beside the repository; the test
// skips without them.
func corpus(t *testing.T) []string {
	t.Helper()
	root := filepath.Join("..", "..", "shared", "corpus", "reports")
	if _, err := os.Stat(root); err != nil {
		t.Skip("the shared material is not here")
	}
	var files []string
	err := filepath.WalkDir(root, func(p string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			files = append(files, p)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// All real reports, in any order, imported twice: the second time nothing
// changes.
func TestCorpusTwice(t *testing.T) {
	t.Parallel()
	files := corpus(t)
	orders := uint64(3)
	if live.Race {
		orders = 1
	}
	for seed := range orders {
		t.Run(fmt.Sprint("order ", seed), func(t *testing.T) {
			t.Parallel()
			db, err := store.Open(t.Context(), t.TempDir())
			if err != nil {
				t.Fatal(err)
			}
			defer db.Close()
			w := newWorld(t, db)
			w.im.Readers = builtin.Reports()
			order := slices.Clone(files)
			rand.New(rand.NewPCG(seed, 1)).Shuffle(len(order), func(i, j int) { order[i], order[j] = order[j], order[i] })
			pass := func() (made int) {
				for _, file := range order {
					w.now = w.now.Add(time.Minute)
					f, err := os.Open(file)
					if err != nil {
						t.Fatal(err)
					}
					results, err := w.im.Import(t.Context(), discover.Request{Name: filepath.Base(file)}, f)
					f.Close()
					if err != nil && !nameless(t, file) {
						t.Fatalf("%s: %v", file, err)
					}
					for _, r := range results {
						if r.Observations != r.New+r.Known {
							t.Errorf("%s: %d observations, %d new, %d known", file, r.Observations, r.New, r.Known)
						}
						made += r.New
					}
				}
				return made
			}
			made := pass()
			before, seq := dump(t, db), head(t, db)
			if again := pass(); again != 0 {
				t.Errorf("the second pass made %d of %d findings again", again, made)
			}
			if now := head(t, db); now != seq {
				_ = db.Events(t.Context(), seq, func(e *exposure.Event) error { t.Logf("%+v", e); return nil })
				t.Errorf("the second pass wrote %d events", now-seq)
			}
			if diff := cmp.Diff(before, dump(t, db)); diff != "" {
				t.Errorf("the second pass changed something:\n%.3000s", diff)
			}
		})
	}
}

// nameless reports whether a report is an empty list, which no format can be
// told by.
func nameless(t *testing.T, file string) bool {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return strings.Join(strings.Fields(string(data)), "") == "[]"
}

func head(t *testing.T, db *store.DB) int64 {
	t.Helper()
	n, err := db.Head(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return n
}
