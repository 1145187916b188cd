package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"iter"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/testscript"

	"github.com/leeward-ctem/leeward/discover"
	"github.com/leeward-ctem/leeward/discover/decode"
	"github.com/leeward-ctem/leeward/exposure"
	"github.com/leeward-ctem/leeward/index"
	"github.com/leeward-ctem/leeward/internal/testkit/live"
	"github.com/leeward-ctem/leeward/store"
)

var cluster *live.Cluster
var noCluster error

// shared is a directory for what several tests use.
var shared string

// suite runs the tests with a PostgreSQL cluster beside them.
type suite struct{ *testing.M }

func (s suite) Run() int {
	cluster, noCluster = live.StartCluster()
	defer cluster.Stop()
	var err error
	if shared, err = os.MkdirTemp("", "leeward-test-"); err != nil {
		panic(err)
	}
	defer os.RemoveAll(shared)
	return s.M.Run()
}

func TestMain(m *testing.M) {
	runAsLeeward()
	testscript.Main(suite{m}, map[string]func(){
		"leeward": func() { os.Exit(Run(context.Background(), os.Args[1:], OS())) },
	})
}

// flatModel scores everything alike: the tests here are about identity.
type flatModel struct{}

func (flatModel) Version() string { return "flat" }
func (flatModel) Advisory(*exposure.Advisory) exposure.AdvisoryFactor {
	return exposure.AdvisoryFactor{}
}
func (flatModel) Context(*exposure.Context) exposure.ContextFactor { return exposure.ContextFactor{} }
func (flatModel) Validation(exposure.Detection, exposure.VerdictKind) exposure.Nats {
	return 0
}
func (flatModel) Curve() *exposure.Curve {
	return &exposure.Curve{P: []exposure.Nats{-4096, 0}, PFirst: -4096, PStep: 4096, Min: -9000, Max: 9000}
}
func (flatModel) Bands() *exposure.Bands { return &exposure.Bands{1, 2, 3, 4} }
func (flatModel) Due() *exposure.DueTable {
	return &exposure.DueTable{Rules: []string{""}, Contexts: 256, Policies: 256, Cells: make([]exposure.DueCell, 5*256*256)}
}

type noContexts struct{}

func (noContexts) Context(*exposure.Asset) exposure.Context { return exposure.Context{} }

type noIntel struct{}

func (noIntel) Canonical(id string) string             { return id }
func (noIntel) Threat([]string, []int) exposure.Threat { return exposure.Threat{} }

// lines reads a report of JSON observations, one a line: the tests say exactly
// what a scanner said. A line "!" is a broken record, "X" the end by a fault.
type lines struct{}

func (lines) Name() string            { return "lines" }
func (lines) Sniff(*decode.Head) bool { return true }
func (lines) Describe() (a, b string) { return "", "" }
func (lines) Read(ctx context.Context, r io.Reader) iter.Seq2[exposure.Observation, error] {
	return func(yield func(exposure.Observation, error) bool) {
		var buf bytes.Buffer
		if _, err := buf.ReadFrom(r); err != nil {
			yield(exposure.Observation{}, err)
			return
		}
		for i, line := range strings.Split(strings.TrimSpace(buf.String()), "\n") {
			var o exposure.Observation
			var err error
			switch line {
			case "":
				continue
			case "!":
				err = &exposure.RecordError{Record: i + 1, Offset: -1, Err: fmt.Errorf("broken")}
			case "X":
				yield(o, exposure.Errorf(exposure.Invalid, "the report is cut off"))
				return
			default:
				err = json.Unmarshal([]byte(line), &o)
			}
			if !yield(o, err) {
				return
			}
		}
	}
}

type world struct {
	t   *testing.T
	db  *store.DB
	ix  *index.Index
	im  *discover.Importer
	now time.Time
}

func newWorld(t *testing.T, db *store.DB) *world {
	w := &world{t: t, db: db, ix: index.New(flatModel{}, noContexts{}), now: time.Date(2026, 1, 10, 12, 0, 0, 0, time.UTC)}
	w.im = &discover.Importer{
		Readers: []discover.Reader{lines{}}, Store: importStore{db}, Index: importIndex{w.ix, db}, Intel: noIntel{},
		Redact: func(s string) string { return s }, Now: func() time.Time { return w.now },
	}
	if err := w.ix.CatchUp(t.Context(), db); err != nil {
		t.Fatal(err)
	}
	return w
}

// report imports lines and returns what they brought.
func (w *world) report(name string, text ...string) discover.Result {
	w.t.Helper()
	w.now = w.now.Add(time.Minute)
	res, err := w.im.Import(w.t.Context(), discover.Request{Name: name}, strings.NewReader(strings.Join(text, "\n")))
	if err != nil {
		w.t.Fatal(err)
	}
	if len(res) != 1 {
		w.t.Fatalf("%d results, want 1", len(res))
	}
	res[0].Seconds = 0
	return res[0]
}

