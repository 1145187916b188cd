package builtin_test

import (
	"bytes"
	"encoding/json"
	"go/format"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"testing"
)

// TestPluginsPage keeps docs/plugins.md true: the format that it adds is built
// and passes the contract, without a file of it in the source.
func TestPluginsPage(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile(filepath.Join("..", "docs", "plugins.md"))
	if err != nil {
		t.Fatal(err)
	}
	var code [][]byte
	for _, m := range regexp.MustCompile("(?s)```(?:json|go)\n(.*?)```").FindAllSubmatch(page, -1) {
		code = append(code, m[1])
	}
	if len(code) != 4 {
		t.Fatalf("the page has %d blocks of code, want a report, its reader, the line in the registry and the test", len(code))
	}
	report, reader, line, test := code[0], code[1], code[2], code[3]
	registry, err := os.ReadFile("builtin.go")
	if err != nil {
		t.Fatal(err)
	}
	registry = bytes.Replace(registry, []byte("import (\n"), []byte("import (\n\t\"github.com/leeward-ctem/leeward/discover/report/lintel\"\n"), 1)
	registry = bytes.Replace(registry, []byte("\t\tgeneric.Reader{},"), append(bytes.Clone(line), "\t\tgeneric.Reader{},"...), 1)

	dir := t.TempDir()
	overlay := map[string]string{}
	for i, f := range []struct {
		path string
		text []byte
	}{
		{"builtin.go", registry},
		{"../discover/report/lintel/reader.go", reader},
		{"../discover/report/lintel/reader_test.go", test},
	} {
		if formatted, err := format.Source(f.text); err != nil || i > 0 && !bytes.Equal(formatted, f.text) {
			t.Errorf("gofmt would write %s otherwise: %v", f.path, err)
		}
		at, err := filepath.Abs(f.path)
		if err != nil {
			t.Fatal(err)
		}
		overlay[at] = filepath.Join(dir, filepath.Base(f.path))
		write(t, overlay[at], f.text)
	}
	replace, err := json.Marshal(map[string]any{"Replace": overlay})
	if err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(dir, "overlay.json"), replace)
	if err := os.Mkdir(filepath.Join(dir, "testdata"), 0o700); err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(dir, "testdata", "report.json"), report)

	program := filepath.Join(dir, "lintel.test")
	if runtime.GOOS == "windows" {
		program += ".exe"
	}
	run(t, "..", "go", "test", "-c", "-vet", "off", "-overlay", filepath.Join(dir, "overlay.json"), "-o", program, "./discover/report/lintel")
	run(t, dir, program, "-update", "-test.run", "TestReader/report.json/golden")
	golden, err := os.ReadFile(filepath.Join(dir, "testdata", "report.json.golden"))
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`"version":"2.1"`, `"advisories":["CVE-2011-3389"]`, `"rule":"TLS-OLD"`, `"severity":"high"`, `"port":443`, `"value":"web-1.example.com"`, `"rules":["HSTS","TLS-OLD"]`} {
		if !strings.Contains(string(golden), want) {
			t.Errorf("the example does not state %s:\n%s", want, golden)
		}
	}
	run(t, dir, program)
}

func write(t *testing.T, path string, text []byte) {
	t.Helper()
	if err := os.WriteFile(path, text, 0o600); err != nil {
		t.Fatal(err)
	}
}

func run(t *testing.T, dir, program string, args ...string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), program, args...)
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%s %s: %v\n%s", program, strings.Join(args, " "), err, out)
	}
}
