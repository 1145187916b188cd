package cli

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/leeward-ctem/leeward/exposure"
	"github.com/leeward-ctem/leeward/server"
	"github.com/leeward-ctem/leeward/web"
)

type applyCmd struct {
	File   string `short:"f" required:"" help:"Programme file to apply; - for standard input." placeholder:"FILE"`
	DryRun bool   `help:"Say what would change and change nothing."`
}

func (c *applyCmd) Run(ctx context.Context, r *run) error {
	name, body, err := r.readProgramme(c.File)
	if err != nil {
		return err
	}
	h, done, err := r.house(ctx)
	if err != nil {
		return err
	}
	defer done()
	res, err := h.Apply(ctx, server.ApplyRequest{File: name, Body: body, DryRun: c.DryRun})
	if err != nil {
		return err
	}
	if r.JSON {
		return newEncoder(r.Out).Encode(res)
	}
	what := "applied"
	switch {
	case c.DryRun:
		what = "would be applied"
	case !res.Changed:
		what = "is in force already"
	}
	fmt.Fprintf(r.Out, "%s %s: %s\n", printable(filepath.Base(name)), what, printable(res.Summary))
	if n := res.BandChanges; n != nil {
		fmt.Fprintf(r.Out, "%s band; `leeward whatif -f FILE` says which, and what else moves\n", web.Plural(*n, "open finding changes its", "open findings change their"))
	}
	return nil
}

const maxProgramme = 2 << 20

type exportCmd struct {
	Programme exportProgrammeCmd `cmd:"" help:"Print the programme file in force, or a template to begin with."`
	Findings  exportFindingsCmd  `cmd:"" help:"Print findings as CSV, JSON, JSON lines or SARIF."`
}

type exportProgrammeCmd struct{}

func (exportProgrammeCmd) Run(ctx context.Context, r *run) error {
	h, done, err := r.house(ctx)
	if err != nil {
		return err
	}
	defer done()
	p, err := h.Programme(ctx)
	if err != nil {
		return err
	}
	if p.Version == 0 {
		fmt.Fprintln(r.Err, "No programme was applied yet. This is a template: change it and run `leeward apply -f FILE`.")
	}
	_, err = io.WriteString(r.Out, p.Body)
	return err
}

type exportFindingsCmd struct {
	Filter []string `arg:"" optional:"" help:"Filter, as in: sev:critical kev:true."`
	Format string   `help:"csv, json, jsonl or sarif." enum:"csv,json,jsonl,sarif" default:"csv"`
	Output string   `short:"o" help:"File to write; standard output when not given." placeholder:"FILE"`
}

func (c *exportFindingsCmd) Run(ctx context.Context, r *run) error {
	h, done, err := r.house(ctx)
	if err != nil {
		return err
	}
	defer done()
	if c.Output == "" {
		out := bufio.NewWriterSize(r.Out, 64<<10)
		if err := h.Export(ctx, c.Format, joinWords(c.Filter), out); err != nil {
			return err
		}
		return out.Flush()
	}
	return writeFile(c.Output, func(w io.Writer) error { return h.Export(ctx, c.Format, joinWords(c.Filter), w) })
}

// writeFile writes a file that has its name only when it is complete.
func writeFile(name string, write func(io.Writer) error) error {
	f, err := os.CreateTemp(filepath.Dir(name), ".leeward-*")
	if err != nil {
		return exposure.Errorf(exposure.Unavailable, "cannot write beside %s: %w", name, err)
	}
	defer os.Remove(f.Name())
	defer f.Close()
	if err := write(f); err != nil {
		return err
	}
	if err := f.Sync(); err != nil {
		return exposure.Errorf(exposure.Unavailable, "cannot write %s: %w", name, err)
	}
	return os.Rename(f.Name(), name)
}
