package templates

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v4"
)

// extractor takes values out of an answer.
type extractor struct {
	kind     string // regex, kval, json, dsl
	name     string
	part     string
	patterns []*regexp.Regexp
	group    int
	keys     []string
	paths    [][]step
	exprs    []*expr
	internal bool
	noCase   bool
}

// step is one step of a path in JSON: a member, an entry, or all entries.
type step struct {
	member string
	entry  int
	every  bool
}

const (
	maxExtracted = 20
	maxValue     = 4 << 10
)

func readExtractor(at string, n *yaml.Node, names *naming) (*extractor, error) {
	x := &extractor{part: "body"}
	var patterns, paths, exprs []string
	err := mapping(at, n, map[string]field{
		"type": oneOf(&x.kind, "regex", "kval", "json", "dsl"),
		"name": intoString(&x.name), "part": intoString(&x.part), "group": intoInt(&x.group, 0, 50), "internal": intoBool(&x.internal),
		"regex": intoList(&patterns), "kval": intoList(&x.keys), "json": intoList(&paths), "dsl": intoList(&exprs), "case-insensitive": intoBool(&x.noCase),
		"description": ignored, "xpath": refused("XPath is not supported"), "attribute": refused("XPath is not supported"), "to": refused("files are not written"),
	})
	if err != nil {
		return nil, err
	}
	if err := names.part(at+".part", x.part); err != nil {
		return nil, err
	}
	for i, s := range patterns {
		if x.noCase {
			s = "(?i)" + s
		}
		re, err := compile(s)
		if err != nil {
			return nil, refuse(fmt.Sprintf("%s.regex[%d]", at, i), err.Error())
		}
		x.patterns = append(x.patterns, re)
	}
	for i, s := range paths {
		p, err := parsePath(s)
		if err != nil {
			return nil, refuse(fmt.Sprintf("%s.json[%d]", at, i), err.Error())
		}
		x.paths = append(x.paths, p)
	}
	for i, s := range exprs {
		here := fmt.Sprintf("%s.dsl[%d]", at, i)
		e, err := parseExpr(s)
		if err != nil {
			return nil, refuse(here, err.Error())
		}
		if err := names.condition(here, e); err != nil {
			return nil, err
		}
		x.exprs = append(x.exprs, e)
	}
	if len(x.patterns)+len(x.keys)+len(x.paths)+len(x.exprs) == 0 {
		return nil, fmt.Errorf("%s: an extractor of the type %q without a value", at, x.kind)
	}
	if x.internal && x.name == "" {
		return nil, fmt.Errorf("%s: an internal extractor without a name", at)
	}
	return x, nil
}

// parsePath reads a simple path: .a.b[0].c, ."a-b", [] for every entry.
func parsePath(s string) (path []step, err error) {
	odd := fmt.Errorf("%q is not supported: a path such as .a.b[0].c is", printable(cut(s, 60)))
	for rest := strings.TrimSpace(s); rest != ""; {
		switch {
		case strings.HasPrefix(rest, ".["), rest == ".":
			rest = rest[1:]
		case strings.HasPrefix(rest, `."`):
			name, after, ok := strings.Cut(rest[2:], `"`)
			if !ok || name == "" {
				return nil, odd
			}
			path, rest = append(path, step{member: name}), after
		case rest[0] == '.':
			n := 1
			for n < len(rest) && (nameStart(rest[n]) || digit(rest[n]) || rest[n] == '-') {
				n++
			}
			if n == 1 {
				return nil, odd
			}
			path, rest = append(path, step{member: rest[1:n]}), rest[n:]
		case rest[0] == '[':
			inner, after, ok := strings.Cut(rest[1:], "]")
			one := step{every: inner == ""}
			if v, err := strconv.Atoi(inner); err == nil && v >= 0 {
				one.entry = v
			} else if inner != "" {
				return nil, odd
			}
			if !ok {
				return nil, odd
			}
			path, rest = append(path, one), after
		default:
			return nil, odd
		}
		if len(path) > maxLevel {
			return nil, odd
		}
	}
	return path, nil
}

// extract returns what is there, each once.
func (x *extractor) extract(a scope, seed string) (found []string) {
	add := func(s string) {
		if s = cut(s, maxValue); s != "" && len(found) < maxExtracted && !slices.Contains(found, s) {
			found = append(found, s)
		}
	}
	switch x.kind {
	case "kval":
		for _, k := range x.keys {
			if v, ok := a.lookup(strings.ReplaceAll(strings.ToLower(k), "-", "_")); ok {
				add(str(v))
			} else if v, ok := a.lookup(k); ok {
				add(str(v))
			}
		}
		return found
	case "dsl":
		for _, e := range x.exprs {
			if v, err := evaluate(e, a, seed); err == nil {
				add(str(v))
			}
		}
		return found
	}
	v, ok := a.lookup(x.part)
	if !ok {
		return nil
	}
	s := str(v)
	if x.kind == "json" {
		var doc any
		if json.Unmarshal([]byte(s), &doc) == nil {
			for _, p := range x.paths {
				walk(doc, p, add)
			}
		}
		return found
	}
	for _, re := range x.patterns {
		for _, m := range re.FindAllStringSubmatch(s, maxExtracted) {
			if x.group < len(m) {
				add(m[x.group])
			}
		}
	}
	return found
}

func walk(doc any, path []step, add func(string)) {
	if len(path) == 0 {
		switch v := doc.(type) {
		case nil:
		case map[string]any, []any:
			if b, err := json.Marshal(v); err == nil {
				add(string(b))
			}
		default:
			add(str(v))
		}
		return
	}
	p := path[0]
	list, isList := doc.([]any)
	switch {
	case p.member != "":
		if m, ok := doc.(map[string]any); ok {
			walk(m[p.member], path[1:], add)
		}
	case p.every && isList:
		for _, v := range list[:min(len(list), maxExtracted)] {
			walk(v, path[1:], add)
		}
	case !p.every && isList && p.entry < len(list):
		walk(list[p.entry], path[1:], add)
	}
}
