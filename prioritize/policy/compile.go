package policy

import (
	"cmp"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/leeward-ctem/leeward/exposure"
)

// Bounds of one policy.
const (
	maxRules  = 200   // rules, or rows of a table
	maxInputs = 8     // of a table
	maxValues = 12    // of an input
	maxCells  = 4_096 // combinations of values of a table
	maxParts  = 12    // different conditions: a policy is laid out over all their combinations
	maxWhy    = 200   // bytes of a sentence
	maxDays   = 3_650
	// maxWrong is how many problems are told at once.
	maxWrong = 20
)

// Policy is one that was read and can be asked. It never changes; many may ask
// at once.
type Policy struct {
	doc     exposure.Policy
	parts   []part
	applies *expression
	inputs  []input
	rules   []rule
}

// input is a column of a table with the expression of each value.
type input struct {
	name   string
	values []string
	when   []*expression
}

// rule is what follows when an expression holds.
type rule struct {
	when     *expression // with what the policy applies to
	name     string
	outcome  exposure.PolicyOutcome
	days     int // until it is due; never: no date
	listed   bool
	weakness bool // asks of the weakness
	asset    bool
}

// never is for rules that set no date.
const never = -1

// Document is the policy as people wrote it.
func (p *Policy) Document() exposure.Policy { return p.doc }

// Name is that of the policy.
func (p *Policy) Name() string { return p.doc.Name }

// Dated reports whether it sets due dates, and not labels only.
func (p *Policy) Dated() bool {
	return slices.ContainsFunc(p.rules, func(r rule) bool { return r.days != never })
}

// Compile reads a policy. What is wrong with it is told all at once, one
// problem a line, each with its line of the file and the way out.
func Compile(doc exposure.Policy) (*Policy, error) {
	env, err := language()
	if err != nil {
		return nil, exposure.Errorf(exposure.Internal, "CEL: %w", err)
	}
	c := compiler{p: &Policy{doc: doc}, parser: parser{env: env}}
	c.compile()
	if len(c.problems) > 0 {
		return nil, c.err()
	}
	c.p.parts = c.parser.parts
	for i := range c.p.rules {
		r := &c.p.rules[i]
		r.when.each(func(n int) {
			r.weakness = r.weakness || c.p.parts[n].side == weakness
			r.asset = r.asset || c.p.parts[n].side == asset
		})
	}
	return c.p, nil
}

type problem struct {
	line int
	text string
}

type compiler struct {
	p        *Policy
	parser   parser
	problems []problem
}

func (c *compiler) fail(line int, format string, args ...any) {
	c.problems = append(c.problems, problem{line, fmt.Sprintf(format, args...)})
}

func (c *compiler) err() error {
	slices.SortStableFunc(c.problems, func(x, y problem) int { return cmp.Compare(x.line, y.line) })
	var all []string
	place := file(c.p.doc)
	for i, p := range c.problems {
		if i == maxWrong {
			all = append(all, fmt.Sprintf("%s: and %d more problems", place, len(c.problems)-i))
			break
		}
		at := place
		if p.line > 0 {
			at = fmt.Sprintf("%s:%d", place, p.line)
		}
		all = append(all, at+": "+p.text)
	}
	return exposure.Errorf(exposure.Invalid, "%s", strings.Join(all, "\n"))
}

// file is where a policy stands, as messages name it.
func file(doc exposure.Policy) string {
	return cmp.Or(doc.File, "policy "+strconv.Quote(clip(doc.Name)))
}

// Place is a policy's file and line, as messages begin.
func Place(doc exposure.Policy) string {
	if doc.Line == 0 {
		return file(doc)
	}
	return fmt.Sprintf("%s:%d", file(doc), doc.Line)
}

var nameForm = regexp.MustCompile(`^[a-z0-9][a-z0-9._-]{0,62}$`)

