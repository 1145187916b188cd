package cli

import (
	"fmt"
	"hash/maphash"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/leeward-ctem/leeward/discover"
	"github.com/leeward-ctem/leeward/exposure"
)

// inspected counts what one document holds.
type inspected struct {
	format   string
	run      exposure.Run
	severity map[exposure.Severity]int
	state    map[exposure.State]int
	on       assetSet // assets with weaknesses
	there    assetSet // assets that are said to exist
	covers   map[string]assetSet
	broken   int // records
	seed     maphash.Seed
}

// assetSet is a set of assets, by hashes of their keys: a million of them take
// little room.
type assetSet map[uint64]struct{}

func newInspected(r discover.Reader) *inspected {
	in := &inspected{format: r.Name(), seed: maphash.MakeSeed(), severity: map[exposure.Severity]int{}, state: map[exposure.State]int{}, on: assetSet{}, there: assetSet{}, covers: map[string]assetSet{}}
	if d, ok := r.(discover.Described); ok {
		title, _ := d.Describe()
		in.format = r.Name() + ": " + title
	}
	return in
}

func (in *inspected) add(o *exposure.Observation) {
	asset := maphash.String(in.seed, o.Asset.Key())
	switch o.Kind {
	case exposure.ObservedRun:
		in.run = *o.Run
	case exposure.ObservedWeakness:
		in.severity[o.Severity]++
		in.state[o.State]++
		in.on[asset] = struct{}{}
	case exposure.ObservedInventory:
		in.there[asset] = struct{}{}
	case exposure.ObservedCoverage:
		if in.covers[o.Class] == nil {
			in.covers[o.Class] = assetSet{}
		}
		in.covers[o.Class][asset] = struct{}{}
	}
}

// tell writes the counts for a person.
func (in *inspected) tell(w io.Writer, name string) {
	fmt.Fprintln(w, printable(name))
	for _, line := range [][2]string{
		{"format", strings.TrimSpace(in.format + " " + in.run.Format)},
		{"tool", strings.TrimSpace(in.run.Tool + " " + in.run.Version)},
		{"time", in.when()},
		{"failed", in.failed()},
		{"found", in.found()},
		{"covers", in.covered()},
		{"broken", in.lost()},
	} {
		if line[1] != "" {
			fmt.Fprintf(w, "  %-8s%s\n", line[0], printable(line[1]))
		}
	}
}

func (in *inspected) when() string {
	const minute = "2006-01-02 15:04"
	var times []string
	if t := in.run.Started; !t.IsZero() {
		times = append(times, t.UTC().Format(minute))
	}
	if t := in.run.Finished; !t.IsZero() && !t.Equal(in.run.Started) {
		times = append(times, t.UTC().Format(minute))
	}
	if len(times) == 0 {
		return ""
	}
	return strings.Join(times, " to ") + " UTC"
}

func (in *inspected) failed() string {
	if !in.run.Failed {
		return ""
	}
	return orElse(in.run.Failure, "the report says that the scan failed")
}

func (in *inspected) found() string {
	total := 0
	var parts []string
	for _, s := range slices.Backward(slices.Sorted(maps.Keys(in.severity))) {
		total += in.severity[s]
		parts = append(parts, fmt.Sprintf("%d %s", in.severity[s], s))
	}
	for _, s := range slices.Sorted(maps.Keys(in.state)) {
		if s != exposure.StatePresent {
			parts = append(parts, fmt.Sprintf("%d of them %s", in.state[s], strings.ReplaceAll(string(s), "_", " ")))
		}
	}
	text := some(total, "weakness") + " on " + some(len(in.on), "asset")
	if total > 0 {
		text += " (" + strings.Join(parts, ", ") + ")"
	}
	if len(in.there) > 0 {
		text += "; inventory of " + some(len(in.there), "asset")
	}
	return text
}

func (in *inspected) covered() string {
	if len(in.covers) == 0 {
		return "nothing that is known: what this report does not name stays open"
	}
	var parts []string
	for _, class := range slices.Sorted(maps.Keys(in.covers)) {
		parts = append(parts, class+" on "+some(len(in.covers[class]), "asset"))
	}
	return strings.Join(parts, ", ")
}

func (in *inspected) lost() string {
	if in.broken == 0 {
		return ""
	}
	return some(in.broken, "record") + ", each with its place above"
}

// some is a number of things.
func some(n int, thing string) string {
	switch {
	case n == 1:
		return "1 " + thing
	case strings.HasSuffix(thing, "s"):
		return fmt.Sprintf("%d %ses", n, thing)
	}
	return fmt.Sprintf("%d %ss", n, thing)
}
