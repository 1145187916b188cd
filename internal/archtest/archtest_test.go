// Package archtest keeps the house in order: who may import whom, as a table
// with reasons, checked over the real imports.
package archtest

import (
	"bytes"
	"encoding/json"
	"errors"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"io/fs"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/leeward-ctem/leeward"

// rule says which packages of the house a package may import; of packages
// outside it, which it may not.
type rule struct {
	pkg    string   // pattern of path.Match, relative to the module
	allow  []string // packages of the house, patterns; exposure is always allowed
	forbid []string // import path prefixes outside the house
	why    string
}

var stages = []string{"scope", "discover", "intel", "prioritize", "validate", "mobilize", "measure"}

var network = []string{"net/http", "os/exec", "database/sql"}

var rules = []rule{
	{"exposure", nil, []string{"net/http", "os", "os/exec", "database/sql", "log"}, "the domain is pure: no I/O, no clock"},
	{"scope", []string{"internal/*"}, network, "a stage asks for what it needs by its own interface"},
	{"discover", []string{"discover/decode", "internal/*"}, network, "a stage asks for what it needs by its own interface"},
	{"discover/decode", nil, network, "decoding is pure"},
	{"discover/term", nil, network, "words are words"},
	{"discover/record", []string{"discover/decode", "discover/term"}, network, "decoding is pure"},
	{"discover/report/*", []string{"discover", "discover/decode", "discover/record", "discover/term"}, append([]string{"net"}, network...), "a report reader is a pure function of bytes"},
	{"discover/report/*/*", []string{"discover", "discover/decode", "discover/record", "discover/term", "discover/report/*"}, append([]string{"net"}, network...), "a report reader is a pure function of bytes"},
	{"guard", []string{"internal/reserved"}, []string{"os/exec", "database/sql"}, "the one door to the outside knows the rules and the network, and nothing of who asks"},
	{"discover/scan", []string{"discover", "guard"}, network, "what engines are given is declared here"},
	{"discover/scan/*", []string{"discover/scan", "discover/scan/*/*", "discover/decode", "discover/term", "guard", "intel/match", "internal/secret"}, append([]string{"net", "syscall"}, network...), "an engine reaches the world through the guard only"},
	{"discover/scan/*/*", []string{"discover/scan", "discover/scan/*", "discover/decode", "discover/term", "guard", "intel/match"}, append([]string{"net", "syscall"}, network...), "an engine reaches the world through the guard only"},
	{"agent", []string{"guard", "discover/scan"}, []string{"os/exec", "database/sql"}, "an agent works for whatever server it is given"},
	{"intel", []string{"intel/match", "internal/*"}, []string{"os/exec", "database/sql"}, "feeds are fetched here, and nowhere else"},
	{"intel/match", nil, append([]string{"net", "os"}, network...), "whether a version is affected is a pure function"},
	{"intel/firstseen", []string{"intel", "discover/decode"}, append([]string{"net"}, network...), "a list is read by a pure parser"},
	{"intel/target", nil, append([]string{"net"}, network...), "words are words"},
	{"intel/stixform", []string{"intel", "intel/target", "discover/decode"}, append([]string{"net"}, network...), "a form is read by a pure parser"},
	{"intel/cverecord", []string{"intel", "discover/decode"}, append([]string{"net"}, network...), "a record is read by a pure parser"},
	{"intel/osvform", []string{"intel", "intel/match", "discover/decode"}, append([]string{"net"}, network...), "an advisory is read by a pure parser"},
	{"intel/feed/*", []string{"intel", "intel/cverecord", "intel/firstseen", "intel/osvform", "intel/stixform", "intel/target", "discover/decode"}, append([]string{"net"}, network...), "a feed is a pure parser"},
	{"prioritize", []string{"prioritize/policy"}, append([]string{"os"}, network...), "the score is a pure function"},
	{"prioritize/policy", nil, append([]string{"os"}, network...), "a policy is a pure table"},
	{"prioritize/*", []string{"prioritize"}, append([]string{"os"}, network...), "statistics are pure functions"},
	{"validate", []string{"internal/*"}, network, "a stage asks for what it needs by its own interface"},
	{"validate/check/*", []string{"validate"}, append([]string{"net"}, network...), "a check reaches the world through the guard only"},
	{"mobilize", []string{"internal/*"}, network, "a stage asks for what it needs by its own interface"},
	{"mobilize/*", []string{"mobilize", "internal/*"}, network, "exports are pure writers"},
	{"mobilize/connector/*", []string{"mobilize"}, append([]string{"net"}, network...), "a connector reaches the world through the client it is given"},
	{"measure", nil, append([]string{"os"}, network...), "statistics are pure functions"},
	{"builtin", []string{"discover", "intel", "validate", "mobilize", "discover/report/*", "intel/feed/*", "validate/check/*", "mobilize/connector/*", "discover/scan", "discover/scan/*"}, nil, "the registry knows plug-ins and nothing else"},
	{"index", nil, append([]string{"net"}, network...), "the index reads its source and answers"},
	{"store", nil, []string{"net/http", "os/exec"}, "the store speaks SQL and nothing else"},
	{"cycle", stages, []string{"net/http", "os/exec"}, "the cycle runs what it is given"},
	{"web", []string{"measure", "web/*"}, append([]string{"net/http", "os"}, "os/exec", "database/sql"), "pages render values and never ask"},
	{"web/*", []string{"measure", "web", "web/*"}, []string{"net/http", "os/exec", "database/sql"}, "pages render values and never ask"},
	{"server", append([]string{"agent", "cycle", "guard", "index", "web", "web/*", "internal/*", "mobilize/export"}, stages...), []string{"database/sql", "os/exec"}, "the server asks its backend"},
	{"internal/demo", nil, network, "the demo is tables and arithmetic"},
	{"internal/process", []string{"internal/secret"}, []string{"net", "net/http", "database/sql"}, "programs of others are started here, and nowhere else"},
	{"internal/secret", nil, network, "redaction is a pure function"},
}

// free are packages that may import anything: the composition root, main, and
// what only tests use.
var free = []string{"cli", "cmd/*", "internal/testkit", "internal/testkit/*", "internal/archtest", "internal/safehttp", "internal/reserved", "discover/decode/decodetest", "discover/report/reporttest", "intel/feed/feedtest", "mobilize/connector/connectortest", "discover/scan/scantest", "guard/guardtest", "validate/check/checktest", "web/internal/*"}

type pkg struct {
	ImportPath string
	Dir        string
	Imports    []string
	GoFiles    []string
}

func packages(t *testing.T) []pkg {
	t.Helper()
	cmd := exec.Command("go", "list", "-json=ImportPath,Dir,Imports,GoFiles", "./...")
	cmd.Dir = filepath.Join("..", "..")
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v: %s", err, &stderr)
	}
	var all []pkg
	for dec := json.NewDecoder(bytes.NewReader(out)); ; {
		var p pkg
		if err := dec.Decode(&p); errors.Is(err, io.EOF) {
			return all
		} else if err != nil {
			t.Fatal(err)
		}
		all = append(all, p)
	}
}

