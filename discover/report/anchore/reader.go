// Package anchore reads the vulnerabilities of an image as Anchore Engine and
// Anchore Enterprise report them: the answer of their API in both versions, the
// output of anchore-cli and AnchoreCTL, and the evaluation that the web
// interface exports.
//
// A report lists what was found in an image, and may be limited to some
// packages or vendors without saying so: it covers nothing.
package anchore

import (
	"context"
	"io"
	"iter"
	"strings"

	"github.com/leeward-ctem/leeward/discover/decode"
	"github.com/leeward-ctem/leeward/discover/record"
	"github.com/leeward-ctem/leeward/discover/term"
	"github.com/leeward-ctem/leeward/exposure"
)

// Reader reads reports of Anchore. See
// https://docs.anchore.com/current/docs/vulnerability_management/images/
type Reader struct{}

// Name implements discover.Reader.
func (Reader) Name() string { return "anchore" }

// Describe implements discover.Described.
func (Reader) Describe() (title, docs string) {
	return "Anchore Engine and Enterprise, AnchoreCTL (JSON)", "https://docs.anchore.com/current/docs/vulnerability_management/images/"
}

// Sniff implements discover.Reader.
func (Reader) Sniff(h *decode.Head) bool {
	for _, at := range []string{"vulnerabilities[]", "[]"} {
		if h.Has(at+".vuln") && (h.Has(at+".feed_group") || h.Has(at+".feedGroup") || h.Has(at+".package_type") || h.Has(at+".packageType")) {
			return true
		}
	}
	digest := h.Has("imageDigest") || h.Has("image_digest")
	return h.Has("metadata.imageDigest", "securityEvaluation") ||
		digest && h.Has("vulnerabilities") && (h.Has("vulnerability_type") || h.Has("vulnerabilityType"))
}

// Read implements discover.Reader.
func (Reader) Read(ctx context.Context, r io.Reader) iter.Seq2[exposure.Observation, error] {
	return record.Spec{
		Tool: "anchore", Exact: true, Hold: 64 << 20,
		About:   func(top record.Value, run *exposure.Run) { run.Finished = top.Time("metadata.timestamp") },
		Records: map[string]record.Handler{"vulnerabilities[]": vulnerability, "[]": vulnerability, "securityEvaluation[]": evaluated},
	}.Read(ctx, r)
}

// image is the image of the report, as far as it is named.
func image(top record.Value) exposure.AssetRef {
	ref := exposure.AssetRef{Kind: exposure.AssetImage}
	name := top.Text("imageFullTag", "image_full_tag", "fulltag", "full_tag")
	if repository := top.Text("metadata.repository"); name == "" && repository != "" {
		name = strings.Trim(top.Text("metadata.registry")+"/"+repository, "/")
		if tag := top.Text("metadata.tag"); tag != "" {
			name += ":" + tag
		}
	}
	if name != "" {
		term.AddImage(&ref, name)
	}
	ref.Add(exposure.IDDigest, top.Text("image_digest", "imageDigest", "metadata.imageDigest"))
	if len(ref.Identifiers) == 0 {
		return exposure.AssetRef{}
	}
	return ref
}

// said is a text, unless it is the word for none.
func said(v record.Value, paths ...string) string {
	for _, p := range paths {
		if s := v.Text(p); !term.Nothing(s) {
			return s
		}
	}
	return ""
}

