// Package image opens container images that were saved as files: OCI layouts, as
// a directory or archive, and the archives of docker save. Their layers are
// flattened to one root file system, which is read where it lies: what was
// compressed goes to a temporary file, and memory holds the names alone.
//
// See https://github.com/opencontainers/image-spec
package image

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"strings"

	"github.com/leeward-ctem/leeward/exposure"
)

// Image is an opened image.
type Image struct {
	Files        *Files   // the flattened root file system
	Digest       string   // of the manifest, or else of the configuration: sha256:…
	Tags         []string // repository:tag, as it was saved
	Platform     string   // linux/amd64
	System       string   // the distribution, as it names itself; may be empty
	source       io.Closer
	decompressed *spool
}

// Close gives back the files that the image is read from.
func (i *Image) Close() error { return errors.Join(i.source.Close(), i.decompressed.Close()) }

// Asset names the image. When it has neither digest nor tag, its name is the
// file's.
func (i *Image) Asset(name string) exposure.AssetRef {
	ref := exposure.AssetRef{Kind: exposure.AssetImage, OS: cmp.Or(i.System, i.Platform)}
	for _, tag := range i.Tags {
		ref.Add(exposure.IDImage, tag)
	}
	ref.Add(exposure.IDDigest, i.Digest)
	if len(i.Tags) > 0 {
		ref.Name = i.Tags[0]
	} else {
		ref.Name = name
	}
	return ref
}

// limits bound what one image may cost, whatever it claims.
type limits struct {
	bytes   int64 // that are decompressed, to disk
	ratio   int64 // of decompressed to compressed bytes, beyond free
	free    int64
	entries int // in all layers
	layers  int
	depth   int // of directories
}

// Real layers shrink to a third or a tenth; what gzip can do at most is 1032.
var defaultLimits = limits{bytes: 32 << 30, ratio: 200, free: 256 << 20, entries: 4_000_000, layers: 512, depth: 200}

// Open opens the image at a path: a directory, a tar, or one that is compressed
// by gzip or zstd. Close it after use.
func Open(ctx context.Context, name string) (*Image, error) { return open(ctx, name, defaultLimits) }

func open(ctx context.Context, name string, lim limits) (*Image, error) {
	i, err := opened(ctx, name, lim)
	if err == nil {
		return i, nil
	}
	var known *exposure.Error
	if errors.As(err, &known) || ctx.Err() != nil {
		return nil, err
	}
	return nil, exposure.Errorf(exposure.Invalid, "the image %s cannot be read: %w", name, err)
}

func opened(ctx context.Context, name string, lim limits) (i *Image, err error) {
	info, err := os.Stat(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, exposure.Errorf(exposure.NotFound, "the image %s does not exist: give an OCI layout or what `docker save` wrote", name)
	}
	if err != nil {
		return nil, err
	}
	i = &Image{decompressed: newSpool(lim)}
	var files blobs
	if info.IsDir() {
		root, err := os.OpenRoot(name)
		if err != nil {
			return nil, err
		}
		i.source, files = root, folder{root}
	} else {
		f, err := os.Open(name)
		if err != nil {
			return nil, err
		}
		i.source = f
		if files, err = i.archive(ctx, f, info.Size(), lim); err != nil {
			return nil, errors.Join(err, i.Close())
		}
	}
	if err := i.read(ctx, files, lim); err != nil {
		return nil, errors.Join(err, i.Close())
	}
	return i, nil
}

// read puts the layers together.
func (i *Image) read(ctx context.Context, files blobs, lim limits) error {
	p, err := planOf(files)
	if err != nil {
		return err
	}
	if len(p.layers) > lim.layers {
		return exposure.Errorf(exposure.Invalid, "the image has %d layers: up to %d are read", len(p.layers), lim.layers)
	}
	i.Digest, i.Tags, i.Platform = p.digest, p.tags, p.platform
	i.Files = newFiles(lim)
	for _, l := range p.layers {
		if err := i.layer(ctx, files, l); err != nil {
			return err
		}
	}
	i.System = systemOf(i.Files)
	return nil
}

// layer reads one layer over those below.
func (i *Image) layer(ctx context.Context, files blobs, l layer) error {
	blob, size, err := files.open(l.name)
	if err != nil {
		return err
	}
	if c, ok := blob.(io.Closer); ok {
		i.decompressed.keep(c)
	}
	packed := &checked{ctx: ctx, r: io.NewSectionReader(blob, 0, size), sum: newSum(l.digest)}
	content, length, err := i.decompressed.plain(packed, blob, size)
	if err != nil {
		return wrapped(l.name, err)
	}
	if err := packed.verify(l.name); err != nil {
		return err
	}
	if err := i.Files.add(ctx, content, length, i.decompressed); err != nil {
		return wrapped(l.name, err)
	}
	return nil
}

// maxRelease bounds the file that says which distribution it is.
const maxRelease = 64 << 10

func systemOf(files fs.FS) string {
	for _, name := range []string{"etc/os-release", "usr/lib/os-release"} {
		f, err := files.Open(name)
		if err != nil {
			continue
		}
		defer f.Close()
		for s := bufio.NewScanner(io.LimitReader(f, maxRelease)); s.Scan(); {
			if v, ok := strings.CutPrefix(s.Text(), "PRETTY_NAME="); ok {
				return strings.Trim(v, `"'`)
			}
		}
	}
	return ""
}
