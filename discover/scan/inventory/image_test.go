package inventory_test

import (
	"archive/tar"
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/leeward-ctem/leeward/discover/scan"
	"github.com/leeward-ctem/leeward/discover/scan/image"
	"github.com/leeward-ctem/leeward/discover/scan/inventory"
	"github.com/leeward-ctem/leeward/discover/scan/scantest"
)

func tarred(t *testing.T, files ...string) string {
	t.Helper()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for i := 0; i < len(files); i += 2 {
		h := tar.Header{Name: files[i], Mode: 0o644, Size: int64(len(files[i+1])), Typeflag: tar.TypeReg}
		if files[i] == "etc/os-release" { // as most distributions have it
			h.Typeflag, h.Linkname, h.Size, files[i+1] = tar.TypeSymlink, "../usr/lib/os-release", 0, ""
		}
		if err := w.WriteHeader(&h); err != nil {
			t.Fatal(err)
		}
		w.Write([]byte(files[i+1]))
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// An image whose upper layer updates a package of the lower one has what the
// upper one says.
func TestImage(t *testing.T) {
	t.Parallel()
	k := kept{}
	k.advise("Debian:12", "demo", "TEST-1", "1.2-2")
	status := func(version string) string {
		return "Package: demo\nStatus: install ok installed\nVersion: " + version + "\nArchitecture: amd64\n\n"
	}
	low := tarred(t, "etc/os-release", "", "usr/lib/os-release", "ID=debian\nVERSION_ID=12\n", "var/lib/dpkg/status", status("1.2-1"))
	for _, c := range []struct {
		high string
		want []string
	}{{tarred(t, "a", "1"), []string{"TEST-1"}}, {tarred(t, "var/lib/dpkg/status", status("1.2-2")), []string{}}} {
		name := filepath.Join(t.TempDir(), "image.tar")
		saved := tarred(t, "manifest.json", `[{"Config":"c","RepoTags":["demo:1"],"Layers":["l","h"]}]`, "c", `{"os":"linux"}`, "l", low, "h", c.high)
		if err := os.WriteFile(name, []byte(saved), 0o600); err != nil {
			t.Fatal(err)
		}
		i, err := image.Open(t.Context(), name)
		if err != nil {
			t.Fatal(err)
		}
		all, errs := scantest.Run(t, inventory.New(k), scan.Job{Target: scan.Target{Kind: scan.Image, Name: name, Files: i.Files}})
		if diff := cmp.Diff(c.want, scantest.Rules(all)); diff != "" || len(errs) > 0 || !covered(all) {
			t.Errorf("%v (-want +got):\n%s", errs, diff)
		}
		if err := i.Close(); err != nil {
			t.Error(err)
		}
	}
}
