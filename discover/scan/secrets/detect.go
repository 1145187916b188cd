package secrets

import (
	"bytes"
	"cmp"
	"encoding/base64"
	"path"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/leeward-ctem/leeward/discover/term"
	"github.com/leeward-ctem/leeward/internal/secret"
)

// found is a secret in a text.
type found struct {
	rule     *rule
	value    string
	name     string // of what it is the value, or where it leads to: nothing of the secret
	from, to int    // in the text; both the same when it does not stand there as it is
	sure     int
	drawn    bool // it cannot be guessed

	line     int
	symbol   string
	evidence string
}

// Bounds of how far around a word is looked, in bytes.
const (
	before   = 512
	after    = 2_048
	reach    = 4_096 // of borrowed detectors
	maxKey   = 16 << 10
	maxFound = 1_000 // of one text
)

// action is what a word calls for.
type action struct {
	word  string // as it must stand there; empty: in whatever case
	do    func(*look, int)
	after bool // do is told where the word ends, and else where it begins
}

// detectors are what texts are looked through with. They never change.
type detectors struct {
	rules   map[string]*rule
	words   *automaton
	actions [][]action // by word
	lengths []int
	lent    []borrowed
}

var shared = sync.OnceValue(newDetectors)

func newDetectors() *detectors {
	d := &detectors{rules: rules(), lent: borrow()}
	var words []string
	numbers := map[string]int{}
	add := func(word string, a action) {
		folded := strings.ToLower(word)
		n, ok := numbers[folded]
		if !ok {
			n = len(words)
			numbers[folded] = n
			words = append(words, folded)
			d.actions, d.lengths = append(d.actions, nil), append(d.lengths, len(word))
		}
		d.actions[n] = append(d.actions[n], a)
	}
	// The borrowed first: what they find is known best.
	for i, b := range d.lent {
		for _, w := range b.words {
			add(w, action{word: w, do: func(l *look, at int) { l.borrowed(i, at) }})
		}
	}
	add("PRIVATE KEY", action{word: "PRIVATE KEY", do: (*look).privateKey})
	add("PuTTY-User-Key-File-", action{word: "PuTTY-User-Key-File-", do: (*look).putty})
	add("eyJ", action{word: "eyJ", do: (*look).jwt})
	add("://", action{do: (*look).address, after: true})
	add(`"auth"`, action{word: `"auth"`, do: (*look).registry, after: true})
	for _, w := range append(secret.Hints(), "_auth") {
		add(w, action{do: (*look).around})
	}
	d.words = newAutomaton(words)
	return d
}

// look is one look at one text.
type look struct {
	*detectors
	text  []byte
	file  string
	place place
	now   time.Time

	all   []found
	lines int   // up to where lines were looked at
	until []int // up to where the borrowed detectors looked
}

// find returns the secrets in a text, in order. What it returns holds their values.
func (d *detectors) find(text []byte, file string, now time.Time) []found {
	l := look{detectors: d, text: text, file: file, place: placeOf(file), now: now}
	d.words.each(text, func(word, end int) {
		for _, a := range d.actions[word] {
			from := end - d.lengths[word]
			if a.word != "" && string(text[from:end]) != a.word || len(l.all) >= maxFound {
				continue
			}
			at := from
			if a.after {
				at = end
			}
			a.do(&l, at)
		}
	})
	switch strings.ToLower(path.Base(file)) {
	case ".netrc", "_netrc":
		l.netrc()
	case ".pgpass":
		l.pgpass()
	}
	return l.settle()
}

// add notes a secret where none was found before.
func (l *look) add(name string, f found) {
	r := l.rules[name]
	if r == nil || f.value == "" || filler(f.value) {
		return
	}
	if f.rule = r; f.sure == 0 {
		f.sure = r.sure
	}
	l.all = append(l.all, f)
}

// settle leaves of secrets that lie over each other the first found, and says
// where they are.
func (l *look) settle() []found {
	var kept []found
	for _, f := range l.all {
		if !slices.ContainsFunc(kept, func(k found) bool {
			return f.value == k.value || f.from < k.to && k.from < f.to
		}) {
			kept = append(kept, f)
		}
	}
	slices.SortStableFunc(kept, func(a, b found) int { return cmp.Compare(a.from, b.from) })
	line, at := 1, 0
	for i := range kept {
		f := &kept[i]
		line += bytes.Count(l.text[at:f.from], []byte{'\n'})
		at = f.from
		f.line = line
		f.symbol = without(l.symbol(f), kept)
	}
	for i := range kept {
		kept[i].evidence = l.evidence(kept, i)
	}
	l.number(kept)
	return kept
}

