package cli

import (
	"cmp"
	"compress/gzip"
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/leeward-ctem/leeward/exposure"
	"github.com/leeward-ctem/leeward/intel"
	"github.com/leeward-ctem/leeward/intel/feed/epss"
	"github.com/leeward-ctem/leeward/intel/feed/exploitdb"
	"github.com/leeward-ctem/leeward/intel/feed/kev"
	"github.com/leeward-ctem/leeward/intel/feed/metasploit"
	"github.com/leeward-ctem/leeward/intel/feed/nuclei"
	"github.com/leeward-ctem/leeward/intel/feed/poc"
	"github.com/leeward-ctem/leeward/prioritize/backtest"
)

// evidence reads a directory of dated intelligence for a back-test: files of
// EPSS scores and of KEV as they are published, and lists of when exploits were
// first seen. What feeds read is read by them.
type evidence struct {
	h    backtest.History
	seen map[string]bool // kinds of evidence that are there
	now  func() time.Time
}

// kinds are the kinds of evidence, for the report of what is missing.
var kinds = []string{"EPSS scores", "KEV", "Metasploit", "Nuclei", "exploit archive", "proofs of concept", "CVSS and publication dates"}

func readEvidence(ctx context.Context, dir string, now func() time.Time) (*backtest.History, error) {
	e := &evidence{h: backtest.History{Facts: map[string]exposure.Threat{}, Base: map[string]float64{}}, seen: map[string]bool{}, now: now}
	err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		read := e.reader(filepath.Base(path))
		if read == nil {
			return nil
		}
		if err := e.file(ctx, path, read); err != nil {
			return exposure.Errorf(exposure.Invalid, "%s: %w", path, err)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	slices.SortStableFunc(e.h.Scores, func(a, b backtest.Scores) int { return cmp.Compare(a.Day, b.Day) })
	for _, kind := range kinds {
		if !e.seen[kind] {
			e.h.Missing = append(e.h.Missing, kind)
		}
	}
	if !e.seen[kinds[0]] || !e.seen[kinds[1]] {
		return nil, exposure.Errorf(exposure.Invalid, "%s holds no EPSS scores or no KEV catalogue: lay it out as docs/risk.md says", dir)
	}
	return &e.h, nil
}

type readFile func(ctx context.Context, f *os.File, name string) error

// reader tells by the name of a file how it is read; nil: it is not.
func (e *evidence) reader(name string) readFile {
	switch {
	case strings.HasPrefix(name, "epss_scores-"):
		return e.scores
	case strings.HasPrefix(name, "epss_weekly_timeseries"):
		return e.series
	case strings.HasPrefix(name, "known_exploited_vulnerabilities"):
		return e.kev
	case strings.HasPrefix(name, "metasploit_cve_first_seen"):
		return e.exploits(kinds[2], metasploit.Feed{Now: e.now})
	case strings.HasPrefix(name, "nuclei_cve_first_seen"):
		return e.exploits(kinds[3], nuclei.Feed{Now: e.now})
	case strings.HasSuffix(strings.TrimSuffix(name, ".gz"), "_poc_first_seen.csv"):
		return e.exploits(kinds[5], poc.Feed{Now: e.now})
	case strings.HasPrefix(name, "exploitdb_index"):
		return e.archive
	case strings.HasPrefix(name, "vulnrichment_compact"):
		return e.described
	}
	return nil
}

func (e *evidence) file(ctx context.Context, path string, read readFile) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	return read(ctx, f, filepath.Base(path))
}

// note takes up a fact about a CVE: of several days the earliest.
func (e *evidence) note(cve string, t exposure.Threat) {
	known := e.h.Facts[cve]
	intel.Merge(&known, &t)
	e.h.Facts[cve] = known
}

type sized struct {
	*os.File
	size int64
}

func (s sized) Size() int64 { return s.size }

// feed reads a file of a feed.
func (e *evidence) feed(ctx context.Context, feed intel.Feed, f *os.File, add func(intel.Fact)) (intel.Edition, error) {
	info, err := f.Stat()
	if err != nil {
		return intel.Edition{}, err
	}
	return feed.Read(ctx, sized{f, info.Size()}, func(fact intel.Fact) error { add(fact); return nil })
}

func (e *evidence) scores(ctx context.Context, f *os.File, _ string) error {
	s := backtest.Scores{Whole: true, Of: map[string]backtest.Score{}}
	edition, err := e.feed(ctx, epss.Feed{}, f, func(fact intel.Fact) {
		s.Of[fact.ID] = backtest.Score{EPSS: fact.Threat.EPSS, Percentile: fact.Threat.Percentile}
	})
	s.Day, s.Model = intel.Day(edition.Date), edition.Version
	e.h.Scores = append(e.h.Scores, s)
	e.seen[kinds[0]] = true
	return err
}

