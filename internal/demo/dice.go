package demo

// dice give numbers that depend on nothing but the seed and the words they
// were made of: adding an asset to the tables leaves all others as they are.
type dice uint64

// seed makes the company what it is.
const seed = 0x5eed1ee7a5d0f00d

// cast makes dice of words, by FNV-1a (RFC 9923 describes it).
func cast(words ...string) dice {
	h := uint64(14695981039346656037) ^ seed
	for _, w := range words {
		for i := range len(w) {
			h = (h ^ uint64(w[i])) * 1099511628211
		}
		h = (h ^ 0xff) * 1099511628211
	}
	return dice(h)
}

// below returns a number from 0 to n-1. The steps are those of SplitMix64.
func (d *dice) below(n int) int {
	*d += 0x9e3779b97f4a7c15
	z := uint64(*d)
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return int((z ^ z>>31) % uint64(n))
}

// percent is true in p of 100 cases.
func (d *dice) percent(p int) bool { return d.below(100) < p }
