package index

import (
	"encoding/binary"
	"slices"

	"github.com/leeward-ctem/leeward/exposure"
)

// fingerprints finds the number of a finding by its fingerprint. It tells
// fingerprints apart by 74 of their 128 bits: with ten million findings the
// chance that any two agree in those is below 1e-8, and the database's unique
// index over all of them has the last word.
//
// Each shard is an open-addressing table whose entries stand in the order of
// their keys (Amble and Knuth, "Ordered hash tables", The Computer Journal
// 17(2), 1974), so that looking for what is not there ends at the first larger
// key, and a shard can be filled almost completely.
type fingerprints struct {
	n      int
	shards [1 << shardBits]shard
}

const shardBits = 10

// shard has its entries in ascending order, with free places between them.
type shard struct {
	n       int // entries
	homes   int // places that a key can ask for; some more follow, for the run at the end
	entries []print
}

// print is what is kept of a fingerprint and the number of its finding. An
// entry with key 0 is free, one with id 0 was a finding that is removed.
type print struct{ high, low, id uint32 }

func (p *print) key() uint64 { return uint64(p.high)<<32 | uint64(p.low) }

const (
	maxLoad  = 94 // percent of the homes: beyond it entries are moved far
	overflow = 16 // places after the last home, more if a run needs them
)

// place splits what is kept of a fingerprint into its shard and its key there.
func (t *fingerprints) place(fp *exposure.Fingerprint) (*shard, uint64) {
	s := &t.shards[binary.LittleEndian.Uint16(fp[:])&(1<<shardBits-1)]
	return s, max(1, binary.LittleEndian.Uint64(fp[5:]))
}

// home is where a key stands when no other is in its way.
func (s *shard) home(key uint64) int { return int(key >> 32 * uint64(s.homes) >> 32) }

// find returns the place of a key, or the one that it belongs to.
func (s *shard) find(key uint64) (i int, found bool) {
	for i = s.home(key); i < len(s.entries); i++ {
		if k := s.entries[i].key(); k >= key || k == 0 {
			return i, k == key
		}
	}
	return i, false
}

// get returns the number of the finding with the fingerprint, 0 when unknown.
func (t *fingerprints) get(fp *exposure.Fingerprint) exposure.FindingID {
	s, key := t.place(fp)
	if i, found := s.find(key); found {
		return exposure.FindingID(s.entries[i].id)
	}
	return 0
}

// add records finding n+1.
func (t *fingerprints) add(fp *exposure.Fingerprint) {
	t.n++
	s, key := t.place(fp)
	s.put(print{uint32(key >> 32), uint32(key), uint32(t.n)})
}

// skip counts finding n+1, which was removed before it was read.
func (t *fingerprints) skip() { t.n++ }

// forget makes the fingerprints of findings that were removed unknown. Their
// entries stay and lead nowhere.
func (t *fingerprints) forget(removed map[uint32]bool) {
	for i := range t.shards {
		entries := t.shards[i].entries
		for j := range entries {
			if removed[entries[j].id] {
				entries[j].id = 0
			}
		}
	}
}

func (s *shard) put(p print) {
	for {
		i, found := s.find(p.key())
		if found {
			s.entries[i].id = p.id
			return
		}
		free := i
		for free < len(s.entries) && s.entries[free].key() != 0 {
			free++
		}
		switch {
		case (s.n+1)*100 > s.homes*maxLoad:
			s.spread(s.homes*17/16+1, overflow, s.entries)
		case free == len(s.entries): // the run at the end is full
			s.spread(s.homes, 2*(len(s.entries)-s.homes), s.entries)
		default:
			copy(s.entries[i+1:free+1], s.entries[i:free])
			s.entries[i] = p
			s.n++
			return
		}
	}
}

// spread lays entries in ascending order out over at least so many homes, with
// extra places or more after the last. They are in order already, so growing by
// little is cheap, and saves memory.
func (s *shard) spread(homes, extra int, entries []print) {
	for ; ; extra *= 2 {
		next := slices.Grow([]print(nil), homes+extra)
		next = next[:cap(next)] // all that the allocator gives
		to := shard{homes: len(next) - extra, entries: next}
		if to.fill(entries) {
			*s = to
			return
		}
	}
}

// fill puts entries into an empty shard; false: the last ones have no place.
func (s *shard) fill(entries []print) bool {
	next := 0
	for i := range entries {
		key := entries[i].key()
		if key == 0 {
			continue
		}
		next = max(next, s.home(key))
		if next == len(s.entries) {
			return false
		}
		s.entries[next] = entries[i]
		next++
		s.n++
	}
	return true
}
