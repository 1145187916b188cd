package ports

import (
	"net/netip"
	"strings"
	"unicode/utf8"
)

// maxName bounds the name of a product and its version.
const maxName = 80

// clip cuts a text to so many bytes, never within a character.
func clip(s string, most int) string {
	if len(s) <= most {
		return s
	}
	for most > 0 && !utf8.RuneStart(s[most]) {
		most--
	}
	return s[:most]
}

// clean makes printable what somebody sent.
func clean(s string) string {
	return strings.TrimSpace(strings.Map(func(r rune) rune {
		switch {
		case r == '\n' || r == '\r' || r == '\t':
			return ' '
		case r < ' ' || r == 0x7f || r == utf8.RuneError:
			return -1
		}
		return r
	}, s))
}

// serverName is what a client names in its ClientHello: nothing for addresses.
func serverName(host string) string {
	if _, err := netip.ParseAddr(host); err == nil {
		return ""
	}
	return host
}

// after returns the word that follows a mark in a text.
func after(s, mark string) string {
	_, rest, ok := strings.Cut(s, mark)
	if !ok {
		return ""
	}
	rest = strings.TrimLeft(rest, " ")
	if i := strings.IndexFunc(rest, func(r rune) bool { return strings.ContainsRune(" \t\r\n,;()[]\"'", r) }); i >= 0 {
		rest = rest[:i]
	}
	return rest
}

// versioned takes "nginx/1.18.0 (Ubuntu)" apart.
func versioned(s string) (name, version string) {
	s, _, _ = strings.Cut(strings.TrimSpace(s), " ")
	name, version, _ = strings.Cut(s, "/")
	return strings.ToLower(name), version
}

// hasDigit tells a version from a word.
func hasDigit(s string) bool { return strings.ContainsAny(s, "0123456789") }
