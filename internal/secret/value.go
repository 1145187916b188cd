package secret

import "strings"

// ownLine reports whether a name is the first thing on its line, so that the
// value is the rest of it. term ends the line early: the quotation mark that
// the whole line stands in, or the next tag of HTML.
func ownLine(s string, name label) (own bool, term byte) {
	i := name.start
	if name.quoted && i > 0 {
		i--
	}
	for n := 0; n < maxName; n++ {
		if i == 0 || s[i-1] == '\n' {
			return true, 0
		}
		switch c := s[i-1]; c {
		case ' ', '\t', '-', '+':
			i--
		case '"', '\'', '`':
			return !name.quoted, c
		case '>':
			return true, '<'
		case '\\': // …\nname: value, in one string
			return s[i] == 'n' || s[i] == 'r' || s[i] == 't', 0
		case 'n', 'r':
			if i > 1 && s[i-2] == '\\' {
				return true, 0
			}
			return false, 0
		case 't': // export NAME=value, set name=value
			for _, w := range []string{"export", "set"} {
				if hasSuffixFold(s[:i], w) {
					i -= len(w) - 1
				}
			}
			if s[i-1] == 't' {
				return false, 0
			}
			i--
		default:
			return false, 0
		}
	}
	return false, 0
}

// endsLine reports whether nothing but a comment follows s[i] on its line.
func endsLine(s string, i int, term byte) bool {
	for i < len(s) && (s[i] == ' ' || s[i] == '\t' || s[i] == ',' || s[i] == ';') {
		i++
	}
	if i == len(s) || s[i] == '\n' || s[i] == '#' || s[i] == term {
		return true
	}
	rest := s[i:]
	return strings.HasPrefix(rest, "//") || strings.HasPrefix(rest, `\n`) || strings.HasPrefix(rest, `\r`)
}

// bareEnd returns where a value without quotation marks ends. On its own line
// it may hold what elsewhere ends it.
func bareEnd(s string, from int, own bool, term byte) int {
	end := from
scan:
	for end < len(s) {
		c := s[end]
		if c == term && term != 0 {
			break
		}
		switch c {
		case ' ', '\t', '\n', '\r':
			break scan
		case '[':
			if e, ok := markerAt(s, end); ok {
				end = e
				continue
			}
		case '"', '\'', '`', '<', '>':
			if !own || term != 0 {
				break scan
			}
		case '&':
			if !own || assigns(s[end+1:]) || entity(s[end+1:]) {
				break scan
			}
		case ';', ',':
			if stops(s[end+1:]) || assigns(s[end+1:]) {
				break scan
			}
		case '\\':
			if end+1 < len(s) && strings.IndexByte(`nr"'`, s[end+1]) >= 0 {
				break scan
			}
		}
		end++
	}
	for end > from && strings.IndexByte(".,:;!?)]}'\"", s[end-1]) >= 0 && !markerEnding(s, end) {
		end--
	}
	return end
}

// entity reports whether an entity of HTML follows an ampersand.
func entity(rest string) bool {
	n := strings.IndexByte(rest[:min(len(rest), 8)], ';')
	return n > 1 && (rest[0] == '#' || strings.Trim(rest[:n], "abcdefghijklmnopqrstuvwxyz") == "")
}

// stops reports whether nothing of a value follows.
func stops(rest string) bool {
	return rest == "" || strings.IndexByte(" \t\n\r\"'`<>{}()", rest[0]) >= 0
}

// assigns reports whether another pair follows: name=value.
func assigns(rest string) bool {
	if strings.HasPrefix(rest, "amp;") {
		return true
	}
	for i := 0; i < len(rest) && i < maxName; i++ {
		switch c := rest[i]; {
		case c == '=':
			return i > 0
		case !nameByte(c) && c != ' ' && c != '[' && c != ']' && c != '%':
			return false
		}
	}
	return false
}

// nothings are values that stand for the absence of one, or for its type.
var nothings = map[string]bool{
	"none": true, "null": true, "nil": true, "undefined": true, "true": true, "false": true, "yes": true, "no": true, "on": true, "off": true, "n/a": true, "empty": true,
	"required": true, "optional": true, "missing": true, "unknown": true, "enabled": true, "disabled": true, "invalid": true, "valid": true, "expired": true,
	"string": true, "str": true, "int": true, "integer": true, "bool": true, "boolean": true, "bytes": true, "text": true, "object": true, "any": true,
	"value": true, "redacted": true, "hidden": true, "masked": true, "filtered": true, "removed": true, "deleted": true, "port": true,
	"[redacted]": true, "[filtered]": true, "[hidden]": true, "[masked]": true, "[removed]": true, "(empty)": true, "{}": true, "[]": true,
	"include": true, "same-origin": true, "omit": true, "basic": true, "bearer": true, "digest": true, "oauth": true, "oauth2": true,
}

