package cli

import (
	"bufio"
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"iter"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/leeward-ctem/leeward/discover/scan"
	"github.com/leeward-ctem/leeward/exposure"
	"github.com/leeward-ctem/leeward/guard"
	"github.com/leeward-ctem/leeward/mobilize/export"
	"github.com/leeward-ctem/leeward/prioritize"
)

// Bounds of what is held to be listed; what is imported and printed as JSON has
// none.
const (
	maxFound = 100_000 // weaknesses
	doubtful = 50      // confidence below which a weakness is listed on demand only
)

// found is what is held of a scan to list it.
type found struct {
	all     []scanRow
	dropped int // beyond maxFound
	doubted int // of all
	worst   exposure.Severity

	listing bool // the components are wanted
	parts   []exposure.Component

	packages int
}

// scanRow is a line of the table, and a result of SARIF.
type scanRow struct {
	severity   exposure.Severity
	confidence int
	rule       string
	cves       []string
	asset      string
	where      string
	file, uri  string
	title, fix string
}

func (f *found) add(o *exposure.Observation) {
	switch o.Kind {
	case exposure.ObservedInventory:
		if o.Component.Name != "" && o.Tool == scan.Tool {
			f.packages++
		}
		if f.listing && o.Component.Name != "" && len(f.parts) < maxBilled {
			f.parts = append(f.parts, o.Component)
		}
		return
	case exposure.ObservedWeakness:
	default:
		return
	}
	if o.State != exposure.StatePresent {
		return
	}
	w := scanRow{severity: o.Severity, confidence: o.Confidence, rule: o.Rule, asset: o.Asset.Display(), where: whereOf(o), file: o.Location.File, uri: o.Location.Path, title: o.Title, fix: o.Solution}
	for _, vector := range o.CVSS {
		if o.Severity == exposure.SeverityUnknown {
			w.severity = max(w.severity, prioritize.VectorSeverity(vector))
		}
	}
	if len(o.Advisories) > 0 {
		w.cves = o.Advisories
	}
	if o.Component.Fixed != "" {
		w.fix = "update to " + o.Component.Fixed
	}
	if w.doubtful() {
		f.doubted++
	} else {
		f.worst = max(f.worst, w.severity)
	}
	if len(f.all) == maxFound {
		f.dropped++
		return
	}
	f.all = append(f.all, w)
}

func (w *scanRow) doubtful() bool { return w.confidence != 0 && w.confidence < doubtful }

func whereOf(o *exposure.Observation) string {
	at := o.Location
	switch {
	case at.File != "" && at.Line > 0:
		return fmt.Sprintf("%s:%d", at.File, at.Line)
	case at.File != "":
		return at.File
	case o.Component.Path != "":
		return o.Component.Path
	case at.Port != 0:
		return fmt.Sprintf("%s:%d%s", o.Asset.Display(), at.Port, at.Path)
	}
	return o.Asset.Display()
}

func (f *found) sort() {
	slices.SortStableFunc(f.all, func(a, b scanRow) int {
		return cmp.Or(boolCompare(a.doubtful(), b.doubtful()), cmp.Compare(b.severity, a.severity), cmp.Compare(a.rule, b.rule), cmp.Compare(a.asset, b.asset), cmp.Compare(a.where, b.where), cmp.Compare(a.title, b.title))
	})
}

func boolCompare(a, b bool) int {
	switch {
	case a == b:
		return 0
	case b:
		return -1
	}
	return 1
}

// spooled takes what a scan states: it prints it, keeps what is listed, and
// spools what is to be imported, so that memory is bounded.
type spooled struct {
	s    *scanning
	json *json.Encoder
	file *os.File
	w    *bufio.Writer
	enc  *json.Encoder
}

func newSpooled(r *run, s *scanning) (*spooled, error) {
	p := &spooled{s: s}
	if r.JSON {
		p.json = newEncoder(r.Out)
	}
	if !s.Store && s.Push == "" || s.DryRun {
		return p, nil
	}
	f, err := os.CreateTemp("", "leeward-scan-*.jsonl")
	if err != nil {
		return nil, exposure.Errorf(exposure.Unavailable, "what is found cannot be kept until it is imported: %w", err)
	}
	p.file, p.w = f, bufio.NewWriterSize(f, 64<<10)
	p.enc = newEncoder(p.w)
	return p, nil
}

