package secret

import "strings"

// maxName bounds how long a name is, and how far around it is looked, in bytes.
const maxName = 64

// label is a name and how it stands before its separator.
type label struct {
	text   string
	start  int
	quoted bool // "name" or ['name'] or [name]
	spaced bool // space before the separator
}

// separator looks at the name before s[i] and the value after it.
func (r *redaction) separator(i int) int {
	s := r.s
	if s[i] == ':' {
		if strings.HasPrefix(s[i+1:], "//") {
			return r.url(i)
		}
		if next := r.colon(i); next > i {
			return next
		}
	}
	name := labelBefore(s, i)
	if !speaking(name.text) {
		return i + 1
	}
	if next := r.header(name, i); next > i {
		return next
	}
	name = name.extended(s)
	mark, is := secretName(name.text)
	if is == innocent {
		return r.pair(name, i)
	}
	from, op := operator(s, i)
	if from == len(s) || s[from] == '\n' || strings.HasPrefix(s[from:], "-----BEGIN") {
		return from
	}
	if s[from] == '[' {
		if next := r.list(from, mark, is); next > from {
			return next
		}
	}
	if open := openQuote(s, from); open != "" {
		return r.quoted(from+len(open), open, mark, is)
	}
	return r.bare(name, op, i, from, mark, is)
}

// labelBefore reads the name that ends before s[i].
func labelBefore(s string, i int) label {
	var l label
	j := i
	for j > 0 && (s[j-1] == ' ' || s[j-1] == '\t') && i-j < maxName {
		j--
		l.spaced = true
	}
	if j == 0 {
		return label{}
	}
	switch c := s[j-1]; {
	case nameByte(c) && (j < 4 || s[j-3] != '%'):
	case nameByte(c) || // the end of %22 or %5D, perhaps
		strings.IndexByte("]\"'`;", c) >= 0:
		k := closing(s, j)
		if k == j && !nameByte(c) {
			return label{}
		}
		l.quoted = k < j
		j = k
	default:
		return label{}
	}
	end := j
	for j > 0 && nameByte(s[j-1]) && end-j < maxName {
		j--
	}
	if j < end && j > 0 && s[j-1] == '\\' && (s[j] == 'n' || s[j] == 'r' || s[j] == 't' && !hasPrefixFold(s[j:end], "token")) {
		j++ // an escaped line break: …\nCookie: …
	}
	l.text, l.start = s[j:end], j
	return l
}

// extended is a name together with the word before it, where it says little
// alone: API key, session ID.
func (l label) extended(s string) label {
	if l.quoted || l.start < 2 || s[l.start-1] != ' ' || !equalFold(l.text, "key") && !equalFold(l.text, "id") && !equalFold(l.text, "hash") {
		return l
	}
	end, j := l.start+len(l.text), l.start-1
	for j > 0 && isLetter(s[j-1]) && l.start-j < maxName {
		j--
	}
	l.text, l.start = s[j:end], j
	return l
}

// closing steps back over what may close a name: quotes, brackets, both.
func closing(s string, j int) int {
	if hasSuffixFold(s[:j], "%5d") {
		return j - 3
	}
	if s[j-1] == ']' {
		if markerEnding(s, j) {
			return j
		}
		if j--; j == 0 {
			return j
		}
	}
	for _, q := range entities {
		if strings.HasSuffix(s[:j], q) {
			return j - len(q)
		}
	}
	if s[j-1] == '"' || s[j-1] == '\'' || s[j-1] == '`' {
		j--
		for n := 0; j > 0 && s[j-1] == '\\' && n < maxEscapes; n++ {
			j--
		}
	}
	return j
}

// operator returns where the value begins, and what assigns it: '=', ':', or
// '?' for a comparison.
func operator(s string, i int) (from int, op byte) {
	op, from = s[i], i+1
	switch {
	case op == ':' && from < len(s) && s[from] == '=':
		op = '='
		from++
	case op == '=':
		for from < len(s) && (s[from] == '=' || s[from] == '>') && from-i < 3 {
			if s[from] == '=' {
				op = '?'
			}
			from++
		}
	}
	for n := 0; from < len(s) && (s[from] == ' ' || s[from] == '\t') && n < maxName; n++ {
		from++
	}
	// The prefixes of string literals: b"…", u'…', @"…".
	if from+1 < len(s) && strings.IndexByte("bBfFrRuUL@", s[from]) >= 0 && (s[from+1] == '"' || s[from+1] == '\'') {
		from++
	}
	return from, op
}

// maxEscapes is how often a quotation mark may be escaped: JSON in JSON in JSON.
const maxEscapes = 3

