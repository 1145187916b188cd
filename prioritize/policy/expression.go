package policy

import (
	"fmt"
	"math"
	"regexp"
	"slices"
	"strings"
	"sync"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/ast"
	celenv "cel.dev/cel-go/common/env"
	"cel.dev/cel-go/common/operators"
	"cel.dev/cel-go/common/overloads"
	"cel.dev/cel-go/common/types"

	"github.com/leeward-ctem/leeward/exposure"
)

// Bounds of one expression. People write some dozens of bytes; these stop what
// is written to cost.
const (
	maxExpression = 2_000  // bytes
	maxNesting    = 40     // of parentheses and operators
	maxNodes      = 1_000  // of the syntax tree, with what macros expand to
	maxCost       = 50_000 // of one evaluation, in CEL's units: about a step each
	maxRegex      = 1_000  // instructions of a compiled pattern
)

// language is CEL with our variables and without what could fail or cost: no
// index, no conversions, no whole-number arithmetic, no division by zero (that of
// fractions gives infinity), one level of exists and all.
var language = sync.OnceValues(func() (*cel.Env, error) {
	subset := &celenv.LibrarySubset{
		IncludeMacros: []string{operators.All, operators.Exists},
		IncludeFunctions: []*celenv.Function{
			celenv.NewFunction(operators.Conditional), celenv.NewFunction(operators.LogicalAnd),
			celenv.NewFunction(operators.LogicalOr), celenv.NewFunction(operators.LogicalNot),
			celenv.NewFunction(operators.Equals), celenv.NewFunction(operators.NotEquals),
			celenv.NewFunction(operators.Less), celenv.NewFunction(operators.LessEquals),
			celenv.NewFunction(operators.Greater), celenv.NewFunction(operators.GreaterEquals),
			celenv.NewFunction(operators.In), celenv.NewFunction(operators.NotStrictlyFalse),
			fractions(operators.Add, overloads.AddDouble), fractions(operators.Subtract, overloads.SubtractDouble),
			fractions(operators.Multiply, overloads.MultiplyDouble), fractions(operators.Divide, overloads.DivideDouble),
			fractions(operators.Negate, overloads.NegateDouble),
			celenv.NewFunction(overloads.Size), celenv.NewFunction(overloads.StartsWith), celenv.NewFunction(overloads.EndsWith),
			celenv.NewFunction(overloads.Contains), celenv.NewFunction(overloads.Matches),
		},
	}
	options := []cel.EnvOption{
		cel.StdLib(cel.StdLibSubset(subset)),
		cel.CrossTypeNumericComparisons(true), cel.EnableMacroCallTracking(),
		cel.ParserRecursionLimit(maxNesting), cel.ParserErrorRecoveryLimit(4),
		cel.ParserExpressionSizeLimit(4 * maxExpression), cel.ExpressionNodeLimit(maxNodes),
		cel.RegexProgramSizeLimit(maxRegex), cel.ASTValidators(cel.ValidateRegexLiterals(), cel.ValidateComprehensionNestingLimit(1)),
	}
	kinds := map[string]*cel.Type{typeBool: cel.BoolType, typeNumber: cel.DoubleType, typeWhole: cel.IntType, typeText: cel.StringType, typeList: cel.ListType(cel.StringType)}
	for _, v := range Variables() {
		options = append(options, cel.Variable(v.Name, kinds[v.Type]))
	}
	return cel.NewCustomEnv(options...)
})

func fractions(operator, overload string) *celenv.Function {
	return celenv.NewFunction(operator, &celenv.Overload{ID: overload})
}

// expression is a condition of which the parts are numbers.
type expression struct {
	op   op
	part int // of the policy, for opPart
	kids []*expression
}

type op uint8

const (
	opTrue op = iota
	opFalse
	opPart
	opNot
	opAnd
	opOr
	opIf
)

// holds evaluates an expression for the truth of the parts.
func (e *expression) holds(truth func(part int) bool) bool {
	switch e.op {
	case opTrue:
		return true
	case opPart:
		return truth(e.part)
	case opNot:
		return !e.kids[0].holds(truth)
	case opAnd:
		return e.kids[0].holds(truth) && e.kids[1].holds(truth)
	case opOr:
		return e.kids[0].holds(truth) || e.kids[1].holds(truth)
	case opIf:
		if e.kids[0].holds(truth) {
			return e.kids[1].holds(truth)
		}
		return e.kids[2].holds(truth)
	}
	return false
}