func (e *evidence) kev(ctx context.Context, f *os.File, _ string) error {
	edition, err := e.feed(ctx, kev.Feed{}, f, func(fact intel.Fact) {
		fact.Threat.ObservedDay = 0 // it is the listing
		e.note(fact.ID, fact.Threat)
	})
	e.h.Until = max(e.h.Until, intel.Day(edition.Date))
	e.seen[kinds[1]] = true
	return err
}

// exploits reads a list of CVEs and days as one of the feeds does.
func (e *evidence) exploits(kind string, feed intel.Feed) readFile {
	return func(ctx context.Context, f *os.File, _ string) error {
		e.seen[kind] = true
		_, err := e.feed(ctx, feed, f, func(fact intel.Fact) {
			t := &fact.Threat
			for _, day := range []*int{&t.MetasploitDay, &t.NucleiDay, &t.ArchiveDay, &t.PoCDay} {
				if *day == intel.UnknownDay {
					*day = 0 // it would have been known on every day of the past
				}
			}
			e.note(fact.ID, *t)
		})
		return err
	}
}

var dated = regexp.MustCompile(`\d{4}-\d\d-\d\d`)

// archive reads an index of Exploit-DB. Hardly any day in it is that on which
// an exploit came to the archive, so all count from the day of the index.
func (e *evidence) archive(ctx context.Context, f *os.File, name string) error {
	e.seen[kinds[4]] = true
	day := dayOf(dated.FindString(name))
	_, err := e.feed(ctx, exploitdb.Feed{Now: e.now}, f, func(fact intel.Fact) {
		e.note(fact.ID, exposure.Threat{ArchiveDay: day})
	})
	return err
}

func (e *evidence) described(ctx context.Context, f *os.File, _ string) error {
	e.seen[kinds[6]] = true
	return rows(ctx, f, []string{"cve", "published", "base_score"}, func(cell []string) {
		e.note(cell[0], exposure.Threat{PublishedDay: dayOf(cell[1])})
		if base, err := strconv.ParseFloat(cell[2], 64); err == nil {
			e.h.Base[cell[0]] = base
		}
	})
}

// series reads scores of a sample of CVEs over many days, a column each.
func (e *evidence) series(ctx context.Context, f *os.File, _ string) error {
	in, err := csvOf(f)
	if err != nil {
		return err
	}
	head, err := in.Read()
	if err != nil {
		return err
	}
	days := make([]backtest.Scores, len(head))
	for i := range head {
		days[i] = backtest.Scores{Day: dayOf(head[i]), Of: map[string]backtest.Score{}}
	}
	for n := 0; ; n++ {
		cells, err := in.Read()
		if err == io.EOF {
			break
		}
		if err == nil {
			err = ctx.Err()
		}
		if err != nil {
			return err
		}
		for i := 1; i < len(cells); i++ {
			if score, err := strconv.ParseFloat(cells[i], 64); err == nil {
				days[i].Of[cells[0]] = backtest.Score{EPSS: score}
			}
		}
	}
	for _, s := range days {
		if s.Day != 0 {
			e.h.Scores = append(e.h.Scores, s)
		}
	}
	return nil
}

// csvOf reads a table, which may be packed.
func csvOf(f *os.File) (*csv.Reader, error) {
	var r io.Reader = f
	if strings.HasSuffix(f.Name(), ".gz") {
		z, err := gzip.NewReader(f)
		if err != nil {
			return nil, err
		}
		r = z
	}
	in := csv.NewReader(r)
	in.FieldsPerRecord, in.LazyQuotes, in.ReuseRecord = -1, true, true
	return in, nil
}

// rows calls do with the named columns of each row.
func rows(ctx context.Context, f *os.File, columns []string, do func(cells []string)) error {
	in, err := csvOf(f)
	if err != nil {
		return err
	}
	head, err := in.Read()
	if err != nil {
		return err
	}
	at := make([]int, len(columns))
	for i, c := range columns {
		if at[i] = slices.Index(head, c); at[i] < 0 {
			return fmt.Errorf("there is no column %q", c)
		}
	}
	cells := make([]string, len(columns))
	for {
		row, err := in.Read()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err == nil {
			err = ctx.Err()
		}
		if err != nil {
			return err
		}
		if len(row) <= slices.Max(at) {
			continue
		}
		for i, j := range at {
			cells[i] = strings.Clone(row[j])
		}
		do(cells)
	}
}

func dayOf(s string) int {
	t, err := time.Parse(time.DateOnly, s[:min(len(s), len(time.DateOnly))])
	if err != nil {
		return 0
	}
	return intel.Day(t)
}
