// Package server is Leeward over HTTP: the JSON API under /api/v1 with its
// OpenAPI document, the pages, sign-in, roles, progress streams and health. It
// decides who may ask what; the answers come from its [Backend].
package server

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"github.com/alexedwards/scs/v2"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/leeward-ctem/leeward/exposure"
	"github.com/leeward-ctem/leeward/web"
)

// Config is what a server is made of.
type Config struct {
	Backend  Backend
	Accounts Accounts
	Sessions Sessions
	Log      *slog.Logger
	Now      func() time.Time
	Version  string
	// LocalToken lets commands on the same machine use the server; empty: they
	// need a token like everybody else.
	LocalToken string
	// Secure marks cookies as https only; set it behind a TLS proxy.
	Secure bool
	// Metrics are registered by the composition root; nil: none.
	Metrics *prometheus.Registry
	// Formats are the names of the report formats, for the import page.
	Formats []string
}

// Server answers requests.
type Server struct {
	Config
	gate    *gate
	events  *hub
	pushes  pushes
	files   *web.Static
	routes  *routes
	handler http.Handler
}

// New makes a server. When there is no account yet, SetupLink makes the
// one-time link for the first.
func New(c Config) (*Server, error) {
	sessions := scs.New()
	sessions.Store = c.Sessions
	sessions.Lifetime = 7 * 24 * time.Hour
	sessions.HashTokenInStore = true
	sessions.Cookie.Name = "leeward"
	sessions.Cookie.HttpOnly = true
	sessions.Cookie.SameSite = http.SameSiteLaxMode
	sessions.Cookie.Secure = c.Secure
	files, err := web.NewStatic()
	if err != nil {
		return nil, err
	}
	c.Backend = narrowed{c.Backend}
	s := &Server{Config: c, events: newHub(), files: files, gate: &gate{accounts: c.Accounts, sessions: sessions, store: c.Sessions, now: c.Now, hashing: make(chan struct{}, 2)}}
	if c.LocalToken != "" {
		s.gate.local = digestOf(c.LocalToken)
	}
	mux := &routes{}
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, r *http.Request) { w.Write([]byte("ok\n")) })
	mux.HandleFunc("GET /readyz", s.ready)
	if c.Metrics != nil {
		mux.Handle("GET /metrics", s.require(Viewer, promhttp.HandlerFor(c.Metrics, promhttp.HandlerOpts{})))
	}
	s.registerAccounts(mux)
	s.registerAPI(mux)
	s.registerPages(mux)
	s.routes = mux
	// Browsers send cookies across sites; requests that change something from
	// another origin are refused whatever they carry.
	protection := http.NewCrossOriginProtection()
	s.handler = secureHeaders(protection.Handler(s.withSession(s.gate.identify(s.withScope(s.recovered(mux))))))
	return s, nil
}

// routes is a mux that remembers what it was given.
type routes struct {
	http.ServeMux
	patterns []string
}

// Handle registers a handler.
func (m *routes) Handle(pattern string, h http.Handler) {
	m.patterns = append(m.patterns, pattern)
	m.ServeMux.Handle(pattern, h)
}

// HandleFunc registers a function.
func (m *routes) HandleFunc(pattern string, f func(http.ResponseWriter, *http.Request)) {
	m.Handle(pattern, http.HandlerFunc(f))
}

// Routes returns the pattern of every page and operation, "GET /findings/{id}",
// in the order of registration.
func (s *Server) Routes() []string { return slices.Clone(s.routes.patterns) }

// withSession loads the session of a request and saves it afterwards. What a
// page asks for in the background only looks at it: saved after a later request
// has changed the session, it would take the change back.
func (s *Server) withSession(next http.Handler) http.Handler {
	sessions := s.gate.sessions
	saved := sessions.LoadAndSave(next)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !inBackground(r) {
			saved.ServeHTTP(w, r)
			return
		}
		token := ""
		if c, err := r.Cookie(sessions.Cookie.Name); err == nil {
			token = c.Value
		}
		ctx, err := sessions.Load(r.Context(), token)
		if err != nil {
			s.Log.Error("session cannot be read", slog.Any("err", err))
			http.Error(w, public(err), http.StatusInternalServerError)
			return
		}
		next.ServeHTTP(w, r.WithContext(ctx))
	})
}

