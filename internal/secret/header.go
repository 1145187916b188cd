package secret

import "strings"

// schemes of HTTP authentication that are followed by one token.
var schemes = []string{"bearer", "basic", "token", "apikey", "api-key", "key", "negotiate", "ntlm", "jwt", "dpop", "sharedkey", "sharedkeylite", "private-token", "googlelogin", "mac", "hmac", "digest", "hawk", "oauth", "signature", "aws4-hmac-sha256", "aws"}

// header looks whether a name is that of a header with rules of its own.
// It returns at when it is none.
func (r *redaction) header(name label, at int) int {
	t := name.text
	set := false
	switch last := lower(t[len(t)-1]); {
	case last == 'n' && hasSuffixFold(t, "authorization") && boundary(t, len(t)-len("authorization")):
	case last == 'e' && hasSuffixFold(t, "cookie") && boundary(t, len(t)-len("cookie")):
		set = !equalFold(t, "cookie") && !equalFold(t, "http_cookie")
	default:
		return at
	}
	s := r.s
	from, _ := operator(s, at)
	if from < len(s) && s[from] == '[' {
		from++
	}
	_, term := ownLine(s, name)
	if open := openQuote(s, from); open != "" {
		from, term = from+len(open), open[0]
	}
	if lower(t[len(t)-1]) == 'n' {
		return r.authorization(from, at, term)
	}
	return r.cookies(from, at, term, set)
}

// endsHeader reports whether a header ends before s[i]: with its line, however
// the line break is written, or at the quotation marks around it.
func endsHeader(s string, i int, term byte) bool {
	switch c := s[i]; c {
	case '\n', '<':
		return true
	case '\\':
		return term == c || i+1 < len(s) && (s[i+1] == 'n' || s[i+1] == 'r')
	default:
		return c == term && term != 0
	}
}

// authorization redacts the credentials in the header's value from s[from] on
// and keeps their scheme.
func (r *redaction) authorization(from, at int, term byte) int {
	s := r.s
	ended := func(i int) bool { return i == len(s) || endsHeader(s, i, term) }
	word := func(i int) int {
		for !ended(i) && !isSpace(s[i]) && strings.IndexByte("\"',;<>`", s[i]) < 0 {
			i++
		}
		return i
	}
	space := func(i int) int {
		for !ended(i) && isSpace(s[i]) {
			i++
		}
		return i
	}
	first := word(from)
	rest := space(first)
	second := word(rest)
	known := false
	for _, name := range schemes {
		known = known || equalFold(s[from:first], name)
	}
	v := s[rest:second]
	switch {
	case known && parameter(v, s[second:]):
		// Digest username="…", response="…", and so on.
		for second < len(s) && !endsHeader(s, second, term) {
			second++
		}
		return r.replace(rest, second, markAuthorization)
	case second > rest && (known || opaque(v) || random(v)):
		// A scheme, known or not.
	case known:
		return at + 1
	default:
		v, rest, second = s[from:first], from, first
		if len(v) <= longValue && (!ended(space(first)) || plainWord(v)) {
			return at + 1
		}
	}
	switch {
	case settled(v) || placeholder(v) || equalFold(v, "token"):
		return at + 1
	case len(v) <= longValue && plainWord(v) && !ended(space(second)):
		return at + 1 // prose
	}
	return r.replace(rest, second, best(v, markAuthorization))
}

// parameter reports whether v is the beginning of name=value or name="value",
// and not a token that ends in = by its encoding.
func parameter(v, rest string) bool {
	i := strings.IndexByte(v, '=')
	if i <= 0 || run(v, 0, "-_") != i {
		return false
	}
	return i+1 < len(v) && v[i+1] != '=' || i+1 == len(v) && strings.HasPrefix(rest, `"`)
}

// plainWord reports whether v is a word without digits or symbols.
func plainWord(v string) bool {
	h := shapeOf(v)
	return h.digits == 0 && h.symbols == 0 && h.longest < 20
}

// attributes of a cookie, whose values are no secrets (RFC 6265, section 4.1).
var attributes = []string{"path", "domain", "expires", "max-age", "samesite", "version", "priority"}

// cookies redacts the values of the cookies from s[from] on; one that is being
// set is followed by attributes only.
func (r *redaction) cookies(from, at int, term byte, set bool) int {
	s := r.s
	next := at + 1
	for i := from; i < len(s); {
		for i < len(s) && (s[i] == ' ' || s[i] == ';') {
			i++
		}
		name := i
		for i < len(s) && s[i] > ' ' && i-name < longValue && strings.IndexByte("=;,:\"'<>(){}\\", s[i]) < 0 {
			i++
		}
		if i == len(s) || s[i] != '=' && s[i] != ';' {
			break // no list of cookies
		}
		if s[i] == ';' {
			continue
		}
		equals, value := i, i+1
		i = value
		if open := openQuote(s, value); len(open) > 3 { // an entity has a semicolon of its own
			value += len(open)
			i = min(len(s), closeQuote(s, value, open)+len(open))
		}
		for i < len(s) && s[i] != ';' && !endsHeader(s, i, term) {
			i++
		}
		v := strings.TrimRight(s[value:i], " ")
		for _, q := range entities {
			v = strings.TrimSuffix(v, q)
		}
		inner := strings.Trim(v, `\"'`)
		attribute := false
		for _, a := range attributes {
			attribute = attribute || equalFold(s[name:equals], a)
		}
		if len(inner) > longValue || !attribute && !settled(inner) && !placeholder(inner) {
			next = r.replace(value, value+len(v), best(inner, markCookie))
		}
		if set {
			break
		}
	}
	return next
}
