package credentials

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
)

// digestProof answers a challenge of HTTP Digest, RFC 7616, with the protection
// "auth" or, as of RFC 2069, none.
func digestProof(challenge, method, path, account, password string) (string, error) {
	q := parameters(challenge)
	sum := hexMD5
	switch strings.ToUpper(q["algorithm"]) {
	case "", "MD5":
	case "SHA-256":
		sum = func(b []byte) string { s := sha256.Sum256(b); return hex.EncodeToString(s[:]) }
	default:
		return "", errors.New("it wants a digest that is not known here")
	}
	realm, nonce := q["realm"], q["nonce"]
	if nonce == "" || strings.ContainsAny(realm+nonce+q["opaque"], "\"\\\r\n") {
		return "", errors.New("a challenge that is none")
	}
	who := sum([]byte(account + ":" + realm + ":" + password))
	what := sum([]byte(method + ":" + path))
	proof := fmt.Sprintf(`Digest username="%s", realm="%s", nonce="%s", uri="%s"`, account, realm, nonce, path)
	if q["algorithm"] != "" {
		proof += ", algorithm=" + strings.ToUpper(q["algorithm"])
	}
	if q["opaque"] != "" {
		proof += fmt.Sprintf(`, opaque="%s"`, q["opaque"])
	}
	if q["qop"] == "" {
		return proof + fmt.Sprintf(`, response="%s"`, sum([]byte(who+":"+nonce+":"+what))), nil
	}
	if !strings.Contains(","+strings.ReplaceAll(q["qop"], " ", "")+",", ",auth,") {
		return "", errors.New("it wants a protection that is not known here")
	}
	mine := rand.Text()
	response := sum([]byte(who + ":" + nonce + ":00000001:" + mine + ":auth:" + what))
	return proof + fmt.Sprintf(`, qop=auth, nc=00000001, cnonce="%s", response="%s"`, mine, response), nil
}

// parameters reads name=value and name="value", between commas.
func parameters(s string) map[string]string {
	all := map[string]string{}
	for range 32 {
		name, rest, ok := strings.Cut(s, "=")
		if !ok {
			break
		}
		name = strings.ToLower(strings.Trim(name, " \t,"))
		var value string
		if quoted, is := strings.CutPrefix(rest, `"`); is {
			value, s, ok = strings.Cut(quoted, `"`)
			if !ok {
				break
			}
		} else {
			value, s, _ = strings.Cut(rest, ",")
		}
		all[name] = strings.TrimSpace(value)
	}
	return all
}
