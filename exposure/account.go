package exposure

// Account is somebody who may sign in.
type Account struct {
	ID       int64  `json:"id"`
	Name     string `json:"name"`
	Password string `json:"-"` // argon2id in PHC form
	Role     string `json:"role"`
	Created  int64  `json:"created"`
	Disabled bool   `json:"disabled,omitempty"`
	Seen     int64  `json:"seen,omitempty"` // last sign-in; 0: never
	// ValidFrom is when sessions were last ended: older ones are worth nothing.
	ValidFrom int64 `json:"-"`
}

// CommandLine is who acts when commands do: whoever can read the data directory
// may do everything, and has no account there.
const CommandLine = "command line"

// Token lets a program act for an account, within its scopes. Only the digest
// of the secret is kept.
type Token struct {
	ID      int64    `json:"id"`
	Account int64    `json:"account"`
	Name    string   `json:"name"`
	Digest  string   `json:"-"`
	Scopes  []string `json:"scopes"`
	Created int64    `json:"created"`
	Expires int64    `json:"expires"` // unix milliseconds
	Used    int64    `json:"used,omitempty"`
}

// Exception is a decision to live with findings until it expires.
type Exception struct {
	ID        int64       `json:"id"`
	Reason    string      `json:"reason"`
	Requester string      `json:"requester"`
	Approver  string      `json:"approver,omitempty"` // never the requester
	Created   int64       `json:"created"`
	Approved  int64       `json:"approved,omitempty"` // 0: waits for approval
	Expires   int64       `json:"expires"`
	Ended     int64       `json:"ended,omitempty"` // 0: in force, or waiting
	Findings  []FindingID `json:"-"`
	Count     int         `json:"findings"` // how many it was asked for
}
