package nuclei

import (
	"bytes"
	"errors"
	"io"
	"time"

	"github.com/leeward-ctem/leeward/discover/decode"
	"github.com/leeward-ctem/leeward/exposure"
)

// maxResult bounds one result, in bytes.
const maxResult = 48 << 20

// walk goes over the results of one report.
type walk struct {
	*decode.Emitter
	result result // of the record at hand, used again and again
	infos  infos
	run    exposure.Run
	record int
}

func newWalk(e *decode.Emitter) *walk {
	return &walk{Emitter: e, infos: newInfos(), run: exposure.Run{Tool: tool}}
}

func (w *walk) begin(format string) error {
	w.run.Format = format
	return w.Run(w.run)
}

// end states when the scan ran, by the times of the results.
func (w *walk) end() error {
	if w.run.Started.IsZero() {
		return nil
	}
	return w.Run(w.run)
}

// lines reads one result a line. A broken line costs one result, the last one
// without its end says that the report is cut off.
func (w *walk) lines(r io.Reader) error {
	if err := w.begin("JSON lines"); err != nil {
		return err
	}
	err := decode.Lines(r, maxResult, func(line []byte, number int, at int64, err error) error {
		w.record = number
		if err != nil {
			return w.lose(at, err)
		}
		err = w.take(line, at)
		if errors.Is(err, io.ErrUnexpectedEOF) {
			if line[len(line)-1] != '\n' {
				return exposure.Errorf(exposure.Invalid, "the report is cut off in line %d: export it again", number)
			}
			return w.lose(at, errors.New("the line is cut off"))
		}
		return err
	})
	if err != nil {
		return err
	}
	return w.end()
}

// array reads a list of results.
func (w *walk) array(r io.Reader) error {
	if err := w.begin("JSON array"); err != nil {
		return err
	}
	j := decode.NewJSON(r)
	if err := j.Array(func() error { return w.next(j) }); err != nil {
		return err
	}
	if err := j.End(); err != nil {
		return err
	}
	return w.end()
}

// sequence reads results that are written over several lines each.
func (w *walk) sequence(r io.Reader) error {
	if err := w.begin("JSON sequence"); err != nil {
		return err
	}
	j := decode.NewJSON(r)
	for j.More() {
		if err := w.next(j); err != nil {
			return err
		}
	}
	if err := j.End(); err != nil {
		return err
	}
	return w.end()
}

func (w *walk) next(j *decode.JSON) error {
	w.record++
	raw, err := j.Raw()
	if err != nil {
		return err
	}
	return w.take(raw, j.Offset()-int64(len(raw)))
}

// take sends the observation of one result. io.ErrUnexpectedEOF says that it
// is cut off.
func (w *walk) take(raw []byte, at int64) error {
	if err := w.result.parse(bytes.TrimSpace(raw)); err != nil {
		if errors.Is(err, io.ErrUnexpectedEOF) {
			return io.ErrUnexpectedEOF
		}
		return w.lose(at, err)
	}
	if !w.result.matched() {
		return w.Alive(at)
	}
	o, err := w.observe()
	if err != nil {
		return w.lose(at, err)
	}
	w.seen(o.Seen)
	return w.Send(o)
}

func (w *walk) lose(at int64, err error) error {
	return w.Lose(&exposure.RecordError{Record: w.record, Offset: at, Err: err})
}

func (w *walk) seen(t time.Time) {
	if t.IsZero() {
		return
	}
	if w.run.Started.IsZero() || t.Before(w.run.Started) {
		w.run.Started = t
	}
	if t.After(w.run.Finished) {
		w.run.Finished = t
	}
}
