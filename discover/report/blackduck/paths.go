package blackduck

import (
	"context"
	"fmt"
	"io"
	"iter"
	"slices"
	"strings"

	"github.com/leeward-ctem/leeward/discover"
	"github.com/leeward-ctem/leeward/discover/record"
	"github.com/leeward-ctem/leeward/exposure"
)

// Bundle implements discover.Bundled. The tables of components and of further
// reports stay documents of their own.
func (Reader) Bundle() discover.Bundle {
	return discover.Bundle{
		Main: "security*.csv", Sides: []string{"source*.csv"},
		Rest: []string{"version*.csv", "codelocations*.csv", "scans*.csv", "attachments*.csv", "crypto*.csv", "license_*.csv", "project_version_custom_fields*.csv", "bom_component_custom_fields*.csv", "upgrade_guidance*.csv"},
	}
}

// Join implements discover.Bundled.
func (Reader) Join() (side, main discover.Reading) {
	at := &paths{by: map[string][]string{}}
	joined := func(ctx context.Context, r io.Reader) iter.Seq2[exposure.Observation, error] { return read(ctx, r, at) }
	return joined, joined
}

// Bounds of the paths that are kept: of all, in bytes, and of one component.
const (
	maxPaths = 32 << 20
	mostAt   = 20
)

// paths are the source files in which components were found, by the ids of the
// component, its version and its origin. A version is found under its own ids
// alone, too, for vulnerabilities that name no origin.
type paths struct {
	by   map[string][]string
	size int
}

func key(v record.Value, origin string) string {
	component, version := v.Text("Component id"), v.Text("Version id")
	if component == "" || version == "" {
		return ""
	}
	return component + " " + version + " " + origin
}

func (p *paths) keep(v record.Value) {
	if p == nil {
		return
	}
	path, origin := v.Text("Path"), v.Text("Origin id")
	p.add(key(v, ""), path)
	if origin != "" {
		p.add(key(v, origin), path)
	}
}

func (p *paths) add(key, path string) {
	have := p.by[key]
	if key == "" || path == "" || len(have) > mostAt || slices.Contains(have, path) {
		return
	}
	size := len(path) + 16
	if have == nil {
		size += len(key) + 64
	}
	if p.size+size <= maxPaths {
		p.size += size
		p.by[key] = append(have, path)
	}
}

// apply says where the component of a vulnerability lies.
func (p *paths) apply(o *exposure.Observation, v record.Value) {
	if p == nil || o.Component.Path != "" {
		return
	}
	all := p.by[key(v, v.Text("Origin id", "Channel version id"))]
	if len(all) == 0 {
		return
	}
	if o.Component.Path = all[0]; len(all) == 1 {
		return
	}
	text := strings.Join(all[:min(len(all), mostAt)], "\n")
	if len(all) > mostAt {
		text += fmt.Sprintf("\nand more than %d", mostAt)
	}
	o.Evidence = append(o.Evidence, exposure.Evidence{Kind: "path", Text: text})
}
