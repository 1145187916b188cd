package intel

import (
	"strings"

	"github.com/leeward-ctem/leeward/exposure"
)

// brief is what describes a weakness, in 8 bytes: what hundreds of thousands
// of CVEs have. From the lowest bit: the withdrawal, the day of publication,
// the day of a proof of concept, what SSVC says, and the number of the vector,
// 0 for none.
type brief uint64

const (
	dayBits = 18 // holds maxDay

	withdrawnBit   brief = 1
	publishedShift       = 1
	pocShift             = publishedShift + dayBits
	ssvcShift            = pocShift + dayBits
	vectorShift          = ssvcShift + 4
)

// What SSVC says takes two bits each; the words stand in the order of [worse].
var (
	automatableWords = [...]string{"", "no", "yes"}
	impactWords      = [...]string{"", "partial", "total"}
)

func wordNumber(words *[3]string, word string) brief {
	for i, w := range words {
		if w == word {
			return brief(i)
		}
	}
	return 0
}

func (b brief) withdrawn() bool { return b&withdrawnBit != 0 }

func (b brief) published() int { return int(b >> publishedShift & (1<<dayBits - 1)) }

func (b brief) poc() int { return int(b >> pocShift & (1<<dayBits - 1)) }

func (b brief) automatable() brief { return b >> ssvcShift & 3 }

func (b brief) impact() brief { return b >> (ssvcShift + 2) & 3 }

func (b brief) vector() uint32 { return uint32(b >> vectorShift) }

// to merges what b says into t, all but the withdrawal.
func (b brief) to(t *exposure.Threat, vectors []string) {
	if b&^withdrawnBit == 0 {
		return
	}
	t.PublishedDay = earlier(t.PublishedDay, b.published())
	t.PoCDay = earlier(t.PoCDay, b.poc())
	t.Automatable = worse(t.Automatable, automatableWords[b.automatable()], "yes")
	t.Impact = worse(t.Impact, impactWords[b.impact()], "total")
	if n := b.vector(); n != 0 {
		t.Vector = max(t.Vector, vectors[n])
	}
}

// add merges into b what t says, all but the withdrawal, and returns what has
// no place in it.
func (b *brief) add(t *exposure.Threat, v *vectors) (rest exposure.Threat) {
	published, poc := earlier(b.published(), t.PublishedDay), earlier(b.poc(), t.PoCDay)
	automatable := max(b.automatable(), wordNumber(&automatableWords, t.Automatable))
	impact := max(b.impact(), wordNumber(&impactWords, t.Impact))
	vector := b.vector()
	rest = *t
	rest.PublishedDay, rest.PoCDay, rest.Automatable, rest.Impact, rest.Withdrawn, rest.Vector = 0, 0, "", "", false, ""
	if t.Vector != "" && (vector == 0 || t.Vector > v.all[vector]) {
		if n, ok := v.number(t.Vector); ok {
			vector = n
		} else {
			rest.Vector = t.Vector
		}
	}
	*b = *b&withdrawnBit | brief(published)<<publishedShift | brief(poc)<<pocShift |
		(automatable|impact<<2)<<ssvcShift | brief(vector)<<vectorShift
	return rest
}

// vectors numbers CVSS vectors: hundreds of thousands of CVEs share a few
// thousand. The zero value holds none.
type vectors struct {
	all     []string // by number; 0 is none
	numbers map[string]uint32
}

// maxVectors bounds how many different ones are numbered. 63,000 CVEs have
// 3,500 in all.
const maxVectors = 1 << 16

// number is that of a vector; ok is false when there are too many.
func (v *vectors) number(s string) (n uint32, ok bool) {
	if n, ok = v.numbers[s]; ok {
		return n, true
	}
	if v.numbers == nil {
		v.all, v.numbers = []string{""}, map[string]uint32{}
	}
	if len(v.all) >= maxVectors {
		return 0, false
	}
	n = uint32(len(v.all))
	s = strings.Clone(s) // it may be part of a long text
	v.all = append(v.all, s)
	v.numbers[s] = n
	return n, true
}
