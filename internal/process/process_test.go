//go:build linux

package process

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/leeward-ctem/leeward/exposure"
)

func TestMain(m *testing.M) {
	if os.Getenv("LEEWARD_TEST_PROGRAM") == "memory" {
		kept := [][]byte{}
		for range 1024 { // one GiB
			b := make([]byte, 1<<20)
			for i := 0; i < len(b); i += 4096 {
				b[i] = 1
			}
			kept = append(kept, b)
		}
		fmt.Println("had", len(kept), "MiB")
		return
	}
	if dir := os.Getenv("LEEWARD_TEST_PARENT"); dir != "" {
		out, err := Runner{Path: dir + ":/usr/bin:/bin"}.Run(context.Background(), "tool", nil, nil)
		if err != nil {
			panic(err)
		}
		io.Copy(os.Stdout, out)
		return
	}
	os.Exit(m.Run())
}

// script puts a program into a directory of its own and returns that.
func script(t *testing.T, text string) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "tool"), []byte("#!/bin/sh\n"+text+"\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	return dir
}

func run(t *testing.T, ctx context.Context, text string, l Limits, args ...string) (string, error, error) {
	t.Helper()
	out, err := Runner{Path: script(t, text) + ":/usr/bin:/bin", Limits: l}.Run(ctx, "tool", args, []string{"EXTRA=given"})
	if err != nil {
		t.Fatal(err)
	}
	b, readErr := io.ReadAll(out)
	return string(b), readErr, out.Close()
}

func TestRun(t *testing.T) {
	t.Setenv("LEEWARD_TOKEN", "must not be seen")
	said, err, end := run(t, t.Context(), `pwd; echo "$HOME"; env; nice; ulimit -c; for a in "$@"; do echo "<$a>"; done; echo x > written`, Limits{}, "a b", "$(id)", "--", "-x")
	if err != nil || end != nil {
		t.Fatal(err, end)
	}
	lines := strings.Split(said, "\n")
	if lines[0] != lines[1] || !strings.Contains(lines[0], "leeward-") {
		t.Errorf("it runs in %s with its home in %s", lines[0], lines[1])
	}
	if _, err := os.Stat(lines[0]); err == nil {
		t.Errorf("%s was left behind", lines[0])
	}
	for _, want := range []string{"EXTRA=given\n", "\n10\n0\n<a b>\n<$(id)>\n<-->\n<-x>\n"} {
		if !strings.Contains(said, want) {
			t.Errorf("%q is missing in %q", want, said)
		}
	}
	if strings.Contains(said, "LEEWARD_TOKEN") {
		t.Error("our environment was handed on")
	}
}

func TestNotInstalled(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		path, program string
		kind          exposure.Kind
	}{
		{t.TempDir(), "tool", exposure.NotFound},
		{".:" + t.TempDir(), "tool", exposure.NotFound},
		{"/bin", "../bin/sh", exposure.Invalid},
		{"/bin", "/bin/sh", exposure.Invalid},
		{"/bin", "", exposure.Invalid},
	} {
		if _, err := (Runner{Path: tt.path}).Run(t.Context(), tt.program, nil, nil); exposure.KindOf(err) != tt.kind {
			t.Errorf("%q in %q: %v", tt.program, tt.path, err)
		}
	}
}

func TestFailure(t *testing.T) {
	t.Parallel()
	said, err, end := run(t, t.Context(), `echo half; echo 'cannot log in: password=hunter2hunter2' >&2; exit 3`, Limits{})
	if err != nil || said != "half\n" {
		t.Error(said, err)
	}
	code, ok := end, false
	for e := end; e != nil; {
		if c, is := e.(interface{ ExitCode() int }); is {
			ok = c.ExitCode() == 3
		}
		u, is := e.(interface{ Unwrap() error })
		if !is {
			break
		}
		e = u.Unwrap()
	}
	if !ok || !strings.Contains(code.Error(), "cannot log in") || strings.Contains(code.Error(), "hunter2") {
		t.Errorf("it ended with %v", end)
	}
}

// alive reports whether a process is there and no zombie.
func alive(pid int) bool {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	return err == nil && !strings.Contains(string(b), ") Z ")
}

