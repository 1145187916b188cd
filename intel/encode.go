package intel

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"io"
	"strings"

	"github.com/klauspost/compress/zstd"

	"github.com/leeward-ctem/leeward/exposure"
	"github.com/leeward-ctem/leeward/intel/match"
)

// Facts are kept distilled, not as published: a good copy of OSV is a
// hundredth of its archives, and loading it needs no parser. The form is a
// first line, then one record a fact, all of it compressed by zstd. The kinds
// of fact that come by the hundred thousand, a score, a date with aliases and
// what describes a CVE, have short records without JSON.
//
// A program reads the copies of older ones. Records of a new form make no new
// first line: copies that have none of them stay readable to an older program,
// which asks for the others to be fetched again.

const firstLine = "leeward-facts-1\n"

const (
	formScore = 1 // packed CVE id, score and percentile in units of 1e-9, 4 bytes each; the model is that of the record before
	formModel = 2 // text: the model's name for the scores that follow
	formJSON  = 3 // text: a fact as JSON
	formDated = 4 // id, day of publication × 2 + withdrawn, number of aliases, aliases

	formVector    = 5 // text: a CVSS vector; they are numbered from 1 as they come
	formDescribed = 6 // id, day of publication × 2 + withdrawn, day of a proof of concept, SSVC, number of the vector or 0
	formLinks     = 7 // number of links, relation and id of each: those of the fact that follows
	formAffected  = 8 // text: a package that the fact that follows is about, packed; only those who match packages read it
	formRated     = 9 // number of the vector, then as formDated
)

// Bounds of a kept copy: what a damaged or hostile one can cost.
const (
	maxBody    = 256 << 20 // as kept
	maxDecoded = 4 << 30   // that is read one record at a time
	maxFacts   = 5_000_000
	maxRecords = 4 * maxFacts

	maxEcosystems = 1000      // of one file; OSV has some forty
	maxText       = 256 << 10 // of one record
	window        = 1 << 20   // of the compression: what a reader must hold
	scoreUnits    = 1_000_000_000
)

// writer encodes facts.
type writer struct {
	buf   bytes.Buffer
	z     *zstd.Encoder
	model string
	words vectors
	count int
	room  []byte

	packed     []byte
	ecosystems map[string]bool // that packages are of, without suffixes
}

func newWriter() (*writer, error) {
	w := &writer{ecosystems: map[string]bool{}}
	z, err := zstd.NewWriter(&w.buf, zstd.WithEncoderConcurrency(1), zstd.WithWindowSize(window), zstd.WithLowerEncoderMem(true))
	if err != nil {
		return nil, err
	}
	w.z = z
	_, err = io.WriteString(z, firstLine)
	return w, err
}

func (w *writer) add(f Fact) error {
	if err := f.Check(); err != nil {
		return exposure.Errorf(exposure.Internal, "a fact that cannot be kept: %w", err)
	}
	if w.count++; w.count > maxFacts || w.buf.Len() > maxBody {
		return Refused("more than %d facts in one file: no edition has so many", maxFacts)
	}
	b := w.room[:0]
	n, packed := pack(f.ID)
	alone := len(f.Links) == 0 // a score has no place for links
	if !alone {
		b = linked(b, f.Links)
		f.Links = nil
	}
	if len(f.Affected) > 0 {
		var err error
		if b, err = w.affected(b, &f); err != nil {
			return err
		}
		alone, f.Affected = false, nil
	}
	switch {
	case packed && alone && scoreOnly(&f):
		if f.Threat.EPSSModel != w.model {
			w.model = f.Threat.EPSSModel
			b = text(append(b, formModel), w.model)
		}
		b = binary.LittleEndian.AppendUint32(append(b, formScore), n)
		b = binary.LittleEndian.AppendUint32(b, exact(f.Threat.EPSS))
		b = binary.LittleEndian.AppendUint32(b, exact(f.Threat.Percentile))
	case f.Entry == nil && f.Threat == (exposure.Threat{PublishedDay: f.Threat.PublishedDay, Withdrawn: f.Threat.Withdrawn}):
		b = called(append(b, formDated), &f)
	case f.Entry == nil && len(f.Aliases) > 0 && f.Threat == (exposure.Threat{PublishedDay: f.Threat.PublishedDay, Withdrawn: f.Threat.Withdrawn, Vector: f.Threat.Vector}) && w.fits(f.Threat.Vector):
		var vector uint32
		b, vector = w.vector(b, f.Threat.Vector)
		b = called(binary.AppendUvarint(append(b, formRated), uint64(vector)), &f)
	case w.described(&f):
		b = w.describe(b, &f)
	default:
		body, err := json.Marshal(f)
		if err != nil {
			return err
		}
		if len(body) > maxText {
			return Refused("what is said of %s takes %d bytes: no feed says so much of one thing", f.ID, len(body))
		}
		b = text(append(b, formJSON), string(body))
	}
	w.room = b
	_, err := w.z.Write(b)
	return err
}

