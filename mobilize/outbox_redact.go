package mobilize

import (
	"cmp"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"
)

// maxError bounds the sentence that is kept with a message, in bytes.
const maxError = 500

// hidden stands where something was removed.
const hidden = "…"

// addressIn matches what could be an address in a text.
var addressIn = regexp.MustCompile(`[A-Za-z][A-Za-z0-9+.-]*://[^\s"'<>]*`)

// redact makes one line of an error, without what the receiver's address and
// secret hold: the errors of network libraries like to quote them. Of addresses
// only scheme and host stay, because many services put their token in the path.
func redact(text string, to Receiver) string {
	var pairs []string
	for _, s := range secrets(to) {
		pairs = append(pairs, s, hidden)
	}
	if to.URL != "" {
		// First, for the first pair that fits at a place is the one taken.
		pairs = append([]string{oneLine(to.URL), origin(to.URL)}, pairs...)
	}
	text = strings.NewReplacer(pairs...).Replace(oneLine(text))
	text = addressIn.ReplaceAllStringFunc(text, func(found string) string {
		// The sentence's own punctuation stays.
		address := strings.TrimRight(found, ".,:;)")
		return origin(address) + found[len(address):]
	})
	if len(text) > maxError {
		text = text[:maxError-len(hidden)] + hidden
	}
	return strings.ToValidUTF8(text, "")
}

// secrets lists what must not show, the longest first, so that a part is not
// taken out of the middle of the whole.
func secrets(to Receiver) []string {
	var all []string
	add := func(s string, least int) {
		if len(s) < least || s == "" {
			return
		}
		quoted := strconv.Quote(s)
		for _, form := range []string{s, url.QueryEscape(s), url.PathEscape(s), quoted[1 : len(quoted)-1]} {
			all = append(all, oneLine(form))
		}
	}
	add(to.Secret, 1)
	// The parts are cut by hand too, for an address that does not parse.
	rest, _, _ := strings.Cut(to.URL, "#")
	rest, query, _ := strings.Cut(rest, "?")
	add(query, 1)
	if _, after, ok := strings.Cut(rest, "://"); ok {
		if i := strings.LastIndexByte(after, '@'); i >= 0 {
			add(after[:i], 1)
		}
	}
	if u, err := url.Parse(to.URL); err == nil {
		password, _ := u.User.Password()
		add(password, 1)
		// A shorter word than this is no secret, and taking it out would make
		// the sentence unreadable.
		const word = 4
		add(u.User.Username(), word)
		for _, values := range u.Query() {
			for _, v := range values {
				add(v, word)
			}
		}
		add(u.Fragment, word)
	}
	slices.SortFunc(all, func(a, b string) int { return cmp.Or(cmp.Compare(len(b), len(a)), cmp.Compare(a, b)) })
	return slices.DeleteFunc(slices.Compact(all), func(s string) bool { return s == "" })
}

// origin returns scheme and host of an address.
func origin(address string) string {
	scheme, _, ok := strings.Cut(address, "://")
	if !ok {
		return hidden // the whole may be a secret in the wrong place
	}
	u, err := url.Parse(address)
	if err != nil || u.Host == "" {
		return scheme + "://" + hidden
	}
	shown := u.Scheme + "://" + u.Host
	if u.Path == "" && u.RawQuery == "" && u.User == nil {
		return shown
	}
	return shown + "/" + hidden
}

// oneLine puts single spaces where lines break, and takes out what a terminal
// could take for a command.
func oneLine(s string) string {
	s = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(s, "\uFFFD"))
	return strings.Join(strings.Fields(s), " ")
}
