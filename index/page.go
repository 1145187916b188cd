package index

import (
	"cmp"
	"math"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/leeward-ctem/leeward/exposure"
)

// Sort is the order of a list.
type Sort struct {
	By      string // one of SortKeys; empty: risk
	Reverse bool   // against the natural direction, which shows the worst, newest or first name on top
}

// SortKeys are the orders a list can have.
func SortKeys() []string {
	return []string{"risk", "severity", "epss", "asset", "team", "due", "first_seen", "title", "status", "id"}
}

// Query asks for one page of findings.
type Query struct {
	Filter exposure.Filter
	Sort   Sort
	After  string // cursor of the page before; empty: the first page
	Limit  int    // rows; 0: 50, at most 1000
	Today  uint16 // day that ages and due dates count from
}

// Page is one page of findings.
type Page struct {
	Rows  []Row
	Total int    // all matches, not only this page
	Next  string // cursor of the page after; empty: this is the last
	Seq   int64  // the state of the index that answered
}

// Page answers a query. Pages are cut by the last row's sort value and number,
// so rows that come or go in between never repeat or hide others.
func (v *View) Page(q Query) (Page, error) {
	p, err := v.compile(&q.Filter, q.Today)
	if err != nil {
		return Page{}, err
	}
	key, err := v.sortKey(q.Sort)
	if err != nil {
		return Page{}, err
	}
	after, err := parseCursor(q.After)
	if err != nil {
		return Page{}, err
	}
	limit := q.Limit
	if limit <= 0 {
		limit = 50
	}
	limit = min(limit, 1000)
	tops := make([]top, len(v.chunks))
	var bound bound
	// Where numbers and the order rise against each other, the first rows are
	// in the last chunks.
	backwards := q.Sort.By == "id" && q.Sort.Reverse || q.Sort.By == "first_seen" && !q.Sort.Reverse
	parallel(len(v.chunks), func(k int) {
		if backwards {
			k = len(v.chunks) - 1 - k
		}
		tops[k] = v.topOf(p, k, key, after, limit+1, &bound)
	})
	page := Page{Seq: v.seq}
	var all []entry
	for _, t := range tops {
		page.Total += t.total
		all = append(all, t.best...)
	}
	slices.SortFunc(all, entry.compare)
	if len(all) > limit {
		all = all[:limit]
		page.Next = all[limit-1].cursor()
	}
	for _, e := range all {
		r, _ := v.Row(e.id)
		page.Rows = append(page.Rows, r)
	}
	return page, nil
}

// entry is a row in a list: key ascends.
type entry struct {
	key uint32
	id  exposure.FindingID
}

func (e entry) compare(o entry) int {
	return cmp.Or(cmp.Compare(e.key, o.key), cmp.Compare(e.id, o.id))
}

func (e entry) cursor() string {
	return strconv.FormatUint(uint64(e.key), 36) + "." + strconv.FormatUint(uint64(e.id), 36)
}

// parseCursor reads a cursor; none is before everything.
func parseCursor(s string) (entry, error) {
	if s == "" {
		return entry{}, nil
	}
	k, i, _ := strings.Cut(s, ".")
	key, err1 := strconv.ParseUint(k, 36, 32)
	id, err2 := strconv.ParseUint(i, 36, 32)
	if err1 != nil || err2 != nil || id == 0 {
		return entry{}, exposure.Errorf(exposure.Invalid, "the page cursor is not one of ours: start again from the first page")
	}
	return entry{uint32(key), exposure.FindingID(id)}, nil
}

type top struct {
	total int
	best  []entry
}

// bound is an entry that the page ends at or before: what any chunk knows of
// its own first rows spares the others from sorting. The zero bound is none.
type bound struct{ packed atomic.Uint64 }

func (b *bound) get() entry {
	if p := b.packed.Load(); p != 0 {
		return entry{uint32(p >> 32), exposure.FindingID(uint32(p))}
	}
	return entry{math.MaxUint32, math.MaxUint32}
}

// lower makes e the bound when it is before the one that is known.
func (b *bound) lower(e entry) {
	for p := uint64(e.key)<<32 | uint64(e.id); ; {
		old := b.packed.Load()
		if old != 0 && old <= p || b.packed.CompareAndSwap(old, p) {
			return
		}
	}
}

