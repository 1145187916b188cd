package decode

import (
	"fmt"
	"strings"
	"testing"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// TestNUL: no text has U+0000, however it is read, and nothing else changes.
func TestNUL(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		`"a\u0000b"`:                       "a\ufffdb",
		`"\u0000\u0000"`:                   "\ufffd\ufffd",
		`"\\u0000"`:                        `\u0000`,
		`"\\\u0000"`:                       "\\\ufffd",
		`"\\\\u0000\u0000"`:                "\\\\u0000\ufffd",
		`"\u00000"`:                        "\ufffd0",
		`"\u0001"`:                         "\x01",
		`"u0000"`:                          "u0000",
		`"` + strings.Repeat(`\`, 8) + `"`: `\\\\`,
	} {
		var got string
		if err := Unmarshal([]byte(in), &got); err != nil || got != want {
			t.Errorf("Unmarshal(%s) = %q, %v, want %q", in, got, err, want)
		}
		if err := NewJSON(strings.NewReader(in)).Value(&got); err != nil || got != want {
			t.Errorf("Value of %s is %q, %v, want %q", in, got, err, want)
		}
		if got := Text([]byte(in)); got != want {
			t.Errorf("Text(%s) = %q, want %q", in, got, want)
		}
		var name string
		j := NewJSON(strings.NewReader("{" + in + ": 1}"))
		if err := j.Object(func(n string) error { name = n; return j.Skip() }); err != nil || name != want {
			t.Errorf("the name %s is %q, %v", in, name, err)
		}
	}
}

func FuzzNUL(f *testing.F) {
	f.Add([]byte(`{"a\u0000": "\\u0000 \\\u0000"}`))
	f.Fuzz(func(t *testing.T, in []byte) {
		before := string(in)
		out := withoutNUL(in)
		if string(in) != before {
			t.Fatal("the input was changed")
		}
		plain := func(raw []byte) (v any, err error) {
			err = json.Unmarshal(raw, &v, jsontext.AllowInvalidUTF8(true), jsontext.AllowDuplicateNames(true))
			return v, err
		}
		if _, err := plain(in); err != nil {
			return
		}
		if is, err := plain(out); err != nil || strings.Contains(fmt.Sprint(is), "\x00") {
			t.Fatalf("%q became %q: %v, %v", in, out, is, err)
		}
	})
}