// symbol tells a secret from the others in its file, and stays when lines move:
// a digest of what cannot be guessed, and else its name.
func (l *look) symbol(f *found) string {
	if f.drawn {
		return term.Mark(f.value)
	}
	name := f.name
	if !strings.Contains(name, "://") {
		name = strings.Join(append(l.parents(f.from), name), ".")
	}
	return secret.Text(strings.Trim(name, "."), 160)
}

// number tells apart what has the same name.
func (l *look) number(all []found) {
	seen := map[string]int{}
	for i := range all {
		f := &all[i]
		if f.drawn {
			continue
		}
		key := f.rule.name + "\x00" + f.symbol
		if seen[key]++; seen[key] > 1 {
			f.symbol += " " + strings.Repeat("'", min(seen[key]-1, 20))
		}
	}
}

// parents are the names under which a line stands: of the section of an INI
// file, or of what a line of YAML belongs to.
func (l *look) parents(at int) (names []string) {
	const lookback, most = 300, 4
	start := l.lineStart(at)
	depth := indent(l.text[start:])
	for n := 0; start > 0 && n < lookback && len(names) < most; n++ {
		start = l.lineStart(start - 1)
		line := l.text[start:l.lineEnd(start)]
		text := strings.TrimSpace(string(line[:min(len(line), 200)]))
		if strings.HasPrefix(text, "[") && strings.HasSuffix(text, "]") {
			return append([]string{strings.Trim(text, "[]")}, names...)
		}
		if text == "" || text[0] == '#' || indent(line) >= depth {
			continue
		}
		if name, ok := strings.CutSuffix(strings.TrimRight(text, " {"), ":"); ok {
			depth = indent(line)
			names = append([]string{strings.Trim(strings.TrimPrefix(name, "- "), `"' `)}, names...)
		}
		if depth == 0 && l.place == treeFile {
			break
		}
	}
	return names
}

func indent(line []byte) int { return len(line) - len(bytes.TrimLeft(line, " \t")) }

func (l *look) lineStart(at int) int { return bytes.LastIndexByte(l.text[:at], '\n') + 1 }

func (l *look) lineEnd(at int) int {
	if n := bytes.IndexByte(l.text[at:], '\n'); n >= 0 {
		return at + n
	}
	return len(l.text)
}

// evidence is the line of a secret, with a marker in the place of each that is
// on it.
func (l *look) evidence(all []found, i int) string {
	const side = 120
	f := &all[i]
	if f.from == f.to {
		return "It stands there encoded."
	}
	from := max(l.lineStart(f.from), f.from-side)
	end := min(l.lineEnd(f.from), max(f.to, f.from)+side)
	var b strings.Builder
	at := from
	for j := range all {
		o := &all[j]
		if o.to <= from || o.from >= end || o.from == o.to {
			continue
		}
		b.Write(l.text[at:max(at, o.from)])
		b.WriteString("[redacted:" + marker(o.rule.name) + "]")
		at = max(at, min(o.to, end))
	}
	if at < end {
		b.Write(l.text[at:end])
	}
	return strings.TrimSpace(secret.Text(without(b.String(), all), 300))
}

// without is a text without secrets that were found, wherever in it they stand
// again.
func without(text string, all []found) string {
	for i := range all {
		if v := all[i].value; len(v) >= 4 && strings.Contains(text, v) {
			text = strings.ReplaceAll(text, v, "[redacted:"+marker(all[i].rule.name)+"]")
		}
	}
	return text
}

// marker is the name of a rule without what a marker cannot hold.
func marker(name string) string {
	return strings.Map(func(c rune) rune {
		if c >= 'a' && c <= 'z' || c == '-' {
			return c
		}
		return -1
	}, name)
}

