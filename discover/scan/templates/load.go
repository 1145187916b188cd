package templates

import (
	"embed"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"

	"go.yaml.in/yaml/v4"

	"github.com/leeward-ctem/leeward/exposure"
)

// Set is templates that were understood.
type Set struct {
	Templates []*Template
}

// Bounds of a directory.
const (
	maxTemplates = 20_000
	maxTotal     = 256 << 20
)

//go:embed builtin/*.yaml
var embedded embed.FS

// Builtin are the templates that come with Leeward. A test reads them all.
func Builtin() *Set { return builtin() }

var builtin = sync.OnceValue(func() *Set {
	s, _ := Load(embedded)
	return s
})

// Load reads all templates of a directory, files that end in .yaml or .yml.
// What is not understood is left out and named by an error: an
// *[exposure.RecordError] for each such template, which says which template
// it is and which of its fields.
func Load(dir fs.FS) (*Set, []error) {
	l := &loader{set: &Set{}, files: map[string]string{}}
	err := fs.WalkDir(dir, ".", func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			l.fail(name, err)
			return nil
		case d.IsDir() && name != "." && strings.HasPrefix(d.Name(), "."):
			return fs.SkipDir
		case !d.Type().IsRegular() || path.Ext(name) != ".yaml" && path.Ext(name) != ".yml":
			return nil
		}
		return l.read(dir, name)
	})
	if err != nil {
		l.fail(".", err)
	}
	return l.set, l.errs
}

type loader struct {
	set   *Set
	files map[string]string // by id
	count int
	total int
	errs  []error
}

func (l *loader) fail(name string, err error) {
	if len(l.errs) < maxTemplates {
		l.errs = append(l.errs, &exposure.RecordError{Record: l.count, Offset: -1, Err: fmt.Errorf("template %s: %w", printable(cut(name, 200)), err)})
	}
}

func (l *loader) read(dir fs.FS, name string) error {
	if l.count++; l.count > maxTemplates {
		return fmt.Errorf("the directory has more than %d templates", maxTemplates)
	}
	f, err := dir.Open(name)
	if err != nil {
		l.fail(name, err)
		return nil
	}
	defer f.Close()
	body, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if l.total += len(body); l.total > maxTotal {
		return fmt.Errorf("the templates have more than %d bytes", maxTotal)
	}
	if err != nil {
		l.fail(name, err)
		return nil
	}
	t, err := Parse(name, body)
	if err != nil {
		l.fail(name, err)
		return nil
	}
	if other, twice := l.files[t.ID]; twice {
		l.fail(name, fmt.Errorf("id: %s is the id of %s too", t.ID, other))
		return nil
	}
	l.files[t.ID] = name
	l.set.Templates = append(l.set.Templates, t)
	return nil
}

// Parse reads one template.
func Parse(file string, body []byte) (*Template, error) {
	root, err := document(body)
	if err != nil {
		return nil, err
	}
	t := &Template{File: file}
	r := &reader{t: t, names: newNaming(), counts: map[string]int{}}
	if err := r.template(root); err != nil {
		if t.ID != "" {
			return nil, fmt.Errorf("%s: %w", t.ID, err)
		}
		return nil, err
	}
	return t, nil
}

// reader reads one template.
type reader struct {
	t      *Template
	names  *naming
	counts map[string]int // steps by protocol
	flow   string
}

func (r *reader) template(root *yaml.Node) error {
	steps := func(protocol string, read func(at string, n *yaml.Node) (entry, error)) field {
		return func(at string, n *yaml.Node) error {
			return each(at, n, func(at string, n *yaml.Node) error {
				r.counts[protocol]++
				s, err := read(at, n)
				s.protocol, s.number = protocol, r.counts[protocol]
				r.t.steps = append(r.t.steps, s)
				return err
			})
		}
	}
	const code = "programs are not run"
	err := mapping("", root, map[string]field{
		"id": r.id, "info": r.info, "variables": r.variables, "constants": r.variables, "flow": intoString(&r.flow), "stop-at-first-match": ignored,
		"http": steps("http", r.http), "requests": steps("http", r.http), "dns": steps("dns", r.dns),
		"tcp": steps("tcp", r.tcp), "network": steps("tcp", r.tcp), "ssl": steps("ssl", r.ssl),
		"code": refused(code), "javascript": refused(code), "headless": refused("no browser is run"), "file": refused("files are looked at by other engines"),
		"websocket": refused("WebSocket is not spoken"), "whois": refused("registries are not asked"), "workflows": refused("workflows are not followed"),
		"self-contained": refused("a template asks the target and nobody else"), "signature": refused("requests are not signed"),
	})
	switch {
	case err != nil:
		return err
	case r.t.ID == "":
		return errors.New("id: is missing")
	case r.t.Name == "":
		return errors.New("info.name: is missing")
	case len(r.t.steps) == 0:
		return errors.New("it asks nothing: http, dns, tcp or ssl is expected")
	}
	if err := r.names.finish(); err != nil {
		return err
	}
	return r.finish()
}

