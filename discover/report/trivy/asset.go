package trivy

import (
	"regexp"
	"slices"
	"strings"

	"github.com/leeward-ctem/leeward/discover/term"
	"github.com/leeward-ctem/leeward/exposure"
)

// artifact is what a report says of the thing it examined.
type artifact struct {
	name  string
	named bool // the name was read, empty or not
	kind  string
	meta  metadata
}

type metadata struct {
	OS struct {
		Family string
		Name   string
	}
	ImageID     string
	RepoTags    []string
	RepoDigests []string
	RepoURL     string
}

// known reports whether enough was read to know the asset: the metadata comes
// after the name, and there is none for a directory.
func (a *artifact) known() bool { return a.named && a.kind != "" }

// asset names the artifact.
//
// Directories and SBOM files are named by how the scanner was called. A name
// that is the same everywhere ("." or "sbom.json") names nothing, so such an
// asset is left for the import to name.
func (a *artifact) asset() exposure.AssetRef {
	ref := exposure.AssetRef{OS: joinNonEmpty(" ", a.meta.OS.Family, a.meta.OS.Name)}
	image := a.meta.ImageID != "" || len(a.meta.RepoTags) > 0 || len(a.meta.RepoDigests) > 0
	switch {
	case a.kind == "container_image" || image && (a.kind == "cyclonedx" || a.kind == "spdx"):
		ref.Kind = exposure.AssetImage
		if a.kind == "container_image" && !archiveFile(a.name) {
			term.AddImage(&ref, a.name)
		}
		for _, t := range a.meta.RepoTags {
			term.AddImage(&ref, t)
		}
		for _, d := range a.meta.RepoDigests {
			term.AddImage(&ref, d)
		}
		if strings.Contains(a.meta.ImageID, ":") {
			ref.Add(exposure.IDDigest, a.meta.ImageID)
		}
		if slices.ContainsFunc(ref.Identifiers, func(id exposure.Identifier) bool { return id.Kind == exposure.IDImage }) {
			ref.Name = ""
		}
		if len(ref.Identifiers) == 0 && a.name != "" {
			ref.Add(exposure.IDPath, a.name) // an image in a file, without a tag
		}
	case a.kind == "cyclonedx" || a.kind == "spdx":
	case a.kind == "vm":
		ref.Kind = exposure.AssetHost
		ref.Add(exposure.IDName, a.name)
	case a.kind == "rootfs":
		ref.Kind = exposure.AssetHost
		term.Directory(&ref, a.name)
	case a.kind == "aws_account":
		ref.Kind = exposure.AssetCloudResource
		ref.Add(exposure.IDCloud, a.name)
	default: // filesystem, repository
		ref.Kind = exposure.AssetRepository
		switch {
		case a.meta.RepoURL != "":
			ref.Add(exposure.IDRepository, a.meta.RepoURL)
		case cloneAddress(a.name) || a.kind == "repository" && hostFirst(a.name):
			ref.Add(exposure.IDRepository, a.name)
		default:
			term.Directory(&ref, a.name)
		}
	}
	if len(ref.Identifiers) == 0 {
		return exposure.AssetRef{}
	}
	return ref
}

func archiveFile(name string) bool {
	return strings.HasSuffix(name, ".tar") || strings.HasSuffix(name, ".tar.gz") || strings.HasSuffix(name, ".tgz")
}

func cloneAddress(name string) bool {
	return strings.Contains(name, "://") || strings.HasPrefix(name, "git@")
}

// hostFirst reports whether name is like github.com/owner/name.
func hostFirst(name string) bool {
	host, rest, found := strings.Cut(name, "/")
	return found && rest != "" && strings.Contains(strings.Trim(host, "."), ".")
}

// systemSuffix is what follows the name of an image in the target of the
// packages of its operating system: "debian:10 (debian 10.8)".
var systemSuffix = regexp.MustCompile(`^(.+) \(([a-z][\w.-]* [^()]*)\)$`)

func imageTarget(target string) (image, system string, ok bool) {
	m := systemSuffix.FindStringSubmatch(target)
	if m == nil {
		return "", "", false
	}
	return m[1], m[2], true
}

// workload is a resource of a cluster.
type workload struct{ namespace, kind, name string }

func (r workload) asset(cluster string) exposure.AssetRef {
	ref := exposure.AssetRef{Kind: exposure.AssetWorkload}
	if r.kind == "" || r.name == "" {
		return exposure.AssetRef{}
	}
	ref.Add(exposure.IDWorkload, cluster+"/"+r.namespace+"/"+r.kind+"/"+r.name)
	return ref
}

// imageRepository is the image that a target of a workload names, without tag
// and digest, so that a finding outlives a deployment of the next version.
func imageRepository(target string) string {
	image, _, ok := imageTarget(target)
	if !ok {
		return ""
	}
	image, _, _ = strings.Cut(image, "@")
	if term.Tagged(image) {
		image = image[:strings.LastIndexByte(image, ':')]
	}
	return image
}