// borrowed asks a borrowed detector about what is around a word.
func (l *look) borrowed(n, at int) {
	if l.until == nil {
		l.until = make([]int, len(l.lent))
	}
	b := &l.lent[n]
	far := min(int(b.MaxSecretLen())+64, reach)
	if end := min(at+far, len(l.text)); end <= l.until[n] {
		return
	}
	from := l.lineStart(max(0, at-far))
	if at-from > 2*far {
		from = max(0, at-far)
	}
	end := min(l.lineEnd(min(at+far, len(l.text))), at+2*far, len(l.text))
	l.until[n] = end
	window := l.text[from:end]
	secrets, places := b.Detect(window)
	for i, s := range secrets {
		f := found{value: b.value(s), drawn: true, from: from + places[i], to: from + places[i]}
		if f.value == "" {
			continue
		}
		if where := bytes.Index(window[places[i]:], []byte(f.value)); where >= 0 {
			f.from += where
			f.to = f.from + len(f.value)
		} else if where := bytes.Index(window, []byte(f.value)); where >= 0 {
			f.from = from + where
			f.to = f.from + len(f.value)
		}
		l.add(b.rule, f)
	}
}

// address looks at an address, when it has a user.
func (l *look) address(at int) {
	end := at
	for end < len(l.text) && end-at < 256 && l.text[end] > ' ' && l.text[end] != '"' && l.text[end] != '\'' {
		if l.text[end] == '@' {
			l.around(at)
			return
		}
		end++
	}
}

// around looks for what redaction knows on the line of a word.
func (l *look) around(at int) {
	if at < l.lines {
		return
	}
	from := max(l.lineStart(at), at-before, l.lines)
	end := min(l.lineEnd(at), at+after)
	cut := end < len(l.text) && l.text[end] != '\n'
	l.lines = end
	if cut {
		l.lines = max(at+1, end-before) // what is cut there is looked at again
	}
	s := secret.Plain(string(l.text[from:end]))
	for _, m := range secret.Find(s) {
		if cut && m.To == len(s) && m.From > before {
			continue
		}
		l.judge(s, m, from)
	}
}

// kinds of redaction that are rules of their own, which need no name.
var kinds = map[string]string{
	"aws-key": "aws-access-key", "aws-secret": "aws-secret-key", "github-token": "github-token", "gitlab-token": "gitlab-token", "slack-token": "slack-token", "stripe-key": "stripe-key",
	"google-key": "google-key", "npm-token": "npm-token", "pypi-token": "pypi-token", "openai-key": "openai-key", "api-key": "api-key", "webhook": "webhook-url",
}

// prefixed are services whose tokens redaction knows as those of any service.
var prefixed = map[string]string{
	"hf_": "hugging-face-token", "sk-ant-": "anthropic-key", "rubygems_": "rubygems-token", "dckr_pat_": "docker-hub-token", "SG.": "sendgrid-key", "hvs.": "vault-token", "hvb.": "vault-token",
	"dop_v1_": "digitalocean-token", "doo_v1_": "digitalocean-token", "PMAK-": "postman-key", "sbp_": "supabase-key",
}

// judge decides whether what redaction would remove is a secret to tell of. In
// doubt redaction removes, and this leaves out.
func (l *look) judge(s string, m secret.Match, from int) {
	v := s[m.From:m.To]
	name, quoted := nameBefore(s, m.From)
	f := found{value: v, name: name, from: from + m.From, to: from + m.To}
	if r, ok := kinds[m.Kind]; ok {
		if m.Kind == "api-key" {
			for prefix, better := range prefixed {
				if strings.HasPrefix(v, prefix) {
					r = better
				}
			}
		}
		if f.drawn = true; m.Kind != "webhook" && entropy(v) < 3 {
			return
		}
		l.add(r, f)
		return
	}
	switch m.Kind {
	case "password", "secret", "token", "key", "credentials", "authorization":
		if l.inAddress(s, m, &f) {
			return
		}
		l.assigned(m.Kind, quoted, f)
	case "private-key":
		if strings.HasPrefix(v, "AGE-SECRET-KEY-") {
			f.drawn = true
			l.add("private-key", f)
		}
	case "password-hash":
		if base := path.Base(l.file); base != "shadow" && base != "shadow-" && l.place != proseFile && len(v) >= 20 {
			f.drawn = true
			l.add("password-hash", f)
		}
	}
}

// assigned judges the value of a name.
func (l *look) assigned(kind string, quoted bool, f found) {
	rule := "generic-secret"
	switch base := strings.ToLower(path.Base(l.file)); {
	case kind == "password":
		rule = "password"
	case base == ".npmrc" && strings.Contains(strings.ToLower(f.name), "_auth"), base == ".pypirc", base == ".yarnrc.yml":
		rule = "registry-credentials"
	}
	if f.name == "" || !meant(kind, f.name, f.value, quoted, l.place) {
		return
	}
	if kind == "key" && strings.Contains(strings.ToLower(f.name), "public") {
		return
	}
	if f.drawn = drawn(f.value) && len(f.value) >= 20; l.place == proseFile {
		f.sure = 30
	}
	l.add(rule, f)
}

