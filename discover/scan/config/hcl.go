package config

import (
	"fmt"
	"strconv"
	"strings"
)

// unknownValue stands for what is only known when Terraform runs.
const unknownValue = "${…}"

// hcl reads the syntax of Terraform as far as it is written out: blocks, and
// attributes that are literals. What else an attribute may be, it steps over.
// See https://github.com/hashicorp/hcl/blob/main/hclsyntax/spec.md
type hcl struct {
	text  string
	at    int
	nodes int
}

// parseTerraform makes subjects of the resources of a file in Terraform's own
// language.
func parseTerraform(s source) ([]subject, error) {
	p := hcl{text: string(s.body)}
	root, err := p.body(0, true)
	return configured(root), err
}

func (p *hcl) fail(what string) error {
	return fmt.Errorf("line %d: %s", 1+strings.Count(p.text[:min(p.at, len(p.text))], "\n"), what)
}

// body reads attributes and blocks, up to the closing brace or the end. Labels of
// a block are names within each other; blocks of one name are a list.
func (p *hcl) body(depth int, top bool) (map[string]any, error) {
	all := map[string]any{}
	if depth > maxNesting {
		return all, errLarge
	}
	for {
		p.space(true)
		if p.at == len(p.text) {
			if top {
				return all, nil
			}
			return all, p.fail("it ends within a block")
		}
		if p.text[p.at] == '}' {
			if top {
				return all, p.fail("a brace closes nothing")
			}
			p.at++
			return all, nil
		}
		name := p.name()
		if name == "" {
			return all, p.fail("a name of an attribute or block is expected")
		}
		p.space(false)
		if p.peek() == '=' && !strings.HasPrefix(p.text[p.at:], "==") {
			p.at++
			v, err := p.expression(depth)
			if err != nil {
				return all, err
			}
			all[name] = v
			continue
		}
		labels, err := p.labels()
		if err != nil {
			return all, err
		}
		inner, err := p.body(depth+1, false)
		put(all, append([]string{name}, labels...), inner)
		if err != nil {
			return all, err
		}
	}
}

func (p *hcl) labels() (labels []string, err error) {
	for {
		p.space(false)
		switch c := p.peek(); {
		case c == '{':
			p.at++
			return labels, nil
		case c == '"' && len(labels) < 4:
			v, err := p.quoted()
			if err != nil {
				return nil, err
			}
			labels = append(labels, v)
		default:
			name := p.name()
			if name == "" || len(labels) == 4 {
				return nil, p.fail("a block is expected")
			}
			labels = append(labels, name)
		}
	}
}

// put adds a block. A dynamic block is one of the name that its label says.
func put(all map[string]any, names []string, block map[string]any) {
	if names[0] == "dynamic" && len(names) == 2 {
		content := block
		if list := listOf(block["content"]); len(list) == 1 && mapOf(list[0]) != nil {
			content = mapOf(list[0])
		}
		names, block = names[1:], content
	}
	for len(names) > 1 {
		inner := mapOf(all[names[0]])
		if inner == nil {
			inner = map[string]any{}
			all[names[0]] = inner
		}
		all, names = inner, names[1:]
	}
	list, _ := all[names[0]].([]any)
	all[names[0]] = append(list, block)
}

// expression reads one up to the end of its line: a literal, or what is unknown.
func (p *hcl) expression(depth int) (any, error) {
	p.space(false)
	start := p.at
	v, ok, err := p.literal(depth)
	if err != nil {
		return nil, err
	}
	if ok {
		p.space(false)
		if c := p.peek(); c == 0 || c == '\n' || c == '}' || c == ',' || c == ']' {
			return v, nil
		}
	}
	p.at = start
	return unknownValue, p.skip()
}

// literal reads a literal; ok is false for anything else.
func (p *hcl) literal(depth int) (v any, ok bool, err error) {
	if p.nodes++; p.nodes > maxNodes || depth > maxNesting {
		return nil, false, errLarge
	}
	switch c := p.peek(); {
	case c == '"':
		v, err := p.quoted()
		return v, err == nil, err
	case c == '[':
		return p.tuple(depth)
	case c == '{':
		return p.object(depth)
	case strings.HasPrefix(p.text[p.at:], "<<"):
		v, err := p.heredoc()
		return v, err == nil, err
	case c == '-' || c >= '0' && c <= '9':
		start := p.at
		p.at++
		for p.at < len(p.text) && strings.IndexByte("0123456789.eE", p.text[p.at]) >= 0 {
			p.at++
		}
		n, err := strconv.ParseFloat(p.text[start:p.at], 64)
		return n, err == nil, nil
	}
	switch p.name() {
	case "true":
		return true, true, nil
	case "false":
		return false, true, nil
	case "null":
		return nil, true, nil
	}
	return nil, false, nil
}

// tuple reads a list. Of its elements those that are no literals are unknown.
func (p *hcl) tuple(depth int) (any, bool, error) {
	p.at++
	all := []any{}
	for {
		p.space(true)
		if p.peek() == ']' {
			p.at++
			return all, true, nil
		}
		v, err := p.element(depth)
		if err != nil {
			return nil, false, err
		}
		all = append(all, v)
	}
}

