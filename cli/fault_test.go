package cli

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/leeward-ctem/leeward/builtin"
	"github.com/leeward-ctem/leeward/discover"
	"github.com/leeward-ctem/leeward/exposure"
	"github.com/leeward-ctem/leeward/index"
	"github.com/leeward-ctem/leeward/internal/testkit"
)

// dying is an index whose process dies right after a commit: what was
// committed is never published to it.
type dying struct {
	importIndex
	left int
}

var errDied = errors.New("died between commit and publish")

func (d *dying) Publish(ctx context.Context, made []exposure.Finding) error {
	if d.left--; d.left < 0 {
		return errDied
	}
	return d.importIndex.Publish(ctx, made)
}

// manyLines is a report of n findings on ten hosts.
func manyLines(n int) string {
	var b strings.Builder
	b.WriteString(ran(1) + "\n")
	for i := range n {
		b.WriteString(seen(fmt.Sprintf("h%d", i%10), fmt.Sprintf("CVE-%d", i)) + "\n")
	}
	return b.String()
}

// The index and the database agree after a crash between commit and publish,
// wherever it happens, and the import goes on from there.
func TestCrashBetweenCommitAndPublish(t *testing.T) {
	t.Parallel()
	const findings = 12_000 // three batches
	for after := range 3 {
		t.Run(fmt.Sprint("after ", after), func(t *testing.T) {
			t.Parallel()
			onBoth(t, func(w *world) {
				im := *w.im
				im.Index = &dying{importIndex{w.ix, w.db}, after}
				_, err := im.Import(w.t.Context(), discover.Request{Name: "r"}, strings.NewReader(manyLines(findings)))
				if !errors.Is(err, errDied) {
					w.t.Fatalf("the import ended with %v", err)
				}
				// The process that comes after it.
				w.ix = index.New(flatModel{}, noContexts{})
				if err := w.ix.CatchUp(w.t.Context(), w.db); err != nil {
					w.t.Fatal(err)
				}
				if n, err := w.db.FindingCount(w.t.Context()); err != nil || int(n) != w.ix.View().Len() || n == 0 {
					w.t.Fatalf("%d findings in the database (%v), %d in the index", n, err, w.ix.View().Len())
				}
				w.im.Index = importIndex{w.ix, w.db}
				res := w.report("r", strings.Split(manyLines(findings), "\n")...)
				if res.New+res.Known != findings || res.Known < 5000*after {
					w.t.Errorf("the import that went on gave %+v", res)
				}
				if got := len(w.state()); got != findings {
					w.t.Errorf("%d findings, want %d", got, findings)
				}
			})
		})
	}
}

// The same file twice at once, and different files at once: as one after the other.
func TestImportsAtOnce(t *testing.T) {
	t.Parallel()
	onBoth(t, func(w *world) {
		var wg sync.WaitGroup
		results := make([]discover.Result, 6)
		for i := range results {
			wg.Go(func() {
				// Each has an index of its own, like a process of its own.
				ix := index.New(flatModel{}, noContexts{})
				im := *w.im
				im.Index = importIndex{ix, w.db}
				name, text := "same", manyLines(7000)
				if i >= 4 {
					name = fmt.Sprint("other ", i)
					text = strings.ReplaceAll(text, "CVE-", fmt.Sprintf("CVE-%d-", i))
				}
				res, err := im.Import(w.t.Context(), discover.Request{Name: name}, strings.NewReader(text))
				if err != nil {
					w.t.Error(err)
					return
				}
				results[i] = res[0]
			})
		}
		wg.Wait()
		made := 0
		for _, r := range results {
			made += r.New
			if r.New+r.Known != 7000 {
				w.t.Errorf("%+v", r)
			}
		}
		if made != 3*7000 {
			w.t.Errorf("%d findings were made, want %d", made, 3*7000)
		}
		if err := w.ix.CatchUp(w.t.Context(), w.db); err != nil {
			w.t.Fatal(err)
		}
		if got := len(w.state()); got != 3*7000 {
			w.t.Errorf("%d findings, want %d", got, 3*7000)
		}
	})
}

// failing is a reader that fails after a while, like a broken disk or connection.
type failing struct {
	r    io.Reader
	left int
}

func (f *failing) Read(p []byte) (int, error) {
	if f.left <= 0 {
		return 0, errors.New("input/output error")
	}
	n, err := f.r.Read(p[:min(len(p), f.left)])
	f.left -= n
	return n, err
}

// A report whose reading fails anywhere keeps what was read, closes nothing,
// and says why it ended.
func TestReadingFails(t *testing.T) {
	t.Parallel()
	onBoth(t, func(w *world) {
		w.im.Readers = reports()
		text := trivyReport(w.t, 3000)
		w.now = w.now.AddDate(0, 0, 1)
		if _, err := w.im.Import(w.t.Context(), discover.Request{Name: "t.json"}, strings.NewReader(text)); err != nil {
			w.t.Fatal(err)
		}
		before := w.state()
		for _, at := range []int{len(text) / 3, len(text) / 2, len(text) - 10} {
			w.now = w.now.AddDate(0, 0, 1)
			res, err := w.im.Import(w.t.Context(), discover.Request{Name: "t.json"}, &failing{strings.NewReader(text), at})
			if err != nil {
				w.t.Fatal(err)
			}
			if res[0].Failure == "" || res[0].Closed != 0 || res[0].New != 0 {
				w.t.Errorf("reading to byte %d gave %+v", at, res[0])
			}
			if diff := cmp.Diff(before, w.state()); diff != "" {
				w.t.Errorf("a report that broke off changed something:\n%s", diff)
			}
		}
	})
}

func reports() []discover.Reader { return builtin.Reports() }

func trivyReport(t *testing.T, n int) string {
	t.Helper()
	var b bytes.Buffer
	if err := testkit.Trivy(&b, testkit.Estate{Findings: n, Seed: 9}); err != nil {
		t.Fatal(err)
	}
	return b.String()
}
