package exposure

// History is how the score of a finding came to be what it is. It is computed
// again from what was known and in force on each day, not stored: intelligence,
// programme and verdicts are those of the day, while what describes the finding
// and its asset themselves (vector, detection, identifiers) is today's.
type History struct {
	Points  []ScorePoint  `json:"points"`  // the first day, each on which the score differs from the day before, and the last
	Changes []ScoreChange `json:"changes"` // what moved it, oldest first
}

// ScorePoint is a score at the end of a day.
type ScorePoint struct {
	Day    int  `json:"day"` // since 1970-01-01
	Points int  `json:"risk"`
	Band   Band `json:"band"`
}

// ScoreChange is a step of a score and the factor that explains most of it.
type ScoreChange struct {
	Day    int    `json:"day"` // since 1970-01-01
	From   int    `json:"from"`
	To     int    `json:"to"`
	Band   Band   `json:"band"`           // after it
	Factor string `json:"factor"`         // "threat", "reach" …
	Label  string `json:"label"`          // what it says now, for people
	Was    string `json:"was"`            // its quantity before, with its unit
	Is     string `json:"is"`             // and after
	Aged   bool   `json:"aged,omitempty"` // nothing but time passed
}
