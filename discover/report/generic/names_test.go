package generic

import (
	"os"
	"regexp"
	"strings"
	"testing"
)

// TestNames: no name means two things.
func TestNames(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for f, names := range vocabulary {
		if names.documented == "" {
			t.Errorf("field %d has no documented name", f)
		}
		for name := range strings.FieldsSeq(names.documented + " " + names.others) {
			if seen[name] || normalName(name) != name || len(name) > maxName {
				t.Errorf("%q is there twice, or not in its normal form", name)
			}
			seen[name] = true
		}
	}
}

// TestDocumented: the documentation has the documented names, and no others.
func TestDocumented(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile("format.md")
	if err != nil {
		t.Fatal(err)
	}
	d := newDictionary()
	told := map[string]bool{}
	quoted := regexp.MustCompile("`([a-z0-9_]+)`")
	for line := range strings.Lines(string(page)) {
		cells := strings.Split(line, "|")
		if len(cells) < 5 {
			continue
		}
		for _, m := range quoted.FindAllStringSubmatch(cells[1]+cells[2], -1) {
			if meant, ok := d.lookup(m[1]); !ok || !meant.documented {
				t.Errorf("format.md names the column %q, which is not documented in the vocabulary", m[1])
			}
			told[normalName(m[1])] = true
		}
	}
	for f, names := range vocabulary {
		for name := range strings.FieldsSeq(names.documented) {
			if field(f) != fieldIgnored && !told[name] {
				t.Errorf("format.md does not name the column %q", name)
			}
		}
	}
}