func (c *compiler) compile() {
	doc := &c.p.doc
	if !nameForm.MatchString(doc.Name) {
		c.fail(doc.Line, "the policy's name is %q: use up to 63 small letters, digits, dots and dashes", clip(doc.Name))
	}
	c.p.applies = &expression{op: opTrue}
	if doc.Applies != "" {
		c.p.applies = c.expression(cmp.Or(doc.AppliesLine, doc.Line), "applies", doc.Applies)
	}
	switch {
	case len(doc.Rules) > 0 && doc.Table != nil:
		c.fail(doc.Line, "policy %s has rules and a table: keep one, and make two policies of it", clip(doc.Name))
	case doc.Table != nil:
		c.table(doc.Table)
	case len(doc.Rules) == 0:
		c.fail(doc.Line, "policy %s says nothing: add rules, or a table", clip(doc.Name))
	case len(doc.Rules) > maxRules:
		c.fail(doc.Line, "policy %s has %d rules, and at most %d are allowed", clip(doc.Name), len(doc.Rules), maxRules)
	default:
		for _, r := range doc.Rules {
			when := c.expression(r.Line, "when", r.When)
			c.rule(r.Line, and(c.p.applies, when), cmp.Or(r.Why, clip(strings.Join(strings.Fields(r.When), " "))), r.PolicyOutcome)
		}
	}
	if n := len(c.parser.parts); n > maxParts {
		c.fail(doc.Line, "policy %s has %d different conditions, and at most %d are allowed: make several policies of it, or list values as in severity in [\"high\", \"critical\"]", clip(doc.Name), n, maxParts)
	}
}

// expression compiles one; what is wrong is noted and reads as never.
func (c *compiler) expression(line int, what, source string) *expression {
	if strings.TrimSpace(source) == "" {
		c.fail(line, "%s has no expression: write one, as in kev", what)
		return &expression{op: opFalse}
	}
	e, err := c.parser.parse(source)
	if err != nil {
		var m mistake
		if !errors.As(err, &m) {
			m.text = err.Error()
		}
		c.fail(line, "%s: %s", what, m.text)
		return &expression{op: opFalse}
	}
	return e
}

func (c *compiler) rule(line int, when *expression, name string, o exposure.PolicyOutcome) {
	r := rule{when: when, name: name, outcome: o, days: never}
	if o.Due == "" && o.Label == "" {
		c.fail(line, "the rule says neither until when nor what: add due, as in due: 14 days, or label")
	}
	for what, s := range map[string]string{"why": o.Why, "label": o.Label} {
		if len(s) > maxWhy {
			c.fail(line, "%s has %d bytes, and at most %d are allowed", what, len(s), maxWhy)
		}
	}
	if o.Due != "" {
		var err error
		if r.days, r.listed, err = ParseDue(o.Due); err != nil {
			c.fail(line, "%s", err)
		}
	}
	c.p.rules = append(c.p.rules, r)
}

var dueForm = regexp.MustCompile(`^([0-9]{1,6}) days?( after kev listing)?$`)

// ParseDue reads how long a rule gives: 14 days from first sight; 3 days after kev listing, or
// after first sight when that is later; never, which is −1.
func ParseDue(s string) (days int, listed bool, err error) {
	s = strings.ToLower(strings.Join(strings.Fields(s), " "))
	if s == "never" {
		return never, false, nil
	}
	m := dueForm.FindStringSubmatch(s)
	if m == nil {
		return never, false, exposure.Errorf(exposure.Invalid, "due is %q: write 14 days, 3 days after kev listing, or never", clip(s))
	}
	days, err = strconv.Atoi(m[1])
	if err != nil || days < 1 || days > maxDays {
		return never, false, exposure.Errorf(exposure.Invalid, "due is %q: give 1 to %d days, or never", clip(s), maxDays)
	}
	return days, m[2] != "", nil
}