// state is the database as a person would compare it: "asset weakness status".
func (w *world) state() []string {
	w.t.Helper()
	var out []string
	v := w.ix.View()
	err := w.db.Findings(w.t.Context(), 1, 1<<31, func(f *exposure.Finding) error {
		r, ok := v.Row(f.ID)
		if !ok || r.Status != f.Status || r.Severity != f.Severity {
			w.t.Errorf("index and database differ on %v: %+v, %+v", f.ID, r, f)
		}
		out = append(out, fmt.Sprintf("%s %s %s", v.Asset(f.Asset).Name, v.Advisory(f.Advisory).Key, f.Status))
		return nil
	})
	if err != nil {
		w.t.Fatal(err)
	}
	slices.Sort(out)
	return out
}

func (w *world) want(lines ...string) {
	w.t.Helper()
	if diff := cmp.Diff(lines, w.state()); diff != "" {
		w.t.Errorf("state differs (-want +got):\n%s", diff)
	}
}

func onBoth(t *testing.T, f func(w *world)) {
	t.Run("sqlite", func(t *testing.T) {
		t.Parallel()
		db, err := store.Open(t.Context(), t.TempDir())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { db.Close() })
		f(newWorld(t, db))
	})
	t.Run("postgres", func(t *testing.T) {
		t.Parallel()
		if cluster == nil {
			live.Missing(t, noCluster.Error())
		}
		db, err := store.OpenPostgres(t.Context(), cluster.Database(t))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { db.Close() })
		f(newWorld(t, db))
	})
}

func ran(day int) string {
	return fmt.Sprintf(`{"kind":"run","run":{"tool":"scan","finished":"2026-01-%02dT00:00:00Z"}}`, day)
}

func seen(host, cve string) string {
	return fmt.Sprintf(`{"tool":"scan","class":"vuln","asset":{"kind":"host","name":%q,"identifiers":[{"kind":"hostname","value":%q}]},"advisories":[%q],"title":"t","severity":"high"}`, host, host, cve)
}

func covered(host string) string {
	return fmt.Sprintf(`{"kind":"coverage","tool":"scan","class":"vuln","asset":{"kind":"host","name":%q,"identifiers":[{"kind":"hostname","value":%q}]},"coverage":{"class":"vuln"}}`, host, host)
}

func TestImportTwiceChangesNothing(t *testing.T) {
	t.Parallel()
	onBoth(t, func(w *world) {
		text := []string{ran(1), seen("a", "CVE-1"), seen("a", "CVE-2"), seen("b", "CVE-1"), seen("a", "CVE-1"), covered("a"), covered("b")}
		first := w.report("r", text...)
		if diff := cmp.Diff(discover.Result{File: "r", Format: "lines", Tool: "scan", Observations: 4, New: 3, Known: 1, Scan: 1}, first); diff != "" {
			w.t.Error(diff)
		}
		head, _ := w.db.Head(w.t.Context())
		second := w.report("r", text...)
		if diff := cmp.Diff(discover.Result{File: "r", Format: "lines", Tool: "scan", Observations: 4, Known: 4, Scan: 1}, second); diff != "" {
			w.t.Error(diff)
		}
		if again, _ := w.db.Head(w.t.Context()); again != head {
			w.t.Errorf("the second import wrote %d events", again-head)
		}
		w.want("a CVE-1 open", "a CVE-2 open", "b CVE-1 open")
	})
}

func TestAbsenceNeedsProof(t *testing.T) {
	t.Parallel()
	onBoth(t, func(w *world) {
		w.report("mon", ran(1), seen("a", "CVE-1"), seen("a", "CVE-2"), seen("b", "CVE-1"), covered("a"), covered("b"))
		w.report("no proof", ran(2), seen("a", "CVE-1"))
		w.want("a CVE-1 open", "a CVE-2 open", "b CVE-1 open")
		w.report("truncated", ran(2), seen("a", "CVE-1"), covered("a"), "X")
		w.report("broken", ran(2), seen("a", "CVE-1"), "!", covered("a"))
		w.want("a CVE-1 open", "a CVE-2 open", "b CVE-1 open")
		res := w.report("tue", ran(3), seen("a", "CVE-1"), covered("a"))
		if res.Closed != 1 {
			w.t.Errorf("closed %d, want 1", res.Closed)
		}
		w.want("a CVE-1 open", "a CVE-2 verified", "b CVE-1 open")
	})
}

