package sarif

import (
	"cmp"
	"regexp"
	"slices"
	"strings"

	"github.com/leeward-ctem/leeward/discover/term"
)

// rule is a reportingDescriptor of the tool.
type rule struct {
	id, title, description, help string

	about string // description and help
	told  told   // by the help
	class string // that its tags tell

	level      string
	disabled   bool
	messages   map[string]string
	related    []reference
	references []string
	props      properties

	advisories []string
	aliased    bool // the advisories are names of one weakness
}

// maxRuleText bounds each text of a rule that is kept, in bytes.
const maxRuleText = 32 << 10

func newRule(o *ruleObject) *rule {
	r := &rule{
		id:    o.ID.trim(),
		title: term.OneLine(o.ShortDescription.plain()),
		level: cmp.Or(o.DefaultConfiguration.Level.trim(), o.Configuration.DefaultLevel.trim()),
		props: parseProperties(o.Properties),
		help:  start(o.Help.plain()),

		description: start(cmp.Or(o.FullDescription.plain(), o.ShortDescription.plain())),
		disabled:    o.DefaultConfiguration.Enabled.trim() == "false",
	}
	if name := term.OneLine(o.Name.plain()); r.title == "" && name != r.id {
		r.title = name
	}
	if uri := o.HelpURI.trim(); strings.HasPrefix(uri, "http") {
		r.references = []string{uri}
	}
	if r.title == "" {
		r.title = short(r.description)
	}
	r.class, r.told = tagged(r.props.tags), tell(r.help)
	if r.help != "" && !strings.Contains(r.help, r.description) {
		both := r.description + "\n\n" + r.help
		r.description, r.help = both[:len(r.description)], both[len(r.description)+2:]
		r.about = both
	} else {
		r.about = cmp.Or(r.help, r.description)
	}
	if len(o.MessageStrings) > 0 {
		r.messages = make(map[string]string, len(o.MessageStrings))
		for id, m := range o.MessageStrings {
			r.messages[id] = start(m.plain())
		}
	}
	for _, rel := range o.Relationships[:min(len(o.Relationships), maxTags)] {
		r.related = append(r.related, rel.Target)
	}
	r.advisories = advisories(r.id)
	if len(r.advisories) > 0 {
		// Former ids of a rule that is a vulnerability are its aliases.
		for _, id := range o.DeprecatedIDs[:min(len(o.DeprecatedIDs), maxTags)] {
			for _, a := range advisories(id.trim()) {
				r.advisories = appendNew(r.advisories, a)
			}
		}
	}
	r.advisories, r.aliased = sorted(r.advisories)
	return r
}

// describe says what the rule is about; words are those of a result, for a rule
// that does not.
func (r *rule) describe(words string) string {
	switch {
	case r.description != "" || r.help == "":
		return cmp.Or(r.about, words)
	case strings.Contains(r.help, words):
		return r.help
	}
	return words + "\n\n" + r.help
}

// component holds the rules of the driver or of an extension.
type component struct {
	name  string
	rules []*rule // nil where a rule was broken or not kept
	byID  map[string]*rule
}

func (c *component) add(r *rule) {
	c.rules = append(c.rules, r)
	if r == nil || r.id == "" {
		return
	}
	if c.byID == nil {
		c.byID = map[string]*rule{}
	}
	if c.byID[r.id] == nil {
		c.byID[r.id] = r
	}
}

func (c *component) at(i int) *rule {
	if c == nil || i < 0 || i >= len(c.rules) {
		return nil
	}
	return c.rules[i]
}

// rule finds the rule of a result, nil when the run does not describe it. See
// section 3.52 of the specification.
func (f *facts) rule(res *result) *rule {
	c := &f.driver
	if i := res.Rule.ToolComponent.Index.index(); i >= 0 && i < len(f.extensions) {
		c = &f.extensions[i]
	} else if name := res.Rule.ToolComponent.Name.trim(); name != "" && name != f.driver.name {
		for i := range f.extensions {
			if f.extensions[i].name == name {
				c = &f.extensions[i]
			}
		}
	}
	id := cmp.Or(res.RuleID.trim(), res.Rule.ID.trim())
	indexed := c.at(res.Rule.Index.index())
	if indexed == nil {
		indexed = c.at(res.RuleIndex.index())
	}
	if indexed != nil && (id == "" || id == indexed.id || strings.HasPrefix(id, indexed.id+"/")) {
		return indexed
	}
	// An id may be more special than the rule: A/B is described as A.
	for at := id; at != ""; {
		if r := f.byID(c, at); r != nil {
			return r
		}
		i := strings.LastIndexByte(at, '/')
		if i < 0 {
			break
		}
		at = at[:i]
	}
	return indexed
}

func (f *facts) byID(c *component, id string) *rule {
	if r := c.byID[id]; r != nil {
		return r
	}
	if r := f.driver.byID[id]; r != nil {
		return r
	}
	for i := range f.extensions {
		if r := f.extensions[i].byID[id]; r != nil {
			return r
		}
	}
	return nil
}

// advisory matches the ids of the world's databases in the id of a rule, such
// as CVE-2024-1234-openssl.
var advisory = regexp.MustCompile(`(?i)\b(CVE-\d{4}-\d{4,9}|GHSA(?:-[0-9a-z]{4}){3}|(?:GO|RUSTSEC|PYSEC|OSV|MAL)-\d{4}-\d{1,9})(?:$|[^0-9a-z])`)

func advisories(s string) []string {
	if !strings.Contains(s, "-") {
		return nil
	}
	var all []string
	for _, m := range advisory.FindAllStringSubmatch(s, maxTags) {
		id := strings.ToUpper(m[1])
		if rest, ok := strings.CutPrefix(id, "GHSA-"); ok {
			id = "GHSA-" + strings.ToLower(rest)
		}
		all = appendNew(all, id)
	}
	return all
}

// sorted puts CVEs first. The ids name one weakness unless there are several
// CVEs among them.
func sorted(ids []string) (_ []string, aliased bool) {
	if len(ids) < 2 {
		return ids, false
	}
	rank := func(id string) int {
		switch {
		case strings.HasPrefix(id, "CVE-"):
			return 0
		case strings.HasPrefix(id, "GHSA-"):
			return 1
		}
		return 2
	}
	slices.SortStableFunc(ids, func(a, b string) int { return rank(a) - rank(b) })
	return ids, len(ids) > 1 && rank(ids[1]) > 0
}

// start is the first part of a text that is kept.
func start(s string) string {
	if len(s) <= maxRuleText {
		return s
	}
	return strings.ToValidUTF8(strings.Clone(s[:maxRuleText]), "")
}
