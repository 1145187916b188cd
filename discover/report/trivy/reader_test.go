package trivy_test

import (
	"bytes"
	"errors"
	"fmt"
	"testing"

	"github.com/leeward-ctem/leeward/discover/report/reporttest"
	"github.com/leeward-ctem/leeward/discover/report/trivy"
	"github.com/leeward-ctem/leeward/exposure"
)

func TestReader(t *testing.T) {
	reporttest.Run(t, trivy.Reader{},
		reporttest.Ordered("they are the lines of the code", "Lines"),
		reporttest.Ordered("the first result of the old list alone names the image", ""),
	)
}

func FuzzReader(f *testing.F) { reporttest.Fuzz(f, trivy.Reader{}) }

// read returns what a report yields; a fatal error ends the test.
func read(t testing.TB, data []byte) []exposure.Observation {
	t.Helper()
	var all []exposure.Observation
	for o, err := range (trivy.Reader{}).Read(t.Context(), bytes.NewReader(data)) {
		var rec *exposure.RecordError
		if errors.As(err, &rec) {
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, o)
	}
	return all
}

// covered lists the classes that a report proves to be examined.
func covered(obs []exposure.Observation) []string {
	var classes []string
	for _, o := range obs {
		if o.Kind == exposure.ObservedCoverage {
			classes = append(classes, o.Asset.Key()+" "+o.Coverage.Class)
		}
	}
	return classes
}

func TestCoverage(t *testing.T) {
	t.Parallel()
	report := func(results string) string {
		return `{"SchemaVersion":2,"ArtifactName":"a:1","ArtifactType":"container_image","Results":[` + results + `]}`
	}
	const (
		system   = `{"Target":"a:1 (debian 12)","Class":"os-pkgs","Type":"debian"}`
		listed   = `{"Target":"a:1 (debian 12)","Class":"os-pkgs","Type":"debian","Packages":[{"Name":"apt","Version":"1"}]}`
		language = `{"Target":"Java","Class":"lang-pkgs","Type":"jar","Vulnerabilities":[{"VulnerabilityID":"CVE-2021-44228","PkgName":"a:b"}]}`
		broken   = `{"Target":"Java","Class":"lang-pkgs","Type":"jar","Vulnerabilities":[{"VulnerabilityID":7}]}`
		secret   = `{"Target":"x","Class":"secret","Secrets":[]}`
	)
	for name, tt := range map[string]struct{ in, want string }{
		"an OS scan says nothing of libraries": {report(system), "[image:a:1 vuln-os]"},
		"a library scan says nothing of OS":    {report(language), "[image:a:1 vuln-lang]"},
		"a list of packages is no scan":        {report(listed), "[]"},
		"unless something else was found":      {report(listed + "," + language), "[image:a:1 vuln-lang image:a:1 vuln-os]"},
		"a lost record takes the proof away":   {report(system + "," + broken), "[]"},
		"secrets":                              {report(secret), "[image:a:1 secret]"},
		"nothing was scanned":                  {report(""), "[]"},
		"schema 1":                             {`[{"Target":"a:1 (debian 12)","Type":"debian"},{"Target":"app/x.jar","Type":"jar"}]`, "[image:a:1 vuln-lang image:a:1 vuln-os]"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := fmt.Sprint(covered(read(t, []byte(tt.in)))); got != tt.want {
				t.Errorf("covered %s, want %s", got, tt.want)
			}
		})
	}
}

func TestAsset(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct{ in, want string }{
		"image by digest":       {`"ArtifactName":"r.io/a/b@sha256:AB","ArtifactType":"container_image"`, "digest:sha256:ab"},
		"image file with tag":   {`"ArtifactName":"a.tar","ArtifactType":"container_image","Metadata":{"RepoTags":["a:2"]}`, "image:a:2"},
		"image file":            {`"ArtifactName":"a.tar","ArtifactType":"container_image"`, "path:a.tar"},
		"repository":            {`"ArtifactName":"git@github.com:acme/shop.git","ArtifactType":"repository"`, "repository:github.com/acme/shop"},
		"repository, no scheme": {`"ArtifactName":"github.com/acme/shop","ArtifactType":"repository"`, "repository:github.com/acme/shop"},
		"repository, checkout":  {`"ArtifactName":"shop","ArtifactType":"repository","Metadata":{"RepoURL":"https://u:p@github.com/acme/shop"}`, "repository:github.com/acme/shop"},
		"directory":             {`"ArtifactName":"./a/","ArtifactType":"filesystem"`, "path:a"},
		"here":                  {`"ArtifactName":".","ArtifactType":"filesystem"`, ""},
		"root":                  {`"ArtifactName":"/","ArtifactType":"rootfs"`, ""},
		"machine image":         {`"ArtifactName":"ami:ami-0123","ArtifactType":"vm"`, "name:ami:ami-0123"},
		"any SBOM":              {`"ArtifactName":"sbom.json","ArtifactType":"cyclonedx"`, ""},
		"SBOM of an image":      {`"ArtifactName":"sbom.json","ArtifactType":"cyclonedx","Metadata":{"RepoTags":["a:2"]}`, "image:a:2"},
		"results first":         {`"Results":[` + `{"Vulnerabilities":[],"Type":"debian","Class":"os-pkgs","Target":"x"}` + `],"ArtifactName":"a:1","ArtifactType":"container_image"`, "image:a:1"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			in := "{" + tt.in + `}`
			if !bytes.Contains([]byte(in), []byte("Results")) {
				in = "{" + tt.in + `,"Results":[{"Target":"t","Class":"secret"}]}`
			}
			obs := read(t, []byte(in))
			if got := obs[len(obs)-1].Asset.Key(); got != tt.want {
				t.Errorf("asset %q, want %q", got, tt.want)
			}
		})
	}
}

func BenchmarkReader(b *testing.B) {
	var in bytes.Buffer
	in.WriteString(`{"SchemaVersion":2,"ArtifactName":"a:1","ArtifactType":"container_image","Results":[{"Target":"a:1 (debian 12)","Class":"os-pkgs","Type":"debian","Vulnerabilities":[`)
	for i := 0; in.Len() < 4<<20; i++ {
		if i > 0 {
			in.WriteByte(',')
		}
		fmt.Fprintf(&in, `{"VulnerabilityID":"CVE-2025-%05d","PkgName":"libssl3","PkgIdentifier":{"PURL":"pkg:deb/debian/libssl3@3.0.15"},"InstalledVersion":"3.0.15","FixedVersion":"3.0.16","Status":"fixed","Layer":{"DiffID":"sha256:22"},"Title":"openssl: a flaw","Description":"A made-up flaw in a made-up function.","Severity":"HIGH","CweIDs":["CWE-787"],"CVSS":{"nvd":{"V3Vector":"CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"}},"References":["https://example.com/1","https://example.com/2"]}`, i)
	}
	in.WriteString(`]}]}`)
	b.SetBytes(int64(in.Len()))
	for b.Loop() {
		for _, err := range (trivy.Reader{}).Read(b.Context(), bytes.NewReader(in.Bytes())) {
			if err != nil {
				b.Fatal(err)
			}
		}
	}
}
