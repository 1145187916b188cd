package templates

import (
	"fmt"
	"strings"
)

// text is a text of a template with expressions in double braces.
type text struct {
	parts []part
}

// part is a piece of literal text, or an expression.
type part struct {
	literal string
	expr    *expr
}

// parseText reads a text. What stands in braces and neither names nor calls
// anything is sent as it is: {{7*7}} is what a template injection looks like.
func parseText(s string) (text, error) {
	var t text
	literal := func(s string) {
		if n := len(t.parts); n > 0 && t.parts[n-1].expr == nil {
			t.parts[n-1].literal += s
		} else if s != "" {
			t.parts = append(t.parts, part{literal: s})
		}
	}
	for s != "" {
		before, rest, found := strings.Cut(s, "{{")
		inner, after, closed := strings.Cut(rest, "}}")
		if literal(before); !found {
			break
		}
		if !closed {
			literal("{{" + rest)
			break
		}
		s = after
		e, err := parseExpr(inner)
		if err != nil && strings.Contains(inner, "interactsh") {
			return t, errInteraction
		}
		if err != nil {
			return t, fmt.Errorf("{{%s}}: %w", cut(inner, 60), err)
		}
		used := false
		e.names(func(string, bool) { used = true })
		if !used {
			literal("{{" + inner + "}}")
			continue
		}
		if t.parts = append(t.parts, part{expr: e}); len(t.parts) > maxNodes {
			return t, fmt.Errorf("a text of more than %d parts", maxNodes)
		}
	}
	return t, nil
}

// static returns the text when it has no expressions.
func (t text) static() (string, bool) {
	switch {
	case len(t.parts) == 0:
		return "", true
	case len(t.parts) == 1 && t.parts[0].expr == nil:
		return t.parts[0].literal, true
	}
	return "", false
}

// literals is what stands in the text beside expressions.
func (t text) literals() string {
	var b strings.Builder
	for _, p := range t.parts {
		b.WriteString(p.literal)
	}
	return b.String()
}

func (t text) names(f func(name string, call bool)) {
	for _, p := range t.parts {
		if p.expr != nil {
			p.expr.names(f)
		}
	}
}

// in evaluates the text.
func (t text) in(s scope, seed string) (string, error) {
	if s, ok := t.static(); ok {
		return s, nil
	}
	var b strings.Builder
	for _, p := range t.parts {
		out := p.literal
		if p.expr != nil {
			v, err := evaluate(p.expr, s, seed)
			if err != nil {
				return "", err
			}
			out = str(v)
		}
		if b.Len()+len(out) > maxResult {
			return "", errSteps
		}
		b.WriteString(out)
	}
	return b.String(), nil
}

// prefix takes an expression that is a single name off the start of the text.
func (t text) prefix() (name string, rest text, ok bool) {
	if len(t.parts) == 0 || t.parts[0].expr == nil || t.parts[0].expr.op != "name" {
		return "", t, false
	}
	return t.parts[0].expr.text, text{t.parts[1:]}, true
}

// afterLiteral takes a literal off the start of the text.
func (t text) afterLiteral(s string) (rest text, ok bool) {
	if len(t.parts) == 0 || t.parts[0].expr != nil || !strings.HasPrefix(t.parts[0].literal, s) {
		return t, false
	}
	left := t.parts[0].literal[len(s):]
	if left == "" {
		return text{t.parts[1:]}, true
	}
	return text{append([]part{{literal: left}}, t.parts[1:]...)}, true
}
