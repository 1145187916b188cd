package intel

import (
	"bytes"
	"encoding/binary"
	"math"

	"github.com/klauspost/compress/zstd"
)

// Past scores are kept in steps of a twentieth of a nat, some 5 %, of the
// probability and of the share of CVEs that rank at least as high: 300,000 of
// them take some 600 KB. Of each CVE of a year stand the distance of its number
// to that before and the two steps.

const (
	pastSteps   = 20
	maxPastYear = 4 << 20 // of one year, unpacked: no year had a tenth of so many CVEs
)

// step is −ln p in steps; 255 is less than a score can be.
func step(p float64) byte {
	return byte(min(math.Round(-pastSteps*math.Log(max(p, 1e-6))), math.MaxUint8))
}

func unstep(b byte) float64 { return math.Exp(-float64(b) / pastSteps) }

// Model is the version of EPSS that made the scores; empty without scores.
func (s *Snapshot) Model() string { return s.model }

// PastScores encodes the scores of a snapshot for later days, by the year of
// the CVE ids. [PastScore] reads them.
func (s *Snapshot) PastScores() (map[int][]byte, error) {
	z, err := zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1))
	if err != nil {
		return nil, err
	}
	defer z.Close()
	years, bodies := map[int][]byte{}, map[int][]byte{}
	last := map[int]uint32{}
	for _, sc := range s.scored { // by year and number
		year, number := 1990+int(sc.cve>>25), sc.cve&(1<<25-1)
		b := binary.AppendUvarint(years[year], uint64(number-last[year]))
		years[year] = append(b, step(probability(sc.score)), step(1-probability(sc.rank)))
		last[year] = number
	}
	for year, b := range years {
		bodies[year] = z.EncodeAll(b, nil)
	}
	return bodies, nil
}

// YearOf is the year of a CVE id, 0 of other names.
func YearOf(id string) int {
	n, ok := pack(id)
	if !ok {
		return 0
	}
	return 1990 + int(n>>25)
}

// PastScore is what EPSS said of a CVE in the scores of its year, to within 3 %;
// ok is false when it said nothing.
func PastScore(body []byte, id string) (epss, percentile float64, ok bool, err error) {
	n, named := pack(id)
	if !named {
		return 0, 0, false, nil
	}
	z, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(maxPastYear))
	if err != nil {
		return 0, 0, false, err
	}
	defer z.Close()
	all, err := z.DecodeAll(body, nil)
	if err != nil {
		return 0, 0, false, errDamaged
	}
	in := bytes.NewReader(all)
	at, want := uint64(0), uint64(n&(1<<25-1))
	for in.Len() > 0 {
		more, err := binary.ReadUvarint(in)
		p, err2 := in.ReadByte()
		r, err3 := in.ReadByte()
		if err != nil || err2 != nil || err3 != nil {
			return 0, 0, false, errDamaged
		}
		if at += more; at == want {
			return unstep(p), 1 - unstep(r), true, nil
		}
		if at > want {
			break
		}
	}
	return 0, 0, false, nil
}
