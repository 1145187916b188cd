package inventory_test

import (
	"context"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"github.com/leeward-ctem/leeward/discover/scan"
	"github.com/leeward-ctem/leeward/discover/scan/inventory"
	"github.com/leeward-ctem/leeward/discover/scan/scantest"
	"github.com/leeward-ctem/leeward/exposure"
	"github.com/leeward-ctem/leeward/intel/match"
)

// kept are advisories of tests: by ecosystem, matchers as the real ones are.
type kept map[string]*match.Matcher

// advise keeps one advisory about the versions of a package below fixed.
func (k kept) advise(ecosystem, name, id, fixed string) {
	b := match.NewBuilder(ecosystem)
	a := match.Affected{Ecosystem: ecosystem, Name: name, Ranges: []match.Range{{
		Semver: ecosystem == "Go", Events: []match.Event{{Kind: match.Introduced, Version: "0"}, {Kind: match.Fixed, Version: fixed}},
	}}}
	if err := b.Add(id, nil, &a); err != nil {
		panic(err)
	}
	k[ecosystem] = b.Matcher()
}

func (k kept) Match(_ context.Context, purls []string) (all inventory.Matched, err error) {
	for _, purl := range purls {
		p, err := match.FromPurl(purl)
		if err != nil {
			all.Unmatched = append(all.Unmatched, inventory.Unmatched{Purl: purl, Reason: err.Error()})
			continue
		}
		m := k[p.Ecosystem]
		if m == nil {
			all.Unmatched = append(all.Unmatched, inventory.Unmatched{Purl: purl, Reason: "not kept"})
			continue
		}
		for _, h := range m.Match(p.Name, p.Version) {
			all.Concerns = append(all.Concerns, inventory.Concern{Purl: purl, ID: h.ID, Names: h.Aliases, Fixed: h.Fixed, Unknown: h.Unknown})
		}
	}
	return all, nil
}

func directory(files fstest.MapFS) scan.Job {
	return scan.Job{Target: scan.Target{Kind: scan.Directory, Name: "project", Files: files}}
}

func texts(files ...string) fstest.MapFS {
	all := fstest.MapFS{}
	for i := 0; i < len(files); i += 2 {
		all[files[i]] = &fstest.MapFile{Data: []byte(files[i+1]), Mode: 0o644}
	}
	return all
}

