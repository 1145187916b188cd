package server

import (
	"context"
	"crypto/subtle"
	"maps"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/alexedwards/scs/v2"
	"golang.org/x/time/rate"

	"github.com/leeward-ctem/leeward/exposure"
)

// Accounts keeps who may sign in.
type Accounts interface {
	AddAccount(ctx context.Context, a *exposure.Account) error
	SetPassword(ctx context.Context, id int64, password string) error
	// SetAccess is a Conflict when nobody of the role keep could sign in any more.
	SetAccess(ctx context.Context, id int64, role string, disabled bool, keep string) error
	SignedIn(ctx context.Context, id, at int64) error
	EndSessions(ctx context.Context, id, at int64) error
	AllowReset(ctx context.Context, id int64, digest string, until int64) error
	ResetAllowed(ctx context.Context, digest string, now int64) (exposure.Account, error)
	ResetPassword(ctx context.Context, digest, password string, now int64) (exposure.Account, error)
	Account(ctx context.Context, name string) (exposure.Account, error)
	AccountByID(ctx context.Context, id int64) (exposure.Account, error)
	Accounts(ctx context.Context) ([]exposure.Account, error)
	AddToken(ctx context.Context, t *exposure.Token) error
	TokenByDigest(ctx context.Context, digest string) (exposure.Token, error)
	Tokens(ctx context.Context, account int64) ([]exposure.Token, error)
	TouchToken(ctx context.Context, id, at int64) error
	RemoveToken(ctx context.Context, account, id int64) error
}

// Sessions keeps sessions. It also lists them, so that people see where they are
// signed in.
type Sessions interface {
	scs.CtxStore
	AllCtx(ctx context.Context) (map[string][]byte, error)
}

// Role is what an account may do; each includes those before it.
type Role int

// The roles. A viewer reads; an analyst also triages and imports; an owner
// also claims fixes and asks for exceptions for his team; an operator also
// runs feeds, jobs and the programme; an admin also manages accounts.
const (
	Nobody Role = iota
	Viewer
	Analyst
	Owner
	Operator
	Admin
)

var roleNames = [...]string{"nobody", "viewer", "analyst", "owner", "operator", "admin"}

func (r Role) String() string { return roleNames[r] }

// ParseRole reads a role's name.
func ParseRole(s string) (Role, error) {
	for i, n := range roleNames[1:] {
		if n == s {
			return Role(i + 1), nil
		}
	}
	return Nobody, exposure.Errorf(exposure.Invalid, "there is no role %q: use one of %s", s, strings.Join(roleNames[1:], ", "))
}

// Actor is who a request is made by.
type Actor struct {
	ID   int64
	Name string
	Role Role
}

type actorKey struct{}

// ActorOf returns who makes the request; the zero Actor is nobody.
func ActorOf(ctx context.Context) Actor {
	a, _ := ctx.Value(actorKey{}).(Actor)
	return a
}

// gate knows who is at the door.
type gate struct {
	accounts Accounts
	sessions *scs.SessionManager
	store    Sessions
	now      func() time.Time
	local    string // digest of the token that local commands use
	setup    string // digest of the one-time link, while there is no account

	mu    sync.Mutex
	tries map[string]*rate.Limiter // failed sign-ins by name

	// hashing has room for the passwords that are compared at the same time:
	// each takes 64 MB, and whoever knows the address may ask for one.
	hashing chan struct{}
}

// A session names its account and the password it was opened with, by a digest
// of the hash: a changed password ends the sessions of the old one.
const (
	sessionAccount  = "account"
	sessionPassword = "password"
	sessionSeen     = "seen" // unix milliseconds, a little old
	sessionID       = "id"   // tells one's own session from others
	sessionSince    = "since"
	sessionValid    = "valid" // the account's sessions may have been ended up to then
	sessionAgent    = "agent"
)

// A session ends when nobody used it for a day. When it was used is written
// down now and then and not with every request: a page that is only read waits
// for no writer of the database.
const (
	sessionIdle = 24 * time.Hour
	sessionNote = 10 * time.Minute
)

// maxAgent bounds what a browser says of itself.
const maxAgent = 300

// agentKey is the place of what a browser says of itself in a context.
type agentKey struct{}

// open makes the session one of the account, under a new identity, so that one
// planted before is worth nothing.
func (g *gate) open(ctx context.Context, a *exposure.Account) error {
	if err := g.sessions.RenewToken(ctx); err != nil {
		return err
	}
	g.sessions.Put(ctx, sessionAccount, a.ID)
	g.sessions.Put(ctx, sessionPassword, digestOf(a.Password))
	g.sessions.Put(ctx, sessionSeen, g.now().UnixMilli())
	_, id := newSecret("")
	g.sessions.Put(ctx, sessionID, id)
	g.sessions.Put(ctx, sessionSince, g.now().UnixMilli())
	g.sessions.Put(ctx, sessionValid, g.now().UnixMilli())
	agent, _ := ctx.Value(agentKey{}).(string)
	g.sessions.Put(ctx, sessionAgent, strings.ToValidUTF8(agent[:min(len(agent), maxAgent)], ""))
	return g.accounts.SignedIn(ctx, a.ID, g.now().UnixMilli())
}

// identify finds the actor of a request by its token or session.
func (g *gate) identify(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		actor, err := g.actor(r)
		if err != nil {
			w.Header().Set("WWW-Authenticate", `Bearer realm="leeward"`)
			http.Error(w, err.Error(), http.StatusUnauthorized)
			return
		}
		ctx := context.WithValue(r.Context(), actorKey{}, actor)
		next.ServeHTTP(w, r.WithContext(context.WithValue(ctx, agentKey{}, r.UserAgent())))
	})
}

