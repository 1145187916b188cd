package cli

import (
	"context"
	"fmt"
	"slices"
	"text/tabwriter"
	"time"

	"github.com/leeward-ctem/leeward/discover"
	"github.com/leeward-ctem/leeward/exposure"
)

type importCmd struct {
	Files  []string `arg:"" name:"file" help:"Reports to import; - for standard input."`
	Format string   `help:"Format of the reports; recognised when not given." placeholder:"NAME"`
	Asset  string   `help:"Where to file records that name no asset, as in repository:github.com/acme/shop." placeholder:"KIND:NAME"`
}

// imported is the contract of `import --json`.
type imported struct {
	File         string  `json:"file"`
	Format       string  `json:"format"`
	Tool         string  `json:"tool"`
	Observations int     `json:"observations"`
	New          int     `json:"new"`
	Known        int     `json:"known"`
	Closed       int     `json:"closed"`
	Reopened     int     `json:"reopened"`
	Errors       int     `json:"errors"`
	Seconds      float64 `json:"seconds"`
	Failure      string  `json:"failure,omitempty"`
}

func importedOf(res *discover.Result) imported {
	return imported{res.File, res.Format, res.Tool, res.Observations, res.New, res.Known, res.Closed, res.Reopened, res.Errors, res.Seconds, res.Failure}
}

func (c *importCmd) Run(ctx context.Context, r *run) error {
	var asset exposure.AssetRef
	if c.Asset != "" {
		var err error
		if asset, err = discover.ParseAsset(c.Asset); err != nil {
			return err
		}
	}
	h, done, err := r.house(ctx)
	if err != nil {
		return err
	}
	defer done()
	enc := newEncoder(r.Out)
	w := tabwriter.NewWriter(r.Out, 0, 4, 2, ' ', 0)
	if !r.JSON {
		fmt.Fprintln(w, "FILE\tFORMAT\tTOOL\tOBSERVATIONS\tNEW\tKNOWN\tCLOSED\tREOPENED\tERRORS\tSECONDS")
	}
	failed := 0
	for _, path := range c.Files {
		results, err := c.one(ctx, r, h, asset, path)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err != nil {
			if exposure.KindOf(err) != exposure.Invalid && exposure.KindOf(err) != exposure.Unsupported {
				w.Flush()
				return err
			}
			// A file that cannot be read is a failure of its own; the others go on.
			failed++
			fmt.Fprintln(r.Err, printable(err.Error()))
			continue
		}
		refused := true
		for _, res := range results {
			refused = refused && res.Refused()
			if res.Errors > 0 {
				r.recordErrors()
			}
			r.complain(&res)
			if r.JSON {
				if err := enc.Encode(importedOf(&res)); err != nil {
					return err
				}
			} else {
				fmt.Fprintf(w, "%s\t%s\t%s\t%d\t%d\t%d\t%d\t%d\t%d\t%.2f\n", printable(res.File), res.Format, printable(res.Tool), res.Observations, res.New, res.Known, res.Closed, res.Reopened, res.Errors, res.Seconds)
			}
		}
		if refused {
			failed++
		}
	}
	if err := w.Flush(); err != nil {
		return err
	}
	if failed == len(c.Files) {
		r.exit = exitFailed
	} else if failed > 0 {
		r.recordErrors()
	}
	return nil
}

// complaints are what is wrong with an imported document, in words, of broken
// records ten.
func complaints(res *discover.Result) []string {
	const most = 10
	all := slices.Clone(res.Messages[:min(len(res.Messages), most)])
	if more := len(res.Messages) - most; more > 0 {
		all = append(all, fmt.Sprintf("%s: %d more broken records", res.File, more))
	}
	if res.Failure != "" {
		all = append(all, res.Failure)
	}
	return all
}

func (r *run) complain(res *discover.Result) {
	for _, c := range complaints(res) {
		fmt.Fprintln(r.Err, printable(c))
	}
}

func (c *importCmd) one(ctx context.Context, r *run, h house, asset exposure.AssetRef, path string) ([]discover.Result, error) {
	name, in, err := r.open(path)
	if err != nil {
		return nil, err
	}
	defer in.Close()
	req := discover.Request{Name: name, Format: c.Format, Asset: asset}
	if r.Terminal {
		last := time.Time{}
		req.Progress = func(p discover.Progress) {
			if now := r.Now(); now.Sub(last) > 100*time.Millisecond {
				last = now
				fmt.Fprintf(r.Err, "\r\x1b[K%s: %d observations, %d new, %.0f MB", printable(p.Name), p.Observations, p.New, float64(p.Bytes)/1e6)
			}
		}
		defer fmt.Fprint(r.Err, "\r\x1b[K")
	}
	return h.Import(ctx, req, in)
}
