package scantest

import (
	"os"
	"strings"
	"testing"
)

// Page checks that a page of the documentation has every rule in it, and no
// other of the class.
func Page(t testing.TB, file, class string, rules []string) {
	t.Helper()
	page, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	said := map[string]bool{}
	for part := range strings.SplitSeq(string(page), "| `"+class+"/") {
		if id, _, ok := strings.Cut(part, "` |"); ok && !strings.ContainsAny(id, " \n`") {
			said[id] = true
		}
	}
	for _, r := range rules {
		if !said[r] {
			t.Errorf("%s does not say what %s/%s is", file, class, r)
		}
		delete(said, r)
	}
	for r := range said {
		t.Errorf("%s says what %s/%s is, and there is no such rule", file, class, r)
	}
}
