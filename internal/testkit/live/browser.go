package live

import (
	"context"
	"fmt"
	"os/exec"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
)

// Tab is one page of a real Chromium. It remembers what the browser complained
// about: console errors, exceptions, and reports of the
// Content-Security-Policy.
type Tab struct {
	t   testing.TB
	Ctx context.Context

	mu       sync.Mutex
	problems []string
}

// Browser opens a tab of a new headless Chromium, or skips the test when there
// is none. The test fails at its end if the browser complained about anything
// that [Tab.Problems] was not asked for. Questions of the page are answered yes.
func Browser(t testing.TB) *Tab {
	t.Helper()
	path := ""
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if p, err := exec.LookPath(name); err == nil {
			path = p
			break
		}
	}
	if path == "" {
		Missing(t, "Chromium")
	}
	options := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(path), chromedp.NoSandbox, chromedp.DisableGPU,
		// Without these it looks for its maker's servers at every start.
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-background-networking", true),
		chromedp.Flag("disable-component-update", true), chromedp.Flag("disable-sync", true),
		chromedp.Flag("disable-dev-shm-usage", true))
	alloc, stop := chromedp.NewExecAllocator(context.WithoutCancel(t.Context()), options...)
	ctx, closeTab := chromedp.NewContext(alloc)
	ctx, giveUp := context.WithTimeout(ctx, 6*time.Minute)
	tab := &Tab{t: t, Ctx: ctx}
	t.Cleanup(func() {
		for _, p := range tab.Problems() {
			t.Errorf("the browser complains: %s", p)
		}
		giveUp()
		closeTab()
		stop()
	})
	if err := chromedp.Do(ctx, chromedp.EmulateViewport(1440, 900)); err != nil {
		t.Fatalf("Chromium did not start: %v", err)
	}
	messages := chromedp.Console(ctx)
	go func() {
		for m, err := range messages {
			if err != nil {
				return
			}
			switch m.Type {
			case chromedp.ConsoleError, chromedp.ConsoleWarning, chromedp.ConsoleException:
				tab.mu.Lock()
				tab.problems = append(tab.problems, fmt.Sprintf("%s: %s %s", m.Type, m.Text, m.URL))
				tab.mu.Unlock()
			}
		}
	}()
	dialogs := chromedp.Events(ctx, page.JavascriptDialogOpening)
	go func() {
		for d, err := range dialogs {
			if err != nil {
				return
			}
			if d.Type == page.DialogTypeAlert { // nobody here alerts
				tab.mu.Lock()
				tab.problems = append(tab.problems, "alert: "+d.Message)
				tab.mu.Unlock()
			}
			if _, err := chromedp.Call(ctx, page.HandleJavaScriptDialog, page.HandleJavaScriptDialogParams{Accept: true}); err != nil {
				return
			}
		}
	}()
	return tab
}

// Problems returns what the browser complained about since the last call.
func (b *Tab) Problems() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	all := b.problems
	b.problems = nil
	return all
}

// Do runs steps and fails the test when one of them does.
func (b *Tab) Do(what string, steps ...chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.Ctx, 20*time.Second)
	defer cancel()
	if err := chromedp.Do(ctx, steps...); err != nil {
		where, _ := chromedp.Run(b.Ctx, chromedp.Location())
		text, _ := chromedp.Run(b.Ctx, chromedp.Text(chromedp.CSS("body")))
		b.t.Fatalf("%s at %s: %v\n%.2000s", what, where, err, text)
	}
}

// Text returns the visible text of the first element that a CSS selector finds.
func (b *Tab) Text(selector string) string {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.Ctx, 20*time.Second)
	defer cancel()
	text, err := chromedp.Run(ctx, chromedp.Text(chromedp.CSS(selector)))
	if err != nil {
		b.t.Fatalf("read %s: %v", selector, err)
	}
	return text
}

// Scheme makes pages think that the system is "light" or "dark".
func (b *Tab) Scheme(scheme string) {
	b.t.Helper()
	_, err := chromedp.Call(b.Ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
		Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}},
	})
	if err != nil {
		b.t.Fatal(err)
	}
}

// Picture returns the whole page as a PNG.
func (b *Tab) Picture() []byte {
	b.t.Helper()
	png, err := chromedp.Run(b.Ctx, chromedp.FullScreenshot(100))
	if err != nil {
		b.t.Fatal(err)
	}
	return png
}
