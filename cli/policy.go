package cli

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"

	"github.com/leeward-ctem/leeward/exposure"
	"github.com/leeward-ctem/leeward/prioritize"
	"github.com/leeward-ctem/leeward/prioritize/policy"
	"github.com/leeward-ctem/leeward/scope"
	"github.com/leeward-ctem/leeward/server"
)

// Policies lists the policies in force, then those that could be.
func (a *app) Policies(context.Context) ([]server.PolicyStatus, error) {
	p, m := a.inForce()
	known, err := m.Policies()
	if err != nil {
		return nil, err
	}
	all := []server.PolicyStatus{}
	for _, x := range append(slices.Clone(known.Force), known.Rest...) {
		doc := x.Document()
		text, err := policy.Text(doc)
		if err != nil {
			return nil, exposure.Errorf(exposure.Internal, "policy %s cannot be written down: %w", doc.Name, err)
		}
		all = append(all, server.PolicyStatus{
			Policy: doc, Text: text, Dated: x.Dated(), InForce: slices.Contains(known.Force, x),
			Own: slices.ContainsFunc(p.Policies, func(own exposure.Policy) bool { return own.Name == doc.Name }),
		})
	}
	return all, nil
}

type policyCmd struct {
	List  policyListCmd  `cmd:"" help:"List the policies: those in force, and those that could be."`
	Show  policyShowCmd  `cmd:"" help:"Print a policy as it can be pasted into a programme."`
	Check policyCheckCmd `cmd:"" help:"Read policies and say what is wrong with them; nothing is stored."`
	Test  policyTestCmd  `cmd:"" help:"Say what a policy makes of a finding that you describe."`
}

type policyListCmd struct{}

func (policyListCmd) Run(ctx context.Context, r *run) error {
	h, done, err := r.house(ctx)
	if err != nil {
		return err
	}
	defer done()
	all, err := h.Policies(ctx)
	if err != nil {
		return err
	}
	t := r.table("POLICY\tIN FORCE\tGIVES\tTITLE")
	for _, p := range all {
		gives := "labels"
		if p.Dated {
			gives = "due dates"
		}
		if err := t.row(p, "%s\t%s\t%s\t%s\n", p.Name, mark(p.InForce), gives, clip(p.Title, 80)); err != nil {
			return err
		}
	}
	return t.end("There is no policy.", "")
}

type policyShowCmd struct {
	Name string `arg:"" help:"Name of a policy."`
	As   string `help:"Name that it gets: a shipped one needs another before it is pasted." placeholder:"NAME"`
}

func (c *policyShowCmd) Run(ctx context.Context, r *run) error {
	p, err := r.policyOf(ctx, c.Name)
	if err != nil {
		return err
	}
	text := p.Text
	if c.As != "" {
		first, rest, _ := strings.Cut(text, "\n")
		if first != "name: "+p.Name {
			return exposure.Errorf(exposure.Internal, "policy %s does not begin with its name", p.Name)
		}
		text, p.Name = "name: "+c.As+"\n"+rest, c.As
	}
	if r.JSON {
		return newEncoder(r.Out).Encode(p)
	}
	_, err = io.WriteString(r.Out, policy.InProgramme(text))
	return err
}

// policyOf finds a policy that is in force or could be.
func (r *run) policyOf(ctx context.Context, name string) (server.PolicyStatus, error) {
	h, done, err := r.house(ctx)
	if err != nil {
		return server.PolicyStatus{}, err
	}
	defer done()
	all, err := h.Policies(ctx)
	if err != nil {
		return server.PolicyStatus{}, err
	}
	return server.PolicyNamed(all, name)
}

type policyCheckCmd struct {
	File string `short:"f" required:"" help:"A file with one policy, or a programme; - for standard input." placeholder:"FILE"`
}

// checkedPolicy is the contract of `policy check --json`.
type checkedPolicy struct {
	Name  string `json:"name"`
	Rules int    `json:"rules"`
	Dated bool   `json:"dated"`
}

func (c *policyCheckCmd) Run(r *run) error {
	docs, err := r.policyFile(c.File)
	if err != nil {
		return err
	}
	var names []string
	for _, d := range docs {
		names = append(names, d.Name)
	}
	// All in force at once: what they cost together is a matter of their number too.
	if _, err := prioritize.New(prioritize.Config{Policies: names}, r.Now(), docs...); err != nil {
		return err
	}
	t := r.table("POLICY\tRULES\tGIVES")
	for _, d := range docs {
		compiled, err := policy.Compile(d)
		if err != nil {
			return err
		}
		row := checkedPolicy{d.Name, len(d.Rules), compiled.Dated()}
		if d.Table != nil {
			row.Rules = len(d.Table.Rows)
		}
		gives := "labels"
		if row.Dated {
			gives = "due dates"
		}
		if err := t.row(row, "%s\t%d\t%s\n", row.Name, row.Rules, gives); err != nil {
			return err
		}
	}
	return t.end("There is no policy.", "")
}

