package web

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/leeward-ctem/leeward/internal/testkit/live"
)

// Every page, full, empty and with the worst text in every place, as assistive
// technology meets it.
func TestPagesAreAccessible(t *testing.T) {
	t.Parallel()
	static := sampleStatic(t)
	if !live.All() {
		t.Skip("LEEWARD_TEST_ALL=1 looks at every page with axe-core")
	}
	pages := append(samplePages(static), emptyPages(static)...)
	pages = append(pages, hostilePages(static, `<script>alert(1)</script>"' مرحبا `+strings.Repeat("W", 300))...)
	mux := http.NewServeMux()
	mux.HandleFunc("GET "+staticPrefix+"{name}", func(w http.ResponseWriter, r *http.Request) {
		f, _ := static.Get(r.PathValue("name"))
		w.Header().Set("Content-Type", f.Type)
		w.Write(f.Body)
	})
	// The pages ask for progress; nothing ever happens here.
	mux.HandleFunc("GET "+EventsURL, func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(http.StatusNoContent) })
	for _, s := range pages {
		body := render(t, s.page)
		mux.HandleFunc("GET /"+s.name, func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "text/html; charset=utf-8")
			w.Header().Set("Content-Security-Policy", "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'")
			w.Write([]byte(body))
		})
	}
	site := httptest.NewServer(mux)
	defer site.Close()
	b := live.Browser(t)
	for _, s := range pages {
		if !strings.HasPrefix(render(t, s.page), "<!doctype html>") {
			continue // a part of a page; it is looked at where it belongs
		}
		b.Do("open "+s.name, chromedp.Navigate(site.URL+"/"+s.name), chromedp.WaitReady(chromedp.CSS("main")))
		b.Accessible(s.name)
	}
}
