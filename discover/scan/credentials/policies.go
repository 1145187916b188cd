package credentials

import (
	"cmp"
	"fmt"
	"net/netip"
	"strconv"
	"strings"

	"github.com/leeward-ctem/leeward/exposure"
)

// enough is how many characters a password needs at least, after NIST SP
// 800-63B, section 5.1.1.1, https://pages.nist.gov/800-63-3/sp800-63b.html
const enough = 8

func (f *file) short(name string, n, line int) error {
	if n >= enough {
		return nil
	}
	return f.state(weakness{
		rule: ruleLength, title: "Passwords may be too short", severity: exposure.SeverityMedium, cwes: []int{521}, symbol: name, line: line,
		why:      fmt.Sprintf("%s allows passwords of %d characters. They are found by trying all of them.", name, n),
		solution: fmt.Sprintf("Demand at least %d characters, better 12.", enough), shown: fmt.Sprintf("%s = %d", name, n),
	})
}

func (f *file) method(name, value string, line int) error {
	return f.state(weakness{
		rule: ruleMethod, title: "New passwords are kept with a weak hash", severity: exposure.SeverityHigh, cwes: []int{916}, symbol: name, line: line,
		why:      "Passwords that are set from now on are kept as a hash of which billions are computed in a second.",
		solution: "Use yescrypt or SHA-512, and let everybody set a new password.", shown: name + " " + value,
	})
}

func loginDefs(f *file) error {
	all, err := f.settings("#")
	if err != nil {
		return err
	}
	if s, ok := all["encrypt_method"]; ok && (strings.EqualFold(s.value, "MD5") || strings.EqualFold(s.value, "DES")) {
		if err := f.method("ENCRYPT_METHOD", strings.ToUpper(s.value), s.line); err != nil {
			return err
		}
	} else if s, is := all["md5_crypt_enab"]; is && !ok && strings.EqualFold(s.value, "yes") {
		if err := f.method("MD5_CRYPT_ENAB", "yes", s.line); err != nil {
			return err
		}
	}
	if s, ok := all["pass_min_len"]; ok {
		if n, err := strconv.Atoi(s.value); err == nil {
			return f.short("PASS_MIN_LEN", n, s.line)
		}
	}
	return nil
}

func pwquality(f *file) error {
	all, err := f.settings("#")
	if err != nil {
		return err
	}
	if s, ok := all["minlen"]; ok {
		if n, err := strconv.Atoi(s.value); err == nil {
			return f.short("minlen", n, s.line)
		}
	}
	return nil
}

// pam looks at the lines that set passwords.
func pam(f *file) error {
	return f.lines(func(n int, line string) error {
		words := strings.Fields(line)
		if len(words) < 3 || strings.TrimPrefix(words[0], "-") != "password" {
			return nil
		}
		module := ""
		for _, w := range words[2:] {
			switch {
			case strings.HasSuffix(w, ".so"):
				module = w[strings.LastIndexByte(w, '/')+1:]
			case module == "pam_unix.so" && (w == "md5" || w == "bigcrypt"):
				if err := f.method("pam_unix", w, n); err != nil {
					return err
				}
			case module == "pam_pwquality.so" || module == "pam_cracklib.so" || module == "pam_unix.so":
				value, is := strings.CutPrefix(w, "minlen=")
				if !is {
					continue
				}
				if length, err := strconv.Atoi(value); err == nil {
					if err := f.short(module+" minlen", length, n); err != nil {
						return err
					}
				}
			}
		}
		return nil
	})
}

// secedit looks at what `secedit /export` and group policies write.
func secedit(f *file) error {
	all, err := f.section("system access", ";")
	if err != nil {
		return err
	}
	for _, name := range inOrder(all) {
		s := all[name]
		n, err := strconv.Atoi(s.value)
		if err != nil {
			continue
		}
		w := weakness{line: s.line, severity: exposure.SeverityMedium}
		switch {
		case name == "minimumpasswordlength":
			if err := f.short("MinimumPasswordLength", n, s.line); err != nil {
				return err
			}
			continue
		case name == "lockoutbadcount" && n == 0:
			w.rule, w.title, w.cwes, w.symbol = ruleLockout, "Accounts are never locked", []int{307}, "LockoutBadCount"
			w.why, w.solution = "Passwords can be tried without end.", "Lock an account after ten failures or fewer."
		case name == "passwordcomplexity" && n == 0:
			w.rule, w.title, w.cwes, w.symbol = ruleComplexity, "Passwords may be simple", []int{521}, "PasswordComplexity"
			w.why, w.solution = "Names and words are allowed as passwords.", "Demand complexity, or compare passwords with a list of common ones."
		case name == "cleartextpassword" && n == 1:
			w.rule, w.title, w.cwes, w.symbol = ruleReversible, "Passwords are kept so that they can be read", []int{257}, "ClearTextPassword"
			w.why, w.solution, w.severity = "Whoever reads the directory reads all passwords.", "Switch off reversible encryption, and let everybody set a new password.", exposure.SeverityHigh
		default:
			continue
		}
		w.shown = fmt.Sprintf("%s = %d", w.symbol, n)
		if err := f.state(w); err != nil {
			return err
		}
	}
	return nil
}

