// Package govulncheck reads the JSON of govulncheck, which tells of which known
// vulnerabilities in its modules a Go program calls the code.
//
// Since 2023 it is a stream of messages. Of a vulnerability there is a finding
// for the module, then perhaps ones for a package that is imported, and at last
// ones for functions that are called; each is stated, the surest first, and the
// import makes them one. The stream has no end mark, and one that stopped half
// way looks like a program that calls nothing. So a vulnerability that is not
// called is stated with less confidence, never as one that does not affect the
// program, and a report covers nothing.
package govulncheck

import (
	"context"
	"errors"
	"io"
	"iter"
	"strings"

	"github.com/leeward-ctem/leeward/discover/decode"
	"github.com/leeward-ctem/leeward/discover/record"
	"github.com/leeward-ctem/leeward/discover/term"
	"github.com/leeward-ctem/leeward/exposure"
)

// Reader reads the JSON of govulncheck. See
// https://pkg.go.dev/golang.org/x/vuln/internal/govulncheck
type Reader struct{}

// Name implements discover.Reader.
func (Reader) Name() string { return "govulncheck" }

// Describe implements discover.Described.
func (Reader) Describe() (title, docs string) {
	return "govulncheck (JSON)", "https://pkg.go.dev/golang.org/x/vuln/internal/govulncheck"
}

// Sniff implements discover.Reader.
func (Reader) Sniff(h *decode.Head) bool {
	switch {
	case h.Has("config.protocol_version"), h.Has("finding.osv", "finding.trace"), h.Has("osv.schema_version", "osv.affected"), h.Has("vulnerability.osv", "vulnerability.modules"):
		return true
	}
	return h.Has("Calls.Functions") || h.Has("Vulns[].OSV", "Vulns[].ModPath") || h.Has("[].config.protocol_version")
}

// Read implements discover.Reader.
func (Reader) Read(ctx context.Context, r io.Reader) iter.Seq2[exposure.Observation, error] {
	s := &stream{known: map[string]exposure.Observation{}}
	return record.Spec{
		Tool: "govulncheck",
		About: func(_ record.Value, run *exposure.Run) {
			run.Version, run.Format = s.version, s.protocol
		},
		Records: map[string]record.Handler{
			"[].config":        s.config,
			"[].SBOM":          s.bill,
			"[].osv":           s.advisory,
			"[].finding":       s.finding,
			"[].vulnerability": s.vulnerability, // of the first months of the stream
			"[].Vulns[]":       s.sinks,         // before the stream
		},
		Rest: s.rest,
	}.Read(ctx, r)
}

// stream is what the messages of one report share.
type stream struct {
	version, protocol string
	asset             exposure.AssetRef
	known             map[string]exposure.Observation // by the ids of vulnerabilities
	size              int                             // bytes of their texts
	back              []exposure.Observation          // less sure, for the end
}

// The bounds of what is kept of a stream.
const (
	maxKnown = 64 << 20 // bytes
	maxBack  = 100_000
)

func (s *stream) config(_ *record.Report, v record.Value) error {
	s.version, s.protocol = v.Text("scanner_version"), v.Text("protocol_version")
	return nil
}

// bill reads the modules of the program. The program itself is the one that its
// first root package is of.
func (s *stream) bill(r *record.Report, v record.Value) error {
	root, program := "", ""
	if roots := v.Texts("roots"); len(roots) > 0 {
		root = roots[0]
	}
	for m := range v.List("modules") {
		path := m.Text("path")
		if root == "" && m.Text("version") == "" && program == "" || within(root, path) && len(path) > len(program) {
			program = path
		}
	}
	s.asset = module(program)
	for m := range v.List("modules") {
		if path := m.Text("path"); path != "" && path != program {
			r.Inventory(s.asset, component(path, m.Text("version")))
		}
	}
	return nil
}

func within(pkg, module string) bool {
	return module != "" && (pkg == module || strings.HasPrefix(pkg, module+"/"))
}

// module is the asset of a Go module: the repository that its path names, or
// the module by its path.
func module(path string) (ref exposure.AssetRef) {
	if path == "" {
		return ref
	}
	ref.Kind, ref.Name = exposure.AssetRepository, path
	parts := strings.Split(path, "/")
	if n := len(parts); n == 4 && major(parts[3]) {
		parts = parts[:3]
	}
	if parts[0] == "github.com" && len(parts) == 3 {
		ref.Add(exposure.IDRepository, strings.Join(parts, "/"))
		return ref
	}
	ref.Add(exposure.IDName, path)
	return ref
}

// major reports whether a part of a module's path is its major version.
func major(part string) bool {
	rest, ok := strings.CutPrefix(part, "v")
	return ok && rest != "" && strings.Trim(rest, "0123456789") == ""
}

func component(path, version string) exposure.Component {
	return exposure.Component{Purl: term.Purl("go", path, version), Name: path, Version: version}
}

func (s *stream) advisory(_ *record.Report, v record.Value) error {
	s.learn(v)
	return nil
}

// learn keeps what a vulnerability is.
func (s *stream) learn(v record.Value) {
	id := v.Text("id")
	o := record.OSV(v, "")
	o.Component = exposure.Component{}
	if n := len(o.Title) + len(o.Description) + 500; id != "" && s.size+n <= maxKnown {
		s.size += n
		s.known[id] = o
	}
}

// place is where a vulnerability was found.
type place struct {
	id, module, version, fixed string
	pkg, symbol                string
	frames                     []string
	location                   exposure.Location
}

// The confidence in a vulnerability by how much is known, on the scale of
// OpenVAS: the code is called, is imported, or is in a module that is required.
const (
	called   = 97
	imported = 70
	required = 50
)

func (s *stream) state(r *record.Report, p place) error {
	if p.id == "" {
		return errors.New("a finding without the id of a vulnerability")
	}
	o, ok := s.known[p.id]
	if !ok {
		o = exposure.Observation{Class: "vuln", Rule: p.id, Advisories: []string{p.id}}
	}
	o.Asset, o.Component, o.Location, o.Detection = s.asset, component(p.module, p.version), p.location, exposure.DetectionAuthenticated
	o.Component.Fixed = p.fixed
	switch {
	case p.symbol != "":
		o.Confidence, o.Location.Symbol = called, p.pkg+"."+p.symbol
		o.Evidence = append(o.Evidence, exposure.Evidence{Kind: "note", Text: "The program calls " + o.Location.Symbol + "."})
	case p.pkg != "":
		o.Confidence = imported
		o.Evidence = append(o.Evidence, exposure.Evidence{Kind: "note", Text: "The program imports the package " + p.pkg + "."})
	default:
		o.Confidence = required
		o.Evidence = append(o.Evidence, exposure.Evidence{Kind: "note", Text: "The program requires the module."})
	}
	if len(p.frames) > 1 {
		o.Evidence = append(o.Evidence, exposure.Evidence{Kind: "path", Text: strings.Join(p.frames, "\n")})
	}
	if o.Confidence != called && len(s.back) < maxBack {
		s.back = append(s.back, o)
		return nil
	}
	r.Weakness(o)
	return nil
}

// rest states what was held back: packages before modules.
func (s *stream) rest(r *record.Report) {
	for _, confidence := range []int{imported, required} {
		for _, o := range s.back {
			if o.Confidence == confidence {
				r.Weakness(o)
			}
		}
	}
}
