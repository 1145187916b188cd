package config

import (
	"bytes"
	"context"
	"embed"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strings"
	"sync"

	"cel.dev/cel-go/cel"
	celenv "cel.dev/cel-go/common/env"
	"cel.dev/cel-go/common/operators"
	"go.yaml.in/yaml/v4"

	"github.com/leeward-ctem/leeward/exposure"
)

// rule is one check, as people write it.
type rule struct {
	ID         string            `yaml:"id"`
	Title      string            `yaml:"title"`
	Severity   exposure.Severity `yaml:"-"`
	Word       string            `yaml:"severity"`
	Applies    string            `yaml:"applies"` // kind of subject
	When       string            `yaml:"when"`    // CEL over it: true is a weakness
	Show       []string          `yaml:"show"`    // paths in it that are evidence
	Why        string            `yaml:"why"`
	Fix        string            `yaml:"fix"`
	References []string          `yaml:"references"`
	CWEs       []int             `yaml:"cwes"`

	program cel.Program
	asked   []string // paths that get asks for
}

// Bounds of rules.
const (
	maxRules      = 1_000
	maxRuleFile   = 1 << 20
	maxExpression = 2_000  // bytes
	maxCost       = 50_000 // of one evaluation, in CEL's units: about a step each
)

//go:embed rules/*.yaml
var shipped embed.FS

// ruleset are rules by the kind of subject that they are about.
type ruleset map[string][]*rule

// compiled are the shipped rules. They never change.
var compiled = sync.OnceValues(func() (ruleset, error) { return load(shipped, "rules", ruleset{}) })

// load reads the rules of all YAML files of a directory, beside those there are.
func load(fsys fs.FS, dir string, before ruleset) (ruleset, error) {
	all := ruleset{}
	seen := map[string]bool{}
	for kind, rules := range before {
		all[kind] = slices.Clone(rules)
		for _, r := range rules {
			seen[r.ID] = true
		}
	}
	env, err := language()
	if err != nil {
		return nil, exposure.Errorf(exposure.Internal, "CEL: %w", err)
	}
	entries, err := fs.ReadDir(fsys, dir)
	if err != nil {
		return nil, exposure.Errorf(exposure.Invalid, "the rules cannot be read: %w", err)
	}
	for _, e := range entries {
		name := path.Join(dir, e.Name())
		if ext := path.Ext(name); ext != ".yaml" && ext != ".yml" || !e.Type().IsRegular() {
			continue
		}
		rules, err := readRules(fsys, name)
		if err != nil {
			return nil, exposure.Errorf(exposure.Invalid, "%s: %w", name, err)
		}
		for _, r := range rules {
			if seen[r.ID] {
				return nil, exposure.Errorf(exposure.Invalid, "%s: there are two rules %q: give each an id of its own", name, r.ID)
			}
			if seen[r.ID] = true; len(seen) > maxRules {
				return nil, exposure.Errorf(exposure.Invalid, "%s: there are more than %d rules", name, maxRules)
			}
			if err := r.compile(env); err != nil {
				return nil, exposure.Errorf(exposure.Invalid, "%s: rule %q: %w", name, r.ID, err)
			}
			all[r.Applies] = append(all[r.Applies], r)
		}
	}
	return all, nil
}

func readRules(fsys fs.FS, name string) (all []*rule, err error) {
	f, err := fsys.Open(name)
	if err != nil {
		return nil, err
	}
	body, err := io.ReadAll(io.LimitReader(f, maxRuleFile+1))
	if err := errors.Join(err, f.Close()); err != nil {
		return nil, err
	}
	if len(body) > maxRuleFile {
		return nil, fmt.Errorf("it has more than %d bytes: make several files of it", maxRuleFile)
	}
	l, err := yaml.NewLoader(bytes.NewReader(body), yaml.WithKnownFields(true))
	if err != nil {
		return nil, err
	}
	if err := l.Load(&all); err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	if slices.Contains(all, nil) {
		return nil, errors.New("one of its rules is empty")
	}
	return all, nil
}

var idForm = regexp.MustCompile(`^[a-z0-9]+(-[a-z0-9]+)*$`)

