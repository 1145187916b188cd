package sarif

import (
	"cmp"
	"errors"

	"github.com/leeward-ctem/leeward/exposure"
)

// tool walks the description of the tool: its driver and extensions, or what
// stood there before 2.1.0.
func (w *walk) tool() error {
	var name, version, semantic text
	err := w.json.Object(func(member string) error {
		switch member {
		case "driver":
			return w.component(&w.facts.driver, true)
		case "extensions":
			return w.json.Array(func() error {
				if len(w.facts.extensions) >= maxTags {
					return w.json.Skip()
				}
				w.facts.extensions = append(w.facts.extensions, component{})
				return w.component(&w.facts.extensions[len(w.facts.extensions)-1], false)
			})
		case "name":
			return w.Lose(w.value(&name))
		case "version":
			return w.Lose(w.value(&version))
		case "semanticVersion":
			return w.Lose(w.value(&semantic))
		}
		return w.json.Skip()
	})
	if name != "" {
		w.facts.named(name.trim(), cmp.Or(semantic.trim(), version.trim()))
	}
	return err
}

// component walks the driver or an extension.
func (w *walk) component(c *component, driver bool) error {
	var name, version, semantic text
	err := w.json.Object(func(member string) error {
		switch member {
		case "name":
			return w.Lose(w.value(&name))
		case "version":
			return w.Lose(w.value(&version))
		case "semanticVersion":
			return w.Lose(w.value(&semantic))
		case "rules":
			return w.rules(c)
		case "globalMessageStrings":
			if !driver {
				return w.json.Skip()
			}
			return w.messages()
		}
		return w.json.Skip()
	})
	c.name = name.trim()
	if driver {
		w.facts.named(c.name, cmp.Or(semantic.trim(), version.trim()))
	}
	return err
}

// rules walks a list of rules, or the map of them that stood there before 2.1.0.
func (w *walk) rules(c *component) error {
	one := func(id string) error {
		var o ruleObject
		return w.keep(&o, func() {
			if o.ID == "" {
				o.ID = text(id)
			}
			c.add(newRule(&o))
		}, len(c.rules))
	}
	if w.json.Kind() == '{' {
		return w.json.Object(one)
	}
	return w.json.Array(func() error { return one("") })
}

func (w *walk) messages() error {
	var all map[string]message
	return w.keep(&all, func() {
		w.facts.shared = map[string]string{}
		for id, m := range all {
			w.facts.shared[id] = start(m.plain())
		}
	}, 0)
}

// resources walks what is in tool.driver since 2.1.0.
func (w *walk) resources() error {
	return w.json.Object(func(name string) error {
		switch name {
		case "rules":
			return w.rules(&w.facts.driver)
		case "messageStrings":
			return w.messages()
		}
		return w.json.Skip()
	})
}

// files walks the artifacts as they were before 2.1.0: a map by their name, or
// a list.
func (w *walk) files() error {
	one := func(name string) error {
		var a struct {
			Location artifactLocation `json:"fileLocation"`
		}
		return w.keep(&a, func() {
			if a.Location.URI == "" {
				a.Location.URI = text(name)
			}
			w.facts.artifacts = append(w.facts.artifacts, a.Location)
		}, len(w.facts.artifacts))
	}
	if w.json.Kind() == '{' {
		return w.json.Object(one)
	}
	return w.json.Array(func() error { return one("") })
}

func (w *walk) taxonomy() error {
	if len(w.facts.taxonomies) >= maxTags {
		return w.json.Skip()
	}
	var t taxonomy
	err := w.json.Object(func(member string) error {
		switch member {
		case "name":
			var name text
			err := w.value(&name)
			t.name = name.trim()
			return w.Lose(err)
		case "taxa":
			return w.json.Array(func() error {
				var taxon struct {
					ID text `json:"id"`
				}
				return w.keep(&taxon, func() { t.ids = append(t.ids, taxon.ID.trim()) }, len(t.ids))
			})
		}
		return w.json.Skip()
	})
	w.facts.taxonomies = append(w.facts.taxonomies, t)
	return err
}

// seen is a class of checks that results belong to, with their rules.
type seen struct {
	class string
	rules []string
	index map[string]bool
}

func (w *walk) class(name string) *seen {
	for i := range w.classes {
		if w.classes[i].class == name {
			return &w.classes[i]
		}
	}
	w.classes = append(w.classes, seen{class: name, index: map[string]bool{}})
	return &w.classes[len(w.classes)-1]
}

func (s *seen) add(rule string) {
	if rule != "" && !s.index[rule] && len(s.rules) < maxKept {
		s.index[rule] = true
		s.rules = append(s.rules, rule)
	}
}

// noted remembers what coverage needs of an observation.
func (w *walk) noted(o *exposure.Observation) {
	w.sent++
	w.class(o.Class).add(identity(o.Rule, o.Advisories, o.Aliased))
}

// identity is what a rule is known by in coverage: its advisory, else its id.
func identity(rule string, advisories []string, aliased bool) string {
	if len(advisories) > 0 && (len(advisories) == 1 || aliased || rule == "") {
		return exposure.Canonical(advisories)
	}
	return rule
}

// conclude ends a run: it states the run, and what the run covers.
func (w *walk) conclude() error {
	if err := w.state(); err != nil {
		return err
	}
	f := w.facts
	asset := f.asset("")
	if asset.IsZero() {
		return nil
	}
	if w.sent == 0 {
		err := w.Send(exposure.Observation{Kind: exposure.ObservedInventory, Tool: f.run.Tool, Asset: asset})
		if err != nil {
			return err
		}
	}
	if !f.successful || f.troubled || f.run.Failed || w.lost || asset.Kind != exposure.AssetRepository {
		return nil
	}
	listed := w.listed()
	if len(w.classes) == 0 {
		w.class(f.class(nil, nil))
	}
	for _, s := range w.classes {
		c := &exposure.Coverage{Class: s.class}
		if listed {
			c.Rules = s.rules
		}
		if err := w.Send(exposure.Observation{Kind: exposure.ObservedCoverage, Tool: f.run.Tool, Class: s.class, Asset: asset, Coverage: c}); err != nil {
			return err
		}
	}
	return nil
}

// listed adds the enabled rules that the tool lists to their classes, and
// reports whether there are any.
func (w *walk) listed() bool {
	f := w.facts
	any := false
	for i := -1; i < len(f.extensions); i++ {
		c := &f.driver
		if i >= 0 {
			c = &f.extensions[i]
		}
		for _, r := range c.rules {
			if r == nil || r.id == "" || !f.enabled(r) {
				continue
			}
			any = true
			w.class(f.class(r, r.advisories)).add(identity(r.id, r.advisories, r.aliased))
		}
	}
	return any
}

func (f *facts) enabled(r *rule) bool {
	if o, ok := f.overrides[r.id]; ok && o.Enabled != "" {
		return o.Enabled.trim() == "true"
	}
	return !r.disabled
}

var errNoRule = errors.New("a result without rule and message has no identity")
