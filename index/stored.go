package index

import (
	"context"
	"fmt"
	"math"
	"slices"

	"github.com/RoaringBitmap/roaring/v2"

	"github.com/leeward-ctem/leeward/exposure"
)

// Stored answers for the terms whose findings only the database knows, since a
// column for them would cost every finding. It is safe for concurrent use, and
// nobody changes what it returned.
type Stored interface {
	// Reported returns the findings that any of the scans saw, opened, closed or
	// reopened, as the field says. A scan that is not known has none.
	Reported(ctx context.Context, field exposure.Field, scans []exposure.ScanID) (*roaring.Bitmap, error)
	// Assertions returns who asserts the findings of a view.
	Assertions(ctx context.Context, v *View) (*Assertions, error)
}

// Resolve returns the filter with the sets of its stored terms, which it needs
// before the view can apply it. Others are returned as they are.
func (v *View) Resolve(ctx context.Context, f exposure.Filter, from Stored) (exposure.Filter, error) {
	if !f.Stored() {
		return f, nil
	}
	f.Terms = slices.Clone(f.Terms)
	for i := range f.Terms {
		t := &f.Terms[i]
		var err error
		switch t.Field {
		case exposure.FieldOnly, exposure.FieldShared:
			var a *Assertions
			if a, err = from.Assertions(ctx, v); err == nil {
				t.Set = a.set(v, t)
			}
		default:
			if t.Field.Stored() {
				t.Set, err = v.reported(ctx, t, from)
			}
		}
		if err != nil {
			return f, fmt.Errorf("find what %s selects: %w", t, err)
		}
	}
	return f, nil
}

func (v *View) reported(ctx context.Context, t *exposure.Term, from Stored) ([]uint64, error) {
	var scans []exposure.ScanID
	for _, n := range t.Numbers {
		if n >= 0 && n <= math.MaxUint32 {
			scans = append(scans, exposure.ScanID(n))
		}
	}
	found, err := from.Reported(ctx, t.Field, scans)
	if err != nil {
		return nil, err
	}
	return v.bits(found), nil
}

// keepSet narrows the findings of a view of n to those that a term selects.
func (p *plan) keepSet(n int, t *exposure.Term) error {
	if t.Set == nil {
		return fmt.Errorf("nobody asked the database what %s selects", t)
	}
	not := uint64(0)
	if t.Not {
		not = math.MaxUint64
	}
	all := p.findings == nil
	if all {
		p.findings = newBitset(n + 1)
	}
	for i := range p.findings {
		w := not
		if i < len(t.Set) {
			w ^= t.Set[i]
		}
		if all {
			p.findings[i] = w
		} else {
			p.findings[i] &= w
		}
	}
	return nil
}

// none reports whether the plan selects no finding of chunk k for sure. Numbers
// begin at 1, so the last of a chunk is in the first word of the next.
func (p *plan) none(k int) bool {
	if p.empty || p.findings == nil {
		return p.empty
	}
	from := k * chunkRows / 64
	for _, w := range p.findings[from:min(len(p.findings), from+chunkRows/64+1)] {
		if w != 0 {
			return false
		}
	}
	return true
}

// numbered leaves the rows of chunk k whose findings the plan selects by number.
func (p *plan) numbered(k int, rows []uint16) []uint16 {
	first, m := uint32(k*chunkRows+1), 0
	for _, j := range rows {
		rows[m] = j
		m += p.findings.bit(first + uint32(j))
	}
	return rows[:m]
}