// each visits the parts of an expression.
func (e *expression) each(f func(part int)) {
	if e.op == opPart {
		f(e.part)
	}
	for _, k := range e.kids {
		k.each(f)
	}
}

func and(all ...*expression) *expression {
	out := &expression{op: opTrue}
	for _, e := range all {
		switch {
		case e == nil || e.op == opTrue:
		case out.op == opTrue:
			out = e
		default:
			out = &expression{op: opAnd, kids: []*expression{out, e}}
		}
	}
	return out
}

func not(e *expression) *expression { return &expression{op: opNot, kids: []*expression{e}} }

// part is a smallest piece of a condition: no && || ! or ?: joins two within it.
type part struct {
	text      string // in one way of writing, whatever spaces and parentheses were used
	side      side
	variables []string
	bands     uint8 // of a part that speaks of the band: the bands for which it holds
	// ask evaluates the part; ok is false when that failed. Of weakness and asset
	// it looks at the one that it speaks of.
	ask func(*Weakness, *Asset) (holds, ok bool)
}

// parser turns the expressions of one policy into parts.
type parser struct {
	env   *cel.Env
	parts []part
}

// mistake is what is wrong with an expression, for the person who wrote it.
type mistake struct{ text string }

func (m mistake) Error() string { return m.text }

func mistakef(format string, args ...any) error { return mistake{fmt.Sprintf(format, args...)} }

// parse compiles an expression.
func (p *parser) parse(source string) (*expression, error) {
	if len(source) > maxExpression {
		return nil, mistakef("the expression has %d bytes, and at most %d are allowed: make several rules of it", len(source), maxExpression)
	}
	checked, issues := p.env.Compile(source)
	if err := issues.Err(); err != nil {
		return nil, wording(issues)
	}
	if t := checked.OutputType(); !t.IsExactType(types.BoolType) {
		return nil, mistakef("%s is a %s and not true or false: compare it with something", brief(source), typeName(t))
	}
	tree := checked.NativeRep()
	if err := p.examine(tree); err != nil {
		return nil, err
	}
	return p.take(tree, tree.Expr())
}

// take makes an expression of a tree.
func (p *parser) take(tree *ast.AST, e ast.Expr) (*expression, error) {
	joints := map[string]op{operators.LogicalAnd: opAnd, operators.LogicalOr: opOr, operators.LogicalNot: opNot, operators.Conditional: opIf}
	if e.Kind() == ast.CallKind {
		if joint, ok := joints[e.AsCall().FunctionName()]; ok {
			out := &expression{op: joint}
			for _, arg := range e.AsCall().Args() {
				kid, err := p.take(tree, arg)
				if err != nil {
					return nil, err
				}
				out.kids = append(out.kids, kid)
			}
			if joint == opAnd || joint == opOr {
				for len(out.kids) > 2 { // CEL may join more than two at once
					n := len(out.kids)
					out.kids = append(out.kids[:n-2], &expression{op: joint, kids: []*expression{out.kids[n-2], out.kids[n-1]}})
				}
			}
			return out, nil
		}
	}
	source, err := cel.ExprToString(e, tree.SourceInfo())
	if err != nil {
		return nil, mistakef("the expression cannot be taken apart: %v", err)
	}
	if i := slices.IndexFunc(p.parts, func(k part) bool { return k.text == source }); i >= 0 {
		return &expression{op: opPart, part: i}, nil
	}
	k := part{text: source}
	named := map[side][]string{}
	for _, v := range Variables() {
		if uses(e, v.Name) {
			k.side |= v.side
			k.variables = append(k.variables, v.Name)
			named[v.side] = append(named[v.side], v.Name)
		}
	}
	if k.side != nothing && k.side&(k.side-1) != 0 {
		return nil, mixed(source, named)
	}
	if err := p.ready(tree, e, &k); err != nil {
		return nil, err
	}
	if k.side == nothing {
		if holds, _ := k.ask(nil, nil); holds {
			return &expression{op: opTrue}, nil
		}
		return &expression{op: opFalse}, nil
	}
	p.parts = append(p.parts, k)
	return &expression{op: opPart, part: len(p.parts) - 1}, nil
}

