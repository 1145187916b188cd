package server

import (
	"cmp"
	"context"
	"log/slog"
	"net/http"
	"slices"
	"time"

	"github.com/leeward-ctem/leeward/exposure"
	"github.com/leeward-ctem/leeward/web"
)

// AccountRow is one account as an administrator sees it.
type AccountRow struct {
	exposure.Account
	Tokens []exposure.Token `json:"tokens"`
}

// SessionRow is one browser that is signed in to an account.
type SessionRow struct {
	Agent   string `json:"agent" doc:"what the browser says it is"`
	Since   int64  `json:"since" doc:"sign-in, unix milliseconds"`
	Current bool   `json:"current" doc:"the session that asks"`

	token string // in the store
}

// AccessRequest changes what an account may do.
type AccessRequest struct {
	Role     string `json:"role,omitempty" doc:"left out: as it is"`
	Disabled *bool  `json:"disabled,omitempty" doc:"locked; left out: as it is"`
}

// ResetLink sets a new password, once.
type ResetLink struct {
	Link    string `json:"link" doc:"path on this server"`
	Expires int64  `json:"expires" doc:"unix milliseconds"`
}

// resetFor is how long a link for a new password is good.
const resetFor = 24 * time.Hour

// accountRows are all accounts with their tokens.
func (s *Server) accountRows(ctx context.Context) ([]AccountRow, error) {
	all, err := s.Accounts.Accounts(ctx)
	if err != nil {
		return nil, err
	}
	rows := make([]AccountRow, len(all))
	for i, a := range all {
		rows[i].Account = a
		if rows[i].Tokens, err = s.Accounts.Tokens(ctx, a.ID); err != nil {
			return nil, err
		}
	}
	return rows, nil
}

// setAccess changes an account's role, or locks or unlocks it. Who is locked is
// signed out. The last administrator stays one.
func (s *Server) setAccess(ctx context.Context, id int64, r AccessRequest) (exposure.Account, error) {
	a, err := s.Accounts.AccountByID(ctx, id)
	if err != nil {
		return a, err
	}
	if r.Role != "" {
		role, err := ParseRole(r.Role)
		if err != nil {
			return a, err
		}
		a.Role = role.String()
	}
	if r.Disabled != nil {
		a.Disabled = *r.Disabled
	}
	if err := s.Accounts.SetAccess(ctx, id, a.Role, a.Disabled, Admin.String()); err != nil {
		return a, err
	}
	s.Log.Info("account changed", slog.String("account", a.Name), slog.String("role", a.Role), slog.Bool("locked", a.Disabled), slog.String("by", ActorOf(ctx).Name))
	if a.Disabled {
		_, err = s.gate.endSessions(ctx, id)
	}
	return a, err
}

// allowReset makes a link by which somebody sets a new password. The old one
// is good until then.
func (s *Server) allowReset(ctx context.Context, id int64) (ResetLink, error) {
	secret, digest := newSecret("")
	until := s.Now().Add(resetFor).UnixMilli()
	if err := s.Accounts.AllowReset(ctx, id, digest, until); err != nil {
		return ResetLink{}, err
	}
	s.Log.Info("link for a new password made", slog.Int64("account", id), slog.String("by", ActorOf(ctx).Name))
	return ResetLink{web.ResetURL + "?link=" + secret, until}, nil
}

// resetPassword sets a password by a link and signs in.
func (g *gate) resetPassword(ctx context.Context, link, password string) (exposure.Account, error) {
	gone := exposure.Errorf(exposure.Forbidden, "this link was used or is too old: ask an administrator for a new one")
	if _, err := g.accounts.ResetAllowed(ctx, digestOf(link), g.now().UnixMilli()); exposure.KindOf(err) == exposure.NotFound && err != nil {
		return exposure.Account{}, gone
	} else if err != nil {
		return exposure.Account{}, err
	}
	hash, err := hashPassword(password)
	if err != nil {
		return exposure.Account{}, err
	}
	a, err := g.accounts.ResetPassword(ctx, digestOf(link), hash, g.now().UnixMilli())
	if err != nil && exposure.KindOf(err) == exposure.NotFound {
		return a, gone
	} else if err != nil {
		return a, err
	}
	return a, g.open(ctx, &a)
}

