package term

import (
	"path"
	"strings"

	"github.com/package-url/packageurl-go"

	"github.com/leeward-ctem/leeward/exposure"
)

// Product is the asset that a package URL names: a container image by its name
// and digest, so that it meets what image scanners say of it, and else the
// package in just this version, because a statement about one version of a
// product says nothing of another. It is zero for what is no package URL.
func Product(purl string) (asset exposure.AssetRef) {
	p, err := packageurl.FromString(strings.TrimSpace(purl))
	if err != nil {
		return exposure.AssetRef{}
	}
	if p.Type == "oci" || p.Type == "docker" {
		if image(&asset, p); len(asset.Identifiers) > 0 {
			return asset
		}
	}
	asset = exposure.AssetRef{Kind: exposure.AssetPackage, Name: strings.TrimSpace(packageName(p) + " " + p.Version)}
	asset.Add(exposure.IDPurl, p.ToString())
	return asset
}

// image names an image. Whether the address of its repository ends in its name
// differs between types and tools.
func image(asset *exposure.AssetRef, p packageurl.PackageURL) {
	asset.Kind = exposure.AssetImage
	qualifiers := p.Qualifiers.Map()
	name := path.Join(p.Namespace, p.Name)
	if at := strings.Trim(qualifiers["repository_url"], "/"); at != "" {
		if _, rest, ok := strings.Cut(at, "://"); ok {
			at = rest
		}
		if name = at; path.Base(at) != p.Name {
			name = path.Join(at, p.Namespace, p.Name)
		}
	}
	tag := qualifiers["tag"]
	if strings.HasPrefix(p.Version, "sha256:") || strings.HasPrefix(p.Version, "sha512:") {
		asset.Add(exposure.IDDigest, p.Version)
	} else if tag == "" {
		tag = p.Version
	}
	if tag != "" {
		asset.Add(exposure.IDImage, name+":"+tag)
	} else if len(asset.Identifiers) == 0 {
		asset.Add(exposure.IDImage, name)
	} else {
		asset.Name = name // many images share it, the digest is the identity
	}
}

// Package is the component that a package URL names.
func Package(purl string) exposure.Component {
	purl = strings.TrimSpace(purl)
	p, err := packageurl.FromString(purl)
	if err != nil {
		return exposure.Component{}
	}
	return exposure.Component{Purl: purl, Name: packageName(p), Version: p.Version}
}

// packageName is the name of a package as its ecosystem writes it.
func packageName(p packageurl.PackageURL) string {
	switch {
	case p.Namespace == "":
		return p.Name
	case p.Type == "maven":
		return p.Namespace + ":" + p.Name
	case p.Type == "npm", p.Type == "golang", p.Type == "composer", p.Type == "github", p.Type == "swift":
		return p.Namespace + "/" + p.Name
	}
	return p.Name
}
