package credentials

import (
	"crypto/sha1"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"golang.org/x/crypto/bcrypt"

	"github.com/leeward-ctem/leeward/exposure"
)

// guesses is how much work is spent on guessing in one target, in rounds of a
// hash: some ten seconds.
const guesses = 20_000_000

// scheme is how a password is kept.
type scheme struct {
	name     string
	weak     bool
	severity exposure.Severity
	cwe      int
	rounds   int64 // of one guess; 0: it is not guessed
	is       func(password string) bool
}

// schemeOf recognises a hash. ok is false for what is none, or not known.
func schemeOf(hash string) (s scheme, ok bool) {
	weak := func(name string, severity exposure.Severity, cwe int) scheme {
		return scheme{name: name, weak: true, severity: severity, cwe: cwe}
	}
	equal := func(made string) bool { return subtle.ConstantTimeCompare([]byte(made), []byte(hash)) == 1 }
	id, rest := "", ""
	if strings.HasPrefix(hash, "$") {
		id, rest, _ = strings.Cut(hash[1:], "$")
	}
	switch {
	case id == "1" || id == "apr1":
		s = weak("MD5", exposure.SeverityMedium, 916)
		salt, _, _ := strings.Cut(rest, "$")
		s.rounds, s.is = 1000, func(p string) bool { return equal(md5Crypt(p, "$"+id+"$", salt)) }
	case id == "5" || id == "6":
		rounds, salt, err := shaSettings(rest)
		if err != nil {
			return scheme{}, false
		}
		s = scheme{name: "SHA-crypt", rounds: int64(rounds)}
		s.is = func(p string) bool { return strings.HasSuffix(hash, "$"+shaCrypt(p, id, salt, rounds)) }
	case id == "2a" || id == "2b" || id == "2y" || id == "2x":
		cost, err := bcrypt.Cost([]byte(hash))
		if err != nil {
			return scheme{}, false
		}
		s = scheme{name: "bcrypt", rounds: 100 << cost}
		s.is = func(p string) bool { return bcrypt.CompareHashAndPassword([]byte(hash), []byte(p)) == nil }
	case id == "y" || id == "gy" || id == "7" || id == "argon2id" || id == "scrypt":
		s = scheme{name: id}
	case id == "sha1" || id == "md5" || strings.HasPrefix(id, "md5,"):
		s = weak("an old hash", exposure.SeverityMedium, 916)
	case strings.HasPrefix(hash, "{SHA}"):
		s = weak("SHA-1 without salt", exposure.SeverityHigh, 759)
		s.rounds, s.is = 1, func(p string) bool {
			sum := sha1.Sum([]byte(p))
			return equal("{SHA}" + base64.StdEncoding.EncodeToString(sum[:]))
		}
	case strings.HasPrefix(hash, "{SSHA}"):
		b, err := base64.StdEncoding.DecodeString(hash[6:])
		if err != nil || len(b) <= sha1.Size {
			return scheme{}, false
		}
		s = weak("SHA-1", exposure.SeverityMedium, 916)
		s.rounds, s.is = 1, func(p string) bool {
			sum := sha1.Sum(append([]byte(p), b[sha1.Size:]...))
			return subtle.ConstantTimeCompare(sum[:], b[:sha1.Size]) == 1
		}
	case len(hash) == 13 && crypt64(hash) || len(hash) == 20 && hash[0] == '_' && crypt64(hash[1:]):
		s = weak("DES", exposure.SeverityHigh, 916)
	default:
		return scheme{}, false
	}
	return s, true
}

// crypt64 reports whether s has characters of crypt(3) only.
func crypt64(s string) bool {
	return strings.IndexFunc(s, func(r rune) bool { return !strings.ContainsRune(alphabet, r) }) < 0
}

// shaSettings reads [rounds=N$]salt$hash.
func shaSettings(rest string) (rounds int, salt string, err error) {
	rounds = 5000
	if n, is := strings.CutPrefix(rest, "rounds="); is {
		n, rest, _ = strings.Cut(n, "$")
		if rounds, err = strconv.Atoi(n); err != nil || rounds < 0 {
			return 0, "", errors.New("no number of rounds")
		}
		rounds = min(max(rounds, 1000), 999_999_999)
	}
	salt, hash, ok := strings.Cut(rest, "$")
	if !ok || hash == "" {
		return 0, "", errors.New("no hash")
	}
	return rounds, salt[:min(16, len(salt))], nil
}

