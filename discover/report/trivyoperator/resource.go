package trivyoperator

import (
	"cmp"
	"strings"

	"github.com/leeward-ctem/leeward/discover/record"
	"github.com/leeward-ctem/leeward/discover/term"
	"github.com/leeward-ctem/leeward/exposure"
)

// resource is one custom resource: its metadata and its report.
type resource struct{ custom, report record.Value }

func (c resource) meta() record.Value { return c.custom.At("metadata") }

// label is a label of the operator or of Starboard, which came before it. A
// value that is no label, such as a name with colons, stands in an annotation.
func (c resource) label(name string) string {
	for _, list := range []string{"labels", "annotations"} {
		for _, prefix := range []string{"trivy-operator.", "starboard."} {
			if s := c.meta().At(list).Member(prefix + name).Text(); s != "" {
				return s
			}
		}
	}
	return ""
}

// asset is what was looked at: a workload, a role or another resource of the
// cluster, a node, or an image where the report is of that alone.
func (c resource) asset() exposure.AssetRef {
	var ref exposure.AssetRef
	owner := c.meta().At("ownerReferences")
	kind, name := cmp.Or(c.label("resource.kind"), owner.Text("kind")), cmp.Or(c.label("resource.name"), owner.Text("name"))
	node := c.report.Text("artifact.nodeName")
	if kind == "Node" {
		node = cmp.Or(node, name)
	}
	switch {
	case node != "":
		ref.Kind = exposure.AssetHost
		ref.Add(exposure.IDHostname, node)
	case kind != "" && name != "":
		ref = object(cmp.Or(c.label("resource.namespace"), c.meta().Text("namespace")), kind, name)
	default:
		ref.Kind = exposure.AssetImage
		if image := c.image(); image != "" {
			term.AddImage(&ref, image)
		}
		ref.Add(exposure.IDDigest, c.report.Text("artifact.digest"))
	}
	if len(ref.Identifiers) == 0 {
		return exposure.AssetRef{}
	}
	ref.OS = strings.TrimSpace(c.report.Text("os.family") + " " + c.report.Text("os.name"))
	return ref
}

// object is a resource of a cluster that has no name here. Deployments and cron
// jobs make an owner for each version and run, so that what they made is known
// by both names.
func object(namespace, kind, name string) exposure.AssetRef {
	ref := exposure.AssetRef{Kind: exposure.AssetWorkload}
	if maker, of := made(kind, name); maker != "" {
		ref.Add(exposure.IDWorkload, "/"+namespace+"/"+maker+"/"+of)
	}
	ref.Add(exposure.IDWorkload, "/"+namespace+"/"+kind+"/"+name)
	return ref
}

// made tells what a replica set or a job was made by: Kubernetes names the one
// after the deployment and the hash of its template, the other after the cron
// job and the minute in which it ran.
func made(kind, name string) (maker, of string) {
	i := strings.LastIndexByte(name, '-')
	if i <= 0 {
		return "", ""
	}
	suffix := name[i+1:]
	switch {
	case kind == "ReplicaSet" && len(suffix) >= 6 && len(suffix) <= 10 && strings.Trim(suffix, "bcdfghjklmnpqrstvwxz2456789") == "":
		return "Deployment", name[:i]
	case kind == "Job" && len(suffix) >= 8 && len(suffix) <= 10 && strings.Trim(suffix, "0123456789") == "":
		return "CronJob", name[:i]
	}
	return "", ""
}

// repository is that of the image of a container, without tag and digest, so
// that a finding outlives a deployment of the next version.
func (c resource) repository() string {
	repository := c.report.Text("artifact.repository")
	if server := c.report.Text("registry.server"); server != "" && repository != "" {
		repository = server + "/" + repository
	}
	return repository
}

func (c resource) image() string {
	name := c.repository()
	if tag := c.report.Text("artifact.tag"); tag != "" && name != "" {
		name += ":" + tag
	}
	return name
}

// container is the evidence of where in the workload something was found.
func (c resource) container() []exposure.Evidence {
	image := c.image()
	if digest := c.report.Text("artifact.digest"); digest != "" && image != "" {
		image += "@" + digest
	}
	text := ""
	if name := c.label("container.name"); name != "" {
		text = "container " + name
	}
	if image != "" {
		text = strings.TrimSpace(text + " of image " + image)
	}
	if text == "" {
		return nil
	}
	return []exposure.Evidence{{Kind: "note", Text: text}}
}

// kindsOf are the kinds that a benchmark names in lower case.
func kindsOf() []string {
	return []string{
		"ReplicaSet", "ReplicationController", "StatefulSet", "DaemonSet", "CronJob", "Job", "Pod", "Deployment", "ClusterRoleBinding", "ClusterRole", "RoleBinding", "Role", "Service",
		"ConfigMap", "NetworkPolicy", "Ingress", "ResourceQuota", "LimitRange", "Namespace", "ServiceAccount", "Secret", "Node", "PodSecurityPolicy", "CustomResourceDefinition",
	}
}

// target is the resource that a benchmark names: "namespace/kind-name".
func target(s string) exposure.AssetRef {
	namespace, rest, ok := strings.Cut(s, "/")
	kind, name, named := strings.Cut(rest, "-")
	if !ok || !named || name == "" {
		return exposure.AssetRef{}
	}
	for _, k := range kindsOf() {
		if strings.EqualFold(k, kind) {
			kind = k
		}
	}
	if kind == "Node" {
		ref := exposure.AssetRef{Kind: exposure.AssetHost}
		ref.Add(exposure.IDHostname, name)
		return ref
	}
	return object(namespace, kind, name)
}
