package agent

import (
	"bufio"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
	"os"
	"path/filepath"

	"github.com/klauspost/compress/zstd"

	"github.com/leeward-ctem/leeward/exposure"
)

// spool keeps the results of one shard on the disk until the server has them.
// Beside it, when they are whole, lies what is known of them.
type spool struct {
	name    string
	lease   exposure.ShardLease
	outcome Outcome

	f   *os.File
	sum hash.Hash
	n   *counter
	z   *zstd.Encoder
	w   *bufio.Writer
}

// kept is what stands beside whole results.
type kept struct {
	Lease   exposure.ShardLease `json:"lease"`
	Outcome Outcome             `json:"outcome"`
}

type counter struct{ n int64 }

func (c *counter) Write(p []byte) (int, error) { c.n += int64(len(p)); return len(p), nil }

const doneSuffix = ".done"

func newSpool(dir string, l exposure.ShardLease) (*spool, error) {
	l.Progress = ""
	s := &spool{name: filepath.Join(dir, fmt.Sprintf("%d-%d-%d.jsonl.zst", l.Job, l.Number, l.Fence)), lease: l, sum: sha256.New(), n: &counter{}}
	var err error
	if s.f, err = os.OpenFile(s.name, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600); err != nil {
		return nil, exposure.Errorf(exposure.Unavailable, "cannot keep results in %s: %w", dir, err)
	}
	if s.z, err = zstd.NewWriter(io.MultiWriter(s.f, s.sum, s.n), zstd.WithEncoderConcurrency(1), zstd.WithWindowSize(1<<20)); err != nil {
		return nil, err
	}
	s.w = bufio.NewWriterSize(s.z, 64<<10)
	return s, nil
}

// line adds one observation.
func (s *spool) line(b []byte) error {
	s.w.Write(b)
	if err := s.w.WriteByte('\n'); err != nil {
		return exposure.Errorf(exposure.Unavailable, "cannot keep results in %s: %w", s.name, err)
	}
	return nil
}

// complete says that the results are whole.
func (s *spool) complete(o Outcome) error {
	if err := errors.Join(s.w.Flush(), s.z.Close(), s.f.Sync(), s.f.Close()); err != nil {
		return exposure.Errorf(exposure.Unavailable, "cannot keep results in %s: %w", s.name, err)
	}
	o.Size, o.SHA256 = s.n.n, hex.EncodeToString(s.sum.Sum(nil))
	s.outcome, s.f = o, nil
	body, err := json.Marshal(kept{s.lease, o})
	if err != nil {
		return err
	}
	// A name that is there says that all of it is.
	if err := os.WriteFile(s.name+doneSuffix+".tmp", body, 0o600); err != nil {
		return err
	}
	return os.Rename(s.name+doneSuffix+".tmp", s.name+doneSuffix)
}

func (s *spool) remove() error {
	if s.f != nil {
		s.z.Close()
		s.f.Close()
	}
	for _, name := range []string{s.name + doneSuffix, s.name} {
		if err := os.Remove(name); err != nil && !errors.Is(err, os.ErrNotExist) {
			return err
		}
	}
	return nil
}

var errUnfinished = errors.New("unfinished")

// oldSpool reads what an earlier run left. Results that are not whole are
// removed: their shard is given to somebody anew.
func oldSpool(name string) (*spool, error) {
	whole := name[:max(0, len(name)-len(doneSuffix))]
	if filepath.Ext(name) != doneSuffix {
		if filepath.Ext(name) == ".zst" {
			if _, err := os.Stat(name + doneSuffix); errors.Is(err, os.ErrNotExist) {
				return nil, errors.Join(errUnfinished, os.Remove(name))
			}
		}
		return nil, errUnfinished
	}
	body, err := os.ReadFile(name)
	if err != nil {
		return nil, err
	}
	var k kept
	if err := json.Unmarshal(body, &k); err != nil {
		return nil, errors.Join(errUnfinished, os.Remove(name))
	}
	return &spool{name: whole, lease: k.Lease, outcome: k.Outcome}, nil
}
