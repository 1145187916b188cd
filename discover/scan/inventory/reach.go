package inventory

import (
	"context"
	"go/parser"
	"go/token"
	"io"
	"path"
	"slices"
	"strconv"
	"strings"
)

// Bounds of the Go source that is read.
const (
	maxSources = 200_000 // files
	maxSource  = 4 << 20 // bytes of one
	maxNamed   = 5       // programs that are named in the evidence
)

// goSource reports whether a file is Go source that a build may take: no
// tests, and nothing that the go command passes over.
func goSource(name string) bool {
	if !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go") {
		return false
	}
	for part := range strings.SplitSeq(name, "/") {
		if part == "vendor" || part == "testdata" || part[0] == '_' || part[0] == '.' {
			return false
		}
	}
	return true
}

// imports are what the packages of one Go module import.
type imports struct {
	module  string
	of      map[string]*goPackage // by directory
	partial bool                  // not all could be read
}

type goPackage struct {
	program bool
	imports []string
}

// importing reads the imports of a module of the tree, once.
func (l *look) importing(ctx context.Context, dir string) *imports {
	if known := l.imports[dir]; known != nil {
		return known
	}
	all := &imports{of: map[string]*goPackage{}, module: l.moduleOf(dir), partial: l.unread || ctx.Err() != nil}
	if l.imports == nil {
		l.imports = map[string]*imports{}
	}
	l.imports[dir] = all
	for _, name := range l.goFiles {
		if ctx.Err() != nil {
			all.partial = true
			break
		}
		if l.module(path.Dir(name)) == dir && !l.parse(all, name) {
			all.partial = true
		}
	}
	return all
}

// module is the directory of the go.mod that is in force in a directory.
func (l *look) module(dir string) string {
	for {
		if slices.Contains(l.sources, dir) {
			return dir
		}
		if dir == "." {
			return ""
		}
		dir = path.Dir(dir)
	}
}

func (l *look) source(name string) ([]byte, bool) {
	f, err := l.files.Open(name)
	if err != nil {
		return nil, false
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxSource+1))
	return text, err == nil && len(text) <= maxSource
}

// moduleOf is the path that a go.mod declares.
func (l *look) moduleOf(dir string) string {
	text, _ := l.source(path.Join(dir, "go.mod"))
	for line := range strings.Lines(string(text)) {
		if words := strings.Fields(line); len(words) > 1 && words[0] == "module" {
			return strings.Trim(words[1], `"`)
		}
	}
	return ""
}

func (l *look) parse(all *imports, name string) bool {
	text, ok := l.source(name)
	if !ok {
		return false
	}
	f, err := parser.ParseFile(token.NewFileSet(), "", text, parser.ImportsOnly)
	if err != nil {
		return false
	}
	dir := path.Dir(name)
	p := all.of[dir]
	if p == nil {
		p = &goPackage{}
		all.of[dir] = p
	}
	p.program = p.program || f.Name.Name == "main"
	for _, i := range f.Imports {
		if to, err := strconv.Unquote(i.Path.Value); err == nil && !slices.Contains(p.imports, to) {
			p.imports = append(p.imports, to)
		}
	}
	return true
}

// use says how the source of the tree uses a Go module that a go.mod requires,
// and whether it does.
func (l *look) use(ctx context.Context, p *found) (evidence string, used bool) {
	dir := path.Dir(p.component.Path)
	all := l.importing(ctx, dir)
	if len(all.of) == 0 || all.partial {
		return "", true // nothing is known, so nothing is ruled out
	}
	var direct []string
	for d, pkg := range all.of {
		if slices.ContainsFunc(pkg.imports, func(i string) bool { return l.provides(p, i) }) {
			direct = append(direct, d)
		}
	}
	if len(direct) == 0 {
		return "No package of the tree imports it; other modules that are built in may.", false
	}
	names := all.programs(direct, dir)
	kind := "programs that import it, by packages of the tree: "
	if len(names) == 0 {
		names, kind = direct, "packages that import it: "
	}
	slices.Sort(names)
	more := ""
	if len(names) > maxNamed {
		names, more = names[:maxNamed], " and "+strconv.Itoa(len(names)-maxNamed)+" more"
	}
	return "Go " + kind + strings.Join(names, ", ") + more + ".", true
}

// provides reports whether a module provides a package: of all modules of the
// same go.mod the one with the longest name does.
func (l *look) provides(p *found, pkg string) bool {
	if !under(pkg, p.component.Name) {
		return false
	}
	return !slices.ContainsFunc(l.required[p.component.Path], func(other string) bool {
		return len(other) > len(p.component.Name) && under(pkg, other)
	})
}

func under(pkg, module string) bool {
	rest, ok := strings.CutPrefix(pkg, module)
	return ok && (rest == "" || rest[0] == '/')
}

// programs are the main packages that import one of some packages, directly or
// by others of the tree.
func (all *imports) programs(direct []string, dir string) (names []string) {
	importers := map[string][]string{}
	for d, pkg := range all.of {
		for _, i := range pkg.imports {
			if rest, ok := strings.CutPrefix(i, all.module); ok && all.module != "" && (rest == "" || rest[0] == '/') {
				to := path.Join(dir, rest)
				importers[to] = append(importers[to], d)
			}
		}
	}
	seen := map[string]bool{}
	for todo := slices.Clone(direct); len(todo) > 0; {
		d := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		if seen[d] {
			continue
		}
		seen[d] = true
		if pkg := all.of[d]; pkg != nil && pkg.program {
			names = append(names, d)
		}
		todo = append(todo, importers[d]...)
	}
	return names
}
