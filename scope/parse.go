package scope

import (
	"cmp"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"unicode"

	"go.yaml.in/yaml/v4"

	"github.com/leeward-ctem/leeward/exposure"
)

// Parse reads a programme. file is its name, for messages. An error is
// [exposure.Invalid] and lists what is wrong, one problem a line, each with
// the line of the file and the way out; of many problems the first 20. An
// empty file is a programme that says nothing.
func Parse(file string, body []byte) (*Programme, error) {
	r := &reader{
		decoder:  decoder{file: label(file)},
		services: map[string]int{}, scopes: map[string]int{}, webhooks: map[string]int{},
		given: map[string]map[string]int{"tag": {}, "service": {}, "owner": {}},
	}
	if root := r.document(body); root != nil {
		r.programme(root)
		r.resolve()
	}
	if err := r.err(); err != nil {
		return nil, err
	}
	r.p.rules = compile(&r.p, r.lines)
	return &r.p, nil
}

// label is the name of a file as it may stand in a message.
func label(file string) string {
	file = strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return -1
		}
		return r
	}, file)
	return cmp.Or(cut(file), "programme")
}

// reader turns the nodes of a file into a programme.
type reader struct {
	decoder
	p     Programme
	lines lines

	// Lines of the names that must not be there twice, by folded name.
	services, scopes, webhooks map[string]int
	// given says by which rule a tag, service or owner first comes about:
	// -1 for owners of services.
	given map[string]map[string]int
	uses  []use
	wild  int // patterns among the uses
}

// everything is the place after all rules.
const everything = maxItems

func (r *reader) programme(n *yaml.Node) {
	p := &r.p
	r.object(n, "the programme",
		key{"name", func(n *yaml.Node) { r.name(n, "name", &p.Name) }},
		key{"currency", func(n *yaml.Node) { r.currency(n) }},
		key{"profile", r.profile},
		key{"services", func(n *yaml.Node) { r.list(n, "services", r.service) }},
		key{"assets", func(n *yaml.Node) { r.list(n, "assets", r.rule) }},
		key{"exclusions", func(n *yaml.Node) { r.list(n, "exclusions", r.exclusion) }},
		key{"scopes", func(n *yaml.Node) { r.list(n, "scopes", r.scope) }},
		key{"risk", r.risk},
		key{"policies", r.policies},
		key{"webhooks", func(n *yaml.Node) {
			if r.list(n, "webhooks", r.webhook); len(p.Webhooks) > maxWebhooks {
				r.fail(n, "webhooks has %d entries, and at most %d are allowed", len(p.Webhooks), maxWebhooks)
			}
		}},
		key{"watch", r.watch})
}

var (
	currencyCode = regexp.MustCompile(`^[A-Z]{3}$`)
	// variable is a name of an environment variable as POSIX has it
	// (https://pubs.opengroup.org/onlinepubs/9799919799/basedefs/V1_chap08.html),
	// in either case.
	variable = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)
)

func (r *reader) currency(n *yaml.Node) {
	if r.name(n, "currency", &r.p.Currency); r.p.Currency != "" && !currencyCode.MatchString(r.p.Currency) {
		r.fail(n, "currency is %s: use the three capital letters of ISO 4217, as in EUR", quoted(r.p.Currency))
	}
}

// profile reads what an organisation is to those who attack.
func (r *reader) profile(n *yaml.Node) {
	p := &r.p.Profile
	r.object(n, "profile",
		key{"sectors", func(n *yaml.Node) {
			r.chosen(n, "sectors", &p.Sectors, strings.ToLower, exposure.ValidSector, nearSectors)
		}},
		key{"countries", func(n *yaml.Node) {
			r.chosen(n, "countries", &p.Countries, strings.ToUpper, exposure.ValidCountry, nearCountries)
		}})
	if n.Kind == yaml.MappingNode && len(n.Content) == 0 {
		r.fail(n, "the profile says nothing: add sectors or countries, or leave the key out")
	}
}

