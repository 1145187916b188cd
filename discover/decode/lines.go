package decode

import (
	"bufio"
	"bytes"
	"errors"
	"io"
)

// ErrLong marks a line over the limit; the line is skipped.
var ErrLong = errors.New("line is too long for a record")

// bom is the UTF-8 byte order mark some Windows tools write.
var bom = []byte{0xEF, 0xBB, 0xBF}

func withoutBOM(r io.Reader) io.Reader {
	br := bufio.NewReaderSize(r, 64<<10)
	if head, _ := br.Peek(3); bytes.Equal(head, bom) {
		br.Discard(3)
	}
	return br
}

type lineReader struct {
	r      *bufio.Reader
	limit  int
	number int
	offset int64
	long   []byte
}

func newLineReader(r io.Reader, limit int) *lineReader {
	return &lineReader{r: bufio.NewReaderSize(r, 256<<10), limit: limit}
}

// next returns a line without its end. The common case is a slice of the
// buffer, without a copy.
func (l *lineReader) next() (line []byte, number int, offset int64, err error) {
	l.number++
	offset = l.offset
	line, err = l.r.ReadSlice('\n')
	l.offset += int64(len(line))
	if err == nil {
		return line, l.number, offset, nil
	}
	if err == io.EOF && len(line) > 0 {
		return line, l.number, offset, nil
	}
	if err != bufio.ErrBufferFull {
		return nil, l.number, offset, err
	}
	l.long = append(l.long[:0], line...)
	over := false
	for err == bufio.ErrBufferFull {
		line, err = l.r.ReadSlice('\n')
		l.offset += int64(len(line))
		if over = over || len(l.long)+len(line) > l.limit; !over {
			l.long = append(l.long, line...)
		}
	}
	if err != nil && err != io.EOF {
		return nil, l.number, offset, err
	}
	if over {
		return nil, l.number, offset, ErrLong
	}
	return l.long, l.number, offset, nil
}
