package secret

import "strings"

// Match is where in a text a secret stands.
type Match struct {
	From, To int
	// Kind is what the marker of [Text] names in its place: aws-key, password.
	Kind string
}

// Find returns the secrets that [Text] would take out of s, in order. It knows
// the same: their places by name, and their forms. A text with characters that
// Text removes has no places that stay, so nothing is found in it; [Plain] makes
// one without them.
func Find(s string) []Match {
	var found []Match
	r := redaction{s: s, found: &found}
	if r.run() {
		return nil
	}
	return found
}

// Plain returns s with a space in the place of each byte that [Text] would
// remove or change. All other bytes stay where they are.
func Plain(s string) string {
	plain := redaction{s: s}
	if !plain.dirty(0, len(s)) {
		return s
	}
	b := []byte(s)
	for i, c := range b {
		if class := classes[c]; class == dirtyByte || class == highByte {
			b[i] = ' '
		}
	}
	return string(b)
}

func kindOf(marker string) string {
	_, kind, _ := strings.Cut(marker, markBegin)
	return strings.TrimSuffix(kind, "]")
}
