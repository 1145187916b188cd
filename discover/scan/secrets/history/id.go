package history

import (
	"encoding/hex"
	"strings"
)

// ID names an object.
type ID [20]byte

func (id ID) String() string { return hex.EncodeToString(id[:]) }

// Short is how people write it.
func (id ID) Short() string { return hex.EncodeToString(id[:4]) }

func parseID(s string) (id ID, ok bool) {
	if len(s) != 2*len(id) || strings.ToLower(s) != s {
		return id, false
	}
	_, err := hex.Decode(id[:], []byte(s))
	return id, err == nil
}

// kind is what an object is, numbered as in packfiles.
type kind uint8

const (
	kindCommit   kind = 1
	kindTree     kind = 2
	kindBlob     kind = 3
	kindTag      kind = 4
	kindOffDelta kind = 6
	kindRefDelta kind = 7
)

func (k kind) String() string {
	switch k {
	case kindCommit:
		return "commit"
	case kindTree:
		return "tree"
	case kindBlob:
		return "blob"
	case kindTag:
		return "tag"
	}
	return "unknown object"
}

func parseKind(s string) (kind, bool) {
	for k := kindCommit; k <= kindTag; k++ {
		if k.String() == s {
			return k, true
		}
	}
	return 0, false
}