// entities are quotation marks as HTML and URLs write them.
var entities = []string{"&quot;", "&#34;", "&#39;", "&apos;", "&#x27;", "%22", "%27"}

// openQuote returns the quotation mark that opens at s[i], with its escapes.
func openQuote(s string, i int) string {
	j := i
	for j < len(s) && s[j] == '\\' && j-i < maxEscapes {
		j++
	}
	if j == len(s) {
		return ""
	}
	switch s[j] {
	case '"', '\'', '`':
		if j == i && strings.HasPrefix(s[j:], `"""`) {
			return s[j : j+3]
		}
		return s[i : j+1]
	case '&', '%':
		for _, q := range entities {
			if strings.HasPrefix(s[i:], q) {
				return q
			}
		}
	}
	return ""
}

// closeQuote returns where a quoted value that begins at s[from] ends: at the
// same mark, or where its line or the text ends before.
func closeQuote(s string, from int, open string) int {
	if open == `"""` {
		if n := strings.Index(s[from:], open); n >= 0 {
			return from + n
		}
		return len(s)
	}
	mark := open[len(open)-1]
	for i := from; i < len(s); i++ {
		switch c := s[i]; {
		case c == '\n':
			return i
		case c == open[0] && strings.HasPrefix(s[i:], open):
			return i
		case c == '\\' && len(open) == 1:
			i++ // an escaped character, also a quotation mark
			if i < len(s) && s[i] == '\n' {
				return i
			}
		case c == '\\' && mark != ';':
			// More escapes than opened the value belong to a mark within it.
			j := i
			for j < len(s) && s[j] == '\\' {
				j++
			}
			if j < len(s) && s[j] == mark && j-i > len(open)-1 {
				i = j
			}
		}
	}
	return len(s)
}

// list redacts the strings of a list that begins at s[from]: ["a", "b"].
func (r *redaction) list(from int, mark string, is strength) int {
	s := r.s
	next := from
	for i := from + 1; i < len(s); {
		for i < len(s) && (isSpace(s[i]) || s[i] == ',') {
			i++
		}
		if i == len(s) {
			return next
		}
		open := openQuote(s, i)
		if open == "" {
			return next
		}
		next = r.quoted(i+len(open), open, mark, is)
		i = closeQuote(s, i+len(open), open) + len(open)
	}
	return next
}

// quoted redacts the value in quotation marks that begins at s[from].
func (r *redaction) quoted(from int, open, mark string, is strength) int {
	s := r.s
	end := closeQuote(s, from, open)
	v := s[from:end]
	switch {
	case settled(v) || placeholder(v) || strings.HasPrefix(v, "-----BEGIN"):
		return from
	case is == strong && !sentence(v), is == weak && opaque(v), mark == markPassword && !truth(v) && !strings.Contains(v, " "):
		return r.replace(from, end, best(v, mark))
	}
	return from
}

// longValue is from which length in bytes on a value without spaces is no word,
// call or placeholder any more, whatever it looks like.
const longValue = 256

// bare redacts a value without quotation marks that begins at s[from].
func (r *redaction) bare(name label, op byte, at, from int, mark string, is strength) int {
	s := r.s
	own, term := ownLine(s, name)
	end := bareEnd(s, from, own, term)
	v := s[from:end]
	switch {
	case len(v) > longValue:
		return r.replace(from, end, best(v, mark))
	case v == "" || placeholder(v) || reference(v, name.text) || settled(v):
		return at + 1
	case op == '?':
		return at + 1 // a comparison with a variable
	}
	tight := op == '=' && !name.spaced && from == at+1
	query := tight && (name.start == 0 || strings.IndexByte("?&;\n#", s[name.start-1]) >= 0)
	if !query && call(v, s[end:]) {
		return at + 1
	}
	alone := own && endsLine(s, end, term)
	var hit bool
	switch {
	case tight && is == strong:
		hit = !public(v)
	case tight && (query || mark == markPassword):
		hit = !truth(v)
	case tight:
		hit = opaque(v)
	case is == weak:
		// "PASS: test" is a result, "pass: test" a password.
		hit = random(v) || alone && mark == markPassword && !number(v) && isLower(name.text[0])
	case name.quoted && number(v):
		hit = mark == markPassword && len(v) >= 4
	case number(v) || public(v):
		hit = alone && number(v) && mark == markPassword
	case alone:
		hit = true
	default:
		hit = telling(v)
	}
	if !hit {
		return at + 1
	}
	return r.replace(from, end, best(v, mark))
}
