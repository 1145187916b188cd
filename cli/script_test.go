package cli

import (
	"archive/zip"
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"io"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// TestScripts runs the command line as people do: each file of
// testdata/script is a session in a shell. The environment has the days
// $YESTERDAY, $TODAY, $SOON and $IN_TWO_YEARS, and texts that are too long for
// a reason, $LONG, and for evidence, $LONGER. Beside the usual commands there are
//
//	fields FILE NAME…   every line of FILE is a JSON object with just these
//	                    keys; NAME? may be missing
//	lines FILE N        FILE has N lines
//	appears FILE        wait until FILE is there
//	zip ARCHIVE FILE…   packs files
//	serving             wait until a server answers on the data directory, so
//	                    that commands ask it instead of opening the directory
func TestScripts(t *testing.T) {
	t.Parallel()
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Setup: func(e *testscript.Env) error {
			e.Setenv("HOME", e.WorkDir)
			e.Setenv("LEEWARD_DATA", e.WorkDir+"/data")
			now := time.Now().UTC()
			for name, day := range map[string]time.Time{"YESTERDAY": now.AddDate(0, 0, -1), "TODAY": now, "SOON": now.AddDate(0, 1, 0), "IN_TWO_YEARS": now.AddDate(2, 0, 0)} {
				e.Setenv(name, day.Format(time.DateOnly))
			}
			e.Setenv("LONG", strings.Repeat("why ", 501))
			e.Setenv("LONGER", strings.Repeat("what ", 3201))
			return nil
		},
		Cmds: map[string]func(ts *testscript.TestScript, neg bool, args []string){"fields": fieldsOf, "lines": linesOf, "serving": serving, "appears": appears, "zip": zipFiles},
	})
}

func serving(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) > 0 {
		ts.Fatalf("usage: serving")
	}
	r := run{commands: &commands{Data: ts.Getenv("LEEWARD_DATA")}}
	for end := time.Now().Add(2 * time.Minute); r.running(context.Background()) == nil; time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			ts.Fatalf("no server answers on %s", r.Data)
		}
	}
}

func appears(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: appears file")
	}
	for end := time.Now().Add(2 * time.Minute); ; time.Sleep(20 * time.Millisecond) {
		if _, err := os.Stat(ts.MkAbs(args[0])); err == nil {
			return
		}
		if time.Now().After(end) {
			ts.Fatalf("%s does not appear", args[0])
		}
	}
}

// zipFiles packs files, without a program for it.
func zipFiles(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: zip archive file…")
	}
	f, err := os.Create(ts.MkAbs(args[0]))
	ts.Check(err)
	defer f.Close()
	w := zip.NewWriter(f)
	for _, name := range args[1:] {
		e, err := w.Create(name)
		ts.Check(err)
		_, err = io.WriteString(e, ts.ReadFile(name))
		ts.Check(err)
	}
	ts.Check(w.Close())
}

func fieldsOf(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: fields file name…")
	}
	known, needed := map[string]bool{}, map[string]bool{}
	for _, a := range args[1:] {
		name, optional := strings.CutSuffix(a, "?")
		known[name] = true
		if !optional {
			needed[name] = true
		}
	}
	n := 0
	for in := bufio.NewScanner(strings.NewReader(ts.ReadFile(args[0]))); in.Scan(); n++ {
		var o map[string]json.RawMessage
		if err := json.Unmarshal(bytes.TrimSpace(in.Bytes()), &o); err != nil {
			ts.Fatalf("%s, line %d is no JSON object: %v: %s", args[0], n+1, err, in.Text())
		}
		for name := range o {
			if !known[name] {
				ts.Fatalf("%s, line %d has the key %q, which the contract does not know", args[0], n+1, name)
			}
		}
		for _, name := range slices.Sorted(maps.Keys(needed)) {
			if _, ok := o[name]; !ok {
				ts.Fatalf("%s, line %d has no key %q: %s", args[0], n+1, name, in.Text())
			}
		}
	}
	if n == 0 {
		ts.Fatalf("%s is empty", args[0])
	}
}

func linesOf(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: lines file n")
	}
	text := ts.ReadFile(args[0])
	if got := strings.Count(text, "\n"); strings.TrimSpace(args[1]) != strconv.Itoa(got) {
		ts.Fatalf("%s has %d lines, want %s:\n%s", args[0], got, args[1], text)
	}
}