// finish derives what follows from the whole.
func (r *reader) finish() error {
	t := r.t
	has := func(tags ...string) bool {
		return slices.ContainsFunc(t.Tags, func(tag string) bool { return slices.Contains(tags, tag) })
	}
	if has("dos", "intrusive") {
		return refuse("info.tags", "what exhausts or changes targets is not run")
	}
	t.Level, t.Credentials = exposure.LevelObserve, has("default-login", "default-logins", "brute-force")
	if t.Credentials {
		t.Level = exposure.LevelAuthenticated
	}
	for i := range t.steps {
		s := &t.steps[i]
		t.Level = max(t.Level, s.level())
		if len(s.matchers)+len(s.extractors) == 0 && r.flow == "" && len(t.steps) == 1 {
			return fmt.Errorf("%s: neither matchers nor extractors", s.protocol)
		}
		if t.Credentials && s.http != nil && s.http.sets() > maxLogins {
			return refuse("http.payloads", fmt.Sprintf("more than %d logins are not tried", maxLogins))
		}
	}
	if r.flow == "" {
		return nil
	}
	e, err := parseFlow(r.flow, r.counts)
	if err != nil {
		return refuse("flow", err.Error()+": http(1) && http(2) and the like are")
	}
	t.flow = e
	return nil
}

// maxLogins is how many logins a template tries.
const maxLogins = 8

func (r *reader) id(at string, n *yaml.Node) error {
	var id string
	if err := intoString(&id)(at, n); err != nil {
		return err
	}
	if !idForm.MatchString(id) {
		return fmt.Errorf("id: %q: letters, digits and ._- are expected", printable(cut(id, 60)))
	}
	r.t.ID = id
	return nil
}

var cveForm = regexp.MustCompile(`^CVE-\d{4}-\d{4,9}$`)

func (r *reader) info(at string, n *yaml.Node) error {
	t := r.t
	var severity string
	var tags, cves, cwes, metrics []string
	classification := func(at string, n *yaml.Node) error {
		return mapping(at, n, map[string]field{
			"cve-id": intoList(&cves), "cwe-id": intoList(&cwes), "cvss-metrics": intoList(&metrics),
			anything: ignored,
		})
	}
	metadata := func(_ string, n *yaml.Node) error {
		for i := 0; n.Kind == yaml.MappingNode && i+1 < len(n.Content); i += 2 {
			if n.Content[i].Value == "verified" {
				t.verified = n.Content[i+1].Value == "true"
			}
		}
		return nil
	}
	if err := mapping(at, n, map[string]field{
		"name": intoString(&t.Name), "severity": intoString(&severity), "description": intoString(&t.Description), "remediation": intoString(&t.Solution),
		"reference": intoList(&t.References), "references": intoList(&t.References), "tags": intoList(&tags), "classification": classification, "metadata": metadata,
		anything: ignored,
	}); err != nil {
		return err
	}
	t.Name = cut(strings.Join(strings.Fields(printable(t.Name)), " "), 190)
	t.Description, t.Solution = cut(strings.TrimSpace(t.Description), 4096), cut(strings.TrimSpace(t.Solution), 4096)
	if len(t.References) > 50 {
		t.References = t.References[:50]
	}
	if t.Severity = exposure.SeverityInfo; severity != "" && severity != "unknown" {
		if err := t.Severity.UnmarshalText([]byte(strings.ToLower(severity))); err != nil {
			return fmt.Errorf("%s.severity: %w", at, err)
		}
	}
	for _, list := range tags {
		for tag := range strings.SplitSeq(list, ",") {
			if tag = strings.ToLower(strings.TrimSpace(tag)); tag != "" && len(t.Tags) < 100 {
				t.Tags = append(t.Tags, tag)
			}
		}
	}
	advisory := func(id string) {
		if id = strings.ToUpper(strings.TrimSpace(id)); cveForm.MatchString(id) && !slices.Contains(t.Advisories, id) && len(t.Advisories) < 50 {
			t.Advisories = append(t.Advisories, id)
		}
	}
	for _, list := range cves {
		for id := range strings.SplitSeq(list, ",") {
			advisory(id)
		}
	}
	if len(t.Advisories) == 0 {
		advisory(t.ID) // templates of CVEs are named after them
	}
	for _, list := range cwes {
		for id := range strings.SplitSeq(list, ",") {
			if v, err := strconv.Atoi(strings.TrimPrefix(strings.ToUpper(strings.TrimSpace(id)), "CWE-")); err == nil && v > 0 && len(t.CWEs) < 20 {
				t.CWEs = append(t.CWEs, v)
			}
		}
	}
	if len(metrics) > 0 && strings.Contains(metrics[0], ":") {
		t.CVSS = []string{cut(metrics[0], 300)}
	}
	return nil
}

