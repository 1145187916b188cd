package scope

import (
	"strings"

	"go.yaml.in/yaml/v4"

	"github.com/leeward-ctem/leeward/exposure"
)

// selector reads a selector that is asked after as many rules as before says.
func (r *reader) selector(n *yaml.Node, what string, before int) Selector {
	var s Selector
	r.object(n, what,
		key{"name", func(n *yaml.Node) { r.patterns(n, "name", &s.Name) }},
		key{"kind", func(n *yaml.Node) { wordList(r, n, "kind", &s.Kind) }},
		key{"cidr", func(n *yaml.Node) { r.networks(n, &s) }},
		key{"identifier", func(n *yaml.Node) { r.identifiers(n, &s) }},
		key{"os", func(n *yaml.Node) { r.patterns(n, "os", &s.OS) }},
		key{"tag", func(n *yaml.Node) { r.usedNames(n, "tag", &s.Tag, before) }},
		key{"service", func(n *yaml.Node) { r.usedNames(n, "service", &s.Service, before) }},
		key{"owner", func(n *yaml.Node) { r.usedNames(n, "owner", &s.Owner, before) }},
		key{"reach", func(n *yaml.Node) { wordList(r, n, "reach", &s.Reach) }},
		key{"tier", func(n *yaml.Node) { r.wholes(n, "tier", &s.Tier, 0, 4) }},
		key{"any", func(n *yaml.Node) { s.Any = r.selectors(n, "any", before) }},
		key{"not", func(n *yaml.Node) { s.Not = r.selectors(n, "not", before) }})
	if n.Kind == yaml.MappingNode && len(n.Content) == 0 {
		r.fail(n, `%s is empty: write {name: "*"} if every asset is meant`, what)
	}
	return s
}

// selectors reads one selector or a list of them.
func (r *reader) selectors(n *yaml.Node, what string, before int) []Selector {
	var all []Selector
	each := func(n *yaml.Node) { all = append(all, r.selector(n, what, before)) }
	if n.Kind == yaml.MappingNode {
		each(n)
		return all
	}
	if r.list(n, what, each); n.Kind == yaml.SequenceNode && len(n.Content) == 0 {
		r.fail(n, "%s is an empty list: add a selector, or leave the key out", what)
	}
	return all
}

func (r *reader) patterns(n *yaml.Node, what string, to *[]string) {
	seen := map[string]bool{}
	r.values(n, what, func(n *yaml.Node) {
		var s string
		if r.words(n, what, &s, maxPattern, false); s != "" && !seen[s] {
			seen[s] = true
			*to = append(*to, s)
		}
	})
}

func (r *reader) identifiers(n *yaml.Node, s *Selector) {
	r.values(n, "identifier", func(n *yaml.Node) {
		var p string
		if r.words(n, "identifier", &p, maxPattern, false); p == "" {
			return
		}
		if _, _, ok := splitIdentifier(p); !ok {
			kind, _, _ := strings.Cut(p, ":")
			r.fail(n, "identifier is %s, and no asset can have that %s: correct it", quoted(p), kind)
			return
		}
		s.Identifier = append(s.Identifier, p)
	})
}

func (r *reader) networks(n *yaml.Node, s *Selector) {
	r.values(n, "cidr", func(n *yaml.Node) {
		var text string
		if r.name(n, "cidr", &text); text == "" {
			return
		}
		p, reason := parseNetwork(text)
		if reason != "" {
			r.fail(n, "cidr: %s %s", quoted(text), reason)
			return
		}
		s.CIDR = append(s.CIDR, p)
	})
}

// wordList reads words of an enum.
func wordList[T interface {
	exposure.AssetKind | exposure.Reach
}, P interface {
	*T
	UnmarshalText([]byte) error
}](r *reader, n *yaml.Node, what string, to *[]T) {
	r.values(n, what, func(n *yaml.Node) {
		var v T
		if r.word(n, what, P(&v)) {
			*to = append(*to, v)
		}
	})
}

// use is a place where a tag, service or owner is named that must come from
// somewhere else in the file.
type use struct {
	at      *yaml.Node
	key     string
	what    string // tag, service or owner
	pattern string // folded
	before  int    // rules that can have given it
}

func (r *reader) usedNames(n *yaml.Node, what string, to *[]string, before int) {
	r.values(n, what, func(n *yaml.Node) {
		var s string
		if r.name(n, what, &s); s == "" {
			return
		}
		*to = append(*to, s)
		r.use(n, what, what, s, before)
	})
}

func (r *reader) use(n *yaml.Node, key, what, name string, before int) {
	if name == "" || what == "owner" && fold(name) == nobody {
		return
	}
	if wild(name) {
		if r.wild++; r.wild == maxWild+1 {
			r.fail(n, "more than %d patterns of tags, services and owners have * or ?: name some outright", maxWild)
		}
		if r.wild > maxWild {
			return
		}
	}
	r.uses = append(r.uses, use{n, key, what, fold(name), before})
}

// give notes that a rule gives assets a tag, service or owner.
func (r *reader) give(what, name string, rule int) {
	given := r.given[what]
	if first, known := given[fold(name)]; name != "" && (!known || rule < first) {
		given[fold(name)] = rule
	}
}

// resolve complains of names that nothing in the file gives a meaning: a
// misspelt one would silently match nothing.
func (r *reader) resolve() {
	if tags := len(r.given["tag"]); tags > maxTags {
		r.fail(&yaml.Node{}, "the rules give %d different tags, and at most %d are allowed", tags, maxTags)
		return
	}
	for _, u := range r.uses {
		if u.what == "service" && !r.declared(u.pattern) {
			r.fail(u.at, "%s names the service %s, which is not among the services: correct the name, or add the service", u.key, quoted(u.at.Value))
			continue
		}
		if u.key == "services" || r.givenBefore(&u) {
			continue
		}
		if u.before < everything {
			r.fail(u.at, "%s is %s, and no rule before this one gives it: correct the name, or move the rule down", u.key, quoted(u.at.Value))
		} else {
			r.fail(u.at, "%s is %s, and no rule gives it: correct the name, or add a rule", u.key, quoted(u.at.Value))
		}
	}
}

// declared reports whether a service fits the pattern.
func (r *reader) declared(pattern string) bool {
	if _, known := r.services[pattern]; known || !wild(pattern) {
		return known
	}
	for name := range r.services {
		if glob(pattern, name) {
			return true
		}
	}
	return false
}

func (r *reader) givenBefore(u *use) bool {
	given := r.given[u.what]
	if rule, known := given[u.pattern]; known || !wild(u.pattern) {
		return known && rule < u.before
	}
	for name, rule := range given {
		if rule < u.before && glob(u.pattern, name) {
			return true
		}
	}
	return false
}