// unixAccounts looks at shadow and passwd: name:hash:…
func unixAccounts(f *file) error {
	left := map[string]int{}
	err := f.lines(func(n int, line string) error {
		name, rest, ok := strings.Cut(line, ":")
		if !ok || strings.HasPrefix(name, "#") {
			return nil
		}
		hash, _, _ := strings.Cut(rest, ":")
		switch {
		case name == "" || name == "+" || strings.HasPrefix(name, "+") || strings.HasPrefix(name, "-"):
			return nil
		case hash == "":
			return f.empty(name, n)
		case hash == "x" || hash == "NP" || strings.HasPrefix(hash, "*") || strings.HasPrefix(hash, "!"):
			return nil // elsewhere, none, or locked
		}
		s, known := schemeOf(hash)
		if !known {
			left["a form that is not known here"]++
			return nil
		}
		return f.account(name, n, s, left)
	})
	if err != nil {
		return err
	}
	return f.unguessed(left)
}

// htpasswd looks at what web servers ask for: name:hash.
func htpasswd(f *file) error {
	left := map[string]int{}
	err := f.lines(func(n int, line string) error {
		name, hash, ok := strings.Cut(line, ":")
		if !ok || name == "" || strings.HasPrefix(name, "#") {
			return nil
		}
		if hash == "" {
			return f.empty(name, n)
		}
		s, known := schemeOf(hash)
		if !known && strings.HasPrefix(hash, "$") {
			left["a form that is not known here"]++
			return nil
		} else if !known {
			s = scheme{name: "plain text", weak: true, severity: exposure.SeverityHigh, cwe: 256, rounds: 1, is: func(p string) bool { return p == hash }}
		}
		return f.account(name, n, s, left)
	})
	if err != nil {
		return err
	}
	return f.unguessed(left)
}

func (f *file) empty(name string, line int) error {
	return f.state(weakness{
		rule: ruleEmpty, title: "An account has no password", severity: exposure.SeverityCritical, cwes: []int{258}, symbol: name, line: line,
		why:      fmt.Sprintf("The account %q needs no password where an empty one is let in.", name),
		solution: "Set a password, or lock the account.",
	})
}

// account looks at how a password is kept, and guesses it.
func (f *file) account(name string, line int, s scheme, left map[string]int) error {
	if s.weak {
		if err := f.state(weakness{
			rule: ruleHash, title: "A password is kept with a weak hash", severity: s.severity, cwes: []int{s.cwe}, symbol: name, line: line,
			why:      fmt.Sprintf("The password of %q is kept as %s. Whoever reads the file soon has it.", name, s.name),
			solution: "Use yescrypt, bcrypt or SHA-512, and set a new password.",
		}); err != nil {
			return err
		}
	}
	if s.is == nil {
		left[s.name]++
		return nil
	}
	for _, word := range append([]string{name, ""}, common()...) {
		if *f.budget < s.rounds {
			left[s.name]++
			return nil
		}
		if f.ctx.Err() != nil {
			return f.ctx.Err()
		}
		if *f.budget -= s.rounds; !s.is(word) {
			continue
		}
		what := "one of the most common passwords"
		switch word {
		case "":
			return f.empty(name, line)
		case name:
			what = "the account's own name"
		}
		return f.state(weakness{
			rule: ruleCommon, title: "An account has a common password", severity: exposure.SeverityCritical, cwes: []int{1391, 521}, symbol: name, line: line,
			why:      fmt.Sprintf("The password of %q is %s. Whoever tries finds it at once.", name, what),
			solution: "Set another password, and look whether others have used the account.",
		})
	}
	return nil
}

// unguessed says what was not compared with common passwords, so that nobody
// takes it for safe.
func (f *file) unguessed(left map[string]int) error {
	if len(left) == 0 {
		return nil
	}
	f.missed[ruleCommon] = true
	n := 0
	for _, some := range left {
		n += some
	}
	return f.out.broken(fmt.Errorf("%s: %d passwords were not compared with common ones: their hashes are not known here, or it would take too long", f.name, n))
}
