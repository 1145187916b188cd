package term

import (
	"strings"

	"github.com/leeward-ctem/leeward/exposure"
)

// Image is the asset of a container image by its name: repository:tag,
// repository@digest or both. What follows a space, as Trivy writes the system
// behind it, is no part of the name.
func Image(name string) exposure.AssetRef {
	name, _, _ = strings.Cut(strings.TrimSpace(name), " ")
	a := exposure.AssetRef{Kind: exposure.AssetImage}
	AddImage(&a, name)
	if len(a.Identifiers) == 0 {
		return exposure.AssetRef{}
	}
	return a
}

// Untagged is the name of a container image without its tag and digest.
func Untagged(image string) string {
	image, _, _ = strings.Cut(strings.TrimSpace(image), " ")
	image, _, _ = strings.Cut(image, "@")
	if i := strings.LastIndexByte(image, ':'); i > strings.LastIndexByte(image, '/') {
		image = image[:i]
	}
	return image
}

// systems are the type of the packages of each distribution and their
// namespace, by the word that its name begins with.
var systems = map[string][2]string{
	"debian": {"deb", "debian"}, "ubuntu": {"deb", "ubuntu"},
	"alpine": {"apk", "alpine"}, "wolfi": {"apk", "wolfi"}, "chainguard": {"apk", "chainguard"},
	"rhel": {"rpm", "redhat"}, "redhat": {"rpm", "redhat"}, "red": {"rpm", "redhat"}, "centos": {"rpm", "centos"}, "rocky": {"rpm", "rocky"}, "rockylinux": {"rpm", "rocky"},
	"alma": {"rpm", "alma"}, "almalinux": {"rpm", "alma"}, "oracle": {"rpm", "oracle"}, "ol": {"rpm", "oracle"}, "amazon": {"rpm", "amazon"}, "amzn": {"rpm", "amazon"},
	"amazonlinux": {"rpm", "amazon"}, "fedora": {"rpm", "fedora"}, "photon": {"rpm", "photon"}, "suse": {"rpm", "suse"}, "sles": {"rpm", "suse"}, "opensuse": {"rpm", "opensuse"},
	"mariner": {"rpm", "cbl-mariner"}, "cbl": {"rpm", "cbl-mariner"}, "azurelinux": {"rpm", "azurelinux"},
	"bottlerocket": {"rpm", "bottlerocket"},
}

// SystemPurl is the package URL of a package of a distribution, as a scanner
// calls it: "rhel:8", "Debian GNU/Linux 12 (bookworm)", "alpine-3.19.1",
// "AMAZON_LINUX_2". It is "" for what is no distribution that is known.
func SystemPurl(distribution, name, version string) string {
	word := strings.ToLower(strings.TrimSpace(distribution))
	if i := strings.IndexFunc(word, func(r rune) bool { return r < 'a' || r > 'z' }); i >= 0 {
		word = word[:i]
	}
	system := systems[word]
	if name = strings.TrimSpace(name); system[0] == "" || name == "" || strings.ContainsAny(name, " /:@?#\n\t") {
		return ""
	}
	return Purl(system[0], system[1]+"/"+name, version)
}
