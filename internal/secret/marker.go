package secret

import "strings"

// The markers. Each says what kind of secret it stands for.
const (
	markAPIKey        = "[redacted:api-key]" // of a service without a kind of its own
	markAuthorization = "[redacted:authorization]"
	markAWSKey        = "[redacted:aws-key]"    // access key id
	markAWSSecret     = "[redacted:aws-secret]" // secret access key
	markCookie        = "[redacted:cookie]"
	markCredentials   = "[redacted:credentials]"
	markGitHub        = "[redacted:github-token]"
	markGitLab        = "[redacted:gitlab-token]"
	markGoogle        = "[redacted:google-key]"
	markHash          = "[redacted:password-hash]"
	markJWT           = "[redacted:jwt]"
	markKey           = "[redacted:key]"
	markNPM           = "[redacted:npm-token]"
	markOpenAI        = "[redacted:openai-key]"
	markPassword      = "[redacted:password]"
	markPrivateKey    = "[redacted:private-key]"
	markPyPI          = "[redacted:pypi-token]"
	markSecret        = "[redacted:secret]"
	markSession       = "[redacted:session]"
	markSignature     = "[redacted:signature]"
	markSlack         = "[redacted:slack-token]"
	markStripe        = "[redacted:stripe-key]"
	markText          = "[redacted:text]" // a text that does not settle, see [Text]
	markToken         = "[redacted:token]"
	markWebhook       = "[redacted:webhook]"
)

const markBegin = "[redacted:"

// maxMark is more than any marker is long.
const maxMark = 40

// markerAt returns the end of the marker that begins at s[i].
func markerAt(s string, i int) (end int, ok bool) {
	if !strings.HasPrefix(s[i:], markBegin) {
		return 0, false
	}
	for end = i + len(markBegin); end < len(s) && end-i < maxMark; end++ {
		switch c := s[end]; {
		case c == ']':
			return end + 1, end > i+len(markBegin)
		case (c < 'a' || c > 'z') && c != '-':
			return 0, false
		}
	}
	return 0, false
}

// markerEnding reports whether a marker ends just before s[end].
func markerEnding(s string, end int) bool {
	from := max(0, end-maxMark)
	i := strings.LastIndexByte(s[from:end], '[')
	if i < 0 {
		return false
	}
	e, ok := markerAt(s, from+i)
	return ok && e == end
}

// colonIn returns where the first colon of s[from:end] is that belongs to no
// marker, end for none.
func colonIn(s string, from, end int) int {
	for i := from; i < end; i++ {
		if e, ok := markerAt(s, i); ok {
			i = e - 1
		} else if s[i] == ':' {
			return i
		}
	}
	return end
}

// settled reports whether a value is what a redaction leaves.
func settled(v string) bool {
	v = strings.TrimSuffix(v, ellipsis)
	v = strings.TrimPrefix(v, "eyJ")
	if id := hashID(v); id > 0 {
		v = v[id:]
	}
	end, ok := markerAt(v, 0)
	return ok && end == len(v)
}
