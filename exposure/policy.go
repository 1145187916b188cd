package exposure

// Policy says until when what must be fixed, or what it is called, as people
// write it: in rules or as a table. Its conditions are expressions in CEL; package
// prioritize/policy gives them their meaning. In both forms the first that
// holds counts.
type Policy struct {
	Name    string       `yaml:"name" json:"name"`
	Title   string       `yaml:"title,omitempty" json:"title,omitempty"`
	Source  string       `yaml:"source,omitempty" json:"source,omitempty"`   // where it is published
	Licence string       `yaml:"licence,omitempty" json:"licence,omitempty"` // of what was taken from there
	Note    string       `yaml:"note,omitempty" json:"note,omitempty"`       // how it was read
	Applies string       `yaml:"applies,omitempty" json:"applies,omitempty"` // to what it speaks of; empty: everything
	Rules   []PolicyRule `yaml:"rules,omitempty" json:"rules,omitempty"`
	Table   *PolicyTable `yaml:"table,omitempty" json:"table,omitempty"`

	// File and the lines are where it stands, for messages; 0 is not known.
	File        string `yaml:"-" json:"-"`
	Line        int    `yaml:"-" json:"-"`
	AppliesLine int    `yaml:"-" json:"-"`
}

// PolicyOutcome is what a rule comes to.
type PolicyOutcome struct {
	Due   string `yaml:"due,omitempty" json:"due,omitempty"`     // 14 days, 3 days after kev listing, never
	Label string `yaml:"label,omitempty" json:"label,omitempty"` // Act, forensic investigation
	Why   string `yaml:"why,omitempty" json:"why,omitempty"`     // in words for people
}

// PolicyRule is a condition and what follows from it.
type PolicyRule struct {
	When          string `yaml:"when" json:"when"`
	PolicyOutcome `yaml:",inline"`
	Line          int `yaml:"-" json:"-"`
}

// PolicyTable is a decision table.
type PolicyTable struct {
	Inputs []PolicyInput `yaml:"inputs" json:"inputs"`
	Rows   []PolicyRow   `yaml:"rows" json:"rows"`
}

// PolicyInput is a column of a table: a question with a few answers. The first
// value whose condition holds is the answer; the last has no condition and is
// the answer otherwise.
type PolicyInput struct {
	Name   string        `yaml:"name" json:"name"`
	Values []PolicyValue `yaml:"values" json:"values"`
	Line   int           `yaml:"-" json:"-"`
}

// PolicyValue is an answer and when it is the one.
type PolicyValue struct {
	Value string `yaml:"value" json:"value"`
	When  string `yaml:"when,omitempty" json:"when,omitempty"`
	Line  int    `yaml:"-" json:"-"`
}

// AnyValue stands in a row for every value of an input.
const AnyValue = "*"

// PolicyRow is a row of a table: a value for each input, in their order.
type PolicyRow struct {
	When          []string `yaml:"when,flow" json:"when"`
	PolicyOutcome `yaml:",inline"`
	Line          int `yaml:"-" json:"-"`
}

// PolicyResult is what a policy says of one finding, and why.
type PolicyResult struct {
	Policy  string `json:"policy"`
	Title   string `json:"title,omitempty"`
	InForce bool   `json:"in_force"` // sets due dates; otherwise it is a label beside the score
	Applies bool   `json:"applies"`  // speaks of such findings at all
	// Rule is the rule or row that holds, in words; empty: none does.
	Rule    string       `json:"rule,omitempty"`
	Label   string       `json:"label,omitempty"`
	Due     string       `json:"due,omitempty"` // as the policy says it
	DueDay  int          `json:"due_day,omitempty"`
	Why     string       `json:"why,omitempty"`
	Binds   bool         `json:"binds,omitempty"` // is the one that the due date comes from
	Inputs  []PolicyFact `json:"inputs"`
	Unknown string       `json:"unknown,omitempty"` // what could not be evaluated and so was taken to hold
}

// PolicyFact is what an input, or a variable of a condition, was.
type PolicyFact struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}
