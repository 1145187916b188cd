package templates

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v4"
	"go.yaml.in/yaml/v4/plugin/loaderlimits"
)

// Bounds of files.
const (
	maxFile  = 256 << 10
	maxLevel = 32 // of nesting
)

// unsupported says that a template asks for what is deliberately not done.
type unsupported struct{ field, why string }

func (u *unsupported) Error() string { return u.field + ": " + u.why }

func refuse(field, why string) error { return &unsupported{field, why} }

// document reads the one mapping of a file. Anchors and aliases are refused, so
// that nothing is larger than it looks.
func document(body []byte) (*yaml.Node, error) {
	if len(body) > maxFile {
		return nil, fmt.Errorf("the file has %d bytes, of which at most %d are read", len(body), maxFile)
	}
	l, err := yaml.NewLoader(bytes.NewReader(body), yaml.WithUniqueKeys(false), yaml.WithPlugin(loaderlimits.New(loaderlimits.DepthValue(maxLevel), loaderlimits.AliasValue(1))))
	if err != nil {
		return nil, err
	}
	var first, second yaml.Node
	if err := l.Load(&first); err != nil {
		if errors.Is(err, io.EOF) {
			return nil, errors.New("the file is empty")
		}
		return nil, fmt.Errorf("the file is no YAML: %s", printable(cut(err.Error(), 200)))
	}
	if err := l.Load(&second); !errors.Is(err, io.EOF) {
		return nil, errors.New("the file holds more than one document")
	}
	if len(first.Content) != 1 || first.Content[0].Kind != yaml.MappingNode {
		return nil, errors.New("the file is no mapping")
	}
	return first.Content[0], plain(first.Content[0])
}

func plain(n *yaml.Node) error {
	if n.Kind == yaml.AliasNode || n.Anchor != "" {
		return fmt.Errorf("line %d: anchors and aliases are not read: write the value out", n.Line)
	}
	for _, c := range n.Content {
		if err := plain(c); err != nil {
			return err
		}
	}
	return nil
}

// printable leaves control characters out of what is shown.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || r >= 0x80 && r < 0xa0 || r == '\uFFFD' {
			return '?'
		}
		return r
	}, s)
}

// field reads one value of a mapping.
type field func(at string, n *yaml.Node) error

// anything stands for every other key of a mapping, where they do no harm.
const anything = "*"

// mapping reads a mapping. A key that nobody reads is refused: a template that
// is half understood finds what is not there.
func mapping(at string, n *yaml.Node, fields map[string]field) error {
	if n.Kind != yaml.MappingNode {
		return fmt.Errorf("%s: a mapping is expected", at)
	}
	var seen []string
	for i := 0; i+1 < len(n.Content); i += 2 {
		key := n.Content[i].Value
		name := printable(cut(key, 60))
		if at != "" {
			name = at + "." + name
		}
		f, ok := fields[key]
		if !ok {
			f, ok = fields[anything]
		}
		switch {
		case slices.Contains(seen, key):
			return fmt.Errorf("%s: stands there twice", name)
		case !ok:
			return refuse(name, "is not supported")
		}
		seen = append(seen, key)
		if err := f(name, n.Content[i+1]); err != nil {
			return err
		}
	}
	return nil
}

// ignored is a field that changes nothing here.
func ignored(string, *yaml.Node) error { return nil }

// refused is a field that says that a template needs what is not done.
func refused(why string) field {
	return func(at string, _ *yaml.Node) error { return refuse(at, why) }
}

func intoString(to *string) field {
	return func(at string, n *yaml.Node) error {
		if n.Kind != yaml.ScalarNode {
			return fmt.Errorf("%s: a text is expected", at)
		}
		if *to = n.Value; n.Tag == "!!null" {
			*to = ""
		}
		return nil
	}
}

func intoBool(to *bool) field {
	return func(at string, n *yaml.Node) error {
		b, err := strconv.ParseBool(n.Value)
		if err != nil || n.Kind != yaml.ScalarNode {
			return fmt.Errorf("%s: true or false is expected", at)
		}
		*to = b
		return nil
	}
}

func intoInt(to *int, least, most int) field {
	return func(at string, n *yaml.Node) error {
		v, err := strconv.Atoi(n.Value)
		if err != nil || n.Kind != yaml.ScalarNode || v < least || v > most {
			return fmt.Errorf("%s: a number between %d and %d is expected", at, least, most)
		}
		*to = v
		return nil
	}
}

const maxList = 5000

// intoList reads a list of texts, or one text.
func intoList(to *[]string) field {
	return func(at string, n *yaml.Node) error {
		if n.Kind == yaml.ScalarNode {
			if n.Tag != "!!null" && n.Value != "" {
				*to = []string{n.Value}
			}
			return nil
		}
		return each(at, n, func(at string, n *yaml.Node) error {
			var s string
			err := intoString(&s)(at, n)
			*to = append(*to, s)
			return err
		})
	}
}

// each reads the entries of a list.
func each(at string, n *yaml.Node, f field) error {
	if n.Kind != yaml.SequenceNode || len(n.Content) > maxList {
		return fmt.Errorf("%s: a list of at most %d entries is expected", at, maxList)
	}
	for i, c := range n.Content {
		if err := f(fmt.Sprintf("%s[%d]", at, i), c); err != nil {
			return err
		}
	}
	return nil
}

// intoText reads a text with expressions.
func intoText(to *text) field {
	return func(at string, n *yaml.Node) error {
		var s string
		if err := intoString(&s)(at, n); err != nil {
			return err
		}
		return parse(at, s, to)
	}
}

func parse(at, s string, to *text) error {
	t, err := parseText(s)
	if err != nil {
		return refuse(at, err.Error())
	}
	*to = t
	return nil
}

// oneOf reads one of some words.
func oneOf(to *string, words ...string) field {
	return func(at string, n *yaml.Node) error {
		if err := intoString(to)(at, n); err != nil {
			return err
		}
		if *to = strings.ToLower(*to); !slices.Contains(words, *to) {
			return refuse(at, fmt.Sprintf("%q is not supported", printable(cut(*to, 40))))
		}
		return nil
	}
}
