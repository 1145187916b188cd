package exposure

// EventKind says what changed.
type EventKind uint8

// The kinds of event.
const (
	EventOpened   EventKind = iota // findings First…Last are new
	EventMoved                     // findings changed status by Cause
	EventSource                    // findings got another source or its state changed
	EventVerdict                   // a validation of findings ended
	EventAsset                     // assets First…Last are new or changed
	EventContext                   // the programme changed what assets mean
	EventMerged                    // findings became part of others; their numbers lead there
	EventThreat                    // intelligence about advisories changed
	EventPolicy                    // the policy changed
	EventBand                      // findings crossed a risk band
	EventNote                      // a person wrote something
	EventRemoved                   // demo data was removed
	EventAssigned                  // a person gave the assets IDs another owner
)

var eventKinds = enumeration{"event", []string{"opened", "moved", "source", "verdict", "asset", "context", "merged", "threat", "policy", "band", "note", "removed", "assigned"}}

func (k EventKind) String() string               { return eventKinds.name(uint8(k)) }
func (k EventKind) MarshalText() ([]byte, error) { return []byte(k.String()), nil }
func (k *EventKind) UnmarshalText(b []byte) error {
	return set(eventKinds, (*uint8)(k), b)
}

// Event is one change of state, append-only: the source of every metric and
// the feed that keeps the index true. One event may speak of many objects,
// either the dense range First…Last or the listed IDs.
type Event struct {
	Seq    int64     `json:"seq"` // order of commit
	At     int64     `json:"at"`  // unix milliseconds
	Kind   EventKind `json:"kind"`
	Cause  Cause     `json:"cause,omitempty"`
	From   Status    `json:"from,omitempty"`
	To     Status    `json:"to,omitempty"`
	First  uint32    `json:"first,omitempty"`
	Last   uint32    `json:"last,omitempty"`
	IDs    []uint32  `json:"ids,omitempty"` // sorted; nil: the range
	Scan   ScanID    `json:"scan,omitempty"`
	Actor  string    `json:"actor"` // "import", "cycle", a user's name
	Reason string    `json:"reason,omitempty"`
}

// Reopens reports whether the event moved findings that were no exposure back
// to being one, or found that a claimed fix is none.
func (e *Event) Reopens() bool {
	return e.Kind == EventMoved && (e.To.Open() && !e.From.Open() || e.Cause == CauseRetestFailed)
}

// Closes reports whether the event moved open findings to where they are no
// exposure any more.
func (e *Event) Closes() bool {
	return e.Kind == EventMoved && e.From.Open() && !e.To.Open() && !e.Reopens()
}
