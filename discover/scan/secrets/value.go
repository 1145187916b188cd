package secrets

import (
	"math"
	"path"
	"slices"
	"strings"
)

// entropy is how many bits each byte of a value says, by how often bytes occur
// in it (C. Shannon, 1948).
func entropy(v string) float64 {
	var count [256]int
	for i := range len(v) {
		count[v[i]]++
	}
	bits := 0.0
	for _, n := range count {
		if n > 0 {
			p := float64(n) / float64(len(v))
			bits -= p * math.Log2(p)
		}
	}
	return bits
}

// shape counts what a value is made of.
type shape struct{ digits, lower, upper, symbols, spaces int }

func shapeOf(v string) (s shape) {
	for i := range len(v) {
		switch c := v[i]; {
		case c >= '0' && c <= '9':
			s.digits++
		case c >= 'a' && c <= 'z':
			s.lower++
		case c >= 'A' && c <= 'Z':
			s.upper++
		case c == ' ' || c == '\t':
			s.spaces++
		default:
			s.symbols++
		}
	}
	return s
}

func isHex(v string) bool {
	return strings.Trim(v, "0123456789abcdef") == "" || strings.Trim(v, "0123456789ABCDEF") == ""
}

// drawn reports whether a value looks drawn by lot, so that it cannot be guessed
// and a short digest of it gives nothing away.
func drawn(v string) bool {
	s := shapeOf(v)
	if len(v) < 16 || s.spaces > 0 || s.digits == 0 || s.lower+s.upper == 0 {
		return false
	}
	if isHex(v) {
		return len(v) >= 20 && entropy(v) >= 2.9
	}
	return entropy(v) >= 3.4
}

// fillers stand in values that are no secrets but say where one goes.
var fillers = []string{
	"example", "xxxx", "changeme", "change_me", "change-me", "placeholder", "your_", "your-", "yourpassword", "yourtoken", "yoursecret", "yourkey", "insert", "replace", "dummy", "redacted", "todo",
	"<", ">", "${", "{{", "}}", "$(", "%(", "#{", "...", "…", "****", "1234567890", "0123456789", "abcdefgh", "deadbeef", "cafebabe", "lorem", "fakefake", "notreal", "not-real", "not_a_real", "sample",
}

// published are secrets that documentation shows, without what begins them.
var published = []string{
	"4eC39HqLyjWDarjtT1zdP7dc", // Stripe's documentation
	"26sd5HpQ1UZ5Y0BLwYyLcPOj",
	"iOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiIxMjM0NTY3ODkwIi",       // jwt.io
	"Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq", // Azure's storage emulator
}

// filler reports whether a value is no secret: an example, a placeholder, a
// variable.
func filler(v string) bool {
	folded := strings.ToLower(v)
	if slices.ContainsFunc(fillers, func(f string) bool { return strings.Contains(folded, f) }) ||
		slices.ContainsFunc(published, func(p string) bool { return strings.Contains(v, p) }) {
		return true
	}
	return dull(v) || v != "" && strings.IndexByte("$%@&*:", v[0]) >= 0 && shapeOf(v).digits == 0
}

// dull reports whether a value has few different bytes for its length, or is a run
// along the alphabet or the keyboard.
func dull(v string) bool {
	if len(v) < 8 {
		return strings.Trim(v, v[:min(1, len(v))]) == ""
	}
	var seen [256]bool
	different, steps := 0, 0
	for i := range len(v) {
		if !seen[v[i]] {
			seen[v[i]] = true
			different++
		}
		if i > 0 && (v[i] == v[i-1]+1 || v[i] == v[i-1]) {
			steps++
		}
	}
	return different <= 3 || steps*4 >= len(v)*3 || len(v) >= 16 && strings.Count(v, v[:4])*4 >= len(v)
}

// place is what a file is, by its path.
type place uint8

const (
	sourceFile   place = iota // code: values stand in quotation marks
	settingsFile              // plain settings: nearly every value is meant
	treeFile                  // YAML and JSON, which also hold schemas and translations
	proseFile                 // documentation
	lockFile                  // lists of digests
)

