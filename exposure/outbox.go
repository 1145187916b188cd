package exposure

// Notice is what a message to the outside speaks of. The programme file names
// notices to say which ones a receiver wants.
type Notice string

// The notices.
const (
	NoticeKEV          Notice = "kev"          // a weakness known to be exploited is open on an asset in scope
	NoticeIntelligence Notice = "intelligence" // the feeds say something new of what is open: see [Alert]
	NoticeCritical     Notice = "critical"     // findings crossed into the critical band
	NoticeOverdue      Notice = "overdue"      // findings passed their due date
	NoticeRegression   Notice = "regression"   // what was verified as fixed is back
	NoticeScanFailed   Notice = "scan_failed"  // a report could not be read to its end
	NoticeDigest       Notice = "digest"       // the summary of a day or week
	NoticeTest         Notice = "test"         // somebody tries the connection
)

// Notices returns all notices, in the order people should see them.
func Notices() []Notice {
	return []Notice{NoticeKEV, NoticeIntelligence, NoticeCritical, NoticeOverdue, NoticeRegression, NoticeScanFailed, NoticeDigest, NoticeTest}
}

// OutboxState is where a message stands.
type OutboxState string

// The states of a message. Sent and Failed are final.
const (
	OutboxWaiting OutboxState = "waiting" // to be sent at NextAt, or again if a try went wrong
	OutboxSent    OutboxState = "sent"    // the receiver took it
	OutboxFailed  OutboxState = "failed"  // given up: LastError says why
)

// OutboxMessage is one message to one receiver, written in the same
// transaction as the change it speaks of, so that neither exists without the
// other.
type OutboxMessage struct {
	ID        int64       `json:"id"`
	Key       string      `json:"key"`       // identity of the message for its receiver: the same key is never sent twice once it was taken
	Connector string      `json:"connector"` // name of the connector: webhook
	Target    string      `json:"target"`    // name of the receiver in the programme; its address and secret are looked up when it is sent
	Body      string      `json:"body"`      // JSON, redacted
	State     OutboxState `json:"state"`
	Attempts  int         `json:"attempts"`             // tries that ended
	NextAt    int64       `json:"next_at"`              // not to be tried before, unix milliseconds
	LeaseAt   int64       `json:"lease_at,omitempty"`   // taken by a sender until then, unix milliseconds; 0: free
	LastError string      `json:"last_error,omitempty"` // one sentence, without secrets
	CreatedAt int64       `json:"created_at"`           // unix milliseconds
}
