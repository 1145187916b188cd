package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/leeward-ctem/leeward/discover"
	"github.com/leeward-ctem/leeward/discover/scan"
	"github.com/leeward-ctem/leeward/exposure"
	"github.com/leeward-ctem/leeward/guard"
	"github.com/leeward-ctem/leeward/internal/secret"
)

type scanCmd struct {
	Targets     []string      `arg:"" name:"target" help:"What to look at: a directory, a saved container image, an address, a network (10.1.0.0/24) or range, a host, host:port, a URL, domain:NAME. A file or directory of that name goes first; host:, dir: and image: before it decide."`
	Engines     []string      `help:"Engines to use; all that suit the target when not given." placeholder:"NAME,…"`
	Level       string        `help:"How far to go: match, observe, probe, authenticated." default:"observe" enum:"match,observe,probe,authenticated"`
	Ports       string        `help:"TCP ports to look at, as in 22,80,8000-8100; - for all. The engine's own choice when not given." placeholder:"LIST"`
	Rate        float64       `help:"Connections and requests a second, for each target." placeholder:"N"`
	Credentials bool          `help:"Try a handful of default credentials (level authenticated)."`
	Templates   string        `help:"Directory of your own templates." placeholder:"DIR" type:"path"`
	Rules       string        `help:"Directory of your own rules for settings, beside those that are shipped." placeholder:"DIR" type:"path"`
	Engagement  string        `help:"Rules of engagement to keep to; without, just the targets that are named, for a day." placeholder:"FILE" type:"path"`
	Within      []string      `help:"Networks in which the private addresses of named hosts may lie." placeholder:"NETWORK,…"`
	From        string        `help:"Where you look from: what is reachable differs by it." default:"cli" placeholder:"VANTAGE"`
	Asset       string        `help:"What the target is, as in repository:github.com/acme/shop." placeholder:"KIND:NAME"`
	Store       bool          `help:"Import what is found, as other commands do: by the server that runs here, or into the database."`
	Push        string        `help:"Import what is found at another server; LEEWARD_TOKEN is the token." placeholder:"URL"`
	SARIF       bool          `help:"Print findings as SARIF." name:"sarif"`
	SBOM        string        `help:"Print a bill of materials of a directory or image: cyclonedx or spdx." name:"sbom" enum:",cyclonedx,spdx" default:"" placeholder:"FORM"`
	DryRun      bool          `help:"Print what would be sent to whom, and send nothing."`
	FailOn      string        `help:"End with exit code 4 when a finding is this severe or more: info, low, medium, high, critical." placeholder:"SEVERITY"`
	All         bool          `help:"List all findings, also those that are doubtful, as in test data."`
	Timeout     time.Duration `help:"Stop after this time." placeholder:"DURATION"`
}

// scanning is one run of the command.
type scanning struct {
	*scanCmd
	*run
	plan    scan.Plan
	failOn  exposure.Severity
	guard   *guard.Guard
	audit   *guard.File
	found   found
	unknown bool // there are no advisories to compare packages with
	closers []io.Closer
}

// Run looks at targets once, without a server.
func (c *scanCmd) Run(ctx context.Context, r *run) error {
	s := &scanning{scanCmd: c, run: r}
	defer s.close()
	if c.SARIF && r.JSON || c.SARIF && c.SBOM != "" || r.JSON && c.SBOM != "" {
		return exposure.Errorf(exposure.Invalid, "--json, --sarif and --sbom are different forms: give one")
	}
	if err := s.prepare(ctx); err != nil {
		return err
	}
	if c.Timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeoutCause(ctx, c.Timeout, errTimeout)
		defer cancel()
	}
	out, err := newSpooled(r, s)
	if err != nil {
		return err
	}
	defer out.close()
	engines, err := s.engines(ctx)
	if err != nil {
		return err
	}
	if err := out.begin(); err != nil {
		return err
	}
	status, err := (&scan.Runner{Engines: engines}).Run(ctx, s.plan, out.take)
	r.endLine()
	stopped := context.Cause(ctx) != nil
	if err != nil && !stopped {
		return err
	}
	if c.DryRun {
		return nil
	}
	if err := out.end(context.Cause(ctx)); err != nil {
		return err
	}
	if err := s.print(status); err != nil {
		return err
	}
	if stopped {
		r.exit = exitFailed
		fmt.Fprintln(r.Err, s.stopped(context.Cause(ctx), status))
	}
	if err := s.deliver(context.WithoutCancel(ctx), out, stopped); err != nil {
		return err
	}
	if r.exit <= exitRecords && s.failOn != exposure.SeverityUnknown && s.found.worst >= s.failOn {
		r.exit = exitFound
	}
	return nil
}

var errTimeout = errors.New("the time of --timeout is over")

