package decode

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding/charmap"
)

// The bounds of a table, in bytes and columns.
const (
	maxRow     = 16 << 20
	maxCell    = 64 << 10 // that is kept
	MaxColumns = 1000     // of a table; of further cells one is kept at most, to tell
)

// What is wrong with a row. It can be passed over, see [Rows.SkipLine].
var (
	ErrQuote = errors.New("text follows a closing quotation mark: a quotation mark within a cell is written twice")
	ErrOpen  = errors.New("a quotation mark is never closed")
	ErrRow   = errors.New("the row is larger than 16 MiB")
)

// span is a cell within the buffer.
type span struct {
	start, end int
	doubled    bool // it holds quotation marks, written twice
}

// Rows reads the rows of a table of RFC 4180, with any delimiter, as it
// streams by. The buffer holds a row at least and 16 MiB at most.
//
// Quotation marks within a cell that does not begin with one stand for
// themselves. When a row cannot be read, the rows after its first line still
// can: see [Rows.SkipLine].
type Rows struct {
	r       io.Reader
	readErr error // of r, io.EOF at the end
	buf     []byte
	start   int // of the row at hand
	end     int // of what was read

	delimiter, newline byte

	// Of the row that next returned, or could not read:
	cells  []span
	length int   // in bytes, with its line break; 0 after an error
	lines  int   // line breaks in it
	ended  bool  // by a line break, rather than by the end of the report
	offset int64 // where it begins
	line   int   // the number of its first line

	scanned int64 // bytes that were read in vain, see [Rows.SkipLine]

	// The text of the row at hand and of some after it, of which the texts of
	// cells are parts, made when one is asked for.
	text   string
	textAt int64 // where it begins
	plain  bool  // it is valid UTF-8 without U+0000
}

// NewRows returns a walker over the rows of r, which are parted by commas and
// line feeds until [Rows.Separate] says otherwise.
func NewRows(r io.Reader) *Rows {
	return &Rows{r: r, buf: make([]byte, 64<<10), delimiter: ',', newline: '\n', line: 1}
}

// Head returns the start of what is left, at least n bytes if there are as many.
func (s *Rows) Head(n int) []byte {
	for s.end-s.start < n && s.readErr == nil && s.fill() {
	}
	return s.buf[s.start:s.end]
}

// fill reads on until the buffer is full, after making room in it. It is false
// if there is no more room, or nothing more to read.
func (s *Rows) fill() bool {
	if s.start > 0 {
		copy(s.buf, s.buf[s.start:s.end])
		s.end -= s.start
		s.start = 0
	} else if s.end == len(s.buf) {
		if len(s.buf) >= maxRow {
			return false
		}
		s.buf = append(s.buf, make([]byte, len(s.buf))...)
	}
	before := s.end
	for idle := 0; s.end < len(s.buf) && s.readErr == nil; {
		n, err := s.r.Read(s.buf[s.end:])
		s.end += n
		s.readErr = err
		if idle++; n > 0 {
			idle = 0
		} else if idle == 100 && err == nil {
			s.readErr = io.ErrNoProgress
		}
	}
	return s.end > before
}

// Next reads the next row that is not blank. The error is io.EOF at the end,
// that of the reader below, or says why the row cannot be read; it is then
// left to SkipLine.
func (s *Rows) Next() error {
	s.advance()
	for {
		n, err := s.parse()
		switch {
		case err == errMore && s.readErr == nil:
			if s.fill() || s.readErr != nil {
				continue
			}
			return ErrRow
		case err == errMore && s.readErr != io.EOF:
			return s.readErr
		case err == errMore:
			return ErrOpen
		case err != nil:
			return err
		case n == 0:
			return io.EOF
		}
		s.length = n
		s.lines = bytes.Count(s.buf[s.start:s.start+n], []byte{s.newline})
		if len(s.cells) == 1 && blank(s.buf[s.cells[0].start:s.cells[0].end]) {
			s.advance()
			continue
		}
		return nil
	}
}