// stores are the schemes of databases, message brokers and directories.
var stores = map[string]bool{
	"postgres": true, "postgresql": true, "mysql": true, "mariadb": true, "mongodb": true, "mongodb+srv": true, "redis": true, "rediss": true, "amqp": true, "amqps": true, "mssql": true,
	"sqlserver": true, "oracle": true, "clickhouse": true, "nats": true, "kafka": true, "ldap": true, "ldaps": true, "cockroachdb": true, "cassandra": true, "mqtt": true, "mqtts": true,
}

// words that examples of addresses have in the place of a password.
var standIns = map[string]bool{
	"password": true, "pass": true, "passwd": true, "pwd": true, "secret": true, "user": true, "username": true, "token": true, "pw": true, "mypassword": true, "mypass": true, "pa55word": true, "foo": true, "bar": true, "p": true, "b": true, "x": true,
}

// inAddress reports whether a secret is the password of an address, and judges it
// as that.
func (l *look) inAddress(s string, m secret.Match, f *found) bool {
	start := m.From
	for start > 0 && m.From-start < 256 && s[start-1] > ' ' && strings.IndexByte("\"'`<>(", s[start-1]) < 0 {
		start--
	}
	scheme, user, ok := strings.Cut(s[start:m.From], "://")
	if !ok || strings.ContainsAny(user, "/?#") || !strings.Contains(s[m.To:], "@") || s[m.To] != '@' && s[m.To] != ':' {
		return false
	}
	host := s[m.To+strings.IndexByte(s[m.To:], '@')+1:]
	if end := strings.IndexAny(host, "/?#:\"'`<> \t,;)"); end >= 0 {
		host = host[:end]
	}
	if i := strings.LastIndexAny(scheme, "=:,("); i >= 0 {
		scheme = scheme[i+1:]
	}
	scheme = strings.ToLower(scheme)
	user = strings.TrimSuffix(user, ":")
	if m.From == m.To || standIns[strings.ToLower(f.value)] || f.value == user || reserved(host) || strings.ContainsAny(host, "{}$%") || l.place == lockFile {
		return true
	}
	f.name = scheme + "://" + user + "@" + host
	f.drawn = drawn(f.value) && len(f.value) >= 20
	rule := "url-password"
	if stores[scheme] {
		rule = "connection-string"
	}
	if host == "localhost" || strings.HasPrefix(host, "127.") || l.place == proseFile {
		f.sure = 30
	}
	l.add(rule, *f)
	return true
}

// reserved reports whether a host is one of examples (RFC 2606).
func reserved(host string) bool {
	host = strings.ToLower(host)
	for _, name := range []string{"example.com", "example.org", "example.net", "example", "test", "invalid", "host", "hostname", "server"} {
		if host == name || strings.HasSuffix(host, "."+name) {
			return true
		}
	}
	return host == ""
}

// nameBefore reads the name that a value belongs to, and whether the value is
// quoted.
func nameBefore(s string, at int) (name string, quoted bool) {
	const most = 64
	i := at
	for i > 0 && at-i < 16 && (strings.IndexByte("\"'`=:> \t([,\\@{", s[i-1]) >= 0) {
		quoted = quoted || strings.IndexByte("\"'`", s[i-1]) >= 0 && i > at-3
		i--
	}
	for i > 0 && strings.IndexByte("\"'`])", s[i-1]) >= 0 {
		i--
	}
	end := i
	for i > 0 && end-i < most && (isWord(s[i-1]) || s[i-1] == '-' || s[i-1] == '.') {
		i--
	}
	return strings.Trim(s[i:end], "-."), quoted
}

// registry looks at the credentials of an image registry: user:password in base64.
func (l *look) registry(at int) {
	rest := strings.TrimLeft(string(l.text[at:min(len(l.text), at+1_024)]), " \t:")
	v, _, ok := strings.Cut(strings.TrimPrefix(rest, `"`), `"`)
	if !ok || !strings.HasPrefix(rest, `"`) || len(v) < 8 {
		return
	}
	plain, err := base64.StdEncoding.DecodeString(v)
	if user, password, ok := bytes.Cut(plain, []byte{':'}); err != nil || !ok || len(user) == 0 || len(password) < 4 || filler(string(password)) {
		return
	}
	from := at + bytes.Index(l.text[at:], []byte(v))
	l.add("registry-credentials", found{value: v, name: "auth", from: from, to: from + len(v), drawn: drawn(v) && len(v) >= 40})
}

