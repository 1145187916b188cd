// Package decodetest checks that values which decode themselves do so as the
// library does.
package decodetest

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"testing"

	"github.com/leeward-ctem/leeward/discover/decode"
)

// Quick compares what a value makes of JSON with what the library fills it with.
// The seeds are the objects in the files that the pattern names, and more.
func Quick[T any, P interface {
	*T
	decode.Quick
}](f *testing.F, pattern string, more ...string) {
	f.Helper()
	files, err := filepath.Glob(pattern)
	if err != nil || len(files) == 0 {
		f.Fatalf("no files are like %s: %v", pattern, err)
	}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		objects(decode.NewJSON(bytes.NewReader(data)), func(raw []byte) { f.Add(raw) })
	}
	for _, in := range append(more, `null`, `[]`, `{}`, `{"a":{},"b":[1,"\u0000\ud800\n\"",null]}`, "{\"\xff\":\"\xff\"}") {
		f.Add([]byte(in))
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		raw, err := decode.NewJSON(bytes.NewReader(in)).Raw()
		if err != nil {
			return
		}
		var quick, slow T
		got, want := decode.Known(string(raw), P(&quick)), decode.Unmarshal(raw, &slow)
		if fmt.Sprint(got) != fmt.Sprint(want) || !reflect.DeepEqual(quick, slow) {
			t.Errorf("%s is\n%#v, %v, for the library it is\n%#v, %v", raw, quick, got, slow, want)
		}
	})
}

// objects calls f with each object of a document, those in others too.
func objects(j *decode.JSON, f func(raw []byte)) {
	raw, err := j.Raw()
	if err != nil {
		return
	}
	raw = bytes.Clone(raw)
	in := decode.NewJSON(bytes.NewReader(raw))
	within := func() error { objects(in, f); return nil }
	switch in.Kind() {
	case '{':
		f(raw)
		_ = in.Object(func(string) error { return within() })
	case '[':
		_ = in.Array(within)
	}
}
