package history

import (
	"bytes"
	"container/list"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"

	"github.com/klauspost/compress/zlib"
)

// pack is a packfile and its index, version 2:
// https://git-scm.com/docs/gitformat-pack
type pack struct {
	file    fs.File
	at      io.ReaderAt
	size    int64
	count   int
	ids     []byte // sorted
	offsets []byte // four bytes each
	large   []byte // eight bytes each, for offsets above 2 GiB
	fanout  [256]uint32
}

const (
	idLength     = 20
	packTrailer  = 20
	indexHeader  = 8 + 256*4
	indexTrailer = 40
	maxWhole     = 256 << 20 // bytes of a pack that is read whole, where parts cannot be
)

func openPack(fsys fs.FS, name string, maxIndex int64) (*pack, error) {
	index, err := fsys.Open(name + ".idx")
	if err != nil {
		return nil, err
	}
	body, err := io.ReadAll(io.LimitReader(index, maxIndex+1))
	_ = index.Close()
	if err != nil {
		return nil, err
	}
	if int64(len(body)) > maxIndex {
		return nil, fmt.Errorf("the index has more than %d bytes", maxIndex)
	}
	p := &pack{}
	if err := p.parseIndex(body); err != nil {
		return nil, err
	}
	if p.file, err = fsys.Open(name + ".pack"); err != nil {
		return nil, err
	}
	if err := p.open(); err != nil {
		_ = p.file.Close()
		return nil, err
	}
	return p, nil
}

func (p *pack) open() error {
	info, err := p.file.Stat()
	if err != nil {
		return err
	}
	p.size = info.Size()
	at, ok := p.file.(io.ReaderAt)
	if !ok {
		body, err := io.ReadAll(io.LimitReader(p.file, maxWhole+1))
		if err != nil {
			return err
		}
		if len(body) > maxWhole {
			return fmt.Errorf("the pack has more than %d bytes, and can only be read whole here", maxWhole)
		}
		at, p.size = bytes.NewReader(body), int64(len(body))
	}
	p.at = at
	head := make([]byte, 8)
	if _, err := p.at.ReadAt(head, 0); err != nil || string(head[:4]) != "PACK" {
		return errors.New("it is no packfile")
	}
	if v := binary.BigEndian.Uint32(head[4:]); v != 2 && v != 3 {
		return fmt.Errorf("it is a packfile of version %d, and 2 and 3 are read", v)
	}
	return nil
}

func (p *pack) parseIndex(body []byte) error {
	broken := errors.New("the index is broken: git index-pack makes it anew")
	if len(body) < indexHeader+indexTrailer || string(body[:4]) != "\xfftOc" || binary.BigEndian.Uint32(body[4:]) != 2 {
		return errors.New("the index is none of version 2: git index-pack makes one")
	}
	last := uint32(0)
	for i := range p.fanout {
		n := binary.BigEndian.Uint32(body[8+4*i:])
		if n < last {
			return broken
		}
		p.fanout[i], last = n, n
	}
	p.count = int(last)
	body = body[indexHeader : len(body)-indexTrailer]
	if int64(len(body)) < int64(p.count)*(idLength+4+4) {
		return broken
	}
	p.ids = body[:p.count*idLength]
	body = body[p.count*(idLength+4):] // without the checksums
	p.offsets, p.large = body[:p.count*4], body[p.count*4:]
	return nil
}

// find tells where an object begins.
func (p *pack) find(id ID) (offset int64, ok bool) {
	from, to := 0, int(p.fanout[id[0]])
	if id[0] > 0 {
		from = int(p.fanout[id[0]-1])
	}
	for from < to {
		mid := (from + to) / 2
		switch c := bytes.Compare(p.ids[mid*idLength:][:idLength], id[:]); {
		case c < 0:
			from = mid + 1
		case c > 0:
			to = mid
		default:
			n := binary.BigEndian.Uint32(p.offsets[mid*4:])
			if n>>31 == 0 {
				return int64(n), true
			}
			at := int(n&(1<<31-1)) * 8
			if at+8 > len(p.large) {
				return 0, false
			}
			return int64(binary.BigEndian.Uint64(p.large[at:]) & (1<<63 - 1)), true
		}
	}
	return 0, false
}

// delta is one that must be applied.
type delta struct {
	offset int64 // of the object
	data   int64 // of what is compressed
	size   int64
}

// readPacked reads the object at an offset. It follows deltas down to what they
// are made from, or to what is known, and applies them on the way back.
func (r *Repository) readPacked(p *pack, offset, limit int64, depth int) (kind, []byte, error) {
	var chain []delta
	var k kind
	var body []byte
	for {
		if cached, ok := r.cache.get(place{p, offset}); ok {
			k, body = cached.kind, cached.body
			break
		}
		h, err := p.header(offset)
		if err != nil {
			return 0, nil, err
		}
		if h.kind != kindOffDelta && h.kind != kindRefDelta {
			k = h.kind
			if body, err = r.inflateAt(p, h.data, h.size, limit); err != nil {
				return 0, nil, err
			}
			r.cache.add(place{p, offset}, known{k, body})
			break
		}
		if len(chain)+depth >= maxDelta {
			return 0, nil, fmt.Errorf("%w: more than %d deltas behind each other", errBroken, maxDelta)
		}
		chain = append(chain, delta{offset, h.data, h.size})
		if h.kind == kindOffDelta {
			offset = h.base
			continue
		}
		if at, ok := p.find(h.id); ok {
			offset = at
			continue
		}
		if k, body, err = r.readAt(h.id, limit, depth+len(chain)); err != nil {
			return 0, nil, err
		}
		break
	}
	for _, d := range slices.Backward(chain) {
		change, err := r.inflateAt(p, d.data, d.size, limit)
		if err != nil {
			return 0, nil, err
		}
		if body, err = r.apply(body, change, limit); err != nil {
			return 0, nil, err
		}
		r.cache.add(place{p, d.offset}, known{k, body})
	}
	return k, body, nil
}

