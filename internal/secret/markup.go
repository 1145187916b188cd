package secret

import "strings"

// element looks for a value in an element whose name means a secret, such as
// <password>value</password>, at s[i].
func (r *redaction) element(i int) int {
	s := r.s
	end := i + 1
	for end < len(s) && end-i < maxName && (nameByte(s[end]) || s[end] == ':') {
		end++
	}
	tag := s[i+1 : end]
	if len(tag) < 3 {
		return i + 1
	}
	mark, is := secretName(tag)
	if is != strong {
		return i + 1
	}
	close := strings.IndexByte(s[end:min(len(s), end+maxUserInfo)], '>')
	if close < 0 || s[end+close-1] == '/' {
		return end
	}
	from := end + close + 1
	last := len(s)
	if rest, ok := strings.CutPrefix(s[from:], "<![CDATA["); ok {
		from = len(s) - len(rest)
		if n := strings.Index(rest, "]]>"); n >= 0 {
			last = from + n
		}
	} else if n := strings.IndexByte(rest, '<'); n >= 0 {
		last = from + n
		if !strings.HasPrefix(s[last:], "</"+tag) {
			return end // other elements, or prose with the name in angle brackets
		}
	} else if strings.ContainsAny(strings.TrimSpace(rest), " \n") {
		return end
	}
	first := from
	for first < last && isSpace(s[first]) {
		first++
	}
	for last > first && isSpace(s[last-1]) {
		last--
	}
	if v := s[first:last]; v == "" || settled(v) || placeholder(v) || strings.HasPrefix(v, "-----BEGIN") || sentence(v) {
		return from
	}
	return r.replace(first, last, best(s[first:last], mark))
}

// pair looks for a name that is a value itself: <input name="token" value="…">,
// {"name": "Cookie", "value": "…"}, and the parts of a multipart form.
func (r *redaction) pair(name label, at int) int {
	s := r.s
	switch {
	case equalFold(name.text, "value"):
	case equalFold(name.text, "name"):
		return r.part(at)
	default:
		return at + 1
	}
	from, _ := operator(s, at)
	open := openQuote(s, from)
	if open == "" {
		return at + 1
	}
	from += len(open)
	end := closeQuote(s, from, open)
	mark, is := partner(s, name.start, end+1)
	v := s[from:end]
	switch {
	case is == innocent || placeholder(v) || settled(v):
		return at + 1
	case mark == markCookie:
		return r.cookies(from, at, open[0], false)
	case mark == markAuthorization:
		return r.authorization(from, at, open[0])
	case strings.HasPrefix(v, "-----BEGIN") || is == weak && !opaque(v) || sentence(v):
		return at + 1
	}
	return r.replace(from, end, best(v, mark))
}

// partner says what the name beside a value means: the one in the same tag or
// object, before the value or after it.
func partner(s string, before, after int) (mark string, is strength) {
	const far = 160
	begin := max(0, before-far)
	if i := max(strings.LastIndexAny(s[begin:before], "<{>}"), strings.LastIndex(s[begin:before], "&lt;")); i >= 0 {
		begin += i + 1
	}
	end := min(len(s), after+far)
	after = min(after, end)
	for _, stop := range []string{"<", ">", "{", "}", "&gt;", "&lt;"} {
		if i := strings.Index(s[after:end], stop); i >= 0 {
			end = after + i
		}
	}
	for _, part := range []string{s[begin:before], s[after:end]} {
		for i := 0; i < len(part); i++ {
			if part[i] != '=' && part[i] != ':' || i == 0 || strings.IndexByte("eydEYD\"' ;", part[i-1]) < 0 {
				continue
			}
			key := labelBefore(part, i)
			if !equalFold(key.text, "name") && !equalFold(key.text, "key") && !equalFold(key.text, "id") && !equalFold(key.text, "type") {
				continue
			}
			from, _ := operator(part, i)
			open := openQuote(part, from)
			if open == "" {
				continue
			}
			from += len(open)
			v := part[from:closeQuote(part, from, open)]
			switch {
			case hasSuffixFold(v, "authorization"):
				return markAuthorization, strong
			case equalFold(v, "cookie") || equalFold(v, "set-cookie"):
				return markCookie, strong
			}
			if mark, is = secretName(v); is != innocent {
				return mark, is
			}
		}
	}
	return "", innocent
}

