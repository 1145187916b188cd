package inventory

import (
	"bufio"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"strconv"
	"strings"

	"github.com/google/osv-scalibr/extractor"
	"github.com/google/osv-scalibr/extractor/filesystem"
	rpmmeta "github.com/google/osv-scalibr/extractor/filesystem/os/rpm/metadata"
	"github.com/google/osv-scalibr/inventory"
	"github.com/google/osv-scalibr/purl"
)

// rpms reads the databases of RPM in SQLite and Berkeley DB, byte by byte. The
// extractor of osv-scalibr copies them to disk, opens them by a database
// engine, and allocates what they claim.
type rpms struct{}

func (rpms) FileRequired(api filesystem.FileAPI) bool {
	switch dir, base := path.Split(api.Path()); dir {
	case "var/lib/rpm/", "usr/lib/sysimage/rpm/", "usr/share/rpm/":
		return base == "rpmdb.sqlite" || base == "Packages" || base == "Packages.db"
	}
	return false
}

// Bounds of one header, which has some 100 KB, and of a database.
const (
	maxHeader  = 64 << 20
	maxTags    = 64 << 10
	maxHeaders = 200_000
)

var errDatabase = errors.New("the database is damaged")

func (rpms) Extract(ctx context.Context, in *filesystem.ScanInput) (all inventory.Inventory, err error) {
	r, ok := in.Reader.(io.ReaderAt)
	if !ok {
		return all, errors.New("it cannot be read at any place")
	}
	system := systemOf(in.FS)
	err = headers(ctx, in, r, func(blob []byte) error {
		h, err := headerOf(blob)
		if err != nil || h.name == "gpg-pubkey" {
			return err
		}
		if len(all.Packages) == maxHeaders {
			return errTooMuch
		}
		all.Packages = append(all.Packages, &extractor.Package{
			Name: h.name, Version: h.version + "-" + h.release, PURLType: purl.TypeRPM,
			Location: extractor.LocationFromPath(in.Path), Licenses: []string{h.license},
			Metadata: &rpmmeta.Metadata{
				PackageName: h.name, SourceRPM: h.source, Epoch: int(h.epoch), Architecture: h.arch,
				OSID: system["ID"], OSVersionID: system["VERSION_ID"],
			},
		})
		return nil
	})
	return all, err
}

// headers gives each header of a database to take.
func headers(ctx context.Context, in *filesystem.ScanInput, r io.ReaderAt, take func([]byte) error) error {
	var head [32]byte
	if n, _ := r.ReadAt(head[:], 0); n < len(head) {
		return io.ErrUnexpectedEOF
	}
	switch {
	case string(head[:16]) == sqliteMagic:
		if log, err := fs.Stat(in.FS, in.Path+"-wal"); err == nil && log.Size() > 0 {
			return errors.New("what was last installed stands in its log and not yet in the database: open it once with rpm -qa, or stop what uses it")
		}
		return sqliteBlobs(ctx, r, in.Info.Size(), "Packages", take)
	case binary.LittleEndian.Uint32(head[12:]) == berkeleyHash:
		return berkeleyValues(ctx, r, binary.LittleEndian, take)
	case binary.BigEndian.Uint32(head[12:]) == berkeleyHash:
		return berkeleyValues(ctx, r, binary.BigEndian, take)
	}
	return errors.New("neither SQLite nor Berkeley DB: databases of the kind ndb are not read")
}

type header struct {
	name, version, release, arch, license, source string
	epoch                                         uint32
}

// Tags and types of a header, see
// https://github.com/rpm-software-management/rpm/blob/master/include/rpm/rpmtag.h
const (
	tagName      = 1000
	tagVersion   = 1001
	tagRelease   = 1002
	tagEpoch     = 1003
	tagLicense   = 1014
	tagArch      = 1022
	tagSourceRPM = 1044

	typeInt32  = 4
	typeString = 6
	typeI18n   = 9
)