// linked appends the record of the links of the fact that follows.
func linked(b []byte, links []Link) []byte {
	b = binary.AppendUvarint(append(b, formLinks), uint64(len(links)))
	for _, l := range links {
		b = text(text(b, string(l.Relation)), l.To)
	}
	return b
}

// scoreOnly reports whether a fact is a score that the units hold exactly, and
// nothing else. All published ones are: they have five digits, or nine.
func scoreOnly(f *Fact) bool {
	t := &f.Threat
	return len(f.Aliases) == 0 && t.EPSSModel != "" &&
		*t == exposure.Threat{EPSS: t.EPSS, Percentile: t.Percentile, EPSSModel: t.EPSSModel} &&
		probability(exact(t.EPSS)) == t.EPSS && probability(exact(t.Percentile)) == t.Percentile
}

// described reports whether a fact says only what a short record holds.
func (w *writer) described(f *Fact) bool {
	t := &f.Threat
	if f.Entry != nil || len(f.Aliases) > 0 || *t != (exposure.Threat{PublishedDay: t.PublishedDay, PoCDay: t.PoCDay, Automatable: t.Automatable, Impact: t.Impact, Withdrawn: t.Withdrawn, Vector: t.Vector}) {
		return false
	}
	return w.fits(t.Vector)
}

// fits reports whether a vector has a number, or can get one.
func (w *writer) fits(vector string) bool {
	_, known := w.words.numbers[vector]
	return known || vector == "" || len(w.words.all) < maxVectors
}

// vector returns the number of a vector, and appends its record if it is the
// first with it.
func (w *writer) vector(b []byte, vector string) ([]byte, uint32) {
	if vector == "" {
		return b, 0
	}
	before := len(w.words.all)
	n, _ := w.words.number(vector)
	if len(w.words.all) != before {
		b = text(append(b, formVector), vector)
	}
	return b, n
}

// called appends a name with its day and its aliases.
func called(b []byte, f *Fact) []byte {
	b = binary.AppendUvarint(text(b, f.ID), uint64(dated(&f.Threat)))
	b = binary.AppendUvarint(b, uint64(len(f.Aliases)))
	for _, alias := range f.Aliases {
		b = text(b, alias)
	}
	return b
}

// affected appends the records of the packages of the fact that follows.
func (w *writer) affected(b []byte, f *Fact) ([]byte, error) {
	for i := range f.Affected {
		base, _, _ := strings.Cut(f.Affected[i].Ecosystem, ":")
		if w.ecosystems[base] = true; len(w.ecosystems) > maxEcosystems {
			return nil, Refused("packages of more than %d ecosystems in one file: no edition has so many", maxEcosystems)
		}
		w.packed = f.Affected[i].Pack(w.packed[:0])
		if len(w.packed) > maxText {
			return nil, Refused("what is said of a package in %s takes %d bytes: no feed says so much of one", f.ID, len(w.packed))
		}
		b = append(binary.AppendUvarint(append(b, formAffected), uint64(len(w.packed))), w.packed...)
	}
	return b, nil
}

