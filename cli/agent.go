package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"

	"github.com/leeward-ctem/leeward/agent"
	"github.com/leeward-ctem/leeward/exposure"
	"github.com/leeward-ctem/leeward/guard"
)

type agentCmd struct {
	Server string `help:"Address of the server, such as https://leeward.example.com." env:"LEEWARD_SERVER" placeholder:"URL" required:""`
	Token  string `help:"Token of an invitation, good once: from leeward agents invite. Not needed again." env:"LEEWARD_AGENT_TOKEN"`
	Name   string `help:"Name of the agent; the host's when not given." placeholder:"NAME"`
	CA     string `help:"Certificates in PEM that are trusted beside the system's." type:"existingfile" placeholder:"FILE"`
	CPUs   int    `help:"How many processors a scan may use." default:"1"`
}

// identity is what an agent keeps of its enrolment.
type identity struct {
	Server string         `json:"server"`
	Agent  agent.Enrolled `json:"agent"`
}

// Run works for a server until it is stopped.
func (c *agentCmd) Run(ctx context.Context, r *run) error {
	dir := filepath.Join(r.dir(), "agent")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return exposure.Errorf(exposure.Unavailable, "cannot make %s: %w: choose another directory with --data", dir, err)
	}
	var ca []byte
	if c.CA != "" {
		var err error
		if ca, err = os.ReadFile(c.CA); err != nil {
			return exposure.Errorf(exposure.Invalid, "cannot read %s: %w", c.CA, err)
		}
	}
	who, err := c.enrol(ctx, r, filepath.Join(dir, "identity.json"), ca)
	if err != nil {
		return err
	}
	client, err := agent.NewClient(c.Server, who.Agent.Secret, ca)
	if err != nil {
		return err
	}
	audit, err := guard.OpenFile(filepath.Join(dir, "audit.jsonl"))
	if err != nil {
		return err
	}
	defer audit.Close()
	fmt.Fprintf(r.Err, "Agent %s looks from %v for %s. Stop with Ctrl C.\n", printable(who.Agent.Name), who.Agent.Labels, c.Server)
	a := &agent.Agent{
		Server: client, Child: agent.InProcess(startChild(c.CPUs, r.Env)), Spool: filepath.Join(dir, "spool"), Audit: audit,
		Facts: agentFacts, Log: slog.New(slog.NewTextHandler(r.Err, nil)), Now: r.Now,
	}
	return a.Run(ctx)
}

// enrol returns who the agent is: as it was enrolled before, or by its token.
func (c *agentCmd) enrol(ctx context.Context, r *run, file string, ca []byte) (who identity, err error) {
	body, err := os.ReadFile(file)
	switch {
	case err == nil:
		if err := json.Unmarshal(body, &who); err != nil || who.Agent.Secret == "" {
			return who, exposure.Errorf(exposure.Invalid, "%s is damaged: remove it and enrol anew with --token", file)
		}
		if who.Server == c.Server {
			return who, nil
		}
		if c.Token == "" {
			return who, exposure.Errorf(exposure.Conflict, "this agent is enrolled at %s: give --token to enrol it at %s, or another --data for a second one", who.Server, c.Server)
		}
	case !errors.Is(err, fs.ErrNotExist):
		return who, exposure.Errorf(exposure.Unavailable, "cannot read %s: %w", file, err)
	case c.Token == "":
		return who, exposure.Errorf(exposure.Invalid, "this agent is not enrolled: give --token with what `leeward agents invite` printed on the server")
	}
	client, err := agent.NewClient(c.Server, "", ca)
	if err != nil {
		return who, err
	}
	name := c.Name
	if name == "" {
		name, _ = os.Hostname()
	}
	who.Server = c.Server
	if who.Agent, err = client.Enrol(ctx, agent.Enrolment{Token: c.Token, Name: name, Facts: agentFacts()}); err != nil {
		return who, err
	}
	if body, err = json.Marshal(who); err != nil {
		return who, err
	}
	if err := os.WriteFile(file, body, 0o600); err != nil {
		return who, exposure.Errorf(exposure.Unavailable, "cannot keep who this agent is in %s: %w", file, err)
	}
	return who, nil
}

// agentFacts is what an agent says of itself.
func agentFacts() map[string]string {
	host, _ := os.Hostname()
	return map[string]string{"version": version, "os": runtime.GOOS, "arch": runtime.GOARCH, "host": host, "cpus": fmt.Sprint(runtime.NumCPU())}
}
