// Package kubescape reads the JSON reports of Kubescape, which checks clusters
// and manifests against controls: the format of versions 2 and 3, and what
// version 1 wrote.
//
// A weakness is a rule of a control that a resource fails. In a cluster the
// resource is the asset, and each control that was evaluated for it is covered.
// Of manifests the resource is a place in a file of the repository, and nothing
// is covered: what was left out is not said.
package kubescape

import (
	"cmp"
	"context"
	"errors"
	"io"
	"iter"
	"strconv"
	"strings"

	"github.com/leeward-ctem/leeward/discover/decode"
	"github.com/leeward-ctem/leeward/discover/record"
	"github.com/leeward-ctem/leeward/discover/term"
	"github.com/leeward-ctem/leeward/exposure"
)

// Reader reads Kubescape reports. See
// https://kubescape.io/docs/scanning/
type Reader struct{}

// Name implements discover.Reader.
func (Reader) Name() string { return "kubescape" }

// Describe implements discover.Described.
func (Reader) Describe() (title, docs string) {
	return "Kubescape (JSON)", "https://kubescape.io/docs/scanning/"
}

// Sniff implements discover.Reader.
func (Reader) Sniff(h *decode.Head) bool {
	return h.Has("customerGUID", "clusterAPIServerInfo") || h.Has("reportGUID", "clusterName") || h.Has("clusterAPIServerInfo", "metadata.targetMetadata") ||
		h.Has("summaryDetails.controls", "summaryDetails.frameworks") || h.Has("results[].controls[].controlID") ||
		h.Has("controlReports[].ruleReports") || h.Has("[].controlReports[].ruleReports") || h.Has("frameworks[].controlReports[].ruleReports")
}

// Read implements discover.Reader.
func (Reader) Read(ctx context.Context, r io.Reader) iter.Seq2[exposure.Observation, error] {
	s := &scan{controls: map[string]control{}, resources: map[string]resource{}}
	return record.Spec{
		Tool: "kubescape",
		About: func(top record.Value, run *exposure.Run) {
			run.Version = top.Text("metadata.scanMetadata.kubescapeVersion", "kubescapeVersion")
			run.Finished = top.Time("generationTime")
		},
		First: []string{"summaryDetails.controls{}", "resources[]"},
		Records: map[string]record.Handler{
			"summaryDetails.controls{}":     s.control,
			"resources[]":                   s.resource,
			"results[]":                     s.result,
			"controlReports[]":              report, // of version 1
			"[].controlReports[]":           report,
			"frameworks[].controlReports[]": report,
		},
	}.Read(ctx, r)
}

// scan is what the report says besides its results.
type scan struct {
	controls  map[string]control
	resources map[string]resource
}

// Bounds of what is kept of them.
const (
	maxControls  = 10_000
	maxResources = 200_000
)

type control struct {
	name, status string
	severity     exposure.Severity
}

// resource is where a resource is defined.
type resource struct{ kind, namespace, name, file string }

func (s *scan) control(_ *record.Report, v record.Value) error {
	if id := cmp.Or(v.Text("controlID"), v.Key); len(s.controls) < maxControls {
		s.controls[id] = control{name: v.Text("name"), status: status(v), severity: severity(v)}
	}
	return nil
}

func (s *scan) resource(_ *record.Report, v record.Value) error {
	if id := v.Text("resourceID"); id != "" && len(s.resources) < maxResources {
		s.resources[id] = resource{
			kind: v.Text("object.kind"), namespace: v.Text("object.metadata.namespace", "object.namespace"), name: v.Text("object.metadata.name", "object.name"),
			file: v.Text("source.relativePath", "object.sourcePath", "source.path"),
		}
	}
	return nil
}

// status is what a control or a rule says of itself; versions wrote a text or an
// object.
func status(v record.Value) string {
	at := v.At("status")
	if !at.IsObject() {
		at = v.At("statusInfo")
	}
	if at.IsObject() {
		return at.Text("status")
	}
	return v.Text("status")
}

