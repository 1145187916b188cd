package scope

import (
	"strings"

	"go.yaml.in/yaml/v4"

	"github.com/leeward-ctem/leeward/exposure"
)

// Bounds of policies. What their expressions may be is checked where they are
// compiled, in package prioritize.
const (
	maxPolicies   = 100
	maxExpression = 2_000 // bytes
)

// ParsePolicies reads a file that is a policy by itself, or a programme, of
// which it takes the policies. It reads as strictly as [Parse].
func ParsePolicies(file string, body []byte) ([]exposure.Policy, error) {
	r := &reader{decoder: decoder{file: label(file)}}
	root := r.document(body)
	if root == nil || child(root, "rules") == nil && child(root, "table") == nil {
		p, err := Parse(file, body)
		if err != nil {
			return nil, err
		}
		if len(p.Policies) == 0 {
			return nil, exposure.Errorf(exposure.Invalid, "%s: there is no policy in it: give it the keys name and rules or table, or policies when it is a programme", label(file))
		}
		return p.Policies, nil
	}
	r.policy(root)
	return r.p.Policies, r.err()
}

func (r *reader) policies(n *yaml.Node) {
	if r.list(n, "policies", r.policy); len(r.p.Policies) > maxPolicies {
		r.fail(n, "policies has %d entries, and at most %d are allowed", len(r.p.Policies), maxPolicies)
	}
}

func (r *reader) policy(n *yaml.Node) {
	p := exposure.Policy{File: r.file, Line: n.Line}
	r.object(n, "a policy",
		key{"name", func(n *yaml.Node) { r.name(n, "name", &p.Name) }},
		key{"title", func(n *yaml.Node) { r.name(n, "title", &p.Title) }},
		key{"source", func(n *yaml.Node) { r.name(n, "source", &p.Source) }},
		key{"licence", func(n *yaml.Node) { r.name(n, "licence", &p.Licence) }},
		key{"note", func(n *yaml.Node) { r.text(n, "note", &p.Note) }},
		key{"applies", func(n *yaml.Node) { p.AppliesLine = n.Line; r.expression(n, "applies", &p.Applies) }},
		key{"rules", func(n *yaml.Node) {
			r.list(n, "rules", func(n *yaml.Node) {
				u := exposure.PolicyRule{Line: n.Line}
				r.object(n, "a rule of a policy", r.outcome(&u.PolicyOutcome,
					key{"when", func(n *yaml.Node) { r.expression(n, "when", &u.When) }})...)
				r.need(n, "a rule of a policy", "when")
				p.Rules = append(p.Rules, u)
			})
		}},
		key{"table", func(n *yaml.Node) { p.Table = r.table(n) }})
	r.need(n, "a policy", "name")
	r.p.Policies = append(r.p.Policies, p)
}

// outcome are the keys of what a rule or row comes to, after others.
func (r *reader) outcome(o *exposure.PolicyOutcome, others ...key) []key {
	return append(others,
		key{"due", func(n *yaml.Node) { r.name(n, "due", &o.Due) }},
		key{"label", func(n *yaml.Node) { r.name(n, "label", &o.Label) }},
		key{"why", func(n *yaml.Node) { r.name(n, "why", &o.Why) }})
}

func (r *reader) table(n *yaml.Node) *exposure.PolicyTable {
	t := &exposure.PolicyTable{}
	r.object(n, "table",
		key{"inputs", func(n *yaml.Node) {
			r.list(n, "inputs", func(n *yaml.Node) { t.Inputs = append(t.Inputs, r.input(n)) })
		}},
		key{"rows", func(n *yaml.Node) {
			r.list(n, "rows", func(n *yaml.Node) {
				row := exposure.PolicyRow{Line: n.Line}
				r.object(n, "a row", r.outcome(&row.PolicyOutcome,
					key{"when", func(n *yaml.Node) {
						r.values(n, "when", func(n *yaml.Node) {
							var s string
							r.name(n, "when", &s)
							row.When = append(row.When, s)
						})
					}})...)
				r.need(n, "a row", "when")
				t.Rows = append(t.Rows, row)
			})
		}})
	r.need(n, "table", "inputs", "rows")
	return t
}

func (r *reader) input(n *yaml.Node) exposure.PolicyInput {
	in := exposure.PolicyInput{Line: n.Line}
	r.object(n, "an input",
		key{"name", func(n *yaml.Node) { r.name(n, "name", &in.Name) }},
		key{"values", func(n *yaml.Node) {
			r.list(n, "values", func(n *yaml.Node) {
				v := exposure.PolicyValue{Line: n.Line}
				r.object(n, "a value",
					key{"value", func(n *yaml.Node) { r.name(n, "value", &v.Value) }},
					key{"when", func(n *yaml.Node) { r.expression(n, "when", &v.When) }})
				r.need(n, "a value", "value")
				in.Values = append(in.Values, v)
			})
		}})
	r.need(n, "an input", "name", "values")
	return in
}

// expression reads a condition. One that begins with ! is a tag to YAML.
func (r *reader) expression(n *yaml.Node, what string, to *string) {
	if strings.HasPrefix(n.Tag, "!") && !strings.HasPrefix(n.Tag, "!!") {
		r.fail(n, "%s begins with !, which YAML takes for a tag: put the expression in quotes", what)
		return
	}
	r.words(n, what, to, maxExpression, true)
}
