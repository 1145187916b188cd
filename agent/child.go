package agent

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/leeward-ctem/leeward/exposure"
	"github.com/leeward-ctem/leeward/guard"
)

// A scan runs in a child of the same program, so that an engine that crashes,
// leaks or hangs takes nobody with it. They speak in lines of JSON: the
// assignment, grants and acknowledgements go down, observations, audit entries
// and progress come up. The guard is in the child, where the sockets are; it
// sends nothing before the entry that says so was acknowledged.

// down is a line to the child.
type down struct {
	Assignment *Assignment  `json:"assignment,omitempty"`
	Grant      *guard.Grant `json:"grant,omitempty"`
	Ack        int64        `json:"ack,omitempty"`
	Refused    string       `json:"refused,omitempty"` // with Ack: the entries could not be kept
}

// up is a line from the child.
type up struct {
	Observation json.RawMessage `json:"observation,omitempty"`
	Audit       []guard.Entry   `json:"audit,omitempty"`
	Number      int64           `json:"number,omitempty"` // with Audit: to be acknowledged
	Progress    string          `json:"progress,omitempty"`
	End         *end            `json:"end,omitempty"`
}

type end struct {
	Failure string `json:"failure,omitempty"`
}

// maxLine bounds one line between parent and child.
const maxLine = 16 << 20

// Process is a child that was started.
type Process struct {
	In   io.WriteCloser
	Out  io.Reader
	Wait func() error // returns when it ended, with what it said last when it did not end well
	Kill func()
}

// Start starts a child.
type Start func(ctx context.Context) (*Process, error)

