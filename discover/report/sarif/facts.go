package sarif

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/leeward-ctem/leeward/discover/decode"
	"github.com/leeward-ctem/leeward/discover/term"
	"github.com/leeward-ctem/leeward/exposure"
)

// facts is what a run says besides its results.
type facts struct {
	run        exposure.Run
	driver     component
	extensions []component
	shared     map[string]string // globalMessageStrings
	taxonomies []taxonomy
	artifacts  []artifactLocation
	logicals   []string
	bases      map[string]artifactLocation
	repository []provenance
	image      exposure.AssetRef
	directory  artifactLocation
	overrides  map[string]settings
	successful bool // an invocation says so
	troubled   bool // an error was reported

	roots  []string          // see settle
	chosen string            // address of the repository that was asked for last
	home   exposure.AssetRef // which it is
}

// taxonomy is a classification such as CWE.
type taxonomy struct {
	name string
	ids  []string
}

func newFacts() *facts { return &facts{run: exposure.Run{Tool: "sarif"}} }

// named sets the tool's name and version.
func (f *facts) named(name, version string) {
	if name = strings.ToLower(term.OneLine(name)); name != "" {
		f.run.Tool = name
	}
	if version != "" {
		f.run.Version = version
	}
}

// invoked takes up how the tool ran.
func (f *facts) invoked(v *invocation) {
	start := timestamp(cmp.Or(v.Start, v.StartTime))
	end := timestamp(cmp.Or(v.End, v.EndTime))
	if !start.IsZero() && (f.run.Started.IsZero() || start.Before(f.run.Started)) {
		f.run.Started = start
	}
	if end.After(f.run.Finished) {
		f.run.Finished = end
	}
	if f.directory == (artifactLocation{}) {
		f.directory = v.Directory
	}
	failure := cmp.Or(v.StartFailure.trim(), v.Exit.trim())
	for _, n := range v.Notifications {
		if n.Level.trim() == "error" {
			f.troubled = true
			failure = cmp.Or(failure, term.OneLine(n.Message.plain()))
		}
	}
	switch v.Successful.trim() {
	case "true":
		f.successful = true
	case "false":
		f.run.Failed = true
		f.run.Failure = cmp.Or(f.run.Failure, failure)
	}
	for _, o := range v.Overrides[:min(len(v.Overrides), maxKept)] {
		if id := o.Descriptor.ID.trim(); id != "" {
			if f.overrides == nil {
				f.overrides = map[string]settings{}
			}
			f.overrides[id] = o.Configuration
		}
	}
}

func timestamp(t text) time.Time {
	return term.Date(t.trim())
}

// scanned takes up the image that Trivy names in the properties of a run.
func (f *facts) scanned(raw jsontext.Value) {
	var bag struct {
		ImageName   text   `json:"imageName"`
		ImageID     text   `json:"imageID"`
		RepoTags    []text `json:"repoTags"`
		RepoDigests []text `json:"repoDigests"`
	}
	if raw.Kind() != '{' || decode.Unmarshal(raw, &bag) != nil {
		return
	}
	ref := exposure.AssetRef{Kind: exposure.AssetImage}
	for _, name := range append([]text{bag.ImageName}, bag.RepoTags...) {
		image, _, _ := strings.Cut(name.trim(), "@")
		if strings.Contains(image[strings.LastIndexByte(image, '/')+1:], ":") && len(ref.Identifiers) < maxTags {
			ref.Add(exposure.IDImage, image)
		}
	}
	for _, digest := range append(bag.RepoDigests, "@"+bag.ImageID) {
		if _, d, _ := strings.Cut(digest.trim(), "@"); strings.HasPrefix(d, "sha256:") && len(ref.Identifiers) < maxTags {
			ref.Add(exposure.IDDigest, d)
		}
	}
	if len(ref.Identifiers) > 0 {
		f.image = ref
	}
}

// asset is what the run examined: the repository that a base of its locations
// belongs to, else the first one, else an image.
func (f *facts) asset(base string) exposure.AssetRef {
	chosen := ""
	for i := range f.repository {
		uri := f.repository[i].uri()
		if uri == "" {
			continue
		}
		if mapped := f.repository[i].MappedTo.URIBaseID.trim(); mapped != "" && f.under(base, mapped) {
			chosen = uri
			break
		}
		if chosen == "" {
			chosen = uri
		}
	}
	if chosen == "" {
		return f.image
	}
	if f.chosen != chosen {
		ref := exposure.AssetRef{Kind: exposure.AssetRepository}
		ref.Add(exposure.IDRepository, chosen)
		ref.Identifiers = slices.Clip(ref.Identifiers) // results share it
		f.chosen, f.home = chosen, ref
	}
	if len(f.home.Identifiers) == 0 {
		return f.image
	}
	return f.home
}

func (p *provenance) uri() string { return cmp.Or(p.Repository.trim(), p.RepositoryOld.trim()) }

// cwes returns the weaknesses among references to taxonomies.
func (f *facts) cwes(list []int, refs []reference) []int {
	for _, r := range refs[:min(len(refs), maxTags)] {
		id := r.ID.trim()
		name := r.ToolComponent.Name.trim()
		if i := r.ToolComponent.Index.index(); i >= 0 && i < len(f.taxonomies) {
			t := &f.taxonomies[i]
			name = cmp.Or(name, t.name)
			if n := r.Index.index(); id == "" && n >= 0 && n < len(t.ids) {
				id = t.ids[n]
			}
		} else if n := r.Index.index(); id == "" && n >= 0 {
			for _, t := range f.taxonomies {
				if t.name == name && n < len(t.ids) {
					id = t.ids[n]
				}
			}
		}
		if strings.HasPrefix(strings.ToUpper(name), "CWE") && !strings.HasPrefix(strings.ToUpper(id), "CWE") {
			id = "CWE-" + id
		}
		list = appendCWE(list, id)
	}
	return list
}
