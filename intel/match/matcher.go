package match

import (
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
	data      []byte
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
	advisory string // the last, and where it begins
	at       uint32
	room     []byte
}

// NewBuilder begins a matcher of an ecosystem as OSV spells it. Advisories for
// a part of it count for the whole: those of Red Hat:enterprise_linux:9::baseos
// for Red Hat:enterprise_linux:9.
func NewBuilder(ecosystem string) *Builder {
	return &Builder{m: Matcher{ecosystem: ecosystem, scheme: schemeOf(ecosystem), seed: maphash.MakeSeed(), data: make([]byte, recordHead)}}
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
	if len(m.data) > math.MaxInt32 {
		return errFull
	}
	if id != b.advisory {
		b.advisory, b.at = id, uint32(len(m.data))
		m.data = text(m.data, id)
		m.data = binary.AppendUvarint(m.data, uint64(len(aliases)))
		for _, alias := range aliases {
			m.data = text(m.data, alias)
		}
	}
	if 2*(m.packages+1) > len(m.slots) {
		m.grow()
	}
	key := Key(m.ecosystem, a.Name)
	slot := m.slot(key)
	before := m.slots[slot]
	if before == 0 {
		m.packages++
	}
	m.records++
	m.slots[slot] = uint32(len(m.data))
	m.data = binary.LittleEndian.AppendUint32(m.data, before)
	m.data = binary.LittleEndian.AppendUint32(m.data, b.at)
	m.data = a.packVersions(text(m.data, key))
	return nil
}

// Matcher ends the building; b is not to be used any more.
func (b *Builder) Matcher() *Matcher {
	m := b.m
	m.data = slices.Clip(m.data)
	if cap(b.m.data)-len(b.m.data) > len(b.m.data)/8 {
		m.data = slices.Clone(b.m.data)
	}
	return &m
}

func (m *Matcher) grow() {
	old := m.slots
	m.slots = make([]uint32, max(64, 2*len(old)))
	for _, at := range old {
		if at != 0 {
			m.slots[m.slot(m.keyAt(at))] = at
		}
	}
}

// slot is where a package stands, or would stand.
func (m *Matcher) slot(key string) uint64 {
	mask := uint64(len(m.slots) - 1)
	s := maphash.String(m.seed, key) & mask
	for m.slots[s] != 0 && m.keyAt(m.slots[s]) != key {
		s = (s + 1) & mask
	}
	return s
}

// keyAt is the name in a record.
func (m *Matcher) keyAt(at uint32) string {
	r := reader{b: m.data[at+recordHead:]}
	return r.text()
}

// Ecosystem is the one that the matcher is for.
func (m *Matcher) Ecosystem() string { return m.ecosystem }

// Packages is how many packages there are advisories of.
func (m *Matcher) Packages() int { return m.packages }

// Records is how many statements of an advisory about a package there are.
func (m *Matcher) Records() int { return m.records }

// Bytes is the memory that the matcher holds.
func (m *Matcher) Bytes() int { return cap(m.data) + 4*cap(m.slots) }

// Match returns the advisories about a version of a package, by id.
func (m *Matcher) Match(name, version string) []Hit {
	if len(m.slots) == 0 {
		return nil
	}
	key := Key(m.ecosystem, name)
	at := m.slots[m.slot(key)]
	if at == 0 {
		return nil
	}
	version = Version(m.ecosystem, key, version)
	p := m.scheme.ordering().point(version)
	semantic := p.semver()
	var hits []Hit
	for at != 0 {
		record := m.data[at:]
		at = binary.LittleEndian.Uint32(record)
		advisory := binary.LittleEndian.Uint32(record[4:])
		r := reader{b: record[recordHead:]}
		r.bytes()
		var a Affected
		r.versions(&a)
		if state, fixed := a.state(p, semantic); state != NotAffected {
			hits = m.hit(hits, advisory, state, fixed)
		}
	}
	for i := range hits {
		m.scheme.sort(hits[i].Fixed)
	}
	slices.SortFunc(hits, func(x, y Hit) int { return strings.Compare(x.ID, y.ID) })
	return hits
}

// hit adds an advisory. One that is there already, because it speaks of several
// branches or two feeds have it, gets what is new.
func (m *Matcher) hit(hits []Hit, advisory uint32, s State, fixed []string) []Hit {
	r := reader{b: m.data[advisory:]}
	id := r.text()
	i := slices.IndexFunc(hits, func(h Hit) bool { return h.ID == id })
	if i < 0 {
		h := Hit{ID: id, Unknown: true}
		for range r.number(math.MaxInt32) {
			h.Aliases = append(h.Aliases, r.text())
		}
		i, hits = len(hits), append(hits, h)
	}
	h := &hits[i]
	h.Unknown = h.Unknown && s == Unknown
	for _, v := range fixed {
		if !slices.Contains(h.Fixed, v) {
			h.Fixed = append(h.Fixed, v)
		}
	}
	return hits
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
