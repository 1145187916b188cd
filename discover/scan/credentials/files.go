package credentials

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"
	"unicode/utf16"

	"github.com/leeward-ctem/leeward/discover/scan"
	"github.com/leeward-ctem/leeward/exposure"
)

// Rules about files.
const (
	ruleEmpty      = "credentials/empty-password"
	ruleHash       = "credentials/weak-hash"
	ruleCommon     = "credentials/common-password"
	ruleMethod     = "credentials/weak-hash-method"
	ruleLength     = "credentials/short-passwords"
	ruleComplexity = "credentials/simple-passwords"
	ruleLockout    = "credentials/no-lockout"
	ruleReversible = "credentials/reversible-passwords"
	ruleTrust      = "credentials/trust-authentication"
	ruleGrants     = "credentials/no-grant-tables"
	ruleRedis      = "credentials/redis-without-password"
)

func fileRules() []string {
	return []string{
		ruleEmpty, ruleHash, ruleCommon, ruleMethod, ruleLength, ruleComplexity, ruleLockout, ruleReversible, ruleTrust, ruleGrants, ruleRedis,
	}
}

const (
	maxFile    = 4 << 20   // bytes of one file
	maxEntries = 2_000_000 // files and directories of one target
)

// kind of file is how one is looked at, and for what.
type kind struct {
	look  func(f *file) error
	rules []string
}

// kindOf says by its name whether a file is looked at.
func kindOf(name string) *kind {
	base, below := path.Base(name), "/"+name
	is := func(suffix string) bool { return strings.HasSuffix(below, suffix) }
	hashes := []string{ruleEmpty, ruleHash, ruleCommon}
	switch {
	case is("/etc/shadow") || is("/etc/shadow-") || is("/etc/passwd") || is("/etc/master.passwd"):
		return &kind{unixAccounts, hashes}
	case base == "htpasswd" || strings.HasSuffix(base, ".htpasswd"):
		return &kind{htpasswd, hashes}
	case is("/etc/login.defs"):
		return &kind{loginDefs, []string{ruleMethod, ruleLength}}
	case is("/etc/security/pwquality.conf") || strings.Contains(below, "/etc/security/pwquality.conf.d/"):
		return &kind{pwquality, []string{ruleLength}}
	case strings.Contains(below, "/etc/pam.d/"):
		return &kind{pam, []string{ruleMethod, ruleLength}}
	case strings.EqualFold(path.Ext(base), ".inf"):
		return &kind{secedit, []string{ruleLength, ruleComplexity, ruleLockout, ruleReversible}}
	case base == "pg_hba.conf":
		return &kind{pgHBA, []string{ruleTrust}}
	case base == "my.cnf" || base == "my.ini" || strings.HasSuffix(base, ".cnf") && strings.Contains(below, "/my"):
		return &kind{mysqlOptionFile, []string{ruleGrants}}
	case base == "redis.conf" || base == "valkey.conf":
		return &kind{redisConf, []string{ruleRedis}}
	}
	return nil
}

// file is one that is looked at.
type file struct {
	ctx    context.Context
	out    *output
	name   string
	text   []byte
	budget *int64 // rounds that may still be spent on guessing
	// missed are rules that were not looked at completely.
	missed map[string]bool
}

