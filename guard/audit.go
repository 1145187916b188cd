package guard

import (
	"bufio"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"sync"
	"time"

	"github.com/leeward-ctem/leeward/exposure"
)

// Entry is one line of the audit log. Each holds the hash of the one before,
// so that none can be changed, left out or put in unnoticed.
type Entry struct {
	Seq        int64     `json:"seq"`
	At         time.Time `json:"at"`
	Kind       EntryKind `json:"kind"`
	Engagement int64     `json:"engagement,omitempty"`
	Rules      string    `json:"rules,omitempty"` // digest of the rules that decided
	Scan       string    `json:"scan,omitempty"`
	Action     string    `json:"action"` // "tcp 443 (certificate)", "GET https://…"
	Host       string    `json:"host,omitempty"`
	Addr       string    `json:"addr,omitempty"` // the address that the host is kept at
	Level      string    `json:"level,omitempty"`
	Allowed    bool      `json:"allowed"`
	Reasons    []string  `json:"reasons,omitempty"` // why not
	Count      int64     `json:"count,omitempty"`   // of connections, requests and lookups
	Prev       string    `json:"prev"`
	Hash       string    `json:"hash"`
}

// EntryKind is what an audit entry tells.
type EntryKind string

// The kinds of entry.
const (
	Decided  EntryKind = "decision" // before the first packet
	Asked    EntryKind = "request"  // requests that were sent within a decision
	Finished EntryKind = "end"      // of a session, with its counts
	Stopped  EntryKind = "stop"     // leave was withdrawn
	Ruled    EntryKind = "rules"    // a person changed, approved or withdrew rules, or stopped everything
)

// Auditor keeps audit entries. Append returns when they are kept: nothing is
// sent before. Seq, Prev and Hash are the auditor's, see [Entry.Link]. It is
// called from several goroutines.
type Auditor interface {
	Append(ctx context.Context, entries ...Entry) error
}

// Link makes an entry the next after one with a number and a hash; those of
// the first are 0 and "".
func (e *Entry) Link(seq int64, prev string) {
	e.Seq, e.Prev, e.At = seq+1, prev, e.At.UTC().Truncate(time.Millisecond)
	e.Hash = e.sum()
}

func (e *Entry) sum() string {
	plain := *e
	plain.Hash = ""
	plain.At = plain.At.UTC()
	body, err := json.Marshal(&plain)
	if err != nil {
		return ""
	}
	sum := sha256.Sum256(body)
	return hex.EncodeToString(sum[:])
}

// Verify reads a chain from its first entry. It returns how many entries hold
// and the hash of the last, which whoever keeps it can compare: what was cut
// off at the end cannot be told otherwise. The error names the first entry that
// does not hold.
func Verify(entries iter.Seq2[Entry, error]) (n int64, head string, err error) {
	for e, err := range entries {
		if err != nil {
			return n, head, fmt.Errorf("entry %d: %w", n+1, err)
		}
		if err := e.Follows(n, head); err != nil {
			return n, head, err
		}
		n, head = e.Seq, e.Hash
	}
	return n, head, nil
}

// maxEntry bounds one line of an audit file.
const maxEntry = 1 << 20

// Follows says what is wrong with an entry that should come after the one with
// a number and a hash; nil when nothing is.
func (e *Entry) Follows(seq int64, hash string) error {
	switch {
	case e.Seq != seq+1:
		return exposure.Errorf(exposure.Conflict, "entry %d: it has number %d, so entries are missing or were put in", seq+1, e.Seq)
	case e.Prev != hash:
		return exposure.Errorf(exposure.Conflict, "entry %d: it does not follow the one before, which was changed or replaced", e.Seq)
	case e.Hash != e.sum():
		return exposure.Errorf(exposure.Conflict, "entry %d of %s: it was changed", e.Seq, e.At.Format(time.RFC3339))
	}
	return nil
}

// Entries reads an audit file, one entry a line.
func Entries(r io.Reader) iter.Seq2[Entry, error] {
	return func(yield func(Entry, error) bool) {
		lines := bufio.NewScanner(r)
		lines.Buffer(nil, maxEntry)
		for lines.Scan() {
			var e Entry
			if err := json.Unmarshal(lines.Bytes(), &e); err != nil {
				yield(e, exposure.Errorf(exposure.Conflict, "the line is no audit entry: %w", err))
				return
			}
			if !yield(e, nil) {
				return
			}
		}
		if err := lines.Err(); err != nil {
			yield(Entry{}, err)
		}
	}
}

// File is an auditor that appends to a file. A new one goes on with the chain
// that is there.
type File struct {
	mu   sync.Mutex
	f    *os.File
	seq  int64
	head string
}

// OpenFile opens an audit file, which it makes when it is not there. One that
// does not hold is not written to.
func OpenFile(name string) (*File, error) {
	f, err := os.OpenFile(name, os.O_CREATE|os.O_RDWR|os.O_APPEND, 0o600)
	if err != nil {
		return nil, exposure.Errorf(exposure.Unavailable, "cannot open the audit log %s: %w: nothing is sent that is not written down", name, err)
	}
	n, head, err := Verify(Entries(f))
	if err != nil {
		return nil, errors.Join(exposure.Errorf(exposure.Conflict, "the audit log %s does not hold: %w: move it away and look into it", name, err), f.Close())
	}
	return &File{f: f, seq: n, head: head}, nil
}

// Append implements [Auditor].
func (a *File) Append(_ context.Context, entries ...Entry) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	var out []byte
	seq, head := a.seq, a.head
	for i := range entries {
		e := entries[i]
		e.Link(seq, head)
		line, err := json.Marshal(&e)
		if err != nil {
			return err
		}
		out = append(append(out, line...), '\n')
		seq, head = e.Seq, e.Hash
	}
	if _, err := a.f.Write(out); err != nil {
		return exposure.Errorf(exposure.Unavailable, "cannot write the audit log %s: %w: nothing is sent that is not written down", a.f.Name(), err)
	}
	a.seq, a.head = seq, head
	return nil
}

// Head returns how many entries there are and the hash of the last.
func (a *File) Head() (int64, string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.seq, a.head
}

// Name is the name of the file.
func (a *File) Name() string { return a.f.Name() }

// Close closes the file.
func (a *File) Close() error { return a.f.Close() }