func (r *rule) compile(env *cel.Env) error {
	switch {
	case !idForm.MatchString(r.ID) || len(r.ID) > 80:
		return errors.New("an id has small letters, digits and single dashes, and at most 80 bytes")
	case !slices.Contains(kinds, r.Applies):
		return fmt.Errorf("it applies to %q: use one of %s", r.Applies, strings.Join(kinds, ", "))
	case r.Title == "" || len(r.Title) > 150:
		return errors.New("a title has 1 to 150 bytes")
	case r.Why == "" || r.Fix == "":
		return errors.New("say why it matters (why) and what to do (fix)")
	case len(r.When) > maxExpression:
		return fmt.Errorf("when has %d bytes, and at most %d are allowed", len(r.When), maxExpression)
	}
	if err := r.Severity.UnmarshalText([]byte(r.Word)); err != nil || r.Severity == exposure.SeverityUnknown {
		return fmt.Errorf("severity is %q: use info, low, medium, high or critical", r.Word)
	}
	ast, issues := env.Compile(r.When)
	if err := issues.Err(); err != nil {
		return fmt.Errorf("when: %w", err)
	}
	if t := ast.OutputType(); !t.IsExactType(cel.BoolType) && !t.IsExactType(cel.DynType) {
		return fmt.Errorf("when is a %s and not true or false", t)
	}
	program, err := env.Program(ast, cel.CostLimit(maxCost), cel.InterruptCheckFrequency(1_000), cel.EvalOptions(cel.OptOptimize))
	r.program = program
	for _, m := range asks.FindAllStringSubmatch(r.When, -1) {
		r.asked = append(r.asked, strings.TrimPrefix(m[1]+"."+m[2], "."))
	}
	return err
}

// asks is how conditions name what they ask for.
var asks = regexp.MustCompile(`get\(it((?:\.\w+)*), '([^']+)'`)

// unknown reports whether a value is known only later: a variable of Terraform or
// Compose, a function of CloudFormation.
func unknown(v any) bool {
	switch v := v.(type) {
	case string:
		return strings.Contains(v, "${") && !strings.Contains(v, "${{") // the latter is GitHub's
	case map[string]any:
		if len(v) != 1 {
			return false
		}
		for k := range v {
			return k == "Ref" || strings.HasPrefix(k, "Fn::")
		}
	case []any:
		return slices.ContainsFunc(v, func(x any) bool {
			s, ok := x.(string)
			return ok && strings.HasPrefix(s, "${") && !strings.HasPrefix(s, "${{")
		})
	}
	return false
}

// holds evaluates a rule. One that asks for what is not known does not.
func (r *rule) holds(ctx context.Context, it map[string]any) (bool, error) {
	if slices.ContainsFunc(r.asked, func(path string) bool { return unknown(lookup(it, path)) }) {
		return false, nil
	}
	v, _, err := r.program.ContextEval(ctx, map[string]any{"it": it})
	if err != nil {
		return false, err
	}
	b, ok := v.Value().(bool)
	if !ok {
		return false, fmt.Errorf("it gives a %s and not true or false", v.Type())
	}
	return b, nil
}

// language is CEL with it, the subject, and the functions of functions.go. There
// is no map and no time, and two levels of exists and all.
func language() (*cel.Env, error) {
	subset := &celenv.LibrarySubset{IncludeMacros: []string{operators.All, operators.Exists, operators.ExistsOne, operators.Filter, operators.Has}}
	return cel.NewCustomEnv(append(functions(),
		cel.StdLib(cel.StdLibSubset(subset)), cel.Variable("it", cel.MapType(cel.StringType, cel.DynType)),
		cel.CrossTypeNumericComparisons(true), cel.ParserRecursionLimit(40), cel.ParserErrorRecoveryLimit(4),
		cel.ParserExpressionSizeLimit(4*maxExpression), cel.ExpressionNodeLimit(1_000), cel.RegexProgramSizeLimit(1_000),
		cel.ASTValidators(cel.ValidateRegexLiterals(), cel.ValidateComprehensionNestingLimit(2)))...)
}