func (r *Repository) inflateAt(p *pack, offset, size, limit int64) ([]byte, error) {
	z, err := r.inflater(io.NewSectionReader(p.at, offset, p.size-offset))
	if err != nil {
		return nil, err
	}
	return r.inflated(z, size, limit)
}

// header is what stands before a packed object.
type header struct {
	kind kind
	size int64
	data int64
	base int64 // of kindOffDelta
	id   ID    // of kindRefDelta
}

func (p *pack) header(offset int64) (h header, err error) {
	var buf [48]byte
	if offset < 12 || offset >= p.size-packTrailer {
		return h, fmt.Errorf("%w: it lies outside of the pack", errBroken)
	}
	n, err := p.at.ReadAt(buf[:min(int64(len(buf)), p.size-offset)], offset)
	if err != nil && !errors.Is(err, io.EOF) {
		return h, err
	}
	b := buf[:n]
	if len(b) == 0 {
		return h, errBroken
	}
	h.kind, h.size = kind(b[0]>>4&7), int64(b[0]&15)
	i := 1
	for shift := 4; b[i-1]&0x80 != 0; shift += 7 {
		if i == len(b) || shift > 50 {
			return h, errBroken
		}
		h.size |= int64(b[i]&0x7f) << shift
		i++
	}
	switch h.kind {
	case kindCommit, kindTree, kindBlob, kindTag:
	case kindOffDelta:
		back := int64(-1)
		for more := true; more; i++ {
			if i == len(b) || back > 1<<50 {
				return h, errBroken
			}
			back = (back+1)<<7 | int64(b[i]&0x7f)
			more = b[i]&0x80 != 0
		}
		if h.base = offset - back; back <= 0 || h.base < 12 {
			return h, fmt.Errorf("%w: it is made from what lies outside of the pack", errBroken)
		}
	case kindRefDelta:
		if len(b) < i+idLength {
			return h, errBroken
		}
		h.id = ID(b[i:])
		i += idLength
	default:
		return h, fmt.Errorf("%w: there is no kind %d of objects", errBroken, h.kind)
	}
	h.data = offset + int64(i)
	return h, nil
}

// apply makes an object from another one by a delta: lengths of both, then
// instructions that copy from the one or insert.
func (r *Repository) apply(base, change []byte, limit int64) ([]byte, error) {
	from, n := binary.Uvarint(change)
	if n <= 0 || from != uint64(len(base)) {
		return nil, fmt.Errorf("%w: a delta is made for another object", errBroken)
	}
	change = change[n:]
	size, n := binary.Uvarint(change)
	if n <= 0 || size > uint64(limit) {
		return nil, fmt.Errorf("%w: %d bytes of at most %d", errLarge, size, limit)
	}
	change = change[n:]
	if r.work += int64(size) + perObject; r.work > r.limits.Work {
		return nil, errWork
	}
	out := make([]byte, 0, min(size, uint64(len(base)+len(change))))
	for len(change) > 0 {
		op := change[0]
		change = change[1:]
		piece := change
		if op&0x80 == 0 {
			if op == 0 || len(change) < int(op) {
				return nil, errBroken
			}
			piece, change = change[:op], change[op:]
		} else {
			var at, length int
			for bit := range 7 {
				if op>>bit&1 == 0 {
					continue
				}
				if len(change) == 0 {
					return nil, errBroken
				}
				if bit < 4 {
					at |= int(change[0]) << (8 * bit)
				} else {
					length |= int(change[0]) << (8 * (bit - 4))
				}
				change = change[1:]
			}
			if length == 0 {
				length = 1 << 16
			}
			if at > len(base) || length > len(base)-at {
				return nil, errBroken
			}
			piece = base[at : at+length]
		}
		if uint64(len(out)+len(piece)) > size {
			return nil, errBroken
		}
		out = append(out, piece...)
	}
	if uint64(len(out)) != size {
		return nil, errBroken
	}
	return out, nil
}

// inflater is a reader of zlib that can begin again.
type inflater interface {
	io.Reader
	zlib.Resetter
}

func newInflater(from io.Reader) (inflater, error) {
	z, err := zlib.NewReader(from)
	if err != nil {
		return nil, err
	}
	again, ok := z.(inflater)
	if !ok {
		return nil, errors.New("zlib cannot begin again")
	}
	return again, nil
}

type place struct {
	pack   *pack
	offset int64
}

type known struct {
	kind kind
	body []byte
}

// cache keeps what was read last.
type cache struct {
	limit, held int64
	items       map[place]*list.Element
	recent      list.List // of cached, the latest first
}

type cached struct {
	at place
	known
}

func (c *cache) get(at place) (known, bool) {
	e, ok := c.items[at]
	if !ok {
		return known{}, false
	}
	c.recent.MoveToFront(e)
	item, ok := e.Value.(cached)
	return item.known, ok
}

func (c *cache) add(at place, k known) {
	size := int64(len(k.body)) + perObject
	if _, ok := c.items[at]; ok || size > c.limit/4 {
		return
	}
	if c.items == nil {
		c.items = map[place]*list.Element{}
	}
	c.items[at] = c.recent.PushFront(cached{at, k})
	for c.held += size; c.held > c.limit; {
		last := c.recent.Back()
		item, _ := c.recent.Remove(last).(cached)
		delete(c.items, item.at)
		c.held -= int64(len(item.body)) + perObject
	}
}