// advance goes behind the row at hand.
func (s *Rows) advance() {
	s.start += s.length
	s.offset += int64(s.length)
	s.line += s.lines
	s.length, s.lines = 0, 0
}

// errMore says that the row goes on beyond the buffer.
var errMore = errors.New("more")

// parse finds the cells of the row at s.start, and its length.
func (s *Rows) parse() (length int, err error) {
	s.cells = s.cells[:0]
	b, i := s.buf[:s.end], s.start
	delimiter, newline := s.delimiter, s.newline
	final := s.readErr == io.EOF
	if i == len(b) {
		if !final {
			return 0, errMore
		}
		return 0, nil
	}
	for {
		for i < len(b) && b[i] == ' ' {
			i++ // before a quotation mark, and of no use elsewhere
		}
		c := span{start: i}
		if i < len(b) && b[i] == '"' {
			c.start++
			if i, c.doubled = closing(b, i+1); i < 0 || i == len(b)-1 && !final {
				s.scanned += int64(len(b) - s.start)
				return 0, errMore
			}
			c.end = i
			for i++; i < len(b) && (b[i] == ' ' || b[i] == '\r' && newline == '\n'); i++ {
			}
			if i < len(b) && b[i] != delimiter && b[i] != newline {
				s.scanned += int64(i - s.start)
				return 0, ErrQuote
			}
		} else {
			for i < len(b) && b[i] != delimiter && b[i] != newline {
				i++
			}
			if c.end = i; i > c.start && (i == len(b) || b[i] == newline) && b[i-1] == '\r' {
				c.end--
			}
		}
		if i == len(b) && !final {
			return 0, errMore
		}
		if len(s.cells) < MaxColumns {
			s.cells = append(s.cells, c)
		} else {
			s.add(c)
		}
		s.ended = i < len(b)
		if !s.ended {
			return i - s.start, nil
		}
		i++
		if b[i-1] == newline {
			return i - s.start, nil
		}
		if i == len(b) && !final {
			return 0, errMore
		}
	}
}

// add keeps a cell. Of those beyond the most columns, only one that says
// something is.
func (s *Rows) add(c span) {
	if len(s.cells) <= MaxColumns {
		s.cells = append(s.cells, c)
	} else if last := &s.cells[MaxColumns]; last.start == last.end {
		*last = c
	}
}

// closing returns the place of the quotation mark that closes the cell which
// begins at i, -1 if there is none, and whether the cell holds doubled ones.
func closing(b []byte, i int) (end int, doubled bool) {
	for {
		n := bytes.IndexByte(b[i:], '"')
		if n < 0 {
			return -1, doubled
		}
		if i += n; i+1 == len(b) || b[i+1] != '"' {
			return i, doubled
		}
		doubled = true
		i += 2
	}
}

// SkipLine goes to the line after the first one of the row that could not be
// read, or that turned out to be no row. What was read of it in vain is read
// again, but of the whole report no more than a few times as much as it is
// long; beyond that, all that was read of the row is passed over.
func (s *Rows) SkipLine() error {
	s.scanned += int64(s.length)
	s.length, s.lines = 0, 0
	for {
		b := s.buf[s.start:s.end]
		n := bytes.IndexByte(b, s.newline)
		if s.scanned > 4*s.offset+4*maxRow {
			n = bytes.LastIndexByte(b, s.newline)
			s.scanned = 4 * s.offset
		}
		if n >= 0 {
			s.length, s.lines = n+1, bytes.Count(b[:n+1], []byte{s.newline})
			s.advance()
			return nil
		}
		s.length = len(b)
		s.advance()
		if s.readErr == nil {
			s.fill()
		}
		if s.start == s.end {
			if s.readErr == io.EOF {
				return nil
			}
			return s.readErr
		}
	}
}

