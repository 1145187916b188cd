package checkmarx

import (
	"cmp"
	"strings"
	"time"

	"github.com/leeward-ctem/leeward/discover/record"
	"github.com/leeward-ctem/leeward/discover/term"
	"github.com/leeward-ctem/leeward/exposure"
)

// found is one result of Checkmarx One, of whatever scanner. The API of a single
// scanner says in the result itself what the others say under data.
func found(r *record.Report, v record.Value) error {
	data := v.At("data")
	if !data.IsObject() {
		data = v
	}
	o := exposure.Observation{
		Severity: term.Severity(v.Text("severity")), State: state(v), Seen: at(v, "foundAt", "created"), Detection: exposure.DetectionStatic,
		Description: term.Paragraphs(cmp.Or(v.Text("description"), v.Text("descriptionHTML"), data.Text("description", "ruleDescription"))),
		CWEs:        term.CWEs(cmp.Or(v.Text("vulnerabilityDetails.cweId"), v.Text("cweID", "cweId"))),
		Solution:    data.Text("remediation", "remediationAdditional"),
	}
	switch kind := strings.ToLower(v.Text("type")); {
	case kind == "kics", kind == "iac", kind == "" && data.Text("expectedValue") != "":
		iac(&o, data)
	case strings.HasPrefix(kind, "sca"), kind == "containers":
		oss(&o, v, data)
	case strings.HasPrefix(kind, "sscs"):
		secret(&o, data)
	default:
		code(&o, data)
	}
	for _, c := range comments(v.At("comments")) {
		note(&o, c)
	}
	if o.Rule == "" && len(o.Advisories) == 0 {
		o.Rule = v.Text("similarityId", "id")
	}
	r.Weakness(o)
	return nil
}

// state reads the state that a person gave a result, else its status. One that
// is only proposed to be not exploitable is there.
func state(v record.Value) exposure.State {
	if s := term.State(v.Text("state")); s != exposure.StatePresent {
		return s
	}
	return term.State(v.Text("status"))
}

// at reads the first time that is there, which may be told in seconds.
func at(v record.Value, names ...string) time.Time {
	for _, name := range names {
		t := v.At(name)
		if t.IsObject() {
			t = t.At("seconds")
		}
		if when := t.Time(); !when.IsZero() {
			return when
		}
	}
	return time.Time{}
}

// comments are the texts in what is an object or a list of them.
func comments(v record.Value) (all []string) {
	add := func(c record.Value) {
		if c.IsObject() {
			c = c.At("comment")
		}
		if c.IsText() {
			all = append(all, c.Text())
		}
	}
	if v.IsObject() {
		for _, c := range v.Members("") {
			add(c)
		}
		return all
	}
	for c := range v.List("") {
		add(c)
	}
	return all
}

// code is a result of the analysis of code.
func code(o *exposure.Observation, data record.Value) {
	query := data.Text("queryName", "name", "ruleName")
	o.Class, o.Rule, o.Title = "code", rule(data.Text("languageName", "language"), query), words(query)
	if o.Description == "" {
		o.Description = described(data.Text("group", "queryGroup"), "")
	}
	o.Location = exposure.Location{File: file(data.Text("fileName", "filename", "sourceFileName")), Line: data.Int("line")}
	sink(o, nodesOf(data.At("nodes")))
}

func nodesOf(list record.Value) (nodes []node) {
	for n := range list.List("") {
		nodes = append(nodes, node{
			file: file(n.Text("fileName", "filename")), line: n.Int("line"), column: n.Int("column"),
			name: n.Text("name", "method"), symbol: n.Text("fullName", "name", "method"), code: n.Text("code"),
		})
	}
	return nodes
}

// iac is a result about infrastructure as code, of KICS.
func iac(o *exposure.Observation, data record.Value) {
	id, _, _ := strings.Cut(data.Text("queryId", "queryID"), " ") // some say where they took it from
	o.Class, o.Title = "misconfig", data.Text("queryName")
	o.Rule = cmp.Or(id, rule(data.Text("platform"), o.Title))
	o.Location = exposure.Location{File: file(data.Text("filename", "fileName")), Line: data.Int("line"), Symbol: data.Text("searchKey", "searchValue")}
	values(o, data)
	o.References = append(o.References, term.Links(data.Text("queryUrl", "queryURL"))...)
}

