package asff

import (
	"cmp"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/leeward-ctem/leeward/discover/record"
	"github.com/leeward-ctem/leeward/discover/term"
	"github.com/leeward-ctem/leeward/exposure"
)

// maxPlaces bounds what one finding becomes: its resources times its packages.
// The format allows 32 resources.
const maxPlaces = 1000

// finding states one finding, on each of its resources.
func finding(r *record.Report, v record.Value) error {
	if !v.At("Resources").Exists() || !v.At("ProductArn").Exists() {
		return errors.New("it is no finding in the AWS Security Finding Format")
	}
	o := exposure.Observation{
		Tool: product(v), Class: class(v), Detection: exposure.DetectionAuthenticated, State: state(v),
		Rule: rule(v), Title: v.Text("Title"), Description: v.Text("Description"),
		Solution: v.Text("Remediation.Recommendation.Text"), Severity: severity(v),
		References: links(v), Evidence: evidence(v), Seen: v.Time("LastObservedAt", "UpdatedAt"),
	}
	if o.Class == "vuln" {
		if o.Advisories = advisories(v); o.Advisories != nil {
			o.Rule = o.Advisories[0]
		}
	}
	network(&o, v)
	all := weaknesses(o, v)
	places, n := 0, 0
	for resource := range v.List("Resources") {
		if places += len(all); places > maxPlaces {
			return fmt.Errorf("it has more than %d resources and packages", maxPlaces)
		}
		n++
		a := asset(v, resource, n)
		switch status := strings.ToUpper(v.Text("Compliance.Status")); {
		case status == "NOT_AVAILABLE":
			continue // it could not be checked
		case status == "PASSED":
			if o.State == exposure.StatePresent || o.State == exposure.StateFixed && !archived(v) {
				r.CoveredBy(o.Tool, a, o.Class, o.Rule)
			}
			continue
		case status == "FAILED" && o.State == exposure.StatePresent:
			r.CoveredBy(o.Tool, a, o.Class, o.Rule)
		}
		for _, w := range all {
			w.Asset = a
			other(&w, resource)
			if w.Component.Purl == "" && w.Class == "vuln-os" {
				w.Component.Purl = term.SystemPurl(a.OS, w.Component.Name, w.Component.Version)
			}
			r.Weakness(w)
		}
	}
	return nil
}

// product is the product that found it: "aws-guardduty", "prowler". Its name
// ends the ARN; what users import themselves has a name beside it.
func product(v record.Value) string {
	parts := strings.Split(v.Text("ProductArn"), "/")
	name := ""
	if n := len(parts); n >= 3 {
		name = parts[n-1]
		switch parts[n-2] {
		case "aws":
			name = "aws-" + name
		case "aquasecurity":
			if tool := v.At("ProductFields").Member("Product Name").Text(); tool != "" {
				name = tool
			}
		}
		if name == "default" {
			name = ""
		}
	}
	name = cmp.Or(name, v.Text("ProductName"), "aws-securityhub")
	return strings.ToLower(strings.ReplaceAll(term.OneLine(name), " ", "-"))
}

// class tells the kind of check by the types of a finding, see
// https://docs.aws.amazon.com/securityhub/latest/userguide/securityhub-findings-format-type-taxonomy.html
func class(v record.Value) string {
	if v.At("Vulnerabilities").Exists() {
		return "vuln"
	}
	space, rest, _ := strings.Cut(kind(v), "/")
	switch space {
	case "TTPs", "Effects", "Unusual Behaviors":
		return "threat"
	case "Sensitive Data Identifications":
		return "data"
	}
	if strings.HasPrefix(rest, "Vulnerabilities") && !v.At("Compliance").Exists() {
		return "vuln"
	}
	return "misconfig"
}

// kind is the first type of a finding: namespace/category/classifier.
func kind(v record.Value) string {
	for _, t := range append(v.Texts("Types"), v.Texts("FindingProviderFields.Types")...) {
		return t
	}
	return ""
}

