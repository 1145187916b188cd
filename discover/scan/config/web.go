package config

import (
	"errors"
	"fmt"
	"strings"
)

// directive is one of nginx, with what is in its braces.
type directive struct {
	name string
	args []string
	line int
	in   []directive
}

// parseNginx makes a subject of each server, with what it has from around it, and
// of a file without servers none.
func parseNginx(s source) ([]subject, error) {
	p := nginx{text: string(s.body), line: 1}
	all, err := p.block(0)
	var out []subject
	servers(all, map[string]any{}, &out)
	return out, err
}

// nginx reads the grammar of nginx: words, a semicolon or a block.
type nginx struct {
	text string
	at   int
	line int
}

const maxDirectives = 100_000

func (p *nginx) block(depth int) (all []directive, err error) {
	if depth > maxNesting {
		return nil, errLarge
	}
	var words []string
	start := 0
	for {
		word, quoted, ok := p.word()
		switch {
		case !ok && (depth > 0 || len(words) > 0):
			return all, errors.New("it ends within a block or directive")
		case !ok:
			return all, nil
		case !quoted && (word == ";" || word == "{"):
			if len(words) == 0 {
				return all, fmt.Errorf("line %d begins with %q", p.line, word)
			}
			d := directive{strings.ToLower(words[0]), words[1:], start, nil}
			if word == "{" {
				if strings.HasSuffix(d.name, "_by_lua_block") {
					return all, fmt.Errorf("line %d holds a program, and what follows was not read", p.line)
				}
				if d.in, err = p.block(depth + 1); err != nil {
					return append(all, d), err
				}
			}
			if all = append(all, d); len(all) > maxDirectives {
				return all, errLarge
			}
			words = nil
		case !quoted && word == "}":
			if depth == 0 || len(words) > 0 {
				return all, fmt.Errorf("line %d has a brace that closes nothing", p.line)
			}
			return all, nil
		default:
			if len(words) == 0 {
				start = p.line
			}
			words = append(words, word)
		}
	}
}

// word reads the next word or mark.
func (p *nginx) word() (word string, quoted, ok bool) {
	for p.at < len(p.text) {
		switch c := p.text[p.at]; {
		case c == '\n':
			p.line++
			p.at++
		case c == ' ' || c == '\t' || c == '\r':
			p.at++
		case c == '#':
			for p.at < len(p.text) && p.text[p.at] != '\n' {
				p.at++
			}
		case c == ';' || c == '{' || c == '}':
			p.at++
			return string(c), false, true
		case c == '"' || c == '\'':
			return p.quote(c), true, true
		default:
			start := p.at
			for p.at < len(p.text) && strings.IndexByte(" \t\r\n;", p.text[p.at]) < 0 {
				if p.text[p.at] == '$' && p.at+1 < len(p.text) && p.text[p.at+1] == '{' {
					for p.at < len(p.text) && p.text[p.at] != '}' {
						p.at++
					}
				} else if p.text[p.at] == '{' || p.text[p.at] == '}' {
					break
				}
				p.at = min(p.at+1, len(p.text))
			}
			return p.text[start:p.at], false, true
		}
	}
	return "", false, false
}

func (p *nginx) quote(mark byte) string {
	p.at++
	var b strings.Builder
	for p.at < len(p.text) && p.text[p.at] != mark {
		if p.text[p.at] == '\\' && p.at+1 < len(p.text) {
			p.at++
		}
		if p.text[p.at] == '\n' {
			p.line++
		}
		b.WriteByte(p.text[p.at])
		p.at++
	}
	p.at++
	return b.String()
}

// servers collects the servers among directives. Names of directives lead to the
// lists of their values, each as one text.
func servers(all []directive, outer map[string]any, out *[]subject) {
	own := values(all, outer)
	for _, d := range all {
		if d.name != "server" {
			if d.name == "http" || d.name == "stream" {
				servers(d.in, own, out)
			}
			continue
		}
		set := values(d.in, own)
		locations := []any{}
		for _, l := range d.in {
			if l.name == "location" {
				locations = append(locations, map[string]any{"path": strings.Join(l.args, " "), "set": values(l.in, map[string]any{})})
			}
		}
		names, listen := textOf(set["server_name"]), textOf(set["listen"])
		*out = append(*out, subject{kind: kindNginx, resource: "server " + names, symbol: listen, line: d.line, it: map[string]any{
			"set": set, "locations": locations, "tls": strings.Contains(listen, "ssl") || strings.Contains(listen, "443") || set["ssl_certificate"] != nil,
		}})
	}
}

// values are the simple directives of a block, over those from around it. A
// directive that stands in a block replaces all of the same name from around it.
func values(all []directive, outer map[string]any) map[string]any {
	set := map[string]any{}
	for k, v := range outer {
		set[k] = v
	}
	own := map[string][]any{}
	for _, d := range all {
		if d.in == nil {
			own[d.name] = append(own[d.name], strings.Join(d.args, " "))
		}
	}
	for k, v := range own {
		set[k] = v
	}
	return set
}

// parseApache reads the directives of Apache httpd, in whatever section they stand.
func parseApache(s source) ([]subject, error) {
	set := map[string]any{}
	var open []string
	var err error
	directories := []any{}
	lines(s.body, func(n int, line string) {
		word, rest, _ := strings.Cut(strings.ReplaceAll(line, "\t", " "), " ")
		rest = strings.TrimSpace(rest)
		switch {
		case strings.HasPrefix(word, "</"):
			if len(open) == 0 {
				err = fmt.Errorf("line %d closes a section that is not open", n)
				return
			}
			open = open[:len(open)-1]
		case strings.HasPrefix(word, "<"):
			open = append(open, strings.ToLower(strings.Trim(word, "<>"))+" "+strings.Trim(rest, `>" `))
			if len(open) > maxNesting {
				err = errLarge
			}
		default:
			name := strings.ToLower(word)
			set[name] = append(listOf(set[name]), rest)
			directories = append(directories, map[string]any{"section": strings.Join(open, " / "), "name": name, "value": rest})
		}
	})
	if err == nil && len(open) > 0 {
		err = errors.New("it ends within a section")
	}
	return []subject{{kind: kindApache, resource: "httpd", it: map[string]any{"set": set, "directives": directories}}}, err
}
