package intel

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"io"

	"github.com/klauspost/compress/zstd"

	"github.com/leeward-ctem/leeward/exposure"
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
	formLinks     = 7 // number of links, relation and id of each: those of the fact that follows
	formDescribed = 6 // id, day of publication × 2 + withdrawn, day of a proof of concept, SSVC, number of the vector or 0
)

// Bounds of a kept copy: what a damaged or hostile one can cost.
const (
	maxBody    = 256 << 20 // as kept
	maxDecoded = 4 << 30   // that is read one record at a time
	maxFacts   = 5_000_000
	maxText    = 256 << 10 // of one record
	window     = 1 << 20   // of the compression: what a reader must hold
	scoreUnits = 1_000_000_000
)

// writer encodes facts.
type writer struct {
	buf   bytes.Buffer
	z     *zstd.Encoder
	model string
	words vectors
	count int
	room  []byte
}

func newWriter() (*writer, error) {
	w := &writer{}
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
		b = text(append(b, formDated), f.ID)
		b = binary.AppendUvarint(b, uint64(dated(&f.Threat)))
		b = binary.AppendUvarint(b, uint64(len(f.Aliases)))
		for _, alias := range f.Aliases {
			b = text(b, alias)
		}
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
	_, known := w.words.numbers[t.Vector]
	return known || t.Vector == "" || len(w.words.all) < maxVectors
}

// describe appends the record, after that of its vector if it is the first
// with it.
func (w *writer) describe(b []byte, f *Fact) []byte {
	t := &f.Threat
	vector := uint32(0)
	if t.Vector != "" {
		before := len(w.words.all)
		vector, _ = w.words.number(t.Vector)
		if len(w.words.all) != before {
			b = text(append(b, formVector), t.Vector)
		}
	}
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

// decode gives every fact of an encoded copy to t, reading one at a time.
// Whatever body holds, t gets nothing that [Fact.Check] refuses.
func decode(body []byte, t taker) error {
	z, err := zstd.NewReader(bytes.NewReader(body), zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true), zstd.WithDecoderMaxWindow(window), zstd.WithDecoderMaxMemory(maxDecoded))
	if err != nil {
		return err
	}
	defer z.Close()
	r := reader{in: bufio.NewReaderSize(io.LimitReader(z, maxDecoded), 64<<10)}
	line := r.take(len(firstLine))
	if r.err != nil || string(line) != firstLine {
		return errDamaged
	}
	for n := 0; ; n++ {
		form, err := r.in.ReadByte()
		if err == io.EOF && len(r.links) == 0 {
			return nil
		}
		if err != nil || n > 3*maxFacts {
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
}

// record reads one record and gives it to t.
func (r *reader) record(form byte, t taker) error {
	r.f = Fact{Aliases: r.f.Aliases[:0]}
	switch form {
	case formLinks:
		return r.linked()
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
		if score > scoreUnits || rank > scoreUnits || len(r.links) > 0 {
			return errDamaged
		}
		return t.score(r.model, cve, score, rank)
	case formJSON:
		if b := r.text(); r.err != nil || json.Unmarshal(b, &r.f) != nil {
			return errDamaged
		}
	case formDated:
		r.f.ID = string(r.text())
		day, aliases := r.number(), r.number()
		if day > 2*maxDay+1 || aliases > MaxAliases {
			return errDamaged
		}
		undated(uint32(day), &r.f.Threat)
		for range aliases {
			r.f.Aliases = append(r.f.Aliases, string(r.text()))
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
	if r.err != nil || r.f.Check() != nil {
		return errDamaged
	}
	return t.fact(&r.f)
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
