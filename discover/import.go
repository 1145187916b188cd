package discover

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"iter"
	"time"

	"github.com/RoaringBitmap/roaring/v2"
	"golang.org/x/sync/errgroup"

	"github.com/leeward-ctem/leeward/discover/decode"
	"github.com/leeward-ctem/leeward/exposure"
)

// Tx is what an import needs of one write transaction of the database. All
// methods act within it; see package store for their exact meaning.
type Tx interface {
	BeginScan(ctx context.Context, s exposure.Scan) (exposure.Scan, error)
	ScanByDigest(ctx context.Context, digest string) (exposure.Scan, error)
	CountNew(ctx context.Context, id exposure.ScanID, n int) error
	FinishScan(ctx context.Context, s *exposure.Scan, seen []byte) error
	ScanErrors(ctx context.Context, id exposure.ScanID, errs []*exposure.RecordError) error

	AssetsByIdentifier(ctx context.Context, identifiers []string) (map[string][]exposure.AssetID, error)
	AssetsByKey(ctx context.Context, keys []string) (map[string]exposure.AssetID, error)
	AssetsByID(ctx context.Context, ids []exposure.AssetID, f func(*exposure.Asset) error) error
	NextAsset(ctx context.Context) (exposure.AssetID, error)
	InsertAssets(ctx context.Context, assets []exposure.Asset) error
	AddIdentifiers(ctx context.Context, id exposure.AssetID, identifiers []exposure.Identifier) error
	MergedKeys(ctx context.Context) (map[exposure.AssetID][]string, error)
	MergeAsset(ctx context.Context, from, to exposure.AssetID) error
	MoveFindings(ctx context.Context, ids []exposure.FindingID, to exposure.AssetID) error
	FoldFindings(ctx context.Context, into map[exposure.FindingID]exposure.FindingID) error

	AddSource(ctx context.Context, tool, class string) (exposure.SourceID, error)
	AddAdvisories(ctx context.Context, wanted []exposure.Advisory) ([]exposure.AdvisoryID, error)
	AddPlaces(ctx context.Context, wanted []exposure.Place) ([]exposure.LocationID, error)

	AliasedFindings(ctx context.Context, fps []exposure.Fingerprint) (map[exposure.Fingerprint]exposure.FindingID, error)
	FindingsByID(ctx context.Context, ids []exposure.FindingID, f func(*exposure.Finding) error) error
	InsertFindings(ctx context.Context, fs []exposure.Finding) error
	UpdateFindings(ctx context.Context, fs []exposure.Finding) error
	InsertEvidence(ctx context.Context, scan exposure.ScanID, proofs []exposure.Proof) error

	SourceStates(ctx context.Context, ids []exposure.FindingID) ([]exposure.SourceState, error)
	PutSourceStates(ctx context.Context, states []exposure.SourceState) error
	AddCoverage(ctx context.Context, scan exposure.ScanID, at int64, source exposure.SourceID, asset exposure.AssetID, c *exposure.Coverage) error
	NewestCovered(ctx context.Context, assets []exposure.AssetID) ([]exposure.Covered, error)
	NewerScans(ctx context.Context, at int64) (map[exposure.ScanID]int64, error)
	Seen(ctx context.Context, id exposure.ScanID) ([]byte, error)
	Sources(ctx context.Context) ([]exposure.Source, error)
	PlacesByID(ctx context.Context, ids []exposure.LocationID) (map[exposure.LocationID]exposure.Place, error)

	AddComponents(ctx context.Context, purls []string) ([]exposure.ComponentID, error)
	Inventories(ctx context.Context, assets []exposure.AssetID, f func(*exposure.Inventory) error) error
	PutInventories(ctx context.Context, all []exposure.Inventory) error
	AddSurfaceChanges(ctx context.Context, all []exposure.SurfaceChange) error
	RequestMatch(ctx context.Context, assets []exposure.AssetID) error

	Append(ctx context.Context, events ...*exposure.Event) error
}

