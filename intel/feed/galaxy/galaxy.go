// Package galaxy reads what the MISP project keeps of those who attack: groups
// with whom they aim at, ransomware, and countermeasures of D3FEND,
// https://github.com/MISP/misp-galaxy.
package galaxy

import (
	"context"
	"errors"
	"strconv"
	"time"

	"github.com/leeward-ctem/leeward/discover/decode"
	"github.com/leeward-ctem/leeward/exposure"
	"github.com/leeward-ctem/leeward/intel"
)

// Feed reads cluster files of the galaxy, plain or compressed by gzip, of the
// types threat-actor, ransomware and mitre-d3fend:
//
//	{"type":"threat-actor","version":349,"values":[
//	 {"value":"APT1","uuid":"1cb7e1cc-…","description":"…","meta":{"country":"CN","cfr-suspected-victims":["Japan"],"synonyms":["COMMENT PANDA"],…},
//	  "related":[{"dest-uuid":"6a2e693f-…","type":"similar","tags":["estimative-language:likelihood-probability=\"likely\""]}]}]}
//
// Countermeasures are read from here because the file has their names and
// what they counter, technique by technique. In D3FEND's own ontology that
// follows only from reasoning over the artifacts that both touch, and its table
// of mappings has no descriptions and is made by a query.
//
// A file has a number that grows, and no date: an edition is of the day on
// which it was first read.
type Feed struct {
	Now func() time.Time
}

const title = "a file of the MISP galaxy"

// Bounds of a file. That of groups had 1.4 MB and 1,041 clusters in 2026, that
// of ransomware 1.9 MB and 2,135.
const (
	maxText     = 128 << 20
	maxClusters = 100_000
)

// Source implements intel.Feed.
func (Feed) Source() intel.Source {
	const clusters = "https://raw.githubusercontent.com/MISP/misp-galaxy/main/clusters/"
	return intel.Source{
		Name:        "galaxy",
		Title:       "MISP galaxy: threat actors, ransomware, D3FEND",
		URLs:        []string{clusters + "threat-actor.json", clusters + "ransomware.json", clusters + "mitre-d3fend.json"},
		Licence:     "CC0-1.0 OR BSD-2-Clause; D3FEND: MIT",
		Attribution: "Clusters by the MISP project, https://www.misp-project.org; countermeasures: MITRE D3FEND, https://d3fend.mitre.org",
		Every:       7 * 24 * time.Hour,
		Stale:       730 * 24 * time.Hour, // of the file that changes least: D3FEND's stays for a year and more
		MaxBytes:    64 << 20,
	}
}

// Read implements intel.Feed.
func (f Feed) Read(ctx context.Context, file intel.File, add func(intel.Fact) error) (intel.Edition, error) {
	text, err := intel.Text(file, maxText)
	if err != nil {
		return intel.Edition{}, err
	}
	j := decode.NewJSON(text)
	if j.Kind() != '{' {
		return intel.Edition{}, intel.Refused("this is not %s: it does not begin as a JSON object", title)
	}
	d := document{seen: map[string]bool{}}
	err = j.Object(func(name string) error { return d.member(ctx, j, name) })
	if err == nil {
		err = j.End()
	}
	switch {
	case intel.Stopped(err):
		return intel.Edition{}, err
	case errors.Is(err, errMany):
		return intel.Edition{}, intel.Refused("the file holds more than %d clusters: none of the MISP galaxy does", maxClusters)
	case err != nil:
		return intel.Edition{}, intel.Refused("this is not %s, or not all of it: it cannot be read on at byte %d; fetch it again", title, j.Offset())
	}
	return d.edition(ctx, f.Now(), add)
}

var errMany = errors.New("too many clusters")

// document is what was read so far. All of a file is held, because what a
// cluster is similar to counts only if no other one is, too.
type document struct {
	kind     string
	version  *int
	listed   bool // the list of clusters was there
	clusters []cluster
	seen     map[string]bool // uuids
	skipped  int
}

// member reads a member of the outermost object.
func (d *document) member(ctx context.Context, j *decode.JSON, name string) error {
	switch name {
	case "type":
		return j.Value(&d.kind)
	case "version":
		return j.Value(&d.version)
	case "values":
		if j.Kind() != '[' || d.listed {
			return errors.New("not one list")
		}
		d.listed = true
		return j.Array(func() error { return d.cluster(ctx, j) })
	}
	return j.Skip()
}

// cluster reads one cluster.
func (d *document) cluster(ctx context.Context, j *decode.JSON) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	var v value
	var broken *exposure.RecordError
	err := j.Value(&v)
	if err != nil && !errors.As(err, &broken) {
		return err
	}
	if len(d.clusters)+d.skipped == maxClusters {
		return errMany
	}
	c, ok := v.cluster()
	if err != nil || !ok || d.seen[c.uuid] {
		d.skipped++
		return nil
	}
	d.seen[c.uuid] = true
	d.clusters = append(d.clusters, c)
	return nil
}

// edition checks that all of the file was there, and adds its facts.
func (d *document) edition(ctx context.Context, now time.Time, add func(intel.Fact) error) (intel.Edition, error) {
	e := intel.Edition{Date: now.UTC().Truncate(24 * time.Hour), Skipped: d.skipped}
	if d.kind == "" || d.version == nil || !d.listed {
		return e, intel.Refused("this is not %s: it lacks type, version or values", title)
	}
	e.Version = strconv.Itoa(*d.version)
	fact, known := map[string]func(*cluster) (intel.Fact, bool){"threat-actor": (*cluster).actor, "ransomware": (*cluster).ransomware, "mitre-d3fend": (*cluster).countermeasure}[d.kind]
	if !known {
		return e, intel.Refused("this is the file %q of the MISP galaxy: of its files threat-actor, ransomware and mitre-d3fend are read", intel.Cut(d.kind, 40))
	}
	d.tell()
	for i := range d.clusters {
		if err := ctx.Err(); err != nil {
			return e, err
		}
		f, ok := fact(&d.clusters[i])
		if !ok {
			e.Skipped++
			continue
		}
		if err := add(f); err != nil {
			return e, err
		}
	}
	return e, intel.Tolerable(title, e.Skipped, len(d.clusters)+d.skipped)
}

// tell leaves to each cluster the one thing outside the file that it alone
// means. In the galaxy "similar" is used for the same, for parts and for
// relatives: seven groups of Iran are all similar to Magic Hound of ATT&CK, and
// Lazarus Group is similar to itself and to APT38. Who followed all of that
// would make half of all groups one.
func (d *document) tell() {
	claims := map[string]int{}
	for i := range d.clusters {
		for _, name := range d.clusters[i].same {
			claims[name]++
		}
	}
	for i := range d.clusters {
		c := &d.clusters[i]
		var own, stated []string
		for _, name := range c.same {
			switch {
			case claims[name] > 1, d.seen[name]: // another cluster of this file is another thing
			case isGroup(name):
				stated = append(stated, name)
			default:
				own = append(own, "uuid:"+name)
			}
		}
		if c.same = own; len(stated) > 0 {
			c.same = stated
		}
		if len(c.same) > 1 {
			c.same = nil
		}
	}
}