// chosen reads words of a list that everybody uses, in whatever case they are
// written; repeated ones count once.
func (r *reader) chosen(n *yaml.Node, what string, to *[]string, spelled func(string) string, valid func(string) bool, near func(string) string) {
	r.values(n, what, func(n *yaml.Node) {
		var s string
		if r.name(n, what, &s); s == "" {
			return
		}
		switch word := spelled(s); {
		case !valid(word):
			r.fail(n, "%s has %s, which is not known: use %s", what, quoted(s), near(word))
		case !slices.Contains(*to, word):
			*to = append(*to, word)
		}
	})
}

// nearSectors are the sectors that may have been meant by a word: those that
// share the most of it, or else all.
func nearSectors(word string) string {
	var best []string
	most := 0
	for _, s := range exposure.Sectors() {
		n := shared(word, s)
		if n > most {
			best, most = nil, n
		}
		if n == most {
			best = append(best, s)
		}
	}
	if most < 3 {
		best = exposure.Sectors()
	}
	return "one of " + strings.Join(best, ", ")
}

// nearCountries says how a country is written.
func nearCountries(word string) string {
	if word == "UK" {
		return "GB for the United Kingdom"
	}
	return "the two letters of ISO 3166-1 for each, as in DE"
}

// shared is the length of the longest part that two words have in common.
func shared(a, b string) int {
	longest := 0
	for i := range len(a) {
		for n := longest + 1; i+n <= len(a) && strings.Contains(b, a[i:i+n]); n++ {
			longest = n
		}
	}
	return longest
}

// unique complains of a name that is there already.
func (r *reader) unique(n *yaml.Node, what, name string, seen map[string]int) {
	at := child(n, "name")
	if name == "" || at == nil {
		return
	}
	if line, twice := seen[fold(name)]; twice {
		r.fail(at, "there is a %s %s in line %d already: rename one", what, quoted(name), line)
		return
	}
	seen[fold(name)] = at.Line
}

// plain reads a name that patterns speak of, so it has no wildcards itself.
func (r *reader) plain(n *yaml.Node, what string, to *string) {
	if r.name(n, what, to); wild(*to) {
		r.fail(n, "%s is %s: * and ? stand in patterns only, so leave them out", what, quoted(*to))
	}
}

func (r *reader) owner(n *yaml.Node, to *string, rule int) {
	r.plain(n, "owner", to)
	if fold(*to) == nobody {
		r.fail(n, "owner is none, which means nobody: leave the key out, or use another name")
		return
	}
	r.give("owner", *to, rule)
}

func (r *reader) service(n *yaml.Node) {
	var s Service
	r.object(n, "a service",
		key{"name", func(n *yaml.Node) { r.plain(n, "name", &s.Name) }},
		key{"tier", func(n *yaml.Node) { r.whole(n, "tier", &s.Tier, 1, 4) }},
		key{"owner", func(n *yaml.Node) { r.owner(n, &s.Owner, -1) }},
		key{"impact", func(n *yaml.Node) { s.Impact = r.impact(n, "impact", 0, maxAmount) }},
		key{"criticality", func(n *yaml.Node) { s.Criticality = r.impact(n, "criticality", 1, 5) }},
		key{"data", func(n *yaml.Node) { r.nameList(n, "data", &s.Data) }},
		key{"regulations", func(n *yaml.Node) { r.nameList(n, "regulations", &s.Regulations) }})
	r.need(n, "a service", "name")
	r.unique(n, "service", s.Name, r.services)
	r.p.Services = append(r.p.Services, s)
}

func (r *reader) impact(n *yaml.Node, what string, least, most float64) *Impact {
	var i Impact
	r.object(n, what,
		key{"confidentiality", func(n *yaml.Node) { r.number(n, what+".confidentiality", &i.Confidentiality, least, most) }},
		key{"integrity", func(n *yaml.Node) { r.number(n, what+".integrity", &i.Integrity, least, most) }},
		key{"availability", func(n *yaml.Node) { r.number(n, what+".availability", &i.Availability, least, most) }})
	return &i
}

