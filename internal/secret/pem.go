package secret

import (
	"slices"
	"strings"
)

const (
	pemBegin = "-----BEGIN "
	pemEnd   = "-----END "
)

// dashes looks at the run of dashes that begins at s[i]: a private key (RFC
// 7468), or a flag of a command.
func (r *redaction) dashes(i int) int {
	s := r.s
	after := i
	for after < len(s) && s[after] == '-' {
		after++
	}
	switch {
	case after-i == 2:
		return r.flag(i, after)
	case after-i < 5:
		return after
	case strings.HasPrefix(s[after-5:], pemBegin):
		return r.pem(after)
	case strings.HasPrefix(s[after-5:], pemEnd):
		return r.pemTail(after-5, after)
	}
	return after
}

// pemLabel returns where the line ends whose label begins at s[i], and whether
// it is that of a private key.
func pemLabel(s string, i int) (end int, private bool) {
	for end = i; end < len(s) && end-i < maxName && (s[end] >= 'A' && s[end] <= 'Z' || isDigit(s[end]) || s[end] == ' '); end++ {
	}
	label := s[i:end]
	if !strings.HasSuffix(label, "PRIVATE KEY") && !strings.HasSuffix(label, "PRIVATE KEY BLOCK") || !strings.HasPrefix(s[end:], "-----") {
		return end, false
	}
	return end + len("-----"), true
}

// pem redacts the key whose BEGIN stands before s[i].
func (r *redaction) pem(i int) int {
	s := r.s
	from, private := pemLabel(s, i+1+len("BEGIN"))
	if !private {
		return from
	}
	end := strings.Index(s[from:], "-----")
	if end >= 0 && strings.HasPrefix(s[from+end:], pemEnd) {
		end += from
	} else {
		end = pemBody(s, from)
	}
	return r.body(from, end)
}

// pemTail redacts the key whose END line begins at s[i], when what is before it
// is a key's body whose beginning is missing.
func (r *redaction) pemTail(i, label int) int {
	s := r.s
	next, private := pemLabel(s, label+1+len("END"))
	if !private {
		return next
	}
	from := i
	for from > r.last {
		begin := from
		for begin > r.last && !pemSpace(s, begin-1) {
			begin--
		}
		line := s[begin:from]
		if n := run(line, 0, "+/="); n != len(line) || len(line) > 0 && len(line) < 16 && from < i-4 {
			break
		}
		for begin > r.last && pemSpace(s, begin-1) {
			begin--
		}
		if begin == from {
			break
		}
		from = begin
	}
	for from < i && pemSpace(s, from) {
		from++
	}
	if i-from < 16 {
		return next
	}
	r.body(from, i)
	return next
}

// pemSpace reports whether s[i] is between the lines of a key, also where a
// line break is written as \n.
func pemSpace(s string, i int) bool {
	switch s[i] {
	case ' ', '\t', '\n', '\r', '\\':
		return true
	case 'n', 'r':
		return i > 0 && s[i-1] == '\\'
	}
	return false
}

// pemHeaders may stand before the base64 of a key (RFC 1421, RFC 9580).
var pemHeaders = []string{"Proc-Type:", "DEK-Info:", "Version:", "Comment:", "Hash:", "Charset:"}

// pemBody returns where the body of a key that was cut short ends: behind the
// last of the headers and lines of base64 from s[from] on.
func pemBody(s string, from int) int {
	end := from
	for i := from; i < len(s); {
		for i < len(s) && pemSpace(s, i) {
			i++
		}
		last := i
		for last < len(s) && !pemSpace(s, last) && strings.IndexByte("\"'`<", s[last]) < 0 {
			last++
		}
		line := s[i:last]
		if slices.Contains(pemHeaders, line) {
			for last < len(s) && s[last] != '\n' && !strings.HasPrefix(s[last:], `\n`) {
				last++
			}
		} else if !settled(line) && !pemLine(line, last == len(s)) {
			return end
		}
		i, end = last, last
	}
	return end
}

// pemLine reports whether a line may be base64 of a key: a full one, or a
// shorter one that says by its padding, or by where it stands, to be the last.
func pemLine(line string, atEnd bool) bool {
	n := run(line, 0, "+/")
	pad := strings.TrimLeft(line[n:], "=")
	switch {
	case n == 0 || pad != "":
		return false
	case n >= 16:
		return bothCases(line)
	}
	return n < len(line) || atEnd
}

// body replaces the body of a key and keeps the line breaks around it.
func (r *redaction) body(from, end int) int {
	s := r.s
	first, last := from, end
	for first < last && pemSpace(s, first) {
		first++
	}
	for last > first && pemSpace(s, last-1) {
		last--
	}
	if v := s[first:last]; v == "" || settled(v) || placeholder(v) {
		return end
	}
	return r.replace(first, last, markPrivateKey)
}
