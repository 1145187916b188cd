package trivyoperator

import (
	"cmp"
	"strings"

	"github.com/leeward-ctem/leeward/discover/record"
	"github.com/leeward-ctem/leeward/discover/term"
	"github.com/leeward-ctem/leeward/exposure"
)

// The classes of check. Those of configurations are apart, because each has
// reports of its own.
const (
	classVuln       = "vuln"
	classSecret     = "secret"
	classConfig     = "misconfig-config"
	classRoles      = "misconfig-rbac"
	classInfra      = "misconfig-infra"
	classCompliance = "misconfig-compliance"
)

// How sure the kinds of finding are, on the scale of OpenVAS.
const (
	surePackage = 97
	sureConfig  = 80
	sureSecret  = 70
)

// class is that of the checks in a report.
func (c resource) class() string {
	switch kind := c.custom.Text("kind"); {
	case strings.Contains(kind, "Rbac"):
		return classRoles
	case strings.Contains(kind, "Infra"):
		return classInfra
	}
	return classConfig
}

// seen is when the report was made.
func (c resource) seen(o *exposure.Observation) {
	o.Seen = c.report.Time("updateTimestamp")
	if o.Seen.IsZero() {
		o.Seen = c.meta().Time("creationTimestamp")
	}
}

func vulnerability(r *record.Report, v record.Value) error {
	c := resource{r.Up(1), r.Up(0)}
	id := v.Text("vulnerabilityID")
	o := exposure.Observation{
		Class: classVuln, Asset: c.asset(), Rule: id, Title: v.Text("title"), Description: v.Text("description"), Severity: term.Severity(v.Text("severity")),
		Detection: exposure.DetectionAuthenticated, Confidence: surePackage, Component: pkg(c, v),
	}
	c.seen(&o)
	o.Advisories, _ = term.Advisories("", id)
	if o.Asset.Kind == exposure.AssetWorkload {
		o.Location.Resource = c.repository()
	}
	if o.Title == "" && id != "" {
		o.Title = strings.TrimSuffix(id+" in "+o.Component.Name, " in ")
	}
	for _, by := range v.Members("cvss") {
		if !by.IsObject() {
			continue
		}
		for _, name := range []string{"V40Vector", "V3Vector", "V2Vector"} {
			o.CVSS = append(o.CVSS, term.Vectors(by.Text(name))...)
		}
	}
	for _, link := range append([]string{v.Text("primaryLink")}, v.Texts("links")...) {
		o.References = append(o.References, term.Links(link)...)
	}
	o.Evidence = c.container()
	r.Weakness(o)
	return nil
}

func pkg(c resource, v record.Value) exposure.Component {
	p := exposure.Component{
		Purl: v.Text("packagePURL", "pkgPURL"), Name: v.Text("resource"), Version: v.Text("installedVersion"), Path: v.Text("packagePath", "pkgPath", "target"), Fixed: v.Text("fixedVersion"),
	}
	if strings.HasPrefix(p.Purl, "pkg:") {
		return p
	}
	p.Purl = ""
	kind := v.Text("packageType")
	switch v.Text("class") {
	case "os-pkgs":
		p.Purl = term.SystemPurl(cmp.Or(c.report.Text("os.family"), kind), p.Name, p.Version)
	case "lang-pkgs":
		p.Purl = term.Purl(kind, p.Name, p.Version)
	}
	return p
}

func secret(r *record.Report, v record.Value) error {
	c := resource{r.Up(1), r.Up(0)}
	o := exposure.Observation{
		Class: classSecret, Asset: c.asset(), Rule: v.Text("ruleID"), Title: v.Text("title"), Severity: term.Severity(v.Text("severity")), CWEs: []int{798}, // use of hard-coded credentials
		Detection: exposure.DetectionStatic, Confidence: sureSecret, Location: exposure.Location{File: term.File(v.Text("target"))},
	}
	c.seen(&o)
	if category := v.Text("category"); category != "" && o.Title != "" {
		o.Title = category + ": " + o.Title
	}
	if o.Asset.Kind == exposure.AssetWorkload {
		o.Location.Resource = c.repository()
	}
	// Trivy writes asterisks over the secret. A match without them may be the
	// secret itself and is not kept.
	if match := v.Text("match"); strings.Contains(match, "***") {
		o.Location.Snippet = match
		o.Evidence = append(o.Evidence, exposure.Evidence{Kind: "match", Text: match})
	}
	o.Evidence = append(o.Evidence, c.container()...)
	r.Weakness(o)
	return nil
}

