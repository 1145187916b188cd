package index

import (
	"bufio"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"hash"
	"hash/crc32"
	"io"
	"os"
	"path/filepath"
	"slices"
	"unsafe"
)

// A snapshot is the columns and fingerprint table on disk, for a start without
// reading every finding from the database. It belongs to one database, by the
// identity written into it, and to one event number; later events are applied
// after it is read. It is only a cache: when it is missing, damaged or of
// another version, the database is read instead.
//
// Layout, little endian: magic, database identity, seq, n, the columns chunk by
// chunk (those of dictionaries behind their width), the fingerprints shard by
// shard, CRC-32C of it all.

const snapshotMagic = "LEEWARD INDEX 2\n"

// errSnapshot says that a snapshot cannot be used; it is never shown.
var errSnapshot = errors.New("not a usable snapshot")

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// Save writes a snapshot of the newest view to file, atomically. identity
// names the database.
func (ix *Index) Save(file, identity string) error {
	ix.mu.Lock()
	defer ix.mu.Unlock()
	v := ix.view.Load()
	tmp, err := os.CreateTemp(filepath.Dir(file), ".index-*")
	if err != nil {
		return fmt.Errorf("save the index: %w", err)
	}
	defer os.Remove(tmp.Name())
	defer tmp.Close()
	w := &sumWriter{w: bufio.NewWriterSize(tmp, 1<<20), sum: crc32.New(castagnoli)}
	w.text(snapshotMagic)
	w.text(fmt.Sprintf("%-64.64s", identity))
	w.number(uint64(v.seq))
	w.number(uint64(v.n))
	for k, c := range v.chunks {
		rows := min(chunkRows, v.n-k*chunkRows)
		for _, col := range []column{c.asset, c.advisory, c.location} {
			if col.wide != nil {
				w.word(4)
				put(w, col.wide[:rows])
			} else {
				w.word(2)
				put(w, col.narrow[:rows])
			}
		}
		put(w, c.day[:rows])
		put(w, c.state[:rows])
		put(w, c.source[:rows])
	}
	for i := range ix.prints.shards {
		live := slices.DeleteFunc(slices.Clone(ix.prints.shards[i].entries), func(p print) bool { return p.id == 0 })
		w.number(uint64(len(live)))
		put(w, live)
	}
	w.word(w.sum.Sum32())
	if err := errors.Join(w.err, w.w.Flush(), tmp.Sync(), tmp.Close()); err != nil {
		return fmt.Errorf("save the index: %w", err)
	}
	return os.Rename(tmp.Name(), file)
}

// Restore makes the index from a snapshot file and the events after it. ok is
// false, and nothing happened, when there is no usable snapshot.
func (ix *Index) Restore(ctx context.Context, file, identity string, src Source) (ok bool, err error) {
	ix.mu.Lock()
	defer ix.mu.Unlock()
	f, err := os.Open(file)
	if err != nil {
		return false, nil
	}
	defer f.Close()
	old := ix.view.Load()
	v := old.next()
	prints := fingerprints{}
	if err := readSnapshot(f, identity, v, &prints); err != nil {
		return false, nil
	}
	if err := ix.loadDictionaries(ctx, src, v); err != nil {
		ix.remember(old)
		return false, err
	}
	if !v.consistent() {
		ix.remember(old)
		return false, nil
	}
	v.rescore()
	ix.prints = prints
	ix.view.Store(v)
	return true, ix.catchUp(ctx, src)
}

// consistent reports whether every number in the columns exists.
func (v *View) consistent() bool {
	for k, c := range v.chunks {
		for j := range min(chunkRows, v.n-k*chunkRows) {
			if int(c.asset.at(j)) >= len(v.assets) || int(c.advisory.at(j)) >= len(v.advisories) || int(c.location.at(j)) >= len(v.places) || int(c.source[j]) >= len(v.sources) {
				return false
			}
		}
	}
	return true
}

