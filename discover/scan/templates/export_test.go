package templates

// Eval evaluates an expression with values by name.
func Eval(s string, names map[string]any) (any, error) {
	e, err := parseExpr(s)
	if err != nil {
		return nil, err
	}
	return evaluate(e, values(names), "seed")
}

// Fill evaluates a text with expressions in braces.
func Fill(s string, names map[string]any) (string, error) {
	t, err := parseText(s)
	if err != nil {
		return "", err
	}
	return t.in(values(names), "seed")
}