// section reads the settings of one section of an ini file.
func (f *file) section(wanted, comment string) (map[string]setting, error) {
	found, in := map[string]setting{}, false
	err := f.lines(func(n int, line string) error {
		if title, ok := strings.CutPrefix(line, "["); ok {
			in = strings.EqualFold(strings.TrimSuffix(title, "]"), wanted)
			return nil
		}
		if line == "" || !in || strings.ContainsAny(line[:1], comment) || len(found) > 10_000 {
			return nil
		}
		name, value, _ := strings.Cut(line, "=")
		name = strings.ToLower(strings.TrimSpace(name))
		found[name] = setting{strings.TrimSpace(value), n}
		return nil
	})
	return found, err
}

// pgHBA looks for those who need no password.
func pgHBA(f *file) error {
	return f.lines(func(n int, line string) error {
		line, _, _ = strings.Cut(line, "#")
		words := strings.Fields(line)
		if len(words) < 4 {
			return nil
		}
		from, method := "local", words[3]
		if words[0] != "local" {
			if !strings.HasPrefix(words[0], "host") || len(words) < 5 {
				return nil
			}
			from, method = words[3], words[4]
			if strings.Count(method, ".") == 3 && len(words) > 5 { // the mask stands apart
				method = words[5]
			}
		}
		if method != "trust" {
			return nil
		}
		w := weakness{
			rule: ruleTrust, title: "PostgreSQL lets in without a password", severity: exposure.SeverityCritical, cwes: []int{306}, line: n,
			symbol:   words[0] + " " + words[1] + " " + words[2] + " " + from,
			why:      "Whoever connects from there is taken at their word: they say who they are, and need no password.",
			solution: "Use scram-sha-256, or peer for connections of the machine itself.", shown: strings.Join(words, " "),
		}
		if inside(from) {
			w.severity, w.title = exposure.SeverityMedium, "PostgreSQL lets in everybody on the machine without a password"
		}
		return f.state(w)
	})
}

// inside reports whether an address is the machine itself.
func inside(from string) bool {
	if from == "local" || from == "localhost" || from == "samehost" {
		return true
	}
	if p, err := netip.ParsePrefix(from); err == nil {
		return p.Addr().IsLoopback() && p.Bits() >= 8
	}
	a, err := netip.ParseAddr(from)
	return err == nil && a.IsLoopback()
}

func mysqlOptionFile(f *file) error {
	for _, section := range []string{"mysqld", "mariadb", "server", "mariadbd"} {
		all, err := f.section(section, "#;")
		if err != nil {
			return err
		}
		for _, name := range inOrder(all) {
			s := all[name]
			off := strings.EqualFold(s.value, "off") || strings.EqualFold(s.value, "false") || s.value == "0"
			if strings.ReplaceAll(name, "_", "-") != "skip-grant-tables" || off {
				continue
			}
			if err := f.state(weakness{
				rule: ruleGrants, title: "MySQL asks for no password", severity: exposure.SeverityCritical, cwes: []int{306}, symbol: section, line: s.line,
				why:      "skip-grant-tables lets everybody in who reaches the server, with all rights.",
				solution: "Remove the line and restart the server.", shown: name,
			}); err != nil {
				return err
			}
		}
	}
	return nil
}

// redisConf looks for a server that others reach, without a password.
func redisConf(f *file) error {
	all, err := f.settings("#")
	if err != nil {
		return err
	}
	if strings.Trim(all["requirepass"].value, `"'`) != "" || all["aclfile"].value != "" || all["user"].value != "" {
		return nil
	}
	bind, bound := all["bind"]
	reached := !bound // without the line it listens everywhere
	for word := range strings.FieldsSeq(bind.value) {
		word = strings.TrimPrefix(strings.Trim(word, `"'`), "-")
		a, err := netip.ParseAddr(word)
		reached = reached || (err != nil && word != "localhost") || (err == nil && !a.IsLoopback())
	}
	if !reached || all["port"].value == "0" && all["tls-port"].value == "" {
		return nil
	}
	w := weakness{
		rule: ruleRedis, title: "Redis needs no password", severity: exposure.SeverityCritical, cwes: []int{306}, symbol: "requirepass", line: bind.line,
		why:      "The server listens to others and asks for no password. Whoever reaches it reads and writes everything, and often runs programs.",
		solution: "Set requirepass or an ACL, and bind to addresses that are needed only.", shown: "bind " + cmp.Or(bind.value, "(everywhere)") + ", no requirepass",
	}
	if !strings.EqualFold(all["protected-mode"].value, "no") {
		w.severity, w.why = exposure.SeverityMedium, "The server listens to others and has no password. Only its protected mode keeps them out."
	}
	return f.state(w)
}
