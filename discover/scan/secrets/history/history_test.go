package history_test

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/leeward-ctem/leeward/discover/scan/secrets/history"
)

func git(t testing.TB, dir string, args ...string) string {
	t.Helper()
	if _, err := exec.LookPath("git"); err != nil {
		t.Skip("no git here")
	}
	cmd := exec.Command("git", append([]string{"-c", "user.name=A", "-c", "user.email=a@example.com", "-c", "commit.gpgsign=false", "-C", dir}, args...)...)
	cmd.Env = append(os.Environ(), "GIT_CONFIG_GLOBAL=/dev/null", "GIT_CONFIG_SYSTEM=/dev/null", "GIT_DIR=", "GIT_AUTHOR_DATE=2026-03-01T12:00:00Z", "GIT_COMMITTER_DATE=2026-03-01T12:00:00Z")

	var env []string
	for _, e := range cmd.Env {
		if !strings.HasPrefix(e, "GIT_DIR=") && !strings.HasPrefix(e, "GIT_WORK_TREE=") && !strings.HasPrefix(e, "GIT_INDEX_FILE=") {
			env = append(env, e)
		}
	}
	cmd.Env = env
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("git %s: %v: %s", strings.Join(args, " "), err, out)
	}
	return strings.TrimSpace(string(out))
}

// versions reads a whole history.
func versions(t testing.TB, dir string) (map[string]string, []error) {
	t.Helper()
	r, err := history.Open(os.DirFS(dir), history.DefaultLimits())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = r.Close() }()
	if _, err := r.Walk(context.Background()); err != nil {
		t.Fatal(err)
	}
	all := map[string]string{}
	if err := r.Each(context.Background(), func(b history.Blob, text []byte) bool {
		all[b.ID.String()] = string(text)
		return true
	}); err != nil {
		t.Fatal(err)
	}
	return all, r.Problems()
}

// The history of this very repository is what git says it is.
func TestThisRepository(t *testing.T) {
	t.Parallel()
	root, err := filepath.Abs("../../../..")
	if err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(filepath.Join(root, ".git")); err != nil || !info.IsDir() {
		t.Skip("no repository here")
	}
	all, problems := versions(t, root)
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	want := map[string]bool{}
	objects := git(t, root, "cat-file", "--batch-check=%(objectname) %(objecttype) %(objectsize)", "--batch-all-objects")
	for line := range strings.Lines(objects) {
		f := strings.Fields(line)
		want[f[0]] = f[1] == "blob"
	}
	for id := range all {
		if !want[id] {
			t.Errorf("%s is no blob", id)
		}
	}
}
