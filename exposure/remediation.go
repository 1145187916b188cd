package exposure

// Remediation is one fix, by one owner, that closes many findings: the unit of
// work. It is derived from the open findings, so each of them is in exactly
// one, and its key stays the same while the fix stays the same.
type Remediation struct {
	Key       string  `json:"id"`   // "R-" and 12 hex digits of the hash of what to do and who does it
	Type      string  `json:"type"` // upgrade, config, rotate_secret, network, code, decommission, accept
	Title     string  `json:"title"`
	Component string  `json:"component,omitempty"` // package URL without version, or rule
	Target    string  `json:"target,omitempty"`    // smallest version that clears all, when known
	Also      string  `json:"also,omitempty"`      // "3.1.2 also clears 4 more"
	Owner     string  `json:"owner,omitempty"`     // empty: the triage queue
	Findings  int     `json:"findings"`
	Triaged   int     `json:"triaged,omitempty"` // findings that somebody took up
	Claimed   int     `json:"claimed,omitempty"` // findings whose fix waits for a retest
	Assets    int     `json:"assets"`
	Risk      int     `json:"risk"`               // worst, in points
	Loss      float64 `json:"expected_loss"`      // removed when done, currency over the horizon
	Effort    float64 `json:"effort"`             // relative, 1 is one routine upgrade
	DueDay    int     `json:"due_day,omitempty"`  // earliest among the findings
	DueRule   string  `json:"due_rule,omitempty"` // policy and rule that it comes from
	KEV       bool    `json:"kev,omitempty"`
	// IDs are the findings it closes, sorted.
	IDs []FindingID `json:"-"`
}
