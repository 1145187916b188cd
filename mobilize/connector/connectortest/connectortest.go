// Package connectortest is the contract every connector keeps. A connector's
// test is one call:
//
//	func TestConnector(t *testing.T) { connectortest.Run(t, webhook.Connector{Now: time.Now}) }
package connectortest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/leeward-ctem/leeward/builtin"
	"github.com/leeward-ctem/leeward/exposure"
	"github.com/leeward-ctem/leeward/mobilize"
)

// Client is a mobilize.Client that answers as told and remembers what was
// posted. Its zero value fails: set Status.
type Client struct {
	Status int
	After  time.Duration
	Err    error

	mu    sync.Mutex
	posts []Post
}

// Post is a request that a [Client] got.
type Post struct {
	URL    string
	Header map[string]string
	Body   string
}

// Post implements mobilize.Client.
func (c *Client) Post(ctx context.Context, url string, header map[string]string, body []byte) (int, time.Duration, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.posts = append(c.posts, Post{url, maps.Clone(header), string(body)})
	if err := ctx.Err(); err != nil {
		return 0, 0, err
	}
	return c.Status, c.After, c.Err
}

// Posts returns the requests so far.
func (c *Client) Posts() []Post {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.posts)
}

// To is the receiver that Run sends to; its address and secret must stay secret.
func To() mobilize.Receiver {
	return mobilize.Receiver{Name: "ops", URL: "https://user:pass-w0rd@hooks.example/in?token=t0k3n-in-query", Secret: "s3cr3t-of-receiver"}
}

// Message is what Run sends.
func Message() mobilize.Message {
	return mobilize.Message{
		ID: 7, Key: "ops/kev/41", Target: "ops", State: exposure.OutboxWaiting,
		Body: `{"event":"kev","at":"2026-03-01T12:00:00Z","text":"2 new findings are of weaknesses known to be exploited","count":2}`,
	}
}

// Run checks the contract of c.
func Run(t *testing.T, c mobilize.Connector) {
	t.Helper()
	if !regexp.MustCompile(`^[a-z][a-z0-9]*$`).MatchString(c.Name()) {
		t.Errorf("Name() = %q: want a lower-case word", c.Name())
	}
	if !slices.ContainsFunc(builtin.Connectors(), func(o mobilize.Connector) bool { return o.Name() == c.Name() }) {
		t.Errorf("%s is not registered in builtin.Connectors", c.Name())
	}
	m := Message()
	m.Connector = c.Name()
	t.Run("one request a try", func(t *testing.T) { once(t, c, m) })
	t.Run("same key again", func(t *testing.T) { again(t, c, m) })
	t.Run("answers", func(t *testing.T) { answers(t, c, m) })
	t.Run("no answer", func(t *testing.T) { noAnswer(t, c, m) })
	t.Run("at once", func(t *testing.T) { atOnce(t, c, m) })
}

func once(t *testing.T, c mobilize.Connector, m mobilize.Message) {
	client := &Client{Status: 200}
	if err := c.Send(t.Context(), client, To(), m); err != nil {
		t.Fatal(err)
	}
	posts := client.Posts()
	if len(posts) != 1 {
		t.Fatalf("%d requests, want 1: repeating is the deliverer's", len(posts))
	}
	if !strings.HasPrefix(posts[0].URL, "https://") {
		t.Errorf("posted to %q", posts[0].URL)
	}
	if posts[0].Header["Content-Type"] == "" {
		t.Error("the request does not say what it holds")
	}
	if strings.Contains(posts[0].Body, To().Secret) {
		t.Error("the secret is in the body")
	}
	for name, value := range posts[0].Header {
		if strings.ContainsFunc(name+value, func(r rune) bool { return r < ' ' || r > '~' }) {
			t.Errorf("header %q: %q cannot be sent", name, value)
		}
	}
}

// A receiver that took a message whose answer was lost can tell only by what
// stays the same.
func again(t *testing.T, c mobilize.Connector, m mobilize.Message) {
	client := &Client{Status: 200}
	for range 2 {
		if err := c.Send(t.Context(), client, To(), m); err != nil {
			t.Fatal(err)
		}
		m.Attempts++
		m.LastError = "the connection was lost"
	}
	posts := client.Posts()
	if diff := cmp.Diff(posts[0].Body, posts[1].Body); diff != "" {
		t.Errorf("the body changes with the try (-first +second):\n%s", diff)
	}
	if first, second := posts[0].Header["Idempotency-Key"], posts[1].Header["Idempotency-Key"]; first == "" || first != second {
		t.Errorf("the idempotency keys are %q and %q, want one that stays", first, second)
	}
}

func answers(t *testing.T, c mobilize.Connector, m mobilize.Message) {
	const ok, retry, permanent = "sent", "tried again", "given up"
	for status, want := range map[int]string{
		200: ok, 201: ok, 202: ok, 204: ok,
		408: retry, 425: retry, 429: retry, 500: retry, 502: retry, 503: retry, 504: retry,
		301: permanent, 302: permanent, 307: permanent, 308: permanent,
		400: permanent, 401: permanent, 403: permanent, 404: permanent, 410: permanent, 413: permanent, 422: permanent,
		0: permanent, 999: permanent,
	} {
		err := c.Send(t.Context(), &Client{Status: status}, To(), m)
		got := ok
		if mobilize.IsPermanent(err) {
			got = permanent
		} else if err != nil {
			got = retry
		}
		if got != want {
			t.Errorf("status %d: %s (%v), want %s", status, got, err, want)
		}
		discreet(t, err)
	}
	err := c.Send(t.Context(), &Client{Status: 429, After: 90 * time.Second}, To(), m)
	var e *mobilize.RetryError
	if !errors.As(err, &e) || e.After != 90*time.Second {
		t.Errorf("Retry-After was lost: %v", err)
	}
}

func noAnswer(t *testing.T, c mobilize.Connector, m mobilize.Message) {
	lost := fmt.Errorf("read: %w", io.ErrUnexpectedEOF)
	if err := c.Send(t.Context(), &Client{Err: lost}, To(), m); !errors.Is(err, lost) || mobilize.IsPermanent(err) {
		t.Errorf("a lost connection gives %v: want an error that wraps it and is not permanent", err)
	}
	invalid := exposure.Errorf(exposure.Invalid, "that is no address")
	if err := c.Send(t.Context(), &Client{Err: invalid}, To(), m); !mobilize.IsPermanent(err) {
		t.Errorf("an address that cannot be used gives %v: want a permanent error", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := c.Send(ctx, &Client{Status: 200}, To(), m); !errors.Is(err, context.Canceled) {
		t.Errorf("the context does not reach the client: %v", err)
	}
}

func atOnce(t *testing.T, c mobilize.Connector, m mobilize.Message) {
	client := &Client{Status: 200}
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			if err := c.Send(t.Context(), client, To(), m); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if n := len(client.Posts()); n != 8 {
		t.Errorf("%d requests, want 8", n)
	}
}

// discreet checks that a connector's own sentences do not quote secrets.
func discreet(t *testing.T, err error) {
	t.Helper()
	for _, secret := range []string{To().Secret, "pass-w0rd", "t0k3n-in-query"} {
		if err != nil && strings.Contains(err.Error(), secret) {
			t.Errorf("the error holds %q: %v", secret, err)
		}
	}
}
