package live

import (
	"bytes"
	"compress/gzip"
	"context"
	_ "embed"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/chromedp/chromedp"
)

// axe-core by Deque Systems, under the Mozilla Public License 2.0; see testdata/LICENSES.md.
//
//go:embed testdata/axe.min.js.gz
var axePacked []byte

// Look is a way to look at a page.
type Look struct {
	Scheme string // "light" or "dark"
	Width  int64
}

func (l Look) String() string { return fmt.Sprintf("%s, %d wide", l.Scheme, l.Width) }

// Looks are the ways that every page must be accessible in.
func Looks() []Look { return []Look{{"light", 1440}, {"dark", 1440}, {"dark", 390}, {"light", 390}} }

// axeRun asks for every rule of WCAG 2 A and AA and for the best practices.
// What depends on colours alone is all that can change between light and dark.
const (
	axeRun     = `{runOnly: {type: "tag", values: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22a", "wcag22aa", "best-practice"]}, resultTypes: ["violations"], preload: false}`
	axeColours = `{runOnly: {type: "rule", values: ["color-contrast", "link-in-text-block"]}, resultTypes: ["violations"], preload: false}`
)

// Accessible fails the test for everything that axe-core finds wrong with the
// page that is open, in all [Looks]. The page stays where it is: only the
// screen and the colours change. The script comes through the DevTools
// protocol, which the page's Content-Security-Policy does not bind.
//
// It takes about a second a page, so it is done when everything is.
func (b *Tab) Accessible(what string) {
	b.t.Helper()
	if !All() {
		return
	}
	unpacked, err := gzip.NewReader(bytes.NewReader(axePacked))
	if err != nil {
		b.t.Fatal(err)
	}
	script, err := io.ReadAll(unpacked)
	if err != nil {
		b.t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(b.Ctx, time.Minute)
	defer cancel()
	// What is folded away is a part of the page as well.
	script = append(script, `;document.querySelectorAll("main details").forEach((d) => d.open = true)`...)
	if err := chromedp.Do(ctx, chromedp.Evaluate[chromedp.Void](string(script)+";void 0")); err != nil {
		b.t.Fatalf("%s: axe does not load: %v", what, err)
	}
	seen := map[string]bool{}
	for i, look := range Looks() {
		b.Scheme(look.Scheme)
		b.Do("resize", chromedp.EmulateViewport(look.Width, 900))
		options := axeColours
		if i%2 == 0 { // the first of each width
			options = axeRun
		}
		// Colours on their way from light to dark are neither.
		found, err := chromedp.Run(ctx, chromedp.Evaluate[[]string](`document.getAnimations().forEach((a) => a.finish()), axe.run(document, `+options+`).then((r) => r.violations.flatMap((v) => v.nodes.map((n) =>
			v.id + ": " + n.failureSummary.replace(/\s+/g, " ") + " " + n.target.join(" ") + "\n\t" + n.html.slice(0, 300))))`, chromedp.EvalAwaitPromise))
		if err != nil {
			b.t.Fatalf("%s, %s: axe does not run: %v", what, look, err)
		}
		for _, f := range found {
			if !seen[f] {
				seen[f] = true
				b.t.Errorf("%s, %s: %s", what, look, strings.TrimSpace(f))
			}
		}
	}
}
