package config

import (
	"bytes"
	"fmt"
	"strings"
)

// parseYAML reads manifests of Kubernetes and templates of CloudFormation, and
// knows them by what every one of them says. Other YAML is not looked into.
func parseYAML(s source) ([]subject, error) {
	formation := bytes.Contains(s.body, []byte("AWS::"))
	manifest := bytes.Contains(s.body, []byte("apiVersion")) && bytes.Contains(s.body, []byte("kind"))
	if !formation && !manifest {
		return nil, nil
	}
	if bytes.Contains(s.body, []byte("{{")) && templated(s) {
		return nil, nil
	}
	docs, err := documents(s.body)
	var all []subject
	for _, d := range docs {
		m := mapOf(d.value)
		switch {
		case m == nil:
		case m["apiVersion"] != nil && m["kind"] != nil:
			all = append(all, manifestSubjects(m, d.line, 0)...)
		case m["Resources"] != nil:
			all = append(all, formationSubjects(m)...)
		}
	}
	return all, err
}

// templated reports whether a file is a template of Helm or the like, which is no
// manifest before it was rendered.
func templated(s source) bool {
	if strings.Contains("/"+s.file, "/templates/") {
		return true
	}
	for line := range bytes.Lines(s.body) {
		line = bytes.TrimSpace(line)
		if bytes.HasPrefix(line, []byte("{{")) || bytes.Contains(line, []byte(": {{")) {
			return true
		}
	}
	return false
}

// specs is where the specification of pods stands, by kind of workload.
var specs = map[string]string{
	"Pod": "spec", "Deployment": "spec.template.spec", "DaemonSet": "spec.template.spec", "StatefulSet": "spec.template.spec", "ReplicaSet": "spec.template.spec",
	"ReplicationController": "spec.template.spec", "Job": "spec.template.spec", "CronJob": "spec.jobTemplate.spec.template.spec", "PodTemplate": "template.spec",
	"DeploymentConfig": "spec.template.spec", "Rollout": "spec.template.spec",
}

func manifestSubjects(m map[string]any, line, depth int) (all []subject) {
	kind := textOf(m["kind"])
	if items, ok := m["items"].([]any); ok && strings.HasSuffix(kind, "List") && depth < 3 {
		for _, item := range items {
			if inner := mapOf(item); inner != nil {
				all = append(all, manifestSubjects(inner, line, depth+1)...)
			}
		}
		return all
	}
	name, space := textOf(lookup(m, "metadata.name")), textOf(lookup(m, "metadata.namespace"))
	if name == "" {
		name = textOf(lookup(m, "metadata.generateName"))
	}
	resource := kind + "/" + name
	if space != "" {
		resource = kind + "/" + space + "/" + name
	}
	group, _, _ := strings.Cut(textOf(m["apiVersion"]), "/")
	of := func(k, symbol string, more map[string]any) {
		it := map[string]any{"kind": kind, "name": name, "namespace": space, "group": group}
		for n, v := range more {
			it[n] = v
		}
		all = append(all, subject{kind: k, resource: resource, symbol: symbol, line: line, it: it})
	}
	of(kindObject, "", map[string]any{"object": m})
	where, workload := specs[kind]
	spec := mapOf(lookup(m, where))
	if !workload || spec == nil {
		return all
	}
	of(kindPod, "", map[string]any{"spec": spec, "annotations": orEmpty(lookup(m, strings.TrimSuffix(where, "spec")+"metadata.annotations"))})
	for _, list := range []string{"containers", "initContainers", "ephemeralContainers"} {
		for i, c := range listOf(spec[list]) {
			container := mapOf(c)
			if container == nil {
				continue
			}
			label := textOf(container["name"])
			if label == "" {
				label = fmt.Sprintf("%s %d", list, i)
			}
			of(kindContainer, label, map[string]any{"container": container, "spec": spec, "security": security(spec, container), "init": list == "initContainers"})
		}
	}
	return all
}

func orEmpty(v any) any {
	if v == nil {
		return map[string]any{}
	}
	return v
}

// security is what holds for a container: its own settings, and those of the pod
// where it has none.
func security(spec, container map[string]any) map[string]any {
	all := map[string]any{}
	for k, v := range mapOf(spec["securityContext"]) {
		all[k] = v
	}
	for k, v := range mapOf(container["securityContext"]) {
		if v != nil {
			all[k] = v
		}
	}
	return all
}
