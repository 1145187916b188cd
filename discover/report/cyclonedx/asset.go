package cyclonedx

import (
	"path"
	"slices"
	"strings"

	"github.com/package-url/packageurl-go"

	"github.com/leeward-ctem/leeward/exposure"
)

// asset is what the component of the metadata stands for. A name that is the
// same everywhere ("." for the directory that was scanned) names nothing.
func (c *component) asset() exposure.AssetRef {
	var ref exposure.AssetRef
	name := c.fullName()
	switch c.Type.trim() {
	case "container":
		return c.image()
	case "operating-system", "firmware", "device", "platform":
		ref.Kind = exposure.AssetHost
		ref.Add(exposure.IDName, name)
		if c.Type.trim() == "operating-system" {
			ref.OS = strings.TrimSpace(name + " " + c.Version.trim())
		}
	case "file":
		ref.Kind = exposure.AssetRepository
		if name != "" {
			if dir := path.Clean(strings.ReplaceAll(name, `\`, "/")); dir != "." && dir != "/" && dir != ".." {
				ref.Add(exposure.IDPath, dir)
			}
		}
	default: // application, framework, library …
		ref.Kind = exposure.AssetRepository
		if p, err := packageurl.FromString(c.Purl.trim()); err == nil {
			// Without version and qualifiers: the next release is the same asset.
			ref.Add(exposure.IDPurl, packageurl.NewPackageURL(p.Type, p.Namespace, p.Name, "", nil, "").ToString())
			ref.Name = name
		} else if name != "." && name != "/" {
			ref.Add(exposure.IDName, name)
		}
	}
	if len(ref.Identifiers) == 0 {
		return exposure.AssetRef{}
	}
	return ref
}

// image names a container image. The version of the component is its tag or
// its digest; Trivy and others tell more in properties.
func (c *component) image() exposure.AssetRef {
	ref := exposure.AssetRef{Kind: exposure.AssetImage}
	name, version := c.fullName(), c.Version.trim()
	repository, digest, found := strings.Cut(name, "@")
	if found {
		ref.Add(exposure.IDDigest, digest)
	}
	switch {
	case tagged(repository):
		ref.Add(exposure.IDImage, repository)
	case version != "" && !isDigest(version) && repository != "":
		ref.Add(exposure.IDImage, repository+":"+version)
	}
	if isDigest(version) {
		ref.Add(exposure.IDDigest, version)
	}
	if p, err := packageurl.FromString(c.Purl.trim()); err == nil && isDigest(p.Version) {
		ref.Add(exposure.IDDigest, p.Version)
	}
	for _, p := range c.Properties {
		value := p.Value.trim()
		switch {
		case strings.HasSuffix(string(p.Name), ":RepoTag"):
			ref.Add(exposure.IDImage, value)
		case strings.HasSuffix(string(p.Name), ":RepoDigest"), strings.HasSuffix(string(p.Name), ":ImageID"):
			if _, digest, ok := strings.Cut(value, "@"); ok {
				value = digest
			}
			ref.Add(exposure.IDDigest, value)
		}
	}
	named := slices.ContainsFunc(ref.Identifiers, func(id exposure.Identifier) bool { return id.Kind == exposure.IDImage })
	if !named && repository != "" {
		if len(ref.Identifiers) > 0 {
			ref.Name = repository // many images share it, the digest is the identity
		} else {
			ref.Add(exposure.IDImage, repository)
		}
	}
	if len(ref.Identifiers) == 0 {
		return exposure.AssetRef{}
	}
	return ref
}

func tagged(image string) bool {
	return strings.Contains(image[strings.LastIndexByte(image, '/')+1:], ":")
}

func isDigest(s string) bool {
	return strings.HasPrefix(s, "sha256:") || strings.HasPrefix(s, "sha512:")
}

func (c *component) fullName() string {
	if group := c.Group.trim(); group != "" {
		return group + "/" + c.Name.trim()
	}
	return c.Name.trim()
}

// indexed is what is kept of a component for those that refer to it.
func (c *component) indexed() indexed {
	found := indexed{inventory: !c.service, Component: exposure.Component{
		Purl:    c.Purl.trim(),
		Name:    c.Name.trim(),
		Version: c.Version.trim(),
		License: strings.Join(c.Licenses, ", "),
	}}
	if found.Purl == "" {
		found.Name = c.fullName()
	}
	if found.Name == "" {
		found.Name = c.Ref.trim()
	}
	for _, p := range c.Properties {
		if name := string(p.Name); name == "syft:location:0:path" || strings.HasSuffix(name, ":FilePath") {
			found.Path = p.Value.trim()
			break
		}
	}
	return found
}

// keep remembers the properties that are of use.
func (c *component) keep(p property) {
	name := string(p.Name)
	if len(c.Properties) >= 20 {
		return
	}
	for _, known := range []string{"syft:location:0:path", ":FilePath", ":RepoTag", ":RepoDigest", ":ImageID"} {
		if strings.HasSuffix(name, known) {
			c.Properties = append(c.Properties, p)
			return
		}
	}
}

// licensed adds the first name of a licence that is not empty.
func (c *component) licensed(names ...text) {
	for _, n := range names {
		if s := n.trim(); s != "" && len(c.Licenses) < 20 {
			c.Licenses = append(c.Licenses, s)
			return
		}
	}
}
