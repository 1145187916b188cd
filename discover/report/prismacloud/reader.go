// Package prismacloud reads the scans of Prisma Cloud Compute, which was
// Twistlock: the results of twistcli in JSON, what the API of its console says
// of images, hosts, registries and builds, and the tables that the console
// exports.
//
// # Coverage
//
// A result counts its vulnerabilities and compliance issues by severity. It
// covers what was scanned for those of which it lists as many as it counts.
package prismacloud

import (
	"cmp"
	"context"
	"io"
	"iter"
	"strings"

	"github.com/leeward-ctem/leeward/discover/decode"
	"github.com/leeward-ctem/leeward/discover/record"
	"github.com/leeward-ctem/leeward/discover/term"
	"github.com/leeward-ctem/leeward/exposure"
)

// Reader reads scans of Prisma Cloud. See
// https://docs.prismacloud.io/en/compute-edition/32/admin-guide/tools/twistcli-scan-images
type Reader struct{}

// Name implements discover.Reader.
func (Reader) Name() string { return "prisma-cloud" }

// Describe implements discover.Described.
func (Reader) Describe() (title, docs string) {
	return "Prisma Cloud Compute, Twistlock (JSON, CSV)", "https://docs.prismacloud.io/en/compute-edition/32/admin-guide/tools/twistcli-scan-images"
}

// header are columns that only the exports have.
func header() []string { return []string{"CVE ID", "Compliance ID", "Severity", "Packages"} }

// Sniff implements discover.Reader.
func (Reader) Sniff(h *decode.Head) bool {
	if h.HasRow(header()...) {
		return true
	}
	for _, at := range []string{"results[]", "[]", "[].entityInfo"} {
		if h.Has(at+".vulnerabilityDistribution") || h.Has(at+".complianceDistribution") || h.Has(at+".vulnerabilities[].packageName", at+".vulnerabilities[].packageVersion") {
			return true
		}
	}
	return h.Has("results[].complianceScanPassed") || h.Has("results[].vulnerabilityScanPassed") || h.Has("results", "consoleURL") || h.Has("results[].distro", "results[].id")
}

// The classes of check.
const (
	classVuln   = "vuln"
	classConfig = "misconfig"
)

// Read implements discover.Reader.
func (Reader) Read(ctx context.Context, r io.Reader) iter.Seq2[exposure.Observation, error] {
	t := tally{counted: map[string]*count{}}
	records := map[string]record.Handler{"row": row}
	for _, at := range []string{"results[].", "[].", "[].entityInfo."} {
		records[at+"vulnerabilities[]"] = t.vulnerability
		records[at+"compliances[]"] = t.compliance
		records[at+"complianceIssues[]"] = t.compliance
		records[at+"vulnerabilityDistribution"] = t.total(classVuln)
		records[at+"complianceDistribution"] = t.total(classConfig)
	}
	return record.Spec{Tool: "prisma-cloud", Exact: true, Hold: 64 << 20, Apart: true, Header: header(), Records: records, End: t.covered}.Read(ctx, r)
}

// tally compares how many issues are listed with how many there are.
type tally struct {
	counted map[string]*count
	order   []*count
}

// count is of one class and asset.
type count struct {
	class         string
	asset         exposure.AssetRef
	listed, total int
	known         bool // the total was stated
}

// maxCounted bounds the assets of a report that are counted.
const maxCounted = 100_000

func (t *tally) of(class string, asset exposure.AssetRef) *count {
	key := class + "\x00" + asset.Key()
	if c := t.counted[key]; c != nil {
		return c
	}
	c := &count{class: class, asset: asset}
	if len(t.counted) < maxCounted {
		t.counted[key] = c
		t.order = append(t.order, c)
	}
	return c
}

func (t *tally) total(class string) record.Handler {
	return func(r *record.Report, v record.Value) error {
		if v.IsObject() {
			c := t.of(class, asset(r.Up(0)))
			c.total, c.known = c.total+v.Int("total"), true
		}
		return nil
	}
}

func (t *tally) covered(r *record.Report) {
	for _, c := range t.order {
		if c.known && c.listed == c.total && !c.asset.IsZero() {
			r.Covered(c.asset, c.class)
		}
	}
}

