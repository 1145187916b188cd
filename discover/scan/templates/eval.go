package templates

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
)

// Bounds of an evaluation.
const (
	maxSteps  = 10_000
	maxResult = 2 << 20 // bytes of a text that is made
)

// scope is where the names of an expression are looked up.
type scope interface {
	lookup(name string) (value any, ok bool)
}

// values is a scope of what is known by name.
type values map[string]any

func (v values) lookup(name string) (any, bool) { x, ok := v[name]; return x, ok }

// scopes are looked at one after the other.
type scopes []scope

func (s scopes) lookup(name string) (any, bool) {
	for _, one := range s {
		if v, ok := one.lookup(name); ok {
			return v, ok
		}
	}
	return nil, false
}

// evaluation is one evaluation of an expression. What is random in a template
// is made of seed, so that every look sends the same.
type evaluation struct {
	scope scope
	seed  string
	steps int
}

var errSteps = errors.New("the expression takes too long")

// unknown says that a name has no value.
type unknown string

func (u unknown) Error() string { return "nothing is known as " + string(u) }

func evaluate(e *expr, s scope, seed string) (any, error) {
	v := &evaluation{scope: s, seed: seed}
	return v.eval(e)
}

// truth evaluates a condition. What cannot be evaluated is false.
func truth(e *expr, s scope) bool {
	v, err := evaluate(e, s, "")
	b, ok := v.(bool)
	return err == nil && ok && b
}

func (v *evaluation) eval(e *expr) (any, error) {
	if v.steps++; v.steps > maxSteps {
		return nil, errSteps
	}
	switch e.op {
	case "number":
		return e.num, nil
	case "string":
		return e.text, nil
	case "name":
		switch e.text {
		case "true":
			return true, nil
		case "false":
			return false, nil
		}
		if x, ok := v.scope.lookup(e.text); ok {
			return x, nil
		}
		return nil, unknown(e.text)
	case "call":
		args := make([]any, len(e.args))
		for i, a := range e.args {
			x, err := v.eval(a)
			if err != nil {
				return nil, err
			}
			args[i] = x
		}
		return v.apply(e, args)
	case "&&", "||":
		return v.logic(e)
	}
	left, err := v.eval(e.args[0])
	if err != nil {
		return nil, err
	}
	switch e.op {
	case "not":
		b, ok := left.(bool)
		if !ok {
			return nil, errors.New("! stands before what is neither true nor false")
		}
		return !b, nil
	case "neg":
		n, ok := number(left)
		if !ok {
			return nil, errors.New("- stands before what is no number")
		}
		return -n, nil
	}
	right, err := v.eval(e.args[1])
	if err != nil {
		return nil, err
	}
	return operate(e, left, right)
}

// logic stops as soon as the answer is known. A side that cannot be evaluated
// is false: the header that it asks for is not there.
func (v *evaluation) logic(e *expr) (any, error) {
	for _, a := range e.args {
		x, err := v.eval(a)
		var missing unknown
		if err != nil && !errors.As(err, &missing) {
			return nil, err
		}
		b, ok := x.(bool)
		if err == nil && !ok {
			return nil, fmt.Errorf("%s joins what is neither true nor false", e.op)
		}
		if b == (e.op == "||") {
			return b, nil
		}
	}
	return e.op == "&&", nil
}

func operate(e *expr, left, right any) (any, error) {
	switch e.op {
	case "==":
		return equal(left, right), nil
	case "!=":
		return !equal(left, right), nil
	case "=~", "!~":
		re := e.re
		if re == nil {
			var err error
			if re, err = compile(str(right)); err != nil {
				return nil, err
			}
		}
		return re.MatchString(str(left)) == (e.op == "=~"), nil
	case "+":
		if l, ok := left.(string); ok {
			return joined(l, str(right))
		}
		if r, ok := right.(string); ok {
			return joined(str(left), r)
		}
	}
	l, lok := number(left)
	r, rok := number(right)
	if !lok || !rok {
		ls, lok := left.(string)
		rs, rok := right.(string)
		if lok && rok {
			switch e.op {
			case "<":
				return ls < rs, nil
			case "<=":
				return ls <= rs, nil
			case ">":
				return ls > rs, nil
			case ">=":
				return ls >= rs, nil
			}
		}
		return nil, fmt.Errorf("%s stands between what are no numbers", e.op)
	}
	switch e.op {
	case "<":
		return l < r, nil
	case "<=":
		return l <= r, nil
	case ">":
		return l > r, nil
	case ">=":
		return l >= r, nil
	case "+":
		return l + r, nil
	case "-":
		return l - r, nil
	case "*":
		return l * r, nil
	case "/":
		return l / r, nil
	case "%":
		return math.Mod(l, r), nil
	}
	return nil, fmt.Errorf("the operator %s is not supported", e.op)
}

func joined(parts ...string) (any, error) {
	n := 0
	for _, p := range parts {
		n += len(p)
	}
	if n > maxResult {
		return nil, errors.New("the text is too long")
	}
	return strings.Join(parts, ""), nil
}

func equal(a, b any) bool {
	if x, ok := a.(bool); ok {
		y, ok := b.(bool)
		return ok && x == y
	}
	_, as := a.(string)
	_, bs := b.(string)
	if as != bs { // a number and a text that is one
		x, xok := number(a)
		y, yok := number(b)
		return xok && yok && x == y
	}
	return a == b
}

// number is a value as a number, also when it is written as text.
func number(v any) (float64, bool) {
	switch x := v.(type) {
	case float64:
		return x, true
	case int:
		return float64(x), true
	case string:
		n, err := strconv.ParseFloat(strings.TrimSpace(x), 64)
		return n, err == nil
	}
	return 0, false
}

// str is a value as text.
func str(v any) string {
	switch x := v.(type) {
	case string:
		return x
	case float64:
		return strconv.FormatFloat(x, 'f', -1, 64)
	case int:
		return strconv.Itoa(x)
	case bool:
		return strconv.FormatBool(x)
	}
	return ""
}

// cut shortens a text for a message.
func cut(s string, n int) string {
	if len(s) <= n {
		return s
	}
	return strings.ToValidUTF8(s[:n], "") + "…"
}