// files looks at all files of a tree that can say something about passwords.
func files(ctx context.Context, j *scan.Job, out *output) error {
	if j.Files == nil {
		return nil
	}
	missed := map[string]bool{}
	budget := int64(guesses)
	seen := 0
	err := fs.WalkDir(j.Files, ".", func(name string, d fs.DirEntry, err error) error {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err != nil {
			all(missed, fileRules())
			return out.broken(err)
		}
		if seen++; seen > maxEntries {
			return fmt.Errorf("more than %d files", maxEntries)
		}
		if seen%1000 == 0 {
			j.Progress(seen, 0)
		}
		if d.IsDir() {
			if name == ".git" || strings.HasSuffix(name, "/.git") || name == "proc" || name == "sys" || name == "dev" {
				return fs.SkipDir
			}
			return nil
		}
		k := kindOf(name)
		if k == nil || !d.Type().IsRegular() {
			return nil
		}
		text, err := read(j.Files, name)
		if err == nil {
			err = k.look(&file{ctx: ctx, out: out, name: name, text: text, budget: &budget, missed: missed})
		}
		if err == nil || errors.Is(err, errStopped) || ctx.Err() != nil {
			return err
		}
		all(missed, k.rules)
		return out.broken(fmt.Errorf("%s: %w", name, err))
	})
	if err != nil {
		return err
	}
	rules := slices.DeleteFunc(fileRules(), func(r string) bool { return missed[r] })
	if len(rules) == 0 {
		return nil
	}
	return out.state(exposure.Observation{Kind: exposure.ObservedCoverage, Coverage: &exposure.Coverage{Class: class, Rules: rules}})
}

func all(set map[string]bool, rules []string) {
	for _, r := range rules {
		set[r] = true
	}
}

func read(tree fs.FS, name string) ([]byte, error) {
	f, err := tree.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err != nil {
		return nil, err
	}
	if len(b) > maxFile {
		return nil, fmt.Errorf("it has more than %d bytes", maxFile)
	}
	return plain(b), nil
}

// plain is text as UTF-8. Windows exports its policies as UTF-16.
func plain(b []byte) []byte {
	if rest, ok := bytes.CutPrefix(b, []byte{0xff, 0xfe}); ok {
		units := make([]uint16, len(rest)/2)
		for i := range units {
			units[i] = uint16(rest[2*i]) | uint16(rest[2*i+1])<<8
		}
		return []byte(string(utf16.Decode(units)))
	}
	return bytes.TrimPrefix(b, []byte("\xef\xbb\xbf"))
}

// lines yields the lines of a file, trimmed, with their numbers.
func (f *file) lines(each func(n int, line string) error) error {
	n := 0
	for line := range bytes.Lines(f.text) {
		n++
		if n%100 == 0 && f.ctx.Err() != nil {
			return f.ctx.Err()
		}
		if err := each(n, strings.TrimSpace(string(line))); err != nil {
			return err
		}
	}
	return nil
}

// weakness is what a file says that is wrong.
type weakness struct {
	rule, title, why, solution, shown string
	severity                          exposure.Severity
	cwes                              []int
	symbol                            string // the account or setting
	line                              int
}

// state states a weakness of the file. What is shown must hold no secret.
func (f *file) state(w weakness) error {
	o := exposure.Observation{
		Rule: w.rule, Title: w.title, Description: w.why, Solution: w.solution, Severity: w.severity, CWEs: w.cwes,
		Location:  exposure.Location{File: f.name, Symbol: w.symbol, Line: w.line},
		Detection: exposure.DetectionStatic, Confidence: 97,
	}
	if w.shown != "" {
		o.Evidence = []exposure.Evidence{{Kind: "match", Text: w.shown}}
	}
	return f.out.state(o)
}

// settings reads lines of the form "name value" or "name = value". The last of
// a name counts.
func (f *file) settings(comment string) (map[string]setting, error) {
	found := map[string]setting{}
	err := f.lines(func(n int, line string) error {
		if line == "" || strings.ContainsAny(line[:1], comment) {
			return nil
		}
		name, value, _ := strings.Cut(line, "=")
		if i := strings.IndexAny(name, " \t"); i >= 0 && strings.TrimSpace(name[i:]) != "" {
			name, value = line[:i], line[i:]
		}
		if len(found) < 10_000 {
			found[strings.ToLower(strings.TrimSpace(name))] = setting{strings.TrimSpace(value), n}
		}
		return nil
	})
	return found, err
}

type setting struct {
	value string
	line  int
}

// in are settings in the order of their lines.
func inOrder(all map[string]setting) []string {
	return slices.SortedFunc(maps.Keys(all), func(a, b string) int { return all[a].line - all[b].line })
}