func within(importPath string) (string, bool) {
	return strings.CutPrefix(importPath, module+"/")
}

func matches(patterns []string, name string) bool {
	return slices.ContainsFunc(patterns, func(p string) bool { ok, _ := path.Match(p, name); return ok })
}

func ruleFor(name string) *rule {
	if matches(free, name) {
		return nil
	}
	for i := range rules {
		if ok, _ := path.Match(rules[i].pkg, name); ok {
			return &rules[i]
		}
	}
	return &rule{pkg: name, why: "every package has a rule in archtest: add one"}
}

func TestImports(t *testing.T) {
	t.Parallel()
	for _, p := range packages(t) {
		name, _ := within(p.ImportPath)
		r := ruleFor(name)
		if r == nil {
			continue
		}
		for _, imported := range p.Imports {
			if inner, ok := within(imported); ok {
				if inner != "exposure" && !matches(r.allow, inner) {
					t.Errorf("%s imports %s: %s", name, inner, r.why)
				}
				continue
			}
			if name == "exposure" && strings.Contains(strings.Split(imported, "/")[0], ".") {
				t.Errorf("exposure imports %s: the domain uses the standard library only", imported)
			}
			for _, f := range r.forbid {
				if imported == f || strings.HasPrefix(imported, f+"/") && f != "net" && f != "os" && f != "log" {
					t.Errorf("%s imports %s: %s", name, imported, r.why)
				}
			}
		}
	}
}

