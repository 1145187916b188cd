package secret

import (
	"encoding/base64"
	"strings"
)

// prefix is the fixed beginning of a service's tokens.
type prefix struct {
	text  string // ends in one of the bytes of class tokenByte
	more  string // what may follow besides letters and digits
	least int    // how many bytes follow at least
	mark  string
	sure  bool // long enough to mean what it says, wherever it stands
}

// prefixes by the byte before their last. The forms are those that the services
// document, with a lower bound below the usual length.
var prefixes = byPenultimate([]prefix{
	// https://github.blog/engineering/behind-githubs-new-authentication-token-formats
	{"ghp_", "", 30, markGitHub, true}, {"gho_", "", 30, markGitHub, true}, {"ghu_", "", 30, markGitHub, true},
	{"ghs_", "", 30, markGitHub, true}, {"ghr_", "", 30, markGitHub, true}, {"github_pat_", "_", 20, markGitHub, true},
	// https://docs.gitlab.com/security/tokens/#token-prefixes
	{"glpat-", "-_.", 16, markGitLab, true}, {"gldt-", "-_.", 16, markGitLab, true}, {"glrt-", "-_.", 16, markGitLab, true},
	{"glcbt-", "-_.", 16, markGitLab, true}, {"glptt-", "-_.", 16, markGitLab, true}, {"glft-", "-_.", 16, markGitLab, true},
	{"glimt-", "-_.", 16, markGitLab, true}, {"glagent-", "-_.", 16, markGitLab, true}, {"gloas-", "-_.", 16, markGitLab, true},
	{"glsoat-", "-_.", 16, markGitLab, true},
	// https://api.slack.com/authentication/token-types
	{"xoxb-", "-%", 10, markSlack, true}, {"xoxa-", "-%", 10, markSlack, true}, {"xoxp-", "-%", 10, markSlack, true},
	{"xoxr-", "-%", 10, markSlack, true}, {"xoxs-", "-%", 10, markSlack, true}, {"xoxc-", "-%", 10, markSlack, true},
	{"xoxd-", "-%/+", 10, markSlack, true}, {"xoxe-", "-", 10, markSlack, true}, {"xapp-", "-", 10, markSlack, true},
	// https://docs.stripe.com/keys; publishable keys (pk_) are none.
	{"sk_live_", "", 10, markStripe, true}, {"sk_test_", "", 10, markStripe, true}, {"rk_live_", "", 10, markStripe, true},
	{"rk_test_", "", 10, markStripe, true}, {"whsec_", "+/=", 16, markStripe, true},
	{"ya29.", "-_.", 20, markGoogle, true}, {"GOCSPX-", "-_", 20, markGoogle, true},
	{"sk-ant-", "-_", 16, markAPIKey, true}, {"sk-", "-_", 20, markOpenAI, false},
	{"npm_", "", 30, markNPM, true},
	{"pypi-", "-_", 16, markPyPI, false},
	{"hf_", "", 30, markAPIKey, true}, {"dop_v1_", "", 40, markAPIKey, true}, {"doo_v1_", "", 40, markAPIKey, true},
	{"shpat_", "", 30, markAPIKey, true}, {"shpss_", "", 30, markAPIKey, true}, {"shpca_", "", 30, markAPIKey, true}, {"shppa_", "", 30, markAPIKey, true},
	{"dckr_pat_", "-_", 20, markAPIKey, true}, {"glsa_", "_", 30, markAPIKey, true}, {"lin_api_", "", 30, markAPIKey, true},
	{"rubygems_", "", 40, markAPIKey, true}, {"sntrys_", "_+/=", 40, markAPIKey, true}, {"sq0atp-", "-_", 20, markAPIKey, true},
	{"sq0csp-", "-_", 20, markAPIKey, true}, {"NRAK-", "", 20, markAPIKey, true}, {"PMAK-", "-", 30, markAPIKey, true},
	{"xkeysib-", "-", 40, markAPIKey, true}, {"AGE-SECRET-KEY-", "", 50, markPrivateKey, true}, {"hvs.", "-_", 20, markAPIKey, false},
	{"hvb.", "-_", 20, markAPIKey, false}, {"SG.", "-_.", 40, markAPIKey, false}, {"pul-", "", 40, markAPIKey, false}, {"sbp_", "", 40, markAPIKey, false},
	{"key-", "", 32, markAPIKey, false},
})

