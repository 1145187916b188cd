package safehttp

import (
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
)

func TestRedirect(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		from, to string
		err      string
		keeps    bool // the credentials
	}{
		"same server":        {"https://a.example/x", "https://a.example/y", "", true},
		"another server":     {"https://a.example/x", "https://b.example/x", "", false},
		"a server below":     {"https://a.example/x", "https://b.a.example/x", "", false},
		"another port":       {"https://a.example/x", "https://a.example:444/x", "", false},
		"up to https":        {"http://a.example/x", "https://a.example/x", "", false},
		"down to http":       {"https://a.example/x", "http://a.example/x", "from https to http", false},
		"no web address":     {"https://a.example/x", "file:///etc/passwd", "no web address", false},
		"another way of ftp": {"http://a.example/x", "ftp://a.example/x", "no web address", false},
	} {
		from, _ := url.Parse(tt.from)
		to, _ := url.Parse(tt.to)
		r := &http.Request{URL: to, Header: http.Header{"Authorization": {"*"}}}
		err := redirect(r, []*http.Request{{URL: from}})
		if (err == nil) != (tt.err == "") || err != nil && !strings.Contains(err.Error(), tt.err) {
			t.Errorf("%s: %v, want %q", name, err, tt.err)
		}
		if err == nil && (r.Header.Get("Authorization") != "") != tt.keeps {
			t.Errorf("%s: credentials %q", name, r.Header.Get("Authorization"))
		}
	}
}

// A proxy in the private network fetches from the public internet for us.
func TestProxy(t *testing.T) {
	t.Parallel()
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		io.WriteString(w, "through the proxy to "+r.URL.String())
	}))
	defer proxy.Close()
	at, err := url.Parse(proxy.URL)
	if err != nil {
		t.Fatal(err)
	}
	c := New("test")
	c.proxy = http.ProxyURL(at)
	for _, public := range []*http.Transport{c.http.Transport.(*hops).anywhere, c.http.Transport.(*hops).outwards} {
		public.Proxy = c.proxy
	}
	var b strings.Builder
	if _, err := c.Fetch(t.Context(), Request{Address: "http://feeds.example/kev.json", Public: true, Limit: 100}, &b); err != nil || b.String() != "through the proxy to http://feeds.example/kev.json" {
		t.Errorf("%q, %v", &b, err)
	}
}