func TestNames(t *testing.T) {
	t.Parallel()
	bad := []string{"util", "utils", "common", "helper", "helpers", "models", "types", "manager", "misc", "base"}
	for _, p := range packages(t) {
		if slices.Contains(bad, path.Base(p.ImportPath)) {
			t.Errorf("%s: a package is named by a noun of the field", p.ImportPath)
		}
	}
}

// dialling are functions of other packages that open sockets by themselves.
var dialling = map[string][]string{
	"tls":       {"Dial", "DialWithDialer", "Dialer", "Listen"},
	"ssh":       {"Dial"},
	"websocket": {"Dial", "DialConfig"},
	"smtp":      {"Dial"},
	"textproto": {"Dial"},
	"rpc":       {"Dial", "DialHTTP"},
	"syslog":    {"Dial"},
}

// Engines and checks cannot open sockets but through the guard.
func TestOneDoor(t *testing.T) {
	t.Parallel()
	for _, p := range packages(t) {
		name, _ := within(p.ImportPath)
		if !matches([]string{"discover/scan", "discover/scan/*", "discover/scan/*/*", "validate/check/*"}, name) || matches(free, name) {
			continue
		}
		for _, file := range p.GoFiles {
			f, err := parser.ParseFile(token.NewFileSet(), filepath.Join(p.Dir, file), nil, parser.SkipObjectResolution)
			if errors.Is(err, fs.ErrNotExist) {
				continue
			} else if err != nil {
				t.Fatal(err)
			}
			ast.Inspect(f, func(n ast.Node) bool {
				if sel, ok := n.(*ast.SelectorExpr); ok {
					if x, ok := sel.X.(*ast.Ident); ok && slices.Contains(dialling[x.Name], sel.Sel.Name) {
						t.Errorf("%s/%s uses %s.%s: connections are made by guard.Network", name, file, x.Name, sel.Sel.Name)
					}
				}
				return true
			})
		}
	}
}

// No init functions anywhere, and no os.Exit below main.
func TestNoHiddenEffects(t *testing.T) {
	t.Parallel()
	for _, p := range packages(t) {
		name, _ := within(p.ImportPath)
		for _, file := range p.GoFiles {
			f, err := parser.ParseFile(token.NewFileSet(), filepath.Join(p.Dir, file), nil, parser.SkipObjectResolution)
			if errors.Is(err, fs.ErrNotExist) {
				continue
			} else if err != nil {
				t.Fatal(err)
			}
			ast.Inspect(f, func(n ast.Node) bool {
				switch n := n.(type) {
				case *ast.FuncDecl:
					if n.Name.Name == "init" && n.Recv == nil {
						t.Errorf("%s/%s has an init function: register explicitly", name, file)
					}
				case *ast.SelectorExpr:
					if x, ok := n.X.(*ast.Ident); ok && x.Name == "os" && n.Sel.Name == "Exit" && !strings.HasPrefix(name, "cmd/") {
						t.Errorf("%s/%s calls os.Exit: return an exit code", name, file)
					}
				}
				return true
			})
		}
	}
}