func byPenultimate(all []prefix) (t [256][]prefix) {
	for _, p := range all {
		c := p.text[len(p.text)-2]
		t[c] = append(t[c], p)
	}
	return t
}

// end returns where the token ends whose prefix ends before s[from]; 0: it is
// none. At the end of a text, where it may have been cut, a shorter one counts.
func (p *prefix) end(s string, from int) int {
	i := run(s, from, p.more)
	v := s[from:i]
	if len(v) < p.least && !(atEnd(s, i) && (len(v) >= 6 && shapeOf(v).mixed >= 4 || len(v) >= 8 && bothCases(v))) {
		return 0
	}
	if h := shapeOf(v); !p.sure && (h.digits == 0 || h.mixed < 6) {
		return 0
	}
	switch {
	case p.mark == markPyPI && !strings.HasPrefix(v, "Ag"): // a macaroon of version 2 begins so
		return 0
	case p.mark == markOpenAI && strings.HasPrefix(v, "ant-"): // of another service
		return 0
	}
	return i
}

// bothCases reports whether v has letters of both cases, as no word has.
func bothCases(v string) bool {
	return strings.ContainsAny(v, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") && strings.ContainsAny(v, "abcdefghijklmnopqrstuvwxyz")
}

// run returns the end of the letters and digits from s[i] on, and of what else
// may be among them.
func run(s string, i int, more string) int {
	for i < len(s) && (isAlnum(s[i]) || more != "" && strings.IndexByte(more, s[i]) >= 0) {
		i++
	}
	return i
}

// atEnd reports whether the text ends at s[i].
func atEnd(s string, i int) bool { return i == len(s) || s[i:] == ellipsis }

// prefixed looks for a token whose prefix ends with s[i].
func (r *redaction) prefixed(i int) int {
	s := r.s
	if s[i] == '-' && i+1 < len(s) && s[i+1] == '-' {
		return r.dashes(i)
	}
	if i == 0 {
		return i + 1
	}
	for n := range prefixes[s[i-1]] {
		p := &prefixes[s[i-1]][n]
		from := i + 1 - len(p.text)
		if from < 0 || s[from] != p.text[0] || s[from:i+1] != p.text || !p.sure && from > 0 && nameByte(s[from-1]) {
			continue
		}
		if end := p.end(s, i+1); end > 0 {
			return r.replace(from, end, p.mark)
		}
	}
	if s[i] == '-' && (i == 0 || isSpace(s[i-1])) {
		return r.userFlag(i)
	}
	return i + 1
}

// cloudKey looks for a key of AWS or Google that begins at s[i].
func (r *redaction) cloudKey(i int) int {
	s := r.s
	if i+4 > len(s) || i > 0 && isAlnum(s[i-1]) {
		return i + 1
	}
	if end := awsID(s, i); end > 0 {
		end = r.replace(i, end, markAWSKey)
		return r.besideAWS(end)
	}
	if strings.HasPrefix(s[i:], "AIza") {
		if end := run(s, i+4, "-_"); end-i >= 39 || atEnd(s, end) && end-i >= 12 {
			return r.replace(i, end, markGoogle)
		}
	}
	return i + 1
}

// awsID returns the end of an AWS access key id that begins at s[i], 0 for none.
// The prefixes are those of keys; AIDA, AROA and the like name users and roles:
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html
func awsID(s string, i int) int {
	if len(s) < i+4 {
		return 0
	}
	switch s[i : i+4] {
	case "AKIA", "ASIA", "ABIA", "ACCA":
	default:
		return 0
	}
	end := i + 4
	for end < len(s) && (s[end] >= 'A' && s[end] <= 'Z' || isDigit(s[end])) {
		end++
	}
	switch n := end - i; {
	case end < len(s) && isLetter(s[end]):
		return 0
	case n == 20, atEnd(s, end) && n >= 10 && n < 20:
		return end
	}
	return 0
}

// awsSecret reports whether v has the form of a secret access key.
func awsSecret(v string) bool {
	return len(v) == 40 && run(v, 0, "/+") == 40 && shapeOf(v).digits > 0
}

// besideAWS looks for the secret access key that often stands beside the id,
// without a name: in lists and tables.
func (r *redaction) besideAWS(i int) int {
	const near = 60
	s := r.s
	for from := i; from < len(s) && from-i < near; {
		if !isAlnum(s[from]) && s[from] != '/' && s[from] != '+' {
			if strings.HasPrefix(s[from:], "-----") {
				break // the beginning of a certificate
			}
			from++
			continue
		}
		end := run(s, from, "/+")
		if v := s[from:end]; awsSecret(v) && bothCases(v) {
			return r.replace(from, end, markAWSSecret)
		}
		from = end
	}
	return i
}

// jwt looks for a JSON Web Token (RFC 7519) whose "ey" ends before s[i].
func (r *redaction) jwt(i int) int {
	s := r.s
	from := i - 2
	if from < 0 || s[from:i] != "ey" || from > 0 && (isAlnum(s[from-1]) || s[from-1] == '-' || s[from-1] == '_') {
		return i + 1
	}
	head := run(s, i+1, "-_")
	if head-from < 12 {
		return i + 1
	}
	if head == len(s) || s[head] != '.' {
		if atEnd(s, head) && head-from >= 20 && head-from < 500 && jose(s[from:head]) {
			return r.replace(from, head, "eyJ"+markJWT)
		}
		return i + 1
	}
	end := run(s, head+1, "-_.=")
	if end-head < 8 && !atEnd(s, end) {
		return i + 1
	}
	for s[end-1] == '.' && end-1 > head {
		end--
	}
	return r.replace(from, end, "eyJ"+markJWT)
}

// jose reports whether v begins like a header of a JWT and not like any JSON in
// base64: with "alg", "typ", "kid", "enc", "cty" or "x5t".
func jose(v string) bool {
	for _, key := range []string{"eyJhbGci", "eyJ0eXAi", "eyJraWQi", "eyJlbmMi", "eyJjdHki", "eyJ4NXQi"} {
		if strings.HasPrefix(v, key) {
			return true
		}
	}
	return false
}

// scheme looks for credentials of HTTP without their header, "Bearer …" or
// "Basic …", at s[i].
func (r *redaction) scheme(i int) int {
	s := r.s
	if i > 0 && isAlnum(s[i-1]) || i+6 >= len(s) {
		return i + 1
	}
	basic := hasPrefixFold(s[i:], "basic ")
	from := i + len("basic ")
	if !basic {
		if !hasPrefixFold(s[i:], "bearer ") {
			return i + 1
		}
		from = i + len("bearer ")
	}
	end := run(s, from, "-._~+/=")
	v := s[from:end]
	if basic && !pairOf(v) || !basic && !random(v) {
		return i + 1
	}
	return r.replace(from, end, best(v, markAuthorization))
}

// pairOf reports whether v is user:password in base64 (RFC 7617).
func pairOf(v string) bool {
	if len(v) < 4 || len(v) > 1024 || !bothCases(v) && shapeOf(v).digits == 0 {
		return false
	}
	plain, err := base64.RawStdEncoding.DecodeString(strings.TrimRight(v, "="))
	if err != nil || !strings.Contains(string(plain), ":") {
		return false
	}
	for _, c := range plain {
		if c < ' ' || c == 0x7f {
			return false
		}
	}
	return true
}
