package match

import (
	"encoding/binary"
	"errors"
	"slices"
)

// The packed form of what is said of a package: ecosystem and name, then
// whether it is partial, the ranges and the versions, numbers as uvarint and
// texts with their length before them. A malicious package, of which every
// version is one, takes six bytes beside its name.

var kinds = [...]Kind{Introduced, Fixed, LastAffected, Limit}

func kindNumber(k Kind) int { return slices.Index(kinds[:], k) }

// Pack appends the packed form to b.
func (a *Affected) Pack(b []byte) []byte {
	b = text(text(b, a.Ecosystem), a.Name)
	return a.packVersions(b)
}

func (a *Affected) packVersions(b []byte) []byte {
	partial := byte(0)
	if a.Partial {
		partial = 1
	}
	b = binary.AppendUvarint(append(b, partial), uint64(len(a.Ranges)))
	for _, r := range a.Ranges {
		n := uint64(len(r.Events)) << 1
		if r.Semver {
			n |= 1
		}
		b = binary.AppendUvarint(b, n)
		for _, e := range r.Events {
			b = text(append(b, byte(kindNumber(e.Kind))), e.Version)
		}
	}
	b = binary.AppendUvarint(b, uint64(len(a.Versions)))
	for _, v := range a.Versions {
		b = text(b, v)
	}
	return b
}

func text(b []byte, s string) []byte { return append(binary.AppendUvarint(b, uint64(len(s))), s...) }

var errPacked = errors.New("what is said of a package is damaged")

// Unpack reads the packed form, all of b.
func Unpack(b []byte) (Affected, error) {
	r := reader{rest: string(b)}
	a := Affected{Ecosystem: r.text(), Name: r.text()}
	r.versions(&a)
	if r.failed || r.rest != "" || a.Check() != nil {
		return Affected{}, errPacked
	}
	return a, nil
}

// EcosystemOf is that of a packed form, without reading the rest.
func EcosystemOf(b []byte) []byte {
	n, size := binary.Uvarint(b)
	if size <= 0 || n > uint64(len(b)-size) {
		return nil
	}
	return b[size : size+int(n)]
}

// reader reads packed forms; what it returns is part of them. After a failure
// it reads nothing.
type reader struct {
	rest   string
	failed bool
	events []Event // room for those of all ranges
}

// versions reads what is said of versions, into the lists of a.
func (r *reader) versions(a *Affected) {
	a.Partial = r.number(1) == 1
	for range r.number(MaxRanges) {
		n := r.number(2*MaxEvents + 1)
		first := len(r.events)
		for range n >> 1 {
			kind := r.number(uint64(len(kinds) - 1))
			if v := r.text(); !r.failed {
				r.events = append(r.events, Event{kinds[kind], v})
			}
		}
		if r.failed {
			return
		}
		a.Ranges = append(a.Ranges, Range{n&1 == 1, r.events[first:len(r.events):len(r.events)]})
	}
	for range r.number(MaxVersions) {
		if v := r.text(); !r.failed {
			a.Versions = append(a.Versions, v)
		}
	}
}

// number reads one up to a limit.
func (r *reader) number(limit uint64) uint64 {
	n := uint64(0)
	for i := 0; i < len(r.rest) && i < binary.MaxVarintLen32 && !r.failed; i++ {
		c := r.rest[i]
		n |= uint64(c&0x7f) << (7 * i)
		if c < 0x80 {
			if n > limit {
				break
			}
			r.rest = r.rest[i+1:]
			return n
		}
	}
	r.failed = true
	return 0
}

func (r *reader) text() string {
	n := r.number(uint64(len(r.rest)))
	if r.failed || n > uint64(len(r.rest)) {
		r.failed = true
		return ""
	}
	s := r.rest[:n]
	r.rest = r.rest[n:]
	return s
}
