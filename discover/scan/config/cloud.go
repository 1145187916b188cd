package config

import (
	"bytes"
	"strings"
)

// parseJSON reads what is known by what it says: manifests, templates of
// CloudFormation, Terraform's JSON and plans, and policies of IAM. Other JSON is
// not looked into.
func parseJSON(s source) ([]subject, error) {
	has := func(word string) bool { return bytes.Contains(s.body, []byte(word)) }
	terraform := strings.HasSuffix(s.file, ".tf.json")
	switch {
	case terraform, has(`"planned_values"`), has("AWS::"), has(`"Statement"`) && has(`"Effect"`), has(`"apiVersion"`) && has(`"kind"`):
	default:
		return nil, nil
	}
	v, err := fromJSON(s.body)
	if err != nil {
		return nil, err
	}
	m := mapOf(v)
	switch {
	case m == nil:
		return nil, nil
	case m["planned_values"] != nil:
		return planned(mapOf(lookup(m, "planned_values.root_module")), 0), nil
	case terraform:
		return configured(m), nil
	case m["Resources"] != nil:
		return formationSubjects(m), nil
	case m["apiVersion"] != nil && m["kind"] != nil:
		return manifestSubjects(m, 1, 0), nil
	}
	return statements(m, "policy"), nil
}

// planned are the resources of a plan of Terraform (terraform show -json).
func planned(module map[string]any, depth int) (all []subject) {
	if module == nil || depth > 50 {
		return nil
	}
	for _, x := range listOf(module["resources"]) {
		r := mapOf(x)
		values := mapOf(r["values"])
		if values == nil || textOf(r["mode"]) == "data" {
			continue
		}
		all = append(all, terraformSubjects(textOf(r["type"]), textOf(r["name"]), textOf(r["address"]), values)...)
	}
	for _, child := range listOf(module["child_modules"]) {
		all = append(all, planned(mapOf(child), depth+1)...)
	}
	return all
}

// configured are the resources of a configuration of Terraform: resource, type,
// name.
func configured(m map[string]any) (all []subject) {
	byType := mapOf(m["resource"])
	for _, kind := range sortedKeys(byType) {
		byName := mapOf(byType[kind])
		for _, name := range sortedKeys(byName) {
			for _, x := range listOf(byName[name]) {
				if values := mapOf(x); values != nil {
					all = append(all, terraformSubjects(kind, name, kind+"."+name, values)...)
				}
			}
		}
	}
	return all
}

func terraformSubjects(kind, name, address string, values map[string]any) []subject {
	all := []subject{{kind: kindTerraform, resource: address, it: map[string]any{"type": kind, "name": name, "values": values}}}
	if policy, ok := values["policy"].(string); ok && strings.HasPrefix(kind, "aws_") {
		if v, err := fromJSON([]byte(policy)); err == nil {
			all = append(all, statements(mapOf(v), address)...)
		}
	}
	return all
}

// formationSubjects are the resources of a template of CloudFormation, and the
// policies in them.
func formationSubjects(m map[string]any) (all []subject) {
	resources := mapOf(m["Resources"])
	for _, name := range sortedKeys(resources) {
		r := mapOf(resources[name])
		kind := textOf(r["Type"])
		if kind == "" {
			continue
		}
		properties := mapOf(r["Properties"])
		if properties == nil {
			properties = map[string]any{}
		}
		resource := kind + "/" + name
		all = append(all, subject{kind: kindFormation, resource: resource, it: map[string]any{"type": kind, "name": name, "properties": properties}})
		all = append(all, policies(properties, resource, 0)...)
	}
	return all
}

// policies are the statements of policies anywhere in a value.
func policies(v any, resource string, depth int) (all []subject) {
	if depth > 12 {
		return nil
	}
	switch v := v.(type) {
	case map[string]any:
		if v["Statement"] != nil {
			return statements(v, resource)
		}
		for _, k := range sortedKeys(v) {
			all = append(all, policies(v[k], resource, depth+1)...)
		}
	case []any:
		for _, x := range v {
			all = append(all, policies(x, resource, depth+1)...)
		}
	}
	return all
}

// statements of a policy of IAM, with single values as lists.
func statements(policy map[string]any, resource string) (all []subject) {
	for _, x := range listOf(policy["Statement"]) {
		s := mapOf(x)
		if s == nil || s["Effect"] == nil {
			continue
		}
		principals := []any{}
		if p := mapOf(s["Principal"]); p != nil {
			for _, k := range sortedKeys(p) {
				principals = append(principals, listOf(p[k])...)
			}
		} else {
			principals = listOf(s["Principal"])
		}
		label := textOf(s["Sid"])
		if label == "" {
			label = short(textOf(s["Effect"]) + " " + textOf(s["Action"]) + textOf(s["NotAction"]) + " on " + textOf(s["Resource"]) + textOf(s["NotResource"]))
		}
		all = append(all, subject{kind: kindStatement, resource: resource, symbol: label, it: map[string]any{
			"effect": textOf(s["Effect"]), "actions": texts(s["Action"]), "not_actions": texts(s["NotAction"]), "resources": texts(s["Resource"]),
			"principals": anyTexts(principals), "condition": s["Condition"] != nil,
		}})
	}
	return all
}

func texts(v any) []any { return anyTexts(listOf(v)) }

func anyTexts(all []any) []any {
	out := make([]any, len(all))
	for i, v := range all {
		out[i] = textOf(v)
	}
	return out
}
