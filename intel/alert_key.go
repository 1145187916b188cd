package intel

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"

	"github.com/leeward-ctem/leeward/exposure"
)

// maxAlertKey bounds a key: it is an index of the database and a header of messages.
const maxAlertKey = 200

// Key names what happened, as in kev|CVE-2024-3400|2024-04-12. What is long is
// told by its beginning and a digest of the whole.
func Key(kind exposure.AlertKind, parts ...string) string {
	key := string(kind) + "|" + strings.Join(parts, "|")
	if plain := strings.ToValidUTF8(strings.ReplaceAll(key, "\x00", ""), ""); plain == key && len(key) <= maxAlertKey {
		return key
	}
	sum := sha256.Sum256([]byte(key))
	return Cut(key, maxAlertKey-40) + "|" + hex.EncodeToString(sum[:16])
}
