package secrets

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"time"
)

// longLife is from which validity on a token is a secret like a password.
const longLife = 30 * 24 * time.Hour

// maxToken is how long a token is read at most, in bytes.
const maxToken = 16 << 10

// longLived finds the end of the JSON Web Token (RFC 7519) that text begins with,
// and reports whether it is signed and will be valid for long.
func longLived(text []byte, now time.Time) (end int, ok bool) {
	text = text[:min(len(text), maxToken)]
	for end < len(text) && (isWord(text[end]) || text[end] == '-' || text[end] == '.') {
		end++
	}
	parts := bytes.Split(text[:end], []byte{'.'})
	if len(parts) < 3 || len(parts[2]) < 16 {
		return 0, false
	}
	end = len(parts[0]) + len(parts[1]) + len(parts[2]) + 2
	var head struct {
		Alg string `json:"alg"`
	}
	var claims struct {
		Expires float64 `json:"exp"`
		Issued  float64 `json:"iat"`
		Name    string  `json:"name"`
	}
	if !decode(parts[0], &head) || !decode(parts[1], &claims) || head.Alg == "" || head.Alg == "none" {
		return 0, false
	}
	if claims.Expires == 0 {
		return end, claims.Name != "John Doe" // of the best known example
	}
	from := float64(now.Unix())
	if claims.Expires <= from {
		return 0, false
	}
	if claims.Issued > 0 && claims.Issued < from {
		from = claims.Issued
	}
	return end, claims.Expires-from > longLife.Seconds()
}

func decode(part []byte, to any) bool {
	plain := make([]byte, base64.RawURLEncoding.DecodedLen(len(part)))
	n, err := base64.RawURLEncoding.Decode(plain, part)
	return err == nil && json.Unmarshal(plain[:n], to) == nil
}

func isWord(c byte) bool {
	return c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c == '_'
}
