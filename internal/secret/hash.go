package secret

import "strings"

// hashIDs are the schemes of crypt(5), and others written in the same form.
var hashIDs = []string{"1", "2", "2a", "2b", "2x", "2y", "5", "6", "7", "y", "gy", "md5", "sha1", "sm3", "apr1", "argon2i", "argon2d", "argon2id", "scrypt", "pbkdf2", "pbkdf2-sha1", "pbkdf2-sha256", "pbkdf2-sha512"}

// hashID returns the length of the scheme that s begins with, both dollars
// included; 0 for none.
func hashID(s string) int {
	if len(s) < 3 || s[0] != '$' {
		return 0
	}
	n := strings.IndexByte(s[1:min(len(s), 16)], '$')
	if n <= 0 {
		return 0
	}
	for _, id := range hashIDs {
		if s[1:n+1] == id {
			return n + 2
		}
	}
	return 0
}

// hash looks for a password hash that begins at s[i].
func (r *redaction) hash(i int) int {
	s := r.s
	id := hashID(s[i:])
	if id == 0 {
		// phpass and Drupal: $P$B…, $H$9…, $S$D…
		if i+3 < len(s) && s[i+2] == '$' && strings.IndexByte("PHS", s[i+1]) >= 0 {
			if end := run(s, i+3, "./"); end-i >= 34 {
				return r.replace(i+3, end, markHash)
			}
		}
		return i + 1
	}
	from := i + id
	end := run(s, from, "./$,=+-")
	for end > from && strings.IndexByte(",.-=", s[end-1]) >= 0 {
		end--
	}
	v := s[from:end]
	if len(v) < 20 && !(atEnd(s, end) && len(v) >= 4 && shapeOf(v).letters > 0) {
		return i + 1
	}
	return r.replace(from, end, markHash)
}

// colon looks for secrets between colons. It returns i when there are none.
func (r *redaction) colon(i int) int {
	s := r.s
	if i == 0 || !isAlnum(s[i-1]) || i+1 == len(s) || isSpace(s[i+1]) {
		return i
	}
	end := run(s, i+1, "./-_")
	switch n := end - i - 1; {
	case n == 13 && strings.HasPrefix(s[end:], ":") && r.shadow(i, end):
		return r.replace(i+1, end, markHash)
	case n == 32 && strings.HasPrefix(s[end:], ":") && isHex(s[i+1:end]):
		// name:number:LM hash:NT hash:::, as secretsdump and pwdump write it.
		last := run(s, end+1, "")
		if last-end-1 == 32 && isHex(s[end+1:last]) {
			return r.replace(i+1, last, markHash)
		}
	case n >= 34 && n <= 36 && i >= 8 && isDigit(s[i-1]):
		// The token of a Telegram bot: 8 to 10 digits before, 35 after.
		from := i
		for from > 0 && isDigit(s[from-1]) {
			from--
		}
		if i-from >= 8 && i-from <= 10 && shapeOf(s[i+1:end]).letters > 8 {
			return r.replace(from, end, markToken)
		}
	}
	return i
}

// shadow reports whether s[i:end] is the field of an old DES hash: a name
// before it, and the day of the last change after it.
func (r *redaction) shadow(i, end int) bool {
	s := r.s
	last := end + 1
	for last < len(s) && isDigit(s[last]) {
		last++
	}
	return i > 0 && isAlnum(s[i-1]) && last > end+1 && strings.HasPrefix(s[last:], ":") && strings.IndexByte(s[i+1:end], '-') < 0
}

func isHex(v string) bool {
	for i := range len(v) {
		if c := lower(v[i]); !isDigit(c) && (c < 'a' || c > 'f') {
			return false
		}
	}
	return true
}
