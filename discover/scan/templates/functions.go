package templates

import (
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"html"
	"math/bits"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// arity is how many arguments a function takes; most < 0: any number.
func arity(name string) (least, most int, ok bool) {
	switch name {
	case "len", "to_lower", "tolower", "to_upper", "toupper", "md5", "sha1", "sha256", "sha512", "mmh3", "base64", "base64_py", "base64_decode",
		"hex_encode", "hex_decode", "url_encode", "url_decode", "html_escape", "html_unescape", "trim_space", "reverse", "to_number", "to_string":
		return 1, 1, true
	case "contains", "starts_with", "ends_with", "regex", "trim_prefix", "trim_suffix", "trim_left", "trim_right", "repeat", "rand_int":
		return 2, 2, true
	case "contains_all", "contains_any", "compare_versions", "join", "equals_any":
		return 2, 20, true
	case "replace", "replace_regex":
		return 3, 3, true
	case "trim":
		return 1, 2, true
	case "substr":
		return 2, 3, true
	case "concat":
		return 1, 20, true
	case "rand_base", "rand_text_alpha", "rand_text_alphanumeric", "rand_text_numeric":
		return 1, 2, true
	}
	return 0, 0, false
}

// apply calls a function. How many arguments there are was checked.
func (v *evaluation) apply(e *expr, args []any) (any, error) {
	s := make([]string, len(args))
	total := 0
	for i, a := range args {
		s[i] = str(a)
		total += len(s[i])
	}
	v.steps += total >> 16 // what goes through long texts takes long
	switch e.text {
	case "len":
		return float64(len(s[0])), nil
	case "contains":
		return strings.Contains(s[0], s[1]), nil
	case "contains_all":
		return !slices.ContainsFunc(s[1:], func(w string) bool { return !strings.Contains(s[0], w) }), nil
	case "contains_any":
		return slices.ContainsFunc(s[1:], func(w string) bool { return strings.Contains(s[0], w) }), nil
	case "equals_any":
		return slices.Contains(s[1:], s[0]), nil
	case "starts_with":
		return strings.HasPrefix(s[0], s[1]), nil
	case "ends_with":
		return strings.HasSuffix(s[0], s[1]), nil
	case "regex", "replace_regex":
		return expression(e, s)
	case "compare_versions":
		return compareVersions(s[0], s[1:])
	case "to_number":
		n, ok := number(args[0])
		if !ok {
			return nil, errors.New("to_number of what is no number")
		}
		return n, nil
	case "repeat":
		n, ok := number(args[1])
		if !ok || n < 0 || n*float64(len(s[0])) > maxResult {
			return nil, errors.New("repeat makes a text that is too long")
		}
		return strings.Repeat(s[0], int(n)), nil
	case "substr":
		return substr(s[0], args[1:])
	case "concat":
		return joined(s...)
	case "join":
		return joined(strings.Join(s[1:], s[0]))
	case "replace":
		if s[1] == "" || strings.Count(s[0], s[1])*(len(s[2])-len(s[1]))+len(s[0]) > maxResult {
			return nil, errors.New("replace makes a text that is too long, or replaces nothing")
		}
		return strings.ReplaceAll(s[0], s[1], s[2]), nil
	}
	if strings.HasPrefix(e.text, "rand_") {
		return v.random(e.text, args)
	}
	return convert(e.text, s)
}

func expression(e *expr, s []string) (any, error) {
	pattern := s[0]
	if e.text == "replace_regex" {
		pattern = s[1]
	}
	re := e.re
	if re == nil {
		var err error
		if re, err = compile(pattern); err != nil {
			return nil, err
		}
	}
	if e.text == "regex" {
		return re.MatchString(s[1]), nil
	}
	if len(s[0]) > 64<<10 || len(s[2]) > 256 {
		return nil, errors.New("replace_regex makes a text that is too long")
	}
	return re.ReplaceAllLiteralString(s[0], s[2]), nil
}

// convert is the functions of texts to text.
func convert(name string, s []string) (any, error) {
	switch name {
	case "to_lower", "tolower":
		return strings.ToLower(s[0]), nil
	case "to_upper", "toupper":
		return strings.ToUpper(s[0]), nil
	case "to_string":
		return s[0], nil
	case "trim":
		if len(s) == 2 {
			return strings.Trim(s[0], s[1]), nil
		}
		return strings.TrimSpace(s[0]), nil
	case "trim_space":
		return strings.TrimSpace(s[0]), nil
	case "trim_left":
		return strings.TrimLeft(s[0], s[1]), nil
	case "trim_right":
		return strings.TrimRight(s[0], s[1]), nil
	case "trim_prefix":
		return strings.TrimPrefix(s[0], s[1]), nil
	case "trim_suffix":
		return strings.TrimSuffix(s[0], s[1]), nil
	case "reverse":
		r := []rune(s[0])
		slices.Reverse(r)
		return string(r), nil
	case "md5":
		sum := md5.Sum([]byte(s[0]))
		return hex.EncodeToString(sum[:]), nil
	case "sha1":
		sum := sha1.Sum([]byte(s[0]))
		return hex.EncodeToString(sum[:]), nil
	case "sha256":
		sum := sha256.Sum256([]byte(s[0]))
		return hex.EncodeToString(sum[:]), nil
	case "sha512":
		sum := sha512.Sum512([]byte(s[0]))
		return hex.EncodeToString(sum[:]), nil
	case "mmh3":
		return strconv.Itoa(int(int32(murmur3([]byte(s[0]))))), nil
	case "base64":
		return base64.StdEncoding.EncodeToString([]byte(s[0])), nil
	case "base64_py":
		return base64Lines(s[0]), nil
	case "base64_decode":
		b, err := base64.StdEncoding.DecodeString(s[0])
		return string(b), err
	case "hex_encode":
		return hex.EncodeToString([]byte(s[0])), nil
	case "hex_decode":
		b, err := hex.DecodeString(s[0])
		return string(b), err
	case "url_encode":
		return url.QueryEscape(s[0]), nil
	case "url_decode":
		return url.QueryUnescape(s[0])
	case "html_escape":
		return html.EscapeString(s[0]), nil
	case "html_unescape":
		return html.UnescapeString(s[0]), nil
	}
	return nil, fmt.Errorf("the function %s is not supported", name)
}

func substr(s string, args []any) (any, error) {
	from, ok := number(args[0])
	to := float64(len(s))
	if len(args) == 2 {
		var is bool
		to, is = number(args[1])
		ok = ok && is
	}
	if !ok || from < 0 || to < from || to > float64(len(s)) {
		return nil, errors.New("substr beyond the text")
	}
	return s[int(from):int(to)], nil
}

// random makes of the seed what a template calls random.
func (v *evaluation) random(name string, args []any) (any, error) {
	if name == "rand_int" {
		low, lok := number(args[0])
		high, hok := number(args[1])
		if !lok || !hok || high <= low || high > 1<<31 || low < 0 {
			return nil, errors.New("rand_int without a range")
		}
		sum := sha256.Sum256([]byte(v.seed + name))
		n := uint64(sum[0])<<24 | uint64(sum[1])<<16 | uint64(sum[2])<<8 | uint64(sum[3])
		return low + float64(n%uint64(high-low)), nil
	}
	n, ok := number(args[0])
	if !ok || n < 1 || n > 256 {
		return nil, fmt.Errorf("%s of a length between 1 and 256", name)
	}
	alphabet := "abcdefghijklmnopqrstuvwxyz0123456789"
	switch name {
	case "rand_text_alpha":
		alphabet = alphabet[:26]
	case "rand_text_numeric":
		alphabet = alphabet[26:]
	}
	return letters(v.seed+name, alphabet, int(n)), nil
}

// letters makes n letters of an alphabet from a seed.
func letters(seed, alphabet string, n int) string {
	out := make([]byte, 0, n+32)
	for sum := sha256.Sum256([]byte(seed)); len(out) < n; sum = sha256.Sum256(sum[:]) {
		for _, c := range sum {
			out = append(out, alphabet[int(c)%len(alphabet)])
		}
	}
	return string(out[:n])
}

// base64Lines is base64 as Python's encodebytes writes it, of which hashes of
// icons are made.
func base64Lines(s string) string {
	all := base64.StdEncoding.EncodeToString([]byte(s))
	var b strings.Builder
	for len(all) > 0 {
		n := min(76, len(all))
		b.WriteString(all[:n])
		b.WriteByte('\n')
		all = all[n:]
	}
	return b.String()
}

// murmur3 is MurmurHash3_x86_32 of seed 0, of which Austin Appleby wrote the
// definition and put it in the public domain.
func murmur3(data []byte) uint32 {
	const c1, c2 = 0xcc9e2d51, 0x1b873593
	h, n := uint32(0), len(data)
	for ; len(data) >= 4; data = data[4:] {
		k := uint32(data[0]) | uint32(data[1])<<8 | uint32(data[2])<<16 | uint32(data[3])<<24
		h = bits.RotateLeft32(h^bits.RotateLeft32(k*c1, 15)*c2, 13)*5 + 0xe6546b64
	}
	k := uint32(0)
	for i := len(data) - 1; i >= 0; i-- {
		k = k<<8 | uint32(data[i])
	}
	h ^= bits.RotateLeft32(k*c1, 15) * c2
	h ^= uint32(n)
	h = (h ^ h>>16) * 0x85ebca6b
	h = (h ^ h>>13) * 0xc2b2ae35
	return h ^ h>>16
}

// compareVersions checks a version against conditions such as "< 2.0", all of
// which must hold.
func compareVersions(version string, conditions []string) (any, error) {
	for _, c := range conditions {
		for one := range strings.SplitSeq(c, ",") {
			one = strings.TrimSpace(one)
			rest := strings.TrimLeft(one, "<>=!")
			op := one[:len(one)-len(rest)]
			n := order(version, strings.TrimSpace(rest))
			var holds bool
			switch op {
			case "<":
				holds = n < 0
			case "<=":
				holds = n <= 0
			case ">":
				holds = n > 0
			case ">=":
				holds = n >= 0
			case "", "=", "==":
				holds = n == 0
			case "!=":
				holds = n != 0
			default:
				return nil, fmt.Errorf("compare_versions does not know %q", cut(op, 20))
			}
			if !holds {
				return false, nil
			}
		}
	}
	return true, nil
}

// order compares versions by their numbers; what follows a dash comes before
// the release.
func order(a, b string) int {
	a, b = strings.TrimPrefix(strings.TrimSpace(a), "v"), strings.TrimPrefix(strings.TrimSpace(b), "v")
	a, _, _ = strings.Cut(a, "+")
	b, _, _ = strings.Cut(b, "+")
	a, before, early := strings.Cut(a, "-")
	b, other, late := strings.Cut(b, "-")
	for a != "" || b != "" {
		var x, y string
		x, a, _ = strings.Cut(a, ".")
		y, b, _ = strings.Cut(b, ".")
		if c := orderParts(x, y); c != 0 {
			return c
		}
	}
	switch {
	case early && !late:
		return -1
	case late && !early:
		return 1
	}
	return strings.Compare(before, other)
}

func orderParts(x, y string) int {
	n, _ := strconv.ParseUint(leading(x), 10, 64)
	m, _ := strconv.ParseUint(leading(y), 10, 64)
	switch {
	case n < m:
		return -1
	case n > m:
		return 1
	}
	return strings.Compare(x[len(leading(x)):], y[len(leading(y)):])
}

func leading(s string) string {
	n := 0
	for n < len(s) && n < 18 && digit(s[n]) {
		n++
	}
	return s[:n]
}