func (r *reader) rule(n *yaml.Node) {
	var u Rule
	number := len(r.p.Assets)
	r.object(n, "a rule",
		key{"match", func(n *yaml.Node) { u.Match = r.selector(n, "match", number) }},
		key{"tags", func(n *yaml.Node) {
			r.plainList(n, "tags", &u.Tags, func(_ *yaml.Node, name string) { r.give("tag", name, number) })
		}},
		key{"owner", func(n *yaml.Node) { r.owner(n, &u.Owner, number) }},
		key{"reach", func(n *yaml.Node) {
			if r.word(n, "reach", &u.Reach) && u.Reach == exposure.ReachUnknown {
				r.fail(n, "reach is unknown, which says nothing: leave the key out")
			}
		}},
		key{"tier", func(n *yaml.Node) { r.whole(n, "tier", &u.Tier, 1, 4) }},
		key{"services", func(n *yaml.Node) {
			r.plainList(n, "services", &u.Services, func(n *yaml.Node, name string) {
				r.give("service", name, number)
				r.use(n, "services", "service", name, everything)
			})
		}},
		key{"controls", func(n *yaml.Node) { r.controls(n, &u) }})
	if r.need(n, "a rule", "match"); n.Kind == yaml.MappingNode && len(n.Content) == 2 && child(n, "match") != nil {
		r.fail(n, "the rule says nothing of what it matches: add tags, owner, reach, tier, services or controls")
	}
	r.p.Assets = append(r.p.Assets, u)
	r.lines.rules = append(r.lines.rules, n.Line)
}

// plainList reads plain names, of which repeated ones count once.
func (r *reader) plainList(n *yaml.Node, what string, to *[]string, each func(n *yaml.Node, name string)) {
	seen := map[string]bool{}
	r.values(n, what, func(n *yaml.Node) {
		var s string
		if r.plain(n, what, &s); s == "" || seen[fold(s)] {
			return
		}
		seen[fold(s)] = true
		*to = append(*to, s)
		each(n, s)
	})
}

func (r *reader) controls(n *yaml.Node, u *Rule) {
	seen := map[string]int{}
	r.list(n, "controls", func(n *yaml.Node) {
		var c Control
		r.object(n, "a control",
			key{"name", func(n *yaml.Node) { r.name(n, "name", &c.Name) }},
			key{"effectiveness", func(n *yaml.Node) { r.number(n, "effectiveness", &c.Effectiveness, 0, 1) }},
			key{"coverage", func(n *yaml.Node) { r.number(n, "coverage", &c.Coverage, 0, 1) }})
		r.need(n, "a control", "name", "effectiveness", "coverage")
		r.unique(n, "control", c.Name, seen)
		u.Controls = append(u.Controls, c)
	})
}

func (r *reader) exclusion(n *yaml.Node) {
	var e Exclusion
	r.object(n, "an exclusion",
		key{"match", func(n *yaml.Node) { e.Match = r.selector(n, "match", everything) }},
		key{"reason", func(n *yaml.Node) { r.text(n, "reason", &e.Reason) }})
	r.need(n, "an exclusion", "match")
	r.p.Exclusions = append(r.p.Exclusions, e)
	r.lines.exclusions = append(r.lines.exclusions, n.Line)
}

func (r *reader) scope(n *yaml.Node) {
	var s Scope
	r.object(n, "a scope",
		key{"name", func(n *yaml.Node) { r.plain(n, "name", &s.Name) }},
		key{"objective", func(n *yaml.Node) { r.text(n, "objective", &s.Objective) }},
		key{"owner", func(n *yaml.Node) { r.name(n, "owner", &s.Owner) }},
		key{"in", func(n *yaml.Node) { s.In = r.selectors(n, "in", everything) }},
		key{"out", func(n *yaml.Node) { s.Out = r.selectors(n, "out", everything) }},
		key{"frameworks", func(n *yaml.Node) { r.nameList(n, "frameworks", &s.Frameworks) }})
	r.need(n, "a scope", "name", "in")
	r.unique(n, "scope", s.Name, r.scopes)
	r.p.Scopes = append(r.p.Scopes, s)
	r.lines.scopes = append(r.lines.scopes, n.Line)
}

