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
	for part, err := range discover.Open(name, in, discover.Limits{}) {
		if err != nil {
			return err
		}
		reader, err := im.Recognise(c.Format, part.Name, part.Head)
		if err != nil {
			return err
		}
		for o, err := range discover.Guarded(ctx, reader, part.Reader) {
			var rec *exposure.RecordError
			switch {
			case errors.As(err, &rec):
				r.recordErrors()
				fmt.Fprintf(r.Err, "%s: %v\n", part.Name, rec)
			case err != nil:
				if err := out.Flush(); err != nil {
					return err
				}
				return exposure.Errorf(exposure.KindOf(err), "%s: %w", part.Name, err)
			default:
				if err := enc.Encode(o); err != nil {
					return err
				}
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
