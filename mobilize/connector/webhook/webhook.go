// Package webhook sends messages as signed JSON over HTTP, and lets receivers
// check the signature:
//
//	err := webhook.Verify(secret, r.Header.Get(webhook.SignatureHeader), body, time.Now(), webhook.Tolerance)
//
// See docs/webhooks.md for receivers in other languages.
package webhook

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/leeward-ctem/leeward/exposure"
	"github.com/leeward-ctem/leeward/mobilize"
)

// The headers of a message beside Content-Type.
const (
	SignatureHeader = "Leeward-Signature" // t=<unix seconds>,v1=<hex>, see [Sign]
	EventHeader     = "Leeward-Event"     // one of exposure.Notices
	KeyHeader       = "Idempotency-Key"   // the same for every try of one message
)

// Connector sends messages to webhooks.
type Connector struct {
	Now func() time.Time // for the time in the signature
}

var _ mobilize.Connector = Connector{}

// Name implements mobilize.Connector.
func (Connector) Name() string { return "webhook" }

// Send implements mobilize.Connector. The body of the request is m.Body, byte
// for byte. Without a secret nothing is sent, because nobody could tell the
// message from a forged one; that is tried again, for the secret comes from the
// environment of the server and may be set meanwhile.
func (c Connector) Send(ctx context.Context, client mobilize.Client, to mobilize.Receiver, m mobilize.Message) error {
	if to.Secret == "" {
		return exposure.Errorf(exposure.Invalid, "webhook %q has no secret to sign with: set the environment variable that the programme names for it", to.Name)
	}
	body := []byte(m.Body)
	var head struct {
		Event exposure.Notice `json:"event"`
	}
	if err := json.Unmarshal(body, &head); err != nil {
		return mobilize.Permanent(exposure.Errorf(exposure.Internal, "message %d is no JSON object and cannot be sent: %w", m.ID, err))
	}
	return mobilize.Outcome(client.Post(ctx, to.URL, map[string]string{
		"Content-Type":  "application/json",
		SignatureHeader: Sign(to.Secret, body, c.Now()),
		EventHeader:     printable(string(head.Event)),
		KeyHeader:       printable(m.Key),
	}, body))
}

// printable escapes what cannot stand in a header; the names of receivers may
// be in any script, and keys hold them.
func printable(s string) string {
	var b strings.Builder
	for i := range len(s) {
		if c := s[i]; c > ' ' && c < 0x7f {
			b.WriteByte(c)
		} else {
			fmt.Fprintf(&b, "%%%02X", c)
		}
	}
	return b.String()
}

// Sign returns the value of [SignatureHeader] for a body sent at the given
// time: v1 is the HMAC-SHA-256 of the time in seconds, a dot and the body,
// keyed with the bytes of the secret.
func Sign(secret string, body []byte, at time.Time) string {
	t := strconv.FormatInt(at.Unix(), 10)
	return fmt.Sprintf("t=%s,v1=%x", t, sum(secret, t, body))
}
