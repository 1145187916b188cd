package ports

import (
	"bytes"
	"errors"
	"io"
	"time"

	"github.com/leeward-ctem/leeward/guard"
)

// Bounds of one conversation, whatever the other side does.
const (
	talkFor   = 5 * time.Second
	talkBytes = 64 << 10
)

// wire is what of a connection a conversation needs.
type wire interface {
	io.ReadWriteCloser
	SetReadDeadline(time.Time) error
}

var _ wire = guard.Conn(nil)

// talk is a conversation that ends: by its bounds of time and bytes when not
// before.
type talk struct {
	c      wire
	until  time.Time
	buf    []byte // heard and not taken yet
	left   int    // bytes that are still listened to
	heard  bool   // anything at all
	closed bool   // by the other side
	silent bool   // it let a wait pass without a word
}

func newTalk(c wire) *talk { return &talk{c: c, until: time.Now().Add(talkFor), left: talkBytes} }

// say sends.
func (t *talk) say(b ...byte) bool {
	if _, err := t.c.Write(b); err != nil {
		t.closed = true
	}
	return !t.closed
}

// hear reads once, and waits no longer than that for it.
func (t *talk) hear(wait time.Duration) bool {
	if t.closed || t.left <= 0 {
		return false
	}
	deadline := time.Now().Add(wait)
	if deadline.After(t.until) {
		deadline = t.until
	}
	if t.c.SetReadDeadline(deadline) != nil {
		t.closed = true
		return false
	}
	var chunk [4096]byte
	n, err := t.c.Read(chunk[:min(len(chunk), t.left)])
	t.buf, t.left, t.heard = append(t.buf, chunk[:n]...), t.left-n, t.heard || n > 0
	if err != nil {
		var late interface{ Timeout() bool }
		if errors.As(err, &late) && late.Timeout() {
			t.silent = true
		} else {
			t.closed = true
		}
	}
	return n > 0
}

// answer is the first thing that is heard, with what follows at once: until
// whole says that nothing is missing. What was heard stays.
func (t *talk) answer(wait time.Duration, whole func([]byte) bool) []byte {
	for len(t.buf) == 0 || !whole(t.buf) {
		if !t.hear(wait) {
			break
		}
	}
	return t.buf
}

// exactly takes so many bytes; nil when they do not come.
func (t *talk) exactly(n int, wait time.Duration) []byte {
	for len(t.buf) < n {
		if !t.hear(wait) {
			return nil
		}
	}
	b := t.buf[:n:n]
	t.buf = t.buf[n:]
	return b
}

// maxLine bounds a line of text.
const maxLine = 4096

// line takes one line without its end; ok is false when none comes.
func (t *talk) line(wait time.Duration) (line string, ok bool) {
	for {
		if i := bytes.IndexByte(t.buf, '\n'); i >= 0 && i <= maxLine {
			line = string(bytes.TrimRight(t.buf[:i], "\r"))
			t.buf = t.buf[i+1:]
			return line, true
		}
		if len(t.buf) > maxLine || !t.hear(wait) {
			return "", false
		}
	}
}

// forget drops what was heard.
func (t *talk) forget() { t.buf = nil }
