package server_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/leeward-ctem/leeward/server"
)

// broken is a backend whose answers are defects.
type broken struct{ server.Backend }

const inside = "postgres://leeward:hunter2@db.internal/leeward"

func (broken) Summary(context.Context) (server.Summary, error) {
	return server.Summary{}, fmt.Errorf("read summary: %w", errors.New("dial "+inside))
}

func (broken) Findings(context.Context, server.FindingQuery) (server.FindingPage, error) {
	return server.FindingPage{}, errors.New("dial " + inside)
}

func (broken) Ready(context.Context) error { return errors.New("dial " + inside) }

// What goes wrong within is in the log and nowhere else.
func TestDefectsAreNotTold(t *testing.T) {
	t.Parallel()
	var log strings.Builder
	s, err := server.New(server.Config{Backend: broken{}, Now: time.Now, LocalToken: "local", Log: slog.New(slog.NewTextHandler(&log, nil))})
	if err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]int{"/findings": 500, "/api/v1/findings": 500, "/api/v1/summary": 500, "/readyz": 503, "/scope": 500, "/api/v1/scope": 500} {
		log.Reset()
		r := httptest.NewRequest("GET", path, nil)
		r.Header.Set("Authorization", "Bearer local")
		w := httptest.NewRecorder()
		s.ServeHTTP(w, r)
		body, _ := io.ReadAll(w.Body)
		if w.Code != want {
			t.Errorf("%s: %d, want %d", path, w.Code, want)
		}
		for _, told := range []string{"hunter2", "db.internal", "goroutine", ".go:", "nil pointer", "dial postgres"} {
			if strings.Contains(string(body), told) {
				t.Errorf("%s tells %q: %s", path, told, body)
			}
		}
		if w.Header().Get("Content-Security-Policy") == "" || !strings.Contains(w.Header().Get("Cache-Control"), "no-store") {
			t.Errorf("%s: %v", path, w.Header())
		}
		if log.Len() == 0 {
			t.Errorf("%s: the log says nothing", path)
		}
	}
}
