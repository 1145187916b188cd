// Command leeward is the whole product: server with web UI, command line,
// worker and agent. See package cli.
package main

import (
	"context"
	"os"

	"github.com/leeward-ctem/leeward/cli"
)

func main() { os.Exit(cli.Run(context.Background(), os.Args[1:], cli.OS())) }
