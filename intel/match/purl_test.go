package match

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/leeward-ctem/leeward/exposure"
)

var purls = []struct {
	purl string
	want Package
}{
	{"pkg:golang/github.com/Masterminds/goutils@v1.1.0", Package{"Go", "github.com/masterminds/goutils", "v1.1.0"}},
	{"pkg:golang/google.golang.org/genproto@v0.0.0-20240101000000-abcdefabcdef#googleapis/api", Package{"Go", "google.golang.org/genproto", "v0.0.0-20240101000000-abcdefabcdef"}},
	{"pkg:golang/stdlib@1.21.3", Package{"Go", "stdlib", "1.21.3"}},
	{"pkg:golang/std@go1.21.3", Package{"Go", "stdlib", "go1.21.3"}},
	{"pkg:golang/toolchain@1.21.3", Package{"Go", "toolchain", "1.21.3"}},
	{"pkg:npm/lodash@4.17.20", Package{"npm", "lodash", "4.17.20"}},
	{"pkg:npm/%40babel/traverse@7.23.0", Package{"npm", "@babel/traverse", "7.23.0"}},
	{"pkg:npm/@babel/traverse@7.23.0", Package{"npm", "@babel/traverse", "7.23.0"}},
	{"pkg:pypi/Django_Rest@1.11.1", Package{"PyPI", "django-rest", "1.11.1"}},
	{"pkg:maven/org.apache.logging.log4j/log4j-core@2.14.1?type=jar", Package{"Maven", "org.apache.logging.log4j:log4j-core", "2.14.1"}},
	{"pkg:nuget/Newtonsoft.Json@12.0.3", Package{"NuGet", "Newtonsoft.Json", "12.0.3"}},
	{"pkg:cargo/tokio@1.8.0", Package{"crates.io", "tokio", "1.8.0"}},
	{"pkg:gem/rails@6.1.0?platform=java", Package{"RubyGems", "rails", "6.1.0"}},
	{"pkg:composer/Symfony/http-kernel@v4.4.0", Package{"Packagist", "symfony/http-kernel", "v4.4.0"}},
	{"pkg:hex/phoenix@1.5.0", Package{"Hex", "phoenix", "1.5.0"}},
	{"pkg:pub/http@0.13.0", Package{"Pub", "http", "0.13.0"}},
	{"pkg:swift/github.com/apple/swift-nio@2.40.0", Package{"SwiftURL", "github.com/apple/swift-nio", "2.40.0"}},
	{"pkg:conan/openssl@3.0.3", Package{"ConanCenter", "openssl", "3.0.3"}},
	{"pkg:cran/readxl@1.4.0", Package{"CRAN", "readxl", "1.4.0"}},
	{"pkg:githubactions/tj-actions/changed-files@v45.0.7", Package{"GitHub Actions", "tj-actions/changed-files", "v45.0.7"}},
	{"pkg:github/tj-actions/changed-files@v45.0.7", Package{"GitHub Actions", "tj-actions/changed-files", "v45.0.7"}},
	{"pkg:deb/debian/libssl3@3.0.11-1~deb12u1?arch=amd64&upstream=openssl&distro=debian-12", Package{"Debian:12", "openssl", "3.0.11-1~deb12u1"}},
	{"pkg:deb/debian/libgcc-s1@12.2.0-14?upstream=gcc-12%4012.2.0-15&distro=debian-12.4", Package{"Debian:12", "gcc-12", "12.2.0-15"}},
	{"pkg:deb/debian/curl@7.88.1-10?distro=bookworm", Package{"Debian:12", "curl", "7.88.1-10"}},
	{"pkg:deb/ubuntu/bash@5.1-6?distro=ubuntu-22.04", Package{"Ubuntu:22.04:LTS", "bash", "5.1-6"}},
	{"pkg:deb/ubuntu/bash@5.1-6?distro=mantic", Package{"Ubuntu:23.10", "bash", "5.1-6"}},
	{"pkg:apk/alpine/busybox@1.36.1-r15?distro=alpine-3.19.1", Package{"Alpine:v3.19", "busybox", "1.36.1-r15"}},
	{"pkg:apk/alpine/ssl_client@1.36.1-r15?upstream=busybox&distro=3.19.1", Package{"Alpine:v3.19", "busybox", "1.36.1-r15"}},
	{"pkg:apk/alpine/busybox@1.36.1-r15?distro=alpine-edge", Package{"Alpine:edge", "busybox", "1.36.1-r15"}},
	{"pkg:apk/wolfi/bash@5.2-r0", Package{"Wolfi", "bash", "5.2-r0"}},
	{"pkg:rpm/redhat/openssl@3.0.7-6.el9?arch=x86_64&epoch=1&upstream=openssl-3.0.7-6.el9.src.rpm&distro=rhel-9.2", Package{"Red Hat:enterprise_linux:9", "openssl", "1:3.0.7-6.el9"}},
	{"pkg:rpm/almalinux/bash@5.1.8-6.el9?distro=almalinux-9.2", Package{"AlmaLinux:9", "bash", "5.1.8-6.el9"}},
	{"pkg:rpm/rocky/bash@5.1.8-6.el9?distro=rocky-9.2", Package{"Rocky Linux:9", "bash", "5.1.8-6.el9"}},
	{"pkg:rpm/suse/bash@5.1?distro=sles-15.5", Package{"SUSE:Linux Enterprise Server 15 SP5", "bash", "5.1"}},
	{"pkg:rpm/opensuse/bash@5.1?distro=opensuse-leap-15.6", Package{"openSUSE:Leap 15.6", "bash", "5.1"}},
	{"pkg:npm/lodash", Package{"npm", "lodash", ""}},
}

