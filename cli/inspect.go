package cli

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/leeward-ctem/leeward/builtin"
	"github.com/leeward-ctem/leeward/discover"
	"github.com/leeward-ctem/leeward/exposure"
	"github.com/leeward-ctem/leeward/internal/secret"
)

type inspectCmd struct {
	File   string `arg:"" help:"Report to decode; - for standard input."`
	Format string `help:"Format of the report; recognised when not given." placeholder:"NAME"`
}

// Run prints one JSON object per observation and nothing else on standard output,
// and on standard error what each document is and holds in all.
func (c *inspectCmd) Run(ctx context.Context, r *run) error {
	name, in, err := r.open(c.File)
	if err != nil {
		return err
	}
	defer in.Close()
	im := &discover.Importer{Readers: builtin.Reports()}
	out := bufio.NewWriterSize(r.Out, 64<<10)
	defer out.Flush()
	var failed error // of the part that failed last
	read := false
	for part, err := range im.Open(c.Format, name, in) {
		if err == nil {
			err = c.part(ctx, r, im, &part, out)
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
func (c *inspectCmd) part(ctx context.Context, r *run, im *discover.Importer, part *discover.Part, out *bufio.Writer) error {
	reader, err := im.Recognise(c.Format, part)
	if err != nil {
		return err
	}
	enc := newEncoder(out)
	all := newInspected(reader)
	defer func() {
		_ = out.Flush() // what is printed stands before what is told; an error comes again
		all.tell(r.Err, part.Name)
	}()
	for o, err := range part.Read(ctx, reader) {
		var rec *exposure.RecordError
		switch {
		case errors.As(err, &rec):
			r.recordErrors()
			all.broken++
			fmt.Fprintln(r.Err, printable(fmt.Sprintf("%s: %v", part.Name, rec)))
		case err != nil:
			return exposure.Errorf(exposure.KindOf(err), "%s: %w", part.Name, err)
		default:
			all.add(&o)
			redact(&o)
			if err := enc.Encode(o); err != nil {
				return err
			}
		}
	}
	return nil
}

// redact takes secrets out of the texts of an observation.
func redact(o *exposure.Observation) {
	for _, text := range []*string{&o.Title, &o.Description, &o.Solution, &o.Location.Snippet} {
		*text = secret.Text(*text, 0)
	}
	for i := range o.Evidence {
		o.Evidence[i].Text = secret.Text(o.Evidence[i].Text, 0)
	}
	for i := range o.References {
		o.References[i] = secret.Text(o.References[i], 0)
	}
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
