package scope

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// String is the selector in the words of the file, on one line.
func (s Selector) String() string {
	var parts []string
	add := func(key string, values []string) {
		if len(values) > 0 {
			parts = append(parts, key+": "+strings.Join(values, ", "))
		}
	}
	add("name", s.Name)
	add("kind", texts(s.Kind))
	add("cidr", texts(s.CIDR))
	add("identifier", s.Identifier)
	add("os", s.OS)
	add("tag", s.Tag)
	add("service", s.Service)
	add("owner", s.Owner)
	add("reach", texts(s.Reach))
	add("tier", texts(s.Tier))
	add("any", texts(s.Any))
	add("not", texts(s.Not))
	return "{" + strings.Join(parts, "; ") + "}"
}

func texts[T any](values []T) []string {
	out := make([]string, len(values))
	for i, v := range values {
		out[i] = fmt.Sprint(v)
	}
	return out
}

// maxCut is how much of a long text a message shows, in bytes.
const maxCut = 160

// cut shortens a text for a message.
func cut(s string) string {
	if len(s) <= maxCut {
		return s
	}
	end := maxCut
	for end > 0 && !utf8.RuneStart(s[end]) {
		end--
	}
	return s[:end] + "…"
}
