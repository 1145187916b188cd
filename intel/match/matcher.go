package match

import (
	"bytes"
	"encoding/binary"
	"errors"
	"hash/maphash"
	"math"
	"slices"
	"strings"
)

// Hit is an advisory about a version of a package.
type Hit struct {
	ID      string   `json:"id"`
	Aliases []string `json:"aliases,omitempty"`
	Fixed   []string `json:"fixed,omitempty"`   // the next versions without the weakness, one of each branch
	Unknown bool     `json:"unknown,omitempty"` // whether the version is affected cannot be told
}

// Matcher finds the advisories of the packages of one ecosystem. It is
// immutable and safe for concurrent use. Hundreds of thousands of packages lie
// in one block with a table of hashes beside it, which takes a third of a map's
// memory and gives the garbage collector nothing to follow.
type Matcher struct {
	ecosystem string
	scheme    scheme
	seed      maphash.Seed
	data      string
	slots     []uint32 // where the first record of a package begins in data, at the hash of its name or after it; a power of two, half of them free
	packages  int
	records   int
}

// A record in data: where the next of the same package begins (4 bytes, 0 for
// none), where its advisory begins (4 bytes), the name as it is compared, and
// the packed versions. An advisory: its id, the number of its aliases, and
// these.

const recordHead = 8

// Builder makes a matcher.
type Builder struct {
	m        Matcher
	data     []byte
	advisory string // the last, and where it begins
	at       uint32
}

// NewBuilder begins a matcher of an ecosystem as OSV spells it. Advisories for
// a part of it count for the whole: those of Red Hat:enterprise_linux:9::baseos
// for Red Hat:enterprise_linux:9.
func NewBuilder(ecosystem string) *Builder {
	return &Builder{m: Matcher{ecosystem: ecosystem, scheme: schemeOf(ecosystem), seed: maphash.MakeSeed()}, data: make([]byte, recordHead)}
}

// Wants reports whether an ecosystem is the matcher's.
func (b *Builder) Wants(ecosystem []byte) bool {
	own := b.m.ecosystem
	return len(ecosystem) >= len(own) && string(ecosystem[:len(own)]) == own && (len(ecosystem) == len(own) || ecosystem[len(own)] == ':')
}

// errFull is the error of more advisories than 4 GiB hold.
var errFull = errors.New("more advisories than can be held")

// Add takes what an advisory says of one package, unless that is of another
// ecosystem.
func (b *Builder) Add(id string, aliases []string, a *Affected) error {
	if !b.Wants([]byte(a.Ecosystem)) {
		return nil
	}
	m := &b.m
	if len(b.data) > math.MaxInt32 {
		return errFull
	}
	if id != b.advisory {
		b.advisory, b.at = id, uint32(len(b.data))
		b.data = text(b.data, id)
		b.data = binary.AppendUvarint(b.data, uint64(len(aliases)))
		for _, alias := range aliases {
			b.data = text(b.data, alias)
		}
	}
	if 2*(m.packages+1) > len(m.slots) {
		b.grow()
	}
	key := Key(m.ecosystem, a.Name)
	slot := b.slot([]byte(key))
	before := m.slots[slot]
	if before == 0 {
		m.packages++
	}
	m.records++
	m.slots[slot] = uint32(len(b.data))
	b.data = binary.LittleEndian.AppendUint32(b.data, before)
	b.data = binary.LittleEndian.AppendUint32(b.data, b.at)
	b.data = a.packVersions(text(b.data, key))
	return nil
}

// Matcher ends the building; b is not to be used any more.
func (b *Builder) Matcher() *Matcher {
	m := b.m
	m.data, b.data = string(b.data), nil
	return &m
}

func (b *Builder) grow() {
	old := b.m.slots
	b.m.slots = make([]uint32, max(64, 2*len(old)))
	for _, at := range old {
		if at != 0 {
			b.m.slots[b.slot(b.key(at))] = at
		}
	}
}

