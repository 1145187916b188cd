package web

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestPreview writes all pages and the static files to the folder named by
// LEEWARD_WEB_PREVIEW, for a look at them in a browser.
func TestPreview(t *testing.T) {
	t.Parallel()
	dir := os.Getenv("LEEWARD_WEB_PREVIEW")
	if dir == "" {
		t.Skip("set LEEWARD_WEB_PREVIEW to a folder to write the pages there")
	}
	static := sampleStatic(t)
	write := func(name string, body []byte) {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, body, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for name, f := range static.files {
		write(filepath.Join("static", name), f.Body)
	}
	pages := append(samplePages(static), emptyPages(static)...)
	pages = append(pages, hostilePages(static, `<script>alert(1)</script>"'><img src=x onerror=alert(1)> مرحبا `+strings.Repeat("W", 300))...)
	for _, s := range pages {
		write(s.name+".html", []byte(render(t, s.page)))
	}
}
