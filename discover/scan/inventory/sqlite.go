package inventory

import (
	"context"
	"encoding/binary"
	"io"
)

// The format of SQLite's files, see https://www.sqlite.org/fileformat.html
const (
	sqliteMagic   = "SQLite format 3\x00"
	sqliteHead    = 100
	pageInterior  = 5
	pageLeaf      = 13
	maxTreeHeight = 20
)

// sqlite reads the tables of a database that nobody writes to.
type sqlite struct {
	ctx    context.Context
	r      io.ReaderAt
	size   int64 // of a page
	usable int64 // bytes of it
	left   int64 // pages that may still be read, so that a loop ends
}

// sqliteBlobs gives the last column of each row of a table to take.
func sqliteBlobs(ctx context.Context, r io.ReaderAt, size int64, table string, take func([]byte) error) error {
	var head [sqliteHead]byte
	if _, err := r.ReadAt(head[:], 0); err != nil {
		return io.ErrUnexpectedEOF
	}
	d := sqlite{ctx: ctx, r: r, size: int64(binary.BigEndian.Uint16(head[16:]))}
	if d.size == 1 {
		d.size = 64 << 10
	}
	if d.size < 512 || d.size&(d.size-1) != 0 {
		return errDatabase
	}
	d.usable, d.left = d.size-int64(head[20]), 2*(size/d.size)+2
	if d.usable < 480 {
		return errDatabase
	}
	root := int64(0)
	err := d.rows(1, 0, func(record []byte) error {
		if c, err := columns(record); err != nil {
			return err
		} else if len(c) >= 4 && string(c[0]) == "table" && string(c[1]) == table {
			for _, b := range c[3] {
				root = root<<8 | int64(b)
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	if root <= 0 {
		return errDatabase
	}
	return d.rows(root, 0, func(record []byte) error {
		c, err := columns(record)
		if err != nil {
			return err
		}
		if len(c) == 0 {
			return errDatabase
		}
		return take(c[len(c)-1])
	})
}

func (d *sqlite) page(n int64) ([]byte, error) {
	if err := d.ctx.Err(); err != nil {
		return nil, err
	}
	if d.left--; d.left < 0 || n < 1 {
		return nil, errDatabase
	}
	p := make([]byte, d.size)
	if _, err := d.r.ReadAt(p, (n-1)*d.size); err != nil {
		return nil, io.ErrUnexpectedEOF
	}
	return p[:d.usable], nil
}

// rows gives the record of each row in the tree below a page to take.
func (d *sqlite) rows(n int64, height int, take func([]byte) error) error {
	if height > maxTreeHeight {
		return errDatabase
	}
	p, err := d.page(n)
	if err != nil {
		return err
	}
	h := p
	if n == 1 {
		h = p[sqliteHead:]
	}
	kind, cells, first := h[0], int(binary.BigEndian.Uint16(h[3:])), 8
	if kind == pageInterior {
		first = 12
	} else if kind != pageLeaf {
		return errDatabase
	}
	if first+2*cells > len(h) {
		return errDatabase
	}
	for i := range cells {
		at := int(binary.BigEndian.Uint16(h[first+2*i:]))
		if at+4 > len(p) {
			return errDatabase
		}
		if kind == pageInterior {
			err = d.rows(int64(binary.BigEndian.Uint32(p[at:])), height+1, take)
		} else {
			var record []byte
			if record, err = d.record(p[at:]); err == nil {
				err = take(record)
			}
		}
		if err != nil {
			return err
		}
	}
	if kind == pageInterior {
		return d.rows(int64(binary.BigEndian.Uint32(h[8:])), height+1, take)
	}
	return nil
}

// record is that of a cell, with what of it lies on other pages.
func (d *sqlite) record(cell []byte) ([]byte, error) {
	length, n := varint(cell)
	_, m := varint(cell[n:])
	if n == 0 || m == 0 || length > maxHeader {
		return nil, errDatabase
	}
	cell = cell[n+m:]
	local := int64(length)
	if most := d.usable - 35; local > most {
		least := (d.usable-12)*32/255 - 23
		if local = least + (int64(length)-least)%(d.usable-4); local > most {
			local = least
		}
	}
	if local > int64(len(cell)) {
		return nil, errDatabase
	}
	record := append([]byte(nil), cell[:local]...)
	if local == int64(length) {
		return record, nil
	}
	if local+4 > int64(len(cell)) {
		return nil, errDatabase
	}
	next := int64(binary.BigEndian.Uint32(cell[local:]))
	for uint64(len(record)) < length {
		p, err := d.page(next)
		if err != nil {
			return nil, err
		}
		next = int64(binary.BigEndian.Uint32(p))
		record = append(record, p[4:min(len(p), 4+int(length)-len(record))]...)
	}
	return record, nil
}

// varint reads a number of SQLite's, and how many bytes it has; 0 when cut.
func varint(b []byte) (v uint64, n int) {
	for n < len(b) && n < 9 {
		c := b[n]
		if n++; n == 9 {
			return v<<8 | uint64(c), n
		}
		if v = v<<7 | uint64(c&0x7f); c < 0x80 {
			return v, n
		}
	}
	return 0, 0
}

// maxColumns is more than the tables that are read have.
const maxColumns = 64

// columns takes a record apart.
func columns(record []byte) (all [][]byte, err error) {
	length, n := varint(record)
	if n == 0 || length < uint64(n) || length > uint64(len(record)) {
		return nil, errDatabase
	}
	kinds, data := record[n:length], record[length:]
	for len(kinds) > 0 {
		kind, n := varint(kinds)
		if n == 0 || len(all) == maxColumns {
			return nil, errDatabase
		}
		kinds = kinds[n:]
		size := uint64(0)
		switch {
		case kind >= 12:
			size = (kind - 12) / 2
		case kind == 5:
			size = 6
		case kind == 6 || kind == 7:
			size = 8
		case kind <= 4:
			size = kind
		}
		if size > uint64(len(data)) {
			return nil, errDatabase
		}
		all = append(all, data[:size])
		data = data[size:]
	}
	return all, nil
}
