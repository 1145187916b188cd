package templates

import (
	"encoding/hex"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v4"
)

// word is one that is looked for: with its expressions, and as it stands where
// they mean nothing.
type word struct {
	text   text
	source string
}

// matcher is one condition on an answer.
type matcher struct {
	kind      string // word, regex, status, size, binary, dsl
	name      string
	part      string
	words     []word
	raw       []string
	patterns  []*regexp.Regexp
	numbers   []int
	exprs     []*expr
	all       bool // condition: and
	negative  bool
	internal  bool
	noCase    bool
	sourceOne string // what it looks for, for the evidence
}

func readMatcher(at string, n *yaml.Node, names *naming) (*matcher, error) {
	m := &matcher{part: "body"}
	var words, patterns, numbers, sizes, binary, exprs []string
	var condition, encoding string
	err := mapping(at, n, map[string]field{
		"type": oneOf(&m.kind, "word", "regex", "status", "size", "binary", "dsl"),
		"name": intoString(&m.name), "part": intoString(&m.part), "condition": oneOf(&condition, "and", "or"),
		"words": intoList(&words), "regex": intoList(&patterns), "status": intoList(&numbers), "size": intoList(&sizes), "binary": intoList(&binary), "dsl": intoList(&exprs),
		"negative": intoBool(&m.negative), "internal": intoBool(&m.internal), "case-insensitive": intoBool(&m.noCase),
		"encoding": oneOf(&encoding, "hex"), "match-all": ignored, "description": ignored,
		"xpath": refused("XPath is not supported"),
	})
	if err != nil {
		return nil, err
	}
	if m.all = condition == "and"; m.name != "" && !nameForm.MatchString(m.name) {
		return nil, fmt.Errorf("%s.name: letters, digits and ._- are expected", at)
	}
	if err := names.part(at+".part", m.part); err != nil {
		return nil, err
	}
	given := map[string][]string{"word": words, "regex": patterns, "status": numbers, "size": sizes, "binary": binary, "dsl": exprs}[m.kind]
	if len(given) == 0 {
		return nil, fmt.Errorf("%s: a matcher of the type %q without a value", at, m.kind)
	}
	m.sourceOne = printable(cut(given[0], 80))
	for i, s := range given {
		if err := m.take(fmt.Sprintf("%s.%s[%d]", at, m.kind, i), s, encoding == "hex", names); err != nil {
			return nil, err
		}
	}
	return m, nil
}

// take adds one value.
func (m *matcher) take(at, s string, encoded bool, names *naming) error {
	switch m.kind {
	case "word", "binary":
		if encoded || m.kind == "binary" {
			b, err := hex.DecodeString(strings.TrimSpace(s))
			if err != nil || len(b) == 0 {
				return fmt.Errorf("%s: hexadecimal digits are expected", at)
			}
			m.raw = append(m.raw, string(b))
			return nil
		}
		t, err := parseText(s)
		if errors.Is(err, errInteraction) {
			return refuse(at, err.Error())
		}
		if err != nil {
			t = text{[]part{{literal: s}}}
		}
		m.words = append(m.words, word{t, s})
		return nil
	case "regex":
		if m.noCase {
			s = "(?i)" + s
		}
		re, err := compile(s)
		if err != nil {
			return refuse(at, err.Error())
		}
		m.patterns = append(m.patterns, re)
	case "status", "size":
		v, err := strconv.Atoi(strings.TrimSpace(s))
		if err != nil {
			return fmt.Errorf("%s: a number is expected", at)
		}
		m.numbers = append(m.numbers, v)
	case "dsl":
		e, err := parseExpr(s)
		if err != nil {
			return refuse(at, err.Error())
		}
		m.exprs = append(m.exprs, e)
		return names.condition(at, e)
	}
	return nil
}

// matches reports whether an answer is what the matcher looks for.
func (m *matcher) matches(a scope) bool { return m.holds(a) != m.negative }

func (m *matcher) holds(a scope) bool {
	switch m.kind {
	case "status":
		n, _ := a.lookup("status_code")
		code, _ := number(n)
		return slices.Contains(m.numbers, int(code))
	case "dsl":
		return some(m.exprs, m.all, func(e *expr) bool { return truth(e, a) })
	}
	v, ok := a.lookup(m.part)
	if !ok {
		return false
	}
	s := str(v)
	switch m.kind {
	case "size":
		return slices.Contains(m.numbers, len(s))
	case "regex":
		return some(m.patterns, m.all, func(re *regexp.Regexp) bool { return re.MatchString(s) })
	case "binary":
		return some(m.raw, m.all, func(w string) bool { return strings.Contains(s, w) })
	}
	return m.word(a, s)
}

func (m *matcher) word(a scope, s string) bool {
	if m.noCase {
		if v, ok := a.lookup(lowered + m.part); ok {
			s = str(v)
		} else {
			s = strings.ToLower(s)
		}
	}
	has := func(w string) bool {
		if m.noCase {
			w = strings.ToLower(w)
		}
		return w != "" && strings.Contains(s, w)
	}
	if len(m.raw) > 0 {
		return some(m.raw, m.all, has)
	}
	return some(m.words, m.all, func(w word) bool {
		s, err := w.text.in(a, "")
		if err != nil {
			s = w.source
		}
		return has(s)
	})
}

// lowered before the name of a part is the part in lower case.
const lowered = "lower case "

// some reports whether f holds for all, or for any.
func some[T any](of []T, all bool, f func(T) bool) bool {
	if all {
		return !slices.ContainsFunc(of, func(x T) bool { return !f(x) })
	}
	return slices.ContainsFunc(of, f)
}
