package config

import (
	"fmt"
	"io/fs"
	"path"
	"strconv"
	"strings"
)

const maxIncludes = 100

// parseSSHD reads what the OpenSSH server obeys outside of Match blocks: the first
// value of each keyword, as sshd_config(5) says, with the files it includes.
func parseSSHD(s source) ([]subject, error) {
	it := map[string]any{}
	at := map[string]int{}
	includes := 0
	var read func(file string, body []byte, depth int) error
	read = func(file string, body []byte, depth int) error {
		matching := false
		var wrong error
		lines(body, func(n int, line string) {
			word, value, ok := strings.Cut(strings.Replace(line, "\t", " ", 1), " ")
			if !ok {
				word, value, _ = strings.Cut(line, "=")
			}
			word, value = strings.ToLower(word), strings.Trim(strings.TrimLeft(strings.TrimSpace(value), "="), `" `)
			switch {
			case word == "match":
				matching = !strings.EqualFold(value, "all")
			case matching:
			case word == "include":
				for pattern := range strings.FieldsSeq(value) {
					found := includeFiles(s.files, s.file, pattern)
					for _, name := range found {
						if includes++; includes > maxIncludes || depth > 5 {
							wrong = fmt.Errorf("it includes more than %d files", maxIncludes)
							return
						}
						inner, err := readBounded(s.files, name)
						if err == nil {
							err = read(name, inner, depth+1)
						}
						if err != nil {
							wrong = fmt.Errorf("%s, which it includes: %w", clean(name), err)
						}
					}
				}
			default:
				if _, set := it[word]; !set {
					it[word] = value
					if file == s.file {
						at[word] = n
					}
				}
			}
		})
		return wrong
	}
	err := read(s.file, s.body, 0)
	return []subject{{kind: kindSSHD, resource: "sshd", it: it}}, err
}

// includeFiles are the files of a pattern, in a tree that may be the root of a
// host or hold one.
func includeFiles(files fs.FS, from, pattern string) []string {
	dir := path.Dir(from)
	if root, ok := strings.CutSuffix("/"+dir, "/etc/ssh"); ok && path.IsAbs(pattern) {
		pattern = strings.TrimPrefix(root+pattern, "/")
	} else if !path.IsAbs(pattern) {
		pattern = path.Join(dir, pattern)
	} else {
		return nil
	}
	if !fs.ValidPath(pattern) {
		return nil
	}
	found, err := fs.Glob(files, pattern)
	if err != nil {
		return nil
	}
	return found
}

// parseAccounts reads /etc/passwd together with the shadow file beside it. Of a
// password it keeps how it is hashed and nothing else.
func parseAccounts(s source) (all []subject, err error) {
	hashes := map[string]string{}
	shadow, shadowErr := readBounded(s.files, path.Join(path.Dir(s.file), "shadow"))
	for line := range strings.Lines(string(shadow)) {
		if f := strings.Split(strings.TrimSpace(line), ":"); len(f) > 1 {
			hashes[f[0]] = scheme(f[1])
		}
	}
	n := 0
	for line := range strings.Lines(string(s.body)) {
		n++
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '#' || line[0] == '+' || line[0] == '-' {
			continue
		}
		f := strings.Split(line, ":")
		if len(f) != 7 {
			err = fmt.Errorf("line %d is no account of seven fields", n)
			continue
		}
		hash := scheme(f[1])
		here := hash != "shadow" && hash != "locked" && hash != "empty"
		if hash == "shadow" {
			if hash = hashes[f[0]]; hash == "" {
				hash = "unknown"
			}
		}
		all = append(all, subject{kind: kindAccount, resource: f[0], line: n, seen: "uid " + f[2] + ", gid " + f[3] + ", shell " + f[6] + ", password " + hash, it: map[string]any{
			"name": f[0], "uid": f[2], "gid": f[3], "home": f[5], "shell": f[6], "hash": hash, "hash_in_passwd": here, "shadowed": shadowErr == nil,
		}})
	}
	return all, err
}

// scheme tells how a password is kept (crypt(5)).
func scheme(field string) string {
	switch {
	case field == "":
		return "empty"
	case field == "x":
		return "shadow"
	case strings.HasPrefix(field, "!") || strings.HasPrefix(field, "*"):
		return "locked"
	case strings.HasPrefix(field, "$"):
		id, _, _ := strings.Cut(field[1:], "$")
		switch id {
		case "1":
			return "md5"
		case "2a", "2b", "2x", "2y":
			return "bcrypt"
		case "5":
			return "sha256"
		case "6":
			return "sha512"
		case "y", "gy", "7":
			return "yescrypt"
		}
		return "other"
	case len(field) == 13:
		return "des"
	}
	return "other"
}