func vulnerability(r *record.Report, v record.Value) error {
	id := v.Text("vuln")
	system := said(v, "feed_group", "feedGroup")
	o := exposure.Observation{
		Class: "vuln", Asset: image(r.Top()), Rule: id, Title: id, Detection: exposure.DetectionAuthenticated, Confidence: sure,
		Severity: term.Severity(v.Text("severity")), Description: said(v, "description", "extra.description"),
		References: term.Links(v.Text("url") + " " + v.Text("extra.link")), Seen: v.Time("detected_at", "detectedAt"),
		Component: exposure.Component{
			Name: said(v, "package_name", "packageName"), Version: said(v, "package_version", "packageVersion"), Path: said(v, "package_path", "packagePath"),
			Fixed: said(v, "fix"),
		},
	}
	if o.Component.Name == "" {
		o.Component.Name, o.Component.Version = split(v.Text("package"), v.Text("package_type", "packageType"))
	}
	if o.Component.Name != "" && id != "" {
		o.Title = id + " in " + o.Component.Name
	}
	o.Component.Purl = purl(system, v.Text("package_type", "packageType"), o.Component.Name, o.Component.Version)
	ids := []string{id}
	for _, list := range []string{"nvd_data", "nvdData"} {
		for nvd := range v.List(list) {
			ids = append(ids, nvd.Text("id"))
		}
	}
	o.Advisories, _ = term.Advisories("", strings.Join(ids, " "))
	o.Aliased = term.Aliased(o.Advisories)
	for _, list := range []string{"extra.nvd_data", "extra.vendor_data", "nvd_data", "vendor_data", "nvdData", "vendorData"} {
		for d := range v.List(list) {
			for _, part := range []string{"cvss_v3", "cvss_v2", "cvssV3", "cvssV2"} {
				o.CVSS = append(o.CVSS, term.Vectors(d.Text(part+".vector_string", part+".vector", part+".vectorString"))...)
			}
		}
	}
	if v.Yes("will_not_fix", "willNotFix") {
		o.Evidence = append(o.Evidence, exposure.Evidence{Kind: "note", Text: "the vendor will not fix it"})
	}
	if v.Yes("inherited_from_base", "inheritedFromBase") {
		o.Evidence = append(o.Evidence, exposure.Evidence{Kind: "note", Text: "it comes from the base image"})
	}
	r.Weakness(o)
	return nil
}

// sure is the certainty of a match with an advisory on the scale of OpenVAS.
const sure = 97

// evaluated is a row of the evaluation that the web interface exports.
func evaluated(r *record.Report, v record.Value) error {
	id := v.Text("vulnerabilityId")
	name, version := split(v.Text("package"), v.Text("packageType"))
	o := exposure.Observation{
		Class: "vuln", Asset: image(r.Top()), Rule: id, Title: id, Detection: exposure.DetectionAuthenticated, Confidence: sure,
		Severity: term.Severity(v.Text("severity")), References: term.Links(v.Text("link")),
		Component: exposure.Component{Name: name, Version: version, Path: said(v, "path"), Fixed: strings.Join(strings.FieldsFunc(said(v, "fixAvailable"), term.Between), ", ")},
	}
	if name != "" && id != "" {
		o.Title = id + " in " + name
	}
	o.Component.Purl = purl("", v.Text("packageType"), name, version)
	o.Advisories, _ = term.Advisories("", id+" "+strings.Join(v.Texts("cves"), " "))
	o.Aliased = term.Aliased(o.Advisories)
	r.Weakness(o)
	return nil
}

// purl is the package URL. Of a package in Java Anchore knows no group, without
// which it would name another; of one of a system it says which.
func purl(system, kind, name, version string) string {
	if p := term.SystemPurl(system, name, version); p != "" {
		return p
	}
	switch strings.ToLower(kind) {
	case "rpm", "dpkg", "deb", "apkg", "apk", "java", "maven":
		return ""
	}
	return term.Purl(kind, name, version)
}

// split takes a name with its version apart. Of an RPM both the version and the
// release follow the name; of others what begins with a digit.
func split(pkg, kind string) (name, version string) {
	if strings.EqualFold(kind, "rpm") {
		if i := strings.LastIndexByte(pkg, '-'); i > 0 {
			if i = strings.LastIndexByte(pkg[:i], '-'); i > 0 {
				return pkg[:i], pkg[i+1:]
			}
		}
		return pkg, ""
	}
	for i := 1; i+1 < len(pkg); i++ {
		if pkg[i] == '-' && pkg[i+1] >= '0' && pkg[i+1] <= '9' {
			return pkg[:i], pkg[i+1:]
		}
	}
	return pkg, ""
}
