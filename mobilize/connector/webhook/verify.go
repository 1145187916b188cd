package webhook

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"strconv"
	"strings"
	"time"

	"github.com/leeward-ctem/leeward/exposure"
)

// Tolerance is how far the clocks of sender and receiver, and the time on the
// way, may lie apart unless there is a reason for another value.
const Tolerance = 5 * time.Minute

// Bounds on a signature header.
const (
	maxHeader     = 1024
	maxSignatures = 8
)

// Verify returns nil when header, the value of [SignatureHeader], was made for
// body by somebody who knows the secret, no longer than tolerance before or
// after now. The comparison takes the same time wherever the signatures
// differ. There may be several v1, while a secret is being changed; one must
// fit. Members with other names are ignored, so that newer schemes can be
// added. Errors are of kind [exposure.Forbidden].
//
// A message that was recorded can be replayed while it is young: receivers
// remember the Idempotency-Key of what they took.
func Verify(secret, header string, body []byte, now time.Time, tolerance time.Duration) error {
	if secret == "" {
		return exposure.Errorf(exposure.Forbidden, "there is no secret to check the signature with: set one on both sides")
	}
	t, signatures, ok := parse(header)
	if !ok {
		return exposure.Errorf(exposure.Forbidden, "the header %s is missing or malformed: want t=<unix seconds>,v1=<hex>", SignatureHeader)
	}
	want := sum(secret, t, body)
	fits := false
	for _, s := range signatures {
		fits = hmac.Equal(s, want) || fits
	}
	if !fits {
		return exposure.Errorf(exposure.Forbidden, "the signature does not fit the body: check that both sides have the same secret and that the body is the bytes as received")
	}
	seconds, err := strconv.ParseInt(t, 10, 64)
	if err != nil {
		return exposure.Errorf(exposure.Forbidden, "the time of the signature is no number of seconds")
	}
	if age := now.Sub(time.Unix(seconds, 0)); age > tolerance || age < -tolerance {
		return exposure.Errorf(exposure.Forbidden, "the signature was made more than %v from now: check the clocks, or the message is a replay", tolerance)
	}
	return nil
}

// parse takes a header apart. t stays as it is written, because that is what
// was signed.
func parse(header string) (t string, signatures [][]byte, ok bool) {
	if len(header) > maxHeader {
		return "", nil, false
	}
	for member := range strings.SplitSeq(header, ",") {
		name, value, _ := strings.Cut(strings.TrimSpace(member), "=")
		switch name {
		case "t":
			if t != "" {
				return "", nil, false
			}
			t = value
		case "v1":
			s, err := hex.DecodeString(value)
			if err != nil || len(s) != sha256.Size || len(signatures) == maxSignatures {
				return "", nil, false
			}
			signatures = append(signatures, s)
		}
	}
	return t, signatures, t != "" && len(signatures) > 0
}

func sum(secret, t string, body []byte) []byte {
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(t + "."))
	mac.Write(body)
	return mac.Sum(nil)
}
