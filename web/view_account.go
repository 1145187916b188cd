package web

import (
	"time"

	"github.com/leeward-ctem/leeward/exposure"
)

// SignInPage asks who is there.
type SignInPage struct {
	Shell Shell
	Name  string // as typed before
	Next  string // path to go to afterwards
	Error string
}

// SetupPage makes the first account by a one-time link.
type SetupPage struct {
	Shell Shell
	Link  string // the secret of the link; empty: the link is not valid
	Name  string
	Error string
}

// ResetPage sets a new password by a one-time link.
type ResetPage struct {
	Shell Shell
	Link  string // the secret of the link; empty: the link is not valid
	Error string
}

// AccountPage is the user's account, tokens and sessions.
type AccountPage struct {
	Shell     Shell
	Tokens    []exposure.Token
	Scopes    []string // that the user may give to a token
	Secret    string   // of a token made just now: shown once
	Error     string
	Sessions  []Session // newest first
	CanManage bool      // accounts of others
}

// Session is one browser that is signed in.
type Session struct {
	Agent   string // what it says it is
	Since   time.Time
	Current bool
}

// PeoplePage is who may sign in, for administrators.
type PeoplePage struct {
	Shell    Shell
	Rows     []Person
	Roles    []string
	Self     int64  // number of one's own account
	Link     string // for a new password, made just now: shown once
	LinkFor  string
	LinkEnds time.Time
	Error    string
}

// Person is one account with its tokens.
type Person struct {
	exposure.Account
	Tokens []exposure.Token
}

// ErrorPage says what went wrong and what to do next.
type ErrorPage struct {
	Shell   Shell
	Status  int    // 400, 401, 403, 404, 409, 422, 500, 503
	Message string // one sentence for people; empty: the usual one of the status
}

// Suggestion is one line of the command palette.
type Suggestion struct {
	Group string // "Findings", "Assets", "Go to"
	Label string
	Hint  string // what is beside it: risk, kind, shortcut
	Link  string
}
