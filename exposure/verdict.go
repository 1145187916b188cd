package exposure

// Verdict is the outcome of one validation of one finding: evidence with a
// date until which it holds. The finding carries the kind that counts now.
type Verdict struct {
	ID         int64       `json:"id"`
	Finding    FindingID   `json:"finding"`
	Kind       VerdictKind `json:"kind"`
	Confidence int         `json:"confidence"` // OpenVAS QoD scale: 100 exploited … 80 banner … 30 guess
	At         int64       `json:"at"`         // unix milliseconds
	Until      int64       `json:"until"`      // valid until, unix milliseconds
	Evidence   string      `json:"evidence"`   // what was done and seen, redacted
	Actor      string      `json:"actor"`      // person, check or scanner
}