// mixed says how to write what compares two sides.
func mixed(source string, named map[side][]string) error {
	var of, each []string
	for _, s := range []side{weakness, asset, band} {
		if len(named[s]) > 0 {
			of = append(of, fmt.Sprintf("%s (%s)", sides[s], strings.Join(named[s], ", ")))
			each = append(each, named[s][0]+" …")
		}
	}
	return mistakef("%s speaks of %s at once: compare each with a value of its own and join them with && or ||, as in %s", brief(source), strings.Join(of, " and "), strings.Join(each, " && "))
}

// uses reports whether a variable is asked for. Variables of exists and all
// never have such a name, see examine.
func uses(e ast.Expr, name string) bool {
	found := false
	ast.PreOrderVisit(e, ast.NewExprVisitor(func(e ast.Expr) {
		found = found || e.Kind() == ast.IdentKind && e.AsIdent() == name
	}))
	return found
}

// examine refuses what CEL allows and a policy must not have.
func (p *parser) examine(tree *ast.AST) error {
	var err error
	refuse := func(format string, args ...any) {
		if err == nil {
			err = mistakef(format, args...)
		}
	}
	used := map[string]bool{}
	ast.PreOrderVisit(tree.Expr(), ast.NewExprVisitor(func(e ast.Expr) {
		switch e.Kind() {
		case ast.IdentKind:
			name := e.AsIdent()
			used[name] = true
			if tree.GetType(e.ID()).Kind() == types.TypeKind {
				refuse("%s is the name of a type: use one of the variables %s", name, variableNames())
			}
		case ast.ComprehensionKind:
			if _, taken := lookup(e.AsComprehension().IterVar()); taken {
				refuse("%s is a variable already: call that of exists or all something else", e.AsComprehension().IterVar())
			}
		case ast.MapKind, ast.StructKind, ast.SelectKind:
			refuse("a policy has no fields and no maps: use one of the variables %s", variableNames())
		case ast.CallKind:
			p.examineCall(tree, e.AsCall(), refuse)
		}
	}))
	if err == nil && (used["epss"] || used["epss_percentile"]) && !used["epss_known"] {
		return mistakef("epss says nothing of a weakness that has no score, which is not a low one: write `epss_known && …`, or `!epss_known || …` to take no score for a high one")
	}
	return err
}

func (p *parser) examineCall(tree *ast.AST, call ast.CallExpr, refuse func(string, ...any)) {
	args := call.Args()
	kind := func(i int) types.Kind { return tree.GetType(args[i].ID()).Kind() }
	switch call.FunctionName() {
	case operators.Less, operators.LessEquals, operators.Greater, operators.GreaterEquals:
		if kind(0) == types.StringKind || kind(0) == types.BoolKind {
			refuse(`texts have no order here, for "high" comes before "low" in the alphabet: list those that you mean, as in band in ["high", "critical"]`)
		}
	case operators.Equals, operators.NotEquals:
		known(args[0], refuse, args[1])
		known(args[1], refuse, args[0])
	case operators.In:
		if args[1].Kind() == ast.ListKind {
			known(args[0], refuse, args[1].AsList().Elements()...)
		}
	case overloads.Matches:
		pattern := args[len(args)-1]
		if pattern.Kind() != ast.LiteralKind {
			refuse("the pattern of matches must be written out: it cannot be a variable")
		}
	}
}

// known complains of words that a variable can never be.
func known(variable ast.Expr, refuse func(string, ...any), words ...ast.Expr) {
	if variable.Kind() != ast.IdentKind {
		return
	}
	v, ok := lookup(variable.AsIdent())
	if !ok || len(v.Words) == 0 {
		return
	}
	for _, w := range words {
		if w.Kind() != ast.LiteralKind {
			continue
		}
		if s, ok := w.AsLiteral().Value().(string); ok && !slices.Contains(v.Words, s) {
			refuse("%s is never %q: use one of %s", v.Name, clip(s), strings.Join(v.Words, ", "))
		}
	}
}

