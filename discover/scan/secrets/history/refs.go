package history

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"io/fs"
	"path"
	"strings"
)

// readFile reads a small file of the repository; missing ones are empty.
func (r *Repository) readFile(git fs.FS, name string) []byte {
	f, err := git.Open(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		r.problem("%s: %w", name, err)
		return nil
	}
	defer func() { _ = f.Close() }()
	body, err := io.ReadAll(io.LimitReader(f, maxSmall+1))
	if err != nil {
		r.problem("%s: %w", name, err)
		return nil
	}
	if len(body) > maxSmall {
		r.problem("%s has more than %d bytes: what follows was not read", name, maxSmall)
		body = body[:maxSmall]
	}
	return body
}

// format refuses what this package does not read. Of the configuration it looks
// at nothing else: filters, hooks and includes in it mean nothing here.
func (r *Repository) format(git fs.FS) error {
	for line := range strings.Lines(strings.ToLower(string(r.readFile(git, "config")))) {
		name, value, _ := strings.Cut(line, "=")
		name, value = strings.TrimSpace(name), strings.TrimSpace(value)
		switch {
		case name == "objectformat" && value != "sha1":
			return errors.New("the repository names its objects by " + value + ", and only sha1 is read")
		case name == "refstorage" && value != "files":
			return errors.New("the repository keeps its references as " + value + ", and only files are read")
		case name == "partialclone" || name == "promisor" && value == "true":
			r.problem("the clone is a partial one, so older versions of files are not there: scan a full clone")
		}
	}
	return nil
}

func (r *Repository) readShallow(git fs.FS) {
	for line := range bytes.Lines(r.readFile(git, "shallow")) {
		if id, ok := parseID(string(bytes.TrimSpace(line))); ok {
			r.pruned[id] = true
		}
	}
	if len(r.pruned) > 0 {
		r.problem("the clone is a shallow one, so the older history is not there: git fetch --unshallow gets it")
	}
}

func (r *Repository) readRefs(git fs.FS) {
	packed := map[string]ID{}
	scanner := bufio.NewScanner(bytes.NewReader(r.readFile(git, "packed-refs")))
	for scanner.Scan() {
		id, name, _ := strings.Cut(scanner.Text(), " ")
		if parsed, ok := parseID(id); ok {
			packed[name] = parsed
			r.addHead(parsed)
		}
	}
	if scanner.Err() != nil {
		r.problem("packed-refs: %w", scanner.Err())
	}
	r.walkRefs(git, "refs", 0)
	r.head = r.resolve(git, "HEAD", packed, 0)
	if r.head != (ID{}) {
		r.addHead(r.head)
	}
}

func (r *Repository) addHead(id ID) {
	switch {
	case len(r.heads) < maxRefs:
		r.heads = append(r.heads, id)
	case len(r.heads) == maxRefs:
		r.heads = append(r.heads, id)
		r.problem("there are more than %d references: the history of the others was not read", maxRefs)
	}
}

func (r *Repository) walkRefs(git fs.FS, dir string, depth int) {
	entries, err := fs.ReadDir(git, dir)
	if errors.Is(err, fs.ErrNotExist) {
		return
	}
	if err != nil || depth > maxDepth {
		r.problem("%s: the references there were not read: %v", dir, err)
		return
	}
	for _, e := range entries {
		name := path.Join(dir, e.Name())
		switch {
		case len(r.heads) > maxRefs:
			return
		case e.IsDir():
			r.walkRefs(git, name, depth+1)
		case e.Type().IsRegular():
			if id, ok := parseID(strings.TrimSpace(string(r.readFile(git, name)))); ok {
				r.addHead(id)
			}
		}
	}
}

// resolve follows HEAD to its commit; zero when there is none yet.
func (r *Repository) resolve(git fs.FS, name string, packed map[string]ID, depth int) ID {
	if depth > 5 || !fs.ValidPath(name) {
		return ID{}
	}
	text := strings.TrimSpace(string(r.readFile(git, name)))
	if id, ok := parseID(text); ok {
		return id
	}
	if target, ok := strings.CutPrefix(text, "ref: "); ok && strings.HasPrefix(target, "refs/") {
		return r.resolve(git, target, packed, depth+1)
	}
	return packed[name]
}
