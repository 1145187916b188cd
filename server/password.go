package server

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"strings"

	"golang.org/x/crypto/argon2"

	"github.com/leeward-ctem/leeward/exposure"
)

// Parameters of argon2id: RFC 9106's second recommended option, for servers
// without much memory to spare.
const (
	argonTime    = 3
	argonMemory  = 64 << 10 // KiB
	argonThreads = 4
	argonKey     = 32
	argonSalt    = 16
	minPassword  = 12
)

// hashPassword returns the password's hash in PHC string form.
func hashPassword(password string) (string, error) {
	if len(password) < minPassword {
		return "", exposure.Errorf(exposure.Invalid, "the password is too short: use at least %d characters", minPassword)
	}
	if len(password) > 1024 {
		return "", exposure.Errorf(exposure.Invalid, "the password is too long: use at most 1024 characters")
	}
	salt := make([]byte, argonSalt)
	rand.Read(salt)
	key := argon2.IDKey([]byte(password), salt, argonTime, argonMemory, argonThreads, argonKey)
	b64 := base64.RawStdEncoding.EncodeToString
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version, argonMemory, argonTime, argonThreads, b64(salt), b64(key)), nil
}

// samePassword reports whether password has the hash, in constant time. A hash
// it does not understand matches nothing.
func samePassword(hash, password string) bool {
	parts := strings.Split(hash, "$")
	if len(parts) != 6 || parts[1] != "argon2id" || len(password) > 1024 {
		return false
	}
	var version, memory, time, threads int
	if _, err := fmt.Sscanf(parts[2], "v=%d", &version); err != nil || version != argon2.Version {
		return false
	}
	if _, err := fmt.Sscanf(parts[3], "m=%d,t=%d,p=%d", &memory, &time, &threads); err != nil || memory < 8 || memory > 1<<20 || time < 1 || time > 16 || threads < 1 || threads > 16 {
		return false
	}
	salt, err1 := base64.RawStdEncoding.DecodeString(parts[4])
	want, err2 := base64.RawStdEncoding.DecodeString(parts[5])
	if err1 != nil || err2 != nil || len(want) == 0 {
		return false
	}
	got := argon2.IDKey([]byte(password), salt, uint32(time), uint32(memory), uint8(threads), uint32(len(want)))
	return subtle.ConstantTimeCompare(got, want) == 1
}

// nobody is a hash to compare with when there is no such account, so that the
// answer takes as long.
const nobody = "$argon2id$v=19$m=65536,t=3,p=4$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"

// tokenPrefix makes tokens findable by secret scanners.
const tokenPrefix = "lwd_"

// newSecret returns a secret of 32 random bytes with a prefix, and the digest
// to store instead of it.
func newSecret(prefix string) (secret, digest string) {
	b := make([]byte, 32)
	rand.Read(b)
	secret = prefix + base64.RawURLEncoding.EncodeToString(b)
	return secret, digestOf(secret)
}

// digestOf is enough for secrets of full entropy; only passwords need argon2.
func digestOf(secret string) string {
	sum := sha256.Sum256([]byte(secret))
	return hex.EncodeToString(sum[:])
}

// NewToken returns a secret that lets its holder use the server, for
// [Config.LocalToken].
func NewToken() string {
	secret, _ := newSecret(tokenPrefix)
	return secret
}
