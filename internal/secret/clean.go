package secret

import (
	"strings"
	"unicode/utf8"
)

// deceptive reports whether a rune must not reach a terminal or a reader: the
// C1 controls, and what overrides the direction of writing (Unicode 16, UAX #9,
// sections 2.1 to 2.4; N. Boucher and R. Anderson, Trojan Source, 2021).
func deceptive(r rune) bool {
	switch {
	case r >= 0x80 && r <= 0x9f:
	case r >= 0x202a && r <= 0x202e:
	case r >= 0x2066 && r <= 0x2069:
	default:
		return false
	}
	return true
}

// clean removes what [Text] says of characters.
func clean(s string) string {
	var b strings.Builder
	b.Grow(len(s))
	invalid := false // the rune before was a replacement
	for i := 0; i < len(s); {
		c := s[i]
		switch {
		case c == '\r':
			i++
			if i == len(s) || s[i] != '\n' {
				b.WriteByte('\n')
			}
		case c == 0x1b:
			i = escape(s, i+1)
		case c < ' ' && c != '\n' && c != '\t', c == 0x7f:
			i++
		case c < utf8.RuneSelf:
			b.WriteByte(c)
			i++
		default:
			r, n := utf8.DecodeRuneInString(s[i:])
			switch {
			case r == utf8.RuneError && n == 1:
				if !invalid {
					b.WriteRune(utf8.RuneError)
				}
				invalid = true
				i++
				continue
			case r == 0x9b:
				i = sequence(s, i+n)
			case r == 0x90, r == 0x9d:
				i = command(s, i+n)
			case deceptive(r):
				i += n
			default:
				b.WriteString(s[i : i+n])
				i += n
			}
		}
		invalid = false
	}
	return b.String()
}

// The control sequences of terminals (ECMA-48, sections 5.3, 5.4 and 5.6). Each
// of the functions gets the position after an introducer and returns the one
// after the sequence. What is malformed loses its introducer only: then nothing
// commands the terminal, and no text is swallowed.

// escape is what follows ESC.
func escape(s string, i int) int {
	if i == len(s) {
		return i
	}
	switch s[i] {
	case '[':
		return sequence(s, i+1)
	case ']', 'P', 'X', '^', '_':
		return command(s, i+1)
	}
	end := i
	for end < len(s) && s[end] >= 0x20 && s[end] <= 0x2f {
		end++
	}
	if end < len(s) && s[end] >= 0x30 && s[end] <= 0x7e {
		return end + 1
	}
	return i
}

// sequence is what follows CSI: parameters, intermediate bytes, a final byte.
func sequence(s string, i int) int {
	end := i
	for end < len(s) && s[end] >= 0x30 && s[end] <= 0x3f {
		end++
	}
	for end < len(s) && s[end] >= 0x20 && s[end] <= 0x2f {
		end++
	}
	if end < len(s) && s[end] >= 0x40 && s[end] <= 0x7e {
		return end + 1
	}
	return i
}

// maxCommand bounds how far the end of a command string is looked for, in bytes.
const maxCommand = 4096

// command is what follows OSC, DCS and the like: a string that ends with BEL or
// ST, on the same line and before any other control.
func command(s string, i int) int {
	for end := i; end < len(s) && end-i < maxCommand; end++ {
		switch c := s[end]; {
		case c == 0x07:
			return end + 1
		case c == 0x1b && strings.HasPrefix(s[end+1:], `\`):
			return end + 2
		case c == 0xc2 && strings.HasPrefix(s[end+1:], "\x9c"): // ST as one rune
			return end + 2
		case c == 0x1b, c == '\n', c == '\r', c == 0xc2 && end+1 < len(s) && s[end+1] < 0xa0:
			return i
		}
	}
	return i
}
