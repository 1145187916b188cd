package secret

// strength is how sure a name is to mean a secret.
type strength uint8

const (
	innocent strength = iota
	weak              // means others things as well: session, auth, sig
	strong
)

// word is the end of a name that means a secret.
type word struct {
	text   string
	mark   string
	strong strength
	glued  bool // also at the end of a longer run of letters: dbpassword, but not compass
}

// words by their last letter. "key", "id" and "hash" depend on what is before
// them, see secretName.
var words = [256][]word{
	'a': {{"senha", markPassword, strong, true}, {"contrasena", markPassword, strong, true}},
	'd': {{"password", markPassword, strong, true}, {"passwd", markPassword, strong, true}, {"pwd", markPassword, strong, true}, {"sid", markSession, weak, false}, {"cred", markCredentials, weak, false}},
	'e': {{"passphrase", markPassword, strong, true}, {"signature", markSignature, weak, false}, {"passcode", markPassword, strong, true}},
	'f': {{"csrf", markToken, weak, true}, {"xsrf", markToken, weak, true}},
	'g': {{"sig", markSignature, weak, false}},
	'h': {{"auth", markCredentials, weak, false}},
	'l': {{"credential", markCredentials, weak, false}},
	'n': {{"token", markToken, strong, true}, {"session", markSession, weak, false}},
	's': {{"pass", markPassword, weak, false}, {"credentials", markCredentials, weak, false}, {"creds", markCredentials, weak, false}},
	't': {{"secret", markSecret, strong, true}, {"passwort", markPassword, strong, true}},
	'w': {{"pw", markPassword, strong, true}},
}

// keyOwners are what makes a key a secret one: not a primary, public or cache key.
var keyOwners = []string{"api", "access", "secret", "private", "priv", "account", "shared", "encryption", "encrypt", "signing", "master", "auth", "subscription", "storage", "service", "session", "app", "client", "consumer", "admin", "deploy", "aes", "hmac", "jwt", "function", "logged_in", "nonce"}

// endings are the last two letters of every name that something depends on,
// by number; it turns away most names at once.
var endings = endingTable()

func endingTable() (t [26 * 26]bool) {
	for _, w := range []string{"key", "id", "hash", "authorization", "cookie", "value", "name"} {
		t[ending(w)] = true
	}
	for i := range words {
		for _, w := range words[i] {
			t[ending(w.text)] = true
		}
	}
	return t
}

// ending numbers the last two bytes of a name, which must be letters.
func ending(name string) int {
	return int(name[len(name)-2]|0x20-'a')*26 + int(name[len(name)-1]|0x20-'a')
}

// speaking reports whether a name may be one that something depends on.
func speaking(name string) bool {
	n := len(name)
	if n < 2 {
		return false
	}
	return !isLetter(name[n-1]) || isLetter(name[n-2]) && endings[ending(name)]
}

// users are what "pass" is glued to when it means a password.
var users = []string{"user", "db", "my", "ftp", "smtp", "mail", "sql", "root", "admin", "login"}

// secretName says what the value of a name is.
func secretName(name string) (mark string, is strength) {
	for name != "" && !isLetter(name[len(name)-1]) {
		name = name[:len(name)-1] // password2, token_
	}
	if len(name) < 2 {
		return "", innocent
	}
	last := lower(name[len(name)-1])
	for i := range words[last] {
		w := &words[last][i]
		if n := len(name) - len(w.text); hasSuffixFold(name, w.text) && (w.glued || boundary(name, n) || w.text == "pass" && endsInAny(name[:n], users)) {
			return w.mark, w.strong
		}
	}
	switch last {
	case 'y':
		if hasSuffixFold(name, "key") && endsInAny(name[:len(name)-3], keyOwners) {
			return markKey, strong
		}
	case 'd':
		if hasSuffixFold(name, "id") && endsInAny(name[:len(name)-2], []string{"session", "sess"}) {
			return markSession, strong
		}
	case 'h':
		if !hasSuffixFold(name, "hash") {
			break
		}
		if mark, is := secretName(name[:len(name)-4]); mark == markPassword {
			return markHash, is
		}
	}
	return "", innocent
}

// endsInAny reports whether a name, but for separators at its end, ends in one
// of the words.
func endsInAny(name string, all []string) bool {
	for name != "" && !isLetter(name[len(name)-1]) {
		name = name[:len(name)-1]
	}
	for _, w := range all {
		if hasSuffixFold(name, w) {
			return true
		}
	}
	return false
}

// boundary reports whether a word begins at name[i].
func boundary(name string, i int) bool {
	return i == 0 || !isLetter(name[i-1]) || name[i] < 'a' && name[i-1] >= 'a'
}

func lower(c byte) byte {
	if c >= 'A' && c <= 'Z' {
		return c + 'a' - 'A'
	}
	return c
}

func isLower(c byte) bool { return c >= 'a' && c <= 'z' }

func isLetter(c byte) bool { c |= 0x20; return c >= 'a' && c <= 'z' }

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

func isAlnum(c byte) bool { return isLetter(c) || isDigit(c) }

func isSpace(c byte) bool { return c == ' ' || c == '\t' || c == '\n' || c == '\r' }

// nameByte is a byte of a name: of a parameter, header, variable or key.
func nameByte(c byte) bool { return isAlnum(c) || c == '_' || c == '-' || c == '.' }

// hasPrefixFold and hasSuffixFold ignore the case of ASCII letters in s; what
// is looked for is in lower case.
func hasPrefixFold(s, prefix string) bool {
	return len(s) >= len(prefix) && equalFold(s[:len(prefix)], prefix)
}

func hasSuffixFold(s, suffix string) bool {
	return len(s) >= len(suffix) && equalFold(s[len(s)-len(suffix):], suffix)
}

func equalFold(s, t string) bool {
	if len(s) != len(t) {
		return false
	}
	for i := len(t) - 1; i >= 0; i-- { // names differ at their ends first
		if lower(s[i]) != t[i] {
			return false
		}
	}
	return true
}