// Coverage that names its rules closes what those rules found, by whatever
// name the weakness is known.
func TestCoverageByRule(t *testing.T) {
	t.Parallel()
	onBoth(t, func(w *world) {
		by := func(cve, rule string) string {
			return strings.Replace(seen("a", cve), `"title"`, fmt.Sprintf(`"rule":%q,"title"`, rule), 1)
		}
		only := strings.Replace(covered("a"), `{"class":"vuln"}`, `{"class":"vuln","rules":["10","30"]}`, 1)
		w.report("mon", ran(1), by("CVE-1", "10"), by("CVE-2", "20"), covered("a"))
		w.report("tue", ran(2), only)
		w.want("a CVE-1 verified", "a CVE-2 open")
	})
}

func TestRegression(t *testing.T) {
	t.Parallel()
	onBoth(t, func(w *world) {
		monday := []string{ran(1), seen("a", "CVE-1"), covered("a")}
		w.report("mon", monday...)
		w.report("tue", ran(2), covered("a"))
		w.want("a CVE-1 verified")
		if res := w.report("mon", monday...); res.Changed() {
			w.t.Errorf("an old report imported again changed something: %+v", res)
		}
		w.want("a CVE-1 verified")
		if res := w.report("wed", ran(3), seen("a", "CVE-1"), covered("a")); res.Reopened != 1 || res.New != 0 {
			w.t.Errorf("a regression gave %+v", res)
		}
		w.want("a CVE-1 open")
	})
}

// Reports that arrive in any order give the same findings in the same states.
func TestOrderOfReports(t *testing.T) {
	t.Parallel()
	reports := map[string][]string{
		"mon": {ran(1), seen("a", "CVE-1"), seen("a", "CVE-2"), covered("a")},
		"tue": {ran(2), seen("a", "CVE-1"), covered("a")},
		"wed": {ran(3), seen("a", "CVE-1"), seen("a", "CVE-3"), covered("a")},
	}
	for _, order := range [][]string{{"mon", "tue", "wed"}, {"wed", "tue", "mon"}, {"tue", "mon", "wed"}, {"wed", "mon", "tue"}, {"mon", "wed", "tue"}, {"tue", "wed", "mon"}} {
		t.Run(strings.Join(order, "-"), func(t *testing.T) {
			t.Parallel()
			db, err := store.Open(t.Context(), t.TempDir())
			if err != nil {
				t.Fatal(err)
			}
			defer db.Close()
			w := newWorld(t, db)
			for range 2 {
				for _, name := range order {
					w.report(name, reports[name]...)
				}
			}
			w.want("a CVE-1 open", "a CVE-2 verified", "a CVE-3 open")
		})
	}
}

// A report that is older than what is known moves first sight back, once.
func TestOlderReport(t *testing.T) {
	t.Parallel()
	onBoth(t, func(w *world) {
		w.report("fri", ran(5), seen("a", "CVE-1"))
		w.report("mon", ran(1), seen("a", "CVE-1"))
		r, _ := w.ix.View().Row(1)
		if want := index.DayOf(time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC).UnixMilli()); r.FirstSeen != want {
			w.t.Errorf("first seen on day %d, want %d", r.FirstSeen, want)
		}
		before := head(w.t, w.db)
		w.report("mon", ran(1), seen("a", "CVE-1"))
		w.report("fri", ran(5), seen("a", "CVE-1"))
		if now := head(w.t, w.db); now != before {
			w.t.Errorf("again changed something: %d events", now-before)
		}
		w.want("a CVE-1 open")
	})
}

// Two words of one age: the worse counts, whichever came first.
func TestWordsOfOneAge(t *testing.T) {
	t.Parallel()
	not := strings.Replace(seen("a", "CVE-1"), `"tool":"scan"`, `"tool":"scan","state":"not_affected"`, 1)
	for _, order := range [][]string{{not, seen("a", "CVE-1")}, {seen("a", "CVE-1"), not}} {
		onBoth(t, func(w *world) {
			for range 2 {
				for i, line := range order {
					w.report(fmt.Sprint(i), ran(1), line)
				}
			}
			w.report("both", ran(1), order[0], order[1])
			w.want("a CVE-1 open")
		})
	}
}

func TestRetest(t *testing.T) {
	t.Parallel()
	onBoth(t, func(w *world) {
		w.report("mon", ran(1), seen("a", "CVE-1"), seen("a", "CVE-2"), covered("a"))
		claimed := time.Date(2026, 1, 2, 0, 0, 0, 0, time.UTC).UnixMilli()
		err := w.db.Write(w.t.Context(), func(tx *store.Tx) error {
			_, err := tx.Move(w.t.Context(), []exposure.FindingID{1, 2}, exposure.CauseClaim, "dev", "patched", claimed)
			return err
		})
		if err != nil {
			w.t.Fatal(err)
		}
		if err := w.ix.CatchUp(w.t.Context(), w.db); err != nil {
			w.t.Fatal(err)
		}
		res := w.report("wed", ran(3), seen("a", "CVE-2"), covered("a"))
		if res.Closed != 1 || res.Reopened != 1 {
			w.t.Errorf("retest gave %+v, want one verified and one reopened", res)
		}
		w.want("a CVE-1 verified", "a CVE-2 open")
	})
}