// headerOf reads a header: the number of tags, the length of the data, the
// tags with where their data begins, and the data.
func headerOf(b []byte) (h header, err error) {
	if len(b) < 8 {
		return h, errDatabase
	}
	tags, size := binary.BigEndian.Uint32(b), binary.BigEndian.Uint32(b[4:])
	if tags > maxTags || size > maxHeader || int(8+16*tags+size) > len(b) {
		return h, errDatabase
	}
	data := b[8+16*tags:][:size]
	texts := map[uint32]*string{
		tagName: &h.name, tagVersion: &h.version, tagRelease: &h.release, tagArch: &h.arch, tagLicense: &h.license, tagSourceRPM: &h.source,
	}
	for i := range tags {
		e := b[8+16*i:]
		tag, kind, at := binary.BigEndian.Uint32(e), binary.BigEndian.Uint32(e[4:]), binary.BigEndian.Uint32(e[8:])
		if at >= size {
			continue
		}
		rest := data[at:]
		switch to := texts[tag]; {
		case tag == tagEpoch && kind == typeInt32 && len(rest) >= 4:
			h.epoch = binary.BigEndian.Uint32(rest)
		case to != nil && (kind == typeString || kind == typeI18n):
			text, _, ok := strings.Cut(string(rest[:min(len(rest), maxNote)]), "\x00")
			if !ok {
				return h, errDatabase
			}
			*to = text
		}
	}
	if h.name == "" || h.version == "" {
		return h, errDatabase
	}
	return h, nil
}

// systemOf reads which distribution a root file system is of, see
// https://www.freedesktop.org/software/systemd/man/latest/os-release.html
func systemOf(files fs.FS) map[string]string {
	all := map[string]string{}
	for _, name := range []string{"etc/os-release", "usr/lib/os-release"} {
		f, err := files.Open(name)
		if err != nil {
			continue
		}
		defer f.Close()
		for s := bufio.NewScanner(io.LimitReader(f, maxNote)); s.Scan(); {
			if key, value, ok := strings.Cut(s.Text(), "="); ok {
				if text, err := strconv.Unquote(value); err == nil {
					value = text
				}
				all[key] = strings.Trim(value, "'")
			}
		}
		return all
	}
	return all
}

// berkeleyHash is the magic number of a hash table of Berkeley DB.
const berkeleyHash = 0x00061561

// Types of pages and items, see
// https://github.com/berkeleydb/libdb/blob/master/src/dbinc/db_page.h
const (
	pageHashUnsorted = 2
	pageOverflow     = 7
	pageHash         = 13
	itemOffPage      = 3

	pageHead = 26
)

// berkeleyValues gives each value that lies on pages of its own to take:
// headers are larger than what fits beside a key.
func berkeleyValues(ctx context.Context, r io.ReaderAt, order binary.ByteOrder, take func([]byte) error) error {
	var meta [36]byte
	if _, err := r.ReadAt(meta[:], 0); err != nil {
		return err
	}
	size, last := order.Uint32(meta[20:]), order.Uint32(meta[32:])
	if size < 512 || size > 64<<10 || size&(size-1) != 0 {
		return errDatabase
	}
	p := make([]byte, size)
	for n := uint32(1); n <= last && n != 0; n++ {
		if err := ctx.Err(); err != nil {
			return err
		}
		if _, err := r.ReadAt(p, int64(n)*int64(size)); err != nil {
			return fmt.Errorf("page %d: %w", n, io.ErrUnexpectedEOF)
		}
		if p[25] != pageHash && p[25] != pageHashUnsorted {
			continue
		}
		for i := 1; i < int(order.Uint16(p[20:])); i += 2 { // keys and values take turns
			if pageHead+2*i+2 > len(p) {
				return errDatabase
			}
			at := int(order.Uint16(p[pageHead+2*i:]))
			if at+12 > len(p) || p[at] != itemOffPage {
				continue
			}
			blob, err := berkeleyChain(r, order, size, last, order.Uint32(p[at+4:]), order.Uint32(p[at+8:]))
			if err != nil {
				return err
			}
			if err := take(blob); err != nil {
				return err
			}
		}
	}
	return nil
}

// berkeleyChain reads a value of a length from the pages that hold it.
func berkeleyChain(r io.ReaderAt, order binary.ByteOrder, size, last, n, length uint32) ([]byte, error) {
	if length > maxHeader {
		return nil, errDatabase
	}
	var blob []byte
	p := make([]byte, size)
	for uint32(len(blob)) < length {
		if n == 0 || n > last {
			return nil, errDatabase
		}
		if _, err := r.ReadAt(p, int64(n)*int64(size)); err != nil {
			return nil, io.ErrUnexpectedEOF
		}
		held := int(order.Uint16(p[22:]))
		if p[25] != pageOverflow || held == 0 || pageHead+held > len(p) {
			return nil, errDatabase
		}
		blob = append(blob, p[pageHead:][:held]...)
		n = order.Uint32(p[16:])
	}
	return blob[:length], nil
}
