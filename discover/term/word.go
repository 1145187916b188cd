package term

import (
	"slices"
	"strconv"
	"strings"

	"github.com/leeward-ctem/leeward/exposure"
)

// lowered is s in lower case, if it is a word of few letters; it costs nothing
// to compare it.
type lowered [12]byte

func (l *lowered) of(s string) []byte {
	if len(s) > len(l) {
		return nil
	}
	for i := range len(s) {
		c := s[i]
		if c >= 'A' && c <= 'Z' {
			c += 'a' - 'A'
		}
		l[i] = c
	}
	return l[:len(s)]
}

// Nothing reports whether a value is what people write where there is none.
func Nothing(s string) bool {
	switch len(s) {
	case 0:
		return true
	case 1:
		return s == "-" || s == "/" || s == "?"
	case 2:
		return s == "--" || strings.EqualFold(s, "na")
	case 3:
		return strings.EqualFold(s, "n/a") || strings.EqualFold(s, "nan") || strings.EqualFold(s, "nil") || s == "---" || s == "–"
	case 4:
		return strings.EqualFold(s, "none") || strings.EqualFold(s, "null")
	case 7:
		return strings.EqualFold(s, "unknown")
	}
	return false
}

// Bool reads yes and no as spreadsheets and programs write them.
func Bool(s string) (value, ok bool) {
	if s == "" {
		return false, false
	}
	var word lowered
	switch string(word.of(s)) {
	case "true", "yes", "1", "t", "y", "x", "on", "wahr", "vrai":
		return true, true
	case "false", "no", "0", "f", "n", "off", "falsch", "faux":
		return false, true
	}
	return false, false
}

// Severity reads the words for a severity that are in use.
func Severity(s string) exposure.Severity {
	var word lowered
	switch string(word.of(s)) {
	case "critical", "crit", "severe", "urgent", "s0":
		return exposure.SeverityCritical
	case "high", "important", "s1":
		return exposure.SeverityHigh
	case "medium", "moderate", "med", "s2":
		return exposure.SeverityMedium
	case "low", "minor", "s3":
		return exposure.SeverityLow
	case "info", "information", "informative", "none", "negligible", "note", "s4":
		return exposure.SeverityInfo
	}
	if strings.EqualFold(s, "informational") {
		return exposure.SeverityInfo
	}
	return exposure.SeverityUnknown
}

// Rated is the severity of a CVSS score on the qualitative scale, see
// https://www.first.org/cvss/v3.1/specification-document#Qualitative-Severity-Rating-Scale
func Rated(score string) exposure.Severity {
	v, err := strconv.ParseFloat(strings.Replace(score, ",", ".", 1), 64)
	switch {
	case err != nil, !(v >= 0 && v <= 10):
		return exposure.SeverityUnknown
	case v >= 9:
		return exposure.SeverityCritical
	case v >= 7:
		return exposure.SeverityHigh
	case v >= 4:
		return exposure.SeverityMedium
	case v > 0:
		return exposure.SeverityLow
	}
	return exposure.SeverityInfo
}

// State reads a status, or several with commas between.
func State(s string) exposure.State {
	if s == "" {
		return exposure.StatePresent
	}
	var states []exposure.State
	for word := range strings.SplitSeq(s, ",") {
		states = append(states, statusWord(word))
	}
	for _, best := range []exposure.State{exposure.StateNotAffected, exposure.StateFixed, exposure.StateSuppressed} {
		if slices.Contains(states, best) {
			return best
		}
	}
	return exposure.StatePresent
}

// statusWord reads the words for a status that are in use. A word that is not
// known leaves the finding present: it is listed, after all. "Verified" is
// such a word: some mean the weakness by it, some the fix.
func statusWord(s string) exposure.State {
	switch letters(s) {
	case "fixed", "resolved", "closed", "mitigated", "remediated", "done", "patched":
		return exposure.StateFixed
	case "notaffected", "falsepositive", "fp", "notapplicable", "notvulnerable", "notexploitable", "invalid", "rejected":
		return exposure.StateNotAffected
	case "suppressed", "inactive", "ignored", "muted", "dismissed", "accepted", "acceptedrisk", "riskaccepted", "riskacceptance",
		"excepted", "wontfix", "outofscope", "duplicate", "disabled":
		return exposure.StateSuppressed
	}
	return exposure.StatePresent
}

// Between reports whether r stands between the elements of a list in a cell.
func Between(r rune) bool {
	return r == ',' || r == ';' || r == '|' || r == ' ' || r == '\n' || r == '\t' || r == '\r' || r == '\u00a0'
}

// CWEs reads numbers, with or without CWE- before them. In a text with names
// of weaknesses, only numbers with it count.
func CWEs(s string) (ids []int) {
	if s == "" {
		return nil
	}
	if digits(s) {
		if n, err := strconv.Atoi(s); err == nil && n > 0 && n <= maxCWE {
			return []int{n}
		}
		return nil
	}
	named := false
	for word := range strings.FieldsFuncSeq(s, Between) {
		word = strings.Trim(word, `[]()"':.`)
		digits, prefixed := word, len(word) > 3 && strings.EqualFold(word[:3], "cwe")
		if prefixed {
			digits = strings.TrimLeft(word[3:], "-_:")
			digits, _, _ = strings.Cut(digits, ":")
		}
		n, err := strconv.Atoi(digits)
		if err != nil || n <= 0 || n > maxCWE || named && !prefixed {
			continue
		}
		if prefixed && !named {
			named, ids = true, nil
		}
		if len(ids) < maxIDs && !slices.Contains(ids, n) {
			ids = append(ids, n)
		}
	}
	return ids
}

