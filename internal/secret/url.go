package secret

import "strings"

// inAddress reports whether a byte may be part of an address in a text.
func inAddress(c byte) bool {
	return c > ' ' && c != '"' && c != '\'' && c != '<' && c != '>' && c != '`' && c != '\\' && c != '|' && c != '^'
}

// maxUserInfo bounds how far the @ after a password with slashes is looked for.
const maxUserInfo = 256

// url looks at the address whose "://" begins at s[i].
func (r *redaction) url(i int) int {
	s := r.s
	from := i + len("://")
	if i == 0 || !isAlnum(s[i-1]) {
		return from
	}
	// Up to the end of the authority (RFC 3986, section 3.2).
	end, at := from, -1
	for end < len(s) && inAddress(s[end]) && s[end] != '/' && s[end] != '?' && s[end] != '#' {
		if s[end] == '@' {
			at = end
		}
		end++
	}
	if at < 0 {
		if next := r.webhook(from, end); next > from {
			return next
		}
		at = r.hiddenAt(from, end)
		if at < 0 {
			return from
		}
	}
	// The user may be a token, with a password that says so or without one.
	user := colonIn(s, from, at)
	next := from
	if v := s[from:user]; !settled(v) && (random(v) || best(v, "") != "") {
		next = r.replace(from, user, best(v, markCredentials))
	}
	if user == at {
		return next
	}
	if v := s[user+1 : at]; !settled(v) && !placeholder(v) {
		r.replace(user+1, at, best(v, markPassword))
	}
	return at // not back to the colon: the user may be called "token"
}

// hiddenAt returns where the user information of an address ends that the
// grammar does not see, -1 for none: the password holds a slash, or the text
// was cut within it.
func (r *redaction) hiddenAt(from, end int) int {
	s := r.s
	_, port, found := strings.Cut(s[from:end], ":")
	if !found || port == "" || s[from] == '[' || number(port) || placeholder(port) {
		return -1
	}
	if atEnd(s, end) {
		if strings.Contains(port, ":") || settled(port) {
			return -1
		}
		return end
	}
	at := -1
	for i := end; i < len(s) && i-from < maxUserInfo && inAddress(s[i]); i++ {
		if s[i] == '@' {
			at = i
		}
	}
	return at
}

// webhook redacts the path of an address that is a secret as a whole. It
// returns from when s[from:end] is no such host.
func (r *redaction) webhook(from, end int) int {
	s := r.s
	host, rest := s[from:end], s[end:]
	var path string
	switch {
	case host == "hooks.slack.com":
		path = "/services/"
	case host == "discord.com" || host == "discordapp.com":
		path = "/api/webhooks/"
	case strings.HasSuffix(host, ".webhook.office.com"):
		path = "/webhookb2/"
	case host == "api.telegram.org":
		path = "/bot"
	default:
		return from
	}
	if !strings.HasPrefix(rest, path) {
		return from
	}
	begin := end + len(path)
	last := begin
	for last < len(s) && inAddress(s[last]) && s[last] != '?' {
		if e, ok := markerAt(s, last); ok {
			last = e
			continue
		}
		last++
	}
	for last > begin && strings.IndexByte(".,;:)]", s[last-1]) >= 0 && !markerEnding(s, last) {
		last--
	}
	if v := s[begin:last]; v == "" || settled(v) || placeholder(v) {
		return begin
	}
	return r.replace(begin, last, markWebhook)
}

// dsn looks for the credentials of a data source name before the @ at s[i]:
// user:password@tcp(host), jdbc:oracle:thin:user/password@host.
func (r *redaction) dsn(i int) int {
	s := r.s
	rest := s[i+1:]
	sep := byte(':')
	switch {
	case strings.HasPrefix(rest, "tcp(") || strings.HasPrefix(rest, "unix("):
	case strings.HasPrefix(rest, "//") || strings.HasPrefix(rest, "("):
		sep = '/'
	default:
		return i + 1
	}
	if markerEnding(s, i) {
		return i + 1
	}
	for j := i - 1; j >= r.last && i-j < maxUserInfo && inAddress(s[j]); j-- {
		if s[j] == sep {
			if v := s[j+1 : i]; v != "" && !settled(v) && !placeholder(v) && (sep == ':' || strings.Contains(s[max(0, j-maxName):j], "thin:")) {
				return r.replace(j+1, i, markPassword)
			}
			break
		}
	}
	return i + 1
}
