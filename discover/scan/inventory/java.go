package inventory

import (
	"archive/zip"
	"bufio"
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"path"
	"slices"
	"strings"

	"github.com/google/osv-scalibr/extractor"
	"github.com/google/osv-scalibr/extractor/filesystem"
	"github.com/google/osv-scalibr/extractor/filesystem/language/java/javalockfile"
	"github.com/google/osv-scalibr/inventory"
	"github.com/google/osv-scalibr/purl"
)

// jars reads Java archives by what Maven wrote into them. The extractor of
// osv-scalibr for them would bring a client of a registry, and gRPC with it.
type jars struct{}

func (jars) FileRequired(api filesystem.FileAPI) bool { return isJar(api.Path()) }

func isJar(name string) bool {
	switch strings.ToLower(path.Ext(name)) {
	case ".jar", ".war", ".ear", ".hpi", ".jpi":
		return true
	}
	return false
}

// Bounds of archives within archives, and of the documents in them.
const (
	maxNesting  = 3
	maxInner    = 64 << 20  // bytes of one archive within another
	maxInnerAll = 512 << 20 // bytes of all within one file
	maxNote     = 1 << 20   // bytes of a manifest
)

var errNesting = errors.New("archives lie deeper in each other, or are larger, than is read")

func (jars) Extract(ctx context.Context, in *filesystem.ScanInput) (all inventory.Inventory, err error) {
	r, ok := in.Reader.(io.ReaderAt)
	if !ok {
		return all, errors.New("it cannot be read at any place")
	}
	j := jarLook{ctx: ctx, left: maxInnerAll}
	err = j.read(in.Path, r, in.Info.Size(), 0)
	return inventory.Inventory{Packages: j.found}, err
}

type jarLook struct {
	ctx   context.Context
	left  int64
	found []*extractor.Package
}

func (j *jarLook) read(name string, r io.ReaderAt, size int64, depth int) error {
	if err := smallDirectory(r, size); err != nil {
		return err
	}
	z, err := zip.NewReader(r, size)
	if err != nil {
		return err
	}
	var failed error
	before := len(j.found)
	var manifest *zip.File
	for _, f := range z.File {
		if err := j.ctx.Err(); err != nil {
			return err
		}
		switch {
		case f.Name == "META-INF/MANIFEST.MF":
			manifest = f
		case strings.HasPrefix(f.Name, "META-INF/maven/") && path.Base(f.Name) == "pom.properties":
			p, err := facts(f, "=")
			failed = cmp.Or(failed, err)
			j.state(name, p["groupId"], p["artifactId"], p["version"])
		case isJar(f.Name):
			failed = cmp.Or(failed, j.inner(name+"!"+f.Name, f, depth))
		}
	}
	if !slices.ContainsFunc(j.found[before:], func(p *extractor.Package) bool { return p.Location.PathOrEmpty() == name }) {
		failed = cmp.Or(failed, j.guess(name, manifest))
	}
	return failed
}

func (j *jarLook) state(name, group, artifact, version string) {
	if artifact == "" {
		return
	}
	p := &extractor.Package{Name: artifact, Version: version, Location: extractor.LocationFromPath(name)}
	if group != "" {
		p.Name, p.PURLType = group+":"+artifact, purl.TypeMaven
		p.Metadata = &javalockfile.Metadata{GroupID: group, ArtifactID: artifact}
	}
	j.found = append(j.found, p)
}

// inner reads an archive within an archive.
func (j *jarLook) inner(name string, f *zip.File, depth int) error {
	if depth+1 >= maxNesting || f.UncompressedSize64 > uint64(min(j.left, maxInner)) {
		return fmt.Errorf("%s: %w", f.Name, errNesting)
	}
	j.left -= int64(f.UncompressedSize64)
	text, err := unzipped(f, maxInner)
	if err != nil {
		return fmt.Errorf("%s: %w", f.Name, err)
	}
	return j.read(name, bytes.NewReader(text), int64(len(text)), depth+1)
}

// guess names an archive that Maven did not make by its manifest, or else by
// its file. Of what group it is stays unknown, and it cannot be looked up.
func (j *jarLook) guess(name string, manifest *zip.File) error {
	var m map[string]string
	var err error
	if manifest != nil {
		m, err = facts(manifest, ":")
	}
	base := strings.TrimSuffix(path.Base(name), path.Ext(name))
	artifact, version := base, ""
	for i := 1; i+1 < len(base) && version == ""; i++ {
		if base[i] == '-' && base[i+1] >= '0' && base[i+1] <= '9' {
			artifact, version = base[:i], base[i+1:]
		}
	}
	j.state(name, m["Implementation-Vendor-Id"], artifact, cmp.Or(version, m["Implementation-Version"], m["Bundle-Version"]))
	return err
}

func unzipped(f *zip.File, most int64) ([]byte, error) {
	r, err := f.Open()
	if err != nil {
		return nil, err
	}
	defer r.Close()
	text, err := io.ReadAll(io.LimitReader(r, most+1))
	if err == nil && int64(len(text)) > most {
		err = errTooMuch
	}
	return text, err
}

// facts reads lines of a name and a value.
func facts(f *zip.File, between string) (map[string]string, error) {
	text, err := unzipped(f, maxNote)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", f.Name, err)
	}
	all := map[string]string{}
	s := bufio.NewScanner(bytes.NewReader(text))
	for s.Buffer(nil, maxNote); s.Scan(); {
		if key, value, ok := strings.Cut(s.Text(), between); ok {
			all[strings.TrimSpace(key)] = strings.TrimSpace(value)
		}
	}
	return all, s.Err()
}

// maxDirectory bounds the list of files at the end of a zip, of which each takes
// several times its size in memory.
const maxDirectory = 32 << 20

const (
	endLength  = 22
	maxComment = 1<<16 - 1
)

// smallDirectory refuses a zip that lists more files than memory is for. It
// looks where archive/zip does.
func smallDirectory(r io.ReaderAt, size int64) error {
	n := min(size, endLength+maxComment)
	b := make([]byte, n)
	if _, err := r.ReadAt(b, size-n); err != nil && err != io.EOF {
		return err
	}
	for i := len(b) - endLength; i >= 0; i-- {
		if string(b[i:i+4]) != "PK\x05\x06" || int(b[i+20])|int(b[i+21])<<8 > len(b)-i-endLength {
			continue
		}
		if length := uint32(b[i+12]) | uint32(b[i+13])<<8 | uint32(b[i+14])<<16 | uint32(b[i+15])<<24; length > maxDirectory {
			return fmt.Errorf("the zip lists more files than is read: %w", errTooMuch)
		}
		return nil
	}
	return zip.ErrFormat
}

// smallNotes refuses a Python package of which what describes it would unpack
// to more than memory is for.
func smallNotes(r io.ReaderAt, size int64) error {
	if err := smallDirectory(r, size); err != nil {
		return err
	}
	z, err := zip.NewReader(r, size)
	if err != nil {
		return err
	}
	for _, f := range z.File {
		if f.UncompressedSize64 > maxText && (strings.HasSuffix(f.Name, "METADATA") || strings.HasSuffix(f.Name, "PKG-INFO")) {
			return fmt.Errorf("%s: %w", f.Name, errTooMuch)
		}
	}
	return nil
}