// severity is the word, or what Kubescape makes of the factor of a control.
func severity(v record.Value) exposure.Severity {
	if word := term.Severity(v.Text("severity")); word != exposure.SeverityUnknown {
		return word
	}
	factor, err := strconv.ParseFloat(v.Text("scoreFactor", "baseScore"), 64)
	switch {
	case err != nil, factor < 1:
		return exposure.SeverityUnknown
	case factor < 4:
		return exposure.SeverityLow
	case factor < 7:
		return exposure.SeverityMedium
	case factor < 9:
		return exposure.SeverityHigh
	}
	return exposure.SeverityCritical
}

// result states which controls a resource fails.
func (s *scan) result(r *record.Report, v record.Value) error {
	id := v.Text("resourceID")
	asset, at := s.place(r, id)
	for c := range v.List("controls") {
		rule := c.Text("controlID")
		about, known := s.controls[rule]
		if !known && r.Cut() {
			return errCut
		}
		if word := severity(c); word != exposure.SeverityUnknown {
			about.severity = word
		}
		evaluated := true
		for e := range c.List("rules") {
			word := status(e)
			if word == "" {
				return errStatus
			}
			if word == "skipped" || word == "irrelevant" || word == "error" {
				evaluated = false
			}
			state, failed := verdict(e, word)
			if !failed {
				continue
			}
			o := exposure.Observation{
				Class: class, Asset: asset, State: state, Rule: rule, Title: cmp.Or(c.Text("name"), about.name, rule), Severity: about.severity,
				Detection: exposure.DetectionStatic, Location: at, References: reference(rule),
			}
			o.Location.Symbol = e.Text("name")
			o.Evidence, o.Solution = paths(e)
			r.Weakness(o)
		}
		if evaluated && asset.Kind == exposure.AssetWorkload && rule != "" && status(c) != "skipped" {
			r.Covered(asset, class, rule)
		}
	}
	return nil
}

// report states what fails a control, as version 1 wrote it.
func report(r *record.Report, v record.Value) error {
	rule := v.Text("controlID", "id")
	for e := range v.List("ruleReports") {
		for answer := range e.List("ruleResponses") {
			word := answer.Text("ruleStatus")
			if word == "" {
				word = "failed" // what is listed failed
			}
			state, failed := verdict(answer, word)
			for object := range answer.List("alertObject.k8sApiObjects") {
				if !failed || !object.Object() {
					continue
				}
				o := exposure.Observation{
					Class: class, State: state, Rule: cmp.Or(rule, v.Text("name")), Title: v.Text("name"), Description: v.Text("description"), Solution: v.Text("remediation"),
					Severity: severity(v), Detection: exposure.DetectionStatic, References: reference(rule),
				}
				it := resource{kind: object.Text("kind"), namespace: object.Text("metadata.namespace"), name: object.Text("metadata.name")}
				o.Location.Resource = strings.TrimPrefix(it.namespace+"/"+it.kind+"/"+it.name, "/")
				o.Location.Symbol = e.Text("name")
				if text := answer.Text("alertMessage"); text != "" {
					o.Evidence = append(o.Evidence, exposure.Evidence{Kind: "output", Text: text})
				}
				if all := answer.Texts("failedPaths"); len(all) > 0 {
					o.Evidence = append(o.Evidence, exposure.Evidence{Kind: "path", Text: strings.Join(all, "\n")})
				}
				r.Weakness(o)
			}
		}
	}
	return nil
}

const class = "misconfig"

var (
	errCut    = errors.New("the report is cut off before it describes a control of this resource")
	errStatus = errors.New("a rule of it has no status")
)

// verdict reads the status of a rule: whether it failed, or would have without
// an exception.
func verdict(rule record.Value, word string) (state exposure.State, failed bool) {
	excepted := rule.Text("subStatus") == "w/exceptions"
	for range rule.List("exception") {
		excepted = true
	}
	switch {
	case word == "failed" && excepted, word == "excluded", word == "passed" && rule.Text("subStatus") == "w/exceptions":
		return exposure.StateSuppressed, true
	}
	return exposure.StatePresent, word == "failed" || word == "warning"
}