func (s *scanning) stopped(cause error, status []scan.Status) string {
	why := "stopped"
	if errors.Is(cause, errTimeout) {
		why = cause.Error()
	}
	done := 0
	for _, st := range status {
		if st.Failure == "" {
			done++
		}
	}
	return fmt.Sprintf("leeward: %s; %d looks were finished, and what they found is above", why, done)
}

// prepare reads the flags and opens what they name.
func (s *scanning) prepare(ctx context.Context) error {
	c := s.scanCmd
	if c.FailOn != "" {
		if err := s.failOn.UnmarshalText([]byte(c.FailOn)); err != nil || s.failOn == exposure.SeverityUnknown {
			return exposure.Errorf(exposure.Invalid, "--fail-on %q: use info, low, medium, high or critical", c.FailOn)
		}
	}
	s.plan = scan.Plan{Only: c.Engines, Credentials: c.Credentials, Vantage: c.From, Now: s.Now}
	s.plan.Self, _ = os.Hostname()
	if err := s.plan.Level.UnmarshalText([]byte(c.Level)); err != nil {
		return exposure.Errorf(exposure.Invalid, "%w", err)
	}
	var err error
	if s.plan.Ports, err = scan.ParsePorts(c.Ports); err != nil {
		return err
	}
	if s.Terminal {
		s.plan.Progress = s.progress()
	}
	if c.Templates != "" {
		root, err := os.OpenRoot(c.Templates)
		if err != nil {
			return exposure.Errorf(exposure.Invalid, "cannot open the templates in %s: %w", c.Templates, errors.Unwrap(err))
		}
		s.closers = append(s.closers, root)
		s.plan.Templates = root.FS()
	}
	named, err := s.targets(ctx)
	if err != nil {
		return err
	}
	if err := s.bill(); err != nil {
		return err
	}
	return s.open(named)
}

// bill prepares for a bill of materials: when it is wanted, packages are.
func (s *scanning) bill() error {
	if s.SBOM == "" {
		return nil
	}
	if len(s.plan.Targets) != 1 || s.plan.Targets[0].Host != "" {
		return exposure.Errorf(exposure.Invalid, "--sbom is of one directory or image")
	}
	if len(s.plan.Only) == 0 {
		s.plan.Only = []string{"inventory"}
	}
	s.found.listing = true
	return nil
}

// open makes the way out, when there is a target to be reached by it.
func (s *scanning) open(named []string) error {
	remote := slices.ContainsFunc(s.plan.Targets, func(t scan.Target) bool { return t.Host != "" })
	if s.DryRun {
		s.plan.Targets = slices.DeleteFunc(s.plan.Targets, func(t scan.Target) bool {
			if t.Host == "" {
				fmt.Fprintf(s.Out, "reads %s and sends nothing\n", printable(t.Name))
			}
			return t.Host == ""
		})
	}
	if !remote {
		return nil
	}
	e, err := s.rules(named)
	if err != nil {
		return err
	}
	if err := guard.Check(e, s.Now()); err != nil {
		return err
	}
	cfg := guard.Config{Now: s.Now, Redact: func(text string) string { return secret.Text(text, 0) }, Resolver: s.Env("LEEWARD_RESOLVER")}
	if s.DryRun {
		cfg.Auditor, cfg.Dry = unkept{s.run}, s.would()
	} else if cfg.Auditor, err = s.auditFile(); err != nil {
		return err
	}
	s.guard = guard.New(cfg)
	if err := s.guard.Grant(guard.Grant{Engagements: []exposure.Engagement{*e}}); err != nil {
		return err
	}
	session := s.guard.Session(e.ID, "scan of the command line")
	s.closers = append(s.closers, session)
	s.plan.Network = session
	return nil
}

func (s *scanning) close() {
	for _, c := range slices.Backward(s.closers) {
		if err := c.Close(); err != nil && !errors.Is(err, fs.ErrClosed) {
			fmt.Fprintln(s.Err, printable(err.Error()))
		}
	}
}

// deliver imports what was found, where that is wanted.
func (s *scanning) deliver(ctx context.Context, out *spooled, stopped bool) error {
	if !s.Store && s.Push == "" {
		return nil
	}
	body, err := out.reader()
	if err != nil || body == nil {
		return err
	}
	h, done, err := s.receiver(ctx)
	if err != nil {
		return err
	}
	defer done()
	results, err := h.Import(ctx, discover.Request{Name: "leeward scan " + strings.Join(s.Targets, " "), Format: "observations"}, body)
	if err != nil {
		return err
	}
	for _, res := range results {
		s.complain(&res)
		if res.Failure != "" {
			s.exit = exitFailed
			continue
		}
		fmt.Fprintf(s.Err, "imported: %d new, %d known, %d closed, %d reopened\n", res.New, res.Known, res.Closed, res.Reopened)
	}
	return nil
}