// values tell what a setting is and what it should be.
func values(o *exposure.Observation, data record.Value) {
	o.Solution = cmp.Or(o.Solution, data.Text("expectedValue"))
	if have := data.Text("value", "actualValue"); have != "" {
		o.Evidence = append(o.Evidence, exposure.Evidence{Kind: "output", Text: have})
	}
}

// secret is a result about the supply chain: a secret in the code, or how the
// repository is kept.
func secret(o *exposure.Observation, data record.Value) {
	name := data.Text("ruleName", "queryName", "ruleID")
	o.Class, o.Rule, o.Title = "misconfig", cmp.Or(data.Text("ruleID", "ruleId"), name), words(name)
	if data.Text("snippet") != "" || data.Text("validity") != "" {
		o.Class = "secret"
	}
	o.Location = exposure.Location{File: file(data.Text("filename", "fileName")), Line: data.Int("line"), Snippet: data.Text("snippet")}
	o.References = append(o.References, term.Links(data.Text("remediationLink"))...)
}

// oss is a result about a package, in the code or in an image.
func oss(o *exposure.Observation, v, data record.Value) {
	o.Class = "vuln"
	if data.Text("imageName") != "" {
		o.Asset = image(data.Text("imageName"), data.Text("imageTag"))
	}
	advise(o, v.Text("vulnerabilityDetails.cveName"), v.Text("cveId", "similarityId", "id"))
	o.CVSS = term.Vectors(v.Text("vulnerabilityDetails.cvss.vector", "vulnerabilityDetails.cvss.vectorString"))
	pack := data.At("scaPackageData")
	id := cmp.Or(data.Text("packageIdentifier"), pack.Text("id"))
	name := data.Text("packageName")
	for path := range pack.List("dependencyPaths") {
		for step := range path.List("") {
			if step.Text("id") == id {
				name = cmp.Or(name, step.Text("name"))
			}
		}
	}
	o.Component = identified(id, name, data.Text("packageVersion"))
	o.Component.Fixed = data.Text("recommendedVersion")
	for at := range pack.List("locations") {
		o.Component.Path = file(cmp.Or(o.Component.Path, at.Text()))
	}
	if o.Component.Path == "" {
		o.Component.Path = file(data.Text("imageFilePath"))
	}
	o.References = append(term.Links(pack.Text("fixLink")), links(data.At("packageData"))...)
	o.Title = titled(o)
}

// titled is the title of a weakness of a package.
func titled(o *exposure.Observation) string {
	name := strings.Join(o.Advisories, ", ")
	if name == "" {
		name = o.Rule
	}
	if o.Component.Name == "" {
		return name
	}
	return name + " in " + o.Component.Name
}

// advise states the advisory of a weakness: that of a CVE, or the id that
// Checkmarx gave to one without.
func advise(o *exposure.Observation, ids ...string) {
	for _, id := range ids {
		if term.IsAdvisory(id) {
			o.Advisories = []string{exposure.NormalAdvisory(id)}
			return
		}
	}
	o.Rule = cmp.Or(ids...)
}

func links(list record.Value) (all []string) {
	for ref := range list.List("") {
		if ref.IsObject() {
			ref = ref.At("url")
		}
		all = append(all, term.Links(ref.Text())...)
	}
	return all
}

func image(name, tag string) exposure.AssetRef {
	ref := exposure.AssetRef{Kind: exposure.AssetImage}
	if tag != "" && !strings.HasSuffix(name, ":"+tag) {
		name += ":" + tag
	}
	ref.Add(exposure.IDImage, name)
	return ref
}

// identified is the component with an id such as "Npm-@example/cart-1.2.3": the
// package manager, the name and the version. What is known of the name and the
// version tells where they part.
func identified(id, name, version string) exposure.Component {
	manager, rest, _ := strings.Cut(id, "-")
	if name != "" && strings.HasPrefix(rest, name+"-") {
		version = cmp.Or(version, rest[len(name)+1:])
	}
	if name == "" {
		name = rest
		if version != "" {
			name = strings.TrimSuffix(rest, "-"+version)
		} else {
			name, version = term.NameVersion(rest)
		}
	}
	return exposure.Component{Purl: term.Purl(manager, name, version), Name: name, Version: version}
}
