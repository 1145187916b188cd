package prioritize

import (
	"slices"
	"strings"

	"github.com/leeward-ctem/leeward/exposure"
	"github.com/leeward-ctem/leeward/prioritize/policy"
)

// noPolicy in the configuration puts none in force but the SLA.
const noPolicy = "none"

// policies are what is in force beside the score.
type policies struct {
	force  []*policy.Policy // the SLA first, then in the order of the configuration
	labels []*policy.Policy // shown of every finding, whether in force or not
	set    *policy.Set
}

// newPolicies reads the organisation's own policies and puts in force those
// that the configuration names.
func newPolicies(c Config, own []exposure.Policy) (p policies, compiled []*policy.Policy, err error) {
	compiled, err = compileOwn(own)
	if err != nil {
		return p, nil, err
	}
	p.force, err = chosen(c, compiled)
	if err != nil {
		return p, nil, err
	}
	for _, name := range []string{policy.Coordinator, policy.Deployer} {
		label, _, err := policy.Preset(name)
		if err != nil {
			return p, nil, err
		}
		p.labels = append(p.labels, label)
	}
	p.set, err = policy.NewSet(p.force)
	return p, compiled, err
}

// chosen are the policies that a configuration puts in force.
func chosen(c Config, own []*policy.Policy) ([]*policy.Policy, error) {
	sla, err := policy.Days(c.SLA)
	if err != nil {
		return nil, err
	}
	force := []*policy.Policy{sla}
	for _, name := range c.Policies {
		if name == noPolicy || slices.ContainsFunc(force, func(p *policy.Policy) bool { return p.Name() == name }) {
			continue
		}
		if i := slices.IndexFunc(own, func(p *policy.Policy) bool { return p.Name() == name }); i >= 0 {
			force = append(force, own[i])
			continue
		}
		p, ok, err := policy.Preset(name)
		if err != nil {
			return nil, err
		}
		if !ok {
			return nil, exposure.Errorf(exposure.Invalid, "risk: there is no policy %q: use %s, none, or a name under policies", name, strings.Join(policy.PresetNames(), ", "))
		}
		force = append(force, p)
	}
	return force, nil
}

// compileOwn reads policies that must not take the place of shipped ones.
func compileOwn(own []exposure.Policy) ([]*policy.Policy, error) {
	var all []*policy.Policy
	var problems []string
	for _, doc := range own {
		compiled, err := policy.Compile(doc)
		switch {
		case err != nil && exposure.KindOf(err) != exposure.Invalid:
			return nil, err
		case err != nil:
			problems = append(problems, err.Error())
		case slices.Contains(policy.PresetNames(), doc.Name) || doc.Name == noPolicy:
			problems = append(problems, policy.Place(doc)+": the name "+doc.Name+" is taken by a shipped policy: choose another, as in our-"+doc.Name)
		case slices.ContainsFunc(all, func(p *policy.Policy) bool { return p.Name() == doc.Name }):
			problems = append(problems, policy.Place(doc)+": there is a policy "+doc.Name+" already: rename one")
		default:
			all = append(all, compiled)
		}
	}
	if len(problems) > 0 {
		return nil, exposure.Errorf(exposure.Invalid, "%s", strings.Join(problems, "\n"))
	}
	return all, nil
}

// documents are the policies in force as they were written: the version of the
// model changes with them.
func (p *policies) documents() []exposure.Policy {
	var all []exposure.Policy
	for _, x := range p.force {
		all = append(all, x.Document())
	}
	return all
}

// weaknessOf is what policies may ask of an advisory.
func weaknessOf(a *exposure.Advisory, v vector) policy.Weakness {
	h := &a.Threat
	exploit := h.MetasploitDay != 0 || h.NucleiDay != 0
	return policy.Weakness{
		KEV: h.KEV(), Ransomware: h.Ransomware, Exploited: h.KEV() || h.ObservedDay != 0,
		Exploit: exploit, PoC: exploit || h.ArchiveDay != 0 || h.PoCDay != 0,
		EPSSKnown: h.Scored(), EPSS: h.EPSS, Percentile: h.Percentile,
		Automatable:      h.Automatable == "yes" || h.Automatable == "" && v.automatable,
		AutomatableKnown: h.Automatable != "" || v.known,
		TotalImpact:      h.Impact == "total" || h.Impact == "" && v.c == 2 && v.i == 2,
		TotalImpactKnown: h.Impact != "" || v.known,
		Named:            hasAdvisory(a), Withdrawn: h.Withdrawn,
		Type: a.Type.String(), Severity: a.Severity.String(), AttackVector: policy.AttackVector(v.reach),
		CVEs: a.CVEs,
	}
}

// assetOf is what policies may ask of an asset's context.
func (m *Model) assetOf(c *exposure.Context) policy.Asset {
	loss := m.loss(c)
	return policy.Asset{
		Reach: c.Reach.String(), Tier: tierOf(c), TierKnown: c.Tier != 0, Owner: c.Owner,
		Services: c.Services, Tags: c.Tags, Scopes: c.Scopes, Data: c.Data, Regulations: c.Regulations,
		Controls: c.Controls, Loss: loss.Confidentiality + loss.Integrity + loss.Availability,
	}
}

// tierOf is the tier of an asset; of one without, 3.
func tierOf(c *exposure.Context) int {
	if c.Tier == 0 {
		return policy.DefaultTier
	}
	return c.Tier
}

// judge says what each policy makes of a finding: those in force, then labels.
// binding is the rule that the due date comes from, as the table names it.
func (m *Model) judge(e Evidence, v vector, band exposure.Band, binding string) (results []exposure.PolicyResult, labels []string) {
	w, a := weaknessOf(e.Advisory, v), m.assetOf(e.Context)
	kevDay := 0
	if e.Advisory.Threat.KEV() {
		kevDay = e.Advisory.Threat.KEVDay
	}
	for _, p := range m.policies.force {
		x := m.policies.set.Ask(p, &w, &a, band)
		x.InForce = true
		x.Binds = binding != "" && policy.RuleName(p.Name(), x.Rule) == binding
		if x.Days > 0 {
			from := max(0, e.FirstSeen)
			if x.Listed {
				from = max(from, kevDay)
			}
			x.DueDay = min(from+x.Days, exposure.NoDue-1)
		}
		results = append(results, x.PolicyResult)
	}
	for _, p := range m.policies.labels {
		x := p.Ask(&w, &a, band)
		labels = append(labels, x.Label)
		if !slices.ContainsFunc(results, func(r exposure.PolicyResult) bool { return r.Policy == p.Name() }) {
			results = append(results, x.PolicyResult)
		}
	}
	return results, labels
}

// Policies are the policies that a model knows of: those in force first, then
// the shipped and own ones that are not.
type Policies struct {
	Force []*policy.Policy
	Rest  []*policy.Policy
}

// Policies lists the policies in force and those that could be, of which own
// are the organisation's.
func (m *Model) Policies() (Policies, error) {
	out := Policies{Force: m.policies.force}
	shipped, err := policy.Presets()
	if err != nil {
		return out, err
	}
	for _, p := range append(shipped, m.own...) {
		if !slices.ContainsFunc(out.Force, func(f *policy.Policy) bool { return f.Name() == p.Name() }) {
			out.Rest = append(out.Rest, p)
		}
	}
	return out, nil
}
