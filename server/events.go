package server

import (
	"encoding/json"
	"fmt"
	"net/http"
	"sync"
	"time"
)

// hub passes progress on to whoever listens. A listener that is too slow
// misses messages; progress is about now, and the next one says it all.
type hub struct {
	mu        sync.Mutex
	listeners map[chan []byte]struct{}
	closed    chan struct{}
}

func newHub() *hub { return &hub{listeners: map[chan []byte]struct{}{}, closed: make(chan struct{})} }

func (h *hub) close() {
	h.mu.Lock()
	defer h.mu.Unlock()
	select {
	case <-h.closed:
	default:
		close(h.closed)
	}
}

// Publish sends an event to all listeners.
func (s *Server) Publish(kind string, v any) {
	body, err := json.Marshal(v)
	if err != nil {
		return // our own types always encode
	}
	msg := fmt.Appendf(nil, "event: %s\ndata: %s\n\n", kind, body)
	s.events.mu.Lock()
	defer s.events.mu.Unlock()
	for l := range s.events.listeners {
		select {
		case l <- msg:
		default:
		}
	}
}

// stream is the event stream (text/event-stream) of progress.
func (s *Server) stream(w http.ResponseWriter, r *http.Request) {
	l := make(chan []byte, 16)
	s.events.mu.Lock()
	s.events.listeners[l] = struct{}{}
	s.events.mu.Unlock()
	defer func() {
		s.events.mu.Lock()
		delete(s.events.listeners, l)
		s.events.mu.Unlock()
	}()
	w.Header().Set("Content-Type", "text/event-stream")
	rc := http.NewResponseController(w)
	fmt.Fprint(w, ": listening\n\n")
	alive := time.NewTicker(20 * time.Second)
	defer alive.Stop()
	for {
		if err := rc.Flush(); err != nil {
			return
		}
		select {
		case msg := <-l:
			w.Write(msg)
		case <-alive.C:
			fmt.Fprint(w, ": alive\n\n") // keeps proxies from closing it
		case <-r.Context().Done():
			return
		case <-s.events.closed:
			return
		}
	}
}
