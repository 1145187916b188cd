package cli

import (
	"context"

	"github.com/leeward-ctem/leeward/intel"
	"github.com/leeward-ctem/leeward/internal/safehttp"
)

type feedsDiscoverCmd struct {
	Address string `arg:"" help:"The server's discovery, such as https://host/taxii2/, or an API root."`
	Feed    string `help:"Whose credentials to use: LEEWARD_FEED_<NAME>_TOKEN, or _USER and _PASSWORD." placeholder:"NAME"`
}

func (c *feedsDiscoverCmd) Run(ctx context.Context, r *run) error {
	k := &intel.Keeper{Fetcher: safehttp.New("leeward/" + version), Now: r.Now, Env: r.Env}
	all, failed := k.Discover(ctx, c.Address, c.Feed)
	t := r.table("ROOT\tID\tTITLE\tREADABLE\tLOCATION")
	for _, l := range all {
		readable := "no"
		if l.CanRead {
			readable = "yes"
		}
		if err := t.row(l, "%s\t%s\t%s\t%s\t%s\n", printable(l.Root), printable(l.ID), printable(l.Title), readable, printable(l.Location)); err != nil {
			return err
		}
	}
	if failed != nil && len(all) == 0 {
		return failed
	}
	if err := t.end("The server has no collection.", "Read one with `leeward feeds update NAME=LOCATION`.\n"); err != nil {
		return err
	}
	return failed
}