// Store runs f in one write transaction that excludes every other writer.
type Store interface {
	Write(ctx context.Context, f func(Tx) error) error
}

// Index tells which fingerprints are known, and follows the database.
type Index interface {
	// Follow brings the index to the state that tx sees.
	Follow(ctx context.Context, tx Tx) error
	// Publish brings the index to the state of the database after a commit.
	// made are the findings that the commit inserted, so that they need not be
	// read back.
	Publish(ctx context.Context, made []exposure.Finding) error
	// Known sets ids[i] to the finding with fps[i], 0 when there is none.
	Known(fps []exposure.Fingerprint, ids []exposure.FindingID)
	// Finding returns what the index holds of a finding.
	Finding(id exposure.FindingID) Known
	// OnAssets calls f with each finding on the assets for which want is true.
	OnAssets(want func(exposure.AssetID) bool, f func(exposure.FindingID, exposure.AssetID))
	// Rule returns the key of a finding's advisory.
	Rule(id exposure.FindingID) string
}

// Known is what the index holds of a finding: enough to see that a repeated
// observation says nothing new.
type Known struct {
	Source    exposure.SourceID
	Status    exposure.Status
	Severity  exposure.Severity
	Detection exposure.Detection
	Shared    bool
	Day       uint16 // first seen
}

// Intelligence is what the feeds know when a report arrives.
type Intelligence interface {
	// Canonical resolves an alias (GHSA to CVE); it returns id when it knows nothing.
	Canonical(id string) string
	// Threat returns the worst of what is known about several ids, of a weakness
	// of some classes (CWE).
	Threat(ids []string, cwes []int) exposure.Threat
}

// Importer turns reports into findings.
type Importer struct {
	Readers []Reader
	Store   Store
	Index   Index
	Intel   Intelligence
	Redact  func(string) string // removes secrets and control characters, and caps the length
	Now     func() time.Time
	Limits  Limits
}

// Request says how to import one file.
type Request struct {
	Name     string            // file name, for people and for crash recovery
	Format   string            // name of a reader; empty: recognise it
	Asset    exposure.AssetRef // where to file records that name no asset
	Demo     bool              // mark everything as demo data
	At       time.Time         // when the scan ran, if the report does not say; zero: now
	Progress func(Progress)    // called after each batch, from one goroutine; may be nil
}

// Progress is how far an import is.
type Progress struct {
	Name         string
	Bytes        int64 // decoded so far
	Observations int
	New          int
}

// Result is what one document brought.
type Result struct {
	File         string          `json:"file"`
	Format       string          `json:"format"`
	Tool         string          `json:"tool"`
	Observations int             `json:"observations"` // weaknesses stated
	New          int             `json:"new"`          // findings made
	Known        int             `json:"known"`        // observations of findings that were there already
	Closed       int             `json:"closed"`
	Reopened     int             `json:"reopened"`
	Errors       int             `json:"errors"` // broken records
	Seconds      float64         `json:"seconds"`
	Scan         exposure.ScanID `json:"scan,omitempty"`
	Failure      string          `json:"failure,omitempty"` // why the document ended early
	Messages     []string        `json:"messages,omitempty"`
}

// Changed reports whether the import changed anything.
func (r *Result) Changed() bool { return r.New+r.Closed+r.Reopened > 0 }

// Refused reports whether the document could not be read at all. One that is
// empty was read, whichever format it is of.
func (r *Result) Refused() bool { return r.Format == "" && r.Failure != "" }

// Import reads everything in r and returns a result a document: one, or as
// many as an archive holds. The error says that not even one document could
// be read, or that the database failed; what is wrong inside a document is in
// its Result.
func (im *Importer) Import(ctx context.Context, req Request, r io.Reader) ([]Result, error) {
	var all []Result
	var first error
	read := false
	for part, err := range im.Open(req.Format, req.Name, r) {
		if err != nil {
			if first = cmp.Or(first, err); !refused(err) && !read {
				return nil, err
			}
			all = append(all, Result{File: orElse(part.Name, req.Name), Failure: err.Error(), Errors: 1})
			if !refused(err) {
				return all, nil
			}
			continue
		}
		res, err := im.document(ctx, req, part)
		if err != nil {
			return all, err
		}
		all, read = append(all, res), true
	}
	if !read {
		return nil, first
	}
	return all, nil
}

