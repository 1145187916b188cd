package term

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"
)

// Mark tells one secret from another in the same place, and is no way back to
// it: the start of its hash. It is "" without a secret.
func Mark(secret string) string {
	if secret = strings.TrimSpace(secret); secret == "" {
		return ""
	}
	sum := sha256.Sum256([]byte("secret\x00" + secret))
	return "secret " + hex.EncodeToString(sum[:4])
}

// Redacted reports whether a tool wrote something else in the place of a whole
// secret: asterisks or the word.
func Redacted(secret string) bool {
	switch strings.ToLower(strings.Trim(secret, `<>[]()"' `)) {
	case "redacted", "redact", "masked", "secret-masked", "hidden":
		return true
	}
	return strings.Trim(secret, "*xX•.") == ""
}

// Masked is a text with asterisks in the place of the secrets in it.
func Masked(text string, secrets ...string) string {
	for _, s := range secrets {
		if s = strings.TrimSpace(s); s != "" && !Redacted(s) {
			text = strings.ReplaceAll(text, s, "***")
		}
	}
	return text
}
