// Package cli is the command line of Leeward and its composition root: the
// only package that knows every other and puts them together. A command is a
// struct of its flags with a Run method, one file each.
//
// Rules of the terminal: results go to standard output, everything else to
// standard error; --json makes results one JSON object a line and is a
// contract (docs/cli.md); tables are for people. Exit codes: 0 done, 1 done
// with record errors, 2 wrong usage, 3 failed, 4 found what --fail-on names.
package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/alecthomas/kong"
	"github.com/mattn/go-isatty"

	"github.com/leeward-ctem/leeward/exposure"
)

// The exit codes.
const (
	exitDone    = 0
	exitRecords = 1
	exitUsage   = 2
	exitFailed  = 3
	exitFound   = 4
)

// IO is everything of the outside world that a command touches.
type IO struct {
	In       io.Reader
	Out, Err io.Writer
	Env      func(string) string
	Now      func() time.Time
	Terminal bool // Err is a terminal: progress may be drawn on it
}

// OS returns the IO of this process.
func OS() IO {
	return IO{In: os.Stdin, Out: os.Stdout, Err: os.Stderr, Env: os.Getenv, Now: time.Now, Terminal: isatty.IsTerminal(os.Stderr.Fd())}
}

// commands is the command line as kong reads it.
type commands struct {
	Data     string `help:"Data directory." env:"LEEWARD_DATA" placeholder:"DIR" type:"path"`
	Database string `help:"PostgreSQL to use instead of the data directory's SQLite file." env:"LEEWARD_DATABASE" placeholder:"postgres://…"`
	JSON     bool   `help:"Print results as JSON, one object a line."`

	Serve        serveCmd        `cmd:"" help:"Run the server."`
	Scan         scanCmd         `cmd:"" help:"Look for exposures in directories and on the network, once and without a server."`
	Import       importCmd       `cmd:"" help:"Import scanner reports."`
	Watch        watchCmd        `cmd:"" help:"Import the reports that are put into a folder."`
	Findings     findingsCmd     `cmd:"" help:"List findings, the riskiest first."`
	Assets       assetsCmd       `cmd:"" help:"List assets, the greatest expected loss first."`
	Remediations remediationsCmd `cmd:"" help:"List fixes, the most risk removed per effort first."`
	Explain      explainCmd      `cmd:"" help:"Say why a finding has its risk, factor by factor."`
	Triage       triageCmd       `cmd:"" help:"Say of findings that they matter."`
	Claim        claimCmd        `cmd:"" help:"Say of findings that they are fixed; a later scan decides."`
	Assign       assignCmd       `cmd:"" help:"Give the assets of findings to an owner."`
	Exceptions   exceptionsCmd   `cmd:"" help:"Exceptions: to live with findings for a while."`
	Verdict      verdictCmd      `cmd:"" help:"Record what a validation of findings came to."`
	Verdicts     verdictsCmd     `cmd:"" help:"List what validations and retests came to, newest first."`
	Undo         undoCmd         `cmd:"" help:"Take back a decision of the command line."`
	Views        viewsCmd        `cmd:"" help:"Saved views: lists of findings under a name."`
	Inventory    inventoryCmd    `cmd:"" help:"Say which packages are on which assets, from the reports that were imported."`
	Match        matchCmd        `cmd:"" help:"Say which advisories concern packages: a bill of materials or package URLs. Nothing is stored."`
	Inspect      inspectCmd      `cmd:"" help:"Decode a report and print its observations; nothing is stored."`
	Apply        applyCmd        `cmd:"" help:"Apply a programme file: services, owners, tags, exclusions."`
	Whatif       whatifCmd       `cmd:"" help:"Say what a programme file would move before it is applied."`
	Policy       policyCmd       `cmd:"" help:"Policies: until when what must be fixed, as tables to read, try and write."`
	Export       exportCmd       `cmd:"" help:"Print the programme or findings for other programs."`
	Feeds        feedsCmd        `cmd:"" help:"Threat intelligence: KEV, EPSS, OSV, Vulnrichment, NVD, exploits."`
	Engagement   engagementCmd   `cmd:"" help:"Rules of engagement: what scans may send, to whom, and when."`
	Halt         haltCmd         `cmd:"" help:"Stop everything that scans and checks send, everywhere."`
	Resume       resumeCmd       `cmd:"" help:"Lift a stop."`
	Audit        auditCmd        `cmd:"" help:"The log of what scans and checks decided and sent."`
	Actors       actorsCmd       `cmd:"" help:"List who targets us and what is open to them, or show one actor."`
	Alerts       alertsCmd       `cmd:"" help:"List the news from the feeds about what is open, newest first."`
	Backtest     backtestCmd     `cmd:"" help:"Replay a day of the past: how well was foreseen what is exploited next, by our model and by others?"`
	Refit        refitCmd        `cmd:"" help:"Fit the risk model to your own incidents."`
	Train        trainCmd        `cmd:"" help:"Fit the weights of the risk model to the past."`
	Plans        plansCmd        `cmd:"" help:"What is scanned by itself, and when."`
	Scans        scansCmd        `cmd:"" help:"Scans of plans: what runs, waits or ended."`
	Agents       agentsCmd       `cmd:"" help:"Scanners in other networks."`
	Agent        agentCmd        `cmd:"" help:"Scan for a server, from another network: only outbound connections."`
	ScanProcess  lookCmd         `cmd:"" hidden:"" help:"The process in which a scan runs; started by the server and by agents."`
	Bench        benchCmd        `cmd:"" help:"Measure this machine with a synthetic estate."`
	Backup       backupCmd       `cmd:"" help:"Write a backup of the database."`
	Restore      restoreCmd      `cmd:"" help:"Put a backup into the data directory."`
	Formats      formatsCmd      `cmd:"" help:"List the report formats that are understood."`
	Completion   completionCmd   `cmd:"" help:"Print a completion script for bash, zsh or fish."`
	Version      versionCmd      `cmd:"" help:"Print the version."`
}

