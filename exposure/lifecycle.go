package exposure

// Cause is why a finding moves.
type Cause uint8

// The causes. Scans and clocks cause some moves, people the others.
const (
	CauseReported     Cause = iota // a scanner says that it is there
	CauseAbsent                    // a scan with coverage proof did not see it
	CauseNotAffected               // every source says that it does not apply
	CauseSuppressed                // every source silences it
	CauseTriage                    // a person agrees that it matters
	CauseClaim                     // a person or tracker says that it is fixed
	CauseExcept                    // an exception was approved
	CauseExpiry                    // the exception ran out or was withdrawn
	CauseRetestFailed              // a retest still sees it
	CauseUndo                      // a person takes back what he decided, see [Undo]
)

var causes = enumeration{"cause", []string{"reported", "absent", "not_affected", "suppressed", "triage", "claim", "except", "expiry", "retest_failed", "undo"}}

func (c Cause) String() string               { return causes.name(uint8(c)) }
func (c Cause) MarshalText() ([]byte, error) { return []byte(c.String()), nil }
func (c *Cause) UnmarshalText(b []byte) error {
	return set(causes, (*uint8)(c), b)
}

// moves is the life of a finding: from → cause → to. What is not here is not
// allowed. Reported on an open finding is no move: it is already there.
var moves = map[Status]map[Cause]Status{
	StatusOpen: {
		CauseAbsent:      StatusVerified,
		CauseNotAffected: StatusNotAffected,
		CauseSuppressed:  StatusSuppressed,
		CauseTriage:      StatusTriaged,
		CauseClaim:       StatusFixClaimed,
		CauseExcept:      StatusExcepted,
	},
	StatusTriaged: {
		CauseAbsent:      StatusVerified,
		CauseNotAffected: StatusNotAffected,
		CauseSuppressed:  StatusSuppressed,
		CauseClaim:       StatusFixClaimed,
		CauseExcept:      StatusExcepted,
	},
	StatusFixClaimed: {
		CauseAbsent:       StatusVerified,
		CauseNotAffected:  StatusNotAffected,
		CauseRetestFailed: StatusOpen,
		CauseExcept:       StatusExcepted,
	},
	StatusVerified: {
		CauseReported: StatusOpen, // a regression, not a new finding
	},
	StatusExcepted: {
		CauseAbsent:      StatusVerified,
		CauseNotAffected: StatusNotAffected,
		CauseExpiry:      StatusOpen,
	},
	StatusNotAffected: {
		CauseReported: StatusOpen,
		CauseAbsent:   StatusVerified,
	},
	StatusSuppressed: {
		CauseReported:    StatusOpen,
		CauseAbsent:      StatusVerified,
		CauseNotAffected: StatusNotAffected,
		CauseExcept:      StatusExcepted,
	},
}

// Move returns the status that cause leads to. ok is false when the table does
// not allow it; the finding then stays as it is.
func (s Status) Move(c Cause) (to Status, ok bool) {
	to, ok = moves[s][c]
	return to, ok
}

// Undo returns the status that taking a move back leads to: the one it came
// from. Where undo leads depends on what was done and not on the status alone,
// so it has no place in the table of moves. ok is false for what nobody can
// take back: a move that the table does not know, so that undo reaches no
// status that the finding was not in by the table, and what scans and clocks
// said. That an exception ended is taken back only together with its end.
func Undo(c Cause, from, to Status) (back Status, ok bool) {
	if c != CauseTriage && c != CauseClaim && c != CauseExpiry {
		return 0, false
	}
	if led, known := from.Move(c); !known || led != to {
		return 0, false
	}
	return from, true
}

// Open reports whether the finding counts as exposure: it is there and nobody
// decided to live with it. A claimed fix counts until it is verified.
func (s Status) Open() bool {
	return s == StatusOpen || s == StatusTriaged || s == StatusFixClaimed
}