// describe appends the record, after that of its vector if it is the first
// with it.
func (w *writer) describe(b []byte, f *Fact) []byte {
	t := &f.Threat
	b, vector := w.vector(b, t.Vector)
	b = text(append(b, formDescribed), f.ID)
	b = binary.AppendUvarint(b, uint64(dated(t)))
	b = binary.AppendUvarint(b, uint64(t.PoCDay))
	b = binary.AppendUvarint(b, uint64(wordNumber(&automatableWords, t.Automatable)|wordNumber(&impactWords, t.Impact)<<2))
	return binary.AppendUvarint(b, uint64(vector))
}

// dated is a day of publication and the withdrawal in one number.
func dated(t *exposure.Threat) uint32 {
	n := uint32(t.PublishedDay) << 1
	if t.Withdrawn {
		n |= 1
	}
	return n
}

func undated(n uint32, t *exposure.Threat) {
	t.PublishedDay, t.Withdrawn = int(n>>1), n&1 != 0
}

func text(b []byte, s string) []byte { return append(binary.AppendUvarint(b, uint64(len(s))), s...) }

// bytes ends the copy and returns it.
func (w *writer) bytes() ([]byte, error) {
	if err := w.z.Close(); err != nil {
		return nil, err
	}
	return bytes.Clone(w.buf.Bytes()), nil // without the room that the buffer has left
}

var errDamaged = errors.New("the kept copy is damaged")

// taker takes what a copy holds.
type taker interface {
	score(model string, cve, score, rank uint32) error
	fact(f *Fact) error // f and its lists are valid until fact returns, the texts longer
}

// matching is a taker that wants to know of the packages of an ecosystem. All
// others pass over them.
type matching interface {
	wants(ecosystem []byte) bool
}

// decode gives every fact of an encoded copy to t, reading one at a time.
// Whatever body holds, t gets nothing that [Fact.Check] refuses.
func decode(body []byte, t taker) error {
	z, err := zstd.NewReader(bytes.NewReader(body), zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true), zstd.WithDecoderMaxWindow(window), zstd.WithDecoderMaxMemory(maxDecoded))
	if err != nil {
		return err
	}
	defer z.Close()
	r := reader{in: bufio.NewReaderSize(io.LimitReader(z, maxDecoded), 64<<10)}
	r.matching, _ = t.(matching)
	line := r.take(len(firstLine))
	if r.err != nil || string(line) != firstLine {
		return errDamaged
	}
	for n := 0; ; n++ {
		form, err := r.in.ReadByte()
		if err == io.EOF && len(r.links) == 0 && !r.about {
			return nil
		}
		if err != nil || n > maxRecords {
			return errDamaged
		}
		if err := r.record(form, t); err != nil {
			return err
		}
	}
}

// reader reads records.
type reader struct {
	in    *bufio.Reader
	room  []byte
	model string
	words []string // vectors
	f     Fact
	links []Link // of the fact that follows
	err   error  // the first; what is read after it is zero

	matching matching
	affected []match.Affected // of the fact that follows, as far as they are wanted
	about    bool             // packages stand before the fact that follows
}