// slot is where a package stands, or would stand.
func (b *Builder) slot(key []byte) uint64 {
	m := &b.m
	mask := uint64(len(m.slots) - 1)
	s := maphash.Bytes(m.seed, key) & mask
	for m.slots[s] != 0 && !bytes.Equal(b.key(m.slots[s]), key) {
		s = (s + 1) & mask
	}
	return s
}

// key is the name in a record.
func (b *Builder) key(at uint32) []byte { return EcosystemOf(b.data[at+recordHead:]) }

// first is where the first record of a package begins; 0 if there is none.
func (m *Matcher) first(key string) uint32 {
	if len(m.slots) == 0 {
		return 0
	}
	mask := uint64(len(m.slots) - 1)
	for s := maphash.String(m.seed, key) & mask; m.slots[s] != 0; s = (s + 1) & mask {
		r := reader{rest: m.data[m.slots[s]+recordHead:]}
		if r.text() == key {
			return m.slots[s]
		}
	}
	return 0
}

// place is a number of four bytes in a record.
func (m *Matcher) place(at uint32) uint32 {
	b := m.data[at : at+4]
	return uint32(b[0]) | uint32(b[1])<<8 | uint32(b[2])<<16 | uint32(b[3])<<24
}

// Ecosystem is the one that the matcher is for.
func (m *Matcher) Ecosystem() string { return m.ecosystem }

// Packages is how many packages there are advisories of.
func (m *Matcher) Packages() int { return m.packages }

// Records is how many statements of an advisory about a package there are.
func (m *Matcher) Records() int { return m.records }

// Bytes is the memory that the matcher holds.
func (m *Matcher) Bytes() int { return len(m.data) + 4*cap(m.slots) }

// Match returns the advisories about a version of a package, by id.
func (m *Matcher) Match(name, version string) []Hit {
	key := Key(m.ecosystem, name)
	at := m.first(key)
	if at == 0 {
		return nil
	}
	p := m.scheme.ordering().point(Version(m.ecosystem, key, version))
	semantic := p.semver()
	var hits []Hit
	var a Affected
	var r reader
	for ; at != 0; at = m.place(at) {
		r = reader{rest: m.data[at+recordHead:], events: r.events[:0]}
		r.text()
		a.Ranges, a.Versions = a.Ranges[:0], a.Versions[:0]
		r.versions(&a)
		if state, fixed := a.state(p, semantic); state != NotAffected {
			hits = append(hits, m.hit(m.place(at+4), state, fixed))
		}
	}
	slices.SortFunc(hits, func(x, y Hit) int { return strings.Compare(x.ID, y.ID) })
	hits = united(hits)
	for i := range hits {
		m.scheme.sort(hits[i].Fixed)
	}
	return hits
}

// hit is one statement of an advisory.
func (m *Matcher) hit(advisory uint32, s State, fixed []string) Hit {
	r := reader{rest: m.data[advisory:]}
	h := Hit{ID: r.text(), Fixed: fixed, Unknown: s == Unknown}
	if n := r.number(math.MaxInt32); n > 0 {
		h.Aliases = make([]string, 0, n)
		for range n {
			h.Aliases = append(h.Aliases, r.text())
		}
	}
	return h
}

// united makes several statements of one advisory one: it speaks of several
// branches, or two feeds have it.
func united(hits []Hit) []Hit {
	kept := hits[:0]
	for _, h := range hits {
		if len(kept) == 0 || kept[len(kept)-1].ID != h.ID {
			kept = append(kept, h)
			continue
		}
		last := &kept[len(kept)-1]
		last.Unknown = last.Unknown && h.Unknown
		for _, v := range h.Fixed {
			if !slices.Contains(last.Fixed, v) {
				last.Fixed = append(last.Fixed, v)
			}
		}
	}
	return kept
}

// Sort puts versions of an ecosystem in their order.
func Sort(ecosystem string, versions []string) { schemeOf(ecosystem).sort(versions) }

// sort puts versions in their order.
func (s scheme) sort(versions []string) {
	if len(versions) < 2 {
		return
	}
	o := s.ordering()
	slices.SortStableFunc(versions, func(a, b string) int {
		c, _ := o.point(a).compare(b)
		return c
	})
}
