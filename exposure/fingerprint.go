package exposure

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strconv"
	"strings"
)

// KeyVersion is the version of the identity rules below. A change of the rules
// is a new version: old fingerprints stay as aliases of their findings, so
// nothing is closed and made again.
const KeyVersion = "1"

// NewFingerprint returns the identity of the weakness on the asset at the
// location: the first 16 bytes of SHA-256 over the versioned canonical key
//
//	"1" NUL asset NUL weakness NUL location
//
// Severity, texts, line numbers, times and tool versions are never part of it.
func NewFingerprint(asset, weakness, location string) Fingerprint {
	var buf [512]byte
	key := append(buf[:0], KeyVersion...)
	for _, part := range [...]string{asset, weakness, location} {
		key = append(key, 0)
		key = append(key, part...)
	}
	sum := sha256.Sum256(key)
	return Fingerprint(sum[:16])
}

// WeaknessKey is the identity of a weakness: its one advisory when there is
// one, else tool:rule. canonical resolves aliases (GHSA to CVE); it returns its
// argument when it knows nothing.
//
// A rule that covers several weaknesses (a Nessus plug-in with twenty CVEs) is
// identified by the rule: picking one of its CVEs would merge it with findings
// that say less.
func (o *Observation) WeaknessKey(canonical func(string) string) string {
	if len(o.Advisories) > 0 {
		first := canonical(o.Advisories[0])
		same := true
		for _, a := range o.Advisories[1:] {
			c := canonical(a)
			same = same && (o.Aliased || c == first)
			if better(c, first) {
				first = c
			}
		}
		if same || o.Rule == "" {
			return first
		}
	}
	return o.Tool + ":" + o.Rule
}

// better orders advisory ids by how widely they are known.
func better(a, b string) bool {
	ra, rb := advisoryRank(a), advisoryRank(b)
	return ra < rb || ra == rb && a < b
}

func advisoryRank(id string) int {
	switch {
	case strings.HasPrefix(id, "CVE-"):
		return 0
	case strings.HasPrefix(id, "GHSA-"):
		return 1
	case strings.HasPrefix(id, "GO-"), strings.HasPrefix(id, "RUSTSEC-"), strings.HasPrefix(id, "PYSEC-"), strings.HasPrefix(id, "OSV-"):
		return 2
	}
	return 3
}

// Canonical picks the best known of several names of one weakness: CVE before
// GHSA before ecosystem ids before the rest.
func Canonical(ids []string) string {
	if len(ids) == 0 {
		return ""
	}
	best := ids[0]
	for _, id := range ids[1:] {
		if better(id, best) {
			best = id
		}
	}
	return best
}

// NormalAdvisory brings an advisory id into its usual spelling.
func NormalAdvisory(id string) string {
	id = strings.ToUpper(strings.TrimSpace(id))
	if rest, found := strings.CutPrefix(id, "GHSA-"); found {
		return "GHSA-" + strings.ToLower(rest)
	}
	return id
}

// Key is the identity of a location: what makes two occurrences differ for a
// person. A component counts without its version and path, code by its text
// in normal form, a URL by its path template and parameter. The line number is
// never part of it, so code that moves keeps its findings.
func (l *Location) Key(purl string) string {
	var b strings.Builder
	part := func(name, value string) {
		if value != "" {
			if b.Len() > 0 {
				b.WriteByte('|')
			}
			b.WriteString(name)
			b.WriteString(value)
		}
	}
	if purl != "" {
		// A package is the same weakness wherever its copies lie, but two
		// services that contain it are two ways in.
		part("pkg:", packageIdentity(purl))
		if l.Port != 0 {
			part("net:", orElse(l.Protocol, "tcp")+"/"+strconv.Itoa(l.Port))
		}
		part("res:", l.Resource)
		return b.String()
	}
	if l.Port != 0 {
		part("net:", orElse(l.Protocol, "tcp")+"/"+strconv.Itoa(l.Port))
	}
	if l.Path != "" {
		part("url:", PathTemplate(l.Path))
	}
	part("param:", l.Parameter)
	if l.File != "" {
		part("file:", l.File)
		switch {
		case l.Snippet != "":
			part("code:", codeIdentity(l.Snippet))
		case l.Symbol != "":
			part("sym:", l.Symbol)
		}
	} else {
		part("sym:", l.Symbol)
	}
	part("res:", l.Resource)
	return b.String()
}

// packageIdentity is a package URL without version, qualifiers and subpath.
func packageIdentity(purl string) string {
	purl, _, _ = strings.Cut(purl, "?")
	purl, _, _ = strings.Cut(purl, "#")
	// The version follows the last @ after the last slash: npm scopes begin with one.
	if at := strings.LastIndexByte(purl, '@'); at > strings.LastIndexByte(purl, '/') {
		purl = purl[:at]
	}
	return strings.TrimPrefix(purl, "pkg:")
}

// codeIdentity hashes code without its white space, so that formatting and
// moving do not make a new finding.
func codeIdentity(code string) string {
	sum := sha256.Sum256([]byte(strings.Join(strings.Fields(code), " ")))
	return hex.EncodeToString(sum[:8])
}

// PathTemplate turns the path of a URL into its template: segments that are
// numbers, UUIDs or long random strings become {id}; query values are dropped
// and parameter names sorted.
func PathTemplate(path string) string {
	path, query, _ := strings.Cut(path, "?")
	path, _, _ = strings.Cut(path, "#")
	variable := false
	for rest := path; rest != "" && !variable; {
		var seg string
		seg, rest, _ = strings.Cut(rest, "/")
		variable = isVariable(seg)
	}
	if !variable && query == "" {
		return path
	}
	segments := strings.Split(path, "/")
	for i, s := range segments {
		if isVariable(s) {
			segments[i] = "{id}"
		}
	}
	out := strings.Join(segments, "/")
	if names := parameterNames(query); len(names) > 0 {
		out += "?" + strings.Join(names, "&")
	}
	return out
}

func isVariable(s string) bool {
	digits, hexes, dashes := 0, 0, 0
	for i := range len(s) {
		c := s[i]
		switch {
		case c >= '0' && c <= '9':
			digits++
		case c >= 'a' && c <= 'f' || c >= 'A' && c <= 'F':
			hexes++
		case c == '-':
			dashes++
		default:
			return false
		}
	}
	switch n := len(s); {
	case n == 0 || digits == 0:
		return false
	case digits == n:
		return true
	case n == 36 && dashes == 4:
		return true
	default:
		return n >= 16 && dashes == 0
	}
}

// parameterNames returns the sorted, distinct names in a query string.
func parameterNames(query string) []string {
	var names []string
	for pair := range strings.SplitSeq(query, "&") {
		if name, _, _ := strings.Cut(pair, "="); name != "" {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}