func (l *look) jwt(at int) {
	if at > 0 && isWord(l.text[at-1]) {
		return
	}
	if end, ok := longLived(l.text[at:], l.now); ok {
		l.add("long-lived-jwt", found{value: string(l.text[at : at+end]), from: at, to: at + end, drawn: true})
	}
}

// privateKey looks at a key in PEM (RFC 7468), in OpenSSH's and PGP's form, also
// where its line breaks are written as \n.
func (l *look) privateKey(at int) {
	begin := bytes.LastIndex(l.text[max(0, at-48):at], []byte("-----BEGIN "))
	if begin < 0 {
		return
	}
	begin += max(0, at-48)
	head, rest, ok := bytes.Cut(l.text[at:min(len(l.text), at+maxKey)], []byte("-----"))
	if !ok || len(head) > len("PRIVATE KEY BLOCK") {
		return
	}
	body, _, _ := bytes.Cut(rest, []byte("-----"))
	var key strings.Builder
	encrypted := bytes.Contains(l.text[begin:at], []byte("ENCRYPTED")) || bytes.Contains(body, []byte("ENCRYPTED"))
	for line := range strings.FieldsFuncSeq(strings.NewReplacer(`\n`, "\n", `\r`, "\n", `\`, "\n").Replace(string(body)), func(c rune) bool { return c == '\n' || c == '\r' }) {
		if line = strings.Trim(line, " \t\"'`+,;|*#"); !strings.Contains(line, ":") {
			key.WriteString(line)
		}
	}
	v := key.String()
	if len(v) < 64 || strings.Trim(v, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=") != "" || entropy(v) < 4 {
		return
	}
	if plain, err := base64.StdEncoding.DecodeString(v[:64]); err == nil && bytes.HasPrefix(plain, []byte("openssh-key-v1\x00")) {
		encrypted = !bytes.Contains(plain, []byte("\x00\x00\x00\x04none"))
	}
	l.key(v, begin, at+len(head)+5+len(body), encrypted)
}

// key notes a private key. Its evidence is its first line alone.
func (l *look) key(v string, from, to int, encrypted bool) {
	rule := "private-key"
	if encrypted {
		rule = "encrypted-private-key"
	}
	l.add(rule, found{value: v, from: from, to: min(to, len(l.text)), drawn: true})
}

// putty looks at a key of PuTTY.
func (l *look) putty(at int) {
	body := string(l.text[at:min(len(l.text), at+maxKey)])
	i := strings.Index(body, "Private-Lines:")
	if i < 0 {
		return
	}
	_, private, _ := strings.Cut(body[i:], "\n")
	private, _, _ = strings.Cut(private, "Private-")
	v := strings.Join(strings.Fields(private), "")
	if len(v) >= 32 {
		l.key(v, at, at+i+len(private), !strings.Contains(body[:i], "Encryption: none"))
	}
}

// netrc reads the passwords of a .netrc file.
func (l *look) netrc() {
	machine, last := "", ""
	at := 0
	for field := range bytes.FieldsSeq(l.text) {
		at += bytes.Index(l.text[at:], field)
		word := string(field)
		switch last {
		case "machine":
			machine = word
		case "password":
			l.add("netrc-password", found{value: word, name: "netrc://" + machine, from: at, to: at + len(word), drawn: drawn(word) && len(word) >= 20})
			word = ""
		case "login", "account":
			word = ""
		}
		if last == "machine" {
			word = ""
		}
		last = word
		at += len(field)
	}
}

// pgpass reads the passwords of PostgreSQL's password file:
// host:port:database:user:password.
func (l *look) pgpass() {
	at := 0
	for line := range bytes.Lines(l.text) {
		fields := strings.SplitN(strings.TrimSpace(string(line)), ":", 5)
		if len(fields) == 5 && !strings.HasPrefix(fields[0], "#") {
			v := fields[4]
			from := at + bytes.LastIndex(line, []byte(v))
			l.add("connection-string", found{value: v, name: "postgres://" + fields[3] + "@" + fields[0], from: from, to: from + len(v), drawn: drawn(v) && len(v) >= 20})
		}
		at += len(line)
	}
}