func readSnapshot(f *os.File, identity string, v *View, prints *fingerprints) error {
	info, err := f.Stat()
	if err != nil {
		return err
	}
	r := &sumReader{r: bufio.NewReaderSize(f, 1<<20), sum: crc32.New(castagnoli)}
	if r.text(len(snapshotMagic)) != snapshotMagic || r.text(64) != fmt.Sprintf("%-64.64s", identity) {
		return errSnapshot
	}
	v.seq = int64(r.number())
	n := r.number()
	if n > uint64(info.Size()) {
		return errSnapshot // more rows than bytes
	}
	v.chunks = nil
	live := 0
	for at := 0; at < int(n) && r.err == nil; at += chunkRows {
		rows := min(chunkRows, int(n)-at)
		c := newChunk()
		for _, col := range []*column{&c.asset, &c.advisory, &c.location} {
			if width := r.word(); width == 4 {
				*col = column{wide: make([]uint32, chunkRows)}
				get(r, col.wide[:rows])
			} else {
				get(r, col.narrow[:rows])
			}
		}
		get(r, c.day[:rows])
		get(r, c.state[:rows])
		get(r, c.source[:rows])
		for _, s := range c.state[:rows] {
			live += bit(s&15 != removed)
		}
		v.chunks = append(v.chunks, c)
	}
	v.n, prints.n = int(n), int(n)
	for i := range prints.shards {
		count := r.number()
		if count > n || r.err != nil {
			return errSnapshot
		}
		entries := make([]print, count)
		get(r, entries)
		for k := range entries {
			if id := entries[k].id; id == 0 || uint64(id) > n || k > 0 && entries[k].key() <= entries[k-1].key() {
				return errSnapshot
			}
		}
		if count > 0 {
			prints.shards[i].spread(int(count)*100/(maxLoad-2)+1, overflow, entries)
		}
		live -= int(count)
	}
	want := r.sum.Sum32()
	if got := r.word(); r.err != nil || got != want || live != 0 {
		return errSnapshot // or two fingerprints share what is kept of them
	}
	return nil
}

// sumWriter and sumReader move plain values and sum their bytes.
type sumWriter struct {
	w   *bufio.Writer
	sum hash.Hash32
	err error
}

func (w *sumWriter) bytes(b []byte) {
	if w.err == nil {
		w.sum.Write(b)
		_, w.err = w.w.Write(b)
	}
}

func (w *sumWriter) text(s string)   { w.bytes([]byte(s)) }
func (w *sumWriter) number(n uint64) { w.bytes(binary.LittleEndian.AppendUint64(nil, n)) }
func (w *sumWriter) word(n uint32)   { w.bytes(binary.LittleEndian.AppendUint32(nil, n)) }

type sumReader struct {
	r   *bufio.Reader
	sum hash.Hash32
	err error
}

func (r *sumReader) bytes(b []byte) {
	if r.err == nil {
		_, r.err = io.ReadFull(r.r, b)
		r.sum.Write(b)
	}
}

func (r *sumReader) text(n int) string { b := make([]byte, n); r.bytes(b); return string(b) }
func (r *sumReader) number() uint64 {
	var b [8]byte
	r.bytes(b[:])
	return binary.LittleEndian.Uint64(b[:])
}
func (r *sumReader) word() uint32 {
	var b [4]byte
	r.bytes(b[:])
	return binary.LittleEndian.Uint32(b[:])
}

// put and get move values as the bytes they are in memory. All
// machines that Leeward is built for are little endian.
func put[T uint16 | uint32 | print](w *sumWriter, values []T) { w.bytes(raw(values)) }

func get[T uint16 | uint32 | print](r *sumReader, values []T) { r.bytes(raw(values)) }

func raw[T uint16 | uint32 | print](values []T) []byte {
	if len(values) == 0 {
		return nil
	}
	return unsafe.Slice((*byte)(unsafe.Pointer(&values[0])), len(values)*int(unsafe.Sizeof(values[0])))
}
