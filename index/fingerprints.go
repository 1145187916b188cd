package index

import (
	"encoding/binary"

	"github.com/leeward-ctem/leeward/exposure"
)

// fingerprints finds the number of a finding by its fingerprint. It keeps 11
// of the 16 bytes of each; 10 further bits choose the shard. With ten million
// findings the chance that any two agree in those 98 bits is below 1e-15, and
// the database's unique index over all 16 bytes has the last word.
//
// Each shard is an open-addressing table of numbers with a byte of hash beside
// each, so that a miss rarely touches the fingerprints themselves.
type fingerprints struct {
	n      int
	prints [][]print // by finding, in chunks
	shards [1 << shardBits]shard
}

const shardBits = 10

// print is what is kept of a fingerprint.
type print [11]byte

type shard struct {
	n    int
	tags []uint8
	ids  []uint32 // 0: free
}

// maxLoad in percent: beyond it probing a miss gets long.
const maxLoad = 85

func kept(fp *exposure.Fingerprint) print { return print(fp[5:]) }

func (t *fingerprints) place(fp *exposure.Fingerprint) (s *shard, hash uint32) {
	return &t.shards[binary.LittleEndian.Uint16(fp[:])&(1<<shardBits-1)], binary.LittleEndian.Uint32(fp[5:])
}

func (t *fingerprints) of(id uint32) *print {
	i := int(id) - 1
	return &t.prints[i/chunkRows][i%chunkRows]
}

// get returns the number of the finding with the fingerprint, 0 when unknown.
func (t *fingerprints) get(fp *exposure.Fingerprint) exposure.FindingID {
	s, hash := t.place(fp)
	if len(s.ids) == 0 {
		return 0
	}
	key, tag := kept(fp), uint8(hash>>24)
	for i := int(uint64(hash) * uint64(len(s.ids)) >> 32); ; {
		id := s.ids[i]
		if id == 0 {
			return 0
		}
		if s.tags[i] == tag && *t.of(id) == key {
			return exposure.FindingID(id)
		}
		if i++; i == len(s.ids) {
			i = 0
		}
	}
}

// add records finding n+1.
func (t *fingerprints) add(fp *exposure.Fingerprint) {
	if t.n%chunkRows == 0 {
		t.prints = append(t.prints, make([]print, chunkRows))
	}
	t.n++
	id := uint32(t.n)
	*t.of(id) = kept(fp)
	t.point(fp, id)
}

// forget makes the fingerprint of a finding that was removed unknown. The entry
// stays and matches nothing, as open addressing wants it.
func (t *fingerprints) forget(id uint32) { *t.of(id) = forgotten }

// skip counts finding n+1, which was removed before it was read.
func (t *fingerprints) skip() {
	if t.n%chunkRows == 0 {
		t.prints = append(t.prints, make([]print, chunkRows))
	}
	t.n++
	t.forget(uint32(t.n))
}

// forgotten is no fingerprint that will ever be: 88 bits of one.
var forgotten = print{255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255}

// point makes a fingerprint lead to finding id.
func (t *fingerprints) point(fp *exposure.Fingerprint, id uint32) {
	s, hash := t.place(fp)
	if (s.n+1)*100 > len(s.ids)*maxLoad {
		t.grow(s)
	}
	s.put(hash, id)
	s.n++
}

func (s *shard) put(hash, id uint32) {
	i := int(uint64(hash) * uint64(len(s.ids)) >> 32)
	for s.ids[i] != 0 {
		if i++; i == len(s.ids) {
			i = 0
		}
	}
	s.ids[i], s.tags[i] = id, uint8(hash>>24)
}

// grow makes room in a shard, by a quarter: doubling would waste more memory
// than the extra copying costs time.
func (t *fingerprints) grow(s *shard) {
	size := max(8, len(s.ids)+len(s.ids)/4+4)
	old := *s
	s.ids, s.tags = make([]uint32, size), make([]uint8, size)
	for _, id := range old.ids {
		if id != 0 {
			s.put(t.hash(id), id)
		}
	}
}

// hash recomputes the hash of a finding from what is kept of its fingerprint.
func (t *fingerprints) hash(id uint32) uint32 {
	return binary.LittleEndian.Uint32(t.of(id)[:])
}
