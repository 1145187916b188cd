// Package cloudsploit reads the results of CloudSploit, which checks the
// settings of cloud accounts.
package cloudsploit

import (
	"cmp"
	"context"
	"errors"
	"io"
	"iter"
	"strings"

	"github.com/leeward-ctem/leeward/discover/decode"
	"github.com/leeward-ctem/leeward/discover/record"
	"github.com/leeward-ctem/leeward/discover/term"
	"github.com/leeward-ctem/leeward/exposure"
)

// Reader reads CloudSploit results. See
// https://github.com/aquasecurity/cloudsploit#cloudsploit-by-aqua---cloud-security-scans
type Reader struct{}

// Name implements discover.Reader.
func (Reader) Name() string { return "cloudsploit" }

// Describe implements discover.Described.
func (Reader) Describe() (title, docs string) {
	return "CloudSploit results (JSON, CSV, JUnit)", "https://github.com/aquasecurity/cloudsploit#output-formats"
}

// header are columns that only these results have.
func header() []string { return []string{"category", "title", "resource", "region", "statusWord"} }

// Sniff implements discover.Reader.
func (Reader) Sniff(h *decode.Head) bool {
	switch h.Form() {
	case '[':
		return h.Has("[].plugin", "[].category", "[].title", "[].resource", "[].region", "[].status")
	case '<':
		at := "testsuites.testsuite.testcase."
		_, _, named := result(h.Text(at + "@name"))
		return named && h.Has("testsuites.testsuite.@package") && h.Text(at+"@classname") == h.Text("testsuites.testsuite.@package")
	}
	return h.HasRow(header()...)
}

// Read implements discover.Reader.
func (Reader) Read(ctx context.Context, r io.Reader) iter.Seq2[exposure.Observation, error] {
	return record.Spec{
		Tool: "cloudsploit", Header: header(),
		Records: map[string]record.Handler{"[]": row, "row": tabular, "testsuites.testsuite.testcase": testcase},
	}.Read(ctx, r)
}

// row is one result, of one check on one resource.
func row(r *record.Report, v record.Value) error {
	o := exposure.Observation{
		Rule: v.Text("plugin", "title"), Title: v.Text("title", "plugin"), Description: v.Text("description"), Solution: v.Text("recommended_action"),
		References: term.Links(v.Text("link", "more_info")),
	}
	if category := v.Text("category"); category != "" {
		o.Evidence = append(o.Evidence, exposure.Evidence{Kind: "note", Text: "category " + category})
	}
	return state(r, o, v.Text("status", "statusWord"), v.Text("severity"), v.Text("resource"), v.Text("region"), v.Text("message"))
}

// tabular is a result in CSV. Each has a message, which stands last.
func tabular(r *record.Report, v record.Value) error {
	if v.Text("message") == "" {
		return errors.New("a result without its message: the report is cut off in this row")
	}
	return row(r, v)
}

// testcase is a result in JUnit, where a warning looks like a success: neither
// covers anything.
func testcase(r *record.Report, v record.Value) error {
	suite := r.Up(0)
	region, resource, ok := result(v.Text("@name"))
	if !v.At("failure").Exists() || !ok {
		return nil
	}
	title, description, _ := strings.Cut(suite.Text("@name"), ": ")
	o := exposure.Observation{Rule: v.Text("@classname"), Title: title, Description: description}
	return state(r, o, "FAIL", "", resource, region, v.Text("failure.@message"))
}

// result takes the name of a test case apart: "region; resource; message".
func result(name string) (region, resource string, ok bool) {
	parts := strings.SplitN(name, "; ", 3)
	if len(parts) != 3 {
		return "", "", false
	}
	return parts[0], parts[1], true
}

// state states a result by its status: a failure is an immediate risk, a
// warning is none, and of what is unknown nothing was seen.
func state(r *record.Report, o exposure.Observation, status, severity, resource, region, message string) error {
	o.Class, o.Detection = "misconfig", exposure.DetectionAuthenticated
	o.Asset = asset(resource, region)
	switch strings.ToUpper(status) {
	case "FAIL":
		o.Severity = exposure.SeverityCritical
	case "WARN":
		o.Severity = exposure.SeverityMedium
	case "OK":
		cover(r, o)
		return nil
	default:
		return nil
	}
	if s := term.Severity(severity); s != exposure.SeverityUnknown {
		o.Severity = s // newer plug-ins have one of their own
	}
	if o.Asset.IsZero() {
		o.Location.Resource = cmp.Or(strings.ToLower(region), "global")
	}
	if message != "" {
		o.Evidence = append([]exposure.Evidence{{Kind: "output", Text: message}}, o.Evidence...)
	}
	cover(r, o)
	r.Weakness(o)
	return nil
}

// cover says that a check looked at a resource. A name, or an account as a
// whole, may be that of another account in another report.
func cover(r *record.Report, o exposure.Observation) {
	if len(o.Asset.Identifiers) > 0 && o.Asset.Identifiers[0].Kind == exposure.IDCloud && o.Rule != "" {
		r.Covered(o.Asset, o.Class, o.Rule)
	}
}

// asset is the resource of a result: an ARN, the id of a resource of Azure, or
// what Google calls it; else a name within its region.
func asset(resource, region string) exposure.AssetRef {
	a := exposure.AssetRef{Kind: exposure.AssetCloudResource}
	switch {
	case term.Nothing(resource):
	case strings.HasPrefix(resource, "/subscriptions/"):
		a.Add(exposure.IDCloud, strings.ToLower(resource))
	case strings.HasPrefix(resource, "arn:"), strings.Contains(resource, "/"), strings.HasPrefix(resource, "ocid1."):
		a.Add(exposure.IDCloud, resource)
	default:
		a.Add(exposure.IDName, strings.ToLower(region)+"/"+resource)
	}
	if len(a.Identifiers) == 0 {
		return exposure.AssetRef{}
	}
	return a
}
