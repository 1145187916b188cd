package safehttp_test

import (
	"bytes"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/leeward-ctem/leeward/internal/safehttp"
)

func TestFetch(t *testing.T) {
	t.Parallel()
	mux := http.NewServeMux()
	mux.HandleFunc("/ok", func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("If-None-Match") == `"v1"` {
			w.WriteHeader(http.StatusNotModified)
			return
		}
		w.Header().Set("ETag", `"v1"`)
		fmt.Fprint(w, "content")
	})
	mux.HandleFunc("/half", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Length", "100")
		fmt.Fprint(w, "half")
	})
	mux.HandleFunc("/loop", func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/loop", http.StatusFound) })
	mux.HandleFunc("/gone", http.NotFound)
	srv := httptest.NewServer(mux)
	defer srv.Close()
	c := safehttp.New("test")

	var b bytes.Buffer
	a, err := c.Fetch(t.Context(), safehttp.Request{Address: srv.URL + "/ok", Limit: 100}, &b)
	if err != nil || a.Unchanged || a.ETag != `"v1"` || b.String() != "content" {
		t.Fatalf("Fetch = %+v, %v with %q", a, err, &b)
	}
	b.Reset()
	if a, err = c.Fetch(t.Context(), safehttp.Request{Address: srv.URL + "/ok", Known: a.Validator, Limit: 100}, &b); err != nil || !a.Unchanged || b.Len() != 0 {
		t.Errorf("the same again: %+v, %v, %d bytes", a, err, b.Len())
	}
	for name, want := range map[string]string{
		srv.URL + "/ok?token=sesame":  "more than the 3",
		srv.URL + "/half?a=sesame":    "it ended after",
		srv.URL + "/loop":             "more than five redirects",
		srv.URL + "/gone":             "404",
		"http://169.254.169.254/":     "metadata address",
		"http://[fe80::1]/":           "metadata address",
		"file:///etc/passwd":          "must begin with https://",
		"http://u:sesame@127.0.0.1:1": "cannot fetch",
	} {
		limit := int64(100)
		if want == "more than the 3" {
			limit = 3
		}
		_, err := c.Fetch(t.Context(), safehttp.Request{Address: name, Limit: limit}, &b)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("Fetch(%s) = %v, want %q", name, err, want)
		}
		if err != nil && strings.Contains(err.Error(), "sesame") {
			t.Errorf("Fetch(%s) tells a secret: %v", name, err)
		}
	}
}

func TestPost(t *testing.T) {
	t.Parallel()
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/busy":
			w.Header().Set("Retry-After", "7")
			w.WriteHeader(http.StatusServiceUnavailable)
		case "/moved":
			http.Redirect(w, r, "/", http.StatusTemporaryRedirect)
		default:
			if r.Header.Get("X-Test") != "yes" {
				w.WriteHeader(http.StatusBadRequest)
			}
		}
	}))
	defer srv.Close()
	c := safehttp.New("test")
	for path, want := range map[string]int{"/": 200, "/busy": 503, "/moved": 307} {
		status, wait, err := c.Post(t.Context(), srv.URL+path, map[string]string{"X-Test": "yes"}, []byte("{}"))
		if err != nil || status != want || (wait.Seconds() == 7) != (path == "/busy") {
			t.Errorf("Post(%s) = %d, %v, %v", path, status, wait, err)
		}
	}
}
