package inventory

import (
	"context"
	"fmt"
	"io"
	"io/fs"
	"path"
	"sync"

	cpb "github.com/google/osv-scalibr/binary/proto/config_go_proto"
	"github.com/google/osv-scalibr/extractor"
	"github.com/google/osv-scalibr/extractor/filesystem"
	"github.com/google/osv-scalibr/extractor/filesystem/language/cpp/conanlock"
	"github.com/google/osv-scalibr/extractor/filesystem/language/dart/pubspec"
	"github.com/google/osv-scalibr/extractor/filesystem/language/dotnet/depsjson"
	"github.com/google/osv-scalibr/extractor/filesystem/language/dotnet/packagesconfig"
	"github.com/google/osv-scalibr/extractor/filesystem/language/dotnet/packageslockjson"
	"github.com/google/osv-scalibr/extractor/filesystem/language/elixir/mixlock"
	"github.com/google/osv-scalibr/extractor/filesystem/language/golang/gobinary"
	"github.com/google/osv-scalibr/extractor/filesystem/language/golang/gomod"
	"github.com/google/osv-scalibr/extractor/filesystem/language/java/gradlelockfile"
	"github.com/google/osv-scalibr/extractor/filesystem/language/javascript/packagejson"
	"github.com/google/osv-scalibr/extractor/filesystem/language/javascript/packagelockjson"
	"github.com/google/osv-scalibr/extractor/filesystem/language/javascript/pnpmlock"
	"github.com/google/osv-scalibr/extractor/filesystem/language/javascript/yarnlock"
	"github.com/google/osv-scalibr/extractor/filesystem/language/php/composerlock"
	"github.com/google/osv-scalibr/extractor/filesystem/language/python/pdmlock"
	"github.com/google/osv-scalibr/extractor/filesystem/language/python/pipfilelock"
	"github.com/google/osv-scalibr/extractor/filesystem/language/python/poetrylock"
	"github.com/google/osv-scalibr/extractor/filesystem/language/python/requirements"
	"github.com/google/osv-scalibr/extractor/filesystem/language/python/uvlock"
	"github.com/google/osv-scalibr/extractor/filesystem/language/python/wheelegg"
	"github.com/google/osv-scalibr/extractor/filesystem/language/ruby/gemfilelock"
	"github.com/google/osv-scalibr/extractor/filesystem/language/rust/cargolock"
	"github.com/google/osv-scalibr/extractor/filesystem/os/apk"
	"github.com/google/osv-scalibr/extractor/filesystem/os/dpkg"
	"github.com/google/osv-scalibr/extractor/filesystem/sbom/cdx"
	scalibrfs "github.com/google/osv-scalibr/fs"
	"github.com/google/osv-scalibr/inventory"
	"github.com/google/osv-scalibr/log"
)

// knowledge is where a reader knows from that a package is there.
type knowledge uint8

const (
	locked    knowledge = iota // a lock file: it would be installed
	installed                  // it lies there
	database                   // the database of a distribution
	billed                     // somebody wrote a bill of materials
)

// reader reads one kind of file.
type reader struct {
	extractor source
	name      string // for people
	from      knowledge
	max       int64 // bytes of a file
	// check refuses what would cost the extractor too much; may be nil.
	check func(name string, r io.ReaderAt, size int64) error
}

// source is what reads one kind of file: that part of filesystem.Extractor
// which is used.
type source interface {
	FileRequired(filesystem.FileAPI) bool
	Extract(context.Context, *filesystem.ScanInput) (inventory.Inventory, error)
}

// Bounds of files. Extractors hold a whole one in memory, as values of several
// times its size; the lock file of a large project has 5 MB. That for
// requirements goes one call deeper for each line that ends in \, and those for
// TOML for each bracket, and a stack that is full ends the process.
const (
	maxShort  = 1 << 20
	maxTOML   = 8 << 20
	maxText   = 16 << 20
	maxPacked = 256 << 20
	maxBinary = 2 << 30 // read in parts
)

