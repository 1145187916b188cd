package webhook_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/leeward-ctem/leeward/exposure"
	"github.com/leeward-ctem/leeward/mobilize"
	"github.com/leeward-ctem/leeward/mobilize/connector/connectortest"
	"github.com/leeward-ctem/leeward/mobilize/connector/webhook"
)

func TestContract(t *testing.T) {
	t.Parallel()
	connectortest.Run(t, webhook.Connector{Now: time.Now})
}

var sentAt = time.Unix(1772366400, 0)

func TestSend(t *testing.T) {
	t.Parallel()
	client := &connectortest.Client{Status: 204}
	to, m := connectortest.To(), connectortest.Message()
	m.Key = "betrieb für\r\nalle/kev/41"
	c := webhook.Connector{Now: func() time.Time { return sentAt }}
	if err := c.Send(t.Context(), client, to, m); err != nil {
		t.Fatal(err)
	}
	want := []connectortest.Post{{URL: to.URL, Body: m.Body, Header: map[string]string{
		"Content-Type":      "application/json",
		"Leeward-Event":     "kev",
		"Leeward-Signature": webhook.Sign(to.Secret, []byte(m.Body), sentAt),
		"Idempotency-Key":   "betrieb%20f%C3%BCr%0D%0Aalle/kev/41",
	}}}
	got := client.Posts()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("differs (-want +got):\n%s", diff)
	}
	if err := webhook.Verify(to.Secret, got[0].Header[webhook.SignatureHeader], []byte(got[0].Body), sentAt, webhook.Tolerance); err != nil {
		t.Error(err)
	}
}

func TestSendRefuses(t *testing.T) {
	t.Parallel()
	c := webhook.Connector{Now: time.Now}
	client := &connectortest.Client{Status: 200}
	to := connectortest.To()
	to.Secret = ""
	if err := c.Send(t.Context(), client, to, connectortest.Message()); err == nil || mobilize.IsPermanent(err) {
		t.Errorf("without a secret: %v, want an error that is not permanent", err)
	}
	for _, body := range []string{"", "text", `["kev"]`, `{"event":`} {
		m := connectortest.Message()
		m.Body = body
		if err := c.Send(t.Context(), client, connectortest.To(), m); !mobilize.IsPermanent(err) {
			t.Errorf("body %q: %v, want a permanent error", body, err)
		}
	}
	if n := len(client.Posts()); n > 0 {
		t.Errorf("%d requests, want none", n)
	}
}

// The example of the documentation, made with other software.
const (
	vectorSecret = "correct horse battery staple"
	vectorBody   = `{"event":"test","at":"2026-03-01T12:00:00Z","text":"Leeward can reach this receiver","count":0}`
)

func TestVerify(t *testing.T) {
	t.Parallel()
	good := webhook.Sign(vectorSecret, []byte(vectorBody), sentAt)
	stamp, v1, _ := strings.Cut(good, ",")
	zeros := "v1=" + strings.Repeat("00", 32)
	for name, c := range map[string]struct {
		secret, header, body string
		late                 time.Duration
		ok                   bool
	}{
		"good":                 {header: good, ok: true},
		"upper case":           {header: stamp + ",v1=" + strings.ToUpper(v1[3:]), ok: true},
		"spaces and others":    {header: " " + stamp + " , v0=zz, " + v1 + ",x", ok: true},
		"second of two":        {header: stamp + "," + zeros + "," + v1, ok: true},
		"just in time":         {header: good, late: webhook.Tolerance, ok: true},
		"clock behind":         {header: good, late: -webhook.Tolerance, ok: true},
		"late":                 {header: good, late: webhook.Tolerance + time.Second},
		"early":                {header: good, late: -webhook.Tolerance - time.Second},
		"other body":           {header: good, body: vectorBody + " "},
		"other secret":         {header: good, secret: "x"},
		"no secret":            {header: good, secret: "-"},
		"no header":            {},
		"no time":              {header: v1},
		"no signature":         {header: stamp},
		"other time":           {header: "t=1772366401," + v1},
		"two times":            {header: stamp + "," + good},
		"time is no number":    {header: "t=now," + v1},
		"not hexadecimal":      {header: stamp + ",v1=" + strings.Repeat("zz", 32)},
		"cut off":              {header: good[:len(good)-2]},
		"empty signature":      {header: stamp + ",v1="},
		"too long":             {header: good + strings.Repeat(" ", 2000)},
		"too many":             {header: stamp + strings.Repeat(","+zeros, 9) + "," + v1},
		"old scheme only":      {header: stamp + ",v0=" + v1[3:]},
		"time beyond all time": {header: "t=99999999999999999999999," + v1},
	} {
		secret, body := vectorSecret, vectorBody
		switch c.secret {
		case "":
		case "-":
			secret = ""
		default:
			secret = c.secret
		}
		if c.body != "" {
			body = c.body
		}
		err := webhook.Verify(secret, c.header, []byte(body), sentAt.Add(c.late), webhook.Tolerance)
		if (err == nil) != c.ok {
			t.Errorf("%s: %v", name, err)
		}
		if err != nil && exposure.KindOf(err) != exposure.Forbidden {
			t.Errorf("%s: the error is of kind %v", name, exposure.KindOf(err))
		}
	}
}

// TestDocumentation keeps the example for people who write receivers true.
func TestDocumentation(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile(filepath.Join("..", "..", "..", "docs", "webhooks.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{vectorSecret, vectorBody, webhook.Sign(vectorSecret, []byte(vectorBody), sentAt)} {
		if !strings.Contains(string(page), want) {
			t.Errorf("docs/webhooks.md lacks %s", want)
		}
	}
}

func FuzzVerify(f *testing.F) {
	f.Add("secret", "t=1772366400,v1="+strings.Repeat("0", 64), []byte("{}"))
	f.Add("secret", "t=,v1=,,=", []byte(nil))
	f.Fuzz(func(t *testing.T, secret, header string, body []byte) {
		_ = webhook.Verify(secret, header, body, sentAt, webhook.Tolerance)
		if secret == "" {
			return
		}
		if err := webhook.Verify(secret, webhook.Sign(secret, body, sentAt), body, sentAt, webhook.Tolerance); err != nil {
			t.Errorf("our own signature is refused: %v", err)
		}
	})
}
