package web

import (
	"fmt"
	"net/url"
	"strings"

	"github.com/leeward-ctem/leeward/exposure"
)

// PolicyURL is the page of one policy.
func PolicyURL(name string) string { return PoliciesURL + "/" + url.PathEscape(name) }

// PolicyRow is a policy and what it is to the organisation.
type PolicyRow struct {
	exposure.Policy
	InForce bool
	Own     bool // of the programme, not shipped
	Dated   bool // gives due dates; otherwise labels
}

// PoliciesPage lists policies.
type PoliciesPage struct {
	Shell Shell
	Rows  []PolicyRow // those in force first
}

// PolicyPage is one policy.
type PolicyPage struct {
	Shell Shell
	Row   PolicyRow
	Text  string // as it is written
}

func policiesText(p PoliciesPage) string {
	n := 0
	for _, x := range p.Rows {
		if x.InForce {
			n++
		}
	}
	return fmt.Sprintf("%s in force. Of all due dates that they give, the earliest counts, and the rule that it comes from is shown with it.", plural(n, "policy is", "policies are"))
}

func policyText(x PolicyRow) string {
	force := "Not in force"
	if x.InForce {
		force = "In force"
	}
	return fmt.Sprintf("%s, %s, gives %s. The first that holds counts.", force, policyFrom(x), policyGives(x))
}

func policyGives(x PolicyRow) string {
	if x.Dated {
		return "due dates"
	}
	return "labels"
}

func policyFrom(x PolicyRow) string {
	if x.Own {
		return "your programme"
	}
	return "shipped"
}

func policyRules(x PolicyRow) int {
	if x.Table != nil {
		return len(x.Table.Rows)
	}
	return len(x.Rules)
}

// policySays is what a policy comes to for a finding.
func policySays(x exposure.PolicyResult) string {
	switch {
	case x.Rule == "" && !x.Applies:
		return "Does not speak of it"
	case x.Rule == "":
		return "No rule holds"
	}
	var parts []string
	for _, s := range []string{x.Due, x.Label} {
		if s != "" {
			parts = append(parts, cut(s, 200))
		}
	}
	return strings.Join(parts, ", ")
}

// policyFor is what a policy was asked with, and the sentence of its rule.
func policyFor(x exposure.PolicyResult) string {
	var parts []string
	for _, f := range x.Inputs {
		parts = append(parts, cut(f.Name+" "+f.Value, 200))
	}
	text := strings.Join(parts, ", ")
	if x.Why != "" {
		return strings.TrimSuffix(cut(x.Why, 200)+": "+text, ": ")
	}
	return text
}