func gone(t *testing.T, pids []string) {
	t.Helper()
	if len(pids) < 2 {
		t.Fatalf("it started %q only", pids)
	}
	for _, s := range pids {
		pid, err := strconv.Atoi(s)
		if err != nil {
			t.Fatal(err)
		}
		for range 200 {
			if !alive(pid) {
				break
			}
			time.Sleep(5 * time.Millisecond) // it was killed, and is not gone at once
		}
		if alive(pid) {
			t.Errorf("process %d is still there", pid)
			_ = syscall.Kill(pid, syscall.SIGKILL)
		}
	}
}

// A program that hangs, with children that hang too, goes when the context does.
func TestKilled(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	out, err := Runner{Path: script(t, `trap '' TERM INT; sleep 1000 & echo $! $$; (sleep 1000; :) & wait; sleep 1000`) + ":/usr/bin:/bin"}.Run(ctx, "tool", nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	b := make([]byte, 100)
	n, err := out.Read(b)
	if err != nil {
		t.Fatal(err)
	}
	cancel()
	if _, err := out.Read(b[n:]); err == nil {
		t.Error("reading goes on")
	}
	if err := out.Close(); err == nil || !strings.Contains(err.Error(), "canceled") {
		t.Errorf("it ended with %v", err)
	}
	gone(t, strings.Fields(string(b[:n])))
}

// A program does not outlive the process that started it, which may be killed.
func TestParentKilled(t *testing.T) {
	t.Parallel()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	parent := exec.Command(self)
	parent.Env = []string{"LEEWARD_TEST_PARENT=" + script(t, `echo $$ $PPID; exec sleep 1000`), "TMPDIR=" + t.TempDir()}
	out, err := parent.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := parent.Start(); err != nil {
		t.Fatal(err)
	}
	b := make([]byte, 100)
	n, err := out.Read(b)
	parent.Process.Kill()
	parent.Wait()
	if err != nil {
		t.Fatal(err)
	}
	gone(t, strings.Fields(string(b[:n])))
}

// What a program that ended well leaves behind is ended, and does not hold its
// output open.
func TestLeftBehind(t *testing.T) {
	t.Parallel()
	said, err, end := run(t, t.Context(), `sleep 1000 & echo $! $$`, Limits{})
	if err != nil || end != nil {
		t.Fatal(err, end)
	}
	gone(t, strings.Fields(said))
}

func TestLimits(t *testing.T) {
	t.Parallel()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name, script string
		limits       Limits
		want         string
	}{
		{"time", `sleep 1000`, Limits{Time: 50 * time.Millisecond}, "took longer than it may (50ms)"},
		{"output", `yes`, Limits{Output: 1 << 20}, "wrote more than it may (1048576 bytes)"},
		{"errors", `i=0; while [ $i -lt 3000 ]; do echo 0123456789012345678901234567890123456789 >&2; i=$((i+1)); done; exit 1`, Limits{}, "exit status 1: …"},
		{"memory", `LEEWARD_TEST_PROGRAM=memory exec ` + self, Limits{Memory: 300 << 20}, "exit status"},
		{"file", `head -c 2000000 /dev/zero > big; echo $?; exit 7`, Limits{File: 1 << 20}, "exit status 7"},
		{"processor", `while :; do :; done`, Limits{CPU: time.Second}, "killed"},
		{"crash", `kill -SEGV $$`, Limits{}, "segmentation fault"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			said, _, err := run(t, t.Context(), tt.script, tt.limits)
			if err == nil || !strings.Contains(err.Error(), tt.want) || len(err.Error()) > 2*tailSize {
				t.Errorf("it ended with %v", err)
			}
			if tt.name == "file" && said == "0\n" || strings.Contains(said, "had 1024") {
				t.Errorf("it was not kept: %s", said)
			}
		})
	}
}

func TestClosedEarly(t *testing.T) {
	t.Parallel()
	out, err := Runner{Path: script(t, `echo $$ $PPID; sleep 1000`) + ":/usr/bin:/bin"}.Run(t.Context(), "tool", nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	b := make([]byte, 100)
	n, err := out.Read(b)
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := out.Close(); err != nil {
			t.Errorf("it ended with %v", err)
		}
	}
	pid := strings.Fields(string(b[:n]))[0]
	gone(t, []string{pid, pid})
}