func TestEcosystems(t *testing.T) {
	t.Parallel()
	const osRelease = "etc/os-release"
	for _, c := range []struct {
		ecosystem, name, fixed string
		file, text             string // with VERSION
		bad, good              string
		other                  []string
		purl                   string // of the bad one
	}{
		{"Go", "example.com/mod", "1.2.0", "go.mod", "module example.com/own\nrequire example.com/mod vVERSION\n", "1.1.0", "1.2.0", nil, "pkg:golang/example.com/mod@1.1.0"},
		{"PyPI", "demo", "2.0", "requirements.txt", "demo==VERSION\n", "1.9", "2.0", nil, "pkg:pypi/demo@1.9"},
		{"npm", "@a/demo", "2.0.0", "package-lock.json", `{"name":"x","lockfileVersion":3,"packages":{"":{"name":"x"},"node_modules/@a/demo":{"version":"VERSION"}}}`, "1.9.0", "2.0.0", nil, "pkg:npm/%40a/demo@1.9.0"},
		{"Debian:12", "demo", "1.2-2", "var/lib/dpkg/status", "Package: libdemo\nStatus: install ok installed\nSource: demo\nArchitecture: amd64\nVersion: VERSION\n\n", "1.2-1", "1.2-2", []string{osRelease, "ID=debian\nVERSION_ID=12\nVERSION_CODENAME=bookworm\n"}, "pkg:deb/debian/libdemo@1.2-1?arch=amd64&distro=bookworm&upstream=demo"},
		{"Alpine:v3.20", "demo", "1.2-r2", "lib/apk/db/installed", "P:libdemo\nV:VERSION\nA:x86_64\no:demo\nL:MIT\n\n", "1.2-r1", "1.2-r2", []string{osRelease, "ID=alpine\nVERSION_ID=3.20.1\n"}, "pkg:apk/alpine/libdemo@1.2-r1?arch=x86_64&distro=3.20.1&upstream=demo"},
		{"npm", "demo", "2.0.0", "yarn.lock", "# yarn lockfile v1\n\ndemo@^1.0.0:\n  version \"VERSION\"\n  resolved \"https://registry.example/demo.tgz\"\n", "1.9.0", "2.0.0", nil, "pkg:npm/demo@1.9.0"},
		{"npm", "demo", "2.0.0", "pnpm-lock.yaml", "lockfileVersion: '9.0'\n\npackages:\n\n  demo@VERSION:\n    resolution: {integrity: sha512-x}\n", "1.9.0", "2.0.0", nil, "pkg:npm/demo@1.9.0"},
		{"npm", "demo", "2.0.0", "node_modules/demo/package.json", `{"name":"demo","version":"VERSION","license":"MIT"}`, "1.9.0", "2.0.0", nil, "pkg:npm/demo@1.9.0"},
		{"PyPI", "demo", "2.0", "poetry.lock", "[[package]]\nname = \"demo\"\nversion = \"VERSION\"\n", "1.9", "2.0", nil, "pkg:pypi/demo@1.9"},
		{"PyPI", "demo", "2.0", "Pipfile.lock", `{"default":{"demo":{"version":"==VERSION"}}}`, "1.9", "2.0", nil, "pkg:pypi/demo@1.9"},
		{"PyPI", "demo", "2.0", "uv.lock", "version = 1\n[[package]]\nname = \"demo\"\nversion = \"VERSION\"\nsource = { registry = \"https://pypi.example/simple\" }\n", "1.9", "2.0", nil, "pkg:pypi/demo@1.9"},
		{"PyPI", "demo", "2.0", "pdm.lock", "[[package]]\nname = \"demo\"\nversion = \"VERSION\"\n", "1.9", "2.0", nil, "pkg:pypi/demo@1.9"},
		{"PyPI", "demo", "2.0", "lib/demo.dist-info/METADATA", "Metadata-Version: 2.1\nName: Demo\nVersion: VERSION\n\n", "1.9", "2.0", nil, "pkg:pypi/demo@1.9"},
		{"crates.io", "demo", "2.0.0", "Cargo.lock", "version = 3\n[[package]]\nname = \"demo\"\nversion = \"VERSION\"\n", "1.9.0", "2.0.0", nil, "pkg:cargo/demo@1.9.0"},
		{"Packagist", "acme/demo", "2.0.0", "composer.lock", `{"packages":[{"name":"acme/demo","version":"VERSION"}]}`, "1.9.0", "2.0.0", nil, "pkg:composer/acme/demo@1.9.0"},
		{"RubyGems", "demo", "2.0.0", "Gemfile.lock", "GEM\n  remote: https://gems.example/\n  specs:\n    demo (VERSION)\n\nPLATFORMS\n  ruby\n\nDEPENDENCIES\n  demo\n", "1.9.0", "2.0.0", nil, "pkg:gem/demo@1.9.0"},
		{"Maven", "org.example:Demo", "2.0", "gradle.lockfile", "org.example:Demo:VERSION=compileClasspath\nempty=\n", "1.9", "2.0", nil, "pkg:maven/org.example/Demo@1.9"},
		{"Maven", "org.example:demo", "2.0", "pom.xml", "<project><properties><v>VERSION</v></properties><groupId>org.example</groupId><dependencies><dependency><groupId>${project.groupId}</groupId><artifactId>demo</artifactId><version>${v}</version></dependency></dependencies></project>", "1.9", "2.0", nil, "pkg:maven/org.example/demo@1.9"},
		{"NuGet", "Demo", "2.0.0", "packages.lock.json", `{"version":1,"dependencies":{"net8.0":{"Demo":{"type":"Direct","resolved":"VERSION"}}}}`, "1.9.0", "2.0.0", nil, "pkg:nuget/Demo@1.9.0"},
		{"NuGet", "Demo", "2.0.0", "packages.config", `<packages><package id="Demo" version="VERSION" /></packages>`, "1.9.0", "2.0.0", nil, "pkg:nuget/Demo@1.9.0"},
		{"NuGet", "Demo", "2.0.0", "app.deps.json", `{"libraries":{"Demo/VERSION":{"type":"package"}}}`, "1.9.0", "2.0.0", nil, "pkg:nuget/Demo@1.9.0"},
		{"Hex", "demo", "2.0.0", "mix.lock", "%{\n  \"demo\": {:hex, :demo, \"VERSION\", \"aa\", [:mix], [], \"hexpm\", \"bb\"},\n}\n", "1.9.0", "2.0.0", nil, "pkg:hex/demo@1.9.0"},
		{"Pub", "demo", "2.0.0", "pubspec.lock", "packages:\n  demo:\n    dependency: \"direct main\"\n    source: hosted\n    version: \"VERSION\"\n", "1.9.0", "2.0.0", nil, "pkg:pub/demo@1.9.0"},
		{"ConanCenter", "demo", "2.0.0", "conan.lock", `{"version":"0.5","requires":["demo/VERSION#aa%1.0"]}`, "1.9.0", "2.0.0", nil, "pkg:conan/demo@1.9.0"},
		{"npm", "demo", "2.0.0", "bom.cdx.json", `{"bomFormat":"CycloneDX","specVersion":"1.6","components":[{"type":"library","name":"demo","version":"VERSION","purl":"pkg:npm/demo@VERSION"}]}`, "1.9.0", "2.0.0", nil, "pkg:npm/demo@1.9.0"},
		{"npm", "demo", "2.0.0", "bom.spdx.json", `{"spdxVersion":"SPDX-2.3","dataLicense":"CC0-1.0","SPDXID":"SPDXRef-DOCUMENT","name":"x","documentNamespace":"urn:x","creationInfo":{"created":"2026-01-01T00:00:00Z","creators":["Tool: x"]},"packages":[{"name":"demo","SPDXID":"SPDXRef-a","downloadLocation":"NOASSERTION","versionInfo":"VERSION","externalRefs":[{"referenceCategory":"PACKAGE-MANAGER","referenceType":"purl","referenceLocator":"pkg:npm/demo@VERSION"}]}]}`, "1.9.0", "2.0.0", nil, "pkg:npm/demo@1.9.0"},
	} {
		t.Run(c.file, func(t *testing.T) {
			t.Parallel()
			k := kept{}
			k.advise(c.ecosystem, c.name, "TEST-1", c.fixed)
			for version, want := range map[string][]string{c.bad: {"TEST-1"}, c.good: {}} {
				files := texts(append([]string{c.file, strings.ReplaceAll(c.text, "VERSION", version)}, c.other...)...)
				all, errs := scantest.Run(t, inventory.New(k), directory(files))
				if len(errs) > 0 {
					t.Errorf("%s: %v", version, errs)
				}
				if diff := cmp.Diff(want, scantest.Rules(all)); diff != "" {
					t.Errorf("%s (-want +got):\n%s\n%+v", version, diff, all)
				}
				if !scantest.Covered(all, "inventory", "", exposure.Location{}) {
					t.Errorf("%s: nothing is covered", version)
				}
				for _, o := range all {
					if o.Kind == exposure.ObservedWeakness && (o.Component.Purl != c.purl || o.Location.File != c.file || o.Component.Fixed != c.fixed) {
						t.Errorf("%s: %+v", version, o)
					}
				}
			}
		})
	}
}