func (r *reader) variables(at string, n *yaml.Node) error {
	if n.Kind != yaml.MappingNode || len(n.Content) > 200 {
		return fmt.Errorf("%s: a mapping of at most 100 names is expected", at)
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		name := n.Content[i].Value
		here := at + "." + printable(cut(name, 60))
		if !variableForm.MatchString(name) || slices.Contains(base(), name) {
			return fmt.Errorf("%s: is no name for a variable", here)
		}
		var t text
		if err := intoText(&t)(here, n.Content[i+1]); err != nil {
			return err
		}
		if err := r.names.text(here, t); err != nil {
			return err
		}
		r.names.declare(name)
		r.t.variables = append(r.t.variables, variable{name, t})
	}
	return nil
}

var variableForm = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]{0,63}$`)

// operators are the fields that steps of every protocol have.
func (r *reader) operators(o *operators, with map[string]field) map[string]field {
	var condition string
	with["matchers"] = func(at string, n *yaml.Node) error {
		return each(at, n, func(at string, n *yaml.Node) error {
			m, err := readMatcher(at, n, r.names)
			o.matchers = append(o.matchers, m)
			return err
		})
	}
	with["extractors"] = func(at string, n *yaml.Node) error {
		return each(at, n, func(at string, n *yaml.Node) error {
			x, err := readExtractor(at, n, r.names)
			if o.extractors = append(o.extractors, x); err == nil && x.name != "" {
				r.names.declare(x.name)
			}
			return err
		})
	}
	with["matchers-condition"] = func(at string, n *yaml.Node) error {
		err := oneOf(&condition, "and", "or")(at, n)
		o.all = condition == "and"
		return err
	}
	with["stop-at-first-match"] = intoBool(&o.stopAtFirst)
	for _, name := range []string{"id", "name", "description"} {
		if with[name] == nil {
			with[name] = ignored
		}
	}
	return with
}

// parseFlow reads a flow of steps: calls by number, joined by && and ||.
func parseFlow(s string, counts map[string]int) (*expr, error) {
	protocols := strings.NewReplacer("network(", "tcp(", "\n", " ").Replace(strings.TrimSuffix(strings.TrimSpace(s), ";"))
	p := &parser{s: protocols}
	p.next()
	e := p.flow(0, 0, counts)
	if p.err == nil && p.kind != "end" {
		p.fail("%q is not supported", p.tok)
	}
	return e, p.err
}

// flow reads what package expr's expressions are not: calls of steps.
func (p *parser) flow(least, depth int, counts map[string]int) *expr {
	e := &expr{}
	switch {
	case depth > maxDepth:
		p.fail("it is nested too deep")
	case p.kind == "op" && p.tok == "!":
		p.next()
		e = &expr{op: "not", args: []*expr{p.flow(3, depth+1, counts)}}
	case p.kind == "op" && p.tok == "(":
		p.next()
		e = p.flow(0, depth+1, counts)
		p.expect(")")
	case p.kind == "name" && counts[p.tok] > 0:
		e = p.steps(counts)
	default:
		p.fail("%q is not supported", p.tok)
	}
	for p.err == nil && p.kind == "op" && (p.tok == "&&" || p.tok == "||") && binding(p.tok) > least {
		op := p.tok
		p.next()
		e = p.node(&expr{op: op, args: []*expr{e, p.flow(binding(op), depth+1, counts)}})
	}
	return e
}

func (p *parser) steps(counts map[string]int) *expr {
	e := &expr{op: "call", text: p.tok}
	p.next()
	p.expect("(")
	for p.err == nil && p.kind == "number" {
		if p.num < 1 || p.num > float64(counts[e.text]) || p.num != float64(int(p.num)) {
			p.fail("there is no %s(%s)", e.text, p.tok)
		}
		e.args = append(e.args, &expr{op: "number", num: p.num})
		if p.next(); p.kind == "op" && p.tok == "," {
			p.next()
		}
	}
	p.expect(")")
	return e
}
