package scope

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode"
	"unicode/utf8"

	"go.yaml.in/yaml/v4"
	"go.yaml.in/yaml/v4/plugin/loaderlimits"
)

// document returns the one mapping that the file consists of, nil when it is
// empty or a problem was found. Anchors and aliases are refused, so nothing in
// the file can be larger than it looks.
func (d *decoder) document(body []byte) *yaml.Node {
	if len(body) > maxBytes {
		d.fail(&yaml.Node{}, "the file has %d bytes, and at most %d are allowed: use patterns and networks instead of single names", len(body), maxBytes)
		return nil
	}
	if line, odd := oddLine(body); odd {
		d.fail(&yaml.Node{Line: line}, "the line has a character that no text has: save the file as UTF-8 and remove control characters")
		return nil
	}
	if flow, marks := indicators(body); flow > maxFlow || marks > maxMarks {
		d.fail(&yaml.Node{}, "the file has %d commas, brackets and braces, of which at most %d are allowed, and %d keys and entries, of which at most %d are: use patterns and networks instead of single names", flow, maxFlow, marks, maxMarks)
		return nil
	}
	l, err := yaml.NewLoader(bytes.NewReader(body), yaml.WithUniqueKeys(false), yaml.WithPlugin(loaderlimits.New(loaderlimits.DepthValue(maxDepth))))
	if err != nil {
		d.fail(&yaml.Node{}, "the file cannot be read: %v", err)
		return nil
	}
	var first, second yaml.Node
	if err := l.Load(&first); errors.Is(err, io.EOF) {
		return nil
	} else if err != nil {
		d.syntax(err)
		return nil
	}
	if err := l.Load(&second); err == nil {
		d.fail(&second, "a second document begins here: a programme is one, so remove the line ---")
		return nil
	} else if !errors.Is(err, io.EOF) {
		d.syntax(err)
		return nil
	}
	if len(first.Content) != 1 || empty(first.Content[0]) {
		return nil
	}
	root := first.Content[0]
	d.references(root)
	if len(d.problems) > 0 {
		return nil
	}
	return root
}

// indicators counts the characters that make nodes, so that the size of a
// file bounds the memory for it before any is taken. It counts those in texts
// and comments too.
func indicators(body []byte) (flow, marks int) {
	for i, c := range body {
		switch c {
		case ',', '[', '{':
			flow++
		case '-', ':', '?':
			if i+1 == len(body) || body[i+1] <= ' ' {
				marks++
			}
		}
	}
	return flow, marks
}

// oddLine finds the first line that is not UTF-8 or has a control character.
func oddLine(body []byte) (line int, odd bool) {
	line = 1
	for i := 0; i < len(body); {
		r, n := utf8.DecodeRune(body[i:])
		switch {
		case r == '\n':
			line++
		case r == utf8.RuneError && n == 1, unicode.IsControl(r) && r != '\t' && r != '\r':
			return line, true
		}
		i += n
	}
	return 0, false
}

// syntax words an error of the YAML library for people.
func (d *decoder) syntax(err error) {
	var e *yaml.LoadError
	if !errors.As(err, &e) {
		d.fail(&yaml.Node{}, "the file is no YAML: %v", err)
		return
	}
	at, message := &yaml.Node{Line: e.Mark.Line}, e.Message
	hint := "check quotes, brackets and indentation"
	switch {
	case strings.Contains(message, "unknown anchor"):
		message, hint = "a text begins with *", "put it in quotes"
	case strings.Contains(message, "mapping values are not allowed"):
		message, hint = "a colon stands where none can", "check the indentation, and put texts with a colon and a space in quotes"
	case strings.Contains(message, "cannot start any token"):
		message, hint = "a character cannot stand here", "indent with spaces, not tabs, and put texts that begin with @, ` or % in quotes"
	case strings.Contains(message, "max depth"):
		message, hint = "the nesting is too deep", fmt.Sprintf("at most %d levels are allowed", maxDepth)
	case e.ContextMark.Line > 0 && e.ContextMark.Line < e.Mark.Line:
		at.Line, hint = e.ContextMark.Line, "what begins here does not end as it should: "+hint
	}
	d.fail(at, "%s: %s", cut(message), hint)
}

// references complains of anchors and aliases. It does not follow them.
func (d *decoder) references(n *yaml.Node) {
	switch {
	case n.Kind == yaml.AliasNode:
		d.fail(n, "*%s is a YAML alias, which a programme does not have: write the value out, and put texts that begin with * in quotes", n.Value)
	case n.Anchor != "":
		d.fail(n, "&%s is a YAML anchor, which a programme does not have: remove it, and put texts that begin with & in quotes", n.Anchor)
	}
	for _, c := range n.Content {
		d.references(c)
	}
}