// InProcess makes a [Child] of how to start one.
func InProcess(start Start) Child {
	return func(ctx context.Context, a *Assignment, grants <-chan guard.Grant, sink Sink) error {
		p, err := start(ctx)
		if err != nil {
			return err
		}
		defer p.Kill()
		stop := context.AfterFunc(ctx, p.Kill)
		defer stop()
		err = supervise(ctx, p, a, grants, sink)
		if err != nil {
			p.Kill()
		}
		if died := p.Wait(); err == nil && died != nil || errors.Is(err, io.ErrUnexpectedEOF) {
			err = fmt.Errorf("the scan process ended before its work was done: %w", errors.Join(died))
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		return err
	}
}

// supervise speaks with a child until it says that it is done.
func supervise(ctx context.Context, p *Process, a *Assignment, grants <-chan guard.Grant, sink Sink) error {
	w := &writer{w: p.In}
	over := make(chan struct{})
	var wg sync.WaitGroup
	defer func() {
		close(over)
		p.In.Close() // a child that reads nothing holds nobody up
		wg.Wait()
	}()
	wg.Go(func() {
		if w.line(down{Assignment: a}) != nil {
			return
		}
		for {
			select {
			case <-over:
				return
			case g := <-grants:
				if w.line(down{Grant: &g}) != nil {
					return
				}
			}
		}
	})
	lines := bufio.NewScanner(p.Out)
	lines.Buffer(make([]byte, 0, 64<<10), maxLine)
	for lines.Scan() {
		var u up
		if err := json.Unmarshal(lines.Bytes(), &u); err != nil {
			return fmt.Errorf("the scan process wrote what is no message: %w", err)
		}
		switch {
		case u.End != nil && u.End.Failure != "":
			return errors.New(u.End.Failure)
		case u.End != nil:
			return nil
		case u.Observation != nil:
			if err := sink.Observation(u.Observation); err != nil {
				return err
			}
		case u.Audit != nil:
			ack := down{Ack: u.Number}
			if err := sink.Append(ctx, u.Audit...); err != nil {
				ack.Refused = err.Error()
			}
			if err := w.line(ack); err != nil {
				return io.ErrUnexpectedEOF
			}
		case u.Progress != "":
			sink.Progress(u.Progress)
		}
	}
	if err := lines.Err(); err != nil {
		return fmt.Errorf("read from the scan process: %w", err)
	}
	return io.ErrUnexpectedEOF
}

// writer writes lines of JSON from several goroutines.
type writer struct {
	mu sync.Mutex
	w  io.Writer
}

func (w *writer) line(v any) error {
	b, err := json.Marshal(v)
	if err != nil {
		return err
	}
	if len(b) >= maxLine {
		return exposure.Errorf(exposure.Invalid, "a message of %d bytes", len(b))
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	_, err = w.w.Write(append(b, '\n'))
	return err
}

// Look looks at the targets of a shard and states what it sees. Nothing but
// the network given is used to send anything.
type Look func(ctx context.Context, a *Assignment, n guard.Network, state func(*exposure.Observation) error, progress func(string)) error

// Serve is the child's side: it reads an assignment from in, looks, and writes
// what it sees to out. When in ends the parent is gone, and so it ends.
func Serve(ctx context.Context, in io.Reader, out io.Writer, cfg guard.Config, look Look) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	lines := bufio.NewScanner(in)
	lines.Buffer(make([]byte, 0, 64<<10), maxLine)
	if !lines.Scan() {
		return exposure.Errorf(exposure.Invalid, "no assignment came: this command is started by the server and by agents")
	}
	var first down
	if err := json.Unmarshal(lines.Bytes(), &first); err != nil || first.Assignment == nil {
		return exposure.Errorf(exposure.Invalid, "the first line is no assignment: this command is started by the server and by agents")
	}
	w := &writer{w: out}
	audit := &pipeAudit{w: w, waiting: map[int64]chan string{}, gone: ctx.Done()}
	cfg.Auditor = audit
	g := guard.New(cfg)
	if err := g.Grant(first.Assignment.Grant); err != nil {
		return err
	}
	go g.Watch(ctx)
	// Taking a grant may write an audit entry, whose acknowledgement comes by the
	// lines that are read meanwhile.
	grants := make(chan guard.Grant, 1)
	go func() {
		for {
			select {
			case <-ctx.Done():
				return
			case gr := <-grants:
				_ = g.Grant(gr) // an engagement that cannot be read is not granted
			}
		}
	}()
	go func() {
		defer cancel()
		for lines.Scan() {
			var d down
			if json.Unmarshal(lines.Bytes(), &d) != nil {
				return
			}
			switch {
			case d.Grant != nil:
				newest(grants, *d.Grant)
			case d.Ack != 0:
				audit.acknowledge(d.Ack, d.Refused)
			}
		}
	}()
	s := g.Session(first.Assignment.Job.Plan.Engagement, fmt.Sprintf("job %d.%d", first.Assignment.Job.ID, first.Assignment.Shard.Number))
	said := time.Time{}
	err := look(ctx, first.Assignment, s, func(o *exposure.Observation) error {
		b, err := json.Marshal(o)
		if err != nil {
			return err
		}
		return w.line(up{Observation: b})
	}, func(text string) {
		if now := cfg.Now(); now.Sub(said) >= 200*time.Millisecond && text != "" {
			said = now
			_ = w.line(up{Progress: text})
		}
	})
	closed := s.Close()
	if ctx.Err() != nil {
		return ctx.Err()
	}
	e := &end{}
	if err = errors.Join(err, closed); err != nil {
		e.Failure = err.Error()
	}
	return w.line(up{End: e})
}

// pipeAudit hands audit entries to the parent and waits until it kept them.
type pipeAudit struct {
	w    *writer
	gone <-chan struct{}

	mu      sync.Mutex
	number  int64
	waiting map[int64]chan string
}

// Append implements guard.Auditor.
func (p *pipeAudit) Append(ctx context.Context, entries ...guard.Entry) error {
	kept := make(chan string, 1)
	p.mu.Lock()
	p.number++
	n := p.number
	p.waiting[n] = kept
	p.mu.Unlock()
	if err := p.w.line(up{Audit: entries, Number: n}); err != nil {
		return err
	}
	select {
	case refused := <-kept:
		if refused != "" {
			return errors.New(refused)
		}
		return nil
	case <-p.gone:
		return errors.New("the parent process is gone")
	}
}

func (p *pipeAudit) acknowledge(n int64, refused string) {
	p.mu.Lock()
	kept := p.waiting[n]
	delete(p.waiting, n)
	p.mu.Unlock()
	if kept != nil {
		kept <- refused
	}
}
