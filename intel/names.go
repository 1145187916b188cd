package intel

import (
	"errors"
	"hash/maphash"
	"math"
	"strings"
)

// names numbers ids. Hundreds of thousands of them lie in one string, with a
// hash table of numbers beside it: a third of the memory of a map, and
// nothing in it for the garbage collector to follow. The zero value and nil
// hold none.
type names struct {
	seed  maphash.Seed
	text  strings.Builder
	ends  []uint32 // where each name ends in text
	slots []uint32 // number + 1 at the hash, or after it; a power of two, half of them free
}

var errManyNames = errors.New("more names than can be held")

func (n *names) len() int { return len(n.ends) }

// at is the name with a number, without a copy.
func (n *names) at(i uint32) string {
	start := uint32(0)
	if i > 0 {
		start = n.ends[i-1]
	}
	return n.text.String()[start:n.ends[i]]
}

// find returns the number of a name. It may be called by many at once.
func (n *names) find(id string) (uint32, bool) {
	if n == nil || len(n.slots) == 0 {
		return 0, false
	}
	s := n.slot(id)
	return n.slots[s] - 1, n.slots[s] != 0
}

// slot is where a name stands, or would stand.
func (n *names) slot(id string) uint64 {
	mask := uint64(len(n.slots) - 1)
	s := maphash.String(n.seed, id) & mask
	for n.slots[s] != 0 && n.at(n.slots[s]-1) != id {
		s = (s + 1) & mask
	}
	return s
}

// add returns the number of a name, a new one if it has none yet.
func (n *names) add(id string) (uint32, error) {
	if 2*(len(n.ends)+1) > len(n.slots) {
		n.grow()
	}
	s := n.slot(id)
	if n.slots[s] != 0 {
		return n.slots[s] - 1, nil
	}
	if n.text.Len()+len(id) > math.MaxUint32/4 {
		return 0, errManyNames
	}
	n.text.WriteString(id)
	n.ends = append(n.ends, uint32(n.text.Len()))
	n.slots[s] = uint32(len(n.ends))
	return uint32(len(n.ends) - 1), nil
}

func (n *names) grow() {
	if len(n.slots) == 0 {
		n.seed = maphash.MakeSeed()
	}
	n.slots = make([]uint32, max(64, 2*len(n.slots)))
	for i := range n.ends {
		n.slots[n.slot(n.at(uint32(i)))] = uint32(i + 1)
	}
}
