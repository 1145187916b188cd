package github

import (
	"cmp"
	"errors"
	"slices"
	"strings"

	"github.com/leeward-ctem/leeward/discover/record"
	"github.com/leeward-ctem/leeward/discover/term"
	"github.com/leeward-ctem/leeward/exposure"
)

// dependabot states an alert of a dependency. Both interfaces say the same, one
// in camel case and the other with underscores.
func dependabot(r *record.Report, v, within record.Value) error {
	vulnerable := either(v, "securityVulnerability", "security_vulnerability")
	advisory := either(vulnerable, "advisory")
	if !advisory.Exists() {
		advisory = either(v, "securityAdvisory", "security_advisory")
	}
	if !vulnerable.Exists() && !advisory.Exists() {
		return errors.New("an alert without a vulnerability")
	}
	o := exposure.Observation{
		Tool: "dependabot", Class: "vuln-lang", Detection: exposure.DetectionAuthenticated,
		Asset: repository(v, within), State: state(v),
		Title: advisory.Text("summary"), Description: advisory.Text("description"),
		Severity:   term.Severity(cmp.Or(vulnerable.Text("severity"), advisory.Text("severity"))),
		Location:   exposure.Location{File: term.File(v.Text("vulnerableManifestPath", "dependency.manifest_path", "vulnerableManifestFilename"))},
		Component:  component(v, vulnerable),
		CWEs:       cwes(advisory),
		CVSS:       vectors(advisory),
		References: references(v, advisory),
		Evidence:   history(v),
	}
	o.Rule, o.Advisories = identifiers(advisory)
	o.Aliased = term.Aliased(o.Advisories)
	r.Weakness(o)
	return nil
}

// either is the first of several members that is there.
func either(v record.Value, names ...string) record.Value {
	for _, n := range names {
		if m := v.At(n); m.Exists() {
			return m
		}
	}
	return record.Value{}
}

// state is what became of an alert. Some queries ask only for the times at
// which it changed.
func state(v record.Value) exposure.State {
	switch word := strings.ToLower(v.Text("state")); {
	case word == "open":
		return exposure.StatePresent
	case word == "fixed", word == "" && v.Text("fixedAt", "fixed_at") != "":
		return exposure.StateFixed
	case word == "dismissed", word == "auto_dismissed", word == "" && v.Text("dismissedAt", "dismissed_at") != "":
		switch strings.ToLower(v.Text("dismissReason", "dismissed_reason")) {
		case "inaccurate", "not_used":
			return exposure.StateNotAffected
		}
		return exposure.StateSuppressed
	}
	return exposure.StatePresent
}

// history is what is told of the life of an alert.
func history(v record.Value) []exposure.Evidence {
	var lines []string
	add := func(label string, paths ...string) {
		if s := v.Text(paths...); s != "" {
			lines = append(lines, label+" "+s)
		}
	}
	add("alert", "number")
	add("created", "createdAt", "created_at")
	add("fixed", "fixedAt", "fixed_at")
	add("dismissed", "dismissedAt", "dismissed_at", "autoDismissedAt", "auto_dismissed_at")
	add("reason:", "dismissReason", "dismissed_reason")
	add("comment:", "dismissComment", "dismissed_comment")
	add("scope:", "dependencyScope", "dependency.scope")
	add("relationship:", "dependencyRelationship", "dependency.relationship")
	if v.At("dependabotUpdate").IsObject() && v.At("dependabotUpdate.pullRequest").IsObject() {
		add("pull request", "dependabotUpdate.pullRequest.permalink", "dependabotUpdate.pullRequest.url")
	}
	if lines == nil {
		return nil
	}
	return []exposure.Evidence{{Kind: "note", Text: strings.Join(lines, "\n")}}
}

func component(v, vulnerable record.Value) exposure.Component {
	c := exposure.Component{Name: vulnerable.Text("package.name")}
	ecosystem := vulnerable.Text("package.ecosystem")
	if c.Name == "" {
		c.Name, ecosystem = v.Text("dependency.package.name"), v.Text("dependency.package.ecosystem")
	}
	// The requirement of the manifest is the version when it is exact.
	if exact, ok := strings.CutPrefix(v.Text("vulnerableRequirements"), "= "); ok && !strings.ContainsAny(exact, " ,") {
		c.Version = exact
	}
	if patched := either(vulnerable, "firstPatchedVersion", "first_patched_version"); patched.IsObject() {
		c.Fixed = patched.Text("identifier")
	} else {
		c.Fixed = patched.Text()
	}
	if strings.EqualFold(ecosystem, "erlang") {
		ecosystem = "hex"
	}
	c.Purl = term.Purl(ecosystem, c.Name, c.Version)
	return c
}

// identifiers are the names of an advisory; the rule is the one of GitHub.
func identifiers(advisory record.Value) (rule string, ids []string) {
	all := []string{advisory.Text("ghsaId", "ghsa_id"), advisory.Text("cve_id")}
	for i := range advisory.List("identifiers") {
		all = append(all, i.Text("value"))
	}
	for _, id := range all {
		if id = exposure.NormalAdvisory(id); id != "" && !slices.Contains(ids, id) {
			ids = append(ids, id)
		}
	}
	for _, id := range ids {
		if strings.HasPrefix(id, "GHSA-") {
			return id, ids
		}
	}
	if rule = exposure.Canonical(ids); rule == "" {
		rule = advisory.Text("summary")
	}
	return rule, ids
}

func cwes(advisory record.Value) (ids []int) {
	add := func(v record.Value) {
		for _, n := range term.CWEs(v.Text("cweId", "cwe_id")) {
			if !slices.Contains(ids, n) {
				ids = append(ids, n)
			}
		}
	}
	list := advisory.At("cwes")
	if !list.IsObject() {
		for c := range list.List("") {
			add(c)
		}
		return ids
	}
	for c := range list.List("nodes") {
		add(c)
	}
	for e := range list.List("edges") {
		add(e.At("node"))
	}
	return ids
}

func vectors(advisory record.Value) (all []string) {
	for _, at := range []string{"cvssSeverities.cvssV4", "cvss_severities.cvss_v4", "cvssSeverities.cvssV3", "cvss_severities.cvss_v3", "cvss"} {
		score := advisory.At(at)
		if !score.IsObject() {
			continue
		}
		for _, vector := range term.Vectors(score.Text("vectorString", "vector_string")) {
			if !slices.Contains(all, vector) {
				all = append(all, vector)
			}
		}
	}
	return all
}

// maxLinks bounds the references of an alert.
const maxLinks = 200

func references(v, advisory record.Value) (all []string) {
	add := func(url string) {
		if url != "" && len(all) < maxLinks && !slices.Contains(all, url) {
			all = append(all, url)
		}
	}
	for ref := range advisory.List("references") {
		if ref.IsObject() {
			add(ref.Text("url"))
		} else {
			add(ref.Text())
		}
	}
	add(advisory.Text("permalink"))
	add(v.Text("html_url"))
	return all
}