// asset is what was scanned.
func asset(v record.Value) exposure.AssetRef {
	ref := exposure.AssetRef{Kind: exposure.AssetImage}
	host := v.Text("hostname")
	if kind := strings.ToLower(v.Text("type")); kind == "host" || kind == "" && host != "" && v.Text("name") == "" && v.Text("repoTag.repo") == "" {
		ref.Kind = exposure.AssetHost
		ref.Add(exposure.IDHostname, cmp.Or(host, v.Text("_id")))
		ref.Add(exposure.IDCloud, v.Text("cloudMetadata.resourceID"))
	} else {
		if repo := v.Text("repoTag.repo"); repo != "" {
			image(&ref, v.Text("repoTag.registry"), repo, v.Text("repoTag.tag"))
		} else if name := v.Text("name", "imageName"); name != "" {
			term.AddImage(&ref, name)
		}
		for tag := range v.List("tags") {
			if tag.IsObject() {
				image(&ref, tag.Text("registry"), tag.Text("repo"), tag.Text("tag"))
			}
		}
		for _, name := range v.Texts("repoDigests") {
			_, digest, _ := strings.Cut(name, "@")
			ref.Add(exposure.IDDigest, digest)
		}
		for _, digest := range []string{v.Text("digest"), v.Text("id")} {
			if strings.HasPrefix(digest, "sha256:") {
				ref.Add(exposure.IDDigest, digest)
			}
		}
	}
	if len(ref.Identifiers) == 0 {
		return exposure.AssetRef{}
	}
	ref.OS = v.Text("distro", "osDistro")
	return ref
}

func image(ref *exposure.AssetRef, registry, repository, tag string) {
	if repository == "" {
		return
	}
	name := strings.Trim(registry+"/"+repository, "/")
	if tag == "" {
		ref.Name = name // holds many images
		return
	}
	ref.Add(exposure.IDImage, name+":"+tag)
}

// sure is the certainty of a match with an advisory on the scale of OpenVAS.
const sure = 97

func (t *tally) vulnerability(r *record.Report, v record.Value) error {
	result := r.Up(0)
	id := v.Text("cve")
	if id == "" {
		id = v.Text("id")
	}
	o := exposure.Observation{
		Class: classVuln, Asset: asset(result), Rule: id, Title: id, Description: term.Plain(v.Text("description")), Severity: term.Severity(v.Text("severity")),
		Detection: exposure.DetectionAuthenticated, Confidence: sure, CVSS: term.Vectors(v.Text("vector", "vecStr")), References: term.Links(v.Text("link")),
		Seen: result.Time("scanTime", "time"),
	}
	t.of(classVuln, o.Asset).listed++
	o.Advisories, _ = term.Advisories("", id)
	o.Component = component(v.Text("packageName"), v.Text("packageVersion"), v.Text("packageType"), o.Asset.OS)
	o.Component.Path = v.Text("packagePath")
	name(&o)
	status(&o, v.Text("status"))
	for _, s := range []string{v.Text("layerInstruction"), v.Text("functionLayer")} {
		note(&o, "image layer: ", s)
	}
	r.Weakness(o)
	return nil
}

// name makes the title of a vulnerability.
func name(o *exposure.Observation) {
	if o.Component.Name != "" && o.Rule != "" {
		pkg, _, _ := strings.Cut(o.Component.Name, " (")
		o.Title = o.Rule + " in " + pkg
	}
}

func note(o *exposure.Observation, what, s string) {
	if s != "" {
		o.Evidence = append(o.Evidence, exposure.Evidence{Kind: "note", Text: what + s})
	}
}

// status says in which versions it is fixed, or what the vendor thinks of it.
func status(o *exposure.Observation, s string) {
	if len(s) > len("fixed in ") && strings.EqualFold(s[:len("fixed in ")], "fixed in ") {
		o.Component.Fixed = strings.TrimSpace(s[len("fixed in "):])
		return
	}
	note(o, "status of the vendor: ", s)
}