// record reads one record and gives it to t.
func (r *reader) record(form byte, t taker) error {
	r.f = Fact{Aliases: r.f.Aliases[:0]}
	switch form {
	case formLinks:
		return r.linked()
	case formAffected:
		return r.affects()
	case formModel:
		if r.model = string(r.text()); r.err != nil || !ValidID(r.model) {
			return errDamaged
		}
		return nil
	case formScore:
		b := r.take(12)
		if r.err != nil || r.model == "" {
			return errDamaged
		}
		cve, score, rank := binary.LittleEndian.Uint32(b), binary.LittleEndian.Uint32(b[4:]), binary.LittleEndian.Uint32(b[8:])
		if score > scoreUnits || rank > scoreUnits || len(r.links) > 0 || r.about {
			return errDamaged
		}
		return t.score(r.model, cve, score, rank)
	case formJSON:
		if b := r.text(); r.err != nil || json.Unmarshal(b, &r.f) != nil {
			return errDamaged
		}
	case formDated:
		r.called()
	case formRated:
		vector := r.number()
		if r.called(); vector > uint64(len(r.words)) {
			return errDamaged
		}
		if vector > 0 {
			r.f.Threat.Vector = r.words[vector-1]
		}
	case formVector:
		vector := string(r.text())
		if r.err != nil || len(r.words) >= maxVectors || !ValidVector(vector) {
			return errDamaged
		}
		r.words = append(r.words, vector)
		return nil
	case formDescribed:
		r.f.ID = string(r.text())
		day, poc, ssvc, vector := r.number(), r.number(), r.number(), r.number()
		if day > 2*maxDay+1 || poc > maxDay || ssvc&3 == 3 || ssvc>>2 > 2 || vector > uint64(len(r.words)) {
			return errDamaged
		}
		t := &r.f.Threat
		undated(uint32(day), t)
		t.PoCDay, t.Automatable, t.Impact = int(poc), automatableWords[ssvc&3], impactWords[ssvc>>2]
		if vector > 0 {
			t.Vector = r.words[vector-1]
		}
	default:
		return errDamaged
	}
	if len(r.links) > 0 {
		r.f.Links, r.links = r.links, r.links[:0]
	}
	if r.about {
		r.f.Affected, r.affected, r.about = r.affected, r.affected[:0], false
	}
	if r.err != nil || r.f.Check() != nil {
		return errDamaged
	}
	return t.fact(&r.f)
}

// called reads a name with its day and its aliases.
func (r *reader) called() {
	r.f.ID = string(r.text())
	day, aliases := r.number(), r.number()
	if day > 2*maxDay+1 || aliases > MaxAliases {
		r.err = errDamaged
		return
	}
	undated(uint32(day), &r.f.Threat)
	for range aliases {
		r.f.Aliases = append(r.f.Aliases, string(r.text()))
	}
}

// affects passes over what is said of a package, or keeps it for the next fact
// if it is wanted.
func (r *reader) affects() error {
	r.about = true
	if r.matching == nil {
		n := r.number()
		if r.err != nil || n > maxText {
			return errDamaged
		}
		_, r.err = r.in.Discard(int(n))
		return r.damage()
	}
	packed := r.text()
	if r.err != nil || !r.matching.wants(match.EcosystemOf(packed)) {
		return r.damage()
	}
	a, err := match.Unpack(packed)
	if err != nil || len(r.affected) == MaxAffected {
		return errDamaged
	}
	r.affected = append(r.affected, a)
	return nil
}

// damage is the error of what was read so far.
func (r *reader) damage() error {
	if r.err != nil {
		return errDamaged
	}
	return nil
}

// linked reads links and keeps them for the next fact.
func (r *reader) linked() error {
	n := r.number()
	if n == 0 || n > MaxLinks || len(r.links) > 0 {
		return errDamaged
	}
	for range n {
		relation := r.relation(r.text())
		r.links = append(r.links, Link{relation, string(r.text())})
	}
	return r.err
}

// relation is one of the known ones without a copy of its name.
func (r *reader) relation(b []byte) Relation {
	for _, known := range [...]Relation{OfClass, Enables, LeadsTo, Uses, Exploits} {
		if string(b) == string(known) {
			return known
		}
	}
	return Relation(b)
}

// take returns the next n bytes, valid until the next call.
func (r *reader) take(n int) []byte {
	if cap(r.room) < n {
		r.room = make([]byte, max(n, 256))
	}
	b := r.room[:n]
	if r.err == nil {
		_, r.err = io.ReadFull(r.in, b)
	}
	if r.err != nil {
		return nil
	}
	return b
}

func (r *reader) number() uint64 {
	if r.err != nil {
		return 0
	}
	n, err := binary.ReadUvarint(r.in)
	r.err = err
	return n
}

func (r *reader) text() []byte {
	n := r.number()
	if n > maxText {
		r.err = errDamaged
	}
	if r.err != nil {
		return nil
	}
	return r.take(int(n))
}