// Open is [Open] with the importer's limits, and entries of an archive that are
// one report to one of its readers, see [Bundled], are one part. format is the
// name of the reader of everything; empty: whichever recognises it.
func (im *Importer) Open(format, name string, r io.Reader) iter.Seq2[Part, error] {
	return func(yield func(Part, error) bool) {
		o := opener{limits: im.Limits.orDefault(), yield: yield, readers: im.Readers, format: format}
		o.open(name, r, 0)
	}
}

// ErrEmpty says that nothing tells the format of a report, as nothing is in it.
var ErrEmpty = errors.New("the report is empty, as several tools write it when they found nothing, so it does not tell which tool that was: name it with --format to record that it ran")

// Recognise returns the reader for a part, recognised or by name.
func (im *Importer) Recognise(format string, part *Part) (Reader, error) {
	if r := recognise(im.Readers, format, part.Head); r != nil {
		return r, nil
	}
	switch {
	case format != "":
		return nil, exposure.Errorf(exposure.Invalid, "there is no report format %q: `leeward formats` lists them", format)
	case part.Empty():
		return nil, exposure.Errorf(exposure.Invalid, "%s: %w", part.Name, ErrEmpty)
	}
	return nil, exposure.Errorf(exposure.Invalid, "%s: this is no report that Leeward knows: name its format with --format, or see docs/formats.md for what is read", part.Name)
}

// recognise returns the first reader with the name, or that recognises the head.
func recognise(readers []Reader, format string, head []byte) Reader {
	h := decode.NewHead(head)
	for _, r := range readers {
		if format == r.Name() || format == "" && r.Sniff(h) {
			return r
		}
	}
	return nil
}

// batchSize is how many observations share a transaction: it stays below 100 ms.
const batchSize = 5000

// errorsKept is how many messages about broken records are kept for a document.
const errorsKept = 1000

func (im *Importer) document(ctx context.Context, req Request, part Part) (Result, error) {
	began := im.Now()
	res := Result{File: part.Name}
	reader, err := im.Recognise(req.Format, &part)
	if errors.Is(err, ErrEmpty) {
		res.Messages = []string{err.Error()}
		return res, nil
	}
	if err != nil {
		res.Failure, res.Errors = err.Error(), 1
		return res, nil
	}
	res.Format = reader.Name()
	s := &session{
		im: im, req: req, res: &res, began: began, seen: roaring.New(), stated: roaring.New(),
		read:  exposure.Scan{Name: im.Redact(part.Name), Format: reader.Name(), Received: began.UnixMilli(), Demo: req.Demo},
		cache: newCaches(), folded: map[exposure.FindingID]exposure.FindingID{},
	}
	s.normal.init(im, req, part.Name, &s.read)
	s.scan = s.read
	head := sha256.Sum256(fmt.Appendf(part.Head, "\x00%s\x00%s", part.Name, s.normal.fallback.Key()))
	s.partial = "partial:" + hex.EncodeToString(head[:16])

	g, gctx := errgroup.WithContext(ctx)
	batches := make(chan chunk, 1)
	sum := sha256.New()
	g.Go(func() error {
		defer close(batches)
		return s.decode(gctx, part.reading(reader, sum), part.Reader, sum, batches)
	})
	g.Go(func() error {
		for b := range batches {
			if err := s.commit(gctx, b); err != nil {
				return err
			}
		}
		return nil
	})
	if err := g.Wait(); err != nil {
		return res, err
	}
	s.learn(&s.read)
	if part.Empty() {
		// Those of two tools are the same bytes, and two reports.
		fmt.Fprintf(sum, "\x00%s", reader.Name())
	}
	fmt.Fprintf(sum, "\x00%s", s.normal.fallback.Key())
	s.scan.Digest = hex.EncodeToString(sum.Sum(nil))
	if err := s.finish(ctx); err != nil {
		return res, err
	}
	res.Tool = s.scan.Tool
	res.Scan = s.scan.ID
	res.Seconds = im.Now().Sub(began).Seconds()
	return res, nil
}

