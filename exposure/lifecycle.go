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
)

var causes = enumeration{"cause", []string{"reported", "absent", "not_affected", "suppressed", "triage", "claim", "except", "expiry", "retest_failed"}}

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

// Open reports whether the finding counts as exposure: it is there and nobody
// decided to live with it. A claimed fix counts until it is verified.
func (s Status) Open() bool {
	return s == StatusOpen || s == StatusTriaged || s == StatusFixClaimed
}
