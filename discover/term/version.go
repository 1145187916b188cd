package term

import "strings"

// Archive is the name of a package in a file, without the suffix of the file:
// of cart-1.2.jar it is cart-1.2.
func Archive(file string) string {
	for _, suffix := range []string{".jar", ".war", ".ear", ".dll", ".whl", ".tgz", ".gem", ".nupkg"} {
		if len(file) > len(suffix) && strings.EqualFold(file[len(file)-len(suffix):], suffix) {
			return file[:len(file)-len(suffix)]
		}
	}
	return file
}

// NameVersion parts a name with a version behind it, such as cart-2-1.3.0 or
// cart-31.0-jre. The version begins behind the last dash with a number that has
// a dot in it, or else behind the last with a number. It is "" when there is none.
func NameVersion(s string) (name, version string) {
	at, dotted := 0, false
	for i := len(s) - 2; i > 0; i-- {
		if s[i] != '-' && s[i] != '_' || s[i+1] < '0' || s[i+1] > '9' {
			continue
		}
		number, _, _ := strings.Cut(s[i+1:], "-")
		if has := strings.IndexByte(number, '.') > 0; at == 0 || has && !dotted {
			at, dotted = i, has
		}
	}
	if at == 0 {
		return s, ""
	}
	return s[:at], s[at+1:]
}
