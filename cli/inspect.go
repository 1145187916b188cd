package cli

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/leeward-ctem/leeward/builtin"
	"github.com/leeward-ctem/leeward/discover"
	"github.com/leeward-ctem/leeward/exposure"
)

type inspectCmd struct {
	File   string `arg:"" help:"Report to decode; - for standard input."`
	Format string `help:"Format of the report; recognised when not given." placeholder:"NAME"`
}

// Run prints one JSON object per observation and nothing else on standard output.
func (c *inspectCmd) Run(ctx context.Context, r *run) error {
	name, in, err := r.open(c.File)
	if err != nil {
		return err
	}
	defer in.Close()
	im := &discover.Importer{Readers: builtin.Reports()}
	out := bufio.NewWriterSize(r.Out, 64<<10)
	defer out.Flush()
	enc := json.NewEncoder(out)
	enc.SetEscapeHTML(false)
	var failed error // of the part that failed last
	read := false
	for part, err := range im.Open(c.Format, name, in) {
		if err == nil {
			err = c.part(ctx, r, im, &part, enc)
		}
		kind := exposure.KindOf(err)
		switch {
		case err == nil:
			read = true
		case errors.Is(err, discover.ErrEmpty):
			read = true
			fmt.Fprintln(r.Err, printable(err.Error()))
		case kind != exposure.Invalid && kind != exposure.Unsupported:
			return err
		default:
			if failed != nil {
				fmt.Fprintln(r.Err, printable(failed.Error()))
			}
			failed = err
		}
	}
	if failed != nil && read { // the other parts count
		r.recordErrors()
		fmt.Fprintln(r.Err, printable(failed.Error()))
		return nil
	}
	return failed
}

// part prints the observations of one document.
func (c *inspectCmd) part(ctx context.Context, r *run, im *discover.Importer, part *discover.Part, enc *json.Encoder) error {
	reader, err := im.Recognise(c.Format, part)
	if err != nil {
		return err
	}
	for o, err := range part.Read(ctx, reader) {
		var rec *exposure.RecordError
		switch {
		case errors.As(err, &rec):
			r.recordErrors()
			fmt.Fprintf(r.Err, "%s: %v\n", part.Name, rec)
		case err != nil:
			return exposure.Errorf(exposure.KindOf(err), "%s: %w", part.Name, err)
		default:
			if err := enc.Encode(o); err != nil {
				return err
			}
		}
	}
	return nil
}

// open opens a file or standard input, with an error that names it.
func (r *run) open(path string) (name string, f io.ReadCloser, err error) {
	if path == "-" {
		return "standard input", io.NopCloser(r.In), nil
	}
	file, err := os.Open(path)
	if err != nil {
		return "", nil, exposure.Errorf(exposure.Invalid, "cannot open %s: %w", path, errors.Unwrap(err))
	}
	if info, err := file.Stat(); err == nil && info.IsDir() {
		file.Close()
		return "", nil, exposure.Errorf(exposure.Invalid, "%s is a directory: name the reports in it, as in %s/*", path, path)
	}
	return filepath.Base(path), file, nil
}