// run is what every command gets.
type run struct {
	IO
	*commands
	exit int
}

// recordErrors makes the command end with exit code 1.
func (r *run) recordErrors() { r.exit = max(r.exit, exitRecords) }

// dir returns the data directory.
func (r *run) dir() string {
	if r.Data != "" {
		return r.Data
	}
	if d := r.Env("XDG_DATA_HOME"); d != "" {
		return filepath.Join(d, "leeward")
	}
	return filepath.Join(r.Env("HOME"), ".local", "share", "leeward")
}

// Run runs one command line and returns its exit code.
func Run(ctx context.Context, args []string, std IO) int {
	ctx, stop := signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM)
	defer stop()
	var c commands
	r := &run{IO: std, commands: &c}
	ended := false
	parser, err := kong.New(&c,
		kong.Name("leeward"),
		kong.Description("Continuous threat exposure management: reports in, one explained and prioritized list out.\n\nStart with `leeward serve --demo`."),
		kong.Writers(std.Out, std.Err),
		kong.UsageOnError(),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true}),
		kong.Exit(func(code int) { ended, r.exit = true, code }),
		kong.Bind(r),
		kong.BindTo(ctx, (*context.Context)(nil)),
	)
	if err != nil {
		fmt.Fprintf(std.Err, "leeward: %v\n", err)
		return exitFailed
	}
	parsed, err := parser.Parse(args)
	if ended {
		return r.exit // --help printed what was asked for
	}
	if err != nil {
		fmt.Fprintf(std.Err, "leeward: %v\nRun `leeward --help` for the commands.\n", err)
		return exitUsage
	}
	limitMemory(ctx, std.Env)
	if err := parsed.Run(); err != nil {
		return r.fail(err)
	}
	return r.exit
}

// fail prints an error as one sentence and returns its exit code.
func (r *run) fail(err error) int {
	if errors.Is(err, context.Canceled) {
		fmt.Fprintln(r.Err, "leeward: stopped; what was committed is kept, run it again to go on")
		return exitFailed
	}
	fmt.Fprintf(r.Err, "leeward: %s\n", strings.TrimSpace(err.Error()))
	if exposure.KindOf(err) == exposure.Invalid {
		return max(r.exit, exitFailed)
	}
	return exitFailed
}