// part redacts a part of a multipart form (RFC 7578): name="password", an empty
// line, the value.
func (r *redaction) part(at int) int {
	s := r.s
	if !strings.HasPrefix(s[at:], `="`) {
		return at + 1
	}
	end := closeQuote(s, at+2, `"`)
	mark, is := secretName(s[at+2 : end])
	if is == innocent {
		return at + 1
	}
	rest, ok := strings.CutPrefix(s[end:], "\"\n\n")
	if !ok {
		return at + 1
	}
	from := len(s) - len(rest)
	last := from
	for last < len(s) && !endsHeader(s, last, 0) {
		last++
	}
	v := strings.TrimRight(s[from:last], " \t")
	if v == "" || settled(v) || placeholder(v) || strings.HasPrefix(v, "--") || is == weak && !opaque(v) {
		return at + 1
	}
	return r.replace(from, from+len(v), best(v, mark))
}

// define looks for a constant of PHP at the comma s[i]: define('NAME', 'value').
func (r *redaction) define(i int) int {
	s := r.s
	if i == 0 || s[i-1] != '\'' && s[i-1] != '"' {
		return i + 1
	}
	name := labelBefore(s, i)
	if !name.quoted || name.start < 8 {
		return i + 1
	}
	before := strings.TrimRight(s[max(0, name.start-12):name.start-1], " ")
	if !hasSuffixFold(before, "define(") {
		return i + 1
	}
	mark, is := secretName(name.text)
	if is == innocent && hasSuffixFold(name.text, "_salt") {
		mark, is = markKey, strong
	}
	from, _ := operator(s, i)
	open := openQuote(s, from)
	if is == innocent || open == "" {
		return i + 1
	}
	return r.quoted(from+len(open), open, mark, is)
}

// flag looks for --password value at the two dashes s[i:after].
func (r *redaction) flag(i, after int) int {
	s := r.s
	if i > 0 && !isSpace(s[i-1]) && strings.IndexByte("\"'`[(,", s[i-1]) < 0 {
		return after
	}
	end := after
	for end < len(s) && nameByte(s[end]) && end-after < maxName {
		end++
	}
	if end == after || end == len(s) {
		return after
	}
	name := s[after:end]
	if equalFold(name, "user") && s[end] == ' ' {
		return r.userPassword(end+1, after)
	}
	mark, is := secretName(name)
	if is != strong {
		return after
	}
	from := end
	if s[from] == '"' || s[from] == '\'' {
		// A list of arguments: ["--password", "value"].
		for from++; from < len(s) && (s[from] == ',' || s[from] == ' '); from++ {
		}
		if open := openQuote(s, from); open != "" && from > end+1 {
			return r.quoted(from+len(open), open, mark, is)
		}
		return after
	}
	for from < len(s) && s[from] == ' ' {
		from++
	}
	if from == end || from == len(s) || s[from] == '-' {
		return after
	}
	if open := openQuote(s, from); open != "" {
		return r.quoted(from+len(open), open, mark, is)
	}
	last := bareEnd(s, from, false, 0)
	if v := s[from:last]; !settled(v) && !placeholder(v) && telling(v) {
		return r.replace(from, last, best(v, mark))
	}
	return after
}

// userFlag looks for the -u user:password of curl at s[i].
func (r *redaction) userFlag(i int) int {
	if !strings.HasPrefix(r.s[i:], "-u ") {
		return i + 1
	}
	return r.userPassword(i+3, i+1)
}

// userPassword redacts the password in user:password at s[from].
func (r *redaction) userPassword(from, none int) int {
	s := r.s
	if from < len(s) && (s[from] == '"' || s[from] == '\'') {
		from++
	}
	end := bareEnd(s, from, false, 0)
	colon := colonIn(s, from, end)
	if colon == end || colon == from {
		return none
	}
	user, v := s[from:colon], s[colon+1:end]
	if number(user) && number(v) || strings.ContainsAny(user, "=?&") || settled(v) || placeholder(v) || strings.HasPrefix(v, "//") {
		return none
	}
	return r.replace(colon+1, end, markPassword)
}
