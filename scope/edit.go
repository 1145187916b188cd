package scope

import (
	"bytes"
	"net/netip"
	"strconv"

	"go.yaml.in/yaml/v4"

	"github.com/leeward-ctem/leeward/exposure"
)

// PutService returns a programme file with a business service added, or with
// the one named was changed; a new name is taken up wherever the old one is
// used. assets are patterns of names, and networks, that support it: they are
// kept in rules that say nothing else. All else that the file says stays, with
// its comments. The result is checked like any other file when it is parsed.
func PutService(body []byte, was string, s Service, assets []string) ([]byte, error) {
	if _, err := Parse("programme", body); err != nil {
		return nil, err
	}
	l, err := yaml.NewLoader(bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	var doc yaml.Node
	var comments []byte
	if err := l.Load(&doc); err != nil || len(doc.Content) != 1 || doc.Content[0].Kind != yaml.MappingNode {
		// It says nothing yet, apart perhaps from comments.
		doc = yaml.Node{Kind: yaml.DocumentNode, Content: []*yaml.Node{{Kind: yaml.MappingNode}}}
		for line := range bytes.Lines(body) {
			if bytes.HasPrefix(bytes.TrimSpace(line), []byte("#")) {
				comments = append(append(comments, bytes.TrimSpace(line)...), '\n')
			}
		}
	}
	root := doc.Content[0]
	services := listOf(root, "services")
	at := named(services, s.Name)
	if was != "" {
		old := named(services, was)
		if old == nil {
			return nil, exposure.Errorf(exposure.Conflict, "there is no service %s any more: somebody removed or renamed it", quoted(was))
		}
		if at != nil && at != old {
			return nil, exposure.Errorf(exposure.Conflict, "there is a service %s already: choose another name", quoted(s.Name))
		}
		at = old
		for _, key := range []string{"assets", "exclusions", "scopes"} {
			if n := child(root, key); n != nil {
				renameService(n, was, s.Name)
			}
		}
	} else if at != nil {
		return nil, exposure.Errorf(exposure.Conflict, "there is a service %s already: change that one", quoted(s.Name))
	}
	if at == nil {
		at = &yaml.Node{Kind: yaml.MappingNode}
		services.Content = append(services.Content, at)
	}
	writeService(at, &s)
	names, networks := splitAssets(assets)
	writeRule(root, s.Name, "name", names)
	writeRule(root, s.Name, "cidr", networks)
	text, err := yaml.Dump(&doc, yaml.WithIndent(2), yaml.WithCompactSeqIndent(false), yaml.WithQuotePreference(yaml.QuoteDouble), yaml.WithLineWidth(-1), yaml.WithUnicode(true))
	return append(comments, text...), err
}

// AssetsOf are the patterns of names and the networks that [PutService] keeps
// for a service.
func (p *Programme) AssetsOf(service string) []string {
	var names, networks []string
	for i := range p.Assets {
		r := &p.Assets[i]
		if len(r.Services) != 1 || fold(r.Services[0]) != fold(service) || r.Owner != "" || r.Tier != 0 || r.Reach != exposure.ReachUnknown || len(r.Tags)+len(r.Controls) > 0 {
			continue
		}
		only := func(s Selector) bool { return s.key() == r.Match.key() }
		switch {
		case names == nil && len(r.Match.Name) > 0 && only(Selector{Name: r.Match.Name}):
			names = r.Match.Name
		case networks == nil && len(r.Match.CIDR) > 0 && only(Selector{CIDR: r.Match.CIDR}):
			networks = texts(r.Match.CIDR)
		}
	}
	return append(append([]string{}, names...), networks...)
}

func splitAssets(assets []string) (names, networks []string) {
	for _, a := range assets {
		if _, err := netip.ParsePrefix(a); err == nil {
			networks = append(networks, a)
		} else {
			names = append(names, a)
		}
	}
	return names, networks
}

// writeRule keeps one rule that gives assets of certain names or networks to a
// service and says nothing else.
func writeRule(root *yaml.Node, service, part string, values []string) {
	if child(root, "assets") == nil && len(values) == 0 {
		return
	}
	rules := listOf(root, "assets")
	for i, rule := range rules.Content {
		match, given := child(rule, "match"), child(rule, "services")
		if len(rule.Content) != 4 || match == nil || len(match.Content) != 2 || child(match, part) == nil || !only(given, service) {
			continue
		}
		if len(values) > 0 {
			put(match, part, sequence(values))
		} else if rules.Content = append(rules.Content[:i], rules.Content[i+1:]...); len(rules.Content) == 0 {
			put(root, "assets", nil)
		}
		return
	}
	if len(values) == 0 {
		return
	}
	match, rule := &yaml.Node{Kind: yaml.MappingNode, Style: yaml.FlowStyle}, &yaml.Node{Kind: yaml.MappingNode}
	put(match, part, sequence(values))
	put(rule, "match", match)
	put(rule, "services", sequence([]string{service}))
	rules.Content = append(rules.Content, rule)
}

// only reports whether a value is one name, alone or in a list.
func only(n *yaml.Node, name string) bool {
	if n != nil && n.Kind == yaml.SequenceNode && len(n.Content) == 1 {
		n = n.Content[0]
	}
	return n != nil && n.Kind == yaml.ScalarNode && fold(n.Value) == fold(name)
}

func writeService(n *yaml.Node, s *Service) {
	put(n, "name", scalar(s.Name))
	var tier, owner *yaml.Node
	if s.Tier > 0 {
		tier = number(float64(s.Tier))
	}
	if s.Owner != "" {
		owner = scalar(s.Owner)
	}
	put(n, "tier", tier)
	put(n, "owner", owner)
	if s.Impact == nil {
		put(n, "impact", nil)
		return
	}
	impact := &yaml.Node{Kind: yaml.MappingNode, Style: yaml.FlowStyle}
	for _, v := range []struct {
		key    string
		amount float64
	}{{"confidentiality", s.Impact.Confidentiality}, {"integrity", s.Impact.Integrity}, {"availability", s.Impact.Availability}} {
		if v.amount > 0 {
			put(impact, v.key, number(v.amount))
		}
	}
	put(n, "impact", impact)
}

// renameService changes a service's name wherever rules and selectors say it.
func renameService(n *yaml.Node, was, name string) {
	for i, c := range n.Content {
		if n.Kind == yaml.MappingNode && i%2 == 1 && (n.Content[i-1].Value == "services" || n.Content[i-1].Value == "service") {
			for _, v := range append([]*yaml.Node{c}, c.Content...) {
				if v.Kind == yaml.ScalarNode && fold(v.Value) == fold(was) {
					v.SetString(name)
				}
			}
			continue
		}
		renameService(c, was, name)
	}
}

// listOf is the list of a key, which is made when it is not there.
func listOf(n *yaml.Node, key string) *yaml.Node {
	if c := child(n, key); c != nil && c.Kind == yaml.SequenceNode {
		c.Style &^= yaml.FlowStyle // entries are added below each other
		return c
	}
	c := &yaml.Node{Kind: yaml.SequenceNode}
	put(n, key, c)
	return c
}

// named is the entry of a list that has a name; nil when none has.
func named(list *yaml.Node, name string) *yaml.Node {
	for _, c := range list.Content {
		if n := child(c, "name"); n != nil && fold(n.Value) == fold(name) {
			return c
		}
	}
	return nil
}

// put sets the value of a key; nil takes the key away.
func put(n *yaml.Node, key string, value *yaml.Node) {
	for i := 0; i+1 < len(n.Content); i += 2 {
		if n.Content[i].Value != key {
			continue
		}
		if value == nil {
			n.Content = append(n.Content[:i], n.Content[i+2:]...)
		} else {
			value.LineComment = n.Content[i+1].LineComment
			n.Content[i+1] = value
		}
		return
	}
	if value != nil {
		n.Content = append(n.Content, &yaml.Node{Kind: yaml.ScalarNode, Value: key}, value)
	}
}

func scalar(text string) *yaml.Node {
	n := &yaml.Node{}
	n.SetString(text)
	return n
}

func number(x float64) *yaml.Node {
	return &yaml.Node{Kind: yaml.ScalarNode, Value: strconv.FormatFloat(x, 'f', -1, 64)}
}

func sequence(values []string) *yaml.Node {
	n := &yaml.Node{Kind: yaml.SequenceNode, Style: yaml.FlowStyle}
	for _, v := range values {
		n.Content = append(n.Content, scalar(v))
	}
	return n
}