var placeByName = map[string]place{
	"go.sum": lockFile, "package-lock.json": lockFile, "npm-shrinkwrap.json": lockFile, "yarn.lock": lockFile, "pnpm-lock.yaml": lockFile, "composer.lock": lockFile,
	"poetry.lock": lockFile, "pipfile.lock": lockFile, "cargo.lock": lockFile, "gemfile.lock": lockFile, "bun.lock": lockFile, "uv.lock": lockFile, "flake.lock": lockFile,
	"dockerfile": settingsFile, "containerfile": settingsFile, ".npmrc": settingsFile, ".pypirc": settingsFile, ".netrc": settingsFile, "_netrc": settingsFile, ".pgpass": settingsFile,
	"credentials": settingsFile, "config": settingsFile, "makefile": settingsFile, ".my.cnf": settingsFile, ".htpasswd": settingsFile, ".gitconfig": settingsFile, ".git-credentials": settingsFile,
}

var placeByExtension = map[string]place{
	".env": settingsFile, ".ini": settingsFile, ".cfg": settingsFile, ".conf": settingsFile, ".cnf": settingsFile, ".properties": settingsFile, ".toml": settingsFile, ".tfvars": settingsFile,
	".service": settingsFile, ".config": settingsFile, ".envrc": settingsFile, ".netrc": settingsFile, ".reg": settingsFile, ".ovpn": settingsFile, ".rdp": settingsFile,
	".yaml": treeFile, ".yml": treeFile, ".json": treeFile, ".xml": treeFile, ".plist": treeFile, ".tfstate": treeFile, ".sql": treeFile,
	".md": proseFile, ".rst": proseFile, ".txt": proseFile, ".adoc": proseFile, ".html": proseFile, ".htm": proseFile, ".tex": proseFile, ".svg": proseFile, ".po": proseFile, ".csv": proseFile,
}

func placeOf(file string) place {
	base := strings.ToLower(path.Base(file))
	if p, ok := placeByName[base]; ok {
		return p
	}
	if base == ".env" || strings.HasPrefix(base, ".env.") || strings.HasPrefix(base, "dockerfile.") {
		return settingsFile
	}
	return placeByExtension[path.Ext(base)]
}

// meant reports whether the value of a name is a secret and nothing else that has
// such a name: a type, a word of a translation, code, a reference.
func meant(kind, name, v string, quoted bool, p place) bool {
	s := shapeOf(v)
	switch {
	case p == lockFile || len(v) < 4 || s.spaces > 0 || strings.EqualFold(v, name) || pathLike(v):
		return false
	case p == sourceFile && !quoted:
		return false
	case drawn(v):
		return true
	case kind != "password" && kind != "credentials" && kind != "authorization":
		return false // what is no password and was not drawn by lot is code or a word
	case p == proseFile:
		return false
	case p == settingsFile:
		return len(v) >= 4 && s.digits+s.lower+s.upper >= 4
	}
	return len(v) >= 6 && s.lower+s.upper > 0 && (s.digits > 0 || strings.ContainsAny(v, "!@#$%^&*+=~?"))
}

// pathLike reports whether a value says where something is, or is a name made of
// words: /run/secrets/db, app.db.password, db-password.
func pathLike(v string) bool {
	if strings.HasPrefix(v, "/") || strings.HasPrefix(v, "./") || strings.HasPrefix(v, "~/") || strings.Contains(v, "://") || strings.Contains(v, "::") {
		return shapeOf(v).digits < 4
	}
	words := strings.FieldsFunc(v, func(c rune) bool { return strings.ContainsRune("._-/:", c) })
	if len(words) < 2 {
		return false
	}
	for _, w := range words {
		if s := shapeOf(w); s.digits > 0 || s.symbols > 0 || s.lower > 0 && s.upper > 1 {
			return false
		}
	}
	return true
}
