// Package index holds the findings of a database as columns in memory and
// answers lists, counts, group-bys and scores from them in milliseconds. The
// database is the truth, the index a cache: it follows the event feed and can
// be thrown away at any time.
//
// A [View] is an immutable state of the index at one event number. Readers
// take one and never wait; one writer at a time makes the next. A finding
// costs 16 to 22 bytes of columns, see [column], and 13 of the fingerprint table.
package index

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/leeward-ctem/leeward/exposure"
)

// Source is what the index reads from the database, in or outside a
// transaction. A callback must not call the source.
type Source interface {
	Events(ctx context.Context, after int64, f func(*exposure.Event) error) error
	Findings(ctx context.Context, first, last exposure.FindingID, f func(*exposure.Finding) error) error
	FindingsByID(ctx context.Context, ids []exposure.FindingID, f func(*exposure.Finding) error) error
	Assets(ctx context.Context, first, last exposure.AssetID, f func(*exposure.Asset) error) error
	Advisories(ctx context.Context, first, last exposure.AdvisoryID, f func(*exposure.Advisory) error) error
	Places(ctx context.Context, first, last exposure.LocationID, f func(*exposure.Place) error) error
	Sources(ctx context.Context) ([]exposure.Source, error)
}

// Contexts tells what the programme says of an asset.
type Contexts interface {
	Context(a *exposure.Asset) exposure.Context
}

// Index is the writer's side. Its methods are safe for concurrent use; writers
// take turns.
type Index struct {
	mu       sync.Mutex
	view     atomic.Pointer[View]
	prints   fingerprints
	contexts Contexts
	ctxIDs   map[string]uint32
	owners   map[string]uint32
}

// New returns an empty index that scores by model.
func New(model exposure.Model, contexts Contexts) *Index {
	ix := &Index{contexts: contexts, ctxIDs: map[string]uint32{}, owners: map[string]uint32{"": 0}}
	v := &View{scorer: newScorer(model), owners: []string{""}}
	// Numbers begin at 1: row 0 of every dictionary stands for "none".
	v.assets, v.assetContexts = []asset{{}}, []uint32{0}
	v.advisories = []*exposure.Advisory{{}}
	v.advFactors = []exposure.AdvisoryFactor{{}}
	v.advisoryTexts = []string{""}
	v.places = []place{{}}
	v.contexts = []*exposure.Context{{}}
	v.ctxFactors = []exposure.ContextFactor{model.Context(&exposure.Context{})}
	v.sources = []exposure.Source{{}}
	ix.view.Store(v)
	return ix
}

// View returns the newest state.
func (ix *Index) View() *View { return ix.view.Load() }

// chunkRows is how many findings share a chunk; a chunk is the unit of copy on
// write. Rows of a chunk are numbered by 16 bits.
const chunkRows = 1 << 15

// chunk holds the columns of 32,768 findings. Rows beyond a view's length may
// be written by the writer while readers read those before it.
type chunk struct {
	asset    column
	advisory column
	location column
	risk     []exposure.Risk
	due      []uint16 // day, exposure.NoDue without
	day      []uint16 // first seen, days since 1970-01-01 UTC
	state    []uint16 // status, severity, detection, verdict, shared: see pack
	source   []uint16
}

func newChunk() *chunk {
	return &chunk{
		asset: newColumn(), advisory: newColumn(), location: newColumn(),
		risk: make([]exposure.Risk, chunkRows), due: make([]uint16, chunkRows), day: make([]uint16, chunkRows),
		state: make([]uint16, chunkRows), source: make([]uint16, chunkRows),
	}
}

// View is one immutable state of the index.
type View struct {
	seq    int64
	n      int // findings, numbered 1 … n; row i holds finding i+1
	chunks []*chunk

	assets        []asset
	assetContexts []uint32 // the context column of assets, close together
	advisories    []*exposure.Advisory
	advFactors    []exposure.AdvisoryFactor
	advisoryTexts []string // what a search looks at, lower case: title and ids, a line each
	places        []place
	contexts      []*exposure.Context
	ctxFactors    []exposure.ContextFactor
	owners        []string
	sources       []exposure.Source
	scorer        *scorer

	ranks atomic.Pointer[ranks] // sort orders of names, made when first asked for
}

// place is what filters need of a place.
type place struct {
	component string // lower-case purl, or name@version
	port      uint16
}

// asset is what lists need of an asset.
type asset struct {
	*exposure.Asset
	context uint32 // row of contexts
	owner   uint32 // row of owners
	text    string // what a search looks at, lower case: name and identifiers, a line each
}

// Seq is the number of the last event the view knows.
func (v *View) Seq() int64 { return v.seq }

// Len is how many findings there are, open or not.
func (v *View) Len() int { return v.n }