func (g *gate) actor(r *http.Request) (Actor, error) {
	ctx := r.Context()
	if secret, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer "); ok {
		if strings.HasPrefix(secret, agentPrefix) {
			return Actor{}, nil // nobody, but at the agents' door
		}
		return g.byToken(ctx, secret)
	}
	id := g.sessions.GetInt64(ctx, sessionAccount)
	if id == 0 {
		return Actor{}, nil
	}
	switch now, seen := g.now(), time.UnixMilli(g.sessions.GetInt64(ctx, sessionSeen)); {
	case now.Sub(seen) > sessionIdle:
		return Actor{}, nil
	case now.Sub(seen) > sessionNote:
		g.sessions.Put(ctx, sessionSeen, now.UnixMilli())
	}
	a, err := g.accounts.AccountByID(ctx, id)
	if err != nil || a.Disabled || g.sessions.GetString(ctx, sessionPassword) != digestOf(a.Password) || g.sessions.GetInt64(ctx, sessionValid) < a.ValidFrom {
		return Actor{}, nil
	}
	role, err := ParseRole(a.Role)
	return Actor{a.ID, a.Name, role}, err
}

func (g *gate) byToken(ctx context.Context, secret string) (Actor, error) {
	refused := exposure.Errorf(exposure.Forbidden, "the token is not valid: make a new one on the account page")
	digest := digestOf(secret)
	if g.local != "" && subtle.ConstantTimeCompare([]byte(digest), []byte(g.local)) == 1 {
		return Actor{Name: exposure.CommandLine, Role: Admin}, nil
	}
	t, err := g.accounts.TokenByDigest(ctx, digest)
	if err != nil || t.Expires <= g.now().UnixMilli() {
		return Actor{}, refused
	}
	a, err := g.accounts.AccountByID(ctx, t.Account)
	if err != nil || a.Disabled {
		return Actor{}, refused
	}
	role, err := ParseRole(a.Role)
	if err != nil {
		return Actor{}, refused
	}
	if now := g.now().UnixMilli(); t.Used < now-60_000 {
		if err := g.accounts.TouchToken(ctx, t.ID, now); err != nil {
			return Actor{}, err
		}
	}
	return Actor{a.ID, a.Name, min(role, scopeRole(t.Scopes))}, nil
}

// scopes are what a token may be limited to, from least to most.
var scopes = []string{"read", "import", "write", "admin"}

// scopeRole is the most that a token's scopes allow, whatever its account may.
func scopeRole(scopes []string) Role {
	most := Nobody
	for _, s := range scopes {
		switch s {
		case "read":
			most = max(most, Viewer)
		case "import":
			most = max(most, Analyst)
		case "write":
			most = max(most, Operator)
		case "admin":
			most = max(most, Admin)
		}
	}
	return most
}

// signIn checks a name and password and opens a session.
func (g *gate) signIn(ctx context.Context, name, password string) (exposure.Account, error) {
	if validName(name) != nil {
		return exposure.Account{}, errWrongPassword() // nobody has it, and nothing is remembered of it
	}
	a, err := g.accounts.Account(ctx, name)
	if err != nil {
		a = exposure.Account{Name: name, Password: nobody, Disabled: true}
	}
	if err := g.check(&a, password); err != nil {
		return exposure.Account{}, err
	}
	return a, g.open(ctx, &a)
}

// check compares a password with an account's. Wrong ones are answered slowly
// and, after ten in a row, hardly at all.
func (g *gate) check(a *exposure.Account, password string) error {
	g.hashing <- struct{}{}
	defer func() { <-g.hashing }()
	limiter := g.limiter(a.Name)
	if limiter.Tokens() < 1 {
		return exposure.Errorf(exposure.Unavailable, "too many wrong passwords for %q: wait a minute and try again", a.Name)
	}
	if !samePassword(a.Password, password) || a.Disabled {
		limiter.Allow()
		return errWrongPassword()
	}
	g.mu.Lock()
	delete(g.tries, a.Name)
	g.mu.Unlock()
	return nil
}

func errWrongPassword() error {
	return exposure.Errorf(exposure.Forbidden, "the name or the password is wrong")
}

func (g *gate) limiter(name string) *rate.Limiter {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.tries == nil {
		g.tries = map[string]*rate.Limiter{}
	}
	if len(g.tries) > 10_000 { // who tries many names does not free the one he is after
		maps.DeleteFunc(g.tries, func(_ string, l *rate.Limiter) bool { return l.Tokens() >= 9 })
	}
	l := g.tries[name]
	if l == nil {
		l = rate.NewLimiter(rate.Every(6*time.Second), 10)
		g.tries[name] = l
	}
	return l
}

// linkFits reports whether link is the secret of the one-time link.
func (g *gate) linkFits(link string) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.setup != "" && subtle.ConstantTimeCompare([]byte(digestOf(link)), []byte(g.setup)) == 1
}

// firstAccount makes the administrator by the one-time link.
func (g *gate) firstAccount(ctx context.Context, link, name, password string) error {
	if !g.linkFits(link) {
		return exposure.Errorf(exposure.Forbidden, "this link was used or is not the one printed at the last start: restart the server for a new one")
	}
	hash, err := hashPassword(password)
	if err != nil {
		return err
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	// Another server of the same database may have printed a link too.
	if all, err := g.accounts.Accounts(ctx); err != nil {
		return err
	} else if len(all) > 0 {
		g.setup = ""
		return exposure.Errorf(exposure.Conflict, "the first account exists already: sign in, or ask its owner to add you")
	}
	a := exposure.Account{Name: name, Password: hash, Role: Admin.String(), Created: g.now().UnixMilli()}
	if err := g.accounts.AddAccount(ctx, &a); err != nil {
		return err
	}
	g.setup = ""
	return g.open(ctx, &a)
}