// begin and end say of the run what an import has to know: one that was stopped
// closes nothing.
func (p *spooled) begin() error {
	return p.put(&exposure.Observation{Kind: exposure.ObservedRun, Run: &exposure.Run{Tool: scan.Tool, Version: version, Started: p.s.Now()}})
}

func (p *spooled) end(stopped error) error {
	run := exposure.Run{Tool: scan.Tool, Finished: p.s.Now()}
	if stopped != nil {
		run.Failed, run.Failure = true, "the scan was stopped before it was done"
	}
	return p.put(&exposure.Observation{Kind: exposure.ObservedRun, Run: &run})
}

func (p *spooled) take(o exposure.Observation) error {
	redact(&o)
	p.s.found.add(&o)
	return p.put(&o)
}

func (p *spooled) put(o *exposure.Observation) error {
	if p.json != nil && !p.s.DryRun {
		if err := p.json.Encode(o); err != nil {
			return err
		}
	}
	if p.enc != nil {
		return p.enc.Encode(o)
	}
	return nil
}

// reader returns what was spooled; nil when nothing was.
func (p *spooled) reader() (io.Reader, error) {
	if p.file == nil {
		return nil, nil
	}
	if err := p.w.Flush(); err != nil {
		return nil, err
	}
	n, err := p.file.Seek(0, io.SeekEnd)
	if err != nil || n == 0 {
		return nil, err
	}
	_, err = p.file.Seek(0, io.SeekStart)
	return p.file, err
}

func (p *spooled) close() {
	if p.file != nil {
		p.file.Close()
		os.Remove(p.file.Name())
	}
}

// print shows what was found and how it went.
func (s *scanning) print(status []scan.Status) error {
	f := &s.found
	f.sort()
	switch {
	case s.SARIF:
		if err := export.Write(s.Out, export.SARIF, export.Tool{Name: "Leeward", Version: version, URI: "https://github.com/leeward-ctem/leeward"}, f.rows(s.Now())); err != nil {
			return err
		}
	case s.SBOM != "":
		if err := s.writeBill(); err != nil {
			return err
		}
	case !s.run.JSON:
		if err := s.list(); err != nil {
			return err
		}
	}
	s.summary(status)
	return nil
}

func (s *scanning) list() error {
	t := s.run.table("SEVERITY\tWHAT\tWHERE\tTITLE\tFIX")
	hidden := 0
	for i := range s.found.all {
		w := &s.found.all[i]
		if w.doubtful() && !s.All {
			hidden++
			continue
		}
		if err := t.row(w, "%s\t%s\t%s\t%s\t%s\n", w.severity, printable(w.name()), clip(w.where, 60), clip(w.title, 72), clip(orElse(w.fix, "–"), 60)); err != nil {
			return err
		}
	}
	if err := t.end("Nothing was found.", ""); err != nil {
		return err
	}
	if hidden > 0 {
		fmt.Fprintf(s.Err, "%d doubtful findings, as in test data, are not listed: see them with --all\n", hidden)
	}
	if s.found.dropped > 0 {
		fmt.Fprintf(s.Err, "%d more findings are not listed: --json prints all\n", s.found.dropped)
	}
	return nil
}

// name is what a weakness is known by.
func (w *scanRow) name() string {
	if len(w.cves) > 0 {
		return w.cves[0]
	}
	return w.rule
}

// fingerprint is the same in every scan, wherever the line has moved.
func (w *scanRow) fingerprint() string {
	place, _, _ := strings.Cut(w.where, "\n")
	if w.file != "" {
		place = w.file
	}
	sum := sha256.Sum256([]byte(strings.Join([]string{w.asset, w.rule, w.name(), place, w.title}, "\x00")))
	return hex.EncodeToString(sum[:16])
}

// rows are the findings as SARIF has them.
func (f *found) rows(now time.Time) iter.Seq2[export.Row, error] {
	return func(yield func(export.Row, error) bool) {
		for i := range f.all {
			w := &f.all[i]
			row := export.Row{
				Title: w.title, Severity: w.severity.String(), CVEs: w.cves, Asset: w.asset, Location: w.where, Status: "open", Tools: []string{scan.Tool},
				FirstSeen: now.UTC().Format(time.DateOnly), Rule: w.name(), File: w.file, URI: w.uri,
			}
			row.Fingerprint = w.fingerprint()
			row.ID = row.Fingerprint
			if !yield(row, nil) {
				return
			}
		}
	}
}