// component is a package. That of a system is named by its source, with the
// packages made of it in brackets; those of Java have an underscore for a colon.
func component(pkg, version, kind, system string) exposure.Component {
	c := exposure.Component{Name: pkg, Version: version}
	bare, _, source := strings.Cut(pkg, " (used in ")
	if strings.Contains(bare, ",") {
		return c // several, and none of them is the package
	}
	switch strings.ToLower(kind) {
	case "os", "package":
		c.Purl = term.SystemPurl(system, bare, version)
	case "jar", "java", "maven":
		if group, artifact, ok := strings.Cut(bare, "_"); ok && strings.Contains(group, ".") {
			c.Purl = term.Purl("maven", group+":"+artifact, version)
		}
	case "":
		if source {
			c.Purl = term.SystemPurl(system, bare, version)
		}
	default:
		c.Purl = term.Purl(kind, bare, version)
	}
	if c.Purl == "" {
		c.Name = bare // which is identity then
	}
	return c
}

func (t *tally) compliance(r *record.Report, v record.Value) error {
	result := r.Up(0)
	o := exposure.Observation{
		Class: classConfig, Asset: asset(result), Rule: v.Text("id"), Title: v.Text("title"), Description: term.Plain(v.Text("description")),
		Severity: term.Severity(v.Text("severity")), Detection: exposure.DetectionAuthenticated, Seen: result.Time("scanTime", "time"), References: term.Links(v.Text("link")),
	}
	t.of(classConfig, o.Asset).listed++
	if o.Rule == "" || o.Rule == "0" {
		o.Rule = check(o.Title)
	}
	if cause := v.Text("cause"); cause != "" {
		o.Evidence = []exposure.Evidence{{Kind: "output", Text: cause}}
	}
	r.Weakness(o)
	return nil
}

// check is the name of a check that has no number: its title, without the
// edition of the benchmark in brackets before it.
func check(title string) string {
	if rest, ok := strings.CutPrefix(title, "("); ok {
		if _, after, ok := strings.Cut(rest, ") "); ok {
			return strings.TrimSpace(after)
		}
	}
	return title
}

// row is a row of an export.
func row(r *record.Report, v record.Value) error {
	if strings.EqualFold(v.Text("Result"), "pass") {
		return nil
	}
	o := exposure.Observation{
		Asset: rowAsset(v), Description: v.Text("Description"), Severity: term.Severity(v.Text("Severity")), Detection: exposure.DetectionAuthenticated,
		References: term.Links(v.Text("Vulnerability Link")), Seen: v.Time("Scan Time"),
	}
	id := v.Text("CVE ID")
	if id == "" {
		o.Class, o.Rule, o.Title = classConfig, v.Text("Compliance ID"), term.OneLine(o.Description)
		if o.Rule == "" {
			o.Rule = check(o.Title)
		}
		if cause := v.Text("Cause"); cause != "" {
			o.Evidence = []exposure.Evidence{{Kind: "output", Text: cause}}
		}
		r.Weakness(o)
		return nil
	}
	o.Class, o.Rule, o.Title, o.Confidence = classVuln, id, id, sure
	o.Advisories, _ = term.Advisories("", id)
	o.Component = component(v.Text("Packages"), v.Text("Package Version"), v.Text("Type"), o.Asset.OS)
	if source := v.Text("Source Package"); source != "" { // of which several packages are made
		o.Component.Purl = component(source, o.Component.Version, v.Text("Type"), o.Asset.OS).Purl
	}
	o.Component.License, o.Component.Path = v.Text("Package License"), v.Text("Package Path", "Path")
	name(&o)
	status(&o, v.Text("Fix Status"))
	r.Weakness(o)
	return nil
}

func rowAsset(v record.Value) exposure.AssetRef {
	ref := exposure.AssetRef{Kind: exposure.AssetImage}
	if repository := v.Text("Repository"); repository != "" {
		image(&ref, v.Text("Registry"), repository, v.Text("Tag"))
	} else if host := v.Text("Hostname", "Host", "VM Name"); host != "" {
		ref.Kind = exposure.AssetHost
		ref.Add(exposure.IDHostname, host)
	} else if function := v.Text("Function", "Function Name"); function != "" {
		ref.Kind = exposure.AssetCloudResource
		ref.Add(exposure.IDName, function)
	}
	for _, digest := range []string{v.Text("Digest"), v.Text("Id"), v.Text("Image ID")} {
		if strings.HasPrefix(digest, "sha256:") {
			ref.Add(exposure.IDDigest, digest)
		}
	}
	if len(ref.Identifiers) == 0 {
		return exposure.AssetRef{}
	}
	ref.OS = v.Text("Distro")
	return ref
}
