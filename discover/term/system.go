package term

import "strings"

// systems are the type of the packages of each distribution and their
// namespace, by the word that its name begins with.
var systems = map[string][2]string{
	"debian": {"deb", "debian"}, "ubuntu": {"deb", "ubuntu"},
	"alpine": {"apk", "alpine"}, "wolfi": {"apk", "wolfi"}, "chainguard": {"apk", "chainguard"},
	"rhel": {"rpm", "redhat"}, "redhat": {"rpm", "redhat"}, "red": {"rpm", "redhat"}, "centos": {"rpm", "centos"}, "rocky": {"rpm", "rocky"}, "rockylinux": {"rpm", "rocky"},
	"alma": {"rpm", "alma"}, "almalinux": {"rpm", "alma"}, "oracle": {"rpm", "oracle"}, "ol": {"rpm", "oracle"}, "amazon": {"rpm", "amazon"}, "amzn": {"rpm", "amazon"},
	"amazonlinux": {"rpm", "amazon"}, "fedora": {"rpm", "fedora"}, "photon": {"rpm", "photon"}, "suse": {"rpm", "suse"}, "sles": {"rpm", "suse"}, "opensuse": {"rpm", "opensuse"},
	"mariner": {"rpm", "cbl-mariner"}, "cbl": {"rpm", "cbl-mariner"}, "azurelinux": {"rpm", "azurelinux"},
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
	if system[0] == "" || name == "" || strings.ContainsAny(name, "/") {
		return ""
	}
	return Purl(system[0], system[1]+"/"+name, version)
}
