// Package inspector reads the findings of Amazon Inspector (version 2): the
// answer of its API, which is the output of "aws inspector2 list-findings", and
// the reports that it exports as JSON and CSV.
//
// A finding that names several packages is one weakness of each, because each is
// a component of its own. Findings are listed by filters that leave no trace, so
// a report covers nothing; what is closed is listed as such.
package inspector

import (
	"cmp"
	"context"
	"io"
	"iter"
	"strconv"
	"strings"

	"github.com/leeward-ctem/leeward/discover/decode"
	"github.com/leeward-ctem/leeward/discover/record"
	"github.com/leeward-ctem/leeward/discover/term"
	"github.com/leeward-ctem/leeward/exposure"
)

// Reader reads findings of Amazon Inspector. See
// https://docs.aws.amazon.com/inspector/v2/APIReference/API_Finding.html
type Reader struct{}

// Name implements discover.Reader.
func (Reader) Name() string { return "aws-inspector" }

// Describe implements discover.Described.
func (Reader) Describe() (title, docs string) {
	return "Amazon Inspector findings (JSON, CSV)", "https://docs.aws.amazon.com/inspector/v2/APIReference/API_Finding.html"
}

// header are columns that only the export has.
func header() []string { return []string{"Finding ARN", "Resource ID", "Vulnerability Id"} }

// Sniff implements discover.Reader. An empty list of findings could be
// anyone's; it is taken as the AWS CLI writes it.
func (Reader) Sniff(h *decode.Head) bool {
	if h.HasRow(header()...) {
		return true
	}
	if h.Has("findings[]") {
		return strings.Contains(h.Text("findings[].findingArn"), ":inspector2:") || h.Has("findings[].awsAccountId", "findings[].resources[].type", "findings[].status")
	}
	return strings.TrimSpace(string(h.Bytes())) == "{\n    \"findings\": []\n}"
}

// Read implements discover.Reader.
func (Reader) Read(ctx context.Context, r io.Reader) iter.Seq2[exposure.Observation, error] {
	return record.Spec{
		Tool: "aws-inspector", Header: header(), Records: map[string]record.Handler{"findings[]": finding, "row": row},
	}.Read(ctx, r)
}

func state(word string) exposure.State {
	switch strings.ToUpper(word) {
	case "SUPPRESSED":
		return exposure.StateSuppressed
	case "CLOSED":
		return exposure.StateFixed
	}
	return exposure.StatePresent
}

// given is a text, unless it is one of the words of Inspector for none.
func given(s string) string {
	if term.Nothing(s) || strings.EqualFold(s, "NotAvailable") || strings.EqualFold(s, "None Provided") {
		return ""
	}
	return s
}

func finding(r *record.Report, v record.Value) error {
	o := exposure.Observation{
		State: state(v.Text("status")), Title: v.Text("title"), Description: v.Text("description"), Severity: term.Severity(v.Text("severity")),
		Detection: exposure.DetectionAuthenticated, Solution: given(v.Text("remediation.recommendation.text")), Seen: v.Time("lastObservedAt", "updatedAt"),
		References: term.Links(v.Text("remediation.recommendation.Url", "remediation.recommendation.url")),
	}
	for resource := range v.List("resources") {
		o.Asset = asset(v.Text("awsAccountId"), resource)
		place(r, v, resource, o)
	}
	if !v.At("resources.id").Exists() {
		place(r, v, record.Value{}, o)
	}
	return nil
}

// place states what a finding says of one resource.
func place(r *record.Report, v, resource record.Value, o exposure.Observation) {
	switch v.Text("type") {
	case "NETWORK_REACHABILITY":
		network(r, v.At("networkReachabilityDetails"), o)
	case "CODE_VULNERABILITY":
		code(r, v.At("codeVulnerabilityDetails"), o)
	default:
		packages(r, v, platform(resource), o)
	}
}

