package config

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"

	"go.yaml.in/yaml/v4"
	"go.yaml.in/yaml/v4/plugin/loaderlimits"
)

// Bounds of a document.
const (
	maxDocuments = 2_000
	maxNodes     = 300_000 // values, with what aliases stand for
	maxNesting   = 100
)

var errLarge = fmt.Errorf("it is larger or deeper than %d values and %d levels", maxNodes, maxNesting)

// document is one of a file, with the line where it begins.
type document struct {
	value any
	line  int
}

// documents reads the YAML documents of a file.
func documents(body []byte) (all []document, err error) {
	l, err := yaml.NewLoader(bytes.NewReader(body), yaml.WithUniqueKeys(false), yaml.WithPlugin(loaderlimits.New(loaderlimits.DepthValue(maxNesting))))
	if err != nil {
		return nil, err
	}
	t := treeMaker{}
	for len(all) < maxDocuments {
		var n yaml.Node
		if err := l.Load(&n); errors.Is(err, io.EOF) {
			return all, nil
		} else if err != nil {
			return all, err
		}
		v, err := t.value(&n, 0)
		if err != nil {
			return all, err
		}
		if v != nil {
			all = append(all, document{v, max(1, n.Line)})
		}
	}
	return all, fmt.Errorf("it has more than %d documents", maxDocuments)
}

// treeMaker turns nodes into values, and counts them.
type treeMaker struct{ nodes int }

func (t *treeMaker) value(n *yaml.Node, depth int) (any, error) {
	if t.nodes++; t.nodes > maxNodes || depth > maxNesting {
		return nil, errLarge
	}
	if function(n) {
		return unknownValue, nil
	}
	switch n.Kind {
	case yaml.DocumentNode:
		if len(n.Content) == 0 {
			return nil, nil
		}
		return t.value(n.Content[0], depth)
	case yaml.AliasNode:
		if n.Alias == nil {
			return nil, nil
		}
		return t.value(n.Alias, depth+1) // a circle ends at the deepest level
	case yaml.SequenceNode:
		all := make([]any, 0, min(len(n.Content), 64))
		for _, c := range n.Content {
			v, err := t.value(c, depth+1)
			if err != nil {
				return nil, err
			}
			all = append(all, v)
		}
		return all, nil
	case yaml.MappingNode:
		all := map[string]any{}
		for i := 0; i+1 < len(n.Content); i += 2 {
			v, err := t.value(n.Content[i+1], depth+1)
			if err != nil {
				return nil, err
			}
			k := n.Content[i]
			if inner, ok := v.(map[string]any); ok && k.Tag == "!!merge" {
				for name, x := range inner {
					if _, set := all[name]; !set {
						all[name] = x
					}
				}
				continue
			}
			all[k.Value] = v
		}
		return all, nil
	}
	return scalar(n), nil
}

// function reports whether a value is one of CloudFormation's functions in short,
// whose value is known when a stack is made: !Ref, !GetAtt and the like.
func function(n *yaml.Node) bool {
	switch n.Tag {
	case "!Ref", "!GetAtt", "!If", "!ImportValue", "!FindInMap", "!Select", "!Join", "!Split", "!Transform":
		return true
	}
	return false
}

func scalar(n *yaml.Node) any {
	switch n.ShortTag() {
	case "!!null":
		return nil
	case "!!bool":
		var b bool
		if n.Decode(&b) == nil {
			return b
		}
	case "!!int":
		if v, err := strconv.ParseInt(n.Value, 0, 64); err == nil {
			return v
		}
	case "!!float":
		if v, err := strconv.ParseFloat(n.Value, 64); err == nil {
			return v
		}
	}
	return n.Value
}

// fromJSON reads a JSON document.
func fromJSON(body []byte) (any, error) {
	if err := shallow(body); err != nil {
		return nil, err
	}
	var v any
	if err := json.Unmarshal(body, &v); err != nil {
		return nil, err
	}
	return v, nil
}

// shallow refuses JSON that is nested deeply, or has very many values, before
// anything is made of it.
func shallow(body []byte) error {
	depth, marks, inside := 0, 0, false
	for i := 0; i < len(body); i++ {
		switch c := body[i]; {
		case inside && c == '\\':
			i++
		case c == '"':
			inside = !inside
		case inside:
		case c == '{' || c == '[':
			marks++
			depth++
		case c == '}' || c == ']':
			depth--
		case c == ',':
			marks++
		}
		if depth > maxNesting || marks > maxNodes {
			return errLarge
		}
	}
	return nil
}

func sortedKeys(m map[string]any) []string { return slices.Sorted(maps.Keys(m)) }

func mapOf(v any) map[string]any {
	m, _ := v.(map[string]any)
	return m
}
