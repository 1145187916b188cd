package secret

import "unicode/utf8"

// The classes of bytes. A secret cannot be anywhere without one of the bytes
// that have a class, most texts hold few of them, and what is looked at there
// is decided within some bytes before and after.
const (
	plainByte  = iota
	dirtyByte  // must be removed
	highByte   // part of a rune that is not ASCII
	separator  // = and : stand between a name and its value
	tokenByte  // _ - . end the prefix of tokens, and dashes begin PEM and flags
	awsByte    // A begins AKIA and AIza
	jwtByte    // J ends eyJ
	dollarByte // begins a hash
	tagByte    // < begins <password>
	atByte     // ends the credentials of some connection strings
	commaByte  // define('NAME', 'value')
	schemeByte // B begins Bearer and Basic
)

var classes = classTable()

func classTable() (t [256]uint8) {
	for c := range 256 {
		switch {
		case c < ' ' && c != '\n' && c != '\t', c == 0x7f:
			t[c] = dirtyByte
		case c >= utf8.RuneSelf:
			t[c] = highByte
		}
	}
	for class, bytes := range map[uint8]string{
		separator: "=:", tokenByte: "_-.", awsByte: "A", jwtByte: "J", dollarByte: "$",
		tagByte: "<", atByte: "@", commaByte: ",", schemeByte: "Bb",
	} {
		for _, c := range []byte(bytes) {
			t[c] = class
		}
	}
	return t
}

// redaction is one look at a text.
type redaction struct {
	s     string
	out   []byte   // what s[:last] became; nil: nothing was replaced yet
	first int      // where the last replacement began
	last  int      // and ended
	found *[]Match // what was replaced; nil: nobody asks
}

// redact replaces the secrets in s. dirty is true, and nothing returned, when s
// has characters that [clean] removes.
func redact(s string) (t string, dirty bool) {
	r := redaction{s: s}
	if r.run() {
		return "", true
	}
	if r.out == nil {
		return s, false
	}
	return string(append(r.out, s[r.last:]...)), false
}

// run looks at the whole text, or up to the first dirty character.
func (r *redaction) run() (dirty bool) {
	s := r.s
	for i := 0; i < len(s); {
		if i+4 <= len(s) && classes[s[i]]|classes[s[i+1]]|classes[s[i+2]]|classes[s[i+3]] == plainByte {
			i += 4
			continue
		}
		next := i + 1
		switch classes[s[i]] {
		case plainByte:
		case dirtyByte:
			return true
		case highByte:
			c, n := utf8.DecodeRuneInString(s[i:])
			if c == utf8.RuneError && n == 1 || deceptive(c) {
				return true
			}
			next = i + n
		default:
			next = r.look(i)
			if next > i+1 && r.dirty(i+1, next) {
				return true
			}
		}
		i = next
	}
	return false
}

// look decides about s[i] and what is around it, and returns where to go on:
// behind what it replaced, or what needs no other look. Most bytes that have a
// class are nothing; the conditions here say so at the least expense.
func (r *redaction) look(i int) int {
	s := r.s
	var before, after, second byte
	if i > 0 {
		before = s[i-1]
	}
	if i+1 < len(s) {
		after = s[i+1]
	}
	if i+2 < len(s) {
		second = s[i+2]
	}
	switch classes[s[i]] {
	case separator:
		return r.separator(i)
	case tokenByte:
		if s[i] == '-' && (after == '-' || after == 'u') || len(prefixes[before]) > 0 {
			return r.prefixed(i)
		}
	case awsByte:
		if after == 'K' || after == 'S' || after == 'B' || after == 'C' || after == 'I' {
			return r.cloudKey(i)
		}
	case jwtByte:
		if before == 'y' {
			return r.jwt(i)
		}
	case dollarByte:
		if isAlnum(after) {
			return r.hash(i)
		}
	case tagByte:
		if isLetter(after) && isLetter(second) {
			return r.element(i)
		}
	case atByte:
		if after == 't' || after == 'u' || after == '/' || after == '(' {
			return r.dsn(i)
		}
	case commaByte:
		if before == '\'' || before == '"' {
			return r.define(i)
		}
	case schemeByte:
		if after |= 0x20; (after == 'e' || after == 'a') && !isAlnum(before) {
			return r.scheme(i)
		}
	}
	return i + 1
}

// dirty reports whether s[from:to] holds what [clean] removes, other than in
// what was just replaced.
func (r *redaction) dirty(from, to int) bool {
	for i := from; i < to; {
		if i >= r.first && i < r.last {
			i = r.last
			continue
		}
		switch classes[r.s[i]] {
		case dirtyByte:
			return true
		case highByte:
			c, n := utf8.DecodeRuneInString(r.s[i:])
			if c == utf8.RuneError && n == 1 || deceptive(c) {
				return true
			}
			i += n
		default:
			i++
		}
	}
	return false
}

// replace puts a marker in the place of s[from:to] and returns to. What was
// replaced before stays so.
func (r *redaction) replace(from, to int, marker string) int {
	from = max(from, r.last)
	if from >= to {
		return to
	}
	if r.out == nil {
		r.out = make([]byte, 0, len(r.s)+maxMark)
	}
	r.out = append(append(r.out, r.s[r.last:from]...), marker...)
	r.first, r.last = from, to
	if r.found != nil {
		*r.found = append(*r.found, Match{from, to, kindOf(marker)})
	}
	return to
}
