// Package taxii is a TAXII 2.1 server for tests, over collections in memory:
// discovery, API roots, collections, and objects in pages. It answers as the
// standard says, and otherwise where a test makes it, see
// https://docs.oasis-open.org/cti/taxii/v2.1/taxii-v2.1.html.
package taxii

import (
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

const mediaType = "application/taxii+json;version=2.1"

// Object is one of a collection.
type Object struct {
	Added time.Time
	STIX  string // JSON
}

// Server is an http.Handler with one API root, /root/, and the collections
// open, closed and empty. The zero value has no objects; fields are set before
// requests come, or by [Server.Change].
type Server struct {
	Objects  []Object // of the collection open, in the order of their dates
	PageSize int      // at most; 0: as many as are asked for
	ByDate   bool     // name no next page but leave it to the dates
	Undated  bool     // do not say when objects were added
	Header   string   // Authorization that is asked for; empty: none
	// Fault may answer a request itself; it returns false to let it be. n counts
	// requests from 1.
	Fault func(w http.ResponseWriter, r *http.Request, n int) bool

	mu    sync.Mutex
	asked []*http.Request
}

// Change changes the server between requests.
func (s *Server) Change(f func(s *Server)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f(s)
}

// Asked returns the requests so far.
func (s *Server) Asked() []*http.Request {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.asked)
}

// ServeHTTP implements http.Handler.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.asked = append(s.asked, r)
	if s.Fault != nil && s.Fault(w, r, len(s.asked)) {
		return
	}
	collection, inside := strings.CutPrefix(r.URL.Path, "/root/collections/")
	id, what, _ := strings.Cut(collection, "/")
	switch {
	case s.Header != "" && r.Header.Get("Authorization") != s.Header:
		w.Header().Set("WWW-Authenticate", "Bearer")
		refuse(w, http.StatusUnauthorized, "credentials are needed")
	case !strings.Contains(r.Header.Get("Accept"), "application/taxii+json"):
		refuse(w, http.StatusNotAcceptable, "the media type is not spoken")
	case r.URL.Path == "/taxii2/":
		answer(w, map[string]any{"title": "A server for tests", "api_roots": []string{"/root/"}})
	case r.URL.Path == "/root/":
		answer(w, map[string]any{"title": "A root", "versions": []string{mediaType}, "max_content_length": 1 << 20})
	case inside && collection == "":
		answer(w, map[string]any{"collections": []any{
			map[string]any{"id": "open", "title": "All may read", "description": "What tests read", "can_read": true, "can_write": false},
			map[string]any{"id": "closed", "title": "Nobody may read", "can_read": false, "can_write": false},
			map[string]any{"id": "empty", "title": "Nothing to read", "can_read": true, "can_write": false},
		}})
	case id == "open" && what == "objects/":
		s.page(w, r)
	case id == "empty" && what == "objects/":
		answer(w, map[string]any{})
	case id == "closed" && what == "objects/":
		refuse(w, http.StatusForbidden, "the collection cannot be read")
	default:
		refuse(w, http.StatusNotFound, "there is no such collection")
	}
}

// page answers with objects: those after the place that next names, and after a
// date.
func (s *Server) page(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	from, _ := strconv.Atoi(q.Get("next"))
	if after, err := time.Parse(time.RFC3339Nano, q.Get("added_after")); err == nil {
		first := slices.IndexFunc(s.Objects, func(o Object) bool { return o.Added.After(after) })
		if first < 0 {
			first = len(s.Objects)
		}
		from = max(from, first)
	}
	size, err := strconv.Atoi(q.Get("limit"))
	if err != nil || s.PageSize > 0 {
		size = min(max(size, 1), max(s.PageSize, 1))
	}
	from = min(max(from, 0), len(s.Objects))
	page := s.Objects[from:min(from+size, len(s.Objects))]
	body := map[string]any{}
	if len(page) > 0 {
		var objects []json.RawMessage
		for _, o := range page {
			objects = append(objects, json.RawMessage(o.STIX))
		}
		body["objects"] = objects
		if !s.Undated {
			w.Header().Set("X-TAXII-Date-Added-First", stamp(page[0].Added))
			w.Header().Set("X-TAXII-Date-Added-Last", stamp(page[len(page)-1].Added))
		}
	}
	if from+len(page) < len(s.Objects) {
		if body["more"] = true; !s.ByDate {
			body["next"] = strconv.Itoa(from + len(page))
		}
	}
	answer(w, body)
}

func stamp(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000000Z") }

func answer(w http.ResponseWriter, body any) {
	w.Header().Set("Content-Type", mediaType)
	json.NewEncoder(w).Encode(body)
}

func refuse(w http.ResponseWriter, status int, title string) {
	w.Header().Set("Content-Type", mediaType)
	w.WriteHeader(status)
	json.NewEncoder(w).Encode(map[string]string{"title": title, "http_status": strconv.Itoa(status)})
}