// policyFile reads the policies of a file.
func (r *run) policyFile(file string) ([]exposure.Policy, error) {
	name, in, err := r.open(file)
	if err != nil {
		return nil, err
	}
	defer in.Close()
	body, err := io.ReadAll(io.LimitReader(in, maxProgramme+1))
	if err != nil {
		return nil, exposure.Errorf(exposure.Unavailable, "cannot read %s: %w", name, err)
	}
	if len(body) > maxProgramme {
		return nil, exposure.Errorf(exposure.Invalid, "%s has more than %d bytes, so it holds no policies", name, maxProgramme)
	}
	return scope.ParsePolicies(filepath.Base(name), body)
}

type policyTestCmd struct {
	Name string   `arg:"" help:"Name of a policy."`
	File string   `short:"f" help:"Take it from this file: a policy, or a programme." placeholder:"FILE"`
	Set  []string `help:"What the finding is, as in kev=true or reach=internet; again for more. What is not set is not known." placeholder:"VARIABLE=VALUE" sep:"none"`
}

// testedPolicy is the contract of `policy test --json`.
type testedPolicy struct {
	exposure.PolicyResult
	Days   int  `json:"days"` // −1: no date
	Listed bool `json:"after_kev_listing"`
}

func (c *policyTestCmd) Run(ctx context.Context, r *run) error {
	doc, err := c.document(ctx, r)
	if err != nil {
		return err
	}
	compiled, err := policy.Compile(doc)
	if err != nil {
		return err
	}
	finding := policy.NewCase()
	for _, s := range c.Set {
		name, value, ok := strings.Cut(s, "=")
		if !ok {
			return exposure.Errorf(exposure.Invalid, "--set %s: write a variable, = and its value, as in --set kev=true", printable(s))
		}
		if err := finding.Set(strings.TrimSpace(name), strings.TrimSpace(value)); err != nil {
			return err
		}
	}
	x := compiled.Ask(&finding.Weakness, &finding.Asset, finding.Band)
	if r.JSON {
		return newEncoder(r.Out).Encode(testedPolicy{x.PolicyResult, x.Days, x.Listed})
	}
	for _, in := range x.Inputs {
		fmt.Fprintf(r.Out, "  %s: %s\n", printable(in.Name), printable(in.Value))
	}
	_, err = fmt.Fprintf(r.Out, "%s: %s\n", printable(doc.Name), printable(resultText(x.PolicyResult)))
	return err
}

func (c *policyTestCmd) document(ctx context.Context, r *run) (exposure.Policy, error) {
	if c.File == "" {
		p, err := r.policyOf(ctx, c.Name)
		return p.Policy, err
	}
	docs, err := r.policyFile(c.File)
	if err != nil {
		return exposure.Policy{}, err
	}
	for _, d := range docs {
		if d.Name == c.Name {
			return d, nil
		}
	}
	return exposure.Policy{}, exposure.Errorf(exposure.NotFound, "there is no policy %q in %s", c.Name, filepath.Base(c.File))
}

// resultText is what a policy says of a finding, in one line.
func resultText(p exposure.PolicyResult) string {
	switch {
	case !p.Applies && p.Rule == "":
		return "does not speak of it"
	case p.Rule == "":
		return "no rule holds"
	}
	var what []string
	if p.Due != "" {
		what = append(what, "due "+p.Due)
	}
	if p.Label != "" {
		what = append(what, p.Label)
	}
	return strings.Join(what, ", ") + " (" + p.Rule + ")"
}

// explainPolicies prints what the policies make of a finding.
func explainPolicies(w io.Writer, all []exposure.PolicyResult) {
	for _, p := range all {
		day := ""
		if p.DueDay != 0 {
			day = dayText(uint16(p.DueDay)) + ", "
		}
		binds := ""
		if p.Binds {
			binds = "; it binds"
		}
		fmt.Fprintf(w, "policy %s: %s%s%s\n", p.Policy, day, printable(resultText(p)), binds)
		// Rules may carry a sentence of their own; a row is its inputs already.
		if in := factsText(p.Inputs); in != "" && in != p.Rule && p.Rule != "" {
			fmt.Fprintf(w, "  %s\n", printable(in))
		}
	}
}

func factsText(facts []exposure.PolicyFact) string {
	var all []string
	for _, f := range facts {
		all = append(all, f.Name+" "+cmp.Or(f.Value, "none"))
	}
	return strings.Join(all, ", ")
}