// topOf returns those of the first limit rows of chunk k after the cursor that
// can be on the page.
func (v *View) topOf(p *plan, k int, key keyer, after entry, limit int, bound *bound) top {
	var t top
	buf := rowBuffers.Get().(*[chunkRows]uint16)
	defer rowBuffers.Put(buf)
	rows := v.match(p, k, buf)
	c := v.chunks[k]
	t.total = len(rows)
	keys := keyBuffers.Get().(*[chunkRows]uint32)
	defer keyBuffers.Put(keys)
	key(c, rows, keys[:len(rows)])
	base := exposure.FindingID(k*chunkRows + 1)
	worst := bound.get()
	for i, k := range keys[:len(rows)] {
		if k > worst.key || k < after.key || k == worst.key && base+exposure.FindingID(rows[i]) > worst.id {
			continue // the fate of almost every row of a large list
		}
		e := entry{k, base + exposure.FindingID(rows[i])}
		if e.compare(worst) > 0 || after.id != 0 && e.compare(after) <= 0 {
			continue
		}
		t.best = append(t.best, e)
		if len(t.best) >= 2*limit+64 {
			slices.SortFunc(t.best, entry.compare)
			t.best = t.best[:limit]
			bound.lower(t.best[limit-1])
			worst = bound.get()
		}
	}
	if len(t.best) >= limit {
		slices.SortFunc(t.best, entry.compare)
		t.best = t.best[:limit]
		bound.lower(t.best[limit-1])
	}
	return t
}

// keyer fills in the place of each row in an order; small comes first.
type keyer func(c *chunk, rows []uint16, keys []uint32)

// sortKey returns the keyer of an order.
func (v *View) sortKey(s Sort) (keyer, error) {
	flip := uint32(0) // XOR with all ones turns the order around
	if s.Reverse {
		flip = math.MaxUint32
	}
	switch s.By {
	case "", "risk":
		flip = ^flip
		return func(c *chunk, rows []uint16, keys []uint32) {
			for i, j := range rows {
				keys[i] = uint32(c.risk[j]) ^ flip
			}
		}, nil
	case "severity":
		flip = ^flip
		return func(c *chunk, rows []uint16, keys []uint32) {
			for i, j := range rows {
				keys[i] = (uint32(c.state[j]>>severityShift&7)<<16 | uint32(c.risk[j])) ^ flip
			}
		}, nil
	case "epss":
		scores := make([]uint32, len(v.advisories))
		for i, a := range v.advisories {
			if a.Threat.Scored() {
				scores[i] = 1 + uint32(a.Threat.EPSS*1e9)
			}
		}
		return byColumn(scores, ^flip, func(c *chunk) *column { return &c.advisory }), nil
	case "asset":
		return byColumn(v.order().asset, flip, func(c *chunk) *column { return &c.asset }), nil
	case "team":
		owner := v.order().owner
		teams := make([]uint32, len(v.assets))
		for i := range v.assets {
			teams[i] = owner[v.assets[i].owner]
		}
		return byColumn(teams, flip, func(c *chunk) *column { return &c.asset }), nil
	case "title":
		return byColumn(v.order().advisory, flip, func(c *chunk) *column { return &c.advisory }), nil
	case "due":
		return func(c *chunk, rows []uint16, keys []uint32) {
			for i, j := range rows {
				keys[i] = uint32(c.due[j]) ^ flip
			}
		}, nil
	case "first_seen":
		flip = ^flip
		return func(c *chunk, rows []uint16, keys []uint32) {
			for i, j := range rows {
				keys[i] = uint32(c.day[j]) ^ flip
			}
		}, nil
	case "status":
		return func(c *chunk, rows []uint16, keys []uint32) {
			for i, j := range rows {
				keys[i] = uint32(c.state[j]&15) ^ flip
			}
		}, nil
	case "id":
		// Numbers rise by chunk and row; the entry's number decides the rest.
		if !s.Reverse {
			return func(c *chunk, rows []uint16, keys []uint32) { clear(keys) }, nil
		}
		place := map[*chunk]uint32{}
		for k, c := range v.chunks {
			place[c] = uint32(k * chunkRows)
		}
		return func(c *chunk, rows []uint16, keys []uint32) {
			for i, j := range rows {
				keys[i] = ^(place[c] + uint32(j))
			}
		}, nil
	}
	return nil, exposure.Errorf(exposure.Invalid, "lists cannot be sorted by %q: use one of %s", s.By, strings.Join(SortKeys(), ", "))
}

// byColumn orders by a value of each dictionary row.
func byColumn(values []uint32, flip uint32, of func(c *chunk) *column) keyer {
	return func(c *chunk, rows []uint16, keys []uint32) {
		of(c).keys(rows, values, flip, keys)
	}
}

// rowBuffers are scratch for the matches of a chunk.
var rowBuffers = sync.Pool{New: func() any { return new([chunkRows]uint16) }}

// keyBuffers are scratch for their keys.
var keyBuffers = sync.Pool{New: func() any { return new([chunkRows]uint32) }}

// All calls f with every match, in order of their numbers, until it returns
// false.
func (v *View) All(f exposure.Filter, today uint16, yield func(Row) bool) error {
	p, err := v.compile(&f, today)
	if err != nil {
		return err
	}
	buf := new([chunkRows]uint16)
	for k := range v.chunks {
		for _, j := range v.match(p, k, buf) {
			r, ok := v.Row(exposure.FindingID(k*chunkRows + int(j) + 1))
			if ok && !yield(r) {
				return nil
			}
		}
	}
	return nil
}
