package exposure

// DecisionKind says what a person decided.
type DecisionKind uint8

// The kinds of decision.
const (
	DecisionTriage DecisionKind = iota // findings matter
	DecisionClaim                      // findings are fixed
	DecisionAssign                     // assets belong to somebody
	DecisionExcept                     // an exception was asked for
	DecisionEnd                        // an exception was refused or ended
)

var decisionKinds = enumeration{"decision", []string{"triage", "claim", "assign", "except", "end"}}

func (k DecisionKind) String() string               { return decisionKinds.name(uint8(k)) }
func (k DecisionKind) MarshalText() ([]byte, error) { return []byte(k.String()), nil }
func (k *DecisionKind) UnmarshalText(b []byte) error {
	return set(decisionKinds, (*uint8)(k), b)
}

// Decision is what a person decided at once, of however many findings or
// assets. It is kept so that he can take it back: the events say what was
// done, and the decision which events they are.
type Decision struct {
	ID        int64          `json:"id"`
	At        int64          `json:"at"` // unix milliseconds
	Actor     string         `json:"actor"`
	Kind      DecisionKind   `json:"kind"`
	Owner     string         `json:"owner,omitempty"`     // that assets were given; empty: the programme decides
	Exception int64          `json:"exception,omitempty"` // that was asked for or ended
	Parts     []DecisionPart `json:"parts,omitempty"`     // not taken back yet
	Undone    int64          `json:"undone,omitempty"`    // unix milliseconds; 0: it stands
}

// DecisionPart is one event that a decision made.
type DecisionPart struct {
	Event int64 `json:"event"`
	// Before are the assets of the event by the owner that a person had named
	// for them before; empty: nobody had.
	Before map[string][]uint32 `json:"before,omitempty"`
}

// Undoing is the reason of the events that take the decision back.
func (d *Decision) Undoing() string {
	switch d.Kind {
	case DecisionTriage:
		return "undo of triage"
	case DecisionClaim:
		return "undo of a claimed fix"
	case DecisionAssign:
		return "undo of an assignment"
	case DecisionExcept:
		return "undo of asking for an exception"
	case DecisionEnd:
		return "undo of ending an exception"
	}
	return "undo"
}
