// Package wiz reads the tables that Wiz exports: reports of issues and of
// vulnerabilities.
//
// They list what was found, or a selection of it, so they cover nothing.
package wiz

import (
	"cmp"
	"context"
	"io"
	"iter"
	"path"
	"strings"

	"github.com/leeward-ctem/leeward/discover/decode"
	"github.com/leeward-ctem/leeward/discover/record"
	"github.com/leeward-ctem/leeward/discover/term"
	"github.com/leeward-ctem/leeward/exposure"
)

// Reader reads reports of Wiz. See
// https://docs.wiz.io/docs/reports
type Reader struct{}

// Name implements discover.Reader.
func (Reader) Name() string { return "wiz" }

// Describe implements discover.Described.
func (Reader) Describe() (title, docs string) {
	return "Wiz issues and vulnerabilities (CSV)", "https://docs.wiz.io/docs/reports"
}

func issues() []string          { return []string{"Title", "Severity", "Status", "Resource external ID"} }
func vulnerabilities() []string { return []string{"Name", "FindingStatus", "DetailedName"} }

// Sniff implements discover.Reader.
func (Reader) Sniff(h *decode.Head) bool {
	return h.HasRow(issues()...) || h.HasRow(vulnerabilities()...)
}

// Read implements discover.Reader.
func (Reader) Read(ctx context.Context, r io.Reader) iter.Seq2[exposure.Observation, error] {
	h, r := decode.Peek(r)
	spec := record.Spec{Tool: "wiz", Header: issues(), Records: map[string]record.Handler{"row": issue}}
	if h.HasRow(vulnerabilities()...) {
		spec.Header, spec.Records = vulnerabilities(), map[string]record.Handler{"row": vulnerability}
	}
	return spec.Read(ctx, r)
}

// issue is what a control of Wiz found: a wrong setting, or several things that
// are dangerous together.
func issue(r *record.Report, v record.Value) error {
	o := exposure.Observation{
		Class: "misconfig", Rule: v.Text("Control ID", "Title"), Title: v.Text("Title"), Severity: term.Severity(v.Text("Severity")),
		State: state(v.Text("Status"), v.Text("Resolution")), Description: term.Plain(v.Text("Description")), Solution: term.Plain(v.Text("Remediation Recommendation")),
		Detection: exposure.DetectionAuthenticated, References: links(v, "Wiz URL", "Cloud Provider URL", "Ticket URLs"),
	}
	o.Asset = resource{
		kind: v.Text("Resource Type"), id: v.Text("Resource external ID"), subscription: v.Text("Subscription ID"), vertex: v.Text("Resource vertex ID"),
		name: v.Text("Resource Name"), os: v.Text("Resource OS"), cluster: v.Text("Kubernetes Cluster"), namespace: v.Text("Kubernetes Namespace"),
	}.asset()
	for _, n := range [][2]string{{"Note", ""}, {"Resolution", "Resolution: "}, {"Resource Status", "Status of the resource: "}, {"Resource Region", "Region: "}} {
		if text := v.Text(n[0]); text != "" {
			o.Evidence = append(o.Evidence, exposure.Evidence{Kind: "note", Text: n[1] + text})
		}
	}
	r.Weakness(o)
	return nil
}

// vulnerability is one of software on a resource.
func vulnerability(r *record.Report, v record.Value) error {
	id := v.Text("Name")
	o := exposure.Observation{
		Class: "vuln", Rule: id, Severity: term.Severity(v.Text("Severity", "VendorSeverity", "CVSSSeverity", "NvdSeverity")),
		State: state(v.Text("FindingStatus"), v.Text("ResolutionReason")), Description: term.Plain(v.Text("CVEDescription", "Description")), Solution: term.Plain(v.Text("Remediation")),
		Component: exposure.Component{Name: v.Text("DetailedName"), Version: v.Text("Version"), Fixed: v.Text("FixedVersion"), Path: v.Text("LocationPath")},
		Detection: exposure.DetectionAuthenticated, References: links(v, "WizURL", "Link", "CloudProviderURL"), Seen: v.Time("LastDetected"),
	}
	o.Advisories, _ = term.Advisories("", id)
	if o.State == exposure.StateFixed {
		o.Seen = v.Time("ResolvedAt") // it was last detected before
	}
	if id != "" {
		o.Title = strings.TrimSuffix(id+" in "+o.Component.Name, " in ")
	}
	o.Asset = resource{
		kind: v.Text("AssetType"), id: v.Text("ProviderUniqueId"), subscription: v.Text("SubscriptionExternalId"), vertex: v.Text("AssetID"),
		name: v.Text("AssetName"), os: v.Text("OperatingSystem"),
	}.asset()
	if !o.Asset.IsZero() {
		for ip := range strings.FieldsFuncSeq(v.Text("IpAddresses"), func(c rune) bool { return term.Between(c) || strings.ContainsRune(`[]"`, c) }) {
			o.Asset.Add(exposure.IDIP, ip)
		}
	}
	for _, n := range [][2]string{{"DetectionMethod", "Detected by: "}, {"ResolutionReason", "Resolution: "}, {"AssetRegion", "Region: "}} {
		if text := v.Text(n[0]); text != "" {
			o.Evidence = append(o.Evidence, exposure.Evidence{Kind: "note", Text: n[1] + text})
		}
	}
	r.Weakness(o)
	return nil
}

