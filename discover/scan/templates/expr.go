package templates

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// Bounds of expressions.
const (
	maxExpr  = 16 << 10 // bytes of one
	maxDepth = 64       // of parentheses and calls
	maxNodes = 2000
	maxRegex = 4 << 10 // bytes of a regular expression
)

// expr is an expression that was read.
type expr struct {
	op   string // number, string, name, call, or an operator
	text string // of a string, name or call
	num  float64
	args []*expr
	re   *regexp.Regexp // of a call whose pattern is known
}

// parseExpr reads an expression. It knows which functions there are and how
// many arguments each takes.
func parseExpr(s string) (*expr, error) {
	if len(s) > maxExpr {
		return nil, fmt.Errorf("an expression of %d bytes, of which at most %d are read", len(s), maxExpr)
	}
	p := &parser{s: s}
	p.next()
	e := p.binary(0, 0)
	if p.err == nil && p.kind != "end" {
		p.fail("%q stands where an operator is expected", p.tok)
	}
	if p.err != nil {
		return nil, p.err
	}
	return e, nil
}

type parser struct {
	s     string
	at    int
	kind  string // name, number, string, op, end
	tok   string
	num   float64
	nodes int
	err   error
}

func (p *parser) fail(format string, args ...any) {
	if p.err == nil {
		p.err = fmt.Errorf(format, args...)
	}
	p.kind = "end"
}

