package index

import (
	"cmp"
	"math"
	"slices"
	"strconv"
	"strings"
	"sync"

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
	parallel(len(v.chunks), func(k int) {
		tops[k] = v.topOf(p, k, key, after, limit+1)
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

// topOf returns the first limit rows of chunk k after the cursor.
func (v *View) topOf(p *plan, k int, key func(c *chunk, j int) uint32, after entry, limit int) top {
	var t top
	buf := rowBuffers.Get().(*[chunkRows]uint16)
	defer rowBuffers.Put(buf)
	rows := v.match(p, k, buf)
	c := v.chunks[k]
	t.total = len(rows)
	base := exposure.FindingID(k*chunkRows + 1)
	worst := entry{math.MaxUint32, math.MaxUint32}
	for _, row := range rows {
		e := entry{key(c, int(row)), base + exposure.FindingID(row)}
		if e.compare(worst) >= 0 || after.id != 0 && e.compare(after) <= 0 {
			continue
		}
		t.best = append(t.best, e)
		if len(t.best) >= 2*limit+64 {
			slices.SortFunc(t.best, entry.compare)
			t.best = t.best[:limit]
			worst = t.best[limit-1]
		}
	}
	if len(t.best) > limit {
		slices.SortFunc(t.best, entry.compare)
		t.best = t.best[:limit]
	}
	return t
}

// sortKey returns the function that gives a row's place in the order.
func (v *View) sortKey(s Sort) (func(c *chunk, j int) uint32, error) {
	var key func(c *chunk, j int) uint32
	down := true // the natural direction
	switch s.By {
	case "", "risk":
		key = func(c *chunk, j int) uint32 { return uint32(c.risk[j]) }
	case "severity":
		key = func(c *chunk, j int) uint32 {
			return uint32(c.state[j]>>severityShift&7)<<16 | uint32(c.risk[j])
		}
	case "epss":
		scores := make([]uint32, len(v.advisories))
		for i, a := range v.advisories {
			if a.Threat.Scored() {
				scores[i] = 1 + uint32(a.Threat.EPSS*1e9)
			}
		}
		key = func(c *chunk, j int) uint32 { return scores[c.advisory[j]] }
	case "asset":
		down = false
		r := v.order()
		key = func(c *chunk, j int) uint32 { return r.asset[c.asset[j]] }
	case "team":
		down = false
		r := v.order()
		key = func(c *chunk, j int) uint32 { return r.owner[v.assets[c.asset[j]].owner] }
	case "title":
		down = false
		r := v.order()
		key = func(c *chunk, j int) uint32 { return r.advisory[c.advisory[j]] }
	case "due":
		down = false
		key = func(c *chunk, j int) uint32 { return uint32(c.due[j]) }
	case "first_seen":
		key = func(c *chunk, j int) uint32 { return uint32(c.day[j]) }
	case "status":
		down = false
		key = func(c *chunk, j int) uint32 { return uint32(c.state[j] & 15) }
	case "id":
		down = false
		key = func(c *chunk, j int) uint32 { return 0 } // the number decides
	default:
		return nil, exposure.Errorf(exposure.Invalid, "lists cannot be sorted by %q: use one of %s", s.By, strings.Join(SortKeys(), ", "))
	}
	if s.Reverse != down {
		inner := key
		key = func(c *chunk, j int) uint32 { return math.MaxUint32 - inner(c, j) }
	}
	return key, nil
}

// rowBuffers are scratch for the matches of a chunk.
var rowBuffers = sync.Pool{New: func() any { return new([chunkRows]uint16) }}

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