// object reads a map.
func (p *hcl) object(depth int) (any, bool, error) {
	p.at++
	all := map[string]any{}
	for {
		p.space(true)
		var name string
		switch c := p.peek(); {
		case c == '}':
			p.at++
			return all, true, nil
		case c == '"':
			var err error
			if name, err = p.quoted(); err != nil {
				return nil, false, err
			}
		case c == '(':
			if err := p.skip(); err != nil {
				return nil, false, err
			}
			continue
		default:
			if name = p.name(); name == "" || name == "for" {
				return nil, false, nil
			}
		}
		p.space(false)
		if c := p.peek(); c != '=' && c != ':' {
			return nil, false, nil
		}
		p.at++
		v, err := p.element(depth)
		if err != nil {
			return nil, false, err
		}
		all[name] = v
	}
}

// element reads one of a list or map, and the comma after it.
func (p *hcl) element(depth int) (any, error) {
	if p.at >= len(p.text) {
		return nil, p.fail("it ends within a list or map")
	}
	before := p.at
	v, err := p.expression(depth + 1)
	if err != nil {
		return nil, err
	}
	p.space(false)
	if p.peek() == ',' {
		p.at++
	}
	if p.at == before {
		return nil, p.fail("a value is expected")
	}
	return v, nil
}

// skip steps over an expression: to the comma, line end or bracket after it.
func (p *hcl) skip() error {
	depth := 0
	for p.at < len(p.text) {
		switch c := p.text[p.at]; {
		case c == '"':
			if _, err := p.quoted(); err != nil {
				return err
			}
			continue
		case strings.HasPrefix(p.text[p.at:], "<<"):
			if _, err := p.heredoc(); err != nil {
				return err
			}
			continue
		case c == '#' || strings.HasPrefix(p.text[p.at:], "//") || strings.HasPrefix(p.text[p.at:], "/*"):
			before := p.at
			p.space(false)
			if p.at == before {
				p.at++
			}
			continue
		case c == '(' || c == '[' || c == '{':
			depth++
		case depth > 0 && (c == ')' || c == ']' || c == '}'):
			depth--
		case depth == 0 && (c == '\n' || c == ',' || c == ']' || c == '}' || c == ')'):
			return nil
		}
		p.at++
	}
	if depth > 0 {
		return p.fail("it ends within brackets")
	}
	return nil
}

// quoted reads a text in quotation marks. Templates stay in it as they are.
func (p *hcl) quoted() (string, error) {
	var b strings.Builder
	p.at++
	depth := 0
	for p.at < len(p.text) {
		c := p.text[p.at]
		switch {
		case depth == 0 && c == '"':
			p.at++
			return b.String(), nil
		case c == '\n' && depth == 0:
			return "", p.fail("a text is not closed")
		case depth == 0 && c == '\\' && p.at+1 < len(p.text):
			p.at++
			b.WriteString(unescaped(p.text[p.at]))
			p.at++
			continue
		case (c == '$' || c == '%') && strings.HasPrefix(p.text[p.at+1:], "{"):
			depth++
			b.WriteByte(c)
			p.at++
			c = '{'
		case depth > 0 && c == '{':
			depth++
		case depth > 0 && c == '}':
			depth--
		}
		b.WriteByte(c)
		p.at++
	}
	return "", p.fail("a text is not closed")
}

func unescaped(c byte) string {
	switch c {
	case 'n':
		return "\n"
	case 't':
		return "\t"
	case 'r':
		return "\r"
	}
	return string(c)
}

// heredoc reads the lines up to the one that is the word after <<.
func (p *hcl) heredoc() (string, error) {
	p.at += 2
	if p.peek() == '-' {
		p.at++
	}
	head, rest, ok := strings.Cut(p.text[p.at:], "\n")
	word := strings.TrimSpace(head)
	if !ok || word == "" || len(word) > 100 {
		p.at++
		return "", p.fail("a heredoc has no name")
	}
	p.at += len(head) + 1
	var b strings.Builder
	for line := range strings.Lines(rest) {
		if strings.TrimSpace(line) == word {
			p.at += len(strings.TrimRight(line, "\r\n"))
			return b.String(), nil
		}
		p.at += len(line)
		b.WriteString(line)
	}
	return "", p.fail("a heredoc does not end")
}

func (p *hcl) peek() byte {
	if p.at < len(p.text) {
		return p.text[p.at]
	}
	return 0
}

func (p *hcl) name() string {
	start := p.at
	for p.at < len(p.text) && (isWord(p.text[p.at]) || p.text[p.at] == '-' && p.at > start) {
		p.at++
	}
	return p.text[start:p.at]
}

func isWord(c byte) bool {
	return c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c == '_'
}

// space steps over spaces and comments, and over line ends where they mean nothing.
func (p *hcl) space(lines bool) {
	for p.at < len(p.text) {
		rest := p.text[p.at:]
		switch {
		case rest[0] == ' ' || rest[0] == '\t' || rest[0] == '\r' || lines && (rest[0] == '\n' || rest[0] == ','):
			p.at++
		case rest[0] == '#' || strings.HasPrefix(rest, "//"):
			n := strings.IndexByte(rest, '\n')
			if n < 0 {
				n = len(rest)
			}
			p.at += n
		case strings.HasPrefix(rest, "/*"):
			n := strings.Index(rest, "*/")
			if n < 0 {
				p.at = len(p.text)
				return
			}
			p.at += n + 2
		default:
			return
		}
	}
}
