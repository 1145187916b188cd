package intel

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"math"

	"github.com/klauspost/compress/zstd"

	"github.com/leeward-ctem/leeward/exposure"
)

// Facts are kept distilled, not as published: a good copy of OSV is a tenth of
// its archives, and loading it needs no parser. The form is magic, then per
// fact the id, its aliases and its threat, all of it compressed by zstd. Score
// facts, which are nearly all, take a short form without JSON.

var magic = []byte("leeward-facts-1\n")

const (
	formScore = 1 // score and percentile in units of 1e-9; the model is that of the fact before
	formModel = 2 // the model's name for the scores that follow
	formJSON  = 3 // a fact as JSON
)

// writer encodes facts.
type writer struct {
	buf   bytes.Buffer
	z     *zstd.Encoder
	model string
	count int
	room  []byte
}

func newWriter() (*writer, error) {
	w := &writer{}
	z, err := zstd.NewWriter(&w.buf, zstd.WithEncoderConcurrency(1))
	if err != nil {
		return nil, err
	}
	w.z = z
	_, err = z.Write(magic)
	return w, err
}

func (w *writer) add(f Fact) error {
	w.count++
	b := w.room[:0]
	score := exposure.Threat{EPSS: f.Threat.EPSS, Percentile: f.Threat.Percentile, EPSSModel: f.Threat.EPSSModel}
	if f.Threat == score && score.EPSSModel != "" && len(f.Aliases) == 0 {
		if score.EPSSModel != w.model {
			w.model = score.EPSSModel
			b = text(append(b, formModel), w.model)
		}
		b = text(append(b, formScore), f.ID)
		b = binary.LittleEndian.AppendUint32(b, exact(score.EPSS))
		b = binary.LittleEndian.AppendUint32(b, exact(score.Percentile))
	} else {
		body, err := json.Marshal(f)
		if err != nil {
			return err
		}
		b = text(append(b, formJSON), string(body))
	}
	w.room = b
	_, err := w.z.Write(b)
	return err
}

func text(b []byte, s string) []byte { return append(binary.AppendUvarint(b, uint64(len(s))), s...) }

func (w *writer) bytes() ([]byte, error) {
	err := w.z.Close()
	return w.buf.Bytes(), err
}

// maxBody bounds what a damaged or hostile copy can cost.
const maxBody = 4 << 30

var errDamaged = errors.New("the kept copy is damaged")

// decode calls add with every fact of an encoded copy.
func decode(body []byte, add func(Fact) error) error {
	z, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(maxBody))
	if err != nil {
		return err
	}
	defer z.Close()
	b, err := z.DecodeAll(body, nil)
	if err != nil || !bytes.HasPrefix(b, magic) {
		return errDamaged
	}
	b = b[len(magic):]
	next := func() (string, bool) {
		n, w := binary.Uvarint(b)
		if w <= 0 || n > math.MaxInt32 || len(b)-w < int(n) {
			return "", false
		}
		s := string(b[w : w+int(n)])
		b = b[w+int(n):]
		return s, true
	}
	model := ""
	for len(b) > 0 {
		form := b[0]
		b = b[1:]
		s, ok := next()
		if !ok {
			return errDamaged
		}
		var f Fact
		switch form {
		case formModel:
			model = s
			continue
		case formScore:
			if len(b) < 8 {
				return errDamaged
			}
			f.ID = s
			f.Threat.EPSS = float64(binary.LittleEndian.Uint32(b)) / 1e9
			f.Threat.Percentile = float64(binary.LittleEndian.Uint32(b[4:])) / 1e9
			f.Threat.EPSSModel = model
			b = b[8:]
		case formJSON:
			if err := json.Unmarshal([]byte(s), &f); err != nil {
				return errDamaged
			}
		default:
			return errDamaged
		}
		if err := add(f); err != nil {
			return err
		}
	}
	return nil
}
