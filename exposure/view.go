package exposure

// SavedView is a list of findings that somebody keeps under a name: a filter,
// an order and columns. It holds no findings; opening it asks anew.
type SavedView struct {
	ID      int64    `json:"id"`
	Account int64    `json:"-"`     // whose it is; 0: the command line's
	Owner   string   `json:"owner"` // name of the account, or [CommandLine]
	Name    string   `json:"name"`
	Query   string   `json:"q"`
	Sort    string   `json:"sort,omitempty"` // empty: by risk
	Reverse bool     `json:"reverse,omitempty"`
	Columns []string `json:"columns,omitempty"` // empty: the usual ones
	Shared  bool     `json:"shared,omitempty"`  // everybody sees it; only its owner and administrators remove it
	Created int64    `json:"created"`           // unix milliseconds
}