const longestNothing = 12

// placeholder reports whether a value is none: it stands for one, names where
// one comes from, or was masked by somebody else already.
func placeholder(v string) bool {
	if v == "" || v == ellipsis {
		return true
	}
	var word [longestNothing]byte
	if len(v) <= len(word) {
		for i := range len(v) {
			word[i] = lower(v[i])
		}
		if nothings[string(word[:len(v)])] {
			return true
		}
	}
	if strings.Trim(v, v[:1]) == "" && strings.IndexByte("*xX.-_#?", v[0]) >= 0 || strings.Trim(v, "•●…{}[]()|>") == "" {
		return true // ****, xxxx, the beginning of something nested
	}
	last := v[len(v)-1]
	switch v[0] {
	case '"', '\'', '+':
		return strings.Contains(v, "+ ") || strings.Contains(v, " +") // '" + password + "'
	case '<':
		return last == '>'
	case '{':
		return last == '}' && strings.IndexByte(v, ':') < 0
	case '%':
		return len(v) == 2 && isLetter(v[1]) || strings.HasPrefix(v, "%(") || last == '%' && len(v) > 2 && variable(v[1:len(v)-1])
	case '$':
		return len(v) > 1 && (strings.HasPrefix(v, "${") || strings.HasPrefix(v, "$(") || variable(v[1:]))
	case '#':
		return strings.HasPrefix(v, "#{")
	}
	return false
}

// variable reports whether v is the name of an environment variable.
func variable(v string) bool {
	for i := range len(v) {
		if c := v[i]; c != '_' && (c < 'A' || c > 'Z') && (i == 0 || !isDigit(c)) {
			return false
		}
	}
	return v != ""
}

// reference reports whether a value only says where the secret is: password =
// password, token: this.token, :pass, process.env.TOKEN.
func reference(v, name string) bool {
	bare := strings.TrimLeft(v, "$:@&*")
	sigil := len(bare) < len(v)
	if i := strings.LastIndexByte(bare, '.'); i >= 0 {
		sigil = sigil || strings.HasPrefix(bare, "process.env.") || strings.HasPrefix(bare, "os.environ.")
		bare = bare[i+1:]
	}
	if i := strings.LastIndexByte(name, '.'); i >= 0 {
		name = name[i+1:]
	}
	if strings.EqualFold(bare, name) {
		return true
	}
	_, is := secretName(bare)
	return sigil && (is != innocent || strings.Contains(v, ".env")) && shapeOf(bare).digits == 0
}

// call reports whether a value is code: a call or an index of something.
func call(v, rest string) bool {
	i := 0
	for i < len(v) && (isAlnum(v[i]) || v[i] == '_' || v[i] == '.' || v[i] == ':') {
		i++
	}
	if i == 0 {
		return false
	}
	if i == len(v) {
		return rest != "" && (rest[0] == '(' || rest[0] == '[')
	}
	if v[i] != '(' && v[i] != '[' {
		return false
	}
	return strings.IndexByte("([{,", v[len(v)-1]) >= 0 || strings.IndexByte(v[i:], ')') > 0 || strings.IndexByte(v[i:], ']') > 0 ||
		rest != "" && strings.IndexByte(")]\"'", rest[0]) >= 0
}

// sentence reports whether a quoted value is prose about a secret.
func sentence(v string) bool {
	if strings.Count(v, " ") < 3 {
		return false
	}
	padded := " " + strings.ToLower(v) + " "
	for _, w := range []string{" is ", " the ", " your ", " must ", " to ", " of ", " not ", " a ", " for ", " and "} {
		if strings.Contains(padded, w) {
			return true
		}
	}
	return false
}

// shape counts what a value is made of.
type shape struct {
	letters, digits, spaces int
	symbols                 int // not those of words, dates and versions
	longest                 int // longest run of letters and digits
	mixed                   int // longest of those with both
}

