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
	r := reader{b: b}
	a := Affected{Ecosystem: r.text(), Name: r.text()}
	r.versions(&a)
	if r.failed || len(r.b) > 0 || a.Check() != nil {
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

// reader reads packed forms. After a failure it reads nothing.
type reader struct {
	b      []byte
	failed bool
}

func (r *reader) versions(a *Affected) {
	a.Partial = r.number(1) == 1
	for range r.number(MaxRanges) {
		n := r.number(2*MaxEvents + 1)
		events := make([]Event, 0, min(n>>1, uint64(len(r.b))))
		for range n >> 1 {
			kind := r.number(uint64(len(kinds) - 1))
			if v := r.text(); !r.failed {
				events = append(events, Event{kinds[kind], v})
			}
		}
		a.Ranges = append(a.Ranges, Range{n&1 == 1, events})
		if r.failed {
			return
		}
	}
	for range r.number(MaxVersions) {
		if v := r.text(); !r.failed {
			a.Versions = append(a.Versions, v)
		}
	}
}

// number reads one up to a limit.
func (r *reader) number(limit uint64) uint64 {
	n, size := binary.Uvarint(r.b)
	if size <= 0 || n > limit {
		r.failed = true
	}
	if r.failed {
		return 0
	}
	r.b = r.b[size:]
	return n
}

func (r *reader) text() string { return string(r.bytes()) }

func (r *reader) bytes() []byte {
	n := r.number(uint64(len(r.b)))
	if r.failed || n > uint64(len(r.b)) {
		r.failed = true
		return nil
	}
	b := r.b[:n]
	r.b = r.b[n:]
	return b
}