// maxTold is how many looks that went wrong are named.
const maxTold = 20

// summary says on standard error how it went, by engine.
func (s *scanning) summary(status []scan.Status) {
	type sum struct{ looks, found, covered, refused, failed, stopped int }
	sums := map[string]*sum{}
	var wrong []string
	for _, st := range status {
		m := sums[st.Engine]
		if m == nil {
			m = &sum{}
			sums[st.Engine] = m
		}
		m.looks++
		m.found += st.Found
		switch {
		case st.Stopped:
			m.stopped++
		case st.Covered:
			m.covered++
		case st.Refused:
			m.refused++
		case st.Failure != "":
			m.failed++
		}
		if st.Failure != "" && !st.Stopped {
			wrong = append(wrong, fmt.Sprintf("%s, %s: %s", st.Engine, st.Target, st.Failure))
		}
		for _, p := range st.Problems {
			wrong = append(wrong, fmt.Sprintf("%s, %s: %s", st.Engine, st.Target, p))
		}
	}
	for _, w := range wrong[:min(len(wrong), maxTold)] {
		first, _, _ := strings.Cut(w, "\n")
		fmt.Fprintln(s.Err, printable(first))
	}
	if more := len(wrong) - maxTold; more > 0 {
		fmt.Fprintf(s.Err, "%d more looks failed or were refused in part\n", more)
	}
	names := make([]string, 0, len(sums))
	for name := range sums {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		m := sums[name]
		line := fmt.Sprintf("%s: %d found, looked at %d, %d of them completely", name, m.found, m.looks, m.covered)
		if m.refused > 0 {
			line += fmt.Sprintf(", refused %d", m.refused)
		}
		if m.failed > 0 {
			line += fmt.Sprintf(", failed %d", m.failed)
		}
		if m.stopped > 0 {
			line += fmt.Sprintf(", stopped %d", m.stopped)
		}
		fmt.Fprintln(s.Err, line)
	}
	if len(sums) == 0 {
		fmt.Fprintln(s.Err, "No engine takes these targets at this level.")
	}
	if len(wrong) > 0 {
		s.recordErrors()
	}
	if s.unknown && s.found.packages > 0 {
		// Not compared is not the same as not affected: a pipeline must notice.
		if s.SBOM == "" {
			s.recordErrors()
		}
		fmt.Fprintf(s.Err, "No advisories are kept here, so %d packages were listed and not compared: get them with `leeward feeds update osv`\n", s.found.packages)
	}
	if s.audit != nil {
		fmt.Fprintf(s.Err, "What was sent is in %s\n", s.audit.Name())
	}
}

// progress draws how far it is.
func (s *scanning) progress() func(scan.Progress) {
	last := time.Time{}
	return func(p scan.Progress) {
		if now := s.Now(); now.Sub(last) > 100*time.Millisecond {
			last = now
			line := fmt.Sprintf("%d of %d looks, %d found: %s, %s", p.Done, p.Known, p.Found, p.Engine, p.Target)
			if p.Of > 0 {
				line += fmt.Sprintf(" %d/%d", p.Part, p.Of)
			}
			fmt.Fprintf(s.Err, "\r\x1b[K%s", clip(printable(line), 110))
		}
	}
}

// endLine wipes the line of progress.
func (r *run) endLine() {
	if r.Terminal {
		fmt.Fprint(r.Err, "\r\x1b[K")
	}
}

// would prints what a dry run does not send, each thing once.
func (s *scanning) would() func(guard.Entry) {
	var mu sync.Mutex
	told := map[string]bool{}
	return func(e guard.Entry) {
		host := e.Host
		if e.Addr != "" && e.Addr != e.Host && e.Addr != "invalid IP" {
			host += " (" + e.Addr + ")"
		}
		line := fmt.Sprintf("would send to %s: %s, level %s", printable(host), printable(e.Action), e.Level)
		mu.Lock()
		defer mu.Unlock()
		if told[line] || len(told) > maxFound {
			return
		}
		told[line] = true
		fmt.Fprintln(s.Out, line)
	}
}
