package inventory_test

import (
	"bytes"
	"crypto/rand"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/leeward-ctem/leeward/discover/scan"
	"github.com/leeward-ctem/leeward/discover/scan/inventory"
	"github.com/leeward-ctem/leeward/exposure"
)

// look looks at a tree and returns how many packages it has.
func look(b *testing.B, files fs.FS) (packages int) {
	b.Helper()
	j := scan.Job{Target: scan.Target{Kind: scan.Directory, Files: files}, Progress: func(int, int) {}}
	for o, err := range inventory.New(kept{}).Scan(b.Context(), &j) {
		if err == nil && o.Kind == exposure.ObservedInventory {
			packages++
		}
	}
	return packages
}

// reading is how long it takes to read all files of a tree.
func reading(b *testing.B, files fs.FS) (took time.Duration, size int64) {
	b.Helper()
	begun := time.Now()
	buffer := make([]byte, 256<<10)
	err := fs.WalkDir(files, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		f, err := files.Open(name)
		if err != nil {
			return err
		}
		defer f.Close()
		n, err := io.CopyBuffer(struct{ io.Writer }{io.Discard}, struct{ io.Reader }{f}, buffer)
		size += n
		return err
	})
	if err != nil {
		b.Fatal(err)
	}
	return time.Since(begun), size
}

func measure(b *testing.B, dir string) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		b.Fatal(err)
	}
	defer root.Close()
	reading(b, root.FS()) // both find the files in memory
	read, size := reading(b, root.FS())
	packages := 0
	for b.Loop() {
		packages = look(b, root.FS())
	}
	b.ReportMetric(float64(b.Elapsed())/float64(b.N)/float64(read), "x-reading")
	b.ReportMetric(float64(size)/1e6, "MB")
	b.ReportMetric(float64(packages), "packages")
}

// BenchmarkRepository looks at this repository.
func BenchmarkRepository(b *testing.B) { measure(b, filepath.Join("..", "..", "..")) }

// BenchmarkRootFS looks at a root file system of a gigabyte: 40,000 files, most
// of them small, 3,000 packages of a distribution, 200 of Python, 100 archives
// of Java, and large ones that are nothing.
func BenchmarkRootFS(b *testing.B) {
	dir := b.TempDir()
	put := func(name string, mode fs.FileMode, text []byte) {
		name = filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			b.Fatal(err)
		}
		if err := os.WriteFile(name, text, mode); err != nil {
			b.Fatal(err)
		}
	}
	noise := make([]byte, 8<<20)
	rand.Read(noise)
	for i := range 40_000 {
		put(fmt.Sprintf("usr/share/d%d/e%d/f%d.txt", i%100, i%997, i), 0o644, noise[i:i+8<<10])
	}
	for i := range 80 {
		put(fmt.Sprintf("usr/bin/program%d", i), 0o755, append([]byte("\x7fELF"), noise...))
	}
	var status bytes.Buffer
	for i := range 3000 {
		fmt.Fprintf(&status, "Package: lib%d\nStatus: install ok installed\nVersion: 1.%d-1\nArchitecture: amd64\nDescription: %s\n\n", i, i, strings.Repeat("words ", 40))
	}
	put("var/lib/dpkg/status", 0o644, status.Bytes())
	put("etc/os-release", 0o644, []byte("ID=debian\nVERSION_ID=12\n"))
	for i := range 200 {
		put(fmt.Sprintf("usr/lib/python3/dist-packages/p%d.dist-info/METADATA", i), 0o644, fmt.Appendf(nil, "Metadata-Version: 2.1\nName: p%d\nVersion: 1.0\n\n%s", i, strings.Repeat("words ", 1000)))
	}
	for i := range 100 {
		put(fmt.Sprintf("opt/app/lib/j%d.jar", i), 0o644, jar(b, fmt.Sprint(i)))
	}
	measure(b, dir)
}
