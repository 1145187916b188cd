package index

import (
	"math"
	"slices"
)

// column holds a row of a dictionary for each finding of a chunk. It is as
// wide as its largest number needs: two bytes while the dictionary is small.
// The zero column has no rows.
type column struct {
	narrow []uint16 // nil: wide is in use
	wide   []uint32
}

func newColumn() column { return column{narrow: make([]uint16, chunkRows)} }

func (c *column) at(j int) uint32 {
	if c.wide != nil {
		return c.wide[j]
	}
	return uint32(c.narrow[j])
}

// fits reports whether a number can be set.
func (c *column) fits(n uint32) bool { return c.wide != nil || n <= math.MaxUint16 }

// set changes row j. The number must fit.
func (c *column) set(j int, n uint32) {
	if c.wide != nil {
		c.wide[j] = n
	} else {
		c.narrow[j] = uint16(n)
	}
}

// fit makes the column wide if a number needs it. Readers keep the narrow one.
func (c *column) fit(n uint32) {
	if c.fits(n) {
		return
	}
	c.wide = make([]uint32, len(c.narrow))
	for j, x := range c.narrow {
		c.wide[j] = uint32(x)
	}
	c.narrow = nil
}

func (c *column) clone() column { return column{slices.Clone(c.narrow), slices.Clone(c.wide)} }

// dictionary is the number of a row of a dictionary.
type dictionary interface{ uint16 | uint32 }

// keep leaves the rows whose value is in the set.
func (c *column) keep(b bitset, rows []uint16) []uint16 {
	if c.wide != nil {
		return keepRows(b, rows, c.wide)
	}
	return keepRows(b, rows, c.narrow)
}

func keepRows[N dictionary](b bitset, rows []uint16, values []N) []uint16 {
	m := 0
	for _, j := range rows {
		rows[m] = j
		m += b.bit(uint32(values[j]))
	}
	return rows[:m]
}

// keys fills in a value of each row's dictionary row, XOR flip.
func (c *column) keys(rows []uint16, values []uint32, flip uint32, keys []uint32) {
	if c.wide != nil {
		rowKeys(rows, c.wide, values, flip, keys)
	} else {
		rowKeys(rows, c.narrow, values, flip, keys)
	}
}

func rowKeys[N dictionary](rows []uint16, column []N, values []uint32, flip uint32, keys []uint32) {
	for i, j := range rows {
		keys[i] = values[column[j]] ^ flip
	}
}