func (c *compiler) table(t *exposure.PolicyTable) {
	doc := &c.p.doc
	if len(t.Inputs) == 0 || len(t.Inputs) > maxInputs {
		c.fail(doc.Line, "the table of policy %s has %d inputs: give 1 to %d", clip(doc.Name), len(t.Inputs), maxInputs)
		return
	}
	cells := 1
	seen := map[string]bool{}
	for _, in := range t.Inputs {
		if in.Name == "" || seen[in.Name] {
			c.fail(in.Line, "an input is called %q: give each a name of its own", clip(in.Name))
		}
		seen[in.Name] = true
		c.p.inputs = append(c.p.inputs, c.input(in))
		cells *= max(1, len(in.Values))
	}
	if len(c.problems) > 0 {
		return // rows would be complained of for nothing
	}
	if cells > maxCells {
		c.fail(doc.Line, "the table of policy %s has %d combinations of values, and at most %d are allowed", clip(doc.Name), cells, maxCells)
		return
	}
	if len(t.Rows) == 0 || len(t.Rows) > maxRules {
		c.fail(doc.Line, "the table of policy %s has %d rows: give 1 to %d", clip(doc.Name), len(t.Rows), maxRules)
		return
	}
	taken := make([]bool, cells)
	for _, row := range t.Rows {
		c.row(row, taken)
	}
	if i := slices.Index(taken, false); i >= 0 && len(c.problems) == 0 {
		c.fail(doc.Line, "the table of policy %s has no row for %s: add one, or a last one that has \"*\" for every input", clip(doc.Name), c.cell(i))
	}
}

func (c *compiler) input(in exposure.PolicyInput) input {
	out := input{name: in.Name}
	if len(in.Values) < 2 || len(in.Values) > maxValues {
		c.fail(in.Line, "input %s has %d values: give 2 to %d", clip(in.Name), len(in.Values), maxValues)
		return out
	}
	before := &expression{op: opTrue} // none of the values before
	for i, v := range in.Values {
		if v.Value == "" || v.Value == exposure.AnyValue || slices.Contains(out.values, v.Value) {
			c.fail(v.Line, "input %s has a value %q: give each a name of its own, other than *", clip(in.Name), clip(v.Value))
		}
		last := i == len(in.Values)-1
		switch {
		case last && v.When != "":
			c.fail(v.Line, "the last value of input %s has a condition: leave when out, for it is the answer when no other is", clip(in.Name))
		case !last && v.When == "":
			c.fail(v.Line, "value %s of input %s has no condition: add when; only the last has none", clip(v.Value), clip(in.Name))
		}
		when := before
		if !last && v.When != "" {
			e := c.expression(v.Line, "when", v.When)
			when, before = and(before, e), and(before, not(e))
		}
		out.values, out.when = append(out.values, v.Value), append(out.when, when)
	}
	return out
}

// row takes up a row and marks the combinations that it decides.
func (c *compiler) row(row exposure.PolicyRow, taken []bool) {
	if len(row.When) != len(c.p.inputs) {
		c.fail(row.Line, "the row has %d values for %d inputs: give one for each, and \"*\" for any", len(row.When), len(c.p.inputs))
		return
	}
	when, words := c.p.applies, []string{}
	at := make([]int, len(row.When)) // −1: any
	for i, v := range row.When {
		in := &c.p.inputs[i]
		at[i] = slices.Index(in.values, v)
		if at[i] < 0 && v != exposure.AnyValue {
			c.fail(row.Line, "input %s has no value %q: use one of %s, or \"*\"", clip(in.name), clip(v), clip(strings.Join(in.values, ", ")))
			return
		}
		if at[i] >= 0 {
			when = and(when, in.when[at[i]])
			words = append(words, in.name+" "+v)
		}
	}
	if !c.mark(at, taken) {
		c.fail(row.Line, "the row is never reached, for rows before it decide all that it speaks of: remove it, or move it up")
		return
	}
	c.rule(row.Line, when, cmp.Or(row.Why, strings.Join(words, ", "), "otherwise"), row.PolicyOutcome)
}