func platform(resource record.Value) string {
	for _, detail := range resource.Members("details") {
		if !detail.IsObject() {
			continue
		}
		if s := detail.Text("platform"); s != "" {
			return s
		}
	}
	return ""
}

// asset is the resource that a finding is about.
func asset(account string, resource record.Value) exposure.AssetRef {
	d := resource.At("details")
	in := location{partition: cmp.Or(resource.Text("partition"), "aws"), region: resource.Text("region"), account: account}
	ref := in.asset(resource.Text("id"), append(d.Texts("awsEcrContainerImage.imageTags"), d.Texts("ecrContainerImage.imageTags")...))
	ref.Add(exposure.IDDigest, d.Text("awsEcrContainerImage.imageHash"))
	for _, list := range []string{"awsEc2Instance.ipV4Addresses", "awsEc2Instance.ipV6Addresses"} {
		for _, ip := range d.Texts(list) {
			ref.Add(exposure.IDIP, ip)
		}
	}
	ref.Name = cmp.Or(d.Text("awsLambdaFunction.functionName"), d.Text("codeRepository.projectName"), resource.At("tags").Member("Name").Text(), ref.Name)
	ref.OS = platform(resource)
	if len(ref.Identifiers) == 0 {
		return exposure.AssetRef{}
	}
	return ref
}

// location is where in AWS a resource is.
type location struct{ partition, region, account string }

// asset is the resource of an id: the ARN of all but instances.
func (l location) asset(id string, tags []string) exposure.AssetRef {
	ref := exposure.AssetRef{Kind: exposure.AssetCloudResource}
	parts := strings.Split(id, ":")
	switch {
	case strings.HasPrefix(id, "i-"):
		ref.Kind = exposure.AssetHost
		if l.region != "" && l.account != "" {
			ref.Add(exposure.IDCloud, "arn:"+l.partition+":ec2:"+l.region+":"+l.account+":instance/"+id)
		}
		ref.Add(exposure.IDCloud, id)
	case len(parts) >= 7 && parts[2] == "ecr":
		repository, _, _ := strings.Cut(strings.TrimPrefix(strings.Join(parts[5:], ":"), "repository/"), "/sha256:")
		ref.Kind = exposure.AssetImage
		ref.Add(exposure.IDCloud, id)
		ref.Add(exposure.IDDigest, "sha256:"+parts[6])
		if len(tags) == 0 {
			ref.Name = repository
		}
		domain := "amazonaws.com"
		if parts[1] == "aws-cn" {
			domain += ".cn"
		}
		for _, tag := range tags {
			if given(tag) != "" {
				ref.Add(exposure.IDImage, parts[4]+".dkr.ecr."+parts[3]+"."+domain+"/"+repository+":"+tag)
			}
		}
	case len(parts) >= 8 && parts[2] == "lambda":
		ref.Add(exposure.IDCloud, strings.Join(parts[:7], ":")) // without the version
		ref.Name = parts[6]
	case strings.HasPrefix(id, "arn:"):
		ref.Add(exposure.IDCloud, id)
	default:
		ref.Add(exposure.IDName, id)
	}
	return ref
}

// How sure the kinds of finding are, on the scale of OpenVAS.
const (
	surePackage = 97
	sureRoute   = 80 // the configuration of the network
	sureCode    = 70
)