// ready makes a part that can be asked: simple comparisons by themselves, for
// they are asked of every weakness of the world, and the rest by CEL.
func (p *parser) ready(tree *ast.AST, e ast.Expr, k *part) error {
	if k.side == weakness || k.side == asset {
		if ask := simple(e); ask != nil {
			k.ask = ask
			return nil
		}
	}
	checked, issues := p.env.Compile(k.text)
	if issues.Err() != nil {
		return wording(issues)
	}
	program, err := p.env.Program(checked, cel.CostLimit(maxCost), cel.EvalOptions(cel.OptOptimize))
	if err != nil {
		return mistakef("%s cannot be evaluated: %v", brief(k.text), clip(err.Error()))
	}
	run := func(s scene) (holds, ok bool) {
		out, _, err := program.Eval(s)
		if err != nil {
			return false, false
		}
		b, ok := out.Value().(bool)
		return b, ok
	}
	k.ask = func(w *Weakness, a *Asset) (bool, bool) { return run(scene{weakness: w, asset: a}) }
	if k.side == band {
		for b := exposure.BandNone; b <= exposure.BandCritical; b++ {
			holds, ok := run(scene{band: b.String()})
			if holds || !ok {
				k.bands |= 1 << b
			}
		}
	}
	return nil
}

// scene answers CEL's questions for variables.
type scene struct {
	weakness *Weakness
	asset    *Asset
	band     string
}

// ResolveName implements cel.Activation.
func (s scene) ResolveName(name string) (any, bool) {
	if name == "band" {
		return s.band, s.band != ""
	}
	v, ok := lookup(name)
	if !ok || v.side == weakness && s.weakness == nil || v.side == asset && s.asset == nil {
		return nil, false
	}
	switch p := v.field(s.weakness, s.asset).(type) {
	case *bool:
		return *p, true
	case *float64:
		return *p, true
	case *int:
		return *p, true
	case *string:
		return *p, true
	case *[]string:
		return *p, true
	}
	return nil, false
}

// Parent implements cel.Activation.
func (scene) Parent() cel.Activation { return nil }

// question is a simple part.
type question func(*Weakness, *Asset) (holds, ok bool)

// simple recognises a variable alone, and one compared with or looked up in
// what is written out. Nil: it is neither.
func simple(e ast.Expr) question {
	if v, ok := variable(e); ok && v.Type == typeBool {
		if flag := v.flag; flag != nil {
			return func(w *Weakness, _ *Asset) (bool, bool) { return *flag(w), true }
		}
		return func(w *Weakness, a *Asset) (bool, bool) { return *v.field(w, a).(*bool), true }
	}
	if e.Kind() != ast.CallKind || len(e.AsCall().Args()) != 2 || e.AsCall().IsMemberFunction() {
		return nil
	}
	call := e.AsCall()
	left, right, name := call.Args()[0], call.Args()[1], call.FunctionName()
	if name == operators.In {
		return simpleIn(left, right)
	}
	mirror := map[string]string{operators.Less: operators.Greater, operators.LessEquals: operators.GreaterEquals, operators.Greater: operators.Less, operators.GreaterEquals: operators.LessEquals, operators.Equals: operators.Equals, operators.NotEquals: operators.NotEquals}
	if mirror[name] == "" {
		return nil
	}
	if left.Kind() == ast.LiteralKind {
		left, right, name = right, left, mirror[name]
	}
	v, ok := variable(left)
	if !ok || right.Kind() != ast.LiteralKind {
		return nil
	}
	switch want := right.AsLiteral().Value().(type) {
	case string:
		if v.Type == typeText && (name == operators.Equals || name == operators.NotEquals) {
			equal := name == operators.Equals
			return func(w *Weakness, a *Asset) (bool, bool) { return (*v.field(w, a).(*string) == want) == equal, true }
		}
	case int64:
		if want > -1<<50 && want < 1<<50 {
			return compared(v, name, float64(want))
		}
	case float64:
		return compared(v, name, want)
	}
	return nil
}

func variable(e ast.Expr) (*Variable, bool) {
	if e.Kind() != ast.IdentKind {
		return nil, false
	}
	return lookup(e.AsIdent())
}

// compared compares a number. Whole numbers of policies are small, so a
// float64 holds them exactly.
func compared(v *Variable, name string, want float64) question {
	if v.Type != typeNumber && v.Type != typeWhole || math.IsNaN(want) {
		return nil
	}
	compare := map[string]func(x float64) bool{
		operators.Less: func(x float64) bool { return x < want }, operators.LessEquals: func(x float64) bool { return x <= want },
		operators.Greater: func(x float64) bool { return x > want }, operators.GreaterEquals: func(x float64) bool { return x >= want },
		operators.Equals: func(x float64) bool { return x == want }, operators.NotEquals: func(x float64) bool { return x != want },
	}[name]
	return func(w *Weakness, a *Asset) (bool, bool) {
		switch p := v.field(w, a).(type) {
		case *float64:
			return compare(*p), true
		case *int:
			return compare(float64(*p)), true
		}
		return false, false
	}
}

