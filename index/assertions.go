package index

import (
	"strings"

	"github.com/RoaringBitmap/roaring/v2"

	"github.com/leeward-ctem/leeward/exposure"
)

// Assertions are who asserts which findings. Who saw a finding first asserts it
// until he says otherwise, and of most findings nothing else was ever said; what
// was is kept here. It takes about four bytes a word.
type Assertions struct {
	told   *roaring.Bitmap            // findings on which words are recorded
	alone  []*roaring.Bitmap          // of these, by source: those that only it asserts
	shared []*roaring.Bitmap          // by source: those that it asserts and others too
	ofTool map[string]*roaring.Bitmap // those that several sources assert, all of one tool; by its name in lower case
}

// Assertions hears the words of sources on the findings of the view. words calls
// f with each, those on one finding after one another; whether the source
// asserts the finding is its newest word.
func (v *View) Assertions(words func(f func(finding exposure.FindingID, source exposure.SourceID, asserts bool) error) error) (*Assertions, error) {
	a := &Assertions{told: roaring.New(), ofTool: map[string]*roaring.Bitmap{}}
	for range v.sources {
		a.alone, a.shared = append(a.alone, roaring.New()), append(a.shared, roaring.New())
	}
	var of Row // the finding whose words are heard; none: one that the view does not know
	var said []exposure.SourceID
	first := true // who saw it first still asserts it
	settle := func() {
		if of.ID == 0 {
			return
		}
		if first {
			said = append(said, of.Source)
		}
		a.settle(v, of.ID, said)
	}
	err := words(func(finding exposure.FindingID, source exposure.SourceID, asserts bool) error {
		if int(source) >= len(v.sources) {
			return nil // newer than the view
		}
		if finding != of.ID {
			settle()
			of, _ = v.Row(finding)
			said, first = said[:0], true
		}
		if source == of.Source {
			first = false // it has a word of its own
		}
		if asserts {
			said = append(said, source)
		}
		return nil
	})
	settle()
	return a, err
}

func (a *Assertions) settle(v *View, id exposure.FindingID, said []exposure.SourceID) {
	a.told.Add(uint32(id))
	if len(said) == 1 {
		a.alone[said[0]].Add(uint32(id))
		return
	}
	tool, one := "", true
	for i, s := range said {
		a.shared[s].Add(uint32(id))
		name := strings.ToLower(v.sources[s].Tool)
		one = one && (i == 0 || name == tool)
		tool = name
	}
	if len(said) == 0 || !one {
		return
	}
	if a.ofTool[tool] == nil {
		a.ofTool[tool] = roaring.New()
	}
	a.ofTool[tool].Add(uint32(id))
}

// Count counts, by source, the matches of a filter that it alone asserts, and
// those that others assert too.
func (a *Assertions) Count(v *View, f exposure.Filter, today uint16) (alone, shared []int, err error) {
	p, err := v.compile(&f, today)
	if err != nil {
		return nil, nil, err
	}
	alone, shared = make([]int, len(v.sources)), make([]int, len(v.sources))
	told, matches := v.bits(a.told), roaring.New() // of those with words
	buf := new([chunkRows]uint16)
	for k, c := range v.chunks {
		for _, j := range v.match(p, k, buf) {
			if id := uint32(k*chunkRows + int(j) + 1); told.has(id) {
				matches.Add(id)
			} else {
				alone[c.source[j]]++
			}
		}
	}
	for s := range min(len(a.alone), len(alone)) {
		alone[s] += int(a.alone[s].AndCardinality(matches))
		shared[s] = int(a.shared[s].AndCardinality(matches))
	}
	return alone, shared, nil
}

// set returns the findings that a term on who asserts them selects, its sign
// aside. A value names a tool, or with a slash one class of a tool's checks.
func (a *Assertions) set(v *View, t *exposure.Term) bitset {
	words := patterns(t.Values, false)
	tools, classes := make([]bool, len(v.sources)), make([]bool, len(v.sources))
	for i, s := range v.sources[1:] {
		tools[i+1], classes[i+1] = anyOf(words, s.Tool), anyOf(words, s.Tool+"/"+s.Class)
	}
	found := roaring.New()
	if t.Field == exposure.FieldShared {
		for s := range min(len(a.shared), len(tools)) {
			switch {
			case classes[s]:
				found.Or(a.shared[s])
			case tools[s]: // others are other tools
				others := a.shared[s]
				if same := a.ofTool[strings.ToLower(v.sources[s].Tool)]; same != nil {
					others = roaring.AndNot(others, same)
				}
				found.Or(others)
			}
		}
		return v.bits(found)
	}
	wanted := make([]uint64, len(tools)) // 1 for a source that a value names
	for s := range min(len(a.alone), len(tools)) {
		if !tools[s] && !classes[s] {
			continue
		}
		wanted[s] = 1
		found.Or(a.alone[s])
		if same := a.ofTool[strings.ToLower(v.sources[s].Tool)]; same != nil && tools[s] {
			found.Or(same)
		}
	}
	// Of findings without words, who saw them first says it all.
	set, told, settled := newBitset(v.n+1), v.bits(a.told), v.bits(found)
	for k, c := range v.chunks {
		for j, s := range c.source[:min(chunkRows, v.n-k*chunkRows)] {
			id := k*chunkRows + j + 1
			set[id>>6] |= wanted[s] << (id & 63)
		}
	}
	for i := range set {
		set[i] = set[i]&^told[i] | settled[i]
	}
	return set
}

// bits returns the numbers of b that the view knows.
func (v *View) bits(b *roaring.Bitmap) bitset {
	set := newBitset(v.n + 1)
	if last := uint64(len(set))*64 - 1; !b.IsEmpty() && uint64(b.Maximum()) > last { // newer than the view
		b = b.Clone()
		b.RemoveRange(last+1, 1<<32)
	}
	b.WriteDenseTo(set)
	return set
}