func inBackground(r *http.Request) bool {
	path, fragment := r.URL.Path, r.Header.Get("HX-Request") != ""
	return r.Method == http.MethodGet && !r.URL.Query().Has("scope") &&
		(path == web.EventsURL || strings.HasPrefix(path, "/static/") || fragment && (path == web.PaletteURL || path == web.ChooseURL))
}

// ServeHTTP answers one request.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.handler.ServeHTTP(w, r) }

// SetupLink returns the path of the one-time link that makes the first
// account, or "" when there is an account already.
func (s *Server) SetupLink(ctx context.Context) (string, error) {
	all, err := s.Accounts.Accounts(ctx)
	if err != nil || len(all) > 0 {
		return "", err
	}
	secret, digest := newSecret("")
	s.gate.mu.Lock()
	s.gate.setup = digest
	s.gate.mu.Unlock()
	return web.SetupURL + "?link=" + secret, nil
}

// Serve answers on l until ctx ends, then lets requests finish for a while.
func (s *Server) Serve(ctx context.Context, l net.Listener) error {
	srv := &http.Server{
		Handler:           s,
		ReadHeaderTimeout: 10 * time.Second,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    64 << 10,
		ErrorLog:          slog.NewLogLogger(s.Log.Handler(), slog.LevelWarn),
		BaseContext:       func(net.Listener) context.Context { return context.WithoutCancel(ctx) },
	}
	stopped := make(chan error, 1)
	go func() {
		<-ctx.Done()
		s.events.close()
		grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), 15*time.Second)
		defer cancel()
		stopped <- srv.Shutdown(grace)
	}()
	if err := srv.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return <-stopped
}

func (s *Server) ready(w http.ResponseWriter, r *http.Request) {
	if err := s.Backend.Ready(r.Context()); err != nil {
		s.Log.Warn("not ready", slog.Any("err", err))
		http.Error(w, "not ready", http.StatusServiceUnavailable)
		return
	}
	w.Write([]byte("ready\n"))
}

// require lets only actors of at least a role through.
func (s *Server) require(least Role, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch a := ActorOf(r.Context()); {
		case a.Role == Nobody:
			http.Error(w, "sign in first", http.StatusUnauthorized)
		case a.Role < least:
			http.Error(w, "this needs the role "+least.String(), http.StatusForbidden)
		default:
			next.ServeHTTP(w, r)
		}
	})
}

// recovered turns a panic into a 500 and a log line: one request, not the server.
func (s *Server) recovered(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer func() {
			if p := recover(); p != nil && p != http.ErrAbortHandler {
				s.Log.Error("panic", slog.Any("value", p), slog.String("path", r.URL.Path), slog.String("stack", string(debug.Stack())))
				http.Error(w, "internal error", http.StatusInternalServerError)
			}
		}()
		next.ServeHTTP(w, r)
	})
}

// contentPolicy allows our own files and nothing else.
const contentPolicy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

func secureHeaders(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", contentPolicy)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("X-Frame-Options", "DENY")
		h.Set("Referrer-Policy", "same-origin")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Cache-Control", "no-store") // but for files that never change
		next.ServeHTTP(w, r)
	})
}

// status maps the kind of an error to an HTTP status, here and nowhere else.
func status(err error) int {
	switch exposure.KindOf(err) {
	case exposure.Invalid:
		return http.StatusBadRequest
	case exposure.NotFound:
		return http.StatusNotFound
	case exposure.Conflict:
		return http.StatusConflict
	case exposure.Forbidden:
		return http.StatusForbidden
	case exposure.Unsupported:
		return http.StatusUnprocessableEntity
	case exposure.Unavailable:
		return http.StatusServiceUnavailable
	}
	return http.StatusInternalServerError
}

// public is what a stranger may read of an error: of a defect, nothing.
func public(err error) string {
	var known *exposure.Error
	if errors.As(err, &known) && known.Kind != exposure.Internal {
		return known.Msg
	}
	return "something went wrong on our side; the server's log has the details"
}