func parseLogin(s source) ([]subject, error) {
	it := map[string]any{}
	lines(s.body, func(_ int, line string) {
		if f := strings.Fields(line); len(f) > 1 {
			it[strings.ToLower(f[0])] = f[1]
		}
	})
	return []subject{{kind: kindLogin, resource: "login.defs", it: it}}, nil
}

// parseSysctl reads kernel settings. A file that does not speak of one says nothing.
func parseSysctl(s source) (all []subject, err error) {
	it := map[string]any{}
	lines(s.body, func(_ int, line string) {
		if line[0] == ';' {
			return
		}
		key, value, ok := strings.Cut(strings.TrimPrefix(line, "-"), "=")
		if ok {
			it[strings.ReplaceAll(strings.TrimSpace(key), "/", ".")] = strings.TrimSpace(value)
		}
	})
	return []subject{{kind: kindSysctl, resource: "sysctl", it: map[string]any{"set": it}}}, nil
}

// parseSudoers makes a subject of each rule for users and of each Defaults line.
func parseSudoers(s source) (all []subject, err error) {
	lines(s.body, func(n int, line string) {
		first, rest, _ := strings.Cut(strings.ReplaceAll(line, "\t", " "), " ")
		switch {
		case strings.HasPrefix(first, "@include"), strings.HasSuffix(first, "_Alias"):
		case strings.HasPrefix(first, "Defaults"):
			all = append(all, subject{kind: kindSudo, resource: first, symbol: strings.TrimSpace(rest), line: n, seen: line, it: map[string]any{"defaults": strings.TrimSpace(rest), "user": "", "commands": "", "tags": []any{}}})
		default:
			hosts, spec, ok := strings.Cut(rest, "=")
			if !ok {
				err = fmt.Errorf("line %d is no rule of sudoers(5)", n)
				return
			}
			spec = strings.TrimSpace(spec)
			runas := ""
			if strings.HasPrefix(spec, "(") {
				runas, spec, _ = strings.Cut(spec[1:], ")")
			}
			var tags []string
			for {
				tag, after, ok := strings.Cut(strings.TrimSpace(spec), ":")
				if !ok || strings.ContainsAny(tag, " /,") || strings.ToUpper(tag) != tag {
					break
				}
				tags, spec = append(tags, tag), after
			}
			all = append(all, subject{kind: kindSudo, resource: first, symbol: strings.TrimSpace(spec), line: n, seen: line, it: map[string]any{
				"user": first, "hosts": strings.TrimSpace(hosts), "runas": runas, "tags": anyOf(tags), "commands": strings.TrimSpace(spec), "defaults": "",
			}})
		}
	})
	return all, err
}

// guarded are files whose permissions matter, by the end of their path.
var guarded = []struct{ suffix, what string }{
	{"etc/passwd", "accounts"}, {"etc/group", "accounts"}, {"etc/shadow", "hashes"}, {"etc/gshadow", "hashes"}, {"etc/shadow-", "hashes"}, {"etc/sudoers", "privileges"},
	{"etc/crontab", "jobs"}, {"etc/ssh/sshd_config", "settings"},
}

// modeSubjects tells the permissions of a file that matter. A file system without
// modes says nothing.
func modeSubjects(file string, info fs.FileInfo) []subject {
	mode := info.Mode()
	what := ""
	for _, g := range guarded {
		if file == g.suffix || strings.HasSuffix(file, "/"+g.suffix) {
			what = g.what
		}
	}
	dir, base := path.Split(file)
	switch {
	case what != "":
	case strings.HasPrefix(base, "ssh_host_") && strings.HasSuffix(base, "_key"), strings.HasSuffix(dir, ".ssh/") && strings.HasPrefix(base, "id_") && path.Ext(base) == "":
		what = "private key"
	case strings.Contains("/"+dir, "/etc/sudoers.d/"):
		what = "privileges"
	case strings.Contains("/"+dir, "/etc/cron."):
		what = "jobs"
	case mode&fs.ModeSetuid != 0 && mode&0o022 != 0, mode&fs.ModeSetgid != 0 && mode&0o022 != 0:
		what = "raised"
	default:
		return nil
	}
	if mode.Perm() == 0 {
		return nil
	}
	return []subject{{kind: kindMode, resource: path.Base(file), it: map[string]any{
		"what": what, "mode": fmt.Sprintf("%04o", mode.Perm()), "path": file, "setuid": mode&fs.ModeSetuid != 0,
		"group_write": mode&0o020 != 0, "group_read": mode&0o040 != 0, "others_read": mode&0o004 != 0, "others_write": mode&0o002 != 0, "number": strconv.Itoa(int(mode.Perm())),
	}}}
}