func TestFromPurl(t *testing.T) {
	t.Parallel()
	for _, tt := range purls {
		got, err := FromPurl(tt.purl)
		if err != nil {
			t.Errorf("%s: %v", tt.purl, err)
			continue
		}
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("%s differs (-want +got):\n%s", tt.purl, diff)
		}
	}
}

func TestFromPurlRefused(t *testing.T) {
	t.Parallel()
	for purl, want := range map[string]string{
		"":                                       "not a package URL",
		"lodash@4":                               "not a package URL",
		"pkg:npm":                                "not a package URL",
		"pkg:npm/%0Ax@1":                         "not a package URL",
		"pkg:docker/nginx@1.25":                  "no advisories for packages of the type docker",
		"pkg:generic/openssl@1.1":                "type generic",
		"pkg:deb/debian/curl@7.88.1-10":          "does not say of which release of Debian",
		"pkg:deb/debian/curl@7?distro=sid":       "does not say of which release of Debian",
		"pkg:apk/alpine/busybox@1":               "of Alpine",
		"pkg:rpm/redhat/bash@5":                  "of Red Hat",
		"pkg:rpm/fedora/bash@5?distro=fedora-39": "no advisories for rpm packages",
		"pkg:deb/curl@7":                         "no advisories for deb packages",
		"pkg:npm/" + strings.Repeat("x", MaxName+1): "the name",
		"pkg:npm/" + strings.Repeat("x", maxPurl):   "a package URL of",
	} {
		_, err := FromPurl(purl)
		if err == nil || !strings.Contains(err.Error(), want) || len(err.Error()) > 400 {
			t.Errorf("%.60q: %v, want %q", purl, err, want)
		} else if k := exposure.KindOf(err); k != exposure.Invalid && k != exposure.Unsupported {
			t.Errorf("%.60q: the error is of kind %v", purl, k)
		}
	}
}

func FuzzFromPurl(f *testing.F) {
	for _, tt := range purls {
		f.Add(tt.purl)
	}
	f.Fuzz(func(t *testing.T, purl string) {
		p, err := FromPurl(purl)
		if err == nil && (!line(p.Ecosystem, MaxEcosystem) || !line(p.Name, MaxName)) {
			t.Errorf("%q is of %q and named %q", purl, p.Ecosystem, p.Name)
		}
	})
}
