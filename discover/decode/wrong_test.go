package decode

import (
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/leeward-ctem/leeward/exposure"
)

// What says something and is no list, or no object, is not passed over in silence.
func TestLost(t *testing.T) {
	t.Parallel()
	for in, says := range map[string]bool{
		"null": false, `""`: false, `" "`: false, "{}": false, "[]": false,
		"7": true, "true": true, "false": true, `"x"`: true, `{"a": {"b": 1}}`: true, `[[1], 2]`: true,
	} {
		for name, walk := range map[string]func(j *JSON) error{
			"array":  func(j *JSON) error { return j.Array(j.Skip) },
			"object": func(j *JSON) error { return j.Object(func(string) error { return j.Skip() }) },
		} {
			j := NewJSON(strings.NewReader(`[` + in + `, 1]`))
			var lost *exposure.RecordError
			j.Lost = func(err error) error {
				errors.As(err, &lost)
				return nil
			}
			rest := 0
			err := j.Array(func() error {
				if rest++; rest == 1 {
					return walk(j)
				}
				return j.Skip()
			})
			own := in[0] == '[' && name == "array" || in[0] == '{' && name == "object"
			if err != nil || rest != 2 || (lost != nil) != (says && !own) {
				t.Errorf("%s where an %s is expected: %v, lost %v, %d values", in, name, err, lost, rest)
			}
			if lost != nil && (lost.Record < 1 || lost.Offset != 1) {
				t.Errorf("%s is lost at byte %d, record %d", in, lost.Offset, lost.Record)
			}
		}
	}
}

// A byte order mark and the ends of lines say nothing.
func TestForms(t *testing.T) {
	t.Parallel()
	if h := NewHead([]byte("\xef\xbb\xbf{\"a\": 1}")); string(h.Bytes()) != `{"a": 1}` || !h.Is(`{"a":1}`) || !h.Has("a") {
		t.Errorf("a head with a byte order mark is %q", h.Bytes())
	}
	rows := NewRows(strings.NewReader("a,\"b\r\nc\rd\"\r\n"))
	if err := rows.Next(); err != nil || rows.Text(1, "") != "b\nc\rd" {
		t.Errorf("a cell of two lines is %q, %v", rows.Text(1, ""), err)
	}
	if err := rows.Next(); err != io.EOF {
		t.Errorf("a second row: %v", err)
	}
}
