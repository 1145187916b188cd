package scope

import (
	"go.yaml.in/yaml/v4"
)

// weights reads what leeward train prints, pasted or written as YAML. What the
// weights mean is checked with the risk model.
func (r *reader) weights(n *yaml.Node) *Weights {
	w := &Weights{Signals: map[string]float64{}}
	r.object(n, "weights",
		key{"intercept", func(n *yaml.Node) { r.number(n, "intercept", &w.Intercept, -maxAmount, maxAmount) }},
		key{"signals", func(n *yaml.Node) { r.signals(n, w.Signals) }},
		key{"horizon_days", func(n *yaml.Node) { r.whole(n, "horizon_days", &w.Horizon, 0, maxAmount) }},
		key{"fit", func(n *yaml.Node) { r.fit(n, &w.Fit) }})
	r.need(n, "weights", "intercept", "signals", "horizon_days")
	return w
}

// signals reads a weight for each of some names.
func (r *reader) signals(n *yaml.Node, to map[string]float64) {
	if n.Kind != yaml.MappingNode {
		r.fail(n, "signals must be a mapping of names to weights")
		return
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		var name string
		if r.name(n.Content[i], "the name of a signal", &name); name == "" {
			continue
		}
		if _, twice := to[name]; twice {
			r.fail(n.Content[i], "signals has %s twice: keep one", quoted(name))
			continue
		}
		var v float64
		r.number(n.Content[i+1], "the weight of "+quoted(name), &v, -maxAmount, maxAmount)
		to[name] = v
	}
}

// fit reads what stands there for people. What the fit did not state may be
// empty, as programs print it.
func (r *reader) fit(n *yaml.Node, f *Fit) {
	stated := func(name string, read func(*yaml.Node)) key {
		return key{name, func(n *yaml.Node) {
			if !empty(n) && (n.Kind != yaml.SequenceNode || len(n.Content) > 0) && (n.Kind != yaml.ScalarNode || n.Value != "") {
				read(n)
			}
		}}
	}
	number := func(name string, to *float64) key {
		return stated(name, func(n *yaml.Node) { r.number(n, name, to, -maxAmount, maxAmount) })
	}
	count := func(name string, to *int) key {
		return stated(name, func(n *yaml.Node) { r.whole(n, name, to, 0, maxAmount) })
	}
	r.object(n, "fit",
		stated("days", func(n *yaml.Node) { r.nameList(n, "days", &f.Days) }),
		stated("until", func(n *yaml.Node) { r.name(n, "until", &f.Until) }),
		count("cases", &f.Cases), count("exploited", &f.Exploited),
		number("ridge", &f.Ridge), number("deviance", &f.Deviance), number("null", &f.Null))
}

// place notes the line of each key of a mapping, by its path.
func place(n *yaml.Node, path string, lines map[string]int) {
	if n.Kind != yaml.MappingNode {
		return
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		k := path + n.Content[i].Value
		lines[k] = n.Content[i].Line
		place(n.Content[i+1], k+".", lines)
	}
}

// Complain is the error of a programme in which somebody else finds values
// wrong, in the form of the errors of [Parse]. keys are the paths of the values
// below risk, as in weights.signals.nuclei, and texts what is wrong with each.
func (p *Programme) Complain(file string, keys, texts []string) error {
	d := decoder{file: label(file)}
	for i, key := range keys {
		d.fail(&yaml.Node{Line: p.rules.lines.risk[key]}, "%s", texts[i])
	}
	return d.err()
}