func nameStart(c byte) bool { return c == '_' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' }

func digit(c byte) bool { return c >= '0' && c <= '9' }

func (p *parser) next() {
	if p.err != nil {
		p.kind = "end"
		return
	}
	for p.at < len(p.s) && strings.IndexByte(" \t\r\n", p.s[p.at]) >= 0 {
		p.at++
	}
	if p.at == len(p.s) {
		p.kind, p.tok = "end", ""
		return
	}
	start := p.at
	switch c := p.s[p.at]; {
	case nameStart(c):
		for p.at < len(p.s) && (nameStart(p.s[p.at]) || digit(p.s[p.at])) {
			p.at++
		}
		p.kind, p.tok = "name", p.s[start:p.at]
	case digit(c):
		for p.at < len(p.s) && (digit(p.s[p.at]) || p.s[p.at] == '.') {
			p.at++
		}
		p.kind, p.tok = "number", p.s[start:p.at]
		n, err := strconv.ParseFloat(p.tok, 64)
		if err != nil {
			p.fail("%q is no number", p.tok)
		}
		p.num = n
	case c == '"' || c == '\'' || c == '`':
		p.quoted(c)
	default:
		p.at++
		for _, op := range [...]string{"&&", "||", "==", "!=", "<=", ">=", "=~", "!~"} {
			if strings.HasPrefix(p.s[start:], op) {
				p.at = start + 2
			}
		}
		p.kind, p.tok = "op", p.s[start:p.at]
	}
}

// quoted reads a string. A backslash before what is no escape stays, as it is
// most often of a regular expression.
func (p *parser) quoted(quote byte) {
	var b strings.Builder
	for i := p.at + 1; i < len(p.s); i++ {
		c := p.s[i]
		switch {
		case c == quote:
			p.kind, p.tok, p.at = "string", b.String(), i+1
			return
		case c == '\\' && quote != '`' && i+1 < len(p.s):
			i++
			switch n := p.s[i]; n {
			case 'n':
				b.WriteByte('\n')
			case 'r':
				b.WriteByte('\r')
			case 't':
				b.WriteByte('\t')
			case '\\', '"', '\'':
				b.WriteByte(n)
			case 'x':
				if i+2 < len(p.s) {
					if v, err := strconv.ParseUint(p.s[i+1:i+3], 16, 8); err == nil {
						b.WriteByte(byte(v))
						i += 2
						continue
					}
				}
				b.WriteString(`\x`)
			default:
				b.WriteByte('\\')
				b.WriteByte(n)
			}
		default:
			b.WriteByte(c)
		}
	}
	p.fail("a string that begins with %c does not end", quote)
}

// binding is how strongly operators bind.
func binding(op string) int {
	switch op {
	case "||":
		return 1
	case "&&":
		return 2
	case "==", "!=", "<", "<=", ">", ">=", "=~", "!~":
		return 3
	case "+", "-":
		return 4
	case "*", "/", "%":
		return 5
	}
	return 0
}

func (p *parser) binary(least, depth int) *expr {
	left := p.unary(depth)
	for p.err == nil && p.kind == "op" {
		op, b := p.tok, binding(p.tok)
		if b == 0 || b <= least {
			break
		}
		p.next()
		left = p.node(&expr{op: op, args: []*expr{left, p.binary(b, depth+1)}})
		if op == "=~" || op == "!~" {
			p.pattern(left, left.args[1])
		}
	}
	return left
}

func (p *parser) node(e *expr) *expr {
	if p.nodes++; p.nodes > maxNodes {
		p.fail("an expression of more than %d parts", maxNodes)
	}
	return e
}

func (p *parser) unary(depth int) *expr {
	if depth > maxDepth {
		p.fail("an expression nested more than %d deep", maxDepth)
	}
	e := &expr{op: p.kind, text: p.tok, num: p.num}
	switch {
	case p.err != nil:
		return e
	case p.kind == "op" && (p.tok == "!" || p.tok == "-"):
		op := "not"
		if p.tok == "-" {
			op = "neg"
		}
		p.next()
		return p.node(&expr{op: op, args: []*expr{p.unary(depth + 1)}})
	case p.kind == "op" && p.tok == "(":
		p.next()
		e = p.binary(0, depth+1)
		p.expect(")")
		return e
	case p.kind == "number" || p.kind == "string":
		p.next()
		return p.node(e)
	case p.kind == "name":
		p.next()
		if p.kind == "op" && p.tok == "(" {
			return p.call(e.text, depth)
		}
		return p.node(e)
	}
	if p.kind == "end" {
		p.fail("the expression ends too early")
	}
	p.fail("%q is not understood here", p.tok)
	return e
}

func (p *parser) expect(op string) {
	if p.err == nil && (p.kind != "op" || p.tok != op) {
		p.fail("%q is missing before %q", op, p.tok)
	}
	p.next()
}

func (p *parser) call(name string, depth int) *expr {
	e := &expr{op: "call", text: name}
	p.next()
	for p.err == nil && (p.kind != "op" || p.tok != ")") {
		e.args = append(e.args, p.binary(0, depth+1))
		if p.kind == "op" && p.tok == "," {
			p.next()
			continue
		}
		break
	}
	p.expect(")")
	if p.err != nil {
		return e
	}
	least, most, ok := arity(name)
	switch {
	case !ok:
		p.fail("the function %s is not supported", name)
	case len(e.args) < least || most >= 0 && len(e.args) > most:
		p.fail("%s takes another number of arguments than %d", name, len(e.args))
	case name == "regex" || name == "replace_regex":
		i := 0
		if name == "replace_regex" {
			i = 1
		}
		p.pattern(e, e.args[i])
	}
	return p.node(e)
}

// pattern makes a regular expression that is known ready.
func (p *parser) pattern(e, pattern *expr) {
	if p.err != nil || pattern.op != "string" {
		return
	}
	re, err := compile(pattern.text)
	if err != nil {
		p.fail("%v", err)
	}
	e.re = re
}

// compile makes a regular expression ready. Package regexp bounds what it
// repeats, and matches in linear time.
func compile(s string) (*regexp.Regexp, error) {
	if len(s) > maxRegex {
		return nil, fmt.Errorf("a regular expression of %d bytes, of which at most %d are read", len(s), maxRegex)
	}
	re, err := regexp.Compile(s)
	if err != nil {
		return nil, fmt.Errorf("the regular expression %q is not understood: %w", cut(s, 60), err)
	}
	return re, nil
}

// names calls f with every name and function that an expression uses.
func (e *expr) names(f func(name string, call bool)) {
	switch e.op {
	case "name":
		f(e.text, false)
	case "call":
		f(e.text, true)
	}
	for _, a := range e.args {
		a.names(f)
	}
}
