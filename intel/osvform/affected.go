package osvform

import (
	"encoding/json"

	"github.com/leeward-ctem/leeward/discover/decode"
	"github.com/leeward-ctem/leeward/intel"
	"github.com/leeward-ctem/leeward/intel/match"
)

// packaged is what an advisory says of one package, see
// https://ossf.github.io/osv-schema/#affected-fields
type packaged struct {
	Package struct {
		Ecosystem string `json:"ecosystem"`
		Name      string `json:"name"`
		Purl      string `json:"purl"`
	} `json:"package"`
	Ranges   []ranged        `json:"ranges"`
	Versions []string        `json:"versions"`
	Severity json.RawMessage `json:"severity"`
}

type ranged struct {
	Type   string `json:"type"`
	Events []struct {
		Introduced   string `json:"introduced"`
		Fixed        string `json:"fixed"`
		LastAffected string `json:"last_affected"`
		Limit        string `json:"limit"`
	} `json:"events"`
}

// packagesOf reads the packages one by one: one that is broken costs itself.
func packagesOf(raw json.RawMessage) (all []packaged) {
	var entries []json.RawMessage
	if len(raw) == 0 || decode.Unmarshal(raw, &all) == nil || decode.Unmarshal(raw, &entries) != nil {
		return all
	}
	all = nil
	for _, entry := range entries {
		var p packaged
		if decode.Unmarshal(entry, &p) != nil {
			// Its versions are lost, but not which package it is.
			var known struct {
				Package struct{ Ecosystem, Name, Purl string } `json:"package"`
			}
			if decode.Unmarshal(entry, &known) != nil {
				continue
			}
			p = packaged{}
			p.Package.Ecosystem, p.Package.Name, p.Package.Purl = known.Package.Ecosystem, known.Package.Name, known.Package.Purl
		}
		all = append(all, p)
	}
	return all
}

// affected are the packages that can be matched; whole is false when there are
// more than are kept. Code that belongs to no ecosystem is found by commits
// only.
func affected(packages []packaged) (all []match.Affected, cut bool) {
	work := match.Work
	for i := range packages {
		a, ok := packages[i].affected(&work)
		if !ok {
			continue
		}
		if len(all) == intel.MaxAffected {
			return all, true
		}
		all = append(all, a)
	}
	return all, false
}

func (p *packaged) affected(work *int) (a match.Affected, ok bool) {
	a = match.Affected{Ecosystem: p.Package.Ecosystem, Name: p.Package.Name, Versions: p.Versions}
	if a.Ecosystem == "" || a.Name == "" {
		known, err := match.FromPurl(p.Package.Purl)
		if err != nil {
			return a, false
		}
		a.Ecosystem, a.Name = known.Ecosystem, known.Name
	}
	for _, r := range p.Ranges {
		if r.Type != "SEMVER" && r.Type != "ECOSYSTEM" {
			continue // commits
		}
		kept, whole := r.events()
		if !whole || len(a.Ranges) == match.MaxRanges {
			a.Partial = true
			continue
		}
		kept.Semver = r.Type == "SEMVER" && !match.Semver(a.Ecosystem)
		a.Ranges = append(a.Ranges, kept)
	}
	a.Condense(work)
	// Of ranges of commits, and of nothing at all, no version can be told.
	a.Partial = a.Partial || len(a.Ranges) == 0 && len(a.Versions) == 0
	return a, a.Check() == nil
}

// events are those of a range; whole is false when one cannot be kept, so that
// the rest would mean something else.
func (r *ranged) events() (kept match.Range, whole bool) {
	add := func(kind match.Kind, version string) {
		if version != "" {
			kept.Events = append(kept.Events, match.Event{Kind: kind, Version: version})
			whole = whole && match.ValidVersion(version)
		}
	}
	whole = true
	for _, e := range r.Events {
		add(match.Introduced, e.Introduced)
		add(match.Fixed, e.Fixed)
		add(match.LastAffected, e.LastAffected)
		add(match.Limit, e.Limit)
	}
	return kept, whole && len(kept.Events) > 0 && len(kept.Events) <= match.MaxEvents
}