func readers() []reader {
	var all []reader
	add := func(name string, from knowledge, max int64, make func(*cpb.PluginConfig) (filesystem.Extractor, error)) {
		// These fail only for settings, and there are none.
		// Files that are too large for them are told of here, not passed over.
		if e, err := make(&cpb.PluginConfig{MaxFileSizeBytes: maxBinary}); err == nil {
			all = append(all, reader{extractor: e, name: name, from: from, max: max})
		}
	}
	add("go.mod", locked, maxText, gomod.New)
	add("a Go binary", installed, maxBinary, gobinary.New)
	add("package-lock.json", locked, maxText, packagelockjson.New)
	add("yarn.lock", locked, maxText, yarnlock.New)
	add("pnpm-lock.yaml", locked, maxText, pnpmlock.New)
	add("package.json", installed, maxText, packagejson.New)
	add("Python requirements", locked, maxShort, requirements.New)
	add("poetry.lock", locked, maxTOML, poetrylock.New)
	add("Pipfile.lock", locked, maxText, pipfilelock.New)
	add("uv.lock", locked, maxTOML, uvlock.New)
	add("pdm.lock", locked, maxTOML, pdmlock.New)
	add("a Python package", installed, maxPacked, wheelegg.New)
	all[len(all)-1].check = func(name string, r io.ReaderAt, size int64) error {
		if ext := path.Ext(name); ext == ".whl" || ext == ".egg" {
			return smallNotes(r, size)
		}
		return nil
	}
	add("Cargo.lock", locked, maxTOML, cargolock.New)
	add("composer.lock", locked, maxText, composerlock.New)
	add("Gemfile.lock", locked, maxText, gemfilelock.New)
	add("a Gradle lock file", locked, maxText, gradlelockfile.New)
	add("packages.lock.json", locked, maxText, packageslockjson.New)
	add("packages.config", locked, maxText, packagesconfig.New)
	add("deps.json of .NET", installed, maxText, depsjson.New)
	add("mix.lock", locked, maxText, mixlock.New)
	add("pubspec.lock", locked, maxText, pubspec.New)
	add("conan.lock", locked, maxText, conanlock.New)
	add("the database of dpkg", database, maxPacked, dpkg.New)
	add("the database of apk", database, maxPacked, apk.New)
	add("CycloneDX", billed, maxText, cdx.New)
	return append(all,
		reader{extractor: rpms{}, name: "the database of RPM", from: database, max: maxBinary},
		reader{extractor: spdxBills{}, name: "SPDX", from: billed, max: maxText},
		reader{extractor: poms{}, name: "pom.xml", from: locked, max: maxText},
		reader{extractor: jars{}, name: "a Java archive", from: installed, max: maxPacked})
}

func (r *reader) wants(api filesystem.FileAPI) bool { return r.extractor.FileRequired(api) }

// read returns the packages that a file names. An extractor that panics costs
// its file.
func (r *reader) read(ctx context.Context, files scalibrfs.FS, name string, info fs.FileInfo, f io.ReaderAt) (all []*extractor.Package, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("the extractor failed: %v", p)
		}
	}()
	if r.check != nil {
		if err := r.check(name, f, info.Size()); err != nil {
			return nil, err
		}
	}
	found, err := r.extractor.Extract(ctx, &filesystem.ScanInput{FS: files, Path: name, Info: info, Reader: io.NewSectionReader(f, 0, info.Size())})
	return found.Packages, err
}

// silence keeps the extractors from writing to the standard logger what names
// and texts a hostile tree holds; what they return says what went wrong.
var silence = sync.OnceFunc(func() { log.SetLogger(silent{}) })

type silent struct{}

func (silent) Errorf(string, ...any) {}
func (silent) Error(...any)          {}
func (silent) Warnf(string, ...any)  {}
func (silent) Warn(...any)           {}
func (silent) Infof(string, ...any)  {}
func (silent) Info(...any)           {}
func (silent) Debugf(string, ...any) {}
func (silent) Debug(...any)          {}