// Text returns the text of cell i, at most maxCell bytes of it, with line feeds
// between its lines, whatever the table has there. It is known, if it is that.
func (s *Rows) Text(i int, known string) string {
	c := s.cells[i]
	b := s.buf[c.start:c.end]
	for len(b) > 0 && (b[len(b)-1] == ' ' || b[len(b)-1] == '\t' || b[len(b)-1] == '\n' || b[len(b)-1] == '\r') {
		b = b[:len(b)-1]
	}
	broken := s.lines > 1 && bytes.IndexByte(b, '\r') >= 0 // over lines that end in two bytes
	switch {
	case string(b) == known && !c.doubled && !broken:
		return known
	case len(b) == 0:
		return ""
	case s.length <= maxShared && !c.doubled && !broken:
		if s.offset+int64(s.length) > s.textAt+int64(len(s.text)) {
			s.keep()
		}
		if s.plain {
			at := int(s.offset-s.textAt) + c.start - s.start
			return s.text[at : at+len(b)]
		}
	}
	return cell(b, c.doubled, broken)
}

// cell returns the text of a cell, in which doubled says that quotation marks
// are, and broken that lines may end in two bytes.
func cell(b []byte, doubled, broken bool) string {
	if len(b) > maxCell {
		b = bytes.TrimRightFunc(b[:maxCell], func(r rune) bool { return r == utf8.RuneError })
	}
	out := strings.ReplaceAll(string(b), "\x00", "\uFFFD")
	if broken {
		out = strings.ReplaceAll(out, "\r\n", "\n")
	}
	if doubled {
		out = strings.ReplaceAll(out, `""`, `"`)
	}
	if !utf8.ValidString(out) {
		// Excel writes the code page of its machine; this is the usual one.
		if decoded, err := charmap.Windows1252.NewDecoder().String(out); err == nil {
			return strings.ToValidUTF8(decoded, "\uFFFD")
		}
	}
	return out
}

// keep makes the text of the row at hand, and of those after it that are whole
// and at hand as well, as far as parts may keep a text in memory.
func (s *Rows) keep() {
	end := s.start + s.length
	more := s.buf[end:max(end, min(s.end, s.start+maxShared))]
	end += bytes.LastIndexByte(more, s.newline) + 1
	s.text, s.textAt = string(s.buf[s.start:end]), s.offset
	s.plain = utf8.ValidString(s.text) && strings.IndexByte(s.text, 0) < 0
}

// Lost reports whether err concerns a row rather than the report.
func Lost(err error) bool {
	return errors.Is(err, ErrQuote) || errors.Is(err, ErrOpen) || errors.Is(err, ErrRow)
}

// Separate says what parts the cells of a row and what ends it.
func (s *Rows) Separate(delimiter, newline byte) { s.delimiter, s.newline = delimiter, newline }

// Discard passes over n bytes of what [Rows.Head] returned.
func (s *Rows) Discard(n int) { s.start, s.offset = s.start+n, s.offset+int64(n) }

// Cells is the number of cells of the row at hand.
func (s *Rows) Cells() int { return len(s.cells) }

// Blank reports whether cell i holds nothing but space.
func (s *Rows) Blank(i int) bool { return blank(s.buf[s.cells[i].start:s.cells[i].end]) }

// Empty reports whether cell i holds nothing at all.
func (s *Rows) Empty(i int) bool { return s.cells[i].start == s.cells[i].end }

// Offset is where the row at hand begins, Line the number of its first line,
// from 1, and Breaks how many line breaks it has. Ended reports whether it was
// ended by one, rather than by the end of the report.
func (s *Rows) Offset() int64 { return s.offset }
func (s *Rows) Line() int     { return s.line }
func (s *Rows) Breaks() int   { return s.lines }
func (s *Rows) Ended() bool   { return s.ended }

func blank(b []byte) bool { return len(bytes.TrimSpace(b)) == 0 }