// sessionsOf are the sessions that are signed in to an account, newest first.
func (g *gate) sessionsOf(ctx context.Context, account int64) ([]SessionRow, error) {
	a, err := g.accounts.AccountByID(ctx, account)
	if err != nil {
		return nil, err
	}
	all, err := g.store.AllCtx(ctx)
	if err != nil {
		return nil, err
	}
	here := g.sessions.GetString(ctx, sessionID)
	var rows []SessionRow
	for token, data := range all {
		_, values, err := g.sessions.Codec.Decode(data)
		if err != nil {
			continue // of another version: it is nobody's
		}
		id, _ := values[sessionAccount].(int64)
		password, _ := values[sessionPassword].(string)
		valid, _ := values[sessionValid].(int64)
		if id != account || password != digestOf(a.Password) || valid < a.ValidFrom {
			continue
		}
		row := SessionRow{token: token}
		row.Agent, _ = values[sessionAgent].(string)
		row.Since, _ = values[sessionSince].(int64)
		name, _ := values[sessionID].(string)
		row.Current = here != "" && name == here
		rows = append(rows, row)
	}
	slices.SortFunc(rows, func(x, y SessionRow) int { return cmp.Or(cmp.Compare(y.Since, x.Since), cmp.Compare(x.token, y.token)) })
	return rows, nil
}

// endSessions signs an account out everywhere but in the session that asks.
func (g *gate) endSessions(ctx context.Context, account int64) (ended int, err error) {
	rows, err := g.sessionsOf(ctx, account)
	if err != nil {
		return 0, err
	}
	// A request of such a session that is on its way may still write it back:
	// it is then too old to be of use.
	now := g.now().UnixMilli()
	if err := g.accounts.EndSessions(ctx, account, now); err != nil {
		return 0, err
	}
	for _, row := range rows {
		if row.Current {
			g.sessions.Put(ctx, sessionValid, now)
			continue
		}
		if err := g.store.DeleteCtx(ctx, row.token); err != nil {
			return ended, err
		}
		ended++
	}
	return ended, nil
}

// registerPeople adds the operations on accounts and sessions.
func (s *Server) registerPeople(a operations) {
	register(a, Admin, "list-accounts", http.MethodGet, "/accounts", "Who may sign in", func(ctx context.Context, _ *struct{}) (*list[AccountRow], error) {
		rows, err := s.accountRows(ctx)
		return &list[AccountRow]{rows}, err
	})
	register(a, Admin, "change-account", http.MethodPatch, "/accounts/{id}", "Change a role, lock or unlock; the last administrator stays", func(ctx context.Context, in *struct {
		ID   int64 `path:"id"`
		Body AccessRequest
	}) (*exposure.Account, error) {
		account, err := s.setAccess(ctx, in.ID, in.Body)
		return &account, err
	})
	register(a, Admin, "reset-password", http.MethodPost, "/accounts/{id}/reset", "Make a one-time link for a new password", func(ctx context.Context, in *accountPath) (*ResetLink, error) {
		link, err := s.allowReset(ctx, in.ID)
		return &link, err
	})
	register(a, Admin, "remove-account-token", http.MethodDelete, "/accounts/{id}/tokens/{token}", "Remove a token of an account", func(ctx context.Context, in *struct {
		ID    int64 `path:"id"`
		Token int64 `path:"token"`
	}) (*struct{}, error) {
		return &struct{}{}, s.Accounts.RemoveToken(ctx, in.ID, in.Token)
	})
	register(a, Viewer, "list-sessions", http.MethodGet, "/sessions", "Browsers signed in to one's own account", func(ctx context.Context, _ *struct{}) (*list[SessionRow], error) {
		rows, err := s.ownSessions(ctx)
		return &list[SessionRow]{rows}, err
	})
	register(a, Viewer, "end-sessions", http.MethodDelete, "/sessions", "Sign out everywhere but here", func(ctx context.Context, _ *struct{}) (*endedSessions, error) {
		n, err := s.endOwnSessions(ctx)
		return &endedSessions{n}, err
	})
}

type accountPath struct {
	ID int64 `path:"id"`
}

type endedSessions struct {
	Ended int `json:"ended"`
}

func (s *Server) ownSessions(ctx context.Context) ([]SessionRow, error) {
	id := ActorOf(ctx).ID
	if id == 0 {
		return []SessionRow{}, nil // commands on this machine have no account
	}
	return s.gate.sessionsOf(ctx, id)
}

func (s *Server) endOwnSessions(ctx context.Context) (int, error) {
	id := ActorOf(ctx).ID
	if id == 0 {
		return 0, nil
	}
	return s.gate.endSessions(ctx, id)
}