// rule is the id of a check in its full spelling: KSV014, KSV-0014 and
// AVD-KSV-0014 are one check, as it was called over time and in different kinds
// of report.
func rule(id string) string {
	short := strings.TrimPrefix(strings.ToUpper(id), "AVD-")
	letters := strings.TrimRight(short, "0123456789")
	number := short[len(letters):]
	letters = strings.TrimSuffix(letters, "-")
	if len(letters) != 3 || number == "" || len(number) > 4 || strings.Trim(letters, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") != "" {
		return id
	}
	return "AVD-" + letters + "-" + strings.Repeat("0", 4-len(number)) + number
}

func misconfiguration(class string, v record.Value) exposure.Observation {
	o := exposure.Observation{
		Class: class, Rule: rule(v.Text("checkID", "id")), Title: v.Text("title"), Description: v.Text("description"), Solution: v.Text("remediation"),
		Severity: term.Severity(v.Text("severity")), Detection: exposure.DetectionStatic, Confidence: sureConfig,
	}
	for message := range v.List("messages") {
		if s := message.Text(); s != "" && s != o.Description {
			o.Evidence = append(o.Evidence, exposure.Evidence{Kind: "output", Text: s})
		}
	}
	return o
}

func check(r *record.Report, v record.Value) error {
	if v.Yes("success") {
		return nil
	}
	c := resource{r.Up(1), r.Up(0)}
	o := misconfiguration(c.class(), v)
	o.Asset = c.asset()
	c.seen(&o)
	r.Weakness(o)
	return nil
}

// summary is in every report, so that one without a finding is known too.
func summary(r *record.Report, _ record.Value) error {
	c := resource{r.Up(1), r.Up(0)}
	asset := c.asset()
	switch kind := c.custom.Text("kind"); {
	case asset.IsZero():
	case strings.Contains(kind, "Vulnerability") && asset.Kind == exposure.AssetImage:
		r.Covered(asset, classVuln)
	default:
		r.Inventory(asset, exposure.Component{})
	}
	return nil
}

// component is a part of an image in a list of its components.
func component(r *record.Report, v record.Value) error {
	if kind := v.Text("type"); kind != "library" && kind != "application" && kind != "framework" {
		return nil
	}
	c := resource{r.Up(2), r.Up(1)}
	r.Inventory(c.asset(), exposure.Component{Purl: v.Text("purl"), Name: v.Text("name"), Version: v.Text("version")})
	return nil
}

// compliance is a check of a benchmark on a resource. What passed is one entry
// that names nothing.
func compliance(r *record.Report, v record.Value) error {
	if v.Yes("success") {
		return nil
	}
	result, detail, status := r.Up(0), r.Up(1), r.Up(2)
	o := misconfiguration(classCompliance, v)
	if o.Rule == "" {
		o.Rule = benchmark(detail) + result.Text("id")
	}
	if o.Title == "" {
		o.Title = result.Text("name")
	}
	if o.Severity == exposure.SeverityUnknown {
		o.Severity = term.Severity(result.Text("severity"))
	}
	o.Asset, o.Seen = target(v.Text("target")), status.Time("updateTimestamp")
	if o.Asset.IsZero() {
		o.Location.Resource = v.Text("target")
	}
	if id := result.Text("id"); id != "" {
		text := "control " + id + " of " + detail.Text("title") + ": " + result.Text("name")
		o.Evidence = append(o.Evidence, exposure.Evidence{Kind: "note", Text: text})
	}
	r.Weakness(o)
	return nil
}

// benchmark is the name of a benchmark before the number of a control.
func benchmark(v record.Value) string {
	if id := v.Text("id"); id != "" {
		return id + ":"
	}
	return ""
}

// control is a control of a benchmark that counts where it fails.
func control(r *record.Report, v record.Value) error {
	if v.Int("totalFail", "failTotal") <= 0 {
		return nil
	}
	status := r.Up(1)
	if !status.At("updateTimestamp").Exists() {
		status = r.Up(0)
	}
	id := v.Text("id")
	if id == "" {
		id = v.Text("name")
	}
	r.Weakness(exposure.Observation{
		Class: classCompliance, Rule: benchmark(r.Up(0)) + id, Title: v.Text("name"), Description: v.Text("description"), Severity: term.Severity(v.Text("severity")),
		Detection: exposure.DetectionStatic, Confidence: sureConfig, Seen: status.Time("updateTimestamp"),
	})
	return nil
}
