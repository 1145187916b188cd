package index

import (
	"slices"
	"strings"

	"github.com/leeward-ctem/leeward/exposure"
)

// Value is a value of a field and how many assets, or for assets and scanners
// how many findings, have it.
type Value struct {
	Text  string
	Count int
}

// maxLooked bounds how many names or contexts a search for values looks at.
const maxLooked = 200_000

// Values returns what values of a text field exist that hold part, which is in
// lower case: the most frequent first, at most limit. It knows team, tag,
// service, scope, tool, class, technique, actor, asset, only and shared. Assets count as often as
// findings were found on them; of more than 200,000 names, the later ones are
// not looked at. What is asserted is counted by no findings but by the classes
// of checks that a value stands for.
func (v *View) Values(field exposure.Field, part string, limit int) []Value {
	best := frequent{limit: limit}
	switch field {
	case exposure.FieldOwner, exposure.FieldTag, exposure.FieldService, exposure.FieldScope:
		for text, n := range v.contextValues(field) {
			if strings.Contains(strings.ToLower(text), part) {
				best.add(text, n)
			}
		}
	case exposure.FieldTool, exposure.FieldClass:
		bySource := make([]int, len(v.sources))
		v.each(func(c *chunk, j int) { bySource[c.source[j]]++ })
		counts := map[string]int{}
		for i, n := range bySource {
			if text := v.sources[i].Tool; field == exposure.FieldTool {
				counts[text] += n
			} else {
				counts[v.sources[i].Class] += n
			}
		}
		for text, n := range counts {
			if text != "" && n > 0 && strings.Contains(strings.ToLower(text), part) {
				best.add(text, n)
			}
		}
	case exposure.FieldTechnique, exposure.FieldActor:
		byAdvisory, counts := make([]int, len(v.advisories)), map[string]int{}
		v.each(func(c *chunk, j int) { byAdvisory[c.advisory.at(j)]++ })
		for i, n := range byAdvisory {
			if n == 0 {
				continue
			}
			texts := actorsOf(v.advisories[i])
			if field == exposure.FieldTechnique {
				texts = strings.Fields(v.advisories[i].Threat.Techniques)
			}
			count(counts, texts, n)
		}
		for text, n := range counts {
			if strings.Contains(strings.ToLower(text), part) {
				best.add(text, n)
			}
		}
	case exposure.FieldOnly, exposure.FieldShared:
		counts := map[string]int{}
		for _, s := range v.sources[1:] {
			counts[s.Tool]++
			if strings.Contains(part, "/") { // asks for one class
				counts[s.Tool+"/"+s.Class]++
			}
		}
		for text, n := range counts {
			if strings.Contains(strings.ToLower(text), part) {
				best.add(text, n)
			}
		}
	case exposure.FieldAsset:
		byAsset := make([]uint32, len(v.assets))
		v.each(func(c *chunk, j int) { byAsset[c.asset.at(j)]++ })
		looked := 0
		for i, n := range byAsset {
			// Most need no look: they have fewer findings than those there are.
			if n == 0 || !best.wants(int(n)) || v.assets[i].Asset == nil {
				continue
			}
			if looked++; looked > maxLooked {
				break
			}
			if name, _, _ := strings.Cut(v.assets[i].text, "\n"); strings.Contains(name, part) {
				best.add(v.assets[i].Name, int(n))
			}
		}
	}
	return best.values
}

// each calls f with every finding.
func (v *View) each(f func(c *chunk, j int)) {
	for k, c := range v.chunks {
		for j := range min(chunkRows, v.n-k*chunkRows) {
			if c.state[j]&15 != removed {
				f(c, j)
			}
		}
	}
}

// contextValues counts the assets by what the programme says of them. Assets
// share contexts, so that there are far fewer of these.
func (v *View) contextValues(field exposure.Field) map[string]int {
	byContext := make([]int, len(v.contexts))
	for _, id := range v.assetContexts {
		byContext[id]++
	}
	counts := map[string]int{}
	for i, n := range byContext[:min(len(byContext), maxLooked)] {
		if n == 0 || i == 0 { // of no asset, or what stands for none
			continue
		}
		switch c := v.contexts[i]; field {
		case exposure.FieldOwner:
			// The language calls it none when nobody owns an asset.
			if c.Owner == "" {
				counts["none"] += n
			} else {
				counts[c.Owner] += n
			}
		case exposure.FieldTag:
			count(counts, c.Tags, n)
		case exposure.FieldService:
			count(counts, c.Services, n)
		case exposure.FieldScope:
			count(counts, c.Scopes, n)
		}
	}
	return counts
}

// actorsOf are the names of actors that are told of an advisory.
func actorsOf(a *exposure.Advisory) []string {
	if a.Threat.Actors == "" {
		return nil
	}
	return strings.Split(a.Threat.Actors, "; ")
}

func count(counts map[string]int, texts []string, n int) {
	for _, t := range texts {
		counts[t] += n
	}
}

// frequent are the most frequent values, in order.
type frequent struct {
	limit  int
	values []Value
}

// wants reports whether a value that is there n times is among them for sure.
func (t *frequent) wants(n int) bool {
	return len(t.values) < t.limit || n > t.values[len(t.values)-1].Count
}

func (t *frequent) add(text string, n int) {
	at, _ := slices.BinarySearchFunc(t.values, Value{text, n}, func(a, b Value) int {
		if a.Count != b.Count {
			return b.Count - a.Count
		}
		return strings.Compare(a.Text, b.Text)
	})
	if at >= t.limit || slices.ContainsFunc(t.values, func(have Value) bool { return have.Text == text }) {
		return // rare, or one of several assets of a name
	}
	t.values = slices.Insert(t.values, at, Value{text, n})
	t.values = t.values[:min(len(t.values), t.limit)]
}