func TestStates(t *testing.T) {
	t.Parallel()
	onBoth(t, func(w *world) {
		other := strings.Replace(seen("a", "CVE-1"), `"tool":"scan"`, `"tool":"vex","state":"not_affected"`, 1)
		w.report("vex", ran(1), other)
		w.want("a CVE-1 not_affected")
		w.report("scan", ran(2), seen("a", "CVE-1"), covered("a"))
		w.want("a CVE-1 open")
		w.report("clean", ran(3), covered("a"))
		w.want("a CVE-1 verified")
		w.report("vex", ran(1), other)
		w.want("a CVE-1 verified")
	})
}

func TestAssetIdentity(t *testing.T) {
	t.Parallel()
	rec := func(cve string, ids ...string) string {
		var list []string
		for _, id := range ids {
			kind, value, _ := strings.Cut(id, ":")
			list = append(list, fmt.Sprintf(`{"kind":%q,"value":%q}`, kind, value))
		}
		return fmt.Sprintf(`{"tool":"scan","class":"vuln","asset":{"kind":"host","identifiers":[%s]},"advisories":[%q],"title":"t"}`, strings.Join(list, ","), cve)
	}
	tests := map[string]struct {
		records []string
		assets  int
	}{
		"one name":                           {[]string{rec("CVE-1", "hostname:a"), rec("CVE-2", "hostname:a", "ip:10.0.0.1")}, 1},
		"two names behind one address":       {[]string{rec("CVE-1", "hostname:a", "ip:10.0.0.1"), rec("CVE-2", "hostname:b", "ip:10.0.0.1")}, 2},
		"an address joins its only holder":   {[]string{rec("CVE-1", "hostname:a", "ip:10.0.0.1"), rec("CVE-2", "ip:10.0.0.1")}, 1},
		"a name adopts a bare address":       {[]string{rec("CVE-1", "ip:10.0.0.1"), rec("CVE-2", "hostname:a", "ip:10.0.0.1")}, 1},
		"an address of two is its own asset": {[]string{rec("CVE-1", "hostname:a", "ip:10.0.0.1"), rec("CVE-2", "hostname:b", "ip:10.0.0.1"), rec("CVE-3", "ip:10.0.0.1")}, 3},
		"two addresses":                      {[]string{rec("CVE-1", "ip:10.0.0.1"), rec("CVE-1", "ip:10.0.0.2")}, 2},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			db, err := store.Open(t.Context(), t.TempDir())
			if err != nil {
				t.Fatal(err)
			}
			defer db.Close()
			w := newWorld(t, db)
			for i, r := range test.records {
				w.report(fmt.Sprint(i), r)
			}
			if got := w.ix.View().Assets(); got != test.assets {
				t.Errorf("%d assets, want %d: %v", got, test.assets, w.state())
			}
			before := w.state()
			for i, r := range test.records {
				w.report(fmt.Sprint(i), r)
			}
			if diff := cmp.Diff(before, w.state()); diff != "" {
				t.Errorf("the second time changed something:\n%s", diff)
			}
		})
	}
}

// The index of a process that was not there agrees with the one that was.
func TestIndexFollows(t *testing.T) {
	t.Parallel()
	onBoth(t, func(w *world) {
		other := index.New(flatModel{}, noContexts{})
		for i := range 5 {
			w.report(fmt.Sprint(i), ran(i+1), seen("a", fmt.Sprintf("CVE-%d", i)), seen(fmt.Sprintf("h%d", i), "CVE-9"), covered("a"))
			if err := other.CatchUp(w.t.Context(), w.db); err != nil {
				w.t.Fatal(err)
			}
		}
		fresh := index.New(flatModel{}, noContexts{})
		if err := fresh.CatchUp(w.t.Context(), w.db); err != nil {
			w.t.Fatal(err)
		}
		for id := exposure.FindingID(1); int(id) <= w.ix.View().Len(); id++ {
			a, _ := w.ix.View().Row(id)
			b, _ := other.View().Row(id)
			c, _ := fresh.View().Row(id)
			if a != b || a != c {
				w.t.Errorf("%v: %+v, %+v, %+v", id, a, b, c)
			}
		}
	})
}