// decode reads the document and hands on batches of normalised items.
func (s *session) decode(ctx context.Context, read Reading, r io.Reader, sum hash.Hash, batches chan<- chunk) error {
	counted := &counter{r: io.TeeReader(r, sum)}
	batch := make([]item, 0, batchSize)
	var at int64 // how much of the document was read
	send := func() error {
		if len(batch) == 0 {
			return nil
		}
		select {
		case batches <- chunk{batch, s.read}:
		case <-ctx.Done():
			return ctx.Err()
		}
		batch = make([]item, 0, batchSize)
		if s.req.Progress != nil {
			s.req.Progress(Progress{s.res.File, at, s.read.Records, s.made()})
		}
		return nil
	}
	for said := range ahead(ctx, read, counted) {
		o := &said.observation
		at = said.at
		if err := said.err; err != nil {
			var rec *exposure.RecordError
			if errors.As(err, &rec) {
				s.broken(rec)
				continue
			}
			if ctx.Err() != nil {
				return ctx.Err()
			}
			s.failure = fmt.Errorf("%s: %w", s.res.File, err)
			break
		}
		switch o.Kind {
		case exposure.ObservedRun:
			s.run(o.Run)
		default:
			it, err := s.normal.item(o)
			if err != nil {
				s.broken(&exposure.RecordError{Record: s.read.Records + 1, Offset: at, Err: err})
				continue
			}
			if o.Kind == exposure.ObservedWeakness {
				s.read.Records++
			}
			if batch = append(batch, it); len(batch) == batchSize {
				if err := send(); err != nil {
					return err
				}
			}
		}
	}
	if err := cmp.Or(ctx.Err(), send()); err != nil {
		return err
	}
	// What follows the document proper belongs to the digest as well.
	if _, err := io.Copy(io.Discard, counted); err != nil && s.failure == nil {
		s.failure = err
	}
	return ctx.Err()
}

// Guarded is reader.Read with bounded memory: a record that is too large ends
// the report with an error instead of filling the memory.
func Guarded(ctx context.Context, reader Reader, r io.Reader) iter.Seq2[exposure.Observation, error] {
	return guarded(ctx, reader.Read, r)
}

func guarded(ctx context.Context, read Reading, r io.Reader) iter.Seq2[exposure.Observation, error] {
	return func(yield func(exposure.Observation, error) bool) {
		guard := newRecordGuard(r)
		for o, err := range read(ctx, guard) {
			guard.Reset()
			if !yield(o, err) {
				return
			}
		}
	}
}

func (s *session) broken(e *exposure.RecordError) {
	s.res.Errors++
	if len(s.bad) < errorsKept {
		e.Err = errors.New(s.im.Redact(e.Err.Error()))
		s.bad = append(s.bad, e)
		s.res.Messages = append(s.res.Messages, fmt.Sprintf("%s: %v", s.res.File, e))
	}
}

// run takes up what the report says of the scan; later statements add to
// earlier ones.
func (s *session) run(r *exposure.Run) {
	if r.Tool != "" {
		s.read.Tool = s.im.Redact(r.Tool)
	}
	if r.Version != "" {
		s.read.Version = s.im.Redact(r.Version)
	}
	if t := r.Finished; !t.IsZero() {
		s.normal.ranAt(t)
	} else if !r.Started.IsZero() {
		s.normal.ranAt(r.Started)
	}
	if r.Failed {
		s.failed = orElse(s.im.Redact(r.Failure), "the report says that the scan failed")
	}
}

type counter struct {
	r io.Reader
	n int64
}

func (c *counter) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n += int64(n)
	return n, err
}

func orElse(s, other string) string {
	if s == "" {
		return other
	}
	return s
}