func packages(r *record.Report, v record.Value, system string, o exposure.Observation) {
	d := v.At("packageVulnerabilityDetails")
	id := d.Text("vulnerabilityId")
	o.Class, o.Rule, o.Confidence = "vuln", id, surePackage
	o.Advisories, _ = term.Advisories("", id+" "+strings.Join(d.Texts("relatedVulnerabilities"), " "))
	o.Aliased = term.Aliased(o.Advisories)
	for score := range d.List("cvss") {
		o.CVSS = append(o.CVSS, term.Vectors(score.Text("scoringVector"))...)
	}
	if len(o.CVSS) == 0 {
		o.CVSS = term.Vectors(v.Text("inspectorScoreDetails.adjustedCvss.scoringVector"))
	}
	for _, link := range append([]string{d.Text("sourceUrl")}, d.Texts("referenceUrls")...) {
		o.References = append(o.References, term.Links(link)...)
	}
	if word := given(d.Text("vendorSeverity")); word != "" {
		o.Evidence = append(o.Evidence, exposure.Evidence{Kind: "note", Text: "severity of the vendor: " + word})
	}
	if v.Text("exploitAvailable") == "YES" {
		o.Evidence = append(o.Evidence, exposure.Evidence{Kind: "note", Text: "an exploit is known"})
	}
	said := map[string]bool{}
	for p := range d.List("vulnerablePackages") {
		one := o
		one.Component = component(p, system)
		if said[one.Component.Name] {
			continue // for another architecture or in another layer
		}
		said[one.Component.Name] = true
		if fix := given(p.Text("remediation")); fix != "" && o.Solution == "" {
			one.Solution = fix
		}
		if layer := p.Text("sourceLayerHash", "sourceLambdaLayerArn"); layer != "" {
			one.Evidence = append(one.Evidence[:len(one.Evidence):len(one.Evidence)], exposure.Evidence{Kind: "note", Text: "layer " + layer})
		}
		r.Weakness(one)
	}
	if len(said) == 0 {
		r.Weakness(o)
	}
}

func component(p record.Value, system string) exposure.Component {
	c := exposure.Component{
		Name: p.Text("name"), Version: p.Text("version"), Path: p.Text("filePath"), Fixed: given(p.Text("fixedInVersion")),
	}
	full := c.Version
	if release := p.Text("release"); release != "" && full != "" {
		full += "-" + release
	}
	if epoch := p.Text("epoch"); epoch != "" && epoch != "0" && full != "" {
		full = epoch + ":" + full
	}
	c.Purl = purl(p.Text("packageManager"), system, c.Name, full)
	return c
}

func purl(manager, system, name, version string) string {
	if strings.EqualFold(manager, "OS") || manager == "" {
		return term.SystemPurl(system, name, version)
	}
	return term.Purl(manager, name, version)
}

func network(r *record.Report, d record.Value, o exposure.Observation) {
	o.Class, o.Rule, o.Confidence, o.Detection = "network", "NETWORK_REACHABILITY", sureRoute, exposure.DetectionStatic
	o.Location.Protocol = strings.ToLower(d.Text("protocol"))
	first, last := d.Int("openPortRange.begin"), d.Int("openPortRange.end")
	o.Location.Port = term.Port(d.Text("openPortRange.begin"))
	if last > first {
		o.Evidence = append(o.Evidence, exposure.Evidence{Kind: "note", Text: "ports " + strconv.Itoa(first) + " to " + strconv.Itoa(last)})
	}
	var steps []string
	for s := range d.List("networkPath.steps") {
		if id := s.Text("componentId"); id != "" {
			steps = append(steps, strings.TrimSpace(s.Text("componentType")+" "+id))
		}
	}
	if len(steps) > 0 {
		o.Evidence = append(o.Evidence, exposure.Evidence{Kind: "path", Text: strings.Join(steps, "\n")})
	}
	r.Weakness(o)
}

func code(r *record.Report, d record.Value, o exposure.Observation) {
	o.Class, o.Confidence, o.Detection = "code", sureCode, exposure.DetectionStatic
	o.Rule = d.Text("ruleId", "detectorId", "detectorName")
	o.CWEs = term.CWEs(strings.Join(d.Texts("cwes"), " "))
	o.Location.File = term.File(d.Text("filePath.filePath", "filePath.fileName"))
	o.Location.Line = d.Int("filePath.startLine")
	for _, link := range d.Texts("referenceUrls") {
		o.References = append(o.References, term.Links(link)...)
	}
	if name := d.Text("detectorName"); name != "" {
		o.Evidence = append(o.Evidence, exposure.Evidence{Kind: "note", Text: "detector " + name})
	}
	r.Weakness(o)
}