// state is that of an issue or a finding. What is rejected is there and not
// worked on, unless it was wrong to say so.
func state(status, resolution string) exposure.State {
	switch strings.ToUpper(status) {
	case "RESOLVED":
		return exposure.StateFixed
	case "REJECTED", "IGNORED":
		if term.State(resolution) == exposure.StateNotAffected {
			return exposure.StateNotAffected
		}
		return exposure.StateSuppressed
	}
	return exposure.StatePresent
}

// links are addresses, which Wiz writes with characters that end them elsewhere.
func links(v record.Value, columns ...string) (all []string) {
	for _, c := range columns {
		for address := range strings.SplitSeq(v.Text(c), ", ") {
			if strings.HasPrefix(address, "https://") && !strings.ContainsAny(address, " \n") {
				all = append(all, address)
			}
		}
	}
	return all
}

// resource is what Wiz found something on.
type resource struct{ kind, id, subscription, vertex, name, os, cluster, namespace string }

// asset names the resource: by the id of its cloud, by that of Wiz, which is the
// same in all of its reports, and a workload by its place in the cluster.
func (s resource) asset() exposure.AssetRef {
	a := exposure.AssetRef{Kind: kinds(cmp.Or(s.kind, path.Dir(s.id))), Name: s.name, OS: s.os}
	id, _, _ := strings.Cut(s.id, "##") // behind it stands what Wiz made of it
	switch image, digest, ok := strings.Cut(id, "@sha256:"); {
	case ok:
		a.Kind = exposure.AssetImage
		a.Add(exposure.IDDigest, "sha256:"+digest)
		if a.Name == "" {
			a.Name = image
		}
	case strings.HasPrefix(strings.ToLower(id), "/subscriptions/"):
		a.Add(exposure.IDCloud, strings.ToLower(id)) // Azure does not mind case, and Wiz writes both
	case id == "":
	case strings.ContainsAny(id, "/:"):
		a.Add(exposure.IDCloud, id)
	default: // unique in its subscription
		a.Add(exposure.IDCloud, strings.TrimPrefix(s.subscription+"/"+id, "/"))
	}
	if a.Kind == exposure.AssetWorkload && s.cluster != "" {
		a.Add(exposure.IDWorkload, strings.Join([]string{s.cluster, s.namespace, strings.ToLower(s.kind), s.name}, "/"))
	}
	a.Add(exposure.IDName, s.vertex)
	if len(a.Identifiers) == 0 && a.Name == "" {
		return exposure.AssetRef{}
	}
	return a
}

// kinds is the kind of an asset by the type of a resource, of Wiz or of the cloud,
// or by the last part of what comes before its name.
func kinds(name string) exposure.AssetKind {
	name = strings.ToLower(name[strings.LastIndexAny(name, "/#:")+1:])
	name = strings.NewReplacer("_", "", " ", "", "-", "").Replace(name)
	return cmp.Or(map[string]exposure.AssetKind{
		"virtualmachine": exposure.AssetHost, "virtualmachines": exposure.AssetHost, "instance": exposure.AssetHost,
		"user": exposure.AssetIdentity, "useraccount": exposure.AssetIdentity, "serviceaccount": exposure.AssetIdentity, "application": exposure.AssetIdentity,
		"serviceprincipal": exposure.AssetIdentity, "group": exposure.AssetIdentity, "role": exposure.AssetIdentity, "accessrole": exposure.AssetIdentity,
		"deployment": exposure.AssetWorkload, "pod": exposure.AssetWorkload, "daemonset": exposure.AssetWorkload, "statefulset": exposure.AssetWorkload,
		"replicaset": exposure.AssetWorkload, "job": exposure.AssetWorkload, "cronjob": exposure.AssetWorkload, "container": exposure.AssetWorkload,
		"containerimage": exposure.AssetImage, "repository": exposure.AssetRepository, "repositorybranch": exposure.AssetRepository,
		"bucket": exposure.AssetDataStore, "containers": exposure.AssetDataStore, "database": exposure.AssetDataStore, "dbserver": exposure.AssetDataStore,
	}[name], exposure.AssetCloudResource)
}