// Advisories reads the ids of CVEs in the one text, and of any advisories in
// the other. What is no id that means the same everywhere, such as the bare
// number of a plug-in, is returned apart.
func Advisories(cve, named string) (ids []string, other string) {
	add := func(id string) {
		if id = exposure.NormalAdvisory(id); len(ids) < maxIDs && !slices.Contains(ids, id) {
			ids = append(ids, id)
		}
	}
	if IsCVE(cve) && named == "" {
		return []string{exposure.NormalAdvisory(cve)}, ""
	}
	for word := range strings.FieldsFuncSeq(cve, Between) {
		if word = strings.Trim(word, `[]()"'.:`); IsCVE(word) {
			add(word)
		}
	}
	for word := range strings.FieldsFuncSeq(named, Between) {
		switch word = strings.Trim(word, `[]()"'.`); {
		case IsAdvisory(word):
			add(word)
		case other == "" && !Nothing(word):
			other = word
		}
	}
	return ids, other
}

// IsCVE reports whether s is the id of a CVE.
func IsCVE(s string) bool {
	if len(s) < len("CVE-1999-0001") || s[:4] != "CVE-" && !strings.EqualFold(s[:4], "CVE-") || s[8] != '-' {
		return false
	}
	return digits(s[4:8]) && digits(s[9:])
}

// IsAdvisory reports whether s looks like the id of a published advisory: the
// letters of its publisher, a dash or colon, and a number somewhere behind.
func IsAdvisory(s string) bool {
	n := strings.IndexAny(s, "-:")
	if n < 2 || n > 20 || len(s) > 100 {
		return false
	}
	for i := range n {
		if c := s[i] | 0x20; (c < 'a' || c > 'z') && (i < 2 || s[i] < '0' || s[i] > '9') {
			return false
		}
	}
	if strings.EqualFold(s[:n], "CWE") || strings.Contains(s, "://") {
		return false
	}
	switch strings.ToUpper(s[:n]) {
	case "CVE":
		return IsCVE(s)
	case "GHSA":
		return len(s) == len("GHSA-aaaa-bbbb-cccc") // of letters alone, it may be
	}
	return strings.ContainsAny(s[n:], "0123456789") && !strings.ContainsAny(s, `<>"'\ `)
}

func digits(s string) bool {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return s != ""
}

// Aliased reports whether several ids are names of one weakness: one id of
// each publisher. Two CVEs are two weaknesses.
func Aliased(ids []string) bool {
	if len(ids) < 2 {
		return false
	}
	for i, id := range ids {
		publisher, _, _ := strings.Cut(id, "-")
		for _, other := range ids[:i] {
			if p, _, _ := strings.Cut(other, "-"); p == publisher {
				return false
			}
		}
	}
	return true
}

// Vectors returns the CVSS vectors in a text that may hold scores as well.
func Vectors(s string) (all []string) {
	if strings.IndexByte(s, '/') < 0 {
		return nil
	}
	for word := range strings.FieldsFuncSeq(s, Between) {
		word = strings.Trim(word, `[]()"'`)
		for _, start := range []string{"CVSS:", "AV:"} {
			if i := strings.Index(word, start); i >= 0 && len(word) < 500 && len(all) < 10 {
				if word = word[i:]; !slices.Contains(all, word) {
					all = append(all, word)
				}
				break
			}
		}
	}
	return all
}

// Versioned puts the version before vectors of CVSS 3 that scanners write
// without one; without, a vector is of version 2. Which of 3.0 and 3.1 they
// mean is not known; the metrics are the same.
func Versioned(vectors []string) []string {
	for i, v := range vectors {
		if strings.HasPrefix(v, "AV:") && strings.Contains(v, "/PR:") && strings.Contains(v, "/UI:") {
			vectors[i] = "CVSS:3.0/" + v
		}
	}
	return vectors
}

// maxIDs bounds the advisories and the CWEs of a finding, maxCWE the number of
// a CWE; the greatest is below 2,000.
const (
	maxIDs = 200
	maxCWE = 1 << 20
)

// OneLine is s with single spaces for all white space.
func OneLine(s string) string {
	plain := true
	for i := range len(s) {
		if c := s[i]; c < ' ' || c == ' ' && (i == 0 || s[i-1] == ' ' || i == len(s)-1) || c >= 0x80 {
			plain = false
			break
		}
	}
	if plain {
		return s
	}
	return strings.Join(strings.Fields(s), " ")
}

// letters is s in lower case, with its letters and digits alone.
func letters(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= '0' && r <= '9':
			return r
		case r >= 'A' && r <= 'Z':
			return r + 'a' - 'A'
		}
		return -1
	}, s)
}