// place is the asset of a resource and where it is there. The id of a resource
// in a cluster is group/version/namespace/kind/name, with empty parts; that of
// one in a file begins with a hash of its path.
func (s *scan) place(r *record.Report, id string) (asset exposure.AssetRef, at exposure.Location) {
	it, known := s.resources[id]
	inFile := strings.HasPrefix(id, "path=") || strings.Contains(id, "/path=") || it.file != ""
	if !known || it.kind == "" {
		it = parse(id, it.file)
	}
	at.Resource = strings.TrimPrefix(it.namespace+"/"+it.kind+"/"+it.name, "/")
	if it.kind == "" || it.name == "" {
		at.Resource = id
	} else if name := cluster(r.Top()); name != "" && !inFile {
		asset.Kind, at.Resource = exposure.AssetWorkload, related(id, it)
		asset.Add(exposure.IDWorkload, name+"/"+it.namespace+"/"+it.kind+"/"+it.name)
		return asset, at
	} else if more := related(id, it); more != "" {
		at.Resource += "/" + more
	}
	if !inFile {
		return asset, at
	}
	at.File = term.File(it.file)
	repo := r.Top().At("metadata.targetMetadata.gitRepoContextMetadata")
	if !repo.IsObject() {
		repo = r.Top().At("metadata.targetMetadata.repoContextMetadata")
	}
	if owner, name := repo.Text("owner"), repo.Text("repo"); owner != "" && name != "" {
		asset.Kind = exposure.AssetRepository
		if url := repo.Text("remoteURL"); strings.Contains(url, "://") || strings.Contains(url, "@") {
			asset.Add(exposure.IDRepository, url)
		} else {
			asset.Add(exposure.IDRepository, host(repo.Text("provider"))+"/"+owner+"/"+name)
		}
	}
	return asset, at
}

// related are the resources behind the one that an id is of: the roles and
// bindings that make what a subject may do.
func related(id string, it resource) string {
	_, rest, ok := strings.Cut(id, "/"+it.kind+"/"+it.name+"/")
	if !ok {
		return ""
	}
	var all []string
	for part := range strings.SplitSeq(rest, "/") {
		if part != "" && !strings.HasPrefix(part, "path=") { // which is a hash of a place on a disk
			all = append(all, strings.TrimPrefix(part, "api="))
		}
	}
	return strings.Join(all, "/")
}

// host is that of a provider of repositories.
func host(provider string) string {
	switch provider {
	case "gitlab":
		return "gitlab.com"
	case "bitbucket":
		return "bitbucket.org"
	case "azure":
		return "dev.azure.com"
	}
	return "github.com"
}

// parse reads the id of a resource from its end.
func parse(id, file string) resource {
	parts := strings.Split(id, "/")
	it := resource{file: file}
	if n := len(parts); n >= 3 {
		it.namespace, it.kind, it.name = parts[n-3], parts[n-2], parts[n-1]
	}
	return it
}

func cluster(top record.Value) string {
	for _, path := range []string{"clusterName", "metadata.targetMetadata.clusterContextMetadata.contextName", "metadata.clusterMetadata.contextName", "metadata.contextMetadata.clusterContextMetadata.contextName"} {
		if name := top.Text(path); name != "" {
			return name
		}
	}
	return ""
}

// reference is the page of a control of Kubescape.
func reference(rule string) []string {
	if strings.HasPrefix(rule, "C-") && len(rule) < 20 {
		return term.Links("https://hub.armosec.io/docs/" + strings.ToLower(rule))
	}
	return nil
}

// maxPaths bounds the paths that are kept of a rule.
const maxPaths = 100

// paths is what failed in a resource, and what would help.
func paths(rule record.Value) (found []exposure.Evidence, solution string) {
	var failed, fixes []string
	for p := range rule.List("paths") {
		if !p.IsObject() || len(failed)+len(fixes) >= maxPaths {
			continue
		}
		if path := p.Text("failedPath", "reviewPath", "deletePath"); path != "" {
			failed = append(failed, path)
		}
		if fix := p.Text("fixPath.path"); fix != "" {
			fixes = append(fixes, strings.TrimSuffix(fix+"="+p.Text("fixPath.value"), "="))
		}
		if fix := p.Text("fixCommand"); fix != "" {
			fixes = append(fixes, fix)
		}
	}
	if len(failed) > 0 {
		found = []exposure.Evidence{{Kind: "path", Text: strings.Join(failed, "\n")}}
	}
	if len(fixes) > 0 {
		solution = "Set or change: " + strings.Join(fixes, ", ")
	}
	return found, solution
}