// rule is the check that a finding is of. The generator names it, with the
// version of the standard or, in some products, the detector of the account
// instead.
func rule(v record.Value) string {
	fields := v.At("ProductFields")
	if id := cmp.Or(v.Text("Compliance.SecurityControlId"), fields.Text("ControlId")); id != "" {
		return id
	}
	generator := v.Text("GeneratorId")
	if name, ok := strings.CutPrefix(generator, "security-control/"); ok {
		return name
	}
	if _, name, ok := strings.Cut(generator, ":::ruleset/"); ok {
		return unversioned(name)
	}
	if name := cmp.Or(fields.Member("aws/config/ConfigRuleName").Text(), fields.Member("aws/config/RuleName").Text()); name != "" {
		return name
	}
	space, _, _ := strings.Cut(kind(v), "/")
	switch {
	case space != "Software and Configuration Checks" && strings.Count(kind(v), "/") >= 2,
		strings.HasPrefix(generator, "arn:"), generator == "AWSInspector":
		last := kind(v)
		if last = last[strings.LastIndexByte(last, '/')+1:]; last != "" {
			return last
		}
	}
	if name, ok := strings.CutPrefix(generator, "prowler-"); ok {
		return name
	}
	return unversioned(cmp.Or(generator, kind(v), v.Text("Title")))
}

// unversioned takes the version of a standard out of the name of a rule:
// "aws-foundational-security-best-practices/v/1.0.0/EC2.2".
func unversioned(name string) string {
	head, tail, ok := strings.Cut(name, "/v/")
	if !ok {
		return name
	}
	if _, rest, ok := strings.Cut(tail, "/"); ok {
		return head + "/" + rest
	}
	return head
}

// severity is the label, or the number that came before it.
func severity(v record.Value) exposure.Severity {
	if s := term.Severity(v.Text("Severity.Label", "FindingProviderFields.Severity.Label")); s != exposure.SeverityUnknown {
		return s
	}
	n, err := strconv.ParseFloat(v.Text("Severity.Normalized", "FindingProviderFields.Severity.Normalized"), 64)
	switch {
	case err != nil, n < 0, n > 100:
		return exposure.SeverityUnknown
	case n >= 90:
		return exposure.SeverityCritical
	case n >= 70:
		return exposure.SeverityHigh
	case n >= 40:
		return exposure.SeverityMedium
	case n >= 1:
		return exposure.SeverityLow
	}
	return exposure.SeverityInfo
}

func archived(v record.Value) bool { return strings.EqualFold(v.Text("RecordState"), "ARCHIVED") }

// state is what became of a finding: by the person who worked on it, or by the
// product that found it. An archived finding is out of use, which is not yet
// fixed: its resource may be gone, or its control switched off.
func state(v record.Value) exposure.State {
	workflow := strings.ToUpper(cmp.Or(v.Text("Workflow.Status"), v.Text("WorkflowState")))
	inspector := strings.ToUpper(v.At("ProductFields").Member("aws/inspector/FindingStatus").Text())
	switch {
	case workflow == "SUPPRESSED", inspector == "SUPPRESSED":
		return exposure.StateSuppressed
	case workflow == "RESOLVED", inspector == "CLOSED":
		return exposure.StateFixed
	case archived(v):
		return exposure.StateSuppressed
	case product(v) == "prowler" && strings.EqualFold(v.Text("Compliance.Status"), "WARNING"):
		return exposure.StateSuppressed // how Prowler states what is muted
	}
	return exposure.StatePresent
}

// network is the port that a finding concerns.
func network(o *exposure.Observation, v record.Value) {
	port, protocol := v.Text("Network.OpenPortRange.Begin"), strings.ToLower(v.Text("Network.Protocol"))
	if end := v.Text("Network.OpenPortRange.End"); end != port && end != "" {
		port = ""
	}
	if rest, ok := strings.CutPrefix(o.Title, "Port "); ok && port == "" { // of Inspector: "Port 22 is reachable from an Internet Gateway - TCP"
		port, _, _ = strings.Cut(rest, " ")
		protocol = "tcp"
		if strings.HasSuffix(rest, "UDP") {
			protocol = "udp"
		}
	}
	if n := term.Port(port); n != 0 {
		o.Location.Port, o.Location.Protocol = n, cmp.Or(protocol, "tcp")
	}
}
