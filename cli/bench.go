package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"syscall"
	"text/tabwriter"
	"time"

	"github.com/leeward-ctem/leeward/discover"
	"github.com/leeward-ctem/leeward/exposure"
	"github.com/leeward-ctem/leeward/index"
	"github.com/leeward-ctem/leeward/internal/testkit"
	"github.com/leeward-ctem/leeward/prioritize"
	"github.com/leeward-ctem/leeward/scope"
	"github.com/leeward-ctem/leeward/store"
)

type benchCmd struct {
	Size  int `help:"Findings to import; 0 leaves it out." default:"1000000"`
	Index int `help:"Findings of the synthetic index; 0 leaves it out." default:"10000000"`
}

// measured is one line of `bench --json`.
type measured struct {
	Name  string   `json:"name"`
	Value float64  `json:"value"`
	Unit  string   `json:"unit"`
	Limit *float64 `json:"limit"` // of this machine, measured in the same run; null: none applies
	Ratio *float64 `json:"ratio"` // value ÷ limit
}

// bench measures in a temporary directory and keeps what it found.
type bench struct {
	*run
	ctx     context.Context
	dir     string
	results []measured
}

func (c *benchCmd) Run(ctx context.Context, r *run) error {
	if c.Size != 0 && c.Size < 1000 || c.Size > 50_000_000 || c.Index < 0 || c.Index > 100_000_000 {
		return exposure.Errorf(exposure.Invalid, "bench: --size must be within 1,000 … 50,000,000 and --index within 0 … 100,000,000")
	}
	dir, err := os.MkdirTemp("", "leeward-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	b := &bench{run: r, ctx: ctx, dir: dir}
	if c.Size > 0 {
		if err := b.importing(c.Size); err != nil {
			return err
		}
	}
	if c.Index > 0 {
		if err := b.indexing(c.Index); err != nil {
			return err
		}
	}
	return b.print()
}

func (b *bench) say(format string, args ...any) { fmt.Fprintf(b.Err, format+"\n", args...) }

func (b *bench) add(name string, value float64, unit string, limit float64) {
	m := measured{Name: name, Value: value, Unit: unit}
	if limit > 0 {
		ratio := value / limit
		m.Limit, m.Ratio = &limit, &ratio
	}
	b.results = append(b.results, m)
}

func (b *bench) print() error {
	if b.JSON {
		return json.NewEncoder(b.Out).Encode(map[string]any{"results": b.results})
	}
	w := tabwriter.NewWriter(b.Out, 0, 4, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "NAME\tVALUE\tUNIT\tLIMIT OF THE MACHINE\tRATIO\t")
	for _, m := range b.results {
		limit, ratio := "", ""
		if m.Limit != nil {
			limit, ratio = fmt.Sprintf("%.4g", *m.Limit), fmt.Sprintf("%.3f", *m.Ratio)
		}
		fmt.Fprintf(w, "%s\t%.4g\t%s\t%s\t%s\t\n", m.Name, m.Value, m.Unit, limit, ratio)
	}
	return w.Flush()
}

// timed runs f and returns the wall and processor seconds it took.
func timed(f func() error) (wall, cpu float64, err error) {
	began, used := time.Now(), processorSeconds()
	err = f()
	return time.Since(began).Seconds(), processorSeconds() - used, err
}

func processorSeconds() float64 {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return float64(u.Utime.Sec+u.Stime.Sec) + float64(u.Utime.Usec+u.Stime.Usec)/1e6
}

// importing measures the way of a nuclei report into the database and back.
func (b *bench) importing(n int) error {
	b.say("measuring the machine")
	raw, err := b.rawInsert(min(n, 500_000))
	if err != nil {
		return err
	}
	b.say("writing a report of %d findings", n)
	report := filepath.Join(b.dir, "report.jsonl")
	f, err := os.Create(report)
	if err != nil {
		return err
	}
	if err := testkit.Nuclei(f, testkit.Estate{Findings: n, Seed: 1}); err != nil {
		return err
	}
	if err := f.Close(); err != nil {
		return err
	}
	data := filepath.Join(b.dir, "data")
	engine := "sqlite"
	open := func() (*app, error) {
		sub := *b.run
		flags := *b.commands
		flags.Data = data
		sub.commands = &flags
		return sub.openApp(b.ctx)
	}
	if b.Database != "" {
		engine = "postgres"
	}
	before := heap()
	a, err := open()
	if err != nil {
		return err
	}
	one := func(wantNew int) (wall, cpu float64, err error) {
		return timed(func() error {
			in, err := os.Open(report)
			if err != nil {
				return err
			}
			defer in.Close()
			res, err := a.im.Import(b.ctx, discover.Request{Name: "report.jsonl"}, in)
			if err != nil {
				return err
			}
			if len(res) != 1 || res[0].New != wantNew || res[0].Errors != 0 || res[0].Observations != n {
				return fmt.Errorf("bench: the import gave %+v, want %d new", res, wantNew)
			}
			return nil
		})
	}
	b.say("importing it into %s", engine)
	wall, cpu, err := one(n)
	if err != nil {
		return err
	}
	b.add("import new, "+engine+", per second", float64(n)/wall, "findings/s", raw)
	b.add("import new, "+engine+", per core-second", float64(n)/cpu, "findings/s", raw)
	b.say("importing it again")
	if wall, _, err = one(0); err != nil {
		return err
	}
	b.add("import again, "+engine, float64(n)/wall, "findings/s", 0)
	b.add("memory of the index", float64(heap()-before)/float64(n), "B/finding", 0)
	if err := b.pages(short(n), a.ix.View(), a.today()); err != nil {
		return err
	}
	if err := a.close(b.ctx); err != nil {
		return err
	}
	if engine == "sqlite" {
		size, evidence, err := diskBytes(b.ctx, data)
		if err != nil {
			return err
		}
		b.add("disk without evidence", float64(size-evidence)/float64(n), "B/finding", 0)
		b.add("disk of evidence", float64(evidence)/float64(n), "B/finding", 0)
	}
	wall, _, err = timed(func() error {
		a, err = open()
		return err
	})
	if err != nil {
		return err
	}
	b.add(fmt.Sprintf("start with %s", short(n)), wall, "s", 0)
	return a.close(b.ctx)
}

// rawInsert is the limit: the same driver writing rows of the same width into
// a table without any index.
func (b *bench) rawInsert(n int) (float64, error) {
	db, err := store.Open(b.ctx, filepath.Join(b.dir, "raw"))
	if err != nil {
		return 0, err
	}
	defer db.Close()
	wall, _, err := timed(func() error { return db.InsertUnindexed(b.ctx, n) })
	limit := float64(n) / wall
	b.add("limit: raw insert by the driver", limit, "rows/s", 0)
	return limit, err
}

func diskBytes(ctx context.Context, dir string) (size, evidence int64, err error) {
	db, err := store.Open(ctx, dir)
	if err != nil {
		return 0, 0, err
	}
	defer db.Close()
	return db.DiskBytes(ctx)
}

func heap() uint64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

func short(n int) string {
	if n >= 1_000_000 && n%1_000_000 == 0 {
		return fmt.Sprintf("%dM", n/1_000_000)
	}
	return fmt.Sprint(n)
}

// pages measures list pages under filters and sorts of all kinds.
func (b *bench) pages(size string, v *index.View, today uint16) error {
	filters := []string{"", "sev:critical", "sev:critical,high kev:true", "risk>300", "web-1", "command execution", "-sev:info age<400d", "asset:web-1*", "due<30d", "cve:CVE-2020-*", "team:none band:low,medium", "status:any,verified"}
	filters[len(filters)-1] = "is:any"
	r := rand.New(rand.NewPCG(5, 6))
	var times []float64
	for i := range 600 {
		f, err := exposure.ParseFilter(filters[i%len(filters)])
		if err != nil {
			return err
		}
		q := index.Query{Filter: f, Sort: index.Sort{By: index.SortKeys()[r.IntN(len(index.SortKeys()))], Reverse: r.IntN(2) == 0}, Limit: 50, Today: today}
		wall, _, err := timed(func() error {
			p, err := v.Page(q)
			q.After = p.Next
			return err
		})
		if err != nil {
			return err
		}
		if i >= 4*len(filters) { // the first of each kind fill caches
			times = append(times, wall*1000)
		}
	}
	slices.Sort(times)
	b.add("list page p50 at "+size, times[len(times)/2], "ms", 0)
	b.add("list page p99 at "+size, times[len(times)*99/100], "ms", 0)
	return nil
}

// indexing measures an index of n findings without a database.
func (b *bench) indexing(n int) error {
	b.say("building an index of %d findings", n)
	read := memoryRead()
	b.add("limit: memory read", read, "GB/s", 0)
	model, err := prioritize.New(prioritize.Config{}, b.Now())
	if err != nil {
		return err
	}
	src := estate{n: n, assets: max(1, n/50), advisories: 20_000, model: "v4"}
	before := heap()
	ix := index.New(model, &scope.Programme{})
	if err := ix.CatchUp(b.ctx, src); err != nil {
		return err
	}
	b.add(fmt.Sprintf("memory of the index at %s", short(n)), float64(heap()-before)/float64(n), "B/finding", 0)
	var best float64
	for day := range 5 {
		src.day = day + 1
		wall, _, err := timed(func() error { return ix.CatchUp(b.ctx, src) })
		if err != nil {
			return err
		}
		if best == 0 || wall < best {
			best = wall
		}
	}
	// A rescore reads 12 bytes a finding and writes 4.
	b.add(fmt.Sprintf("rescore of %s after an EPSS day", short(n)), best*1000, "ms", float64(n)*16/read/1e6)
	return b.pages(short(n), ix.View(), index.DayOf(b.Now().UnixMilli()))
}

// memoryRead returns how fast one core reads memory, in GB/s.
func memoryRead() float64 {
	data := make([]uint64, 32<<20)
	for i := range data {
		data[i] = uint64(i)
	}
	var sum uint64
	best := 0.0
	for range 3 {
		wall, _, _ := timed(func() error {
			var a, b, c, d uint64
			for i := 0; i+3 < len(data); i += 4 {
				a, b, c, d = a+data[i], b+data[i+1], c+data[i+2], d+data[i+3]
			}
			sum += a + b + c + d
			return nil
		})
		best = max(best, float64(len(data)*8)/wall/1e9)
	}
	if sum == 0 {
		return 0
	}
	return best
}

// estate is a synthetic database that exists only as arithmetic.
type estate struct {
	n, assets, advisories int
	day                   int // EPSS days that came after the first
	model                 string
}

func (e estate) Events(_ context.Context, after int64, f func(*exposure.Event) error) error {
	if after < 1 {
		if err := f(&exposure.Event{Seq: 1, Kind: exposure.EventOpened, First: 1, Last: uint32(e.n)}); err != nil {
			return err
		}
	}
	if int64(e.day) >= after && e.day > 0 {
		return f(&exposure.Event{Seq: int64(e.day) + 1, Kind: exposure.EventThreat})
	}
	return nil
}

func (e estate) finding(i int) exposure.Finding {
	h := uint64(i) * 0x9E3779B97F4A7C15
	f := exposure.Finding{
		ID: exposure.FindingID(i), Asset: exposure.AssetID(1 + h%uint64(e.assets)), Advisory: exposure.AdvisoryID(1 + h>>32%uint64(e.advisories)), Location: exposure.LocationID(1 + h>>20%500),
		Source: 1, FirstSeen: int64(20000+h>>40%700) * 86400_000, Severity: exposure.Severity(h >> 50 % 6), Detection: exposure.Detection(h >> 53 % 6),
	}
	f.Since = f.FirstSeen
	for b := range f.Fingerprint {
		h ^= h << 13
		h ^= h >> 7
		h ^= h << 17
		f.Fingerprint[b] = byte(h)
	}
	return f
}

func (e estate) Findings(_ context.Context, first, last exposure.FindingID, f func(*exposure.Finding) error) error {
	for i := int(first); i <= e.n && i <= int(last); i++ {
		row := e.finding(i)
		if err := f(&row); err != nil {
			return err
		}
	}
	return nil
}

func (e estate) FindingsByID(_ context.Context, ids []exposure.FindingID, f func(*exposure.Finding) error) error {
	for _, id := range ids {
		row := e.finding(int(id))
		if err := f(&row); err != nil {
			return err
		}
	}
	return nil
}

func (e estate) Assets(_ context.Context, first, last exposure.AssetID, f func(*exposure.Asset) error) error {
	for i := int(first); i <= e.assets && i <= int(last); i++ {
		if i == 0 {
			continue
		}
		name := fmt.Sprintf("web-%d.example", i)
		if err := f(&exposure.Asset{ID: exposure.AssetID(i), Key: "hostname:" + name, Kind: exposure.AssetHost, Name: name}); err != nil {
			return err
		}
	}
	return nil
}

func (e estate) Advisories(_ context.Context, first, last exposure.AdvisoryID, f func(*exposure.Advisory) error) error {
	for i := int(first); i <= e.advisories && i <= int(last); i++ {
		if i == 0 {
			continue
		}
		key := fmt.Sprintf("CVE-%d-%d", 2015+i%11, 1000+i)
		a := exposure.Advisory{ID: exposure.AdvisoryID(i), Key: key, CVEs: []string{key}, Title: fmt.Sprintf("Product %d - Remote Command Execution", i), CVSS: []string{"CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"}}
		a.Threat.EPSSModel, a.Threat.EPSS = e.model, float64((i*7919+e.day*104729)%100_000)/100_001
		if i%25 == 0 {
			a.Threat.KEVDay = 19000 + i%1000
		}
		if err := f(&a); err != nil {
			return err
		}
	}
	return nil
}

func (e estate) Places(_ context.Context, first, last exposure.LocationID, f func(*exposure.Place) error) error {
	for i := int(first); i <= 500 && i <= int(last); i++ {
		if i == 0 {
			continue
		}
		if err := f(&exposure.Place{ID: exposure.LocationID(i), Location: exposure.Location{Port: i}}); err != nil {
			return err
		}
	}
	return nil
}

func (estate) Sources(context.Context) ([]exposure.Source, error) {
	return []exposure.Source{{ID: 1, Tool: "nuclei", Class: "web"}}, nil
}
