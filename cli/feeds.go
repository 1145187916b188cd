package cli

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/leeward-ctem/leeward/exposure"
	"github.com/leeward-ctem/leeward/server"
)

type feedsCmd struct {
	Update   feedsUpdateCmd   `cmd:"" help:"Fetch threat intelligence."`
	Status   feedsStatusCmd   `cmd:"" help:"Say how old each feed is."`
	Discover feedsDiscoverCmd `cmd:"" help:"List the collections of a TAXII server."`
	Import   feedsImportCmd   `cmd:"" help:"Take a bundle, where there is no network."`
	Export   feedsExportCmd   `cmd:"" help:"Write a bundle of all feeds, to carry to a site without a network."`
	Keygen   feedsKeygenCmd   `cmd:"" help:"Make a key to sign bundles with."`
}

type feedsUpdateCmd struct {
	Feeds []string `arg:"" optional:"" name:"feed" help:"Feeds to update: a name, or NAME=LOCATION to read it from a URL, file or directory from now on (NAME=default takes the public address again). None: all that are configured, but those on request."`
	Force bool     `help:"Take an edition that is older or much smaller than the kept one."`
}

func (c *feedsUpdateCmd) Run(ctx context.Context, r *run) error {
	q := server.FeedsRequest{Force: c.Force, Locations: map[string][]string{}}
	for _, f := range c.Feeds {
		name, location, set := strings.Cut(f, "=")
		q.Names = append(q.Names, name)
		if !set {
			continue
		}
		if location == "" {
			return exposure.Errorf(exposure.Invalid, "%s= names no location: give a URL, a file or a directory", name)
		}
		if location != "default" && !strings.Contains(location, "://") {
			path, err := filepath.Abs(location) // a running server stands elsewhere
			if err != nil {
				return err
			}
			location = path
		}
		q.Locations[name] = append(q.Locations[name], location)
	}
	h, done, err := r.house(ctx)
	if err != nil {
		return err
	}
	defer done()
	rows, err := h.UpdateFeeds(ctx, q)
	if err != nil {
		return err
	}
	return r.feedTable(rows)
}

type feedsStatusCmd struct{}

func (feedsStatusCmd) Run(ctx context.Context, r *run) error {
	h, done, err := r.house(ctx)
	if err != nil {
		return err
	}
	defer done()
	rows, err := h.Feeds(ctx)
	if err != nil {
		return err
	}
	return r.feedTable(rows)
}

// feedTable prints the state of feeds; one that failed makes the exit code 1.
func (r *run) feedTable(rows []server.FeedStatus) error {
	t := r.table("FEED\tRECORDS\tVERSION\tDATA OF\tFETCHED\tSTATE\tLICENCE")
	for _, f := range rows {
		state := "current"
		switch {
		case f.Error != "":
			state = "failed"
		case f.Date == "" && len(f.Locations) == 0:
			state = "not configured"
		case f.OnRequest:
			state = "on request"
		case f.Date == "":
			state = "never fetched"
		case f.Stale:
			state = "stale"
		}
		if err := t.row(f, "%s\t%d\t%s\t%s\t%s\t%s\t%s\n", f.Name, f.Records, printable(orElse(f.Version, "–")), dateOf(f.Date), dateOf(f.Fetched), state, f.Licence); err != nil {
			return err
		}
	}
	if err := t.end("No feed is registered.", ""); err != nil {
		return err
	}
	for _, f := range rows {
		if f.Notice != "" && !r.JSON {
			fmt.Fprintf(r.Err, "%s: %s\n", f.Name, printable(f.Notice))
		}
		if f.Error != "" {
			fmt.Fprintf(r.Err, "%s: %s\n", f.Name, printable(f.Error))
			r.recordErrors()
		}
	}
	for _, f := range rows {
		if f.Attribution != "" && !r.JSON {
			fmt.Fprintf(r.Err, "%s: %s\n", f.Name, f.Attribution)
		}
	}
	return nil
}

func dateOf(stamp string) string {
	if len(stamp) < 10 {
		return "–"
	}
	return stamp[:10]
}
