// Package process runs programs of others where they can do little harm: each
// as a process group of its own that is killed as one, in a directory that is
// removed afterwards, without our environment, at a low priority, and with a
// bound for its time, memory and output.
//
// The limits are those of the operating system: memory, processor time and files
// on Linux only, the group on Unix. A program that makes a session of its own
// leaves the group; what it inherited of limits still ends it.
package process

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/leeward-ctem/leeward/exposure"
	"github.com/leeward-ctem/leeward/internal/secret"
)

// Limits bound one program. Zero is the default.
type Limits struct {
	Time   time.Duration // from start to end; default 1 h
	Output int64         // bytes of standard output; default 4 GiB
	Memory uint64        // bytes of data, for each process; default 4 GiB
	CPU    time.Duration // processor time, for each process; default Time
	File   uint64        // bytes of one file that it writes; default 1 GiB
}

func (l Limits) orDefault() Limits {
	l.Time = cmp.Or(l.Time, time.Hour)
	l.CPU = cmp.Or(l.CPU, l.Time)
	l.Output = cmp.Or(l.Output, 4<<30)
	l.Memory = cmp.Or(l.Memory, 4<<30)
	l.File = cmp.Or(l.File, 1<<30)
	return l
}

// Runner runs programs. It is safe for concurrent use.
type Runner struct {
	Path   string // as in the environment: where programs are looked for, by us and by them
	Limits Limits
}

// Run starts a program with arguments, without a shell. Its environment is PATH,
// HOME, TMPDIR, LANG and env. What is returned is its standard output; Close
// ends the program when it still runs, and says how it ended: an error with
// ExitCode() int when by itself and not well, otherwise why it was ended. The
// end of ctx kills it with all its children.
//
// An error of kind [exposure.NotFound] says that the program is not installed.
func (r Runner) Run(ctx context.Context, program string, args, env []string) (io.ReadCloser, error) {
	file, err := r.find(program)
	if err != nil {
		return nil, err
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "leeward-")
	if err != nil {
		return nil, fmt.Errorf("run %s: %w", program, err)
	}
	p := &running{program: program, dir: dir, limits: r.Limits.orDefault(), ended: make(chan struct{})}
	if err := p.start(ctx, file, args, append([]string{"PATH=" + r.Path, "HOME=" + dir, "TMPDIR=" + dir, "LANG=C.UTF-8"}, env...)); err != nil {
		os.RemoveAll(dir)
		return nil, fmt.Errorf("run %s: %w", program, err)
	}
	return p, nil
}

func (r Runner) find(program string) (string, error) {
	if program == "" || strings.ContainsAny(program, `/\`) {
		return "", exposure.Errorf(exposure.Invalid, "%q is not the name of a program", program)
	}
	for _, dir := range filepath.SplitList(r.Path) {
		if !filepath.IsAbs(dir) {
			continue // what lies in the working directory is not installed
		}
		if file, err := exec.LookPath(filepath.Join(dir, program)); err == nil {
			return file, nil
		}
	}
	return "", exposure.Errorf(exposure.NotFound, "the program %s is not installed: it is in no directory of PATH", program)
}

// running is a program that was started.
type running struct {
	program string
	dir     string
	limits  Limits
	stdout  *os.File
	stderr  tail
	read    int64
	whole   bool // the output was read to its end

	ctx    context.Context
	cancel context.CancelCauseFunc
	ended  chan struct{}
	end    error // of Wait; set when ended is closed
	once   sync.Once
	result error
}

var (
	errOutput = errors.New("it wrote more than it may")
	errTime   = errors.New("it took longer than it may")
	errClosed = errors.New("it was not needed any more")
)

func (p *running) start(ctx context.Context, file string, args, env []string) error {
	stdout, w, err := os.Pipe()
	if err != nil {
		return err
	}
	defer w.Close()
	stderr, we, err := os.Pipe()
	if err != nil {
		stdout.Close()
		return err
	}
	defer we.Close()
	cmd, err := startLimited(func() *exec.Cmd {
		cmd := exec.Command(file, args...)
		cmd.Dir, cmd.Env, cmd.Stdout, cmd.Stderr = p.dir, env, w, we
		return cmd
	}, p.limits)
	if err != nil {
		stdout.Close()
		stderr.Close()
		return err
	}
	p.stdout = stdout
	p.ctx, p.cancel = context.WithCancelCause(ctx)
	timer := time.AfterFunc(p.limits.Time, func() { p.cancel(errTime) })
	// Closing the pipe frees a reader that waits for a child which left the group.
	stop := context.AfterFunc(p.ctx, func() { killGroup(cmd.Process); stdout.SetReadDeadline(time.Now()) })
	said := make(chan struct{})
	go func() { io.Copy(&p.stderr, stderr); close(said) }()
	go func() {
		p.end = cmd.Wait()
		killGroup(cmd.Process) // what it left behind holds the pipes
		select {
		case <-said:
		case <-time.After(time.Second):
		}
		stderr.Close()
		<-said
		timer.Stop()
		stop()
		close(p.ended)
	}()
	return nil
}

// Read reads the standard output.
func (p *running) Read(b []byte) (int, error) {
	n, err := p.stdout.Read(b)
	if p.read += int64(n); p.read > p.limits.Output {
		p.cancel(errOutput)
		return 0, p.failure(errOutput)
	}
	if err != nil && p.ctx.Err() != nil {
		return n, p.failure(context.Cause(p.ctx))
	}
	p.whole = err == io.EOF
	return n, err
}

// Close ends the program and says how it ended.
func (p *running) Close() error {
	p.once.Do(func() {
		if !p.whole { // one that has closed its output is about to end by itself
			p.cancel(errClosed)
		}
		<-p.ended
		cause := context.Cause(p.ctx)
		p.cancel(errClosed)
		p.stdout.Close()
		os.RemoveAll(p.dir)
		if cause != nil && cause != errClosed {
			p.result = p.failure(cause)
		} else if cause == nil && p.end != nil {
			p.result = p.failure(p.end)
		}
	})
	return p.result
}

func (p *running) failure(err error) error {
	switch err {
	case errTime:
		err = fmt.Errorf("%w (%v)", err, p.limits.Time)
	case errOutput:
		err = fmt.Errorf("%w (%d bytes)", err, p.limits.Output)
	}
	if said := p.stderr.text(); said != "" {
		return fmt.Errorf("%s: %w: %s", p.program, err, said)
	}
	return fmt.Errorf("%s: %w", p.program, err)
}

// tailSize is how much of the standard error is told.
const tailSize = 1000

// tail keeps the end of what is written to it.
type tail struct {
	mu   sync.Mutex
	kept []byte
}

func (t *tail) Write(b []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	// More is kept than is told, so that a secret is not cut before it is seen.
	const keep = 4 * tailSize
	if t.kept = append(t.kept, b...); len(t.kept) > keep {
		t.kept = append(t.kept[:0], t.kept[len(t.kept)-keep:]...)
	}
	return len(b), nil
}

func (t *tail) text() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	said := strings.TrimSpace(secret.Text(string(t.kept), 0))
	if len(said) > tailSize {
		said = "…" + strings.ToValidUTF8(said[len(said)-tailSize:], "")
	}
	return said
}