// Assets is how many assets there are.
func (v *View) Assets() int {
	n := 0
	for _, a := range v.assets {
		if a.Asset != nil {
			n++
		}
	}
	return n
}

// Model is the version of the risk model that scored the view.
func (v *View) Model() exposure.Model { return v.scorer.model }

// Asset returns an asset with its context; nil when there is none.
func (v *View) Asset(id exposure.AssetID) *exposure.Asset {
	if int(id) >= len(v.assets) {
		return nil
	}
	return v.assets[id].Asset
}

// Advisory returns what is known of an advisory without its long texts; nil
// when there is none.
func (v *View) Advisory(id exposure.AdvisoryID) *exposure.Advisory {
	if int(id) >= len(v.advisories) {
		return nil
	}
	return v.advisories[id]
}

// Sources returns the tools and classes, by number.
func (v *View) Sources() []exposure.Source { return v.sources }

// The state column: bits 0–3 status, 4–6 severity, 7–9 detection, 10–13
// verdict, 14 shared. removed is a status that no finding has.
const (
	severityShift = 4
	validityShift = 7 // detection and verdict together
	validityBits  = 1<<7 - 1
	detectionBits = 7
	verdictShift  = 10
	sharedBit     = 1 << 14
	removed       = 15
)

func pack(f *exposure.Finding) uint16 {
	s := uint16(f.Status) | uint16(f.Severity)<<severityShift | uint16(f.Detection)<<validityShift | uint16(f.Verdict)<<verdictShift
	if f.Shared {
		s |= sharedBit
	}
	return s
}

// DayOf returns the day of a time in unix milliseconds.
func DayOf(ms int64) uint16 {
	if ms < 0 {
		return 0
	}
	return uint16(min(ms/(24*time.Hour).Milliseconds(), exposure.NoDue-1))
}

// Row is one finding as lists show it, without what only the database holds.
type Row struct {
	ID        exposure.FindingID
	Asset     exposure.AssetID
	Advisory  exposure.AdvisoryID
	Location  exposure.LocationID
	Source    exposure.SourceID
	Status    exposure.Status
	Severity  exposure.Severity
	Detection exposure.Detection
	Verdict   exposure.VerdictKind
	Shared    bool
	Risk      exposure.Risk
	Band      exposure.Band
	FirstSeen uint16 // day
	Due       uint16 // day, exposure.NoDue without
	DueRule   string
}

// Row returns finding id; ok is false when there is none.
func (v *View) Row(id exposure.FindingID) (r Row, ok bool) {
	i := int(id) - 1
	if i < 0 || i >= v.n {
		return r, false
	}
	c, j := v.chunks[i/chunkRows], i%chunkRows
	s := c.state[j]
	if s&15 == removed {
		return r, false
	}
	r = Row{
		ID: id, Asset: exposure.AssetID(c.asset.at(j)), Advisory: exposure.AdvisoryID(c.advisory.at(j)),
		Location: exposure.LocationID(c.location.at(j)), Source: exposure.SourceID(c.source[j]),
		Status: exposure.Status(s & 15), Severity: exposure.Severity(s >> severityShift & 7),
		Detection: exposure.Detection(s >> validityShift & detectionBits), Verdict: exposure.VerdictKind(s >> verdictShift & 15),
		Shared: s&sharedBit != 0, Risk: c.risk[j], FirstSeen: c.day[j],
	}
	r.Band = v.scorer.bands.Of(r.Risk)
	if r.Due = c.due[j]; r.Due != exposure.NoDue {
		_, rule := v.due(c, j)
		r.DueRule = v.scorer.due.Rules[rule]
	}
	return r, true
}

// Deadline returns the day on which a finding was or is due, whether it is
// open or not; exposure.NoDue without.
func (v *View) Deadline(id exposure.FindingID) uint16 {
	i := int(id) - 1
	if i < 0 || i >= v.n || v.chunks[i/chunkRows].state[i%chunkRows]&15 == removed {
		return exposure.NoDue
	}
	c, j := v.chunks[i/chunkRows], i%chunkRows
	a := &v.advFactors[c.advisory.at(j)]
	day, _ := v.scorer.due.Due(v.scorer.bands.Of(c.risk[j]), a.Policy, v.ctxFactors[v.assetContexts[c.asset.at(j)]].Policy, c.day[j], a.KEVDay)
	return day
}

// due returns the day row j of c is due and the rule that binds.
func (v *View) due(c *chunk, j int) (day, rule uint16) {
	if s := exposure.Status(c.state[j] & 15); !s.Open() {
		return exposure.NoDue, 0
	}
	a := &v.advFactors[c.advisory.at(j)]
	return v.scorer.due.Due(v.scorer.bands.Of(c.risk[j]), a.Policy, v.ctxFactors[v.assetContexts[c.asset.at(j)]].Policy, c.day[j], a.KEVDay)
}
