package trivy

import (
	"slices"
	"strings"

	"github.com/package-url/packageurl-go"
)

// packageURL makes the package URL of a package in a result of the given
// type, as Trivy itself does since version 0.48. It is empty for a type that
// has none.
func packageURL(kind, name, version string) string {
	if name == "" {
		return ""
	}
	system, namespace := systemPackage(kind)
	if system != "" {
		return packageurl.NewPackageURL(system, namespace, name, version, nil, "").ToString()
	}
	ecosystem := languagePackage(kind)
	switch ecosystem {
	case "":
		return ""
	case packageurl.TypeMaven:
		if group, artifact, ok := strings.Cut(name, ":"); ok {
			namespace, name = group, artifact
		}
	case packageurl.TypePyPi:
		name = strings.ToLower(strings.ReplaceAll(name, "_", "-"))
	case packageurl.TypeNPM, packageurl.TypeGolang, packageurl.TypeComposer, packageurl.TypeSwift, packageurl.TypeConan:
		if i := strings.LastIndexByte(name, '/'); i >= 0 {
			namespace, name = name[:i], name[i+1:]
		}
	}
	return packageurl.NewPackageURL(ecosystem, namespace, name, version, nil, "").ToString()
}

// systemPackage maps the family of an operating system to type and namespace.
func systemPackage(kind string) (ecosystem, namespace string) {
	switch kind {
	case "alpine", "wolfi", "chainguard", "minimos", "postmarketos":
		return "apk", kind
	case "debian", "ubuntu", "echo":
		return "deb", kind
	case "redhat", "centos", "rocky", "alma", "oracle", "amazon", "fedora", "photon", "azurelinux", "cbl-mariner", "bottlerocket":
		return "rpm", kind
	}
	if family, _, _ := strings.Cut(kind, "."); family == "opensuse" || family == "suse" || family == "sles" || family == "slem" {
		return "rpm", family
	}
	if strings.HasPrefix(kind, "opensuse-") || strings.HasPrefix(kind, "suse ") {
		return "rpm", kind[:strings.IndexAny(kind, "- ")]
	}
	return "", ""
}

func osType(kind string) bool {
	system, _ := systemPackage(kind)
	return system != "" || kind == "windows"
}

// languagePackage maps the type of a file with packages to the type of its
// package URLs.
func languagePackage(kind string) string {
	for _, e := range []struct {
		purl  string
		types []string
	}{
		{packageurl.TypeMaven, []string{"jar", "pom", "gradle", "sbt"}},
		{packageurl.TypeNPM, []string{"npm", "yarn", "pnpm", "bun", "node-pkg", "javascript"}},
		{packageurl.TypePyPi, []string{"pip", "pipenv", "poetry", "uv", "pylock", "python-pkg"}},
		{packageurl.TypeGolang, []string{"gomod", "gobinary"}},
		{packageurl.TypeGem, []string{"bundler", "gemspec"}},
		{packageurl.TypeNuget, []string{"nuget", "dotnet-core", "packages-props", "nuget-config"}},
		{packageurl.TypeCargo, []string{"cargo", "rustbinary", "rust-binary"}},
		{packageurl.TypeComposer, []string{"composer", "composer-vendor"}},
		{packageurl.TypeConan, []string{"conan"}},
		{packageurl.TypeConda, []string{"conda-pkg", "conda-environment"}},
		{packageurl.TypePub, []string{"pub"}},
		{packageurl.TypeHex, []string{"hex", "mix-lock"}},
		{packageurl.TypeSwift, []string{"swift"}},
		{packageurl.TypeCocoapods, []string{"cocoapods"}},
		{packageurl.TypeJulia, []string{"julia"}},
		{packageurl.TypeBitnami, []string{"bitnami"}},
	} {
		if slices.Contains(e.types, kind) {
			return e.purl
		}
	}
	return ""
}
