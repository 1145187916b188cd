package http_test

import (
	"bufio"
	"context"
	"net/textproto"
	"strings"
	"testing"

	"github.com/leeward-ctem/leeward/discover/scan"
	engine "github.com/leeward-ctem/leeward/discover/scan/http"
	"github.com/leeward-ctem/leeward/discover/scan/scantest"
	"github.com/leeward-ctem/leeward/exposure"
	"github.com/leeward-ctem/leeward/guard"
)

// says answers every request with the same.
type says struct {
	guard.Network
	res guard.Response
}

func (s says) Do(_ context.Context, r *guard.Request) (*guard.Response, error) {
	res := s.res
	res.URL = strings.TrimSuffix(r.URL, "/") + r.Path
	return &res, nil
}

func FuzzAnswer(f *testing.F) {
	f.Add(200, "Server: nginx/1.18.0\nSet-Cookie: sid=a; Expires=Thu, 01-Jan-1970 00:00:00 GMT\nContent-Security-Policy: script-src 'nonce-a' *\n", "<title>Index of /</title><a href=a>")
	f.Add(301, "Location: https://a/\n", "")
	f.Add(403, "", "<title>Attention Required! | Cloudflare</title>")
	f.Add(200, "X-Powered-By: PHP/7.4.1\nStrict-Transport-Security: max-age=\"1\"\n", `<script src="//a/jquery-1.2.3.min.js"></script><link href="/%zz/a"><meta name=generator content="Drupal 7"><input type=password>`)
	f.Fuzz(func(t *testing.T, status int, header, body string) {
		res := guard.Response{Status: status, Proto: "HTTP/1.1", Body: []byte(body)}
		h, _ := textproto.NewReader(bufio.NewReader(strings.NewReader(header + "\n"))).ReadMIMEHeader()
		for name, all := range h {
			for _, v := range all {
				res.Header = append(res.Header, guard.Field{Name: name, Value: v})
			}
		}
		for _, kind := range []string{"text/html", "text/plain"} {
			res := res
			res.Header = append(res.Header[:len(res.Header):len(res.Header)], guard.Field{Name: "Content-Type", Value: kind})
			j := scan.Job{Target: scan.Target{Kind: scan.Service, Host: "a.example", Port: 443, Service: "https", TLS: true}, Level: exposure.LevelProbe, Network: says{res: res}}
			if _, errs := scantest.Run(t, engine.Engine{}, j); len(errs) > 0 {
				t.Error(errs)
			}
		}
	})
}