func shapeOf(v string) (h shape) {
	run, letter, digit := 0, false, false
	for i := range len(v) + 1 {
		if i < len(v) && isAlnum(v[i]) {
			run++
			if isDigit(v[i]) {
				h.digits++
				digit = true
			} else {
				h.letters++
				letter = true
			}
			continue
		}
		h.longest = max(h.longest, run)
		if letter && digit {
			h.mixed = max(h.mixed, run)
		}
		run, letter, digit = 0, false, false
		if i == len(v) {
			break
		}
		switch c := v[i]; {
		case isSpace(c):
			h.spaces++
		case strings.IndexByte("!@#$%^&*+=~?", c) >= 0:
			h.symbols++
		}
	}
	return h
}

// number reports whether a value has no letter: a number, a date, a range.
func number(v string) bool {
	h := shapeOf(v)
	return h.letters == 0 && h.symbols == 0
}

// truth reports whether a value is the result of a check: pass=1.
func truth(v string) bool { return number(v) && len(v) < 4 }

// public reports whether a value is the id of an advisory, or says where
// something is.
func public(v string) bool {
	if strings.Contains(v, "://") || hasPrefixFold(v, "cve-") || hasPrefixFold(v, "cwe-") || hasPrefixFold(v, "ghsa-") {
		return true
	}
	v = strings.TrimLeft(v, ".~")
	if len(v) > 2 && v[1] == ':' && v[2] == '\\' {
		return true
	}
	for _, root := range []string{"/etc/", "/var/", "/run/", "/usr/", "/home/", "/opt/", "/tmp/", "/mnt/", "/root", "/app/", "/proc/", "/srv/", "/dev/", "/data/", "/secrets/"} {
		if strings.HasPrefix(v, root) {
			return true
		}
	}
	return false
}

// random reports whether a value looks drawn by lot: long, with letters and
// digits side by side.
func random(v string) bool {
	h := shapeOf(v)
	return len(v) >= 16 && h.spaces == 0 && h.digits >= 2 && h.mixed >= 10 && !technical(v)
}

// opaque reports whether a value is more than a word or a number.
func opaque(v string) bool {
	h := shapeOf(v)
	return len(v) >= 6 && h.spaces == 0 && h.letters > 0 && (h.mixed >= 4 || h.symbols > 0 || h.longest >= 20 || len(v) >= 8 && isHex(v)) && !technical(v) && !public(v)
}

// telling reports whether a value cannot be the next word of a sentence.
func telling(v string) bool {
	h := shapeOf(v)
	return len(v) >= 4 && h.letters+h.digits >= 3 && (h.mixed >= 5 || h.symbols > 0 || h.longest >= 24) && !technical(v) && !public(v)
}

// methods begin the names of algorithms and formats: SHA-256, base64, OAuth2.
var methods = []string{"sha", "md", "base", "oauth", "utf", "hs", "rs", "es", "ps", "aes", "tls", "ssl", "x", "pkcs", "bcrypt", "argon", "ntlm", "ntlmv", "snmpv", "hmac", "win", "ipv", "log", "http/", "v"}

// technical reports whether a value is the name of an algorithm, format or
// version.
func technical(v string) bool {
	if len(v) > 40 {
		return false
	}
	if strings.HasSuffix(v, "Encryption") || strings.Contains(v, "-with-") {
		return true // sha256WithRSAEncryption, ecdsa-with-SHA256
	}
	for _, m := range methods {
		if hasPrefixFold(v, m) && strings.Trim(v[len(m):], "0123456789.-/_") == "" {
			return true
		}
	}
	return false
}

// best is the marker for a value: of its own form when it has a known one.
func best(v, mark string) string {
	if len(v) < 8 {
		return mark
	}
	for i := 2; i < len(v) && i < 24; i++ {
		for _, p := range prefixes[v[i-1]] {
			if len(p.text) == i+1 && strings.HasPrefix(v, p.text) && p.end(v, i+1) > 0 {
				return p.mark
			}
		}
	}
	switch {
	case strings.HasPrefix(v, "eyJ") && strings.Contains(v, "."):
		return "eyJ" + markJWT
	case awsID(v, 0) > 0:
		return markAWSKey
	case mark == markKey && awsSecret(v):
		return markAWSSecret
	}
	if id := hashID(v); id > 0 {
		return v[:id] + markHash
	}
	return mark
}
