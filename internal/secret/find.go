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

// Hints are pieces of text, in lower case, of which one stands in the line of
// nearly every secret that [Find] finds: they tell in which lines to look. What
// only weak names tell, such as sessions and signatures, has none.
func Hints() []string {
	hints := []string{
		"akia", "asia", "abia", "acca", "aiza", "authorization", "bearer ", "basic ", "$2a$", "$2b$", "$2y$", "$5$", "$6$", "$y$", "$apr1$", "$argon2", "@tcp(",
		"hooks.slack.com", "/api/webhooks/", ".webhook.office.com", "api.telegram.org",
	}
	for i := range prefixes {
		for _, p := range prefixes[i] {
			if p.sure {
				hints = append(hints, strings.ToLower(p.text))
			}
		}
	}
	for i := range words {
		for _, w := range words[i] {
			if w.strong == strong {
				hints = append(hints, w.text)
			}
		}
	}
	for _, end := range []string{"=", ":", "\"", "'", " ="} {
		hints = append(hints, "pass"+end, "credentials"+end, "creds"+end)
	}
	for _, owner := range keyOwners {
		for _, between := range []string{"", "_", "-", ".", " "} {
			hints = append(hints, owner+between+"key")
		}
	}
	return append(hints, "sg.", "hvs.", "hvb.", "pypi-", "sk-proj-", "sk-svcacct-", "t3blbkfj", "pul-", "sbp_")
}