// mark takes the combinations of a row that no row before took, and reports
// whether there were any.
func (c *compiler) mark(at []int, taken []bool) bool {
	any := false
	for cell := range taken {
		rest, fits := cell, true
		for i := len(at) - 1; i >= 0; i-- {
			n := len(c.p.inputs[i].values)
			fits = fits && (at[i] < 0 || at[i] == rest%n)
			rest /= n
		}
		if fits && !taken[cell] {
			taken[cell], any = true, true
		}
	}
	return any
}

// cell is a combination of values in words.
func (c *compiler) cell(n int) string {
	words := make([]string, len(c.p.inputs))
	for i := len(words) - 1; i >= 0; i-- {
		in := &c.p.inputs[i]
		words[i] = in.name + " " + in.values[n%len(in.values)]
		n /= len(in.values)
	}
	return clip(strings.Join(words, ", "))
}

// find is the number of the first rule that holds, −1 when none does. Rules
// that ask of a side of which something could not be evaluated hold.
func (p *Policy) find(truth func(part int) bool, noWeakness, noAsset bool) int {
	return slices.IndexFunc(p.rules, func(r rule) bool {
		return noWeakness && r.weakness || noAsset && r.asset || r.when.holds(truth)
	})
}

// Answer is what a policy says of a finding.
type Answer struct {
	exposure.PolicyResult
	Days   int  // until it is due; −1: no date
	Listed bool // counted from the listing in KEV when that is later
}

// Ask evaluates a policy for one finding.
func (p *Policy) Ask(w *Weakness, a *Asset, b exposure.Band) Answer {
	return p.ask(w, a, b, false, false)
}

func (p *Policy) ask(w *Weakness, a *Asset, b exposure.Band, noWeakness, noAsset bool) Answer {
	var unknown []string
	truth := make([]bool, len(p.parts))
	for i := range p.parts {
		k := &p.parts[i]
		ok := true
		switch k.side {
		case weakness:
			truth[i], ok = k.ask(w, a)
			noWeakness = noWeakness || !ok
		case asset:
			truth[i], ok = k.ask(w, a)
			noAsset = noAsset || !ok
		case band:
			truth[i] = k.bands>>b&1 == 1
		}
		if !ok {
			unknown = append(unknown, clip(k.text))
		}
	}
	holds := func(i int) bool { return truth[i] }
	out := Answer{Days: never, PolicyResult: exposure.PolicyResult{
		Policy: p.doc.Name, Title: p.doc.Title, Applies: p.applies.holds(holds), Inputs: []exposure.PolicyFact{}, Unknown: strings.Join(unknown, "; ")}}
	for _, in := range p.inputs {
		i := slices.IndexFunc(in.when, func(e *expression) bool { return e.holds(holds) })
		out.Inputs = append(out.Inputs, exposure.PolicyFact{Name: in.name, Value: in.values[max(0, i)]})
	}
	if p.inputs == nil {
		out.Inputs = p.asked(w, a, b)
	}
	n := p.find(holds, noWeakness, noAsset)
	if n < 0 {
		return out
	}
	r := &p.rules[n]
	out.Rule, out.Label, out.Due, out.Why = r.name, r.outcome.Label, r.outcome.Due, r.outcome.Why
	out.Days, out.Listed = r.days, r.listed
	return out
}

// asked are the variables that the rules ask for, with their values.
func (p *Policy) asked(w *Weakness, a *Asset, b exposure.Band) []exposure.PolicyFact {
	var names []string
	for i := range p.parts {
		names = append(names, p.parts[i].variables...)
	}
	facts := []exposure.PolicyFact{}
	for _, v := range Variables() {
		if slices.Contains(names, v.Name) {
			facts = append(facts, exposure.PolicyFact{Name: v.Name, Value: v.shown(w, a, b)})
		}
	}
	return facts
}