// watch reads the watch list. An entry that names nearly everything would make
// an alert of nearly everything.
func (r *reader) watch(n *yaml.Node) {
	lines := map[string]int{}
	r.list(n, "watch", func(n *yaml.Node) {
		var s string
		r.name(n, "an entry of watch", &s)
		line, twice := lines[fold(s)]
		switch {
		case s == "":
		case len(strings.Trim(s, "*? ")) < minWatch:
			r.fail(n, "watch has %s, which names nearly everything: write at least %d characters that are no * or ?", quoted(s), minWatch)
		case twice:
			r.fail(n, "watch has %s in line %d already: keep one", quoted(s), line)
		default:
			lines[fold(s)] = n.Line
			r.p.Watch = append(r.p.Watch, s)
		}
	})
	if len(r.p.Watch) > maxWatch {
		r.fail(n, "watch has %d entries, and at most %d are allowed", len(r.p.Watch), maxWatch)
	}
}

// risk reads what the risk model checks more closely.
func (r *reader) risk(n *yaml.Node) {
	k := &Risk{}
	r.p.Risk = k
	r.object(n, "risk",
		key{"targeted", func(n *yaml.Node) { r.amount(n, "targeted", &k.Targeted) }},
		key{"actors", func(n *yaml.Node) { r.amount(n, "actors", &k.Actors) }},
		key{"loss_min", func(n *yaml.Node) { r.amount(n, "loss_min", &k.LossMin) }},
		key{"loss_max", func(n *yaml.Node) { r.amount(n, "loss_max", &k.LossMax) }},
		key{"loss", func(n *yaml.Node) { r.amount(n, "loss", &k.Loss) }},
		key{"bands", func(n *yaml.Node) { r.wholes(n, "bands", &k.Bands, 1, 1000) }},
		key{"sla", func(n *yaml.Node) { r.wholes(n, "sla", &k.SLA, 0, 3650) }},
		key{"policies", func(n *yaml.Node) { r.nameList(n, "policies", &k.Policies) }},
		key{"weights", func(n *yaml.Node) { k.Weights = r.weights(n) }})
	r.lines.risk = map[string]int{}
	place(n, "", r.lines.risk)
}

func (r *reader) webhook(n *yaml.Node) {
	var w Webhook
	r.object(n, "a webhook",
		key{"name", func(n *yaml.Node) { r.name(n, "name", &w.Name) }},
		key{"url", func(n *yaml.Node) {
			// The address may hold a token, so messages do not repeat it.
			if r.words(n, "url", &w.URL, maxURL, false); w.URL == "" {
				return
			}
			if u, err := url.Parse(w.URL); err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" {
				r.fail(n, "url is no address that messages can be sent to: write it as https://host/path")
			}
		}},
		key{"secret_env", func(n *yaml.Node) {
			if r.name(n, "secret_env", &w.SecretEnv); w.SecretEnv != "" && !variable.MatchString(w.SecretEnv) {
				// It may be the secret itself.
				r.fail(n, "secret_env is no name of an environment variable: use letters, digits and _, and never the secret itself")
			}
		}},
		key{"events", func(n *yaml.Node) { r.events(n, &w.Events) }})
	r.need(n, "a webhook", "name", "url", "secret_env", "events")
	r.unique(n, "webhook", w.Name, r.webhooks)
	r.p.Webhooks = append(r.p.Webhooks, w)
}

func (r *reader) events(n *yaml.Node, to *[]exposure.Notice) {
	r.values(n, "events", func(n *yaml.Node) {
		var s string
		r.name(n, "events", &s)
		switch e := exposure.Notice(s); {
		case s == "" || slices.Contains(*to, e):
		case !slices.Contains(exposure.Notices(), e):
			r.fail(n, "there is no event %s: use some of %s", quoted(s), strings.Join(texts(exposure.Notices()), ", "))
		default:
			*to = append(*to, e)
		}
	})
}