// row is a row of the export.
func row(r *record.Report, v record.Value) error {
	in := location{partition: "aws", region: v.Text("Region"), account: v.Text("AWS Account ID")}
	o := exposure.Observation{
		Class: "vuln", State: state(v.Text("Status")), Asset: in.asset(v.Text("Resource ID"), list(v.Text("Container Image Tags"))), Rule: v.Text("Vulnerability Id"),
		Title: v.Text("Title"), Description: v.Text("Description"), Severity: term.Severity(v.Text("Severity")), Detection: exposure.DetectionAuthenticated, Confidence: surePackage,
		Solution: cmp.Or(given(v.Text("Remediation")), given(v.Text("Package Remediation"))), Seen: v.Time("Last Seen", "Last Updated"), References: term.Links(v.Text("Reference Urls")),
	}
	system := v.Text("Platform")
	o.Asset.OS = system
	for _, ip := range append(list(v.Text("Resource Public Ipv4")), append(list(v.Text("Resource Private Ipv4")), list(v.Text("Resource Ipv6"))...)...) {
		o.Asset.Add(exposure.IDIP, ip)
	}
	if len(o.Asset.Identifiers) == 0 {
		o.Asset = exposure.AssetRef{}
	}
	o.Advisories, _ = term.Advisories("", o.Rule)
	for _, name := range []string{"NVD CVSS3 Vector", "NVD CVSS2 Vector", "Vendor CVSS3 Vector", "Vendor CVSS2 Vector"} {
		o.CVSS = append(o.CVSS, term.Vectors(v.Text(name))...)
	}
	switch kind := strings.ToUpper(strings.ReplaceAll(v.Text("Finding Type"), " ", "_")); {
	case strings.HasPrefix(kind, "NETWORK"):
		o.Class, o.Rule, o.Confidence, o.Detection = "network", "NETWORK_REACHABILITY", sureRoute, exposure.DetectionStatic
		first, _, _ := strings.Cut(v.Text("Port Range"), "-")
		o.Location.Port = term.Port(strings.TrimSpace(first))
		r.Weakness(o)
		return nil
	case strings.HasPrefix(kind, "CODE"):
		o.Class, o.Confidence, o.Detection = "code", sureCode, exposure.DetectionStatic
		o.Rule = cmp.Or(given(o.Rule), v.Text("Detector Name"))
		o.Location.File = term.File(given(v.Text("File Path")))
		r.Weakness(o)
		return nil
	}
	names, versions, fixed := list(v.Text("Affected Packages")), list(v.Text("Package Installed Version")), list(v.Text("Fixed in Version"))
	paths, managers := list(v.Text("File Path")), list(v.Text("Package Manager"))
	said := map[string]bool{}
	for i, name := range names {
		if said[name] {
			continue
		}
		said[name] = true
		o.Component = exposure.Component{Name: name, Version: nth(versions, i, len(names)), Fixed: nth(fixed, i, len(names)), Path: nth(paths, i, len(names))}
		o.Component.Purl = purl(nth(managers, i, len(names)), system, name, o.Component.Version)
		r.Weakness(o)
	}
	if len(names) == 0 {
		r.Weakness(o)
	}
	return nil
}

// list are the values in a cell.
func list(s string) (all []string) {
	for part := range strings.SplitSeq(s, ",") {
		if part = given(strings.TrimSpace(part)); part != "" {
			all = append(all, part)
		}
	}
	return all
}

// nth is the value of the i-th of n names, when there is one of each or one of all.
func nth(all []string, i, n int) string {
	switch {
	case len(all) == n:
		return all[i]
	case len(all) == 1:
		return all[0]
	}
	return ""
}