func simpleIn(left, right ast.Expr) question {
	if v, ok := variable(right); ok && v.Type == typeList && left.Kind() == ast.LiteralKind {
		if want, ok := left.AsLiteral().Value().(string); ok {
			return func(w *Weakness, a *Asset) (bool, bool) {
				return slices.Contains(*v.field(w, a).(*[]string), want), true
			}
		}
	}
	v, ok := variable(left)
	if !ok || v.Type != typeText || right.Kind() != ast.ListKind {
		return nil
	}
	var list []string
	for _, e := range right.AsList().Elements() {
		if e.Kind() != ast.LiteralKind {
			return nil
		}
		s, ok := e.AsLiteral().Value().(string)
		if !ok {
			return nil
		}
		list = append(list, s)
	}
	return func(w *Weakness, a *Asset) (bool, bool) {
		return slices.Contains(list, *v.field(w, a).(*string)), true
	}
}

var (
	undeclared = regexp.MustCompile(`^undeclared reference to '([^']*)'`)
	overload   = regexp.MustCompile(`^found no matching overload for '([^']*)' applied to '([^']*)'`)
)

// complaints are what CEL says otherwise, with the way out.
var complaints = []struct{ has, what, help string }{
	{"Syntax error", "the expression breaks off or has something that cannot stand there", "join conditions with && and ||, negate with !, compare with ==, and put texts in quotes"},
	{"recursion limit", "the expression is nested too deeply", fmt.Sprintf("at most %d levels are allowed: make several rules of it", maxNesting)},
	{"nesting limit", "exists or all stands within another", "ask of one list at a time"},
	{"invalid matches argument", "the pattern of matches cannot be used", "check its parentheses and make it shorter; it is in the syntax of RE2"},
	{"field selection", "a policy has no fields", "use the variables by themselves"},
	{"node", "the expression has too many parts", "make several rules of it"},
}

// wording says the first of CEL's complaints in words for people.
func wording(issues *cel.Issues) error {
	all := issues.Errors()
	if len(all) == 0 {
		return mistakef("%s", clip(issues.Err().Error()))
	}
	first := all[0]
	at := ""
	if first.Location != nil && first.Location.Line() > 0 {
		at = fmt.Sprintf(" (at character %d)", first.Location.Column()+1)
		if first.Location.Line() > 1 {
			at = fmt.Sprintf(" (in line %d of the expression, at character %d)", first.Location.Line(), first.Location.Column()+1)
		}
	}
	if m := undeclared.FindStringSubmatch(first.Message); m != nil {
		for _, v := range Variables() {
			if slices.Contains(v.Words, m[1]) {
				return mistakef("there is no %s%s: texts stand in quotes, as in %s == %q", m[1], at, v.Name, m[1])
			}
		}
		return mistakef("there is no %q%s: use the variables %s; the functions size, startsWith, endsWith, contains, matches, exists and all; and && || ! ?: == != < <= > >= in + - * /", clip(m[1]), at, variableNames())
	}
	if m := overload.FindStringSubmatch(first.Message); m != nil {
		return mistakef("%s does not go with %s%s: compare what is of one type, numbers with numbers (arithmetic with fractions only, as 2.0) and texts in quotes with texts", strings.Trim(m[1], "_"), clip(m[2]), at)
	}
	for _, c := range complaints {
		if strings.Contains(first.Message, c.has) {
			return mistakef("%s%s: %s", c.what, at, c.help)
		}
	}
	return mistakef("%s%s", clip(strings.TrimSuffix(strings.TrimSpace(strings.ReplaceAll(first.Message, "\n", " ")), ".")), at)
}

func typeName(t *cel.Type) string {
	switch t.Kind() {
	case types.StringKind:
		return "text"
	case types.IntKind, types.DoubleKind, types.UintKind:
		return "number"
	case types.ListKind:
		return "list"
	}
	return "value"
}

// brief is an expression as messages show it.
func brief(source string) string { return "`" + clip(strings.Join(strings.Fields(source), " ")) + "`" }

// clip bounds hostile text and drops what cannot be printed.
func clip(s string) string {
	s = strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || r == 0xfffd {
			return -1
		}
		return r
	}, s)
	if r := []rune(s); len(r) > 160 {
		return string(r[:160]) + "…"
	}
	return s
}
