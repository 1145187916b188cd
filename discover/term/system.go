package term

import (
	"strings"

	"github.com/package-url/packageurl-go"

	"github.com/leeward-ctem/leeward/exposure"
)

// Image is the asset of a container image by its name: repository:tag,
// repository@digest or both. What follows a space, as Trivy writes the system
// behind it, is no part of the name.
func Image(name string) exposure.AssetRef {
	a := exposure.AssetRef{Kind: exposure.AssetImage}
	name, _, _ = strings.Cut(strings.TrimSpace(name), " ")
	repository, digest, pinned := strings.Cut(name, "@")
	tagged := strings.Contains(repository[strings.LastIndexByte(repository, '/')+1:], ":")
	if pinned {
		a.Add(exposure.IDDigest, digest)
	}
	if tagged || !pinned {
		a.Add(exposure.IDImage, repository)
	} else {
		a.Name = repository // it holds many images, so it is no identity
	}
	if len(a.Identifiers) == 0 {
		return exposure.AssetRef{}
	}
	return a
}

// Repository is the name of a container image without its tag and digest.
func Repository(image string) string {
	image, _, _ = strings.Cut(strings.TrimSpace(image), " ")
	image, _, _ = strings.Cut(image, "@")
	if i := strings.LastIndexByte(image, ':'); i > strings.LastIndexByte(image, '/') {
		image = image[:i]
	}
	return image
}

// systems are operating systems by the letters that their names begin with, the
// longer first, with the type and the namespace of their package URLs.
var systems = []struct{ name, kind, namespace string }{
	{"debian", "deb", "debian"}, {"ubuntu", "deb", "ubuntu"},
	{"alpine", "apk", "alpine"}, {"wolfi", "apk", "wolfi"}, {"chainguard", "apk", "chainguard"},
	{"redhat", "rpm", "redhat"}, {"rhel", "rpm", "redhat"}, {"centos", "rpm", "centos"}, {"rocky", "rpm", "rocky"}, {"alma", "rpm", "alma"},
	{"amazon", "rpm", "amazon"}, {"amzn", "rpm", "amazon"}, {"oracle", "rpm", "oracle"}, {"fedora", "rpm", "fedora"}, {"photon", "rpm", "photon"},
	{"opensuse", "rpm", "opensuse"}, {"suse", "rpm", "suse"}, {"sles", "rpm", "sles"}, {"cblmariner", "rpm", "cbl-mariner"}, {"azurelinux", "rpm", "azurelinux"},
	{"bottlerocket", "rpm", "bottlerocket"},
}

// SystemPurl is the package URL of a package of an operating system, as a
// scanner calls it with or without a version: "debian 12.1", "UBUNTU_22_04". It
// is "" for a system that is not known, and for what cannot be such a package.
func SystemPurl(system, name, version string) string {
	name, version = strings.TrimSpace(name), strings.TrimSpace(version)
	if name == "" || strings.ContainsAny(name, " /:@?#\n\t") {
		return ""
	}
	if strings.ContainsAny(version, " <>=,|*\n\t") {
		version = ""
	}
	system = letters(system)
	for _, s := range systems {
		if strings.HasPrefix(system, s.name) {
			return packageurl.NewPackageURL(s.kind, s.namespace, name, version, nil, "").ToString()
		}
	}
	return ""
}
