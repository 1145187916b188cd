package intel

import (
	"archive/zip"
	"bufio"
	"bytes"
	"encoding/binary"
	"io"
)

// Parts of a zip archive, see
// https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT, 4.3.
const (
	entryLength   = 46
	endLength     = 22
	locatorLength = 20
	wideEndLength = 56
	maxComment    = 1<<16 - 1
)

// Selection opens a zip archive as [Archive] does, with those entries alone
// whose names are wanted. The others cost no memory, so limit may be much
// larger.
func Selection(f File, limit int64, wanted func(name []byte) bool) (*zip.Reader, error) {
	d, ok := findDirectory(f)
	if !ok {
		return nil, Refused("this is no zip archive, or not all of it: fetch it again")
	}
	if d.size > uint64(limit) {
		return nil, Refused("the archive has too many entries: its directory is longer than %d MiB", limit>>20)
	}
	chosen, n, ok := d.choose(f, wanted)
	if !ok || n > 1<<16-2 || d.offset+uint64(len(chosen)) > 1<<32-2 {
		return nil, Refused("this is no zip archive, not all of it, or too large a one: fetch it again")
	}
	end := make([]byte, endLength, endLength+len(d.comment))
	copy(end, "PK\x05\x06")
	binary.LittleEndian.PutUint16(end[8:], uint16(n))
	binary.LittleEndian.PutUint16(end[10:], uint16(n))
	binary.LittleEndian.PutUint32(end[12:], uint32(len(chosen)))
	binary.LittleEndian.PutUint32(end[16:], uint32(d.offset))
	binary.LittleEndian.PutUint16(end[20:], uint16(len(d.comment)))
	s := &selected{f, int64(d.offset), append(append(chosen, end...), d.comment...)}
	return Archive(s, limit)
}

// directory is where the directory of an archive is.
type directory struct {
	entries, size, offset uint64
	comment               []byte
}

// findDirectory reads the end of an archive.
func findDirectory(f File) (d directory, ok bool) {
	tail := make([]byte, min(f.Size(), endLength+maxComment+locatorLength))
	if _, err := f.ReadAt(tail, f.Size()-int64(len(tail))); err != nil && err != io.EOF {
		return d, false
	}
	at := bytes.LastIndex(tail, []byte("PK\x05\x06"))
	for ; at >= 0; at = bytes.LastIndex(tail[:at], []byte("PK\x05\x06")) {
		if len(tail)-at >= endLength && int(binary.LittleEndian.Uint16(tail[at+20:])) == len(tail)-at-endLength {
			break
		}
	}
	if at < 0 {
		return d, false
	}
	end := tail[at:]
	d = directory{uint64(binary.LittleEndian.Uint16(end[10:])), uint64(binary.LittleEndian.Uint32(end[12:])), uint64(binary.LittleEndian.Uint32(end[16:])), end[endLength:]}
	if d.entries != 1<<16-1 && d.size != 1<<32-1 && d.offset != 1<<32-1 {
		return d, true
	}
	if at < locatorLength || string(tail[at-locatorLength:at-locatorLength+4]) != "PK\x06\x07" {
		return d, true // just so many
	}
	wide := make([]byte, wideEndLength)
	where := binary.LittleEndian.Uint64(tail[at-locatorLength+8:])
	if where > uint64(f.Size()) {
		return d, false
	}
	if _, err := f.ReadAt(wide, int64(where)); err != nil || string(wide[:4]) != "PK\x06\x06" {
		return d, false
	}
	d.entries, d.size, d.offset = binary.LittleEndian.Uint64(wide[32:]), binary.LittleEndian.Uint64(wide[40:]), binary.LittleEndian.Uint64(wide[48:])
	return d, true
}

// choose returns the entries of the directory that are wanted, as they stand
// there, and their number; ok is false when the directory is not whole.
func (d *directory) choose(f File, wanted func(name []byte) bool) (chosen []byte, n int, ok bool) {
	if d.offset > uint64(f.Size()) || d.size > uint64(f.Size())-d.offset {
		return nil, 0, false
	}
	in := bufio.NewReaderSize(io.NewSectionReader(f, int64(d.offset), int64(d.size)), 256<<10)
	for range d.entries {
		head, err := in.Peek(entryLength)
		if err != nil || string(head[:4]) != "PK\x01\x02" {
			return nil, 0, false
		}
		name := int(binary.LittleEndian.Uint16(head[28:]))
		length := entryLength + name + int(binary.LittleEndian.Uint16(head[30:])) + int(binary.LittleEndian.Uint16(head[32:]))
		entry, err := in.Peek(length)
		if err != nil {
			return nil, 0, false
		}
		if wanted(entry[entryLength : entryLength+name]) {
			chosen = append(chosen, entry...)
			n++
		}
		in.Discard(length)
	}
	_, err := in.Peek(1)
	return chosen, n, err == io.EOF
}

// selected is an archive with another directory at its end.
type selected struct {
	File
	at   int64 // where the directory begins
	tail []byte
}

func (s *selected) Size() int64 { return s.at + int64(len(s.tail)) }

func (s *selected) ReadAt(p []byte, off int64) (n int, err error) {
	if off < 0 {
		return 0, io.EOF
	}
	if off < s.at {
		n, err = s.File.ReadAt(p[:min(int64(len(p)), s.at-off)], off)
		if err != nil || n == len(p) {
			return n, err
		}
		off += int64(n)
	}
	if off-s.at >= int64(len(s.tail)) {
		return n, io.EOF
	}
	m := copy(p[n:], s.tail[off-s.at:])
	if n += m; n < len(p) {
		return n, io.EOF
	}
	return n, nil
}
