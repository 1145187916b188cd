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
	"unsafe"
)

// A snapshot is the columns and fingerprint table on disk, for a start without
// reading every finding from the database. It belongs to one database, by the
// identity written into it, and to one event number; later events are applied
// after it is read. It is only a cache: when it is missing, damaged or of
// another version, the database is read instead.
//
// Layout, little endian: magic, database identity, seq, n, the columns chunk by
// chunk, the kept fingerprints, the numbers shard by shard, CRC-32C of it all.

const snapshotMagic = "LEEWARD INDEX 1\n"

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
		column(w, c.asset[:rows])
		column(w, c.advisory[:rows])
		column(w, c.location[:rows])
		column(w, c.day[:rows])
		column(w, c.state[:rows])
		column(w, c.source[:rows])
		column(w, ix.prints.prints[k][:rows])
	}
	for i := range ix.prints.shards {
		s := &ix.prints.shards[i]
		w.number(uint64(s.n))
		for _, id := range s.ids {
			if id != 0 {
				w.word(id)
			}
		}
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
			if int(c.asset[j]) >= len(v.assets) || int(c.advisory[j]) >= len(v.advisories) || int(c.location[j]) >= len(v.places) || int(c.source[j]) >= len(v.sources) {
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
	for at := 0; at < int(n) && r.err == nil; at += chunkRows {
		rows := min(chunkRows, int(n)-at)
		c := newChunk()
		readColumn(r, c.asset[:rows])
		readColumn(r, c.advisory[:rows])
		readColumn(r, c.location[:rows])
		readColumn(r, c.day[:rows])
		readColumn(r, c.state[:rows])
		readColumn(r, c.source[:rows])
		p := make([]print, chunkRows)
		readColumn(r, p[:rows])
		v.chunks, prints.prints = append(v.chunks, c), append(prints.prints, p)
	}
	v.n, prints.n = int(n), int(n)
	total := 0
	for i := range prints.shards {
		s := &prints.shards[i]
		count := r.number()
		if count > n || r.err != nil {
			return errSnapshot
		}
		ids := make([]uint32, count)
		readColumn(r, ids)
		size := max(8, int(count)*100/(maxLoad-8)+4)
		s.ids, s.tags = make([]uint32, size), make([]uint8, size)
		for _, id := range ids {
			if id == 0 || uint64(id) > n {
				return errSnapshot
			}
			s.put(prints.hash(id), id)
		}
		s.n = int(count)
		total += s.n
	}
	want := r.sum.Sum32()
	if got := r.word(); r.err != nil || got != want || total < int(n) {
		return errSnapshot
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

// column and readColumn move a column as the bytes it is in memory. All
// machines that Leeward is built for are little endian.
func column[T uint16 | uint32 | print](w *sumWriter, values []T) { w.bytes(raw(values)) }

func readColumn[T uint16 | uint32 | print](r *sumReader, values []T) { r.bytes(raw(values)) }

func raw[T uint16 | uint32 | print](values []T) []byte {
	if len(values) == 0 {
		return nil
	}
	return unsafe.Slice((*byte)(unsafe.Pointer(&values[0])), len(values)*int(unsafe.Sizeof(values[0])))
}
