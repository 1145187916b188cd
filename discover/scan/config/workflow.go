package config

import (
	"fmt"
	"regexp"
	"strings"
)

// parseWorkflow reads a workflow of GitHub Actions: the whole, and each step.
func parseWorkflow(s source) (all []subject, err error) {
	docs, err := documents(s.body)
	if err != nil || len(docs) == 0 {
		return nil, err
	}
	m := mapOf(docs[0].value)
	if m == nil || m["jobs"] == nil {
		return nil, nil
	}
	on := triggers(m["on"])
	jobs := mapOf(m["jobs"])
	scoped := m["permissions"] != nil
	for _, name := range sortedKeys(jobs) {
		scoped = scoped || mapOf(jobs[name])["permissions"] != nil
	}
	all = append(all, subject{kind: kindWorkflow, resource: textOf(m["name"]), it: map[string]any{"on": on, "permissions": m["permissions"], "scoped": scoped, "env": orEmpty(m["env"]), "jobs": jobs}})
	for _, name := range sortedKeys(jobs) {
		job := mapOf(jobs[name])
		if job == nil {
			continue
		}
		steps := listOf(job["steps"])
		if uses := textOf(job["uses"]); uses != "" {
			steps = append(steps, map[string]any{"uses": uses})
		}
		checkout := false
		for i, x := range steps {
			step := mapOf(x)
			if step == nil {
				continue
			}
			uses, run := textOf(step["uses"]), textOf(step["run"])
			checkout = checkout || strings.HasPrefix(uses, "actions/checkout@")
			label := textOf(step["id"])
			if label == "" {
				label = textOf(step["name"])
			}
			if label == "" {
				label = short(uses + run)
			}
			if label == "" {
				label = fmt.Sprintf("step %d", i+1)
			}
			script := run
			if strings.HasPrefix(uses, "actions/github-script@") {
				script = textOf(lookup(step, "with.script"))
			}
			all = append(all, subject{kind: kindJobStep, resource: name, symbol: label, seen: seenStep(uses, run), it: map[string]any{
				"on": on, "uses": uses, "run": run, "with": orEmpty(step["with"]), "env": orEmpty(step["env"]), "injected": injected(script), "pinned": pinned(uses), "runs_on": textOf(job["runs-on"]), "job": orEmpty(job),
			}})
		}
	}
	return all, nil
}

func seenStep(uses, run string) string {
	if uses != "" {
		return "uses: " + uses
	}
	return "run: " + run
}

// triggers are the names of the events, in each of the three forms.
func triggers(v any) []any {
	if m := mapOf(v); m != nil {
		return keysOf(m)
	}
	return texts(v)
}

// fixed is a version that nobody can move: a whole commit, or a digest.
var fixed = regexp.MustCompile(`@(?:[0-9a-f]{40}|sha256:[0-9a-f]{64})$`)

// pinned reports whether an action is fixed, or is of the same repository.
func pinned(uses string) bool {
	return uses == "" || strings.HasPrefix(uses, "./") || fixed.MatchString(uses)
}

// strangers are what others write, and what an expression puts into a script as
// it is: https://docs.github.com/actions/security-guides/security-hardening-for-github-actions
var strangers = regexp.MustCompile(`\$\{\{[^}]*(?:github\.event\.(?:issue|pull_request|comment|review|review_comment|discussion|head_commit|commits|pages|workflow_run)[\w.\[\]*']*\.(?:title|body|message|name|email|ref|label|default_branch|page_name|head_branch|display_title)|github\.head_ref)[^}]*\}\}`)

// injected is the first piece of a script that a stranger writes; empty for none.
func injected(script string) string { return strangers.FindString(script) }
